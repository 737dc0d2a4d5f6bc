use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::account::Number;
use domain::message::CallbackRef;
use domain::provider::{Action, Outcome, ProviderError, SAME_REFUSALS, Scope, action, concerns_campaign};
use domain::{CampaignId, TenantId};
use store::ledger::{Entry, Row};
use store::runner::Condition;

use super::compose::Composer;
use super::health::{Answer, Health};
use super::pacer::{Pacer, Turn};
use crate::Services;

/// Longest hold of a number whose throughput is reached.
const MAX_HOLD: Duration = Duration::from_secs(16);
/// Meta's «throughput reached».
const THROUGHPUT: i64 = 130_429;
/// The first hold of a number whose throughput is reached. It doubles until
/// something is accepted, so that one refusal among many costs little, and a
/// number that is really throttled is asked seldom.
const FIRST_HOLD: Duration = Duration::from_millis(100);
/// When a recipient is looked at again whose call was not made because others wait for
/// their answers.
const SILENT: Duration = Duration::from_secs(1);

/// What a number's runner and all its attempts share.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) services: &'a Services,
    pub(super) tenant: &'a TenantId,
    pub(super) number: &'a Number,
    pub(super) pacer: Pacer,
    pub(super) health: Health,
    /// Most messages in a day, by the tenant's plan.
    pub(super) daily_limit: Option<u64>,
    /// Why nothing more may be sent by anybody on this number: the provider's code.
    stopped: AtomicI64,
    /// Refusals for throughput in a row.
    throttled: AtomicU32,
    campaigns: Mutex<Campaigns>,
}

/// What is known of the campaigns that a number sends.
#[derive(Debug, Default)]
struct Campaigns {
    /// Why one must not send on.
    halted: BTreeMap<CampaignId, String>,
    /// How often in a row one was refused for what it is.
    refusals: BTreeMap<CampaignId, u32>,
}

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Attempted {
    pub(super) entry: Entry,
    /// The provider says that the recipient wants no such messages.
    pub(super) opted_out: bool,
}

impl From<Entry> for Attempted {
    fn from(entry: Entry) -> Self {
        Self { entry, opted_out: false }
    }
}

const NOT_STOPPED: i64 = i64::MIN;

impl<'a> Line<'a> {
    /// A number that fares as `condition` says.
    pub(super) fn new(
        services: &'a Services,
        tenant: &'a TenantId,
        number: &'a Number,
        daily_limit: Option<u64>,
        condition: &Condition,
    ) -> Self {
        let pacer = Pacer::new(number.per_second);
        let held = condition.held_until_ms - services.store.clock().now_ms();
        pacer.hold(Duration::from_millis(u64::try_from(held).unwrap_or(0)));
        Self {
            services,
            tenant,
            number,
            pacer,
            health: Health::new(number.per_second, condition.outages),
            daily_limit,
            stopped: AtomicI64::new(NOT_STOPPED),
            throttled: AtomicU32::new(0),
            campaigns: Mutex::default(),
        }
    }

    fn campaigns(&self) -> MutexGuard<'_, Campaigns> {
        self.campaigns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a campaign must not send on.
    pub(super) fn halted(&self, id: CampaignId) -> Option<String> {
        self.campaigns().halted.get(&id).cloned()
    }

    /// Lets a campaign send nothing more; the first reason stands.
    pub(super) fn halt(&self, id: CampaignId, reason: String) {
        self.campaigns().halted.entry(id).or_insert(reason);
    }

    /// Forgets a campaign that is let go.
    pub(super) fn forget(&self, id: CampaignId) {
        let mut campaigns = self.campaigns();
        campaigns.halted.remove(&id);
        campaigns.refusals.remove(&id);
    }

    /// The provider's code that stopped the number.
    pub(super) fn stopped(&self) -> Option<i64> {
        Some(self.stopped.load(Ordering::Relaxed)).filter(|code| *code != NOT_STOPPED)
    }

    /// Sends to one claimed recipient in its turn. Who cannot have a turn now is given
    /// back: nobody waits who is claimed.
    pub(super) async fn attempt(&self, campaign: CampaignId, composer: &Composer, row: &Row) -> Attempted {
        let Some(address) = &row.address else {
            return Entry::Skipped { reason: "no_address".to_owned() }.into();
        };
        match self.pacer.turn().await {
            Turn::Now => {}
            Turn::Held(held) => return self.later(row, held).into(),
        }
        if self.stopped().is_some() || self.halted(campaign).is_some() {
            return self.later(row, Duration::ZERO).into();
        }
        if self.health.is_silent() {
            return self.later(row, SILENT).into();
        }
        let callback = CallbackRef::Campaign(campaign, row.contact, row.attempt);
        let content = composer.content(&row.params);
        let call = self.health.begin();
        let outcome = self.services.graph.send(self.number, address, &content, callback).await;
        if let Some(pause) = self.health.end(call, answer(&outcome, row)) {
            tracing::warn!(tenant = %self.tenant, seconds = pause.as_secs(), "a provider does not answer: its number rests");
            self.pacer.hold(pause);
        }
        self.judge(campaign, row, outcome)
    }

