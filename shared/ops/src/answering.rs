//! What we say by ourselves: the one way out for it. Once for each cause, however often
//! the cause comes; written into the history, counted, and paced like everything else
//! that the number sends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use channels::Channel;
use channels::cloud::{Line, payload};
use domain::account::Account;
use domain::message::{Address, CallbackRef, Content};
use domain::provider::{Action, Outcome, action};
use domain::recipient::{Progress, State};
use domain::{AccountId, MessageId, TenantId};
use futures::{StreamExt, stream};
use queue::InboundJob;
use store::messages::Message;

use crate::delivery::{settle, watch};
use crate::events::Teller;
use crate::messages::take_turn;
use crate::{Code, Error, Result, Services};

/// Tries of an answer that the provider refuses for now; then it has failed.
const TRIES: u32 = 10;
/// Answers that are given at once.
const AT_ONCE: usize = 16;
/// When an answer is tried again that found no slot, or no provider.
const LATER: Duration = Duration::from_secs(5);

/// Something to be answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// The tenant.
    pub tenant: TenantId,
    /// The account that was asked.
    pub account: AccountId,
    /// The provider's id of what was asked: two of the same are one question.
    pub cause: String,
    /// Who asked.
    pub to: Address,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("account", &self.account).finish_non_exhaustive()
    }
}

impl From<&Question> for InboundJob {
    fn from(question: &Question) -> Self {
        Self::Answer {
            tenant: question.tenant.to_string(),
            account: question.account.0,
            cause: question.cause.clone(),
            to: question.to.as_str().to_owned(),
        }
    }
}

impl TryFrom<InboundJob> for Question {
    type Error = Error;

    fn try_from(job: InboundJob) -> Result<Self> {
        match job {
            InboundJob::Answer { tenant, account, cause, to } => {
                let (tenant, to) = (tenant.parse()?, Address::parse(&to)?);
                Ok(Self { tenant, account: AccountId(account), cause, to })
            }
            InboundJob::Meta { .. } => Err(Error::new(Code::Internal, "a report is no question")),
        }
    }
}

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

/// Answers HELP with the account's text, when it has one. What the provider does not
/// take now is queued again; `tries` counts how often that happened.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer: answer it again.
async fn answer(services: &Services, question: &Question, tries: u32) -> Result<()> {
    let account = services.store.account(&question.tenant, question.account).await?;
    let Some(account) = account else { return Ok(()) };
    let Some(body) = account.help_message.clone() else { return Ok(()) };
    let content = Content::Text { body };
    content.check().map_err(|invalid| Error { code: Code::Internal, ..invalid.into() })?;
    let Some(delay) = say(services, &account, question, &content, tries).await? else { return Ok(()) };
    Ok(services.queues.inbound_later(question.into(), tries + 1, delay).await?)
}

/// Says it, or answers when it is worth trying again.
async fn say(
    services: &Services,
    account: &Account,
    question: &Question,
    content: &Content,
    tries: u32,
) -> Result<Option<Duration>> {
    let (store, tenant) = (&services.store, &question.tenant);
    let Some(number) = &account.whatsapp else { return Ok(None) };
    let known = store.answer_to(tenant, &question.cause).await?;
    if known.as_ref().is_some_and(|message| message.progress.state != State::Pending) {
        return Ok(None);
    }
    match take_turn(store, tenant, number).await {
        Ok(()) => {}
        Err(error) if error.code == Code::ProviderThrottled => return Ok(Some(LATER)),
        Err(error) => return Err(error),
    }
    // Whoever asks for help gets it, whatever the plan's limit: it only counts.
    store.use_messages(tenant, 1, None).await?;
    let Some(message) = claim(services, question, content, known).await? else {
        store.return_messages(tenant, 1).await?;
        return Ok(None);
    };
    let line = Line { graph: &services.graph, number };
    let outcome = line.send(&message.address, content, CallbackRef::Message(message.id)).await;
    let (teller, due) = (&Teller::from(services), watch(store, tenant, &message));
    let Some(delay) = again(&outcome).filter(|_| tries < TRIES) else {
        settle(teller, tenant, &message, &outcome, &due).await;
        return Ok(None);
    };
    let waits = |progress: &mut Progress| step(progress, State::Claimed, State::Pending);
    store.progress_message(tenant, message.account, message.id, waits).await?;
    store.return_messages(tenant, 1).await?;
    Ok(Some(delay))
}

/// Makes the answer ours to send: a new one, or one that waits for another try. `None`
/// when somebody else sends it.
async fn claim(
    services: &Services,
    question: &Question,
    content: &Content,
    known: Option<Message>,
) -> Result<Option<Message>> {
    let (store, tenant) = (&services.store, &question.tenant);
    if let Some(message) = known {
        let claimed = AtomicBool::new(false);
        let claim = |progress: &mut Progress| {
            let fits = step(progress, State::Pending, State::Claimed);
            claimed.store(fits, Ordering::Relaxed);
            fits
        };
        store.progress_message(tenant, message.account, message.id, claim).await?;
        if !claimed.load(Ordering::Relaxed) {
            return Ok(None);
        }
        store.watch(&watch(store, tenant, &message)).await?;
        return Ok(Some(message));
    }
    let id = MessageId(store.entropy().ulid(store.clock().now()));
    let identity = crate::suppression::identity(&question.to);
    let contact = store.contact_by(tenant, &identity).await?;
    let body = payload(&question.to, content, CallbackRef::Message(id));
    let message = Message {
        id,
        account: question.account,
        channel: None,
        campaign: None,
        contact: contact.map(|contact| contact.id),
        inbound: false,
        address: question.to.clone(),
        kind: "text".to_owned(),
        text: content.text().map(str::to_owned),
        content: body.get("text").map(ToString::to_string).unwrap_or_default(),
        progress: Progress::new(State::Claimed),
    };
    let due = watch(store, tenant, &message);
    match store.create_answer(tenant, &message, &question.cause, &due).await {
        Ok(()) => Ok(Some(message)),
        Err(store::Error::Conflict) => Ok(None),
        // Written all the same, it is ours.
        Err(error) => match store.answer_to(tenant, &question.cause).await? {
            Some(written) if written.id == message.id => Ok(Some(message)),
            Some(_) => Ok(None),
            None => Err(error.into()),
        },
    }
}

/// When an answer is worth trying again that was surely not sent.
fn again(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::Unreachable => Some(LATER),
        Outcome::Refused(error) => match action(error, 1) {
            Action::Retry { delay, .. } => Some(delay.max(Duration::from_secs(1))),
            Action::Permanent | Action::OptOut | Action::PauseCampaign | Action::StopChannel => None,
        },
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
