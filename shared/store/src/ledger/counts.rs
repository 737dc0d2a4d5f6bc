//! How many recipients are in each state, and how the head of a block keeps that.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::recipient::State;

use super::PlannedRow;
use crate::item::{Item, n, number};

/// How many recipients are in each state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    by_state: BTreeMap<&'static str, u64>,
    /// Accepted, but held for Meta's quality assessment.
    pub held: u64,
}

impl Counts {
    /// The recipients in a state.
    pub fn of(&self, state: State) -> u64 {
        self.by_state.get(state.as_str()).copied().unwrap_or(0)
    }

    /// All recipients.
    pub fn total(&self) -> u64 {
        self.by_state.values().sum()
    }

    /// Of recipients as they are planned.
    pub fn planned(rows: &[PlannedRow]) -> Self {
        let mut counts = Self::default();
        rows.iter().for_each(|row| counts.add(row.state(), 1));
        counts
    }

    pub(super) fn add(&mut self, state: State, count: u64) {
        *self.by_state.entry(state.as_str()).or_default() += count;
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        State::ALL.into_iter().for_each(|state| self.add(state, other.of(state)));
        self.held += other.held;
    }

    /// As the head of a block keeps them.
    pub(super) fn attribute(&self) -> AttributeValue {
        let mut counts: Item = State::ALL.map(|s| (s.as_str().to_owned(), n(self.of(s)))).into();
        counts.insert("held".to_owned(), n(self.held));
        AttributeValue::M(counts)
    }

    /// The counts of a block as its head keeps them.
    pub(super) fn stored_in(head: &Item) -> Self {
        let mut counts = Self::default();
        let stored = head.get("counts").and_then(|c| c.as_m().ok());
        for state in State::ALL {
            counts.add(state, stored.and_then(|c| number(c, state.as_str())).unwrap_or(0));
        }
        counts.held = stored.and_then(|c| number(c, "held")).unwrap_or(0);
        counts
    }
}
