use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use domain::account::Number;
use domain::message::CallbackRef;
use domain::provider::{Action, Outcome, ProviderError, Scope, action};
use domain::{CampaignId, TenantId};
use store::ledger::{Entry, Row};

use super::compose::Composer;
use super::pacer::Pacer;
use crate::events::Teller;
use crate::suppression::{Occasion, Source, opt_out};
use crate::{Result, Sender};

/// Longest hold of a number whose provider cannot be reached.
const MAX_HOLD: Duration = Duration::from_secs(16);
/// Meta's «throughput reached».
const THROUGHPUT: i64 = 130_429;
/// The first hold of a number whose throughput is reached. It doubles until
/// something is accepted, so that one refusal among many costs little, and a
/// number that is really throttled is asked seldom.
const FIRST_HOLD: Duration = Duration::from_millis(100);

/// A reason to stop, set at most once: an error code of the provider.
#[derive(Debug)]
pub(super) struct Stop(AtomicI64);

impl Stop {
    const NONE: i64 = i64::MIN;

    pub(super) fn new() -> Self {
        Self(AtomicI64::new(Self::NONE))
    }

    pub(super) fn set(&self, code: i64) {
        self.0.store(code, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|code| *code != Self::NONE)
    }
}

/// What a number's runner and all its attempts share.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) sender: &'a Sender,
    pub(super) tenant: &'a TenantId,
    pub(super) number: &'a Number,
    pub(super) pacer: Pacer,
    /// Why nothing more may be sent by anybody on this number.
    pub(super) stopped: Stop,
    /// Most messages in a day, by the tenant's plan.
    pub(super) daily_limit: Option<u64>,
    /// Attempts in a row that did not reach the provider.
    unreachable: AtomicU32,
    /// Refusals for throughput in a row.
    throttled: AtomicU32,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        sender: &'a Sender,
        tenant: &'a TenantId,
        number: &'a Number,
        daily_limit: Option<u64>,
    ) -> Self {
        let pacer = Pacer::new(number.per_second);
        Self {
            sender,
            tenant,
            number,
            pacer,
            stopped: Stop::new(),
            daily_limit,
            unreachable: AtomicU32::new(0),
            throttled: AtomicU32::new(0),
        }
    }

    /// Sends to one claimed recipient in its turn. `halt` is set when the
    /// campaign must not send on; then the rest of its wave is given back.
    pub(super) async fn attempt(
        &self,
        campaign: CampaignId,
        composer: &Composer,
        row: &Row,
        halt: &Stop,
    ) -> Result<Entry> {
        let Some(address) = &row.address else {
            return Ok(Entry::Skipped { reason: "no_address".to_owned() });
        };
        self.pacer.turn().await;
        if halt.get().is_some() || self.stopped.get().is_some() {
            return Ok(self.later(Duration::ZERO));
        }
        let callback = CallbackRef::Campaign(campaign, row.contact, row.attempt);
        let content = composer.content(&row.params);
        match self.sender.graph.send(self.number, address, &content, callback).await {
            Outcome::Accepted(acceptance) => {
                self.unreachable.store(0, Ordering::Relaxed);
                self.throttled.store(0, Ordering::Relaxed);
                Ok(Entry::Accepted { provider_id: acceptance.provider_id, held: acceptance.held })
            }
            Outcome::Ambiguous => Ok(Entry::Unknown),
            Outcome::Unreachable => Ok(self.unreachable()),
            Outcome::Refused(error) => {
                self.unreachable.store(0, Ordering::Relaxed);
                if action(&error, row.attempt) == Action::OptOut {
                    let (teller, source) = (&Teller::from(self.sender), Source::Provider);
                    let on = Occasion { teller, tenant: self.tenant, account: None, source, said_ms: None };
                    opt_out(on, address).await?;
                }
                Ok(self.refused(&error, row.attempt, halt))
            }
        }
    }

    fn unreachable(&self) -> Entry {
        let times = self.unreachable.fetch_add(1, Ordering::Relaxed);
        let hold = Duration::from_secs(1 << (times / 16).min(4)).min(MAX_HOLD);
        self.pacer.hold(hold);
        self.later(hold)
    }

    fn refused(&self, error: &ProviderError, attempt: u32, halt: &Stop) -> Entry {
        let failed = || Entry::Failed { reason: error.code.to_string() };
        match action(error, attempt) {
            Action::Permanent | Action::OptOut => failed(),
            Action::Retry { attempts: Some(most), .. } if attempt >= most => failed(),
            Action::Retry { scope: Scope::Number | Scope::Account, delay, .. } => {
                self.pacer.hold(self.hold_for(error).unwrap_or(delay));
                self.later(delay)
            }
            Action::Retry { scope: Scope::Message | Scope::Recipient, delay, .. } => self.later(delay),
            Action::PauseCampaign => {
                halt.set(error.code);
                self.later(Duration::ZERO)
            }
            Action::StopChannel => {
                self.stopped.set(error.code);
                self.later(Duration::ZERO)
            }
        }
    }

    /// How long the number is held for a refusal that says nothing about it.
    fn hold_for(&self, error: &ProviderError) -> Option<Duration> {
        if error.code != THROUGHPUT || error.retry_after.is_some() {
            return None;
        }
        let times = self.throttled.fetch_add(1, Ordering::Relaxed);
        Some((FIRST_HOLD * (1 << times.min(8))).min(MAX_HOLD))
    }

    pub(super) fn later(&self, delay: Duration) -> Entry {
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 2);
        Entry::Retry { at_ms: self.sender.store.clock().now_ms() + delay }
    }
}
