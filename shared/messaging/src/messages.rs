//! Single messages.

use std::time::Duration;

use channels::{Channel as _, Regarding};
use domain::account::{Account, ContactPolicy, Tenant};
use domain::channel::Channel;
use domain::identity::Identity;
use domain::message::{Address, Category, Content, MediaSource};
use domain::outcome::Outcome;
use domain::plan::{Module, Plan};
use domain::recipient::{Progress, State};
use domain::sender::{Sender, SenderId};
use domain::template::tidy;
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use store::Store;
use store::addressees::{Addressee, Beside};
use store::credits::Payment;
use store::messages::Message;
use store::rates::SenderTurns;
use store::usage::{Allowance, Allowed};

use crate::delivery::{Parcel, dispatch};
use crate::routes::{self, Route};
use crate::verification::concealed;
use crate::{Services, templates};
use ops::eligibility::{By, MarketingLimits, Terms};
use ops::events::EventPublisher;
use ops::{Caller, Code, Error, Result, SendRequest, credits, plans};

/// A number that was connected less than this long ago has contacts whose last
/// message we do not know: Meta decides about their windows. Milliseconds.
const NO_HISTORY_MS: i64 = 24 * 60 * 60 * 1_000;
/// A send waits at most this long for its turn, in microseconds.
const PATIENCE_US: i64 = 5_000_000;
/// The share of a sender's rate that single sends have while campaigns run.
const SINGLE_SHARE: f64 = 0.05;

/// A message that the channel took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Our id.
    pub id: MessageId,
    /// The channel's id.
    pub provider_id: String,
}

/// A message to be sent over WhatsApp.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Whom it is for.
    pub to: Address,
    /// What it says.
    pub content: Content,
    /// What it leaves from; `None` is the account's default.
    pub sender: Option<SenderId>,
    /// What it says is written down nowhere: a one-time code.
    pub is_secret: bool,
}

/// Sends one message now, under the id that was chosen for it.
///
/// It is written down before the call, so that whatever happens afterwards its
/// state can be asked for.
///
/// # Errors
/// [`Code::InvalidField`] for content that the channel refuses, or a sender that the
/// account has not; [`Code::OptedOut`] and [`Code::OutsideWindow`]; [`Code::PlanLimit`] and
/// [`Code::NoCredits`];
/// the provider's refusal as [`Code::ProviderRejected`], [`Code::ProviderThrottled`] or
/// [`Code::ProviderUnavailable`]; [`Code::ProviderTimeout`] with our id when nobody
/// knows.
pub async fn send(
    services: &Services,
    caller: &Caller,
    account: &Account,
    new: Outgoing,
    request: SendRequest,
) -> Result<Sent> {
    let Outgoing { to, mut content, sender, is_secret } = new;
    if let Content::Template(call) = &mut content {
        tidy(&mut call.components);
    }
    content.check()?;
    if let Content::Commerce(_) = &content {
        plans::require(caller, Module::Catalog)?;
    }
    let (store, tenant, id) = (&services.store, caller.tenant_id(), request.id);
    let route = routes::choose(services, tenant, account, &Channel::Whatsapp, sender.as_ref()).await?;
    route.channel.capabilities().check(&content)?;
    if let Some(message) = request.earlier(store, tenant, account.id).await? {
        return Ok(Sent { id, provider_id: message.progress.provider_id.unwrap_or_default() });
    }
    let (identity, address) = (Identity::from(&to), to);
    let needs_window = route.channel.capabilities().needs_window && content.is_free_form();
    let window_with = needs_window.then_some(account.id);
    let is_paid = caller.tenant.standing.sub_account().is_some();
    let beside = Beside { sender: &route.sender.id, window_with, is_paid };
    let addressee = store.addressee(tenant, &identity, &address, beside).await?;
    let on = (&account.policy, account.id);
    let terms = check(services, &caller.tenant, on, &route, &content, (&address, &addressee)).await?;
    let priced = (&route.sender.channel, terms.category);
    let payment = credits::payment(&caller.tenant, priced, addressee.purse.clone());
    payment.as_ref().map_or(Ok(()), credits::check)?;
    bring_file(services, tenant, &route, &mut content).await?;
    let new = New {
        id,
        account: account.id,
        contact: addressee.contact.map(|contact| contact.id),
        campaign: None,
        address,
        content,
        regarding: Regarding::default(),
        is_secret,
    };
    let contact = new.contact;
    // A future is moved as a whole, and this one is large.
    let work = Box::pin(deliver(services, caller, &route, new, (addressee.turn, payment)));
    within_cap(store, tenant, &terms, contact, work, |_| false).await
}

