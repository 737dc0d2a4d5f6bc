//! What contacts say, for flows: an answer to a question, or what starts one.

use ::flows::{At, Deed, Ending, Event, Facts, Fit, Reply, Trigger, is_choice, is_expired};
use domain::account::Account;
use domain::consent::Keyword;
use domain::contact::Contact;
use domain::message::Address;
use domain::sender::SenderId;
use domain::{AccountId, CampaignId, MessageId, TenantId};
use ops::Result;
use ops::events::EventPublisher;
use ops::flows::{Beginning, answered_campaign, begin, country, end_all, save};
use serde_json::{Map, Value};
use store::Store;
use store::flows::{Start, StoredFlow};
use store::messages::Message;
use store::runs::{Listening, StoredRun};

use super::carry::{Calls, Next, go, take_up};
use super::effects::Stage;
use crate::Services;

/// How often a beginning is tried that meets others.
const TRIES: u32 = 8;
/// A copy of a message that is older starts nothing, in milliseconds: it was heard, and did not.
const COPY_MS: i64 = 60 * 60 * 1_000;

/// Something that a contact said to us alone.
#[derive(Debug, Clone)]
pub(crate) struct Spoken<'a> {
    pub(crate) tenant: &'a TenantId,
    /// The account that it came to; on custom channels, none.
    pub(crate) account: Option<&'a Account>,
    /// What it came to.
    pub(crate) sender: SenderId,
    pub(crate) contact: &'a Contact,
    /// Where it came from.
    pub(crate) to: Address,
    /// The channel's id of it.
    pub(crate) provider_id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) text: Option<&'a str>,
    /// The id of what was tapped.
    pub(crate) reply_id: Option<&'a str>,
    /// When it was said, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// What it says of consent.
    pub(crate) keyword: Option<Keyword>,
    /// The channel's id of the message of ours that it replies to.
    pub(crate) replies_to: Option<&'a str>,
    /// It came before.
    pub(crate) is_copy: bool,
    /// What is known of an order, as variables of a flow.
    pub(crate) vars: Map<String, Value>,
}

/// Lets flows hear something, once for each id of the channel. STOP ends what is under way.
///
/// # Errors
/// [`ops::Code::Unavailable`] when a store does not answer: say it again.
pub(crate) async fn hear(services: &Services, spoken: Spoken<'_>) -> Result<()> {
    let (publisher, tenant) = (&EventPublisher::from(services), spoken.tenant);
    let is_helped = spoken.account.is_some_and(|account| account.help_message.is_some());
    match spoken.keyword {
        Some(Keyword::OptOut) => {
            let absorbed = spoken.contact.absorbed.iter().copied();
            for id in std::iter::once(spoken.contact.id).chain(absorbed) {
                end_all(publisher, tenant, (id, None), Ending::OptedOut).await?;
            }
            return Ok(());
        }
        // A choice of a flow may be called like a question for help.
        Some(Keyword::Help) if is_helped && spoken.reply_id.is_none() => return Ok(()),
        Some(Keyword::Help | Keyword::OptIn) | None => {}
    }
    if matches!(spoken.kind, "reaction" | "system" | "unsupported" | "edit" | "revoke") {
        return Ok(());
    }
    for attempt in 0..TRIES {
        let account = spoken.account.map_or(AccountId::NONE, |account| account.id);
        let whom = (&spoken.sender, &spoken.to);
        let listening = services.store.listening(tenant, account, spoken.contact, whom).await?;
        if let Heard::Yes = Box::pin(heard(services, &spoken, &listening)).await? {
            return Ok(());
        }
        services.store.back_off(attempt).await;
    }
    Err(store::Error::Contended.into())
}

/// Whether something was heard.
enum Heard {
    Yes,
    /// Somebody else changed what was read.
    Again,
}

