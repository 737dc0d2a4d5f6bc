//! How a run goes on: what happened is written into it, what it is to do is done, and that is
//! written into it, until it rests.

use std::time::Duration;

use ::flows::{At, Effect, Ending, Event, Facts, advance, resume_after_change};
use domain::identity::Identity;
use domain::{ContactId, MessageId, TenantId};
use ops::Result;
use ops::events::EventPublisher;
use ops::flows::{country, save};
use queue::InboundJob;
use store::due::{Due, Watched};
use store::runs::StoredRun;

use super::effects::{Done, Stage, Try, cause_of};
use crate::Services;
use crate::answering::withdraw;

/// How often a change is tried that meets others.
const TRIES: u32 = 8;
/// When a run is looked at that somebody else was found working on.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// A run that is to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunJob {
    pub(super) tenant: TenantId,
    pub(super) contact: ContactId,
    pub(super) run: MessageId,
    /// The number of what it does, if that is tried again.
    pub(super) effect: Option<u64>,
    /// When it was due, in milliseconds since 1970, if that is why.
    pub(super) due_ms: Option<i64>,
}

/// Goes on with a run, whose step was tried so often before.
pub(super) async fn carry_on(services: &Services, job: &RunJob, tries: u32) -> Result<()> {
    let (store, tenant) = (&services.store, &job.tenant);
    let found = store.runs_of(tenant, job.contact).await?.into_iter().find(|run| run.id == job.run);
    let stale = |stored: &StoredRun| job.due_ms.is_some() && stored.due_ms != job.due_ms;
    let stored = match found {
        Some(stored) if !stored.run.is_over() && !stale(&stored) => stored,
        other @ (Some(_) | None) => {
            let (run, effect) = (job.run, job.effect);
            let goes_on = other.is_some_and(|stored| !stored.run.is_over());
            if let Some(effect) = effect.filter(|_| !goes_on) {
                withdraw(services, tenant, &cause_of(run, effect)).await?;
            }
            if let Some(at_ms) = job.due_ms {
                let what = Watched::Run(job.contact, job.run);
                store.forget_due(&Due { tenant: tenant.clone(), what, at_ms }).await?;
            }
            return Ok(());
        }
    };
    let event = if job.due_ms.is_some() { Event::Due } else { Event::Proceed };
    go_on(services, tenant, stored, event, (tries, Calls::Here)).await
}

/// Goes on with a run after something happened to it.
async fn go_on(
    services: &Services,
    tenant: &TenantId,
    stored: StoredRun,
    event: Event,
    (tries, calls): (u32, Calls),
) -> Result<()> {
    let store = &services.store;
    let contact = match store.contact(tenant, stored.contact).await? {
        Some(contact) => Some(contact),
        // They became part of another one.
        None => store.contact_by(tenant, &Identity::from(&stored.to)).await?,
    };
    let Some(contact) = contact else {
        return end(services, tenant, stored, Ending::OptedOut).await;
    };
    let account = match stored.account.known() {
        Some(id) => store.account(tenant, id).await?,
        None => None,
    };
    let whom = (&stored.sender, &stored.to);
    let listening = &store.listening(tenant, stored.account, &contact, whom).await?;
    let Some(flow) = store.known_flow(tenant, &stored.flow, &listening.starts).await? else {
        return end(services, tenant, stored, Ending::Cancelled).await;
    };
    let (account, flow) = (account.as_ref(), &*flow);
    let mut stage = Stage { services, tenant, account, flow, contact, listening };
    Box::pin(go(&mut stage, stored, (event, None), (tries, calls))).await
}

async fn end(services: &Services, tenant: &TenantId, stored: StoredRun, why: Ending) -> Result<()> {
    let publisher = &EventPublisher::from(services);
    let run = stored.run.clone().ended(why);
    match save(publisher, tenant, &stored, run, 0).await? {
        // What it was about to say is said no more.
        Some(ended) if matches!(stored.run.at, At::Doing { .. }) => {
            withdraw(services, tenant, &cause_of(ended.id, ended.run.effects)).await
        }
        Some(_) => Ok(()),
        // It went on meanwhile: what is wrong with it is found again.
        None => Err(store::Error::Contended.into()),
    }
}

/// Where calls of the owner's server are made: each may take as long as many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// By whoever is at it.
    Here,
    /// By a job of their own.
    Apart,
}

