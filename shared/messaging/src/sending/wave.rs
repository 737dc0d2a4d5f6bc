//! A wave: claimed, asked about once more, sent, told and recorded. Whoever is claimed and was
//! not called is given back; an outcome is recorded until the store takes it, for nobody can
//! ask the provider. Interrupted in between, the rows become `unknown`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::identity::Identity;
use domain::message::{Address, CallbackRef};
use domain::outcome::Reason;
use domain::recipient::Status;
use domain::webhook::{Event, EventType};
use domain::{AccountId, CampaignId, ContactId};
use futures::{StreamExt, stream};
use store::ledger::{Row, RowOutcome, Unsent};

use super::attempt::{Attempted, SendContext};
use super::compose::Composer;
use ops::barred::{Barred, Planned};
use ops::eligibility::Terms;
use ops::events::{EventPublisher, OutgoingEvent, StatusFact, message_status};
use ops::moves::learn;
use ops::suppression::{ConsentChange, OptOutSource, opt_out};
use ops::{Error, Result};

/// A wave on its way: claimed, about to be sent, and recorded before it lands.
#[derive(Debug, Default)]
pub(super) struct Wave {
    pub(super) parts: Vec<Part>,
}

/// The recipients of one campaign in a wave.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) campaign: CampaignId,
    pub(super) account: AccountId,
    pub(super) composer: Arc<Composer>,
    pub(super) terms: Arc<Terms>,
    /// How many times contacts had been lost when the campaign started.
    pub(super) losses: Option<u64>,
    /// With the block of each.
    pub(super) rows: Vec<(u64, Row)>,
}

/// What a wave ended in.
#[derive(Debug, Default)]
pub(super) struct WaveResult {
    /// Recipients that have an outcome, or wait, by campaign and block.
    pub(super) landed: BTreeMap<(CampaignId, u64), usize>,
    /// Recipients that wait for another attempt: campaign, block, due time and row.
    pub(super) again: Vec<(CampaignId, u64, i64, Row)>,
    /// Campaigns that found nothing left of the plan's messages of today.
    pub(super) short: BTreeSet<CampaignId>,
    /// Recipients whom the provider knows otherwise than we do.
    pub(super) seen: Vec<(ContactId, Identity)>,
    /// What could not be done.
    pub(super) failure: Option<Error>,
}

/// A row with where it came from and what is to be recorded of it.
type Recorded<'a> = (&'a Part, u64, &'a Row, RowOutcome);

/// Calls under way at once in one wave.
const CONCURRENCY: usize = 50;
/// How often what came of calls is recorded that cannot be asked for again.
const RECORD_TRIES: u32 = 6;

