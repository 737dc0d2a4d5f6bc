//! Single messages.

use std::time::Duration;

use channels::cloud::{Line, payload};
use domain::account::{Account, Number};
use domain::contact::Identity;
use domain::message::{Address, CallbackRef, Category, Content, MediaSource};
use domain::provider::Outcome;
use domain::recipient::{Progress, State};
use domain::{AccountId, ContactId, MessageId, PhoneNumber, TenantId, consent};
use store::Store;
use store::messages::Message;

use crate::delivery::dispatch;
use crate::events::Teller;
use crate::{Caller, Code, Error, Result, Services, callers, templates};

/// A number that was connected less than this long ago has contacts whose last
/// message we do not know: Meta decides about their windows. Milliseconds.
const NO_HISTORY_MS: i64 = 24 * 60 * 60 * 1_000;
/// A send waits at most this long for its turn, in microseconds.
const PATIENCE_US: i64 = 5_000_000;
/// The share of a number's rate that single sends have while campaigns run.
const SINGLE_SHARE: f64 = 0.05;

/// A message that the provider took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Our id.
    pub id: MessageId,
    /// The provider's id.
    pub provider_id: String,
}

/// A request to send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Send {
    /// The message's id, chosen before anything else happens.
    pub id: MessageId,
    /// An earlier request with this id broke off.
    pub is_repeated: bool,
}

