//! Faults on request: rules that make calls fail the way the real API fails.

use serde::{Deserialize, Serialize};

use crate::graph::{
    clock::Entropy,
    errors::{Error, GraphError, Refusal},
};

/// One rule: what happens, and to which calls.
///
/// Exactly one of `code`, `http_status`, `timeout_after_accept`, `drop_before_accept` and
/// `status_failed` is given, or only `delay_ms`. At most one of `next`, `every` and `share`
/// selects the calls; without any, all are meant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultRule {
    /// Answer with this Graph error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Subcode of the Graph error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subcode: Option<u32>,
    /// Text of `error_data.details`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Value of a `Retry-After` header, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Answer with this status and no Graph envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Accept the message, then stay silent for `hang_ms` and close the connection.
    pub timeout_after_accept: bool,
    /// Do not accept the message, stay silent for `hang_ms` and close the connection.
    pub drop_before_accept: bool,
    /// Accept the message, and let its status webhook say that it failed with this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_failed: Option<u32>,

    /// The next n calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// Every nth call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// This share of the calls, between 0 and 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Only messages to this recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    pub on: FaultTarget,

    /// Wait before anything else happens.
    pub delay_ms: u64,
    /// Silence before the connection closes: 60 s after acceptance, none before, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang_ms: Option<u64>,
}

/// The calls a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultTarget {
    #[default]
    Messages,
    Templates,
    Media,
    Catalogs,
    /// Every call that is not a message.
    Other,
    Any,
}

/// A rule with what it has done so far.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveFault {
    #[serde(flatten)]
    pub rule: FaultRule,
    /// Calls the rule was about.
    pub seen: u64,
    /// Calls the rule was applied to.
    pub applied: u64,
    #[serde(skip)]
    entropy: Entropy,
}

/// What a rule decided about one call.
#[derive(Debug)]
pub(crate) struct Injected {
    pub(crate) delay_ms: u64,
    pub(crate) effect: Effect,
}

#[derive(Debug)]
pub(crate) enum Effect {
    Refuse(Refusal),
    AcceptThenHang { hang_ms: u64 },
    FailLater(u32),
    Nothing,
}

const HANG_MS: u64 = 60_000;

#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<ActiveFault>,
}

impl Faults {
    pub(crate) fn add(&mut self, rules: Vec<FaultRule>, entropy: &mut Entropy) -> Result<(), Error> {
        rules.iter().try_for_each(FaultRule::check)?;
        self.rules.extend(rules.into_iter().map(|mut rule| {
            rule.to = rule.to.map(|to| to.trim_start_matches('+').to_owned());
            ActiveFault { rule, seen: 0, applied: 0, entropy: Entropy::new(entropy.next_u64()) }
        }));
        Ok(())
    }

