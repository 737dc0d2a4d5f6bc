//! What campaigns need besides sending: the planner, orders to send again, winding up
//! what was cancelled, erasing contacts that were deleted, the files of reports, and
//! counts that keep up; files of contacts that are imported and exported; and catalogs that
//! are read from Meta.
//!
//! Trigger: the queue `campaign`, one job at a time. Reads contacts, writes the
//! ledger; reads the ledger, writes counts, and reports into the bucket. Reads files from the
//! bucket, writes contacts. Feeds its own queue when its time is over, and the queue `send`.

mod report;

pub use report::make as make_report;

use contact_files::ContactFiles;
use domain::{CampaignId, ReportFormat, TenantId};
use messaging::campaigns::ReportRun;
use messaging::{Services, campaigns};
use ops::events::EventPublisher;
use ops::{Code, Error};
use queue::{CampaignJob, Done, Job, Queue, Record};
use store::reports::ReportKey;

/// Does each job; answers the ids of the records that must come again.
pub async fn handle(services: &Services, records: &[Record], out_of_time: impl Fn() -> bool) -> Vec<String> {
    let mut again = Vec::new();
    for record in records {
        let done = match Job::<CampaignJob>::parse(&record.body) {
            Ok(job) => Box::pin(work(services, job, &out_of_time)).await,
            Err(reason) => reason.into(),
        };
        again.extend(services.queues.settle(Queue::Campaign, record, done).await);
    }
    again
}

async fn work(services: &Services, job: Job<CampaignJob>, out_of_time: impl Fn() -> bool) -> Done {
    let (tenant, campaign) = match &job.job {
        CampaignJob::Plan { tenant, campaign, .. }
        | CampaignJob::Start { tenant, campaign }
        | CampaignJob::Again { tenant, campaign, .. }
        | CampaignJob::Cancel { tenant, campaign }
        | CampaignJob::Count { tenant, campaign, .. }
        | CampaignJob::Report { tenant, campaign, .. } => (tenant.parse::<TenantId>(), CampaignId(*campaign)),
        CampaignJob::Erase { tenant, .. }
        | CampaignJob::Fund { tenant, .. }
        | CampaignJob::Renew { tenant, .. }
        | CampaignJob::Import { tenant, .. }
        | CampaignJob::Sync { tenant, .. }
        | CampaignJob::Export { tenant, .. } => (tenant.parse::<TenantId>(), CampaignId(0)),
    };
    let Ok(tenant) = tenant else { return Done::Never("the job names no tenant".to_owned()) };
    let generation = job.generation;
    let worked = match job.job {
        CampaignJob::Plan { checkpoint, .. } => {
            campaigns::plan(services, &tenant, campaign, checkpoint, generation, out_of_time).await
        }
        CampaignJob::Start { .. } => campaigns::start_scheduled(services, &tenant, campaign).await,
        CampaignJob::Again { order, block, .. } => {
            campaigns::put_back(services, &tenant, campaign, (order, block), generation, out_of_time).await
        }
        CampaignJob::Cancel { .. } => {
            campaigns::wind_up(services, &tenant, campaign, generation, out_of_time).await
        }
        CampaignJob::Erase { contacts, before, last, .. } => {
            let before = before.map(CampaignId);
            campaigns::erase(services, &tenant, contacts, (before, last), generation, out_of_time).await
        }
        CampaignJob::Fund { at_ms, .. } => campaigns::fund(services, &tenant, at_ms).await,
        CampaignJob::Renew { block, .. } => renew(services, &tenant, block, generation, out_of_time).await,
        CampaignJob::Count { run, .. } => {
            campaigns::count(services, &tenant, campaign, run, generation, out_of_time).await
        }
        CampaignJob::Report { format, job: id, run, .. } => {
            report(services, (&tenant, campaign, &format), (&id, run, generation), out_of_time).await
        }
        CampaignJob::Import { id, leg, .. } => {
            contact_files::run_import(&files(services), &tenant, &id, leg, generation, out_of_time).await
        }
        CampaignJob::Sync { catalog, run, leg, .. } => {
            messaging::catalogs::run(services, &tenant, (&catalog, &run, leg), generation, out_of_time).await
        }
        CampaignJob::Export { id, leg, .. } => {
            contact_files::run_export(&files(services), &tenant, &id, leg, generation, out_of_time).await
        }
    };
    match worked {
        Ok(()) => Done::Yes,
        Err(error) if error.code == Code::NotFound => Done::Never(error.message),
        Err(error) => {
            tracing::error!(%tenant, %campaign, code = error.code.as_str(), "a campaign job failed");
            Done::Again
        }
    }
}

/// Makes a report, in the format that its job names.
async fn report(
    services: &Services,
    (tenant, campaign, format): (&TenantId, CampaignId, &str),
    (job, run, generation): (&str, u64, u32),
    out_of_time: impl Fn() -> bool,
) -> ops::Result<()> {
    let unknown = |_| Error::new(Code::NotFound, "the job names no format");
    let format = ReportFormat::parse(format).map_err(unknown)?;
    let of = ReportKey { tenant, campaign, format };
    make_report(services, ReportRun { of, job, run, generation }, out_of_time).await
}

/// Writes the contacts of one block after the other in the form of today.
async fn renew(
    services: &Services,
    tenant: &TenantId,
    from: u64,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> ops::Result<()> {
    let publisher = &EventPublisher::from(services);
    let blocks = services.store.contact_blocks(tenant).await?;
    for block in blocks.into_iter().filter(|block| *block >= from) {
        ops::renewal::renew_block(publisher, tenant, block).await?;
        if out_of_time() {
            let job = CampaignJob::Renew { tenant: tenant.to_string(), block: block + 1 };
            return Ok(services.queues.campaign(job, generation + 1).await?);
        }
    }
    Ok(services.store.finish_renewal(tenant).await?)
}

/// What imports and exports run on.
fn files(services: &Services) -> ContactFiles {
    let Services { store, queues, files, .. } = services.clone();
    ContactFiles { store, queues, bucket: files.bucket().clone() }
}
