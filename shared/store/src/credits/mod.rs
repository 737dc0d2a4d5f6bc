//! The credits of sub-accounts: `CREDITS#<tenant>`.
//!
//! `-` is the purse: what is left, and what was ever granted, debited and refunded, which
//! always makes up the balance. What is paid for says so itself: a message or a row with
//! `cost` is paid while it may have been sent, and each of its attempts is given back at most
//! once (`back`). Every move between the two is in one transaction with the purse, so that
//! nobody has to put anything right after whoever broke off. Messages of a day and a minute
//! are counted in the purse, too: it is written with each message anyway.
//!
//! `g#<id>` are grants; `p#<campaign>` campaigns that wait for credits.

mod grants;
mod pay;
mod purse;
mod waiting;

pub use grants::{Grant, GrantKey, Granted, Recorded};
pub(crate) use grants::{funded, new_purse};
pub use pay::{Paid, Payment};
pub use purse::{Charge, Purse, Shortage};
pub use waiting::Unfunded;

use domain::{CampaignId, TenantId};

use crate::batch::Action;
use crate::item::{Item, Key, n, number};
use crate::update::Update;
use crate::{Kind, Result, Store};

/// What an item costs that is paid with credits, 0 included.
pub(crate) const COST: &str = "cost";
/// The latest attempt whose credits were given back.
pub(crate) const BACK: &str = "back";

pub(crate) fn purse_key(tenant: &TenantId) -> Key {
    Key::new(Kind::Credits.pk(tenant), "-")
}

fn waiting_key(tenant: &TenantId, campaign: CampaignId) -> Key {
    Key::new(Kind::Credits.pk(tenant), format!("p#{:010}", campaign.0))
}

/// Takes a campaign off the list of those that wait for credits.
pub(crate) fn forget_waiting_action(tenant: &TenantId, campaign: CampaignId) -> Action {
    Action::Delete(waiting_key(tenant, campaign), Vec::new())
}

/// What an item is charged with, if it is.
pub(crate) fn cost_of(item: &Item) -> Option<u64> {
    number(item, COST)
}

/// Gives credits back; `unsent` messages of them were not taken by any provider, and count no
/// more. Whoever adds this to a transaction marks there what is given back.
pub(crate) fn refund_action(tenant: &TenantId, credits: u64, unsent: u64) -> Action {
    let back = -i64::try_from(unsent).unwrap_or(i64::MAX);
    let mut update = Update::of(purse_key(tenant)).add("bal", n(credits)).add("refunded", n(credits));
    if unsent > 0 {
        update = update.add("day_n", n(back)).add("month_n", n(back));
    }
    Action::Update(update)
}

impl Store {
    /// The purse of a sub-account, strongly consistent; `None` when it is none.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn purse(&self, tenant: &TenantId) -> Result<Option<Purse>> {
        Ok(self.get_item(&purse_key(tenant)).await?.as_ref().map(Purse::from))
    }

    /// The purses of several sub-accounts, in no order, with whose they are.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn purses(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, Purse)>> {
        let items = self.get_many(tenants.iter().map(purse_key).collect()).await?;
        let owner = |item: &Item| {
            let key = Key::of(item)?;
            tenants.iter().find(|tenant| purse_key(tenant) == key).cloned()
        };
        Ok(items.iter().filter_map(|item| Some((owner(item)?, Purse::from(item)))).collect())
    }
}
