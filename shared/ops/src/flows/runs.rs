//! Contacts on their way through a flow: how a run begins, how far it is, and how it ends.

use ::flows::{Effect, Ending, Event, Facts, Reply, Run, advance};
use domain::account::Account;
use domain::channel::Channel;
use domain::contact::Contact;
use domain::message::Address;
use domain::sender::SenderId;
use domain::webhook::catalog::FlowEnded;
use domain::webhook::{Event as Told, EventData};
use domain::{AccountId, CallingCode, ContactId, MessageId, TenantId};
use serde_json::{Map, Value};
use store::Store;
use store::flows::StoredFlow;
use store::outbox::Note;
use store::runs::{ListedRun, StoredRun};

use crate::Result;
use crate::events::{EventPublisher, Events, Transaction};

/// A conversation that is left to a person starts no flow for so long, in milliseconds.
pub const BY_PERSON_MS: i64 = 24 * 60 * 60 * 1_000;

/// What completes a contact's numbers without a country code.
pub fn country(account: Option<&Account>) -> Option<CallingCode> {
    account.and_then(|account| account.default_country)
}

/// A run that is about to begin.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// Its id.
    pub id: MessageId,
    /// The flow.
    pub flow: &'a StoredFlow,
    /// Who.
    pub contact: &'a Contact,
    /// The account; on custom channels, none.
    pub account: AccountId,
    /// What they write to.
    pub sender: SenderId,
    /// Where they write from.
    pub to: Address,
    /// What brought it about: of the same only one begins.
    pub causes: &'a [&'a str],
    /// What they said, if that is why.
    pub reply: Option<Reply>,
    /// Variables that it begins with.
    pub vars: Map<String, Value>,
    /// Completes numbers without a country code.
    pub country: Option<CallingCode>,
    /// When it is looked at if it got no further, in milliseconds since 1970.
    pub due_ms: Option<i64>,
}