    pub(crate) fn replace(&mut self, rules: Vec<FaultRule>, entropy: &mut Entropy) -> Result<(), Error> {
        let mut fresh = Self::default();
        fresh.add(rules, entropy)?;
        *self = fresh;
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn list(&self) -> Vec<ActiveFault> {
        self.rules.clone()
    }

    /// The first rule that is about this call decides.
    pub(crate) fn decide(&mut self, target: FaultTarget, to: Option<&str>) -> Option<Injected> {
        let rule = self.rules.iter_mut().find_map(|active| {
            let chosen = active.rule.is_about(target, to) && active.selects();
            chosen.then_some(&active.rule)
        })?;
        Some(Injected { delay_ms: rule.delay_ms, effect: rule.effect() })
    }
}

impl ActiveFault {
    fn selects(&mut self) -> bool {
        self.seen += 1;
        let chosen = match &self.rule {
            FaultRule { next: Some(n), .. } => self.applied < *n,
            FaultRule { every: Some(n), .. } => self.seen.is_multiple_of(*n),
            FaultRule { share: Some(share), .. } => self.entropy.happens(*share),
            _ => true,
        };
        self.applied += u64::from(chosen);
        chosen
    }
}

impl FaultRule {
    fn check(&self) -> Result<(), Error> {
        let actions = [
            self.code.is_some(),
            self.http_status.is_some(),
            self.timeout_after_accept,
            self.drop_before_accept,
            self.status_failed.is_some(),
        ];
        let selectors = [self.next.is_some(), self.every.is_some(), self.share.is_some()];
        let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count();
        let problem = if count(&actions) > 1 || (count(&actions) == 0 && self.delay_ms == 0) {
            "a fault needs exactly one of code, http_status, timeout_after_accept, drop_before_accept, \
             status_failed, or a delay_ms"
        } else if count(&selectors) > 1 {
            "a fault takes at most one of next, every, share"
        } else if self.every == Some(0) {
            "every must be at least 1"
        } else if self.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            "share must be between 0 and 1"
        } else if self.http_status.is_some_and(|status| !(400..=599).contains(&status)) {
            "http_status must be between 400 and 599"
        } else {
            return Ok(());
        };
        Err(Error::Invalid(problem.to_owned()))
    }

    fn is_about(&self, target: FaultTarget, to: Option<&str>) -> bool {
        (self.on == FaultTarget::Any || self.on == target)
            && self.to.as_deref().is_none_or(|only| to == Some(only))
    }

    fn effect(&self) -> Effect {
        if let Some(code) = self.code {
            let error = GraphError::injected(code, self.subcode, self.details.clone(), self.retry_after);
            Effect::Refuse(Refusal::Graph(error))
        } else if let Some(status) = self.http_status {
            Effect::Refuse(Refusal::Bare(status))
        } else if self.drop_before_accept {
            Effect::Refuse(Refusal::Silence { hang_ms: self.hang_ms.unwrap_or(0) })
        } else if self.timeout_after_accept {
            Effect::AcceptThenHang { hang_ms: self.hang_ms.unwrap_or(HANG_MS) }
        } else if let Some(code) = self.status_failed {
            Effect::FailLater(code)
        } else {
            Effect::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(rule: FaultRule, calls: usize) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.add(vec![rule], &mut Entropy::new(42)).unwrap();
        (0..calls).map(|_| faults.decide(FaultTarget::Messages, Some("39333")).is_some()).collect()
    }

    fn rule() -> FaultRule {
        FaultRule { code: Some(131_000), ..FaultRule::default() }
    }

    #[test]
    fn selectors_choose_the_calls() {
        assert_eq!(applied(rule(), 3), [true, true, true]);
        assert_eq!(applied(FaultRule { next: Some(2), ..rule() }, 4), [true, true, false, false]);
        assert_eq!(
            applied(FaultRule { every: Some(3), ..rule() }, 6),
            [false, false, true, false, false, true]
        );
        let hit = applied(FaultRule { share: Some(0.25), ..rule() }, 10_000).into_iter().filter(|hit| *hit);
        assert!((2_300..2_700).contains(&hit.count()));
        assert_eq!(applied(FaultRule { to: Some("+39333".to_owned()), ..rule() }, 1), [true]);
        assert_eq!(applied(FaultRule { to: Some("39444".to_owned()), ..rule() }, 1), [false]);
        assert_eq!(applied(FaultRule { on: FaultTarget::Media, ..rule() }, 1), [false]);
    }

    #[test]
    fn contradictory_rules_are_refused() {
        let refused = [
            FaultRule::default(),
            FaultRule { http_status: Some(500), ..rule() },
            FaultRule { next: Some(1), every: Some(2), ..rule() },
            FaultRule { every: Some(0), ..rule() },
            FaultRule { share: Some(1.5), ..rule() },
        ];
        for rule in refused {
            assert!(Faults::default().add(vec![rule.clone()], &mut Entropy::new(1)).is_err(), "{rule:?}");
        }
    }
}
