//! The jobs that flows go on by.

use domain::{AccountId, ContactId, MessageId, TenantId};
use futures::{StreamExt, stream};
use ops::events::EventPublisher;
use ops::flows::tagged;
use ops::{Code, Error, Result};
use queue::InboundJob;

use super::carry::{RunJob, carry_on};
use super::hear::listen;
use crate::Services;

/// Jobs that are done at once.
const AT_ONCE: usize = 16;

/// Something that flows are to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowJob {
    tenant: TenantId,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A run goes on.
    Run(RunJob),
    /// A message is heard.
    Listen(AccountId, MessageId),
    /// A contact got tags.
    Tagged { contact: ContactId, tags: Vec<String>, fact: String },
}

impl TryFrom<InboundJob> for FlowJob {
    type Error = Error;

    fn try_from(job: InboundJob) -> Result<Self> {
        let unnamed = |_| Error::new(Code::Internal, "the job does not name what it is about");
        let (tenant, what) = match job {
            InboundJob::Run { tenant, contact, run, effect, due } => {
                let (tenant, run) = (tenant.parse()?, run.parse().map_err(unnamed)?);
                let job = RunJob { tenant, contact: ContactId(contact), run, effect, due_ms: due };
                (job.tenant.clone(), What::Run(job))
            }
            InboundJob::Listen { tenant, account, message } => {
                (tenant.parse()?, What::Listen(AccountId(account), message.parse().map_err(unnamed)?))
            }
            InboundJob::Tagged { tenant, contact, tags, fact } => {
                (tenant.parse()?, What::Tagged { contact: ContactId(contact), tags, fact })
            }
            InboundJob::Meta { .. } | InboundJob::Answer { .. } => {
                return Err(Error::new(Code::Internal, "the job is no flow's"));
            }
        };
        Ok(Self { tenant, what })
    }
}

/// Does several jobs, each with how often it was tried before. Answers which of them must come
/// again, by index.
pub async fn work_off(services: &Services, jobs: &[(FlowJob, u32)]) -> Vec<usize> {
    let work = jobs.iter().enumerate().map(async |(i, (job, tries))| {
        let done = Box::pin(work(services, job, *tries)).await;
        done.err().map(|error| {
            tracing::error!(tenant = %job.tenant, code = error.code.as_str(), "a flow could not go on");
            i
        })
    });
    let work: Vec<_> = work.collect();
    stream::iter(work).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

async fn work(services: &Services, job: &FlowJob, tries: u32) -> Result<()> {
    let tenant = &job.tenant;
    match &job.what {
        What::Run(run) => carry_on(services, run, tries).await,
        What::Listen(account, message) => listen(services, tenant, (*account, *message)).await,
        What::Tagged { contact, tags, fact } => {
            let Some(contact) = services.store.contact(tenant, *contact).await? else { return Ok(()) };
            tagged(&EventPublisher::from(services), tenant, (&contact, tags), fact).await
        }
    }
}
