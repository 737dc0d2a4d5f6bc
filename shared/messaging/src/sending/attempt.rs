//! One call for one recipient, and what follows from its answer. Interrupted before the call,
//! nothing was sent; after it the row is claimed, and becomes `unknown`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use channels::{Channel, OutboundMessage, Regarding};
use domain::message::CallbackRef;
use domain::outcome::{About, Acceptance, Next, Outcome, Reason, Refusal, SAME_REFUSALS, Scope};
use domain::{CampaignId, PhoneNumber, TenantId};
use queue::Unacknowledged;
use store::ledger::{Row, RowOutcome};
use store::runner::Condition;

use super::compose::Composer;
use super::health::{Answer, ProviderHealth};
use super::pacer::{Pacer, Turn};
use crate::Services;
use crate::routes::Route;
use ops::eligibility::Bar;

/// Longest hold of a sender whose throughput is reached.
const MAX_HOLD: Duration = Duration::from_secs(16);
/// The first hold of a sender whose throughput is reached. It doubles until
/// something is accepted, so that one refusal among many costs little, and a
/// sender that is really throttled is asked seldom.
const FIRST_HOLD: Duration = Duration::from_millis(100);
/// What was thought of the provider when the sender was let go longer ago than this says
/// nothing of it now. Longer than any pause of an outage.
const FORGOTTEN_MS: i64 = 900_000;
/// When a recipient is looked at again whose call was not made because others wait for
/// their answers.
const SILENT: Duration = Duration::from_secs(1);

/// What a sender's runner and all its attempts share.
#[derive(Debug)]
pub(super) struct SendContext<'a> {
    pub(super) services: &'a Services,
    /// The wake-up that it is run for.
    pub(super) cause: Unacknowledged<'a>,
    pub(super) tenant: &'a TenantId,
    pub(super) route: &'a Route,
    pub(super) pacer: Pacer,
    pub(super) health: ProviderHealth,
    /// Most messages in a day, by the tenant's plan.
    pub(super) daily_limit: Option<u64>,
    /// Why nothing more may be sent by anybody from here.
    stopped: OnceLock<Reason>,
    /// Refusals for throughput in a row.
    throttled: AtomicU32,
    campaigns: Mutex<Campaigns>,
}

/// What is known of the campaigns that a sender sends.
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
    pub(super) entry: RowOutcome,
    /// The provider says that the recipient wants no such messages.
    pub(super) opted_out: bool,
    /// The number that the provider knows the recipient by.
    pub(super) recipient: Option<PhoneNumber>,
}

impl From<RowOutcome> for Attempted {
    fn from(entry: RowOutcome) -> Self {
        Self { entry, opted_out: false, recipient: None }
    }
}

