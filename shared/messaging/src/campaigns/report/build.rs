//! Making the file of a report, in runs that follow each other.

use domain::{ContactId, ReportFormat};
use futures::{Stream, StreamExt, stream};
use media::Bucket;
use store::contacts::BLOCK;
use store::ledger::Row;
use store::reports::{Report, ReportDraft, ReportFile, ReportJob, ReportKey};

use super::line::{ReportLine, line};
use super::{job_of, want};
use crate::Services;
use bodies::unavailable;
use ops::Result;

/// Least size of a part: S3 takes no smaller ones, but for the last.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// Blocks that are read at once.
const READS: usize = 4;
/// How often a run says that it is alive, in milliseconds.
const BEAT_MS: i64 = 10_000;
/// What S3 answers when an upload cannot be finished any more.
const BROKEN: [&str; 4] = ["NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"];

/// Writes lines in one format, forwards only, so that what is written can be handed
/// over in parts and another process can go on behind each of them.
pub trait Writer: Send {
    /// Begins a file, with its header.
    fn begin() -> Self;
    /// Goes on behind a part, from what [`Writer::state`] said; `None` when it cannot.
    fn resume(state: &str) -> Option<Self>
    where
        Self: Sized;
    /// Writes one recipient.
    fn write(&mut self, line: &ReportLine);
    /// About how many bytes the next part has by now.
    fn bytes(&self) -> usize;
    /// Ends the part.
    fn part(&mut self) -> Vec<u8>;
    /// What it takes to go on behind the part that was just ended.
    fn state(&self) -> String;
    /// Ends the file; the last part.
    fn end(self) -> Vec<u8>;
}

/// A run of a job.
#[derive(Debug, Clone, Copy)]
pub struct ReportRun<'a> {
    /// What is made.
    pub of: ReportKey<'a>,
    /// The job.
    pub job: &'a str,
    /// The run that this one follows.
    pub run: u64,
    /// How many jobs it follows.
    pub generation: u32,
}

/// Makes the file of a report, block by block, until it is finished or
/// `out_of_time` says so; then the job follows itself, and goes on where it was. A job that came twice, or that another has replaced, does nothing.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn build<W: Writer>(
    services: &Services,
    build: ReportRun<'_>,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let Some(report) = take(services, build).await? else { return Ok(()) };
    let Some(job) = report.job else { return Ok(()) };
    let beaten_ms = services.store.clock().now_ms();
    let mut run = Run { services, build, job, beaten_ms, written: Vec::new() };
    match run.make::<W>(out_of_time).await {
        Ok(()) => Ok(()),
        // Another run has the job by now.
        Err(Stopped::Replaced) => Ok(()),
        Err(Stopped::Broken(code)) => {
            tracing::warn!(code, campaign = %build.of.campaign, "a report is begun anew");
            run.job.draft = None;
            match run.beat().await {
                Ok(()) | Err(Stopped::Replaced) => {}
                Err(stopped) => return Err(stopped.into()),
            }
            Err(Stopped::Broken(code).into())
        }
        Err(stopped @ Stopped::Failed(_)) => Err(stopped.into()),
    }
}