impl Wave {
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.rows.len()).sum()
    }

    /// Whether its messages are paid with credits: of one tenant all are, or none.
    fn is_paid(&self) -> bool {
        self.rows().any(|(_, _, row)| row.cost.is_some())
    }

    fn rows(&self) -> impl Iterator<Item = (&Part, u64, &Row)> {
        self.parts.iter().flat_map(|part| part.rows.iter().map(move |(block, row)| (part, *block, row)))
    }

    /// Sends the wave and records its outcomes. What is claimed and was not called
    /// because something failed before is given back.
    pub(super) async fn deliver(mut self, line: &SendContext<'_>) -> WaveResult {
        let mut result = WaveResult::default();
        let barred = match self.barred(line).await {
            Ok(barred) => self.redirect(line, &barred).await.map(|()| barred),
            Err(error) => Err(error),
        };
        let allowed = match &barred {
            Ok(barred) => self.use_plan(line, barred).await,
            Err(_) => Ok(0),
        };
        let outcomes = match (barred, allowed) {
            (Ok(barred), Ok(allowed)) => self.send(line, &barred, allowed, &mut result).await,
            (Err(error), _) | (_, Err(error)) => {
                result.failure = Some(error);
                self.rows().map(|(part, block, row)| (part, block, row, give_back(line, row))).collect()
            }
        };
        if let Err(error) = self.record(line, &outcomes).await {
            result.failure.get_or_insert(error);
        }
        let seen = std::mem::take(&mut result.seen);
        // What is not learned here is from the status that comes.
        if let Err(error) = learn(&EventPublisher::from(line.services), line.tenant, &seen).await {
            tracing::debug!(tenant = %line.tenant, code = error.code.as_str(), "how a provider knows people is not learned yet");
        }
        land(result, outcomes)
    }

    /// Who must not be sent to, asked again right before.
    async fn barred(&self, line: &SendContext<'_>) -> Result<Barred> {
        let planned = self.parts.iter().map(|part| Planned {
            campaign: part.campaign,
            terms: &part.terms,
            losses: part.losses,
            rows: part.rows.iter().map(|(_, row)| row).collect(),
        });
        Barred::of(&line.services.store, line.tenant, &planned.collect::<Vec<_>>()).await
    }

    /// Sends to people where they are by now. Written down before the call: a report says where
    /// a message went.
    async fn redirect(&mut self, line: &SendContext<'_>, barred: &Barred) -> Result<()> {
        for Part { campaign, rows, .. } in &mut self.parts {
            for (_, row) in rows {
                if let Some(address) = barred.moved_to(*campaign, row.contact) {
                    let store = &line.services.store;
                    store.redirect_row(line.tenant, *campaign, row.contact, address).await?;
                    row.address = Some(address.clone());
                }
            }
        }
        Ok(())
    }

    /// Takes the messages of the wave from the plan's of today; answers how many there
    /// were.
    async fn use_plan(&self, line: &SendContext<'_>, barred: &Barred) -> Result<usize> {
        let wanted = self.rows().filter(|(part, _, row)| {
            let (campaign, contact) = (part.campaign, row.contact);
            barred.reason(campaign, contact).is_none() && barred.quiet_until(campaign, contact).is_none()
        });
        let wanted = wanted.count();
        // What is paid was counted when it was claimed.
        if self.is_paid() {
            return Ok(wanted);
        }
        let store = &line.services.store;
        let used = store.use_messages_up_to(line.tenant, wanted as u64, line.daily_limit).await?;
        Ok(usize::try_from(used).unwrap_or(wanted).min(wanted))
    }

    /// Counts a message to everybody of a campaign with a cap who is about to be called.
    async fn capped(&self, line: &SendContext<'_>, barred: &Barred) -> Vec<ContactId> {
        let is_called = |(part, _, row): &(&Part, u64, &Row)| {
            let (campaign, contact) = (part.campaign, row.contact);
            part.terms.limits.cap.is_some()
                && barred.reason(campaign, contact).is_none()
                && barred.quiet_until(campaign, contact).is_none()
        };
        let called: Vec<ContactId> = self.rows().filter(is_called).map(|(_, _, row)| row.contact).collect();
        if let Err(error) = line.services.store.count_marketing(line.tenant, &called, 1).await {
            tracing::warn!(tenant = %line.tenant, %error, "messages are not counted for a cap");
        }
        called
    }

    async fn send<'w>(
        &'w self,
        line: &SendContext<'_>,
        barred: &Barred,
        allowed: usize,
        result: &mut WaveResult,
    ) -> Vec<Recorded<'w>> {
        let mut left = allowed;
        let mut attempts = Vec::with_capacity(self.len());
        for (part, block, row) in self.rows() {
            let reason = barred.reason(part.campaign, row.contact);
            let quiet = barred.quiet_until(part.campaign, row.contact);
            let may = reason.is_none() && quiet.is_none() && left > 0;
            left -= usize::from(may);
            if reason.is_none() && quiet.is_none() && !may {
                result.short.insert(part.campaign);
            }
            attempts.push(async move {
                line.pacer.redeem();
                let attempted = match (reason, quiet) {
                    (Some(bar), _) => row.skip(bar.into()).into(),
                    (None, Some(until_ms)) => RowOutcome::Quiet { until_ms }.into(),
                    (None, None) if may => line.attempt(part.campaign, &part.composer, row).await,
                    (None, None) => line.later(row, Duration::ZERO).into(),
                };
                (part, block, row, attempted)
            });
        }
        // Before the calls: whoever breaks off here has counted too much, and sent too little.
        let capped = self.capped(line, barred).await;
        let done: Vec<(&Part, u64, &Row, Attempted)> =
            stream::iter(attempts).buffered(CONCURRENCY).collect().await;
        let mut outcomes = Vec::with_capacity(done.len());
        let mut taken = 0;
        for (part, block, row, Attempted { entry, opted_out, recipient }) in done {
            let known = row.address.as_ref().map(Identity::from);
            let other = recipient.filter(|number| known.as_ref() != Some(&number.into()));
            result.seen.extend(other.map(|number| (row.contact, Identity::from(&number))));
            if opted_out && let Err(error) = heed(line, row).await {
                result.failure.get_or_insert(error);
            }
            let was_called = barred.reason(part.campaign, row.contact).is_none();
            taken += usize::from(was_called && entry.may_be_sent());
            outcomes.push((part, block, row, entry));
        }
        let is_sent = |contact: &ContactId| {
            outcomes
                .iter()
                .any(|(_, _, row, entry): &Recorded<'_>| row.contact == *contact && entry.may_be_sent())
        };
        let unsent: Vec<ContactId> = capped.into_iter().filter(|contact| !is_sent(contact)).collect();
        if let Err(error) = line.services.store.count_marketing(line.tenant, &unsent, -1).await {
            tracing::warn!(tenant = %line.tenant, %error, "messages that were not sent count for a cap");
        }
        // What is paid is given back with its outcome.
        let unused = if self.is_paid() { 0 } else { allowed.saturating_sub(taken) as u64 };
        if let Err(error) = line.services.store.return_messages(line.tenant, unused).await {
            tracing::warn!(tenant = %line.tenant, %error, "messages that were not sent stay counted");
        }
        outcomes
    }

    /// Tells and writes down what came of the wave, and does not give up early: the
    /// provider cannot be asked.
    async fn record(&self, line: &SendContext<'_>, outcomes: &[Recorded<'_>]) -> Result<()> {
        let mut round = 0;
        loop {
            let recorded = self.record_once(line, outcomes).await;
            if recorded.is_ok() || round == RECORD_TRIES {
                return recorded;
            }
            line.services.store.back_off(round + 4).await;
            round += 1;
        }
    }

    async fn record_once(&self, line: &SendContext<'_>, outcomes: &[Recorded<'_>]) -> Result<()> {
        // Told before it is written down: whoever takes over does not see it again.
        tell_failures(line, outcomes).await?;
        let mut by_campaign: HashMap<CampaignId, Vec<(ContactId, u32, RowOutcome)>> = HashMap::new();
        let mut unsent: HashMap<CampaignId, Vec<Unsent>> = HashMap::new();
        for (part, _, row, entry) in outcomes {
            let (contact, attempt, outcome) = (row.contact, row.attempt, entry.clone());
            match row.cost.filter(|_| !entry.may_be_sent()) {
                Some(cost) => {
                    let entries = unsent.entry(part.campaign).or_default();
                    entries.push(Unsent { contact, attempt, outcome, cost });
                }
                None => by_campaign.entry(part.campaign).or_default().push((contact, attempt, outcome)),
            }
        }
        let store = &line.services.store;
        let given_back =
            unsent.iter().map(|(campaign, entries)| store.record_unsent(line.tenant, *campaign, entries));
        futures::future::try_join_all(given_back).await?;
        let records = by_campaign
            .iter()
            .map(|(campaign, entries)| line.services.store.record(line.tenant, *campaign, entries));
        futures::future::try_join_all(records).await?;
        remember_ids(line, outcomes).await
    }
}

