//! Reports of campaigns: the newest file of each, and the job that makes the next.
//!
//! One item per campaign and format, `REPORT#<t>#<campaign>` under the format. A
//! job has an id; each of its runs takes the next run number, so that of two
//! copies only the newer can write anything down. A job that was silent for
//! [`SILENCE_MS`] is taken for dead: the next who asks begins another.

use domain::{CampaignId, ReportFormat, TenantId};
use serde::{Deserialize, Serialize};

use crate::item::{Item, Key, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// After this long without a word a job is taken for dead, in milliseconds: longer
/// than it takes from one word of a run to the next, or to the next run.
pub const SILENCE_MS: i64 = 60_000;
/// How long a file is handed out, in milliseconds: the bucket forgets it a day later.
const KEEP_MS: i64 = 86_400_000;
/// Tries against concurrent writers.
const TRIES: u32 = 8;

/// Which report.
#[derive(Debug, Clone, Copy)]
pub struct ReportKey<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The campaign.
    pub campaign: CampaignId,
    /// How it is written.
    pub format: ReportFormat,
}

/// What there is of a report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The newest file.
    pub file: Option<ReportFile>,
    /// The job that makes the next.
    pub job: Option<ReportJob>,
    /// When somebody last asked for rows that no file had, in milliseconds since 1970.
    pub asked_ms: i64,
    /// The first request that was told to come again, and has not.
    pub promised_ms: Option<i64>,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its name in the bucket.
    pub object: String,
    /// The marks of the rows it was made of.
    pub marks: String,
    /// It has every change up to here, in milliseconds since 1970.
    pub made_ms: i64,
}

/// A job that makes a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportJob {
    /// Its id.
    pub id: String,
    /// The number of its newest run; 0 before the first.
    pub run: u64,
    /// When its last word came, in milliseconds since 1970.
    pub beat_ms: i64,
    /// What it makes, once it has begun.
    pub draft: Option<ReportDraft>,
}

/// How far a file came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportDraft {
    /// The job that began it.
    pub job: String,
    /// Its name in the bucket.
    pub object: String,
    /// The marks of the rows when it was begun.
    pub marks: String,
    /// When it was begun, in milliseconds since 1970: what changed later may be missing.
    pub begun_ms: i64,
    /// The upload in parts, from the first part on.
    pub upload: Option<String>,
    /// The etags of its parts.
    pub parts: Vec<String>,
    /// The object with what was too little for a part.
    pub rest: Option<String>,
    /// The next block of the ledger.
    pub block: u64,
    /// What the writer goes on from; nothing at the beginning of the file.
    pub writer: Option<String>,
}

/// Whether somebody has to queue a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedReport {
    /// A new job has this id: queue it.
    New(String),
    /// A job is under way, and knows that it was asked for.
    UnderWay,
}

impl ReportJob {
    /// Whether it was silent for so long that it must be dead.
    pub fn is_dead(&self, now_ms: i64) -> bool {
        self.beat_ms + SILENCE_MS <= now_ms
    }
}

fn key(of: ReportKey<'_>) -> Key {
    Key::new(Kind::Report.pk(format_args!("{}#{}", of.tenant, of.campaign)), of.format.as_str())
}

fn from_item(item: &Item, now_ms: i64) -> Report {
    let file = || {
        let (object, marks) = (text(item, "object")?, text(item, "marks")?);
        Some(ReportFile { object, marks, made_ms: number(item, "made")? })
    };
    let draft = text(item, "draft").and_then(|json| serde_json::from_str(&json).ok());
    let job = || {
        let (id, run) = (text(item, "job")?, number(item, "run")?);
        Some(ReportJob { id, run, beat_ms: number(item, "beat")?, draft })
    };
    Report {
        file: file().filter(|file| file.made_ms + KEEP_MS > now_ms),
        job: job(),
        asked_ms: number(item, "asked").unwrap_or(0),
        promised_ms: number(item, "promised"),
    }
}