    fn judge(&self, campaign: CampaignId, row: &Row, outcome: Outcome) -> Attempted {
        match outcome {
            Outcome::Accepted(acceptance) => {
                self.throttled.store(0, Ordering::Relaxed);
                self.campaigns().refusals.remove(&campaign);
                Entry::Accepted { provider_id: acceptance.provider_id, held: acceptance.held }.into()
            }
            Outcome::Ambiguous => Entry::Unknown.into(),
            Outcome::Unreachable => self.later(row, SILENT).into(),
            Outcome::Refused(error) => Attempted {
                opted_out: action(&error, 1) == Action::OptOut,
                entry: self.refused(&error, campaign, row),
            },
        }
    }

    fn refused(&self, error: &ProviderError, campaign: CampaignId, row: &Row) -> Entry {
        let failed = || Entry::Failed { reason: error.code.to_string() };
        let failures = row.failures + 1;
        match action(error, failures) {
            Action::Permanent if self.is_everybodys(error.code, campaign) => self.later(row, Duration::ZERO),
            Action::Permanent | Action::OptOut => failed(),
            Action::Retry { attempts: None, .. } => self.asked_to_wait(error, row),
            Action::Retry { attempts: Some(most), .. } if failures >= most => failed(),
            Action::Retry { delay, .. } => self.again(delay, failures),
            Action::PauseCampaign => {
                self.halt(campaign, format!("WhatsApp answered with code {}", error.code));
                self.later(row, Duration::ZERO)
            }
            Action::StopChannel => {
                self.stopped.store(error.code, Ordering::Relaxed);
                self.later(row, Duration::ZERO)
            }
        }
    }

    /// The provider wants us to wait: it uses up no attempt of the message.
    fn asked_to_wait(&self, error: &ProviderError, row: &Row) -> Entry {
        let Action::Retry { scope, delay, .. } = action(error, row.attempt) else {
            return self.later(row, Duration::ZERO);
        };
        match scope {
            Scope::Number | Scope::Account => self.pacer.hold(self.hold_for(error).unwrap_or(delay)),
            Scope::Message | Scope::Recipient => {}
        }
        self.later(row, delay)
    }

    /// Whether the campaign is refused for what it is, not for whom it is sent to: then
    /// it pauses, and whom else it is refused for waits.
    fn is_everybodys(&self, code: i64, campaign: CampaignId) -> bool {
        if !concerns_campaign(code) {
            self.campaigns().refusals.remove(&campaign);
            return false;
        }
        let mut campaigns = self.campaigns();
        let times = campaigns.refusals.entry(campaign).or_default();
        *times = times.saturating_add(1);
        let times = *times;
        drop(campaigns);
        if times >= SAME_REFUSALS {
            let reason =
                format!("WhatsApp refused {SAME_REFUSALS} messages in a row, the last with code {code}");
            self.halt(campaign, reason);
        }
        times > SAME_REFUSALS
    }

    /// How long the number is held for a refusal that says nothing about it.
    fn hold_for(&self, error: &ProviderError) -> Option<Duration> {
        if error.code != THROUGHPUT || error.retry_after.is_some() {
            return None;
        }
        let times = self.throttled.fetch_add(1, Ordering::Relaxed);
        Some((FIRST_HOLD * (1 << times.min(8))).min(MAX_HOLD))
    }

    /// The recipient waits for its next attempt, and none was used up.
    pub(super) fn later(&self, row: &Row, delay: Duration) -> Entry {
        self.again(delay, row.failures)
    }

    fn again(&self, delay: Duration, failures: u32) -> Entry {
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 2);
        Entry::Retry { at_ms: self.services.store.clock().now_ms().saturating_add(delay), failures }
    }
}

/// What an outcome says of the provider itself.
fn answer(outcome: &Outcome, row: &Row) -> Answer {
    match outcome {
        Outcome::Ambiguous | Outcome::Unreachable => Answer::Unclear,
        Outcome::Refused(error) if error.is_outage() => Answer::Busy { anew: row.failures == 0 },
        Outcome::Accepted(_) | Outcome::Refused(_) => Answer::Clear,
    }
}
