//! Reports: a file in the bucket with a line for each recipient.
//!
//! A file is current while the marks of the rows it was made of are the same. Who
//! asks for one that is not lets a job make another, and waits a little for it.

mod build;
mod line;

pub use build::{ReportRun, Writer, build};
pub use line::{HEADER, ReportLine};

use bodies::unavailable;
use std::time::Duration;

use domain::{CampaignId, ReportFormat, TenantId};
use queue::CampaignJob;
use store::ledger::Marks;
use store::reports::{Report, ReportFile, ReportKey, WantedReport};
use tokio::time::{Instant, sleep};

use super::load;
use crate::Services;
use ops::Result;

/// How long the address of a file can be read from: long enough to follow a redirect.
const READ_VALID: Duration = Duration::from_secs(5 * 60);
/// First pause before a file is looked for again; each is half as long again.
const STEP: Duration = Duration::from_millis(100);
/// Longest pause.
const LONGEST_STEP: Duration = Duration::from_secs(1);

/// How long a request waits for its file.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// What a request for a report is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportAnswer {
    /// Where the file can be read for a short while.
    At(String),
    /// It is being made: the next request finds it.
    Preparing,
}

/// A file of the campaign's recipients that has every change up to now. When there
/// is none it is made; `patience` is how long to wait for it.
///
/// # Errors
/// [`ops::Code::NotFound`]
pub async fn report(
    services: &Services,
    tenant: &TenantId,
    campaign: CampaignId,
    format: ReportFormat,
    patience: Duration,
) -> Result<ReportAnswer> {
    let store = &services.store;
    load(store, tenant, campaign).await?;
    let of = ReportKey { tenant, campaign, format };
    let asked_ms = store.clock().now_ms();
    let marks = store.marks(tenant, campaign).await?;
    let mut report = store.report(of).await?;
    if let Some((file, promised_ms)) = promised(&report) {
        store.keep_report_promise(of, promised_ms).await?;
        return Ok(ReportAnswer::At(address(services, of, file).await?));
    }
    let (end, mut step, mut has_asked) = (Instant::now() + patience, STEP, false);
    loop {
        if let Some(file) = report.file.as_ref().filter(|file| serves(file, &marks, asked_ms)) {
            return Ok(ReportAnswer::At(address(services, of, file).await?));
        }
        let is_under_way = report.job.as_ref().is_some_and(|job| !job.is_dead(store.clock().now_ms()));
        if !has_asked || !is_under_way {
            want(services, of, asked_ms).await?;
            has_asked = true;
        }
        if Instant::now() >= end {
            store.promise_report(of, asked_ms).await?;
            return Ok(ReportAnswer::Preparing);
        }
        sleep(step).await;
        step = (step * 3 / 2).min(LONGEST_STEP);
        report = store.report(of).await?;
    }
}

/// Whether a file has every change up to `asked_ms`, when the marks were these.
fn serves(file: &ReportFile, marks: &Marks, asked_ms: i64) -> bool {
    file.made_ms >= asked_ms || (!marks.is_moving && file.marks == marks.text)
}

/// The file that somebody was promised who comes again. While rows keep changing no
/// file is current when it is finished: without this nobody would ever get one.
fn promised(report: &Report) -> Option<(&ReportFile, i64)> {
    let promised_ms = report.promised_ms?;
    report.file.as_ref().filter(|file| file.made_ms >= promised_ms).map(|file| (file, promised_ms))
}

/// Lets a job make a file, unless one is about to.
async fn want(services: &Services, of: ReportKey<'_>, asked_ms: i64) -> Result<()> {
    match services.store.want_report(of, asked_ms).await? {
        WantedReport::UnderWay => Ok(()),
        WantedReport::New(job) => Ok(services.queues.campaign(job_of(of, &job, 0), 0).await?),
    }
}

fn job_of(of: ReportKey<'_>, job: &str, run: u64) -> CampaignJob {
    CampaignJob::Report {
        tenant: of.tenant.to_string(),
        campaign: of.campaign.0,
        format: of.format.as_str().to_owned(),
        job: job.to_owned(),
        run,
    }
}

async fn address(services: &Services, of: ReportKey<'_>, file: &ReportFile) -> Result<String> {
    let name = format!("campaign-{}.{}", of.campaign, of.format.as_str());
    let bucket = services.files.bucket();
    bucket.presign_report(&file.object, of.format.mime(), &name, READ_VALID).await.map_err(unavailable)
}