/// Writes down what happened, once for each `cause`, and does what follows from it until the run
/// rests.
pub(super) async fn go(
    stage: &mut Stage<'_>,
    stored: StoredRun,
    (event, cause): (Event, Option<&str>),
    (tries, calls): (u32, Calls),
) -> Result<()> {
    let was_doing = matches!(stored.run.at, At::Doing { .. });
    let is_reply = matches!(event, Event::Reply(_));
    let Some(next) = Box::pin(apply(stage, stored, event, cause)).await? else { return Ok(()) };
    if was_doing && is_reply && !next.is_new {
        // Whoever does it finds the reply; if nobody does, the run is looked at.
        return look_later(stage, &next.stored, (LOOK_AGAIN, 0)).await;
    }
    take_up(stage, next, (tries, calls)).await
}

/// Does what a run is to do, and what follows from it, until it rests.
pub(super) async fn take_up(
    stage: &mut Stage<'_>,
    mut step: Next,
    (mut tries, calls): (u32, Calls),
) -> Result<()> {
    while let Some(effect) = step.effect.take() {
        if matches!(effect, Effect::Call { .. }) && calls == Calls::Apart {
            return look_later(stage, &step.stored, (Duration::ZERO, 0)).await;
        }
        let nth = Try { count: tries, is_new: step.is_new };
        match Box::pin(stage.perform(&step.stored, effect, nth)).await? {
            Done::Later(delay) => return look_later(stage, &step.stored, (delay, tries + 1)).await,
            Done::Event(event) => {
                tries = 0;
                match Box::pin(apply(stage, step.stored, event, None)).await? {
                    Some(next) => step = next,
                    None => return Ok(()),
                }
            }
        }
    }
    Ok(())
}

async fn look_later(stage: &Stage<'_>, stored: &StoredRun, (delay, tries): (Duration, u32)) -> Result<()> {
    let (tenant, contact) = (stage.tenant.to_string(), stored.contact.0);
    let (run, effect) = (stored.id.to_string(), Some(stored.run.effects));
    let job = InboundJob::Run { tenant, contact, run, effect, due: None };
    Ok(stage.services.queues.inbound_later(job, tries, delay).await?)
}

/// A run as it is stored, and what it is to do.
pub(super) struct Next {
    pub(super) stored: StoredRun,
    pub(super) effect: Option<Effect>,
    /// The effect was begun by this very change.
    pub(super) is_new: bool,
}

/// Writes into a run what happened to it. `None` when it is no longer about that: somebody else
/// was faster, and goes on.
async fn apply(
    stage: &Stage<'_>,
    mut stored: StoredRun,
    event: Event,
    cause: Option<&str>,
) -> Result<Option<Next>> {
    let (services, tenant, flow) = (stage.services, stage.tenant, stage.flow);
    let (store, publisher) = (&services.store, &EventPublisher::from(services));
    let doing = stored.run.effects;
    let is_outcome = matches!(event, Event::Done { .. } | Event::Failed(..));
    for attempt in 0..TRIES {
        let mut run = stored.run.clone();
        if cause.is_some_and(|cause| !run.heed(cause)) {
            return Ok(None);
        }
        resume_after_change(&flow.definition, flow.version, &mut run);
        let now = store.clock().now();
        let facts = Facts { contact: &stage.contact, country: country(stage.account), now };
        let effect = advance(&flow.definition, &mut run, event.clone(), &facts);
        if run == stored.run {
            return Ok(Some(Next { stored, effect, is_new: false }));
        }
        let is_new = run.effects != stored.run.effects;
        let expires = flow.definition.expires_hours;
        let saved = match save(publisher, tenant, &stored, run, expires).await {
            Err(error) if !error.code.is_temporary() => {
                // What the table will never take must not come again and again.
                let code = error.code.as_str();
                tracing::error!(%tenant, run = %stored.id, code, "a run of a flow cannot be kept");
                end(services, tenant, stored, Ending::Failed).await?;
                return Ok(None);
            }
            saved => saved?,
        };
        if let Some(stored) = saved {
            return Ok(Some(Next { stored, effect, is_new }));
        }
        store.back_off(attempt).await;
        let fresh = store.run(tenant, stored.contact, &stored.sender).await?;
        let Some(fresh) = fresh.filter(|fresh| fresh.id == stored.id && !fresh.run.is_over()) else {
            return Ok(None);
        };
        // Another did the same, and told so.
        let is_done = !matches!(fresh.run.at, At::Doing { .. }) || fresh.run.effects != doing;
        if is_outcome && is_done {
            return Ok(None);
        }
        stored = StoredRun { to: stored.to, ..fresh };
    }
    Err(store::Error::Contended.into())
}
