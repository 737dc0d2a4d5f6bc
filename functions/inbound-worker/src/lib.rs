//! What providers report: statuses, replies, opt-outs; and flows that go on by what is said.
//!
//! Trigger: the queue `inbound`, up to 100 jobs at a time. Writes the ledger,
//! messages, conversations, contacts and suppressions; tells the endpoints by the
//! queue `webhook`.

use messaging::Services;
use messaging::answering::answer_all;
use messaging::flows::{FlowJob, work_off};
use messaging::inbound::Inbound;
use ops::Question;
use queue::{InboundJob, Job, Queue, Record, Unacknowledged};

/// Works off all records together; answers the ids of those that must come again.
pub async fn handle(services: &Services, records: &[Record]) -> Vec<String> {
    let mut failed = Vec::new();
    let (mut inbound, mut ids) = (Vec::new(), Vec::new());
    let (mut questions, mut asked) = (Vec::new(), Vec::new());
    let (mut flows, mut led) = (Vec::new(), Vec::new());
    for record in records {
        match read(&record.body) {
            Ok(Work::Inbound(one)) => {
                inbound.push(one);
                ids.push(record.id.clone());
            }
            Ok(Work::Answer(question, tries)) => {
                questions.push((question, tries));
                asked.push(record.id.clone());
            }
            Ok(Work::Flow(job, tries)) => {
                flows.push((job, tries));
                led.push(record.id.clone());
            }
            Err(reason) => {
                if !Box::pin(services.queues.park_record(Queue::Inbound, record, &reason)).await {
                    failed.push(record.id.clone());
                }
            }
        }
    }
    let again = Box::pin(messaging::inbound::process(services, cause(records), &inbound)).await;
    failed.extend(again.into_iter().filter_map(|i| ids.get(i).cloned()));
    let again = Box::pin(answer_all(services, &questions)).await;
    failed.extend(again.into_iter().filter_map(|i| asked.get(i).cloned()));
    let again = Box::pin(work_off(services, &flows)).await;
    failed.extend(again.into_iter().filter_map(|i| led.get(i).cloned()));
    failed
}

#[expect(clippy::disallowed_methods, reason = "these are a worker's records")]
fn cause(records: &[Record]) -> Unacknowledged<'_> {
    Unacknowledged::of_worker(records)
}

/// What a job asks for.
enum Work {
    Inbound(Inbound),
    Answer(Question, u32),
    Flow(FlowJob, u32),
}

/// Reads a job, or says why it cannot be done.
fn read(body: &str) -> Result<Work, String> {
    let Job { job, generation, .. } = Job::<InboundJob>::parse(body).map_err(|reason| reason.to_string())?;
    match job {
        job @ InboundJob::Answer { .. } => {
            let question = Question::try_from(job).map_err(|error| error.message)?;
            Ok(Work::Answer(question, generation))
        }
        job @ (InboundJob::Run { .. } | InboundJob::Listen { .. } | InboundJob::Tagged { .. }) => {
            FlowJob::try_from(job).map(|job| Work::Flow(job, generation)).map_err(|error| error.message)
        }
        job @ InboundJob::Meta { .. } => {
            Inbound::try_from(job).map(Work::Inbound).map_err(|_| "the job names no tenant".to_owned())
        }
    }
}