/// Takes the job; `None` when there is nothing to do.
async fn take(services: &Services, build: ReportRun<'_>) -> Result<Option<Report>> {
    let store = &services.store;
    match store.take_report(build.of, build.job, build.run, false).await {
        Ok(report) => return Ok(Some(report)),
        Err(store::Error::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    // A copy of the job was here before: it is done, at work, or dead.
    let report = store.report(build.of).await?;
    let Some(job) = report.job.filter(|job| job.id == build.job) else { return Ok(None) };
    if !job.is_dead(store.clock().now_ms()) {
        return Ok(None);
    }
    match store.take_report(build.of, build.job, job.run, true).await {
        Ok(report) => Ok(Some(report)),
        Err(store::Error::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Why a run ends before its file does.
enum Stopped {
    /// Another run has the job.
    Replaced,
    /// The bucket lost what was uploaded: its code.
    Broken(String),
    /// A store did not answer.
    Failed(ops::Error),
}

impl From<store::Error> for Stopped {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict => Self::Replaced,
            other @ (store::Error::Unavailable { .. }
            | store::Error::Refused { .. }
            | store::Error::Contended
            | store::Error::Corrupt { .. }
            | store::Error::Sealed) => Self::Failed(other.into()),
        }
    }
}

impl From<media::Error> for Stopped {
    fn from(error: media::Error) -> Self {
        match BROKEN.contains(&error.code.as_str()) {
            true => Self::Broken(error.code),
            false => Self::Failed(unavailable(error)),
        }
    }
}

impl From<ops::Error> for Stopped {
    fn from(error: ops::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Stopped> for ops::Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Replaced => store::Error::Conflict.into(),
            Stopped::Broken(code) => store::Error::Unavailable { code }.into(),
            Stopped::Failed(error) => error,
        }
    }
}

struct Run<'a> {
    services: &'a Services,
    build: ReportRun<'a>,
    job: ReportJob,
    /// When it last said that it is alive.
    beaten_ms: i64,
    /// What is too little for a part.
    written: Vec<u8>,
}

impl Run<'_> {
    async fn make<W: Writer>(&mut self, out_of_time: impl Fn() -> bool) -> std::result::Result<(), Stopped> {
        let (mut draft, mut writer) = self.draft::<W>().await?;
        let (tenant, campaign) = (self.build.of.tenant, self.build.of.campaign);
        let heads = self.services.store.heads_of(tenant, campaign).await?;
        let blocks = heads.iter().map(|head| head.block).filter(|block| *block >= draft.block).collect();
        let mut read = std::pin::pin!(rows(self.services, self.build.of, blocks));
        while let Some((block, rows)) = read.next().await {
            rows?.iter().for_each(|row| writer.write(&line(row)));
            let is_over = out_of_time();
            if is_over || self.written.len() + writer.bytes() >= PART_BYTES {
                self.written.extend(writer.part());
                (draft.block, draft.writer) = (block + 1, Some(writer.state()));
                self.save(&mut draft, is_over).await?;
            } else if self.services.store.clock().now_ms() - self.beaten_ms >= BEAT_MS {
                self.beat().await?;
            }
            if is_over {
                return self.hand_over().await;
            }
        }
        self.written.extend(writer.end());
        self.finish(draft).await
    }

    /// Puts what is written where the next run finds it: a part, or the beginning of one.
    async fn save(&mut self, draft: &mut ReportDraft, is_over: bool) -> std::result::Result<(), Stopped> {
        if self.written.len() >= PART_BYTES {
            self.upload(draft).await?;
            draft.rest = None;
        } else if is_over {
            // Under a name of its own: a run that dies here leaves the one before as it was.
            let rest = format!("{}.{}", draft.object, self.job.run);
            let written = std::mem::take(&mut self.written);
            self.bucket().put_report(&rest, self.format().mime(), written).await?;
            draft.rest = Some(rest);
        }
        self.job.draft = Some(draft.clone());
        self.beat().await
    }

    /// What an earlier run of this job left; or a new file, in the place of what an
    /// earlier job left.
    async fn draft<W: Writer>(&mut self) -> std::result::Result<(ReportDraft, W), Stopped> {
        let old = self.job.draft.clone();
        if let Some(draft) = old.clone().filter(|draft| draft.job == self.job.id) {
            match draft.writer.as_deref().map(W::resume) {
                Some(Some(writer)) => {
                    self.written = self.rest(&draft).await?;
                    return Ok((draft, writer));
                }
                None => return Ok((draft, W::begin())),
                // Written by another release.
                Some(None) => {}
            }
        }
        if let Some(ReportDraft { object, upload: Some(upload), .. }) = &old {
            self.bucket().abort_report(object, upload).await?;
        }
        let store = &self.services.store;
        let begun_ms = store.clock().now_ms();
        let (tenant, campaign) = (self.build.of.tenant, self.build.of.campaign);
        let marks = store.marks(tenant, campaign).await?.text;
        let object = format!("{tenant}/{campaign}-{}.{}", self.job.id, self.format().as_str());
        let job = self.job.id.clone();
        let (upload, parts, rest, writer) = (None, Vec::new(), None, None);
        let draft = ReportDraft { job, object, marks, begun_ms, upload, parts, rest, block: 0, writer };
        self.job.draft = Some(draft.clone());
        self.beat().await?;
        Ok((draft, W::begin()))
    }

    /// What the run before left of a part.
    async fn rest(&self, draft: &ReportDraft) -> std::result::Result<Vec<u8>, Stopped> {
        let Some(rest) = &draft.rest else { return Ok(Vec::new()) };
        let found = self.bucket().get_report(rest).await?;
        found.map(Vec::from).ok_or_else(|| Stopped::Broken("NoSuchKey".to_owned()))
    }

    async fn upload(&mut self, draft: &mut ReportDraft) -> std::result::Result<(), Stopped> {
        let upload = match draft.upload.clone() {
            Some(upload) => upload,
            None => {
                let upload = self.bucket().begin_report(&draft.object, self.format().mime()).await?;
                // Written down before its first part, so that it can be given up.
                draft.upload = Some(upload.clone());
                self.job.draft = Some(draft.clone());
                self.beat().await?;
                upload
            }
        };
        let (number, bytes) = (draft.parts.len() + 1, std::mem::take(&mut self.written));
        draft.parts.push(self.bucket().put_report_part(&draft.object, &upload, number, bytes).await?);
        Ok(())
    }

    async fn finish(&mut self, mut draft: ReportDraft) -> std::result::Result<(), Stopped> {
        match draft.upload.clone() {
            Some(upload) => {
                self.upload(&mut draft).await?;
                self.beat().await?;
                self.bucket().complete_report(&draft.object, &upload, &draft.parts).await?;
            }
            None => {
                let all = std::mem::take(&mut self.written);
                self.bucket().put_report(&draft.object, self.format().mime(), all).await?;
            }
        }
        let ReportDraft { object, marks, begun_ms, .. } = draft;
        let file = ReportFile { object, marks, made_ms: begun_ms };
        let store = &self.services.store;
        let before = store.report(self.build.of).await?.file;
        let report = store.finish_report(self.build.of, &self.job, &file).await?;
        // Whoever has a link to it asks again.
        if let Some(before) = before.filter(|before| before.object != file.object) {
            self.bucket().delete_report(&before.object).await?;
        }
        // Somebody asked after it was begun, and may have seen more.
        if report.asked_ms > file.made_ms {
            let (tenant, campaign) = (self.build.of.tenant, self.build.of.campaign);
            let marks = store.marks(tenant, campaign).await?;
            if !super::serves(&file, &marks, report.asked_ms) {
                want(self.services, self.build.of, report.asked_ms).await?;
            }
        }
        Ok(())
    }

    /// Says that it is alive, and how far it came.
    async fn beat(&mut self) -> std::result::Result<(), Stopped> {
        self.services.store.beat_report(self.build.of, &self.job).await?;
        self.beaten_ms = self.services.store.clock().now_ms();
        Ok(())
    }

    async fn hand_over(&self) -> std::result::Result<(), Stopped> {
        let next = job_of(self.build.of, &self.job.id, self.job.run);
        let queued = self.services.queues.campaign(next, self.build.generation + 1).await;
        queued.map_err(|error| Stopped::Failed(error.into()))
    }

    fn bucket(&self) -> &Bucket {
        self.services.files.bucket()
    }

    fn format(&self) -> ReportFormat {
        self.build.of.format
    }
}

/// The rows of blocks, some ahead, in the order of the blocks.
fn rows<'a>(
    services: &'a Services,
    of: ReportKey<'a>,
    blocks: Vec<u64>,
) -> impl Stream<Item = (u64, store::Result<Vec<Row>>)> + 'a {
    let most = usize::try_from(BLOCK).unwrap_or(usize::MAX);
    let read = move |block| async move {
        let all = services.store.rows_after(of.tenant, of.campaign, block, ContactId(0), most);
        (block, all.await)
    };
    stream::iter(blocks).map(read).buffered(READS)
}
