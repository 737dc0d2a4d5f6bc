//! Credits: what sub-accounts pay with, and what agencies grant them. Whoever is no
//! sub-account pays nothing, and nothing is asked for it.

mod grant;
mod history;
mod waiting;

pub use grant::{GrantDone, NewGrant, grant};
pub use history::{CreditEntry, CreditPage, history};
pub use waiting::{NO_CREDITS, resumable, unfunded};

use domain::account::Tenant;
use domain::channel::Channel;
use domain::message::Category;
use domain::outcome::Reason;
use store::credits::{Charge, Payment, Purse, Shortage};
use store::outbox::Written;
use store::usage::Allowance;

use crate::events::{EventPublisher, Transaction};
use crate::{Code, Error, Result};

/// What one message of a tenant costs; `None` when the tenant does not pay with credits.
/// `purse` is what is known of it.
pub fn payment(
    tenant: &Tenant,
    (channel, category): (&Channel, Option<Category>),
    purse: Option<Purse>,
) -> Option<Payment> {
    let sub = tenant.standing.sub_account()?;
    let (per_day, per_minute) = (tenant.plan.messages_per_day, tenant.plan.messages_per_minute);
    let limits = Allowance { per_day, per_minute };
    let charge = Charge { credits: sub.prices.of(channel, category), messages: 1, limits };
    Some(Payment { charge, purse })
}

/// Refuses what there are surely no credits for, before anything else is done for it.
///
/// # Errors
/// [`Code::NoCredits`]
pub fn check(payment: &Payment) -> Result<()> {
    match &payment.purse {
        Some(purse) if purse.balance < payment.charge.credits => {
            Err(short(Shortage::Credits { balance: purse.balance }))
        }
        Some(_) | None => Ok(()),
    }
}

/// What is answered to whoever has too little.
pub fn short(shortage: Shortage) -> Error {
    match shortage {
        Shortage::Credits { .. } => {
            let message = "the credits are used up: ask your agency for more";
            Error { reason: Some(Reason::word(NO_CREDITS)), ..Error::new(Code::NoCredits, message) }
        }
        Shortage::Disabled => Error::new(Code::Forbidden, "the account is switched off by its agency"),
        Shortage::Day { .. } => Error::new(Code::PlanLimit, "the plan's messages of today are used up"),
        Shortage::Minute(seconds) => {
            let message = format!("the plan's messages of this minute are used up: wait {seconds} seconds");
            Error::new(Code::RateLimited, message).after(seconds)
        }
    }
}

/// Tells an agency what was written for it. What goes wrong is only logged: the sweep tells it.
pub async fn tell(publisher: &EventPublisher, written: Written) {
    let Some(agency) = written.entries().first().map(|entry| entry.tenant.clone()) else { return };
    match publisher.caused_by(Transaction, &agency).await {
        Ok(events) => events.publish(written).await,
        Err(error) => {
            tracing::warn!(tenant = %agency, code = error.code.as_str(), "the sweep tells an agency");
        }
    }
}
