//! Campaigns from state to state. Whatever belongs to a move is in its transaction:
//! of a request that breaks off, all of it happened or nothing.

use domain::campaign::CampaignState;
use domain::{CampaignId, TenantId};

use super::item::TemplateItem;
use super::{KIND, Launch, ResendOrder, Stored, key};
use crate::batch::Action;
use crate::credits::forget_waiting_action;
use crate::due::{Due, Watched, drop_action, put_action};
use crate::item::{n, s};
use crate::ledger::Which;
use crate::outbox::{Note, Written};
use crate::runner::activate_action;
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// Somebody asks a campaign to go from one state to another.
#[derive(Debug, Clone, Copy)]
pub struct Transition<'a> {
    /// The state it has to be in.
    pub from: CampaignState,
    /// The state it comes to.
    pub to: CampaignState,
    /// Why, for who looks at it.
    pub reason: Option<&'a str>,
    /// When it is looked at next, in milliseconds since 1970.
    pub watch_at_ms: Option<i64>,
}

fn watch(tenant: &TenantId, id: CampaignId, at_ms: i64) -> Due {
    Due { tenant: tenant.clone(), what: Watched::Campaign(id), at_ms }
}

fn is(state: CampaignState) -> When {
    When::Is("state", s(state.as_str()))
}

impl Store {
    /// Starts a campaign: of several who try, exactly one succeeds.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not in state `from` any more.
    pub async fn launch_campaign(
        &self,
        tenant: &TenantId,
        id: CampaignId,
        from: CampaignState,
        launch: &Launch,
        watch_at_ms: i64,
    ) -> Result<()> {
        let now = self.clock().now_ms();
        let template = launch.template.as_ref().map(TemplateItem::from);
        let template = template.map(serde_dynamo::to_attribute_value).transpose();
        let update = Update::of(key(tenant, id))
            .set("state", s(CampaignState::Planning.as_str()))
            .set("started", n(now))
            .set("sender", s(launch.sender.as_str()))
            .set("checkpoint", n(0))
            .set("last_contact", n(launch.last_contact.0))
            .set("losses", n(launch.losses))
            .set("planned_at", n(now))
            .set("watch", n(watch_at_ms))
            .set_some("price", launch.price.map(n))
            .set_some("template", template.map_err(|_| Error::Corrupt { kind: KIND })?)
            .remove("reason")
            .when(is(from));
        let mut actions = vec![
            Action::Update(update),
            put_action(&watch(tenant, id, watch_at_ms))?,
            activate_action(tenant, &launch.sender, id)?,
            self.audit_action(tenant, "launch", &format!("campaign {id} launched"))?,
        ];
        actions.extend(launch.claim.as_ref().map(|claim| claim.made_action(id)));
        self.transact(actions).await
    }

    /// Moves a campaign by itself, with a note in the outbox.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not in state `from`, or, on its way to finished,
    /// an order to send again is being carried out.
    pub async fn transition_campaign(
        &self,
        tenant: &TenantId,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
        reason: Option<&str>,
        note: Note,
    ) -> Result<Written> {
        let mut update = self.moved(tenant, id, Transition { from, to, reason, watch_at_ms: None });
        if to == CampaignState::Finished {
            update = update.when(When::Absent("again"));
        }
        match note.is_empty() {
            true => self.update(update).await?,
            false => {
                self.transact([Action::Update(update)].into_iter().chain(note.actions()?).collect()).await?;
            }
        }
        Ok(note.written())
    }

    /// Moves a campaign by its owner's word, who is written down with it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not in state `from`.
    pub async fn request_campaign(
        &self,
        tenant: &TenantId,
        id: CampaignId,
        transition: Transition<'_>,
    ) -> Result<()> {
        let mut actions = vec![
            Action::Update(self.moved(tenant, id, transition)),
            self.audited(tenant, id, transition.to)?,
        ];
        if let Some(at_ms) = transition.watch_at_ms {
            actions.push(put_action(&watch(tenant, id, at_ms))?);
        }
        self.transact(actions).await
    }