impl Send {
    /// What became of the message of a request that broke off; `None` when it was never
    /// written down, and so never sent.
    ///
    /// # Errors
    /// [`Code::ProviderTimeout`] about it when nobody knows, or it was refused.
    pub(crate) async fn earlier(
        self,
        store: &Store,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Option<Message>> {
        if !self.is_repeated {
            return Ok(None);
        }
        let Some(message) = store.message(tenant, account, self.id).await? else { return Ok(None) };
        if message.progress.provider_id.is_some() {
            return Ok(Some(message));
        }
        let text = "an earlier request with this idempotency key broke off: its message may have been sent";
        Err(Error::new(Code::ProviderTimeout, text).about(self.id))
    }
}

/// Sends one message now, under the id that was chosen for it.
///
/// It is written down before the call, so that whatever happens afterwards its
/// state can be asked for.
///
/// # Errors
/// [`Code::InvalidField`] for content that the channel refuses; [`Code::OptedOut`]
/// and [`Code::OutsideWindow`]; [`Code::PlanLimit`]; the provider's refusal as
/// [`Code::ProviderRejected`], [`Code::ProviderThrottled`] or
/// [`Code::ProviderUnavailable`]; [`Code::ProviderTimeout`] with our id when nobody
/// knows.
pub async fn send(
    services: &Services,
    caller: &Caller,
    account: &Account,
    to: PhoneNumber,
    mut content: Content,
    request: Send,
) -> Result<Sent> {
    content.check()?;
    let number = callers::number(account)?;
    let tenant = caller.tenant_id();
    let (store, id) = (&services.store, request.id);
    if let Some(message) = request.earlier(store, tenant, account.id).await? {
        return Ok(Sent { id, provider_id: message.progress.provider_id.unwrap_or_default() });
    }
    let identity = Identity::Phone(to.clone());
    let address = Address::Phone(to);
    let contact = async { store.contact_by(tenant, &identity).await.map_err(Error::from) };
    let consent = check_consent(services, tenant, number, &address, &content);
    let (contact, ()) = futures::try_join!(contact, consent)?;
    if content.is_free_form() {
        let known = contact.as_ref().map(|c| (c.id, c.absorbed.clone()));
        check_window(store, tenant, account, number, known).await?;
    }
    if let Content::Media { kind, source, .. } = &mut content
        && let MediaSource::Link(url) = source
    {
        domain::campaign::check_url(url)?;
        services.files.check(store, tenant, url, *kind).await?;
        *source = services.files.source(store, &services.graph, tenant, number, url).await?;
    }
    take_turn(store, tenant, number).await?;
    count(store, caller).await?;
    deliver(services, tenant, account, number, (id, contact.map(|c| c.id)), address, content).await
}

async fn check_consent(
    services: &Services,
    tenant: &TenantId,
    number: &Number,
    address: &Address,
    content: &Content,
) -> Result<()> {
    let out = services.store.opted_out(tenant, std::slice::from_ref(address)).await?;
    if out.is_empty() {
        return Ok(());
    }
    let category: Option<Category> = match content {
        Content::Template(call) => {
            let (store, graph) = (&services.store, &services.graph);
            let language = Some(call.language.as_str());
            let template = templates::approved(store, graph, tenant, number, &call.name, language).await?;
            Some(template.category.unwrap_or(Category::Marketing))
        }
        Content::Text { .. } | Content::Media { .. } | Content::Buttons { .. } => None,
    };
    match consent::opt_out_blocks(category) {
        true => Err(Error::new(Code::OptedOut, "the recipient has opted out of messages")),
        false => Ok(()),
    }
}

async fn check_window(
    store: &Store,
    tenant: &TenantId,
    account: &Account,
    number: &Number,
    contact: Option<(ContactId, Vec<ContactId>)>,
) -> Result<()> {
    let now = store.clock().now_ms();
    let closes = match contact {
        Some(contact) => {
            let windows = store.windows(tenant, account.id, std::slice::from_ref(&contact)).await?;
            windows.get(&contact.0).copied()
        }
        None => None,
    };
    let unknown = closes.is_none() && now - number.connected_at.as_millisecond() < NO_HISTORY_MS;
    if unknown || closes.is_some_and(|closes| closes > now) {
        return Ok(());
    }
    Err(Error::new(
        Code::OutsideWindow,
        "the recipient has not written in the last 24 hours: use a template (24 hour window)",
    ))
}

/// Takes a turn of the number: of its whole rate, or of the share that campaigns
/// leave while one is running.
pub(crate) async fn take_turn(store: &Store, tenant: &TenantId, number: &Number) -> Result<()> {
    let busy = store.is_leased(tenant, &number.phone_number_id).await?;
    let share = if busy { SINGLE_SHARE } else { 1.0 };
    let rate = f64::from(number.per_second) * share;
    let busy = "the number sends as much as it may: try again";
    wait_for_slot(store, tenant, &number.phone_number_id, rate, busy).await
}

async fn deliver(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    number: &Number,
    (id, contact): (MessageId, Option<ContactId>),
    address: Address,
    content: Content,
) -> Result<Sent> {
    let callback = CallbackRef::Message(id);
    let body = payload(&address, &content, callback);
    let kind = body.get("type").and_then(serde_json::Value::as_str).unwrap_or("text").to_owned();
    let message = Message {
        id,
        account: account.id,
        channel: None,
        campaign: None,
        contact,
        inbound: false,
        address: address.clone(),
        content: body.get(&kind).map(ToString::to_string).unwrap_or_default(),
        kind,
        text: content.text().map(str::to_owned),
        progress: Progress::new(State::Claimed),
    };
    let line = Line { graph: &services.graph, number };
    match dispatch(&Teller::from(services), tenant, &message, &content, &line).await? {
        Outcome::Accepted(acceptance) => Ok(Sent { id, provider_id: acceptance.provider_id }),
        Outcome::Refused(error) => Err(Error::provider(&error).about(id)),
        Outcome::Unreachable => {
            let message = "WhatsApp could not be reached: nothing was sent";
            Err(Error::new(Code::ProviderUnavailable, message).after(5).about(id))
        }
        Outcome::Ambiguous => {
            let message = "WhatsApp did not answer: the message may have been sent, its state is unknown";
            Err(Error::new(Code::ProviderTimeout, message).about(id))
        }
    }
}

/// Counts a message against the plan's limit of the day.
pub(crate) async fn count(store: &Store, caller: &Caller) -> Result<()> {
    match store.use_messages(caller.tenant_id(), 1, caller.tenant.plan.messages_per_day).await {
        Ok(()) => Ok(()),
        Err(store::Error::Conflict) => {
            Err(Error::new(Code::PlanLimit, "the plan's messages of today are used up"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits for the next slot of what sends `rate` messages a second, unless that takes
/// longer than a caller waits.
pub(crate) async fn wait_for_slot(
    store: &Store,
    tenant: &TenantId,
    name: &str,
    rate: f64,
    busy: &str,
) -> Result<()> {
    match store.take_slot(tenant, name, rate, PATIENCE_US).await? {
        Some(wait) => {
            tokio::time::sleep(Duration::from_micros(u64::try_from(wait).unwrap_or(0))).await;
            Ok(())
        }
        None => Err(Error::new(Code::ProviderThrottled, busy).after(5)),
    }
}
