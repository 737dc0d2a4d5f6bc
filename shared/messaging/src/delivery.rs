//! One message on its way out: written down before the call, and after it whatever
//! came of it. A call that may have reached the provider is never taken back: what
//! cannot be written down is left to the status that comes, and to the sweep.

use std::time::Duration;

use channels::{Channel, OutboundMessage, Regarding};
use domain::identity::Identity;
use domain::message::{CallbackRef, Content};
use domain::outcome::{Next, Outcome, Reason};
use domain::recipient::{Progress, State, Status};
use domain::{PhoneNumber, TenantId};
use store::Store;
use store::credits::{Paid, Payment, Shortage};
use store::due::{Due, Watched};
use store::messages::Message;

use ops::credits::{short, tell};
use ops::events::{EventPublisher, StatusFact, Transaction, message_status};
use ops::moves::learn;
use ops::suppression::{ConsentChange, OptOutSource, opt_out};
use ops::{Code, Error, Result};

/// A message that has no outcome after so long was sent by a process that is gone:
/// longer than a call and the recording of its outcome take.
const LOST: Duration = Duration::from_secs(30);
/// How often an outcome is recorded that cannot be asked for again.
const RECORD_TRIES: u32 = 5;

/// When the sweep looks for the outcome of a message that is about to be sent.
pub(crate) fn watch(store: &Store, tenant: &TenantId, message: &Message) -> Due {
    let at_ms = store.clock().now_ms() + i64::try_from(LOST.as_millis()).unwrap_or(0);
    Due { tenant: tenant.clone(), what: Watched::Message(message.account, message.id), at_ms }
}

/// A message of ours, and what goes with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel<'a> {
    pub(crate) message: &'a Message,
    pub(crate) content: &'a Content,
    pub(crate) regarding: &'a Regarding,
    /// What it costs; nothing, unless it is said.
    pub(crate) payment: Option<&'a Payment>,
}

impl Parcel<'_> {
    /// Sends it, once.
    pub(crate) async fn send(self, channel: &impl Channel) -> Outcome {
        let Parcel { message, content, regarding, payment: _ } = self;
        let reference = CallbackRef::Message(message.id);
        channel.send(&OutboundMessage { to: &message.address, content, reference, regarding }).await
    }
}

/// Writes a message down, sends it over its channel, and writes down what came of
/// it. What was surely not sent is not counted.
///
/// # Errors
/// [`ops::Code::Unavailable`] when it could not be written down, and so was not sent;
/// [`ops::Code::NoCredits`] when it cannot be paid.
pub(crate) async fn dispatch(
    publisher: &EventPublisher,
    tenant: &TenantId,
    parcel: Parcel<'_>,
    channel: &impl Channel,
) -> Result<Outcome> {
    let (store, message) = (&publisher.store, parcel.message);
    let due = watch(store, tenant, message);
    let message = &Message { cost: parcel.payment.map(|payment| payment.charge.credits), ..message.clone() };
    let parcel = Parcel { message, ..parcel };
    match Box::pin(create(publisher, tenant, parcel, &due)).await {
        Ok(None) => {}
        Ok(Some(shortage)) => return Err(short(shortage)),
        // A repetition of the request took it for given up, and has it.
        Err(store::Error::Conflict) => {
            let text = "the message is being sent by another request with its key";
            return Err(Error::new(Code::ProviderTimeout, text).about(message.id));
        }
        Err(error) => {
            unsent(store, tenant, message, due.at_ms).await;
            return Err(error.into());
        }
    }
    let outcome = parcel.send(channel).await;
    Box::pin(settle(publisher, tenant, message, &outcome, &due)).await;
    Ok(outcome)
}

/// Writes a message down, paid where it is to be; answers what there was too little of for that.
async fn create(
    publisher: &EventPublisher,
    tenant: &TenantId,
    parcel: Parcel<'_>,
    due: &Due,
) -> store::Result<Option<Shortage>> {
    let store = &publisher.store;
    let Some(payment) = parcel.payment else {
        return store.create_message(tenant, parcel.message, due).await.map(|()| None);
    };
    let on = (due, None);
    match Box::pin(store.create_paid_message(tenant, parcel.message, on, payment)).await? {
        Paid::Yes(written) => {
            tell(publisher, written).await;
            Ok(None)
        }
        Paid::Short(shortage) => Ok(Some(shortage)),
        Paid::Elsewise => Err(store::Error::Conflict),
    }
}

