use std::collections::HashSet;
use std::time::Duration;

use domain::message::{Address, CallbackRef};
use domain::recipient::Status;
use domain::webhook::EventType;
use domain::{AccountId, CampaignId, ContactId};
use futures::{StreamExt, TryStreamExt, stream};
use store::ledger::{Entry, Row};

use super::attempt::{Line, Stop};
use super::compose::Composer;
use crate::Result;
use crate::events::{Audience, Happening, StatusFact, message_status};

/// A wave on its way: claimed, about to be sent, and recorded before it lands.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) campaign: CampaignId,
    pub(super) account: AccountId,
    pub(super) composer: Composer,
    pub(super) rows: Vec<(u64, Row)>,
    /// The block and where in it the wave began; retries belong to no wave.
    pub(super) wave: Option<(u64, ContactId)>,
}

/// What a wave ended in.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) campaign: CampaignId,
    pub(super) wave: Option<(u64, ContactId)>,
    /// Recipients that wait for another attempt: block, due time and row.
    pub(super) again: Vec<(u64, i64, Row)>,
    /// How many retries of each block were done, one way or the other.
    pub(super) retried: Vec<u64>,
    /// Why the campaign must not send on.
    pub(super) halt: Option<String>,
}

/// Calls under way at once in one wave.
const CONCURRENCY: usize = 50;

impl Flight {
    /// Sends the wave and records its outcomes.
    pub(super) async fn fly(self, line: &Line<'_>) -> Result<Landing> {
        let halt = Stop::new();
        let mut why = None;
        let rows: Vec<Row> = self.rows.iter().map(|(_, row)| row.clone()).collect();
        let barred = self.barred(line, &rows).await?;
        let store = &line.sender.store;
        let mut wanted: Vec<ContactId> = rows.iter().map(|row| row.contact).collect();
        wanted.retain(|contact| !barred.iter().any(|(id, _)| id == contact));
        let used = store.use_messages_up_to(line.tenant, wanted.len() as u64, line.daily_limit).await?;
        let used = usize::try_from(used).unwrap_or(wanted.len()).min(wanted.len());
        if used < wanted.len() {
            why = Some("plan_limit: the plan's messages of today are used up".to_owned());
        }
        let waits: HashSet<ContactId> = wanted.split_off(used).into_iter().collect();
        let attempts: Vec<_> = rows
            .iter()
            .map(|row| self.send(line, row, &barred, waits.contains(&row.contact), &halt))
            .collect();
        let entries: Vec<Entry> = stream::iter(attempts).buffered(CONCURRENCY).try_collect().await?;
        let outcomes: Vec<(ContactId, u32, Entry)> =
            rows.iter().zip(entries).map(|(row, entry)| (row.contact, row.attempt, entry)).collect();
        // Told before it is written down: whoever takes over does not see it again.
        self.tell_failures(line, &rows, &outcomes).await?;
        store.record(line.tenant, self.campaign, &outcomes).await?;
        let taken = outcomes.iter().filter(|(_, _, entry)| entry.may_be_sent()).count();
        store.return_messages(line.tenant, used.saturating_sub(taken) as u64).await?;
        let why = why.or_else(|| halt.get().map(|code| format!("WhatsApp answered with code {code}")));
        Ok(self.land(outcomes, why))
    }

    /// Tells what the provider refused for good; no status comes for it.
    async fn tell_failures(
        &self,
        line: &Line<'_>,
        rows: &[Row],
        outcomes: &[(ContactId, u32, Entry)],
    ) -> Result<()> {
        let failed: Vec<_> = rows
            .iter()
            .zip(outcomes)
            .filter_map(|(row, (contact, attempt, entry))| match entry {
                Entry::Failed { reason } => Some((row, *contact, *attempt, reason.parse().unwrap_or(0))),
                Entry::Accepted { .. } | Entry::Skipped { .. } | Entry::Retry { .. } | Entry::Unknown => None,
            })
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        let (store, tenant) = (&line.sender.store, line.tenant);
        let audience = Audience::of(store, tenant).await?;
        if !audience.wants(EventType::MessageStatus, Some(self.account)) {
            return Ok(());
        }
        let told = failed.into_iter().map(|(row, contact, attempt, code)| {
            let fact = StatusFact {
                account: self.account,
                channel: None,
                message: CallbackRef::Campaign(self.campaign, contact, attempt),
                provider_id: None,
                to: row.address.as_ref().map(Address::as_str),
                contact: Some(contact),
                status: Status::Failed(code),
                at_ms: store.clock().now_ms(),
            };
            Happening::from(&message_status(tenant, &fact))
        });
        audience.tell(&line.sender.queues, &told.collect::<Vec<_>>()).await
    }

    async fn send(
        &self,
        line: &Line<'_>,
        row: &Row,
        barred: &[(ContactId, &'static str)],
        waits: bool,
        halt: &Stop,
    ) -> Result<Entry> {
        line.pacer.redeem();
        match barred.iter().find(|(id, _)| *id == row.contact) {
            Some((_, reason)) => Ok(Entry::Skipped { reason: (*reason).to_owned() }),
            None if waits || halt.get().is_some() => Ok(line.later(Duration::ZERO)),
            None => line.attempt(self.campaign, &self.composer, row, halt).await,
        }
    }

    fn land(self, outcomes: Vec<(ContactId, u32, Entry)>, halt: Option<String>) -> Landing {
        let mut again = Vec::new();
        let retried = if self.wave.is_none() {
            self.rows.iter().map(|(block, _)| *block).collect()
        } else {
            Vec::new()
        };
        for ((block, mut row), (_, attempt, entry)) in self.rows.into_iter().zip(outcomes) {
            if let Entry::Retry { at_ms } = entry {
                row.attempt = attempt + 1;
                row.retry_at = Some(at_ms);
                again.push((block, at_ms, row));
            }
        }
        Landing { campaign: self.campaign, wave: self.wave, again, retried, halt }
    }

    /// Who must not be sent to, checked again right before: opt-outs and closed
    /// windows since the campaign was planned.
    async fn barred(&self, line: &Line<'_>, rows: &[Row]) -> Result<Vec<(ContactId, &'static str)>> {
        let store = &line.sender.store;
        let mut barred = Vec::new();
        let addresses: Vec<Address> = rows.iter().filter_map(|r| r.address.clone()).collect();
        let out: HashSet<Address> = store.opted_out(line.tenant, &addresses).await?;
        let who = rows.iter().filter(|r| r.address.as_ref().is_some_and(|a| out.contains(a)));
        barred.extend(who.map(|r| (r.contact, "opted_out")));
        if self.composer.is_free_form() {
            let contacts: Vec<_> = rows.iter().map(|r| (r.contact, Vec::new())).collect();
            let windows = store.windows(line.tenant, self.account, &contacts).await?;
            let now = store.clock().now_ms();
            let closed = |r: &&Row| windows.get(&r.contact).is_some_and(|closes| *closes <= now);
            barred.extend(rows.iter().filter(closed).map(|r| (r.contact, "outside_window")));
        }
        Ok(barred)
    }
}
