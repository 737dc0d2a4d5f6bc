//! What starts a flow beside the messages that come in: a request, a tag.

use std::collections::BTreeSet;

use ::flows::Run;
use domain::account::{Account, Number};
use domain::contact::{Contact, NewContact, same_tag};
use domain::identity::Identity;
use domain::merge::Book;
use domain::message::Address;
use domain::sender::SenderId;
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use queue::InboundJob;
use serde_json::{Map, Value};
use store::Store;
use store::addressees::Beside;
use store::flows::StoredFlow;
use store::messages::Message;
use store::outbox::Facts;

use super::TRIES;
use super::runs::{Beginning, begin, country};
use crate::contacts::upsert;
use crate::eligibility::{By, Terms};
use crate::events::EventPublisher;
use crate::{Caller, Error, Result, SendRequest};

/// A run that got no further after so long goes on by the sweep, in milliseconds.
const LEFT_ALONE_MS: i64 = 60_000;
/// A number that was connected less than this long ago has contacts whose last message we do not
/// know: Meta decides about their windows. Milliseconds.
const NO_HISTORY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Campaigns that are looked through for the one that somebody answers: the newest of a tenant.
const CAMPAIGNS: usize = 50;
/// What somebody writes so long after a campaign's message is an answer to it, in milliseconds.
const OF_LATE_MS: i64 = 72 * 60 * 60 * 1_000;

/// A flow that was started for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: MessageId,
    /// The flow.
    pub flow: String,
    /// The version of it.
    pub version: u32,
}

/// Starts a flow for a recipient, in the place of the one that they are in. Its steps are done
/// by a worker.
///
/// # Errors
/// [`crate::Code::OptedOut`] and [`crate::Code::OutsideWindow`] when what it says first may not be
/// said.
pub async fn start(
    publisher: &EventPublisher,
    caller: &Caller,
    (account, number): (&Account, &Number),
    (to, flow): (&Address, StoredFlow),
    (vars, request): (Map<String, Value>, SendRequest),
) -> Result<Started> {
    let (store, tenant) = (&publisher.store, caller.tenant_id());
    if !Run::new(flow.version, &flow.definition.start, 0).keep(vars.clone()) {
        return Err(Error::invalid("vars", "vars may have at most 16 kB of JSON each, and 64 kB in all"));
    }
    let sender = account.sender(number);
    let identity = Identity::from(to);
    let beside = Beside { sender: &sender.id, window_with: Some(account.id), is_paid: false };
    let addressee = store.addressee(tenant, &identity, to, beside).await?;
    let is_free_form = !flow.definition.opens_with_template();
    let is_new = store.clock().now_ms() - number.connected_at.as_millisecond() < NO_HISTORY_MS;
    let by = if is_new { By::NewRequest } else { By::Request };
    let terms = Terms::new(&sender.channel, account.id, is_free_form, None, by);
    if let Some(bar) = terms.judge(Some(to), addressee.opted_out, addressee.window, store.clock().now_ms()) {
        return Err(bar.into());
    }
    let contact = match addressee.contact {
        Some(contact) => contact,
        None => {
            let new = NewContact { origin: Some(account.id), ..NewContact::known_by(&[identity]) };
            let new = NewContact { is_proven: false, ..new }.check()?;
            upsert(publisher, tenant, caller.tenant.plan.contacts, &new).await?.contact
        }
    };
    let cause = format!("request#{}", request.id);
    let (account, to) = (Some(account), to.clone());
    let new = New { flow: &flow, contact: &contact, account, sender: sender.id, to, cause, vars };
    begin_later(publisher, tenant, request.id, new).await?;
    Ok(Started { run: request.id, flow: flow.id, version: flow.version })
}

/// A run that a worker takes up.
struct New<'a> {
    flow: &'a StoredFlow,
    contact: &'a Contact,
    account: Option<&'a Account>,
    sender: SenderId,
    to: Address,
    cause: String,
    vars: Map<String, Value>,
}

/// Begins a run, once for each cause, and has a worker take its first step.
async fn begin_later(
    publisher: &EventPublisher,
    tenant: &TenantId,
    id: MessageId,
    new: New<'_>,
) -> Result<()> {
    let store = &publisher.store;
    for attempt in 0..TRIES {
        let before = store.run(tenant, new.contact.id, &new.sender).await?;
        if before.as_ref().is_some_and(|before| before.run.knows(&new.cause)) {
            return Ok(());
        }
        let beginning = Beginning {
            id,
            flow: new.flow,
            contact: new.contact,
            account: new.account.map_or(AccountId::NONE, |account| account.id),
            sender: new.sender.clone(),
            to: new.to.clone(),
            causes: &[&new.cause],
            reply: None,
            vars: new.vars.clone(),
            country: country(new.account),
            due_ms: Some(store.clock().now_ms() + LEFT_ALONE_MS),
        };
        if let Some((run, _)) = begin(publisher, tenant, before.as_ref(), beginning).await? {
            let (tenant, contact, run) = (tenant.to_string(), run.contact.0, run.id.to_string());
            let job = InboundJob::Run { tenant, contact, run, effect: None, due: None };
            if let Err(error) = publisher.queues.inbound(job).await {
                tracing::warn!(%error, "a flow begins with the next sweep");
            }
            return Ok(());
        }
        store.back_off(attempt).await;
    }
    Err(store::Error::Contended.into())
}

