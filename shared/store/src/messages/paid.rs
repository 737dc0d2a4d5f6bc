//! Messages that are paid with credits: written down and paid at once, and paid back with
//! their failure, once.

use domain::TenantId;
use domain::recipient::{Progress, State};

use super::{Message, answer_action, to_item};
use crate::batch::Action;
use crate::credits::{BACK, Paid, Payment, cost_of, refund_action};
use crate::due::{Due, put_action};
use crate::item::{Item, n};
use crate::update::{Update, When};
use crate::{Result, Store};

impl Store {
    /// Like [`Store::create_message`], of a message that is paid in the same transaction; or like
    /// [`Store::create_answer`], where it answers a `cause`.
    ///
    /// # Errors
    /// [`crate::Error::Contended`] when others keep paying from the purse.
    pub async fn create_paid_message(
        &self,
        tenant: &TenantId,
        message: &Message,
        (due, cause): (&Due, Option<&str>),
        payment: &Payment,
    ) -> Result<Paid> {
        let message = Message { cost: Some(payment.charge.credits), ..message.clone() };
        let put = Action::Put(to_item(tenant, &message)?, vec![When::Absent("pk")]);
        let mut actions = vec![put, put_action(due)?];
        actions.extend(cause.map(|cause| answer_action(tenant, &message, cause)).transpose()?);
        self.pay(tenant, payment, &actions).await
    }

    /// Moves a message that is paid to a failure, and pays it back. What nobody took counts no
    /// more.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when it is otherwise by now.
    pub(super) async fn pay_back(
        &self,
        tenant: &TenantId,
        update: Update,
        cost: u64,
        before: &Progress,
    ) -> Result<()> {
        let unsent = u64::from(before.state.rank() <= State::Claimed.rank());
        let update = update.set(BACK, n(1)).when(When::Absent(BACK));
        self.transact(vec![Action::Update(update), refund_action(tenant, cost, unsent)]).await
    }
}

/// What a failure pays back: of a message that is paid, and was not paid back.
pub(super) fn refund_of(item: &Item, before: &Progress, after: &Progress) -> Option<u64> {
    let is_unsent = |progress: &Progress| matches!(progress.state, State::Failed | State::Skipped);
    let fails = is_unsent(after) && !is_unsent(before);
    cost_of(item).filter(|_| fails && !item.contains_key(BACK))
}
