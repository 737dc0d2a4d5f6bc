//! Paying: what is paid for, and the purse, in one transaction.

use domain::TenantId;

use super::{Charge, Purse, Shortage};
use crate::batch::Action;
use crate::outbox::{Note, Written};
use crate::{Error, Result, Store};

/// Tries against others who pay from the same purse.
const TRIES: u32 = 12;

/// A charge, with what is known of the purse; nothing need be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// What it costs.
    pub charge: Charge,
    /// The purse as it was last seen.
    pub purse: Option<Purse>,
}

/// How a payment ended.
#[derive(Debug)]
#[must_use = "what was written is to be told on, and what was not is not to be sent"]
pub enum Paid {
    /// It is paid, with what was written for the agency to be told.
    Yes(Written),
    /// It is not: nothing was written.
    Short(Shortage),
    /// What it was for is otherwise than it was taken for: nothing was written.
    Elsewise,
}

impl Store {
    /// Pays for what `actions` write, all or nothing. What is known of the purse is only a
    /// hint.
    pub(crate) async fn pay(&self, tenant: &TenantId, payment: &Payment, actions: &[Action]) -> Result<Paid> {
        let mut known = payment.purse.clone();
        for attempt in 0..TRIES {
            let is_hint = known.is_some();
            let purse = match known.take() {
                Some(purse) => purse,
                None => self.purse(tenant).await?.unwrap_or_default(),
            };
            let debit = match purse.debit(tenant, &payment.charge, self.clock().now()) {
                Ok(debit) => debit,
                // Something may have been granted since it was seen.
                Err(_) if is_hint => continue,
                Err(short) => return Ok(Paid::Short(short)),
            };
            let note = match &debit.crossing {
                Some(low) => self.low_note(low)?,
                None => Note::none(),
            };
            let mut all = vec![Action::Update(debit.update)];
            all.extend(actions.iter().cloned());
            all.extend(note.actions()?);
            match self.try_transact(all).await {
                Ok(failed) if failed.is_empty() => return Ok(Paid::Yes(note.written())),
                Ok(failed) if failed.iter().any(|index| *index > 0) => return Ok(Paid::Elsewise),
                Ok(_) | Err(Error::Contended) => self.back_off(attempt.min(3)).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }
}