/// Lets flows hear a message that a request took in, when there is anything that may listen.
///
/// # Errors
/// [`crate::Code::Unavailable`]: take it in again.
pub async fn listen_later(publisher: &EventPublisher, tenant: &TenantId, message: &Message) -> Result<()> {
    let (store, queues) = (&publisher.store, &publisher.queues);
    let (Some(contact), Some(sender)) = (message.contact, &message.sender) else { return Ok(()) };
    let (run, starts) = futures::try_join!(store.run(tenant, contact, sender), store.starts(tenant))?;
    if run.is_none_or(|run| run.run.is_over()) && starts.all.is_empty() {
        return Ok(());
    }
    let (tenant, account, message) = (tenant.to_string(), message.account.0, message.id.to_string());
    Ok(queues.inbound(InboundJob::Listen { tenant, account, message }).await?)
}

/// A contact got tags: starts the flows that wait for one of them, unless the contact is in one.
/// `cause` is the same each time that the same is told.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer: tell it again.
pub async fn tagged(
    publisher: &EventPublisher,
    tenant: &TenantId,
    (contact, tags): (&Contact, &[String]),
    cause: &str,
) -> Result<()> {
    let store = &publisher.store;
    let starts = store.starts(tenant).await?;
    let Some(start) = starts.all.iter().find(|start| start.trigger.is_of_tag(tags)) else { return Ok(()) };
    let Some(account) = account_for(store, tenant, contact, start.account.map(AccountId)).await? else {
        return Ok(());
    };
    let Some(number) = account.number() else { return Ok(()) };
    let Some(flow) = store.flow(tenant, &start.flow).await? else { return Ok(()) };
    let sender = number.id.clone();
    let run = store.run(tenant, contact.id, &sender).await?;
    if run.is_some_and(|run| !run.run.is_over()) {
        return Ok(());
    }
    let (cause, vars) = (format!("tag#{cause}"), Map::new());
    let Some(to) = contact.addresses().into_iter().find(|to| !matches!(to, Address::Custom(_))) else {
        return Ok(());
    };
    let new = New { flow: &flow, contact, account: Some(&account), sender, to, cause, vars };
    let id = MessageId(store.entropy().ulid(store.clock().now()));
    begin_later(publisher, tenant, id, new).await
}

/// The account that writes to a contact: the flow's own, that of the contact, or the oldest one
/// with a number.
async fn account_for(
    store: &Store,
    tenant: &TenantId,
    contact: &Contact,
    own: Option<AccountId>,
) -> Result<Option<Account>> {
    if let Some(id) = own.or(contact.origin)
        && let Some(account) = store.account(tenant, id).await?
        && (own.is_some() || account.number().is_some())
    {
        return Ok(Some(account));
    }
    Ok(store.accounts(tenant).await?.into_iter().find(|account| account.number().is_some()))
}

/// The campaign that a contact answers: the one whose message they reply to; where they reply to
/// none, the newest one whose message they got of late.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn answered_campaign(
    store: &Store,
    tenant: &TenantId,
    (account, contact): (AccountId, &Contact),
    (replied_to, at_ms): (Option<&str>, i64),
) -> Result<Option<CampaignId>> {
    let mut campaigns = store.started_campaigns(tenant, CAMPAIGNS).await?;
    campaigns.retain(|campaign| campaign.account == account);
    let campaigns: Vec<CampaignId> = campaigns.iter().map(|campaign| campaign.id).collect();
    let ids: BTreeSet<ContactId> = std::iter::once(contact.id).chain(contact.absorbed.clone()).collect();
    let rows = store.rows_of(tenant, &campaigns, &ids).await?;
    let answered = rows.into_iter().filter_map(|(campaign, row)| {
        let accepted_ms = row.progress.accepted_at?;
        let is_it = match replied_to {
            Some(id) => row.progress.provider_id.as_deref() == Some(id),
            // Meta tells seconds.
            None => (accepted_ms - 1_000..=accepted_ms + OF_LATE_MS).contains(&at_ms),
        };
        is_it.then_some((accepted_ms, campaign))
    });
    Ok(answered.max().map(|(_, campaign)| campaign))
}

/// What is to be told of tags that the contacts of a book get, where flows wait for any.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub(crate) async fn tag_facts(store: &Store, tenant: &TenantId, book: &Book) -> Result<Vec<Facts>> {
    let mut got: Vec<(ContactId, Vec<String>)> = Vec::new();
    for (id, slot) in book.slots() {
        let had = slot.before.as_ref().map_or(&[][..], |before| &before.tags);
        let Some(after) = &slot.after else { continue };
        let is_new = |tag: &&String| !had.iter().any(|had| same_tag(had, tag));
        let tags: Vec<String> = after.tags.iter().filter(is_new).cloned().collect();
        if !tags.is_empty() {
            got.push((id, tags));
        }
    }
    if got.is_empty() {
        return Ok(Vec::new());
    }
    let starts = store.starts(tenant).await?;
    let is_waited_for = |tags: &[String]| starts.all.iter().any(|start| start.trigger.is_of_tag(tags));
    let told = got.into_iter().filter(|(_, tags)| is_waited_for(tags));
    Ok(told.map(|(id, tags)| Facts::Tagged { contact: id.0, tags }).collect())
}
