//! What we say by ourselves: the one way out for it. Once for each cause, however often
//! the cause comes; written into the history, counted, and paced like everything else
//! that the number sends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use channels::Regarding;
use domain::account::Account;
use domain::identity::Identity;
use domain::message::{Address, Content};
use domain::outcome::{Outcome, Reason};
use domain::plan::Plan;
use domain::recipient::{Progress, State};
use domain::{AccountId, ContactId, MessageId, TenantId};
use futures::{StreamExt, stream};
use store::credits::{Paid, Payment, Shortage};
use store::messages::Message;
use store::rates::SenderTurns;

use crate::Services;
use crate::delivery::{Parcel, settle, watch};
use crate::messages::{New, count, take_turn};
use crate::routes::{self, Route};
use ops::events::EventPublisher;
use ops::{Code, Error, Question, Result, Topic, credits};

/// Tries of an answer that the provider refuses for now; then it has failed.
const TRIES: u32 = 10;
/// Answers that are given at once.
const AT_ONCE: usize = 16;
/// When an answer is tried again that found no slot, or no provider.
const LATER: Duration = Duration::from_secs(5);

/// Answers several questions, each with how often it was tried before. Answers which
/// of them must come again, by index.
pub async fn answer_all(services: &Services, questions: &[(Question, u32)]) -> Vec<usize> {
    let answers = questions.iter().enumerate().map(async |(i, (question, tries))| {
        let answered = answer(services, question, *tries).await;
        answered.err().map(|error| {
            let code = error.code.as_str();
            tracing::error!(tenant = %question.tenant, code, "a question could not be answered");
            i
        })
    });
    let answers: Vec<_> = answers.collect();
    stream::iter(answers).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

/// Answers HELP and opt-outs with the account's text, when it has one. What the provider does not
/// take now is queued again; `tries` counts how often that happened.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer: answer it again.
async fn answer(services: &Services, question: &Question, tries: u32) -> Result<()> {
    let Some(body) = message_of(services, question).await? else { return Ok(()) };
    let content = Content::Text { body };
    content.check().map_err(|invalid| Error { code: Code::Internal, ..invalid.into() })?;
    let (store, tenant) = (&services.store, &question.tenant);
    let Some(route) = route_of(services, question).await? else { return Ok(()) };
    let known = store.answer_to(tenant, &question.cause).await?;
    let turn = store.turn(tenant, &route.sender.id).await?;
    let contact = store.contact_by(tenant, &Identity::from(&question.to)).await?;
    let saying = Saying {
        tenant,
        account: question.account,
        route: &route,
        cause: &question.cause,
        to: &question.to,
        contact: contact.map(|contact| contact.id),
        content: &content,
        turn,
        // Whoever asks for help gets it, whatever limits and credits there are: it only counts.
        payer: None,
    };
    match say(services, saying, known, tries).await? {
        Said::Later(delay) => Ok(services.queues.inbound_later(question.into(), tries + 1, delay).await?),
        Said::Settled { .. } | Said::ByAnother | Said::NotAllowed(_) => Ok(()),
    }
}

/// What the account says to it; for a custom channel, which is of no account, the oldest
/// that says anything.
async fn message_of(services: &Services, question: &Question) -> Result<Option<String>> {
    let (store, tenant) = (&services.store, &question.tenant);
    let text = |account: Account| match question.topic {
        Topic::Help => account.help_message,
        Topic::OptedOut => account.policy.opt_out_message,
    };
    if let Some(id) = question.account.known() {
        return Ok(store.account(tenant, id).await?.and_then(text));
    }
    Ok(store.accounts(tenant).await?.into_iter().find_map(text))
}

/// What the answer leaves from; `None` when that is gone.
async fn route_of(services: &Services, question: &Question) -> Result<Option<Route>> {
    let (store, tenant) = (&services.store, &question.tenant);
    let sender = match &question.sender {
        Some(sender) => Some(sender.clone()),
        None => {
            let account = store.account(tenant, question.account).await?;
            account.and_then(|account| Some(account.number()?.id.clone()))
        }
    };
    match sender {
        Some(sender) => routes::resolve(services, tenant, &sender).await,
        None => Ok(None),
    }
}

/// Something that we say by ourselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saying<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) account: AccountId,
    pub(crate) route: &'a Route,
    /// What it is said for: once for each.
    pub(crate) cause: &'a str,
    pub(crate) to: &'a Address,
    pub(crate) contact: Option<ContactId>,
    pub(crate) content: &'a Content,
    pub(crate) turn: SenderTurns,
    /// Whose limits and credits it takes; nobody's, where the law or the person asks for it.
    pub(crate) payer: Option<Payer<'a>>,
}