/// Says of a message that it was not sent: it may be written down all the same.
async fn unsent(store: &Store, tenant: &TenantId, message: &Message, at_ms: i64) {
    let unsent = |progress: &mut Progress| fail(progress, &Reason::word("not_sent"), at_ms);
    let marked = store.progress_message(tenant, message.account, message.id, unsent).await;
    // What is paid was counted with its payment, and is paid back with its failure.
    let returned = if message.cost.is_some() { Ok(()) } else { store.return_messages(tenant, 1).await };
    if let Err(lost) = marked.map(|_| ()).and(returned) {
        tracing::warn!(%tenant, %lost, "a message that was not sent may be counted");
    }
}

/// Writes down what came of a call, and does not give up early. What could not be
/// written down is known to who asked; the sweep makes it `unknown`, until a status
/// says more.
pub(crate) async fn settle(
    publisher: &EventPublisher,
    tenant: &TenantId,
    message: &Message,
    outcome: &Outcome,
    due: &Due,
) {
    for round in 0..RECORD_TRIES {
        match record(publisher, tenant, message, outcome).await {
            Ok(()) => {
                // Left over, it changes nothing: the sweep finds an outcome.
                if let Err(error) = publisher.store.forget_due(due).await {
                    tracing::debug!(%tenant, %error, "the sweep looks at a message that has its outcome");
                }
                return;
            }
            Err(error) => {
                tracing::warn!(%tenant, id = %message.id, code = error.code.as_str(), "an outcome is not recorded yet");
                publisher.store.back_off(round + 3).await;
            }
        }
    }
    tracing::error!(%tenant, id = %message.id, "an outcome could not be recorded");
}

async fn record(
    publisher: &EventPublisher,
    tenant: &TenantId,
    message: &Message,
    outcome: &Outcome,
) -> Result<()> {
    let store = &publisher.store;
    let (account, id, now) = (message.account, message.id, store.clock().now_ms());
    match outcome {
        Outcome::Accepted(acceptance) => {
            let (provider_id, held) = (&acceptance.provider_id, acceptance.held);
            if !store.accept_message(tenant, message, provider_id, held).await? {
                let change = |p: &mut Progress| p.accept(provider_id, held, now);
                store.progress_message(tenant, account, id, change).await?;
            }
            learn_recipient(publisher, tenant, message, acceptance.recipient.as_ref()).await;
        }
        Outcome::Ambiguous => {
            store.progress_message(tenant, account, id, Progress::lose).await?;
        }
        Outcome::Unreachable => failed(publisher, tenant, message, &Reason::word("unreachable")).await?,
        Outcome::Refused(refusal) => {
            failed(publisher, tenant, message, &refusal.reason).await?;
            if refusal.next == Next::OptOut {
                let source = OptOutSource::Provider;
                let on = ConsentChange {
                    publisher,
                    tenant,
                    account: message.account.known(),
                    channel: Some(&message.channel),
                    source,
                    word: None,
                    said_ms: None,
                };
                opt_out(on, &message.address).await?;
            }
        }
    }
    Ok(())
}

/// Learns by which number the channel knows a recipient. What is not learned here is from the
/// next message.
async fn learn_recipient(
    publisher: &EventPublisher,
    tenant: &TenantId,
    message: &Message,
    recipient: Option<&PhoneNumber>,
) {
    let known = Identity::from(&message.address);
    let other = recipient.filter(|number| known != Identity::from(*number));
    if let (Some(number), Some(contact)) = (other, message.contact)
        && let Err(error) = learn(publisher, tenant, &[(contact, number.into())]).await
    {
        tracing::debug!(%tenant, code = error.code.as_str(), "how a provider knows somebody is not learned yet");
    }
}

/// Writes down and tells that a message was surely not sent.
async fn failed(
    publisher: &EventPublisher,
    tenant: &TenantId,
    message: &Message,
    reason: &Reason,
) -> Result<()> {
    let store = &publisher.store;
    let now = store.clock().now_ms();
    let fact = StatusFact::of(message, Status::Failed(reason.clone()), None, now);
    let events = publisher.caused_by(Transaction, tenant).await?;
    let written = store.write_note(events.note(&message_status(tenant, &fact))).await?;
    let change = |progress: &mut Progress| fail(progress, reason, now);
    store.progress_message(tenant, message.account, message.id, change).await?;
    events.publish(written).await;
    if message.cost.is_none() {
        store.return_messages(tenant, 1).await?;
    }
    Ok(())
}

fn fail(progress: &mut Progress, reason: &Reason, at_ms: i64) -> bool {
    if progress.state.rank() >= State::Accepted.rank() {
        return false;
    }
    progress.state = State::Failed;
    progress.reason = Some(reason.clone());
    progress.failed_at = Some(at_ms);
    true
}