impl<'a> SendContext<'a> {
    /// A sender that fares as `condition` says.
    pub(super) fn new(
        services: &'a Services,
        cause: Unacknowledged<'a>,
        tenant: &'a TenantId,
        (route, daily_limit): (&'a Route, Option<u64>),
        condition: &Condition,
    ) -> Self {
        let per_second = route.sender.pace.per_second;
        let pacer = Pacer::new(route.sender.pace);
        let held = condition.held_until_ms - services.store.clock().now_ms();
        let outages = if held < -FORGOTTEN_MS { 0 } else { condition.outages };
        pacer.hold(Duration::from_millis(u64::try_from(held).unwrap_or(0)));
        Self {
            services,
            cause,
            tenant,
            route,
            pacer,
            health: ProviderHealth::new(per_second, outages),
            daily_limit,
            stopped: OnceLock::new(),
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

    /// What the channel is called, in what people read.
    pub(super) fn channel(&self) -> &str {
        self.route.sender.channel.title()
    }

    /// Why nothing more may be sent.
    pub(super) fn stopped(&self) -> Option<&Reason> {
        self.stopped.get()
    }

    /// Sends to one claimed recipient in its turn. Who cannot have a turn now is given
    /// back: nobody waits who is claimed.
    pub(super) async fn attempt(&self, campaign: CampaignId, composer: &Composer, row: &Row) -> Attempted {
        let Some(address) = &row.address else {
            return row.skip(Bar::NoAddress.into()).into();
        };
        if let Some(reason) = composer.outdated(&row.params, self.services.store.clock().now_ms()) {
            return row.skip(reason).into();
        }
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
        let regarding = &Regarding::default();
        let delivery = OutboundMessage { to: address, content: &content, reference: callback, regarding };
        let outcome = self.route.channel.send(&delivery).await;
        if let Some(pause) = self.health.end(call, answer(&outcome, row)) {
            tracing::warn!(tenant = %self.tenant, seconds = pause.as_secs(), "a provider does not answer: the sender rests");
            self.pacer.hold(pause);
        }
        self.judge(campaign, row, outcome)
    }

    fn judge(&self, campaign: CampaignId, row: &Row, outcome: Outcome) -> Attempted {
        match outcome {
            Outcome::Accepted(acceptance) => {
                self.throttled.store(0, Ordering::Relaxed);
                self.pacer.speed_up();
                self.campaigns().refusals.remove(&campaign);
                let Acceptance { provider_id, held, recipient } = acceptance;
                Attempted { recipient, ..RowOutcome::Accepted { provider_id, held }.into() }
            }
            Outcome::Ambiguous => RowOutcome::Unknown.into(),
            Outcome::Unreachable => self.later(row, SILENT).into(),
            Outcome::Refused(refusal) => Attempted {
                opted_out: refusal.next == Next::OptOut,
                ..self.refused(&refusal, campaign, row).into()
            },
        }
    }

    fn refused(&self, refusal: &Refusal, campaign: CampaignId, row: &Row) -> RowOutcome {
        let failed = || RowOutcome::Failed { reason: refusal.reason.clone() };
        let failures = row.failures + 1;
        match refusal.next {
            Next::Retry { attempts: None, scope, .. } => self.asked_to_wait(refusal, scope, row),
            Next::Retry { attempts: Some(most), .. } if failures < most => {
                self.again(refusal.delay(failures).unwrap_or_default(), failures)
            }
            Next::Never | Next::Retry { .. } if self.is_everybodys(refusal, campaign) => {
                self.later(row, Duration::ZERO)
            }
            Next::Never | Next::Retry { .. } | Next::OptOut => failed(),
            Next::PauseCampaign => {
                self.halt(campaign, format!("{} answered with {}", self.channel(), refusal.reason));
                self.later(row, Duration::ZERO)
            }
            Next::StopSender => {
                self.stopped.get_or_init(|| refusal.reason.clone());
                self.later(row, Duration::ZERO)
            }
        }
    }

    /// The provider wants us to wait: it uses up no attempt of the message.
    fn asked_to_wait(&self, refusal: &Refusal, scope: Scope, row: &Row) -> RowOutcome {
        let delay = refusal.delay(row.attempt).unwrap_or_default();
        match scope {
            Scope::Sender | Scope::Account => self.pacer.hold(self.hold_for(refusal).unwrap_or(delay)),
            Scope::Message | Scope::Recipient => {}
        }
        self.later(row, delay)
    }

    /// Whether the campaign is refused for what it is, not for whom it is sent to: then
    /// it pauses, and whom else it is refused for waits. Only a message that is taken shows
    /// that it can be sent: refusals that are one person's in between say nothing of it.
    fn is_everybodys(&self, refusal: &Refusal, campaign: CampaignId) -> bool {
        if refusal.about != About::Campaign {
            return false;
        }
        let mut campaigns = self.campaigns();
        let times = campaigns.refusals.entry(campaign).or_default();
        *times = times.saturating_add(1);
        let times = *times;
        drop(campaigns);
        if times >= SAME_REFUSALS {
            let (channel, reason) = (self.channel(), &refusal.reason);
            let reason =
                format!("{channel} refused {SAME_REFUSALS} messages in a row, the last with {reason}");
            self.halt(campaign, reason);
        }
        times > SAME_REFUSALS
    }

    /// How long the sender is held whose throughput is reached, when the provider says
    /// nothing about it. Those that were under way when it was reached are one refusal.
    fn hold_for(&self, refusal: &Refusal) -> Option<Duration> {
        if refusal.about != About::Throughput || refusal.retry_after.is_some() {
            return None;
        }
        if self.pacer.held_for().is_some() {
            return Some(Duration::ZERO);
        }
        self.pacer.slow_down();
        let times = self.throttled.fetch_add(1, Ordering::Relaxed);
        Some((FIRST_HOLD * (1 << times.min(8))).min(MAX_HOLD))
    }

    /// The recipient waits for its next attempt, and none was used up.
    pub(super) fn later(&self, row: &Row, delay: Duration) -> RowOutcome {
        self.again(delay, row.failures)
    }

    fn again(&self, delay: Duration, failures: u32) -> RowOutcome {
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 2);
        RowOutcome::Retry { at_ms: self.services.store.clock().now_ms().saturating_add(delay), failures }
    }
}

/// What an outcome says of the provider itself.
fn answer(outcome: &Outcome, row: &Row) -> Answer {
    match outcome {
        Outcome::Ambiguous | Outcome::Unreachable => Answer::Unclear,
        Outcome::Refused(refusal) if refusal.about == About::Outage => {
            Answer::Busy { anew: row.failures == 0 }
        }
        Outcome::Accepted(_) | Outcome::Refused(_) => Answer::Clear,
    }
}