/// Whose limits and credits something takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payer<'a> {
    pub(crate) plan: &'a Plan,
    /// What it costs, where credits are paid.
    pub(crate) payment: Option<&'a Payment>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It has its outcome, now or since an earlier try.
    Settled {
        /// How it stands.
        state: State,
        /// Why it failed.
        reason: Option<Reason>,
        /// When the call was made, in milliseconds since 1970.
        at_ms: i64,
    },
    /// It is worth trying again after so long.
    Later(Duration),
    /// Another process is saying it.
    ByAnother,
    /// The plan has no message left.
    NotAllowed(Error),
}

/// Says it; `known` is what was written down of it by an earlier try.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer: say it again.
pub(crate) async fn say(
    services: &Services,
    saying: Saying<'_>,
    known: Option<Message>,
    tries: u32,
) -> Result<Said> {
    let (store, tenant, route) = (&services.store, saying.tenant, saying.route);
    match known.as_ref().map(|message| (message.progress.state, &message.progress)) {
        None | Some((State::Pending, _)) => {}
        Some((State::Claimed, _)) => return Ok(Said::ByAnother),
        Some((state, progress)) => {
            // Where nobody knows when it was taken, it was surely not before it was written down.
            let written_ms = known.as_ref().map_or(0, |message| message.id.timestamp_ms());
            let at_ms = progress.accepted_at.unwrap_or(written_ms);
            return Ok(Said::Settled { state, reason: progress.reason.clone(), at_ms });
        }
    }
    match take_turn(store, tenant, &route.sender, saying.turn).await {
        Ok(()) => {}
        Err(error) if error.code == Code::ProviderThrottled => return Ok(Said::Later(LATER)),
        Err(error) => return Err(error),
    }
    // What is paid is counted with its payment, once for all tries.
    let is_paid = saying.payer.is_some_and(|payer| payer.payment.is_some());
    match saying.payer {
        None => store.use_messages(tenant, 1, None).await?,
        Some(Payer { plan, payment: None }) => match count(store, tenant, plan).await {
            Ok(()) => {}
            Err(error) => return not_allowed(error),
        },
        Some(Payer { payment: Some(_), .. }) => {}
    }
    let message = match Box::pin(claim(services, &saying, known)).await? {
        Claimed::Ours(message) => *message,
        Claimed::ByAnother => {
            if !is_paid {
                store.return_messages(tenant, 1).await?;
            }
            return Ok(Said::ByAnother);
        }
        Claimed::Short(shortage) => return not_allowed(credits::short(shortage)),
    };
    let regarding = &Regarding { contact: message.contact, ..Regarding::default() };
    let parcel = Parcel { message: &message, content: saying.content, regarding, payment: None };
    let at_ms = store.clock().now_ms();
    let outcome = parcel.send(&route.channel).await;
    let (publisher, due) = (&EventPublisher::from(services), watch(store, tenant, &message));
    let Some(delay) = again(&outcome).filter(|_| tries < TRIES) else {
        settle(publisher, tenant, &message, &outcome, &due).await;
        let (state, reason) = match outcome {
            Outcome::Accepted(_) => (State::Accepted, None),
            Outcome::Ambiguous => (State::Unknown, None),
            Outcome::Unreachable => (State::Failed, Some(Reason::word("unreachable"))),
            Outcome::Refused(refusal) => (State::Failed, Some(refusal.reason)),
        };
        return Ok(Said::Settled { state, reason, at_ms });
    };
    let waits = |progress: &mut Progress| step(progress, State::Claimed, State::Pending);
    store.progress_message(tenant, message.account, message.id, waits).await?;
    if !is_paid {
        store.return_messages(tenant, 1).await?;
    }
    Ok(Said::Later(delay))
}