/// Does `work`, which sends something to a contact, and counts it for the cap of its account
/// where there is one; what surely was not sent does not count.
pub(crate) async fn within_cap<T>(
    store: &Store,
    tenant: &TenantId,
    terms: &Terms,
    contact: Option<ContactId>,
    work: impl Future<Output = Result<T>>,
    is_unsent: impl Fn(&T) -> bool,
) -> Result<T> {
    // Before the call: whoever breaks off here has counted too much, and sent too little.
    let counted: Vec<ContactId> = contact.filter(|_| terms.limits.cap.is_some()).into_iter().collect();
    store.count_marketing(tenant, &counted, 1).await?;
    let sent = work.await;
    let is_unsent = match &sent {
        Ok(sent) => is_unsent(sent),
        Err(error) => error.code != Code::ProviderTimeout,
    };
    if is_unsent && let Err(error) = store.count_marketing(tenant, &counted, -1).await {
        tracing::warn!(%tenant, %error, "a message that was not sent counts for a cap");
    }
    sent
}

/// Checks the file of a message, and puts the channel's own name for it in the place of its
/// address.
///
/// # Errors
/// [`Code::InvalidField`] names `media_url`.
pub(crate) async fn bring_file(
    services: &Services,
    tenant: &TenantId,
    route: &Route,
    content: &mut Content,
) -> Result<()> {
    if let Some((kind, source)) = content.file_mut()
        && let MediaSource::Link(url) = source
    {
        domain::campaign::check_url(url)?;
        services.files.check(&services.store, tenant, url, kind).await?;
        *source = services.files.source(&services.store, tenant, route, url).await?;
    }
    Ok(())
}

/// Checks that the recipient may be sent this now; answers the terms on which. A template's
/// category, which decides whether an opt-out counts, is asked for only when there is one, when
/// the account has limits, or when the tenant pays by it.
pub(crate) async fn check(
    services: &Services,
    owner: &Tenant,
    (policy, account): (&ContactPolicy, AccountId),
    route: &Route,
    content: &Content,
    (address, addressee): (&Address, &Addressee),
) -> Result<Terms> {
    let (store, tenant) = (&services.store, &owner.id);
    let is_new = route
        .number()
        .is_some_and(|number| store.clock().now_ms() - number.connected_at.as_millisecond() < NO_HISTORY_MS);
    let by = if is_new { By::NewRequest } else { By::Request };
    let terms = |category| {
        let terms = Terms::new(&route.sender.channel, account, content.is_free_form(), category, by);
        terms.within(policy)
    };
    let judge = |category| {
        let Addressee { opted_out, window, .. } = addressee;
        terms(category).judge(Some(address), *opted_out, *window, store.clock().now_ms())
    };
    let bar = judge(None);
    let has_limits = MarketingLimits::from(policy) != MarketingLimits::default();
    let (Content::Template(call), Some(number)) = (content, route.number()) else {
        return bar.map_or_else(|| Ok(terms(None)), |bar| Err(bar.into()));
    };
    let sub = owner.standing.sub_account();
    let is_priced = sub.is_some_and(|sub| sub.prices.depend_on_category(&route.sender.channel));
    if bar.is_none() && !has_limits && !is_priced {
        return Ok(terms(None));
    }
    let (graph, language) = (&services.graph, Some(call.language.as_str()));
    let template = templates::approved(store, graph, tenant, number, &call.name, language).await?;
    let category = template.category.unwrap_or(Category::Marketing);
    if let Some(bar) = judge(Some(category)) {
        return Err(bar.into());
    }
    let terms = terms(Some(category));
    terms.check_limits(store, tenant, addressee.contact.as_ref(), address).await?;
    Ok(terms)
}

