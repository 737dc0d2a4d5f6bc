//! What the tables were asked, and the capacity units it consumed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Totals of one action.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ActionTotals {
    /// Requests, refused ones included.
    pub requests: u64,
    /// Read capacity units, as the engine reports them.
    pub read_units: f64,
    /// Write capacity units, as the engine reports them.
    pub write_units: f64,
}

/// Running totals of the table store, by action name such as `PutItem`.
///
/// The engine reports no units for a request it refuses, so a failed condition
/// counts as a request only.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConsumedTotals {
    /// Totals by action.
    pub actions: BTreeMap<String, ActionTotals>,
}

impl ConsumedTotals {
    /// Requests of all actions.
    pub fn requests(&self) -> u64 {
        self.actions.values().map(|action| action.requests).sum()
    }

    /// Read capacity units of all actions.
    pub fn read_units(&self) -> f64 {
        self.actions.values().map(|action| action.read_units).sum()
    }

    /// Write capacity units of all actions.
    pub fn write_units(&self) -> f64 {
        self.actions.values().map(|action| action.write_units).sum()
    }
}

/// Units of one request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Units {
    Read(f64),
    Write(f64),
}

/// The meter behind [`ConsumedTotals`].
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<ConsumedTotals>);

impl Meter {
    /// Counts one request of `action`.
    pub(super) fn record(&self, action: &str, units: Units) {
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !totals.actions.contains_key(action) {
            totals.actions.insert(action.to_owned(), ActionTotals::default());
        }
        if let Some(entry) = totals.actions.get_mut(action) {
            entry.requests += 1;
            match units {
                Units::Read(units) => entry.read_units += units,
                Units::Write(units) => entry.write_units += units,
            }
        }
    }

    pub(super) fn totals(&self) -> ConsumedTotals {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ConsumedTotals::default();
    }
}
