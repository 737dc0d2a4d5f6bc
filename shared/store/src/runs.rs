//! Contacts on their way through flows: `RUN#<tenant>#<contact>`, one for each sender, so that a
//! person is led by one flow at a time. It stays for a while when it is over: what started it
//! starts nothing again.

use std::collections::HashSet;

use domain::account::Tenant;
use domain::contact::Contact;
use domain::message::Address;
use domain::sender::SenderId;
use domain::{AccountId, ContactId, MessageId, TenantId};
use flows::Run;
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::conversations::{FIRST, HUMAN_UNTIL, WINDOW_MS};
use crate::due::{Due, Watched, drop_action, put_action};
use crate::flows::{Starts, triggers_key};
use crate::item::{Item, Key, Query, compose, n, number, read, text};
use crate::outbox::{Note, Written};
use crate::rates::{SenderTurns, turn_keys};
use crate::update::When;
use crate::{Error, Kind, Result, Store, conversations, suppression, tenants};

/// How long it is known what became of a run, in seconds.
const KEEP_S: i64 = 30 * 86_400;

/// A contact on its way through a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// Its id; runs are in the order of time.
    pub id: MessageId,
    /// The flow.
    pub flow: String,
    /// Who.
    pub contact: ContactId,
    /// What their messages come to.
    pub sender: SenderId,
    /// Its account.
    pub account: AccountId,
    /// Where they wrote from last, or where it was started for.
    pub to: Address,
    /// Where it is.
    pub run: Run,
    /// When it is looked at, though nobody says anything, in milliseconds since 1970.
    pub due_ms: Option<i64>,
    /// When it began, in milliseconds since 1970.
    pub began_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct RunItem {
    id: String,
    flow: String,
    contact: u64,
    sender: String,
    account: u64,
    to: String,
    /// How often it was written.
    seq: u64,
    run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<i64>,
    began: i64,
    ttl: i64,
}

/// A run of a flow, as the flow's list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRun {
    /// Its id.
    pub id: MessageId,
    /// Who.
    pub contact: ContactId,
    /// Their sender.
    pub sender: SenderId,
    /// When it began, in milliseconds since 1970.
    pub began_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct ListedItem {
    contact: u64,
    sender: String,
    began: i64,
    ttl: i64,
}

fn key(tenant: &TenantId, contact: ContactId, sender: &SenderId) -> Key {
    Key::new(Kind::Run.pk(format_args!("{tenant}#{contact}")), sender.as_str())
}

/// Where the runs of a flow are listed.
fn listed(tenant: &TenantId, flow: &str, id: MessageId) -> Key {
    Key::new(Kind::Run.pk(format_args!("{tenant}#flow#{flow}")), id.to_string())
}

fn from_item(item: Item) -> Result<StoredRun> {
    let corrupt = || Error::Corrupt { kind: "run" };
    let item: RunItem = read(item, "run")?;
    let run: Run = serde_json::from_str(&item.run).map_err(|_| corrupt())?;
    Ok(StoredRun {
        id: item.id.parse().map_err(|_| corrupt())?,
        flow: item.flow,
        contact: ContactId(item.contact),
        sender: item.sender.parse().map_err(|_| corrupt())?,
        account: AccountId(item.account),
        to: Address::parse(&item.to).map_err(|_| corrupt())?,
        run: Run { seq: item.seq, ..run },
        due_ms: item.due,
        began_ms: item.began,
    })
}

impl StoredRun {
    fn item(&self, tenant: &TenantId, now_s: i64) -> Result<Item> {
        let corrupt = |_| Error::Corrupt { kind: "run" };
        let item = RunItem {
            id: self.id.to_string(),
            flow: self.flow.clone(),
            contact: self.contact.0,
            sender: self.sender.to_string(),
            account: self.account.0,
            to: self.to.as_str().to_owned(),
            seq: self.run.seq,
            run: serde_json::to_string(&self.run).map_err(corrupt)?,
            due: self.due_ms,
            began: self.began_ms,
            // A wait may be as long.
            ttl: now_s + 2 * KEEP_S,
        };
        compose(&key(tenant, self.contact, &self.sender), "run", &item)
    }