/// A message that may be sent.
#[derive(Debug)]
pub(crate) struct New {
    pub(crate) id: MessageId,
    pub(crate) account: AccountId,
    pub(crate) contact: Option<ContactId>,
    pub(crate) campaign: Option<CampaignId>,
    pub(crate) address: Address,
    pub(crate) content: Content,
    pub(crate) regarding: Regarding,
    /// What it says is written down nowhere.
    pub(crate) is_secret: bool,
}

impl New {
    /// As it is written down.
    pub(crate) fn message(&self, sender: &Sender) -> Message {
        let shown = self.is_secret.then(|| concealed(&self.content));
        let (kind, content) = channels::cloud::content(shown.as_ref().unwrap_or(&self.content));
        Message {
            id: self.id,
            account: self.account,
            channel: sender.channel.clone(),
            sender: Some(sender.id.clone()),
            campaign: self.campaign,
            contact: self.contact,
            inbound: false,
            address: self.address.clone(),
            kind: kind.to_owned(),
            text: self.content.text().map(str::to_owned),
            content: content.to_string(),
            progress: Progress::new(State::Claimed),
            rewritten: None,
            cost: None,
            is_refunded: false,
        }
    }
}

/// Sends a message in its turn, if the plan has one left and it can be paid.
///
/// # Errors
/// See [`send`].
pub(crate) async fn deliver(
    services: &Services,
    caller: &Caller,
    route: &Route,
    new: New,
    (turn, payment): (SenderTurns, Option<Payment>),
) -> Result<Sent> {
    let (store, tenant) = (&services.store, caller.tenant_id());
    take_turn(store, tenant, &route.sender, turn).await?;
    // What is paid is counted with its payment.
    if payment.is_none() {
        count(store, tenant, &caller.tenant.plan).await?;
    }
    let message = new.message(&route.sender);
    let parcel = Parcel {
        message: &message,
        content: &new.content,
        regarding: &new.regarding,
        payment: payment.as_ref(),
    };
    let (id, channel) = (new.id, route.sender.channel.title());
    let publisher = EventPublisher::from(services);
    match Box::pin(dispatch(&publisher, tenant, parcel, &route.channel)).await? {
        Outcome::Accepted(acceptance) => Ok(Sent { id, provider_id: acceptance.provider_id }),
        Outcome::Refused(refusal) => Err(Error::refused(channel, &refusal).about(id)),
        Outcome::Unreachable => {
            let message = format!("{channel} could not be reached: nothing was sent");
            Err(Error::new(Code::ProviderUnavailable, message).after(5).about(id))
        }
        Outcome::Ambiguous => {
            let message = format!(
                "{channel} gave no clear answer: the message may have been sent, its state is unknown"
            );
            Err(Error::new(Code::ProviderTimeout, message).about(id))
        }
    }
}

/// Takes a turn of a sender: of its whole rate, or of the share that campaigns leave
/// while one is running. Waits for it, unless that takes longer than a caller waits.
pub(crate) async fn take_turn(
    store: &Store,
    tenant: &TenantId,
    sender: &Sender,
    turn: SenderTurns,
) -> Result<()> {
    let share = if turn.is_leased { SINGLE_SHARE } else { 1.0 };
    let rate = f64::from(sender.pace.per_second) * share;
    match store.take_slot(tenant, &sender.id, (rate, PATIENCE_US), turn).await? {
        Some(wait) => {
            tokio::time::sleep(Duration::from_micros(u64::try_from(wait).unwrap_or(0))).await;
            Ok(())
        }
        None => {
            let message = format!("{} sends as much as it may: try again", sender.name);
            Err(Error::new(Code::ProviderThrottled, message).after(5))
        }
    }
}

/// Counts a message against the plan's limits of the day and of the minute.
pub(crate) async fn count(store: &Store, tenant: &TenantId, plan: &Plan) -> Result<()> {
    let allowance = Allowance { per_day: plan.messages_per_day, per_minute: plan.messages_per_minute };
    match store.use_message(tenant, allowance).await? {
        Allowed::Yes => Ok(()),
        Allowed::NotToday => Err(Error::new(Code::PlanLimit, "the plan's messages of today are used up")),
        Allowed::NotYet(seconds) => {
            let message = format!("the plan's messages of this minute are used up: wait {seconds} seconds");
            Err(Error::new(Code::RateLimited, message).after(seconds))
        }
    }
}