async fn heard(services: &Services, spoken: &Spoken<'_>, listening: &Listening) -> Result<Heard> {
    let (store, tenant, now_ms) = (&services.store, spoken.tenant, services.store.clock().now_ms());
    let reply = Reply::new(spoken.text.unwrap_or_default(), spoken.reply_id, spoken.at_ms);
    for other in &listening.others {
        // Two who are one are led by one flow.
        let (publisher, run) = (&EventPublisher::from(services), other.run.clone());
        save(publisher, tenant, other, run.ended(Ending::Replaced), 0).await?;
    }
    let before = listening.run.as_ref();
    let is_known = before.is_some_and(|before| before.run.knows(spoken.provider_id));
    let is_older = before.is_some_and(|before| spoken.at_ms / 1_000 < before.run.heard_ms / 1_000);
    if let Some(before) = before.filter(|before| is_known && !before.run.is_over()) {
        let Some(flow) = store.known_flow(tenant, &before.flow, &listening.starts).await? else {
            return Ok(Heard::Yes);
        };
        let mut stage = stage(services, spoken, &flow, listening);
        Box::pin(go(&mut stage, before.clone(), (Event::Proceed, None), (0, Calls::Apart))).await?;
        return Ok(Heard::Yes);
    }
    if is_known || (spoken.is_copy && is_older) {
        return Ok(Heard::Yes);
    }
    let campaign = answered(store, spoken, listening).await?;
    let started = best(spoken, listening, campaign);
    if let Some(before) = before.filter(|before| !before.run.is_over())
        && let Some(heard) = Box::pin(goes_on(services, spoken, listening, before, (&reply, started))).await?
    {
        return Ok(heard);
    }
    let is_led_by_person = listening.human_until_ms.is_some_and(|until| until > now_ms);
    let is_late = spoken.is_copy && now_ms - spoken.at_ms > COPY_MS;
    match started.filter(|_| !is_led_by_person && !is_late) {
        Some((fit, start)) => {
            let campaign = campaign.filter(|_| fit == Fit::CampaignReply);
            Box::pin(begins(services, spoken, listening, start, (reply, campaign))).await
        }
        None => Ok(Heard::Yes),
    }
}

/// What a reply is to the run that is under way; `None` when it leaves it for another flow.
async fn goes_on(
    services: &Services,
    spoken: &Spoken<'_>,
    listening: &Listening,
    before: &StoredRun,
    (reply, started): (&Reply, Option<(Fit, &Start)>),
) -> Result<Option<Heard>> {
    let (store, tenant) = (&services.store, spoken.tenant);
    let Some(flow) = store.known_flow(tenant, &before.flow, &listening.starts).await? else {
        return Ok(None);
    };
    if is_expired(&flow.definition, &before.run, spoken.at_ms) {
        // What comes too late may start something anew.
        let (publisher, run) = (&EventPublisher::from(services), before.run.clone());
        save(publisher, tenant, before, run.ended(Ending::Expired), 0).await?;
        return Ok(Some(Heard::Again));
    }
    let now = store.clock().now();
    let facts = Facts { contact: spoken.contact, country: country(spoken.account), now };
    // Who only waits may begin the same flow anew.
    let waits = matches!(before.run.at, At::Waiting { .. });
    let is_elsewhere =
        started.is_some_and(|(fit, start)| fit.leaves() && (waits || start.flow != before.flow));
    if is_elsewhere && !is_choice(&flow.definition, &before.run, reply, &facts) {
        return Ok(None);
    }
    let mut stage = stage(services, spoken, &flow, listening);
    let stored = StoredRun { to: spoken.to.clone(), ..before.clone() };
    let said = (Event::Reply(reply.clone()), Some(spoken.provider_id));
    Box::pin(go(&mut stage, stored, said, (0, Calls::Apart))).await?;
    Ok(Some(Heard::Yes))
}

/// Begins a flow, in the place of what is under way.
async fn begins(
    services: &Services,
    spoken: &Spoken<'_>,
    listening: &Listening,
    start: &Start,
    (reply, campaign): (Reply, Option<CampaignId>),
) -> Result<Heard> {
    let (store, tenant, before) = (&services.store, spoken.tenant, listening.run.as_ref());
    let Some(flow) = store.known_flow(tenant, &start.flow, &listening.starts).await? else {
        return Ok(Heard::Yes);
    };
    let of_campaign = campaign.map(of_campaign);
    let causes: Vec<&str> = std::iter::once(spoken.provider_id).chain(of_campaign.as_deref()).collect();
    let new = Beginning {
        id: MessageId(store.entropy().ulid(store.clock().now())),
        flow: &flow,
        contact: spoken.contact,
        account: spoken.account.map_or(AccountId::NONE, |account| account.id),
        sender: spoken.sender.clone(),
        to: spoken.to.clone(),
        causes: &causes,
        reply: Some(reply),
        vars: spoken.vars.clone(),
        country: country(spoken.account),
        due_ms: None,
    };
    let begun = Box::pin(begin(&EventPublisher::from(services), tenant, before, new)).await?;
    let Some((stored, effect)) = begun else { return Ok(Heard::Again) };
    let mut stage = stage(services, spoken, &flow, listening);
    Box::pin(take_up(&mut stage, Next { stored, effect, is_new: true }, (0, Calls::Apart))).await?;
    Ok(Heard::Yes)
}