    fn due(&self, tenant: &TenantId) -> Option<Due> {
        let what = Watched::Run(self.contact, self.id);
        self.due_ms.map(|at_ms| Due { tenant: tenant.clone(), what, at_ms })
    }
}

/// What decides on what a flow does about something that a contact said.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The run of theirs that is under way; else the last one.
    pub run: Option<StoredRun>,
    /// Others that are under way, which were begun with somebody who became part of them.
    pub others: Vec<StoredRun>,
    /// What starts a flow.
    pub starts: Starts,
    /// Until when a person of ours leads the conversation, in milliseconds since 1970.
    pub human_until_ms: Option<i64>,
    /// Their address opted out.
    pub opted_out: bool,
    /// When their window closes, in milliseconds since 1970, if they ever wrote.
    pub window: Option<i64>,
    /// The channel's ids of what they wrote first, where they are known.
    pub first: Vec<String>,
    /// What is known of the sender's turns.
    pub turn: SenderTurns,
    /// The tenant, with its plan.
    pub tenant: Option<Tenant>,
}

impl Store {
    /// Reads in one request what decides on what a flow does about something that `contact` said
    /// to `sender`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn listening(
        &self,
        tenant: &TenantId,
        account: AccountId,
        contact: &Contact,
        (sender, address): (&SenderId, &Address),
    ) -> Result<Listening> {
        // What was begun with one that became part of them goes on.
        let ids: Vec<ContactId> = std::iter::once(contact.id).chain(contact.absorbed.clone()).collect();
        let runs: Vec<Key> = ids.iter().map(|id| key(tenant, *id, sender)).collect();
        let talks: Vec<Key> = ids.iter().map(|id| conversations::key(tenant, account, *id)).collect();
        let (opt_outs, turn) = (suppression::keys(tenant, address), turn_keys(tenant, sender));
        let (triggers, owner) = (triggers_key(tenant), tenants::tenant_key(tenant));
        let keys = runs.iter().chain(&talks).chain(&opt_outs).chain(&turn).chain([&triggers, &owner]);
        let items = self.get_many(keys.cloned().collect()).await?;
        let found = |key: &Key| items.iter().find(|item| Key::of(item).as_ref() == Some(key)).cloned();
        let runs = runs.iter().filter_map(found).map(from_item).collect::<Result<Vec<_>>>()?;
        let starts = found(&triggers)
            .map(|item| Starts::try_from(read::<crate::flows::TriggersItem>(item, "triggers")?));
        let of_talks =
            |name| talks.iter().filter_map(found).filter_map(move |item| number::<i64>(&item, name));
        let mut runs = runs;
        runs.sort_by_key(|run| (!run.run.is_over(), run.run.heard_ms, run.began_ms));
        Ok(Listening {
            run: runs.pop(),
            others: runs.into_iter().filter(|run| !run.run.is_over()).collect(),
            starts: starts.transpose()?.unwrap_or_default(),
            human_until_ms: of_talks(HUMAN_UNTIL).max(),
            opted_out: opt_outs.iter().any(|key| found(key).is_some()),
            window: of_talks("last_in").max().map(|last| last + WINDOW_MS),
            first: talks.iter().filter_map(found).filter_map(|item| text(&item, FIRST)).collect(),
            turn: self.read_turn(&turn, &items),
            tenant: found(&owner).map(tenants::from_item).transpose()?,
        })
    }

    /// The run of a contact at a sender: the one that is under way, or the last one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn run(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        sender: &SenderId,
    ) -> Result<Option<StoredRun>> {
        self.get_item(&key(tenant, contact, sender)).await?.map(from_item).transpose()
    }

    /// The runs of a contact, one for each sender.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn runs_of(&self, tenant: &TenantId, contact: ContactId) -> Result<Vec<StoredRun>> {
        let pk = Kind::Run.pk(format_args!("{tenant}#{contact}"));
        self.query(&Query { pk, ..Query::default() }).await?.into_iter().map(from_item).collect()
    }

    /// Forgets how far a contact is in any flow, and what they said there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_runs(&self, tenant: &TenantId, contact: ContactId) -> Result<()> {
        for stored in self.runs_of(tenant, contact).await? {
            let mut actions = vec![Action::Delete(key(tenant, contact, &stored.sender), Vec::new())];
            actions.extend(stored.due(tenant).as_ref().map(drop_action));
            self.transact(actions).await?;
        }
        Ok(())
    }

    /// Begins a run in the place of the one before it, lists it, and notes what became of that.
    ///
    /// # Errors
    /// [`Error::Conflict`] when that changed since it was read.
    pub async fn begin_run(
        &self,
        tenant: &TenantId,
        before: Option<&StoredRun>,
        run: &StoredRun,
        note: Note,
    ) -> Result<Written> {
        let now_s = self.clock().now().as_second();
        let when = match before {
            Some(before) => vec![
                When::Is("id", crate::item::s(before.id.to_string())),
                When::Is("seq", n(before.run.seq)),
            ],
            None => vec![When::Absent("pk")],
        };
        let (contact, sender) = (run.contact.0, run.sender.to_string());
        let entry = ListedItem { contact, sender, began: run.began_ms, ttl: now_s + KEEP_S };
        let entry = compose(&listed(tenant, &run.flow, run.id), "run", &entry)?;
        let mut actions = vec![Action::Put(run.item(tenant, now_s)?, when), Action::Put(entry, Vec::new())];
        actions.extend(before.and_then(|before| before.due(tenant)).as_ref().map(drop_action));
        actions.extend(run.due(tenant).as_ref().map(put_action).transpose()?);
        actions.extend(note.actions()?);
        self.transact(actions).await?;
        Ok(note.written())
    }

    /// Writes how far a run is, in the place of what was read, when it is due, and a note of
    /// what became of it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it changed since it was read.
    pub async fn save_run(
        &self,
        tenant: &TenantId,
        before: &StoredRun,
        run: &StoredRun,
        note: Note,
    ) -> Result<Written> {
        let item = run.item(tenant, self.clock().now().as_second())?;
        let when =
            vec![When::Is("id", crate::item::s(before.id.to_string())), When::Is("seq", n(before.run.seq))];
        if before.due_ms == run.due_ms && note.is_empty() {
            self.replace(item, when).await?;
            return Ok(note.written());
        }
        let mut actions = vec![Action::Put(item, when)];
        if before.due_ms != run.due_ms {
            actions.extend(before.due(tenant).as_ref().map(drop_action));
            actions.extend(run.due(tenant).as_ref().map(put_action).transpose()?);
        }
        actions.extend(note.actions()?);
        self.transact(actions).await?;
        Ok(note.written())
    }

    /// The runs of a flow in the last 30 days, newest first, at most `limit`; those before
    /// `before`, when that is given.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn runs(
        &self,
        tenant: &TenantId,
        flow: &str,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<ListedRun>> {
        let before = before.map(|id| id.to_string());
        let query = Query {
            pk: Kind::Run.pk(format_args!("{tenant}#flow#{flow}")),
            until: before.clone(),
            limit: Some(limit + usize::from(before.is_some())),
            descending: true,
            ..Query::default()
        };
        let mut found = Vec::new();
        for item in self.query(&query).await? {
            let corrupt = || Error::Corrupt { kind: "run" };
            let id = crate::item::text(&item, "sk").ok_or_else(corrupt)?;
            if before.as_ref() == Some(&id) || number::<i64>(&item, "ttl").is_none() {
                continue;
            }
            let listed: ListedItem = read(item, "run")?;
            found.push(ListedRun {
                id: id.parse().map_err(|_| corrupt())?,
                contact: ContactId(listed.contact),
                sender: listed.sender.parse().map_err(|_| corrupt())?,
                began_ms: listed.began,
            });
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Listed runs as they are now; those in whose place there is another one are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn runs_as_listed(&self, tenant: &TenantId, listed: &[ListedRun]) -> Result<Vec<StoredRun>> {
        let keys: HashSet<Key> = listed.iter().map(|run| key(tenant, run.contact, &run.sender)).collect();
        let stored = self.get_many(keys.into_iter().collect()).await?;
        stored.into_iter().map(from_item).collect()
    }
}