impl Store {
    /// What there is of a report.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn report(&self, of: ReportKey<'_>) -> Result<Report> {
        let item = self.get_item(&key(of)).await?.unwrap_or_default();
        Ok(from_item(&item, self.clock().now_ms()))
    }

    /// Asks for a file that has every change up to `asked_ms`. Of several who ask, one
    /// is told to queue a job.
    ///
    /// # Errors
    /// [`Error::Conflict`] when jobs come and go under us.
    pub async fn want_report(&self, of: ReportKey<'_>, asked_ms: i64) -> Result<WantedReport> {
        let now = self.clock().now();
        let id = self.entropy().ulid(now).to_string();
        for attempt in 0..TRIES {
            let begin = Update::of(key(of))
                .set("job", s(&id))
                .set("run", n(0))
                .set("beat", n(now.as_millisecond()))
                .set("asked", n(asked_ms))
                .set("ttl", n(now.as_second() + 2 * KEEP_MS / 1_000))
                .when(When::AbsentOrAtMost("beat", n(now.as_millisecond() - SILENCE_MS)));
            match self.update(begin).await {
                Ok(()) => return Ok(WantedReport::New(id)),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
            let Some(job) = self.report(of).await?.job else { continue };
            // Our own job, when the answer to the write was lost.
            if job.id == id {
                return Ok(WantedReport::New(id));
            }
            let tell = Update::of(key(of))
                .set("asked", n(asked_ms))
                .when(When::Is("job", s(&job.id)))
                .when(When::AbsentOrAtMost("asked", n(asked_ms)));
            match self.update(tell).await {
                Ok(()) => return Ok(WantedReport::UnderWay),
                Err(Error::Conflict) => self.back_off(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    /// Begins a run of a job: the one behind `run`, or whichever is next when the
    /// last one is dead.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another run has the job.
    pub async fn take_report(
        &self,
        of: ReportKey<'_>,
        job: &str,
        run: u64,
        only_if_dead: bool,
    ) -> Result<Report> {
        let now = self.clock().now_ms();
        let mut update = Update::of(key(of))
            .set("run", n(run + 1))
            .set("beat", n(now))
            .when(When::Is("job", s(job)))
            .when(When::Is("run", n(run)));
        if only_if_dead {
            update = update.when(When::AtMost("beat", n(now - SILENCE_MS)));
        }
        Ok(from_item(&self.update_returning(update).await?, now))
    }

    /// Says that a run is alive, and how far it came.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another run has the job by now.
    pub async fn beat_report(&self, of: ReportKey<'_>, job: &ReportJob) -> Result<()> {
        let draft = job.draft.as_ref().map(serde_json::to_string).transpose();
        let draft = draft.map_err(|_| Error::Corrupt { kind: "report" })?;
        let mut update = Update::of(key(of)).set("beat", n(self.clock().now_ms()));
        update = match draft {
            Some(draft) => update.set("draft", s(draft)),
            None => update.remove("draft"),
        };
        self.update(update.when(When::Is("job", s(&job.id))).when(When::Is("run", n(job.run)))).await
    }

    /// Puts a finished file in the place of the one before; the job is over. Answers
    /// what the report is like now: somebody may have asked for more meanwhile.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another run has the job by now.
    pub async fn finish_report(
        &self,
        of: ReportKey<'_>,
        job: &ReportJob,
        file: &ReportFile,
    ) -> Result<Report> {
        let now = self.clock().now();
        let update = Update::of(key(of))
            .set("object", s(&file.object))
            .set("marks", s(&file.marks))
            .set("made", n(file.made_ms))
            .set("ttl", n(now.as_second() + 2 * KEEP_MS / 1_000))
            .when(When::Is("job", s(&job.id)))
            .when(When::Is("run", n(job.run)));
        let update = ["job", "run", "beat", "draft"].into_iter().fold(update, Update::remove);
        Ok(from_item(&self.update_returning(update).await?, now.as_millisecond()))
    }

    /// Forgets a file that was deleted, unless another took its place.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_report_file(&self, of: ReportKey<'_>, file: &ReportFile) -> Result<()> {
        let update = ["object", "marks", "made"].into_iter().fold(Update::of(key(of)), Update::remove);
        match self.update(update.when(When::Is("object", s(&file.object)))).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Remembers that somebody was told to come again; the earliest counts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn promise_report(&self, of: ReportKey<'_>, asked_ms: i64) -> Result<()> {
        let update = Update::of(key(of)).set("promised", n(asked_ms));
        match self.update(update.when(When::Absent("promised"))).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Forgets a promise that is kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn keep_report_promise(&self, of: ReportKey<'_>, promised_ms: i64) -> Result<()> {
        let update = Update::of(key(of)).remove("promised");
        match self.update(update.when(When::Is("promised", n(promised_ms)))).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
