//! The event loops of Lambda: batches of queues, and the clock.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use domain::Clock;
use environment::Env;
use lambda_runtime::{LambdaEvent, service_fn};
use queue::Record;
use serde_json::Value;

use crate::{Error, Format, init};

/// What a worker leaves of its time to hand over what it could not do.
const MARGIN: Duration = Duration::from_secs(10);
/// Longest run of a worker, so that a long campaign is a chain of short ones.
const RUN: Duration = Duration::from_secs(60);

/// The records of one call, and the time there is for them.
#[derive(Debug)]
pub struct Batch {
    /// The records.
    pub records: Vec<Record>,
    end_ms: i64,
}

impl Batch {
    fn new(event: SqsEvent, deadline: SystemTime) -> Self {
        let records = event.records.into_iter().map(|message| Record {
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
        });
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let end_ms = ms(deadline.saturating_sub(MARGIN)).min(Clock::System.now_ms() + ms(RUN));
        Self { records: records.collect(), end_ms }
    }

    /// Whether the worker has to come to an end.
    pub fn is_over(&self) -> bool {
        Clock::System.now_ms() >= self.end_ms
    }
}

/// Runs a function until Lambda ends it. What keeps it from starting is one line.
pub fn lambda(function: impl AsyncFnOnce(Env) -> Result<(), Error>) -> ExitCode {
    init(Format::Json);
    let ended = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::from);
    let ended = ended.and_then(|runtime| {
        let env = Env::of_process()?;
        runtime.block_on(Box::pin(function(env)))
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

/// Works off batches of a queue; `work` answers the ids of the records that must
/// come again.
///
/// # Errors
/// When Lambda's interface does not answer.
pub async fn queue(work: impl AsyncFn(&Batch) -> Vec<String>) -> Result<(), Error> {
    let work = &work;
    let function = service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let batch = Batch::new(event.payload, event.context.deadline());
        // The future of a worker is large: it lives on the heap.
        let again = Box::pin(work(&batch)).await;
        let failure = |item_identifier| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = item_identifier;
            failure
        };
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = again.into_iter().map(failure).collect();
        Ok::<_, Error>(response)
    });
    lambda_runtime::run(function).await
}

/// Does something whenever a schedule says so, whatever it says; the error is a code.
///
/// # Errors
/// When Lambda's interface does not answer.
pub async fn tick(work: impl AsyncFn() -> Result<usize, &'static str>) -> Result<(), Error> {
    let work = &work;
    lambda_runtime::run(service_fn(async move |_: LambdaEvent<Value>| {
        Box::pin(work()).await.map(Value::from).map_err(Error::from)
    }))
    .await
}