fn stage<'a>(
    services: &'a Services,
    spoken: &Spoken<'a>,
    flow: &'a StoredFlow,
    listening: &'a Listening,
) -> Stage<'a> {
    let Spoken { tenant, account, contact, .. } = spoken;
    Stage { services, tenant, account: *account, flow, contact: (*contact).clone(), listening }
}

/// The campaign that is answered, where a flow waits for that; once each, unless they reply to its
/// very message.
async fn answered(store: &Store, spoken: &Spoken<'_>, listening: &Listening) -> Result<Option<CampaignId>> {
    let waits = |start: &Start| matches!(start.trigger, Trigger::CampaignReply { .. });
    if !listening.starts.all.iter().any(waits) {
        return Ok(None);
    }
    let account = spoken.account.map_or(AccountId::NONE, |account| account.id);
    let reply = (spoken.replies_to, spoken.at_ms);
    let found = answered_campaign(store, spoken.tenant, (account, spoken.contact), reply).await?;
    let is_known = |id| listening.run.as_ref().is_some_and(|run| run.run.knows(&of_campaign(id)));
    Ok(found.filter(|id| spoken.replies_to.is_some() || !is_known(*id)))
}

/// What names an answer to a campaign as a cause.
fn of_campaign(id: CampaignId) -> String {
    format!("campaign#{id}")
}

/// What starts most closely.
fn best<'a>(
    spoken: &Spoken<'_>,
    listening: &'a Listening,
    campaign: Option<CampaignId>,
) -> Option<(Fit, &'a Start)> {
    let own = spoken.account.map(|account| account.id.0);
    let deed = Deed {
        text: spoken.text.unwrap_or_default(),
        id: spoken.reply_id,
        is_first: listening.first.iter().any(|first| first == spoken.provider_id),
        is_order: spoken.kind == "order" && !spoken.vars.is_empty(),
        campaign: campaign.map(|campaign| campaign.0),
    };
    let fits = listening.starts.all.iter().filter(|start| start.account.is_none() || start.account == own);
    let fits = fits.filter_map(|start| Some((start.trigger.fit(&deed)?, start)));
    // Of equals, the oldest flow.
    fits.min_by(|(one, a), (other, b)| (one, &a.flow).cmp(&(other, &b.flow)))
}

/// Lets flows hear a message that a request took in.
pub(super) async fn listen(
    services: &Services,
    tenant: &TenantId,
    (account, message): (AccountId, MessageId),
) -> Result<()> {
    let store = &services.store;
    let Some(message) = store.message(tenant, account, message).await? else { return Ok(()) };
    let Message { contact: Some(contact), sender: Some(sender), .. } = &message else { return Ok(()) };
    let Some(contact) = store.contact(tenant, *contact).await? else { return Ok(()) };
    let account = match account.known() {
        Some(id) => store.account(tenant, id).await?,
        None => None,
    };
    let keywords = account.as_ref().map(|account| account.policy.keywords.clone()).unwrap_or_default();
    let word = message.text.as_deref().filter(|_| message.kind == "text");
    let provider_id = message.progress.provider_id.clone().unwrap_or_else(|| message.id.to_string());
    let spoken = Spoken {
        tenant,
        account: account.as_ref(),
        sender: sender.clone(),
        contact: &contact,
        to: message.address.clone(),
        provider_id: &provider_id,
        kind: &message.kind,
        text: message.text.as_deref(),
        reply_id: None,
        at_ms: message.progress.delivered_at.unwrap_or_else(|| message.id.timestamp_ms()),
        keyword: word.and_then(|word| keywords.read(word)),
        replies_to: None,
        // A job that comes twice is recognised by the message's id.
        is_copy: false,
        vars: Map::new(),
    };
    hear(services, spoken).await
}