    /// Lets a campaign send on by its owner's word, for `order` again to those who
    /// were sent to before. A worker puts them back, from the first block on.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not in the state that was read.
    pub async fn resume_campaign(
        &self,
        tenant: &TenantId,
        stored: &Stored,
        transition: Transition<'_>,
        order: Option<Which>,
    ) -> Result<()> {
        let id = stored.campaign.id;
        let Some(sender) = &stored.campaign.sender else { return Err(Error::Conflict) };
        let mut update = self.moved(tenant, id, transition).remove("finished");
        if let Some(which) = order {
            update = update
                .set("again", s(which.as_str()))
                .set("again_seq", n(stored.orders + 1))
                .set("again_block", n(0))
                .set("again_at", n(self.clock().now_ms()))
                .when(When::AbsentOrAtMost("again_seq", n(stored.orders)))
                .when(When::Absent("again"));
        }
        let mut actions = vec![
            Action::Update(update),
            activate_action(tenant, sender, id)?,
            self.audited(tenant, id, transition.to)?,
        ];
        if let Some(at_ms) = transition.watch_at_ms {
            actions.push(put_action(&watch(tenant, id, at_ms))?);
        }
        if stored.price.is_some() {
            actions.push(forget_waiting_action(tenant, id));
        }
        self.transact(actions).await
    }

    pub(crate) fn moved(&self, tenant: &TenantId, id: CampaignId, transition: Transition<'_>) -> Update {
        let Transition { from, to, reason, watch_at_ms } = transition;
        let update = Update::of(key(tenant, id)).set("state", s(to.as_str())).when(is(from));
        let update = match reason {
            Some(reason) => update.set("reason", s(reason)),
            None => update.remove("reason"),
        };
        let ends = matches!(to, CampaignState::Finished | CampaignState::Cancelled | CampaignState::Failed);
        let update = if ends { update.set("finished", n(self.clock().now_ms())) } else { update };
        update.set_some("watch", watch_at_ms.map(n))
    }

    fn audited(&self, tenant: &TenantId, id: CampaignId, to: CampaignState) -> Result<Action> {
        self.audit_action(tenant, "control", &format!("campaign {id} {}", to.as_str()))
    }

    /// Moves the planner's checkpoint. Of two copies of a planner's job, the
    /// second fails here.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the checkpoint is not `from`, or the campaign no
    /// longer plans.
    pub async fn move_checkpoint(&self, tenant: &TenantId, id: CampaignId, from: u64, to: u64) -> Result<()> {
        let update = Update::of(key(tenant, id))
            .set("checkpoint", n(to))
            .set("planned_at", n(self.clock().now_ms()))
            .when(When::Is("checkpoint", n(from)))
            .when(is(CampaignState::Planning));
        self.update(update).await
    }

    /// Writes down that an order to send again is carried out up to block `to`, or,
    /// with `None`, everywhere. Of two copies of its job, the second fails here.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the order is further, or over.
    pub async fn move_again(
        &self,
        tenant: &TenantId,
        id: CampaignId,
        again: &ResendOrder,
        to: Option<u64>,
    ) -> Result<()> {
        let update = Update::of(key(tenant, id))
            .when(When::Is("again_seq", n(again.seq)))
            .when(When::Is("again_block", n(again.block)));
        let update = match to {
            Some(block) => update.set("again_block", n(block)).set("again_at", n(self.clock().now_ms())),
            None => update.remove("again").remove("again_block").remove("again_at"),
        };
        self.update(update).await
    }

    /// Writes down that every recipient of a cancelled campaign has an end.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not cancelled.
    pub async fn mark_swept(&self, tenant: &TenantId, id: CampaignId) -> Result<()> {
        let update = Update::of(key(tenant, id)).set("swept", n(1)).when(is(CampaignState::Cancelled));
        self.update(update).await
    }

    /// Moves a campaign's entry of the due index to a later time, or out of it. Of two
    /// who try, one succeeds.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else moved it.
    pub async fn settle_watch(&self, due: &Due, id: CampaignId, later_ms: Option<i64>) -> Result<()> {
        let Some(at_ms) = later_ms else { return self.settle_due(due, None).await };
        let update = Update::of(key(&due.tenant, id)).set("watch", n(at_ms)).when(When::Exists);
        self.transact(vec![
            drop_action(due),
            put_action(&watch(&due.tenant, id, at_ms))?,
            Action::Update(update.when(When::AbsentOrAtMost("watch", n(due.at_ms)))),
        ])
        .await
    }
}
