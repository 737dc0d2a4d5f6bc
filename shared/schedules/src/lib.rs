//! One-time schedules of EventBridge Scheduler: what a campaign starts by at its time.

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};

use environment::{Env, Missing};
use queue::{CampaignJob, Error, Job, PARKED};

/// One-time schedules of EventBridge Scheduler that put a job into the campaign
/// queue. A schedule goes away once it has fired.
#[derive(Debug, Clone)]
pub struct Schedules {
    client: Client,
    group: String,
    role_arn: String,
    queue_arn: String,
}

impl Schedules {
    /// Schedules of `group` that act as `role_arn` on the campaign queue.
    pub fn new(client: Client, group: String, role_arn: String, queue_arn: String) -> Self {
        Self { client, group, role_arn, queue_arn }
    }

    /// Those of a function: `SCHEDULE_GROUP`, `SCHEDULE_ROLE_ARN`, `CAMPAIGN_QUEUE_ARN`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn of(env: &Env) -> Result<Self, Missing> {
        let (group, role) = (env.required("SCHEDULE_GROUP")?, env.required("SCHEDULE_ROLE_ARN")?);
        Ok(Self::new(Client::new(env.aws()), group, role, env.required("CAMPAIGN_QUEUE_ARN")?))
    }

    /// Queues `job` at `at`, a time in UTC as `2026-07-01T10:00:00`. The service
    /// is exact to the minute and never early. A schedule that exists is kept.
    ///
    /// # Errors
    /// [`Error`] when the service did not take it.
    pub async fn create(&self, name: &str, at: &str, job: CampaignJob) -> Result<(), Error> {
        let malformed = |_: BuildError| Error::of(Some("Serialization"));
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let parked = DeadLetterConfig::builder().arn(format!("{}{PARKED}", self.queue_arn)).build();
        let target = Target::builder()
            .arn(&self.queue_arn)
            .role_arn(&self.role_arn)
            .input(Job::new(job, 0).body()?)
            .dead_letter_config(parked)
            .build();
        let request = self
            .client
            .create_schedule()
            .group_name(&self.group)
            .name(name)
            .schedule_expression(format!("at({at})"))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(window.map_err(malformed)?)
            .target(target.map_err(malformed)?)
            .action_after_completion(ActionAfterCompletion::Delete);
        // The client's future is large: it lives on the heap.
        match Box::pin(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conflict_exception()) => Ok(()),
            Err(error) => Err(Error::of(error.as_service_error().and_then(|e| e.code()))),
        }
    }

    /// Takes a schedule back; one that is gone already is fine.
    ///
    /// # Errors
    /// [`Error`] when the service did not answer.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        let request = self.client.delete_schedule().group_name(&self.group).name(name);
        match Box::pin(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                Ok(())
            }
            Err(error) => Err(Error::of(error.as_service_error().and_then(|e| e.code()))),
        }
    }
}
