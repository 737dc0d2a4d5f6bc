//! The campaign planner.
//!
//! Trigger: the queue `campaign`, one job at a time. Reads contacts, writes the
//! ledger; feeds its own queue when its time is over, and the queue `send`.

use domain::{CampaignId, Invalid, TenantId};
use ops::{Code, Sender};
use queue::{CampaignJob, Job, Record};

/// Does each job; answers the ids of the records that must come again.
pub async fn handle(sender: &Sender, records: &[Record], out_of_time: impl Fn() -> bool) -> Vec<String> {
    let mut failed = Vec::new();
    for record in records {
        match Job::<CampaignJob>::parse(&record.body) {
            Ok(job) => {
                if let Err(error) = Box::pin(work(sender, job, &out_of_time)).await {
                    tracing::error!(code = error.code.as_str(), "a campaign job failed");
                    failed.push(record.id.clone());
                }
            }
            Err(reason) => {
                tracing::error!(%reason, "a campaign job cannot be read");
                failed.push(record.id.clone());
            }
        }
    }
    failed
}

async fn work(sender: &Sender, job: Job<CampaignJob>, out_of_time: impl Fn() -> bool) -> ops::Result<()> {
    let tenant_of = |tenant: String| {
        tenant.parse::<TenantId>().map_err(|_: Invalid| ops::Error::new(Code::Internal, "no tenant"))
    };
    match job.job {
        CampaignJob::Plan { tenant, campaign, checkpoint } => {
            let (tenant, id) = (tenant_of(tenant)?, CampaignId(campaign));
            ops::campaigns::plan(sender, &tenant, id, checkpoint, job.generation, out_of_time).await
        }
        CampaignJob::Start { tenant, campaign } => {
            ops::campaigns::start_scheduled(sender, &tenant_of(tenant)?, CampaignId(campaign)).await
        }
    }
}