/// Keeps the ids that a custom channel's platform gave: what it reports under them finds
/// its row. Meta's webhooks carry our own.
async fn remember_ids(line: &SendContext<'_>, outcomes: &[Recorded<'_>]) -> Result<()> {
    let Some(channel) = line.route.sender.channel.custom() else { return Ok(()) };
    let accepted = outcomes.iter().filter_map(|(part, _, row, entry)| {
        let RowOutcome::Accepted { provider_id, .. } = entry else { return None };
        let reference = CallbackRef::Campaign(part.campaign, row.contact, row.attempt);
        (*provider_id != reference.to_string()).then(|| (provider_id.clone(), reference))
    });
    // A platform may give one id to all.
    let ids: BTreeMap<String, CallbackRef> = accepted.collect();
    let ids: Vec<_> = ids.into_iter().collect();
    Ok(line.services.store.remember_on_channel(line.tenant, channel, &ids).await?)
}

/// What is recorded of a recipient that was claimed and not called.
fn give_back(line: &SendContext<'_>, row: &Row) -> RowOutcome {
    line.later(row, Duration::from_secs(1))
}

/// Writes down that a recipient wants no more messages: the provider said so.
async fn heed(line: &SendContext<'_>, row: &Row) -> Result<()> {
    let Some(address) = &row.address else { return Ok(()) };
    let publisher = &EventPublisher::from(line.services);
    let on = ConsentChange {
        publisher,
        tenant: line.tenant,
        account: None,
        channel: Some(&line.route.sender.channel),
        source: OptOutSource::Provider,
        word: None,
        said_ms: None,
    };
    opt_out(on, address).await.map(|_| ())
}

