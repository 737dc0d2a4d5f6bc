//! How an endpoint fares.

use domain::TenantId;
use domain::webhook::{DisabledBecause, EndpointHealth, EndpointId};
use jiff::Timestamp;

use crate::batch::Action;
use crate::due::{Due, Watched, drop_action, put_action};
use crate::item::{Item, Key, n, number, s, text};
use crate::outbox::{Note, Written};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// Tries against concurrent writers.
const TRIES: u32 = 10;

/// How an endpoint fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndpointState {
    /// Changes with every change but that of the sequence.
    pub version: u64,
    /// The last sequence number that was given out.
    pub sequence: u64,
    /// Failures since its last success.
    pub health: EndpointHealth,
    /// Everything that waits is sent, whenever it was to be: the endpoint recovered.
    pub flush: bool,
    /// When it is looked at next, in milliseconds since 1970: something waits.
    pub due_ms: Option<i64>,
    /// Until when it is taken for slow: what comes in waits.
    pub slow_until_ms: i64,
    /// Until when somebody sends what waits.
    pub drained_until_ms: i64,
    /// Why it was given up.
    pub disabled: Option<DisabledBecause>,
}

fn key(tenant: &TenantId, id: EndpointId) -> Key {
    Key::new(Kind::HookState.pk(format_args!("{tenant}#{id}")), "-")
}

fn from_item(item: &Item) -> EndpointState {
    let since = number(item, "since").and_then(|ms| Timestamp::from_millisecond(ms).ok());
    EndpointState {
        version: number(item, "ver").unwrap_or(0),
        sequence: number(item, "seq").unwrap_or(0),
        health: EndpointHealth { failures: number(item, "fails").unwrap_or(0), failing_since: since },
        flush: item.contains_key("flush"),
        due_ms: number(item, "due"),
        slow_until_ms: number(item, "slow").unwrap_or(0),
        drained_until_ms: number(item, "drain").unwrap_or(0),
        disabled: text(item, "disabled").and_then(|reason| DisabledBecause::parse(&reason)),
    }
}

impl EndpointState {
    /// Whether what comes in has to wait.
    pub fn holds(&self, now_ms: i64) -> bool {
        self.disabled.is_some() || self.health.is_down() || self.slow_until_ms > now_ms
    }
}

/// Sets what differs; the sequence is not among it.
fn update(key: Key, before: &EndpointState, after: &EndpointState) -> Update {
    let optional = |update: Update, name, value: Option<i64>| match value {
        Some(value) => update.set(name, n(value)),
        None => update.remove(name),
    };
    let mut update = Update::of(key)
        .set("type", s("endpoint state"))
        .set("v", n(1))
        .set("ver", n(before.version + 1))
        .set("fails", n(after.health.failures))
        .set("slow", n(after.slow_until_ms))
        .set("drain", n(after.drained_until_ms))
        .when(match before.version {
            0 => When::Absent("ver"),
            version => When::Is("ver", n(version)),
        });
    update = optional(update, "since", after.health.failing_since.map(Timestamp::as_millisecond));
    update = optional(update, "due", after.due_ms);
    update = optional(update, "flush", after.flush.then_some(1));
    match after.disabled {
        Some(reason) => update.set("disabled", s(reason.as_str())),
        None => update.remove("disabled"),
    }
}

impl Store {
    /// Gives out `count` sequence numbers; answers the first, and how the endpoint
    /// fares.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn take_sequence(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        count: u64,
    ) -> Result<(u64, EndpointState)> {
        let item = self.update_returning(Update::of(key(tenant, id)).add("seq", n(count))).await?;
        let state = from_item(&item);
        Ok((state.sequence + 1 - count, state))
    }

    /// How an endpoint fares.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn endpoint_state(&self, tenant: &TenantId, id: EndpointId) -> Result<EndpointState> {
        Ok(self.get_item(&key(tenant, id)).await?.as_ref().map(from_item).unwrap_or_default())
    }

    /// Changes how an endpoint fares, against concurrent writers, together with
    /// its one item in the due index. Every call counts as a change, so that
    /// whoever decided on what was before finds out. Answers before and after;
    /// `None` from `change` leaves everything as it is.
    ///
    /// # Errors
    /// [`Error::Contended`] when it keeps changing under us.
    pub async fn change_state(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        change: impl Fn(&EndpointState) -> Option<EndpointState>,
    ) -> Result<Option<(EndpointState, EndpointState)>> {
        for round in 0..TRIES {
            let before = self.endpoint_state(tenant, id).await?;
            let Some(after) = change(&before) else { return Ok(None) };
            match self.write_state(tenant, id, &before, &after, Note::none()).await {
                Ok(_) => return Ok(Some((before, after))),
                Err(Error::Conflict | Error::Contended) => self.back_off(round).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Puts `after` in the place of `before`, unless somebody changed it since; with
    /// a note in the outbox about it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody did.
    pub async fn write_state(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        before: &EndpointState,
        after: &EndpointState,
        note: Note,
    ) -> Result<Written> {
        let update = update(key(tenant, id), before, after);
        if before.due_ms == after.due_ms && note.is_empty() {
            self.update(update).await?;
            return Ok(note.written());
        }
        let due = |at_ms| Due { tenant: tenant.clone(), what: Watched::Endpoint(id), at_ms };
        let mut actions = vec![Action::Update(update)];
        if before.due_ms != after.due_ms {
            actions.extend(before.due_ms.map(|at_ms| drop_action(&due(at_ms))));
            actions.extend(after.due_ms.map(|at_ms| put_action(&due(at_ms))).transpose()?);
        }
        actions.extend(note.actions()?);
        self.transact(actions).await?;
        Ok(note.written())
    }

    /// Forgets how an endpoint fared: it was removed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_state(&self, tenant: &TenantId, id: EndpointId) -> Result<()> {
        let state = self.endpoint_state(tenant, id).await?;
        let mut actions = vec![Action::Delete(key(tenant, id), Vec::new())];
        let due = |at_ms| Due { tenant: tenant.clone(), what: Watched::Endpoint(id), at_ms };
        actions.extend(state.due_ms.map(|at_ms| drop_action(&due(at_ms))));
        self.transact(actions).await
    }
}