/// What has too little of something: it waits for the minute, and for nothing else.
fn not_allowed(error: Error) -> Result<Said> {
    if error.code == Code::RateLimited {
        return Ok(Said::Later(error.retry_after.map_or(LATER, Duration::from_secs)));
    }
    match [Code::PlanLimit, Code::NoCredits, Code::Forbidden].contains(&error.code) {
        true => Ok(Said::NotAllowed(error)),
        false => Err(error),
    }
}

/// Whose a message is to send.
enum Claimed {
    Ours(Box<Message>),
    ByAnother,
    /// It cannot be paid.
    Short(Shortage),
}

/// Gives up what waits for another try, for there is no cause for it any more.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub(crate) async fn withdraw(services: &Services, tenant: &TenantId, cause: &str) -> Result<()> {
    let store = &services.store;
    let Some(message) = store.answer_to(tenant, cause).await? else { return Ok(()) };
    let skip = |progress: &mut Progress| {
        let waits = step(progress, State::Pending, State::Skipped);
        if waits {
            progress.reason = Some(Reason::word("withdrawn"));
        }
        waits
    };
    store.progress_message(tenant, message.account, message.id, skip).await?;
    Ok(())
}

/// Makes it ours to send: a new message, paid where it is to be, or one that waits for another
/// try.
async fn claim(services: &Services, saying: &Saying<'_>, known: Option<Message>) -> Result<Claimed> {
    let (store, tenant) = (&services.store, saying.tenant);
    if let Some(message) = known {
        let claimed = AtomicBool::new(false);
        let claim = |progress: &mut Progress| {
            let fits = step(progress, State::Pending, State::Claimed);
            claimed.store(fits, Ordering::Relaxed);
            fits
        };
        store.progress_message(tenant, message.account, message.id, claim).await?;
        if !claimed.load(Ordering::Relaxed) {
            return Ok(Claimed::ByAnother);
        }
        store.watch(&watch(store, tenant, &message)).await?;
        return Ok(Claimed::Ours(Box::new(message)));
    }
    let message = New {
        id: MessageId(store.entropy().ulid(store.clock().now())),
        account: saying.account,
        contact: saying.contact,
        campaign: None,
        address: saying.to.clone(),
        content: saying.content.clone(),
        regarding: Regarding::default(),
        is_secret: false,
    };
    let payment = saying.payer.and_then(|payer| payer.payment);
    let cost = payment.map(|payment| payment.charge.credits);
    let message = Message { cost, ..message.message(&saying.route.sender) };
    let due = watch(store, tenant, &message);
    let written = match payment {
        None => store.create_answer(tenant, &message, saying.cause, &due).await,
        Some(payment) => {
            let on = (&due, Some(saying.cause));
            match store.create_paid_message(tenant, &message, on, payment).await {
                Ok(Paid::Yes(written)) => {
                    credits::tell(&EventPublisher::from(services), written).await;
                    Ok(())
                }
                Ok(Paid::Short(shortage)) => return Ok(Claimed::Short(shortage)),
                Ok(Paid::Elsewise) => Err(store::Error::Conflict),
                Err(error) => Err(error),
            }
        }
    };
    match written {
        Ok(()) => Ok(Claimed::Ours(Box::new(message))),
        Err(store::Error::Conflict) => Ok(Claimed::ByAnother),
        // Written all the same, it is ours.
        Err(error) => match store.answer_to(tenant, saying.cause).await? {
            Some(written) if written.id == message.id => Ok(Claimed::Ours(Box::new(message))),
            Some(_) => Ok(Claimed::ByAnother),
            None => Err(error.into()),
        },
    }
}

/// When an answer is worth trying again that was surely not sent.
fn again(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::Unreachable => Some(LATER),
        Outcome::Refused(refusal) => refusal.delay(1).map(|delay| delay.max(Duration::from_secs(1))),
        Outcome::Accepted(_) | Outcome::Ambiguous => None,
    }
}

fn step(progress: &mut Progress, from: State, to: State) -> bool {
    let fits = progress.state == from;
    if fits {
        progress.state = to;
    }
    fits
}