/// Tells what the provider refused for good; no status comes for it.
async fn tell_failures(line: &SendContext<'_>, outcomes: &[Recorded<'_>]) -> Result<()> {
    let failed = outcomes.iter().filter_map(|(part, _, row, entry)| match entry {
        RowOutcome::Failed { reason } => Some((*part, *row, reason)),
        RowOutcome::Accepted { .. }
        | RowOutcome::Skipped { .. }
        | RowOutcome::Retry { .. }
        | RowOutcome::Quiet { .. }
        | RowOutcome::Unknown => None,
    });
    let failed: Vec<(&Part, &Row, &Reason)> = failed.collect();
    if failed.is_empty() {
        return Ok(());
    }
    let publisher = &EventPublisher::from(line.services);
    let events = publisher.caused_by(line.cause, line.tenant).await?;
    let wanted = failed
        .into_iter()
        .filter(|(part, ..)| events.wants(EventType::MessageStatus, Some(part.account)))
        .map(|(part, row, reason)| OutgoingEvent::from(&failure_event(line, part, row, reason)));
    events.publish(wanted).await
}

fn failure_event(line: &SendContext<'_>, part: &Part, row: &Row, reason: &Reason) -> Event {
    let fact = StatusFact {
        account: part.account,
        channel: &line.route.sender.channel,
        sender: Some(&line.route.sender.id),
        message: CallbackRef::Campaign(part.campaign, row.contact, row.attempt),
        provider_id: None,
        to: row.address.as_ref().map(Address::id),
        contact: Some(row.contact),
        status: Status::Failed(reason.clone()),
        at_ms: line.services.store.clock().now_ms(),
    };
    message_status(line.tenant, &fact)
}

fn land(mut result: WaveResult, outcomes: Vec<Recorded<'_>>) -> WaveResult {
    for (part, block, row, entry) in outcomes {
        *result.landed.entry((part.campaign, block)).or_default() += 1;
        let (at_ms, failures, is_quiet) = match entry {
            RowOutcome::Retry { at_ms, failures } => (at_ms, failures, false),
            RowOutcome::Quiet { until_ms } => (until_ms, row.failures, true),
            RowOutcome::Accepted { .. }
            | RowOutcome::Failed { .. }
            | RowOutcome::Skipped { .. }
            | RowOutcome::Unknown => continue,
        };
        let row = Row { failures, retry_at: Some(at_ms), is_quiet, ..row.clone() };
        result.again.push((part.campaign, block, at_ms, row));
    }
    result
}