/// Begins a run in the place of the one `before` it, which ends if it is under way; answers it,
/// with what is to be done. `None` when somebody else was faster.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn begin(
    publisher: &EventPublisher,
    tenant: &TenantId,
    before: Option<&StoredRun>,
    new: Beginning<'_>,
) -> Result<Option<(StoredRun, Option<Effect>)>> {
    let store = &publisher.store;
    let now = store.clock().now();
    let definition = &new.flow.definition;
    let began_ms = new.reply.as_ref().map_or(now.as_millisecond(), |reply| reply.at_ms);
    let mut run = Run::new(new.flow.version, &definition.start, began_ms);
    // A copy of what was heeded before starts nothing.
    run.causes = before.map(|before| before.run.causes.clone()).unwrap_or_default();
    for cause in new.causes {
        run.heed(cause);
    }
    (run.reply, run.vars) = (new.reply, new.vars);
    let facts = Facts { contact: new.contact, country: new.country, now };
    // Whoever is to go on later finds it at its first step.
    let effect = match new.due_ms {
        Some(_) => None,
        None => advance(definition, &mut run, Event::Proceed, &facts),
    };
    let due_ms = new.due_ms.or_else(|| run.due_ms(definition.expires_hours));
    let run = StoredRun {
        id: new.id,
        flow: new.flow.id.clone(),
        contact: before.map_or(new.contact.id, |before| before.contact),
        sender: new.sender,
        account: new.account,
        to: new.to,
        run,
        due_ms,
        began_ms: now.as_millisecond(),
    };
    let told = |run: &StoredRun, why| flow_ended(tenant, run, why, now.as_millisecond());
    let replaced = before.filter(|before| !before.run.is_over());
    let ended =
        [replaced.map(|before| told(before, Ending::Replaced)), run.run.ending().map(|why| told(&run, why))];
    let ended: Vec<Told> = ended.into_iter().flatten().collect();
    let events = events_of(publisher, tenant, &ended).await?;
    let note = noted(events.as_ref(), &ended);
    match store.begin_run(tenant, before, &run, note).await {
        Ok(written) => {
            if let Some(events) = events {
                events.publish(written).await;
            }
            Ok(Some((run, effect)))
        }
        Err(store::Error::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Who tells the ends of runs; nobody is asked for when there are none.
async fn events_of<'a>(
    publisher: &'a EventPublisher,
    tenant: &'a TenantId,
    ended: &[Told],
) -> Result<Option<Events<'a, Transaction>>> {
    match ended {
        [] => Ok(None),
        [_, ..] => publisher.caused_by(Transaction, tenant).await.map(Some),
    }
}

fn noted(events: Option<&Events<'_, Transaction>>, ended: &[Told]) -> Note {
    events.map_or_else(Note::none, |events| events.note_all(ended))
}

/// Writes how far a run is, in the place of what was read; tells it when that is its end.
/// Answers the run as it is stored now; `None` when it changed since.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn save(
    publisher: &EventPublisher,
    tenant: &TenantId,
    before: &StoredRun,
    run: Run,
    expires_hours: u32,
) -> Result<Option<StoredRun>> {
    let store = &publisher.store;
    let due_ms = run.due_ms(expires_hours);
    let after = StoredRun { run: Run { seq: before.run.seq + 1, ..run }, due_ms, ..before.clone() };
    let ending = after.run.ending().filter(|_| !before.run.is_over());
    let ended: Vec<Told> =
        ending.map(|why| flow_ended(tenant, &after, why, store.clock().now_ms())).into_iter().collect();
    let events = events_of(publisher, tenant, &ended).await?;
    let note = noted(events.as_ref(), &ended);
    match store.save_run(tenant, before, &after, note).await {
        Ok(written) => {
            if let Some(events) = events {
                events.publish(written).await;
            }
            Ok(Some(after))
        }
        Err(store::Error::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Ends the runs of a contact, of one account or of all: they said STOP, or a person takes over.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn end_all(
    publisher: &EventPublisher,
    tenant: &TenantId,
    (contact, account): (ContactId, Option<AccountId>),
    why: Ending,
) -> Result<()> {
    for attempt in 0..super::TRIES {
        let runs = publisher.store.runs_of(tenant, contact).await?;
        let is_meant =
            |run: &StoredRun| !run.run.is_over() && account.is_none_or(|account| run.account == account);
        let open: Vec<StoredRun> = runs.into_iter().filter(is_meant).collect();
        if open.is_empty() {
            return Ok(());
        }
        for stored in open {
            let run = stored.run.clone().ended(why);
            save(publisher, tenant, &stored, run, 0).await?;
        }
        publisher.store.back_off(attempt).await;
    }
    Err(store::Error::Contended.into())
}

/// `flow.ended`: once for each run.
fn flow_ended(tenant: &TenantId, stored: &StoredRun, why: Ending, at_ms: i64) -> Told {
    let id = stored.id.to_string();
    let channel: Channel = stored.sender.channel();
    let data = EventData::FlowEnded(FlowEnded {
        flow: stored.flow.clone(),
        run: id.clone(),
        outcome: why.as_str().to_owned(),
        reason: stored.run.reason.clone(),
        sender: stored.sender.to_string(),
        vars: stored.run.vars.clone(),
    });
    Told {
        account: stored.account.known(),
        channel: Some(channel.to_string()),
        contact: Some(stored.contact),
        ..Told::new(tenant, &[&id], at_ms, data)
    }
}

/// A run in a flow's list.
#[derive(Debug, Clone)]
pub struct ListedRunOf {
    /// What the list knows of it.
    pub listed: ListedRun,
    /// Where it is; nothing when the contact is in another one by now.
    pub run: Option<Run>,
}

/// The runs of a flow in the last 30 days, newest first, at most `limit`; those before `before`,
/// when that is given.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn runs(
    store: &Store,
    tenant: &TenantId,
    flow: &str,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Vec<ListedRunOf>> {
    let listed = store.runs(tenant, flow, before, limit).await?;
    let stored = store.runs_as_listed(tenant, &listed).await?;
    let state = |listed: &ListedRun| stored.iter().find(|run| run.id == listed.id).map(|run| run.run.clone());
    Ok(listed.into_iter().map(|listed| ListedRunOf { run: state(&listed), listed }).collect())
}

/// Leaves a conversation to a person: what is under way in it ends, and nothing starts by itself
/// for 24 hours. Answers until when, in milliseconds since 1970.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn hand_over(
    publisher: &EventPublisher,
    tenant: &TenantId,
    account: AccountId,
    contact: ContactId,
) -> Result<i64> {
    let store = &publisher.store;
    let until_ms = store.clock().now_ms() + BY_PERSON_MS;
    store.leave_to_person(tenant, account, contact, until_ms).await?;
    end_all(publisher, tenant, (contact, Some(account)), Ending::HandedOver).await?;
    Ok(until_ms)
}

/// Lets flows start again in a conversation.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn resume(store: &Store, tenant: &TenantId, account: AccountId, contact: ContactId) -> Result<()> {
    Ok(store.leave_to_person(tenant, account, contact, store.clock().now_ms()).await?)
}

/// The contact with whom a conversation is.
///
/// # Errors
/// [`crate::Code::NotFound`] names `id`.
pub async fn party(store: &Store, tenant: &TenantId, contact: ContactId) -> Result<ContactId> {
    let found = store.contact(tenant, contact).await?;
    let found = found.ok_or_else(|| crate::Error::not_found("id", "there is no such contact"))?;
    Ok(found.id)
}
