//! `/api/campaigns/{id}`: pause, resume, cancel and preflight.

use std::collections::BTreeMap;

use api_http::{Caller, Given, Input, Reply, Result, request};
use axum::extract::State;
use domain::campaign::CampaignState;
use domain::{CampaignId, Invalid};
use messaging::campaigns::Which;
use messaging::{Services, campaigns};
use serde::Serialize;

use super::named;

#[derive(Serialize)]
pub(crate) struct Moved {
    status: &'static str,
    campaign_id: u64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retried: Option<u64>,
}

impl Moved {
    fn new(id: CampaignId, state: CampaignState, retried: Option<u64>) -> Reply<200, Self> {
        Reply(Self { status: "success", campaign_id: id.0, state: state.as_str(), retried })
    }
}

/// `POST /api/campaigns/{id}/pause`
pub(crate) async fn pause(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Moved>> {
    let id = named(&input)?;
    let state = campaigns::pause(&services, caller.tenant_id(), id).await?;
    Ok(Moved::new(id, state, None))
}

request! {
    /// `POST /api/campaigns/{id}/resume`
    pub(crate) struct Resume {
        only: Given<String> = named("only").one_of(&["failed", "unknown", "pending"]),
    }
}

/// `POST /api/campaigns/{id}/resume`: what is pending, and with `only` again what failed,
/// or what nobody knows of.
pub(crate) async fn resume(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<Resume>,
) -> Result<Reply<200, Moved>> {
    let id = named(&input)?;
    let order = match input.read().only.get()?.as_deref() {
        None | Some("" | "pending") => None,
        Some(other) => {
            let wrong = || Invalid::new("only", "only must be failed or unknown, or be left out");
            Some(Which::parse(other).ok_or_else(wrong)?)
        }
    };
    let (state, retried) = campaigns::resume(&services, caller.tenant_id(), id, order).await?;
    Ok(Moved::new(id, state, order.and(retried)))
}

/// `POST /api/campaigns/{id}/cancel`
pub(crate) async fn cancel(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Moved>> {
    let id = named(&input)?;
    let state = campaigns::cancel(&services, caller.tenant_id(), id).await?;
    Ok(Moved::new(id, state, None))
}

#[derive(Serialize)]
struct Findings {
    recipients: u64,
    sendable: u64,
    skipped: BTreeMap<String, u64>,
    outside_window: u64,
    /// Recipients whose quiet hours it is: they wait until those end.
    quiet: u64,
    /// Of so many contacts that the numbers had to be estimated.
    estimated: bool,
    /// Contacts that were looked at.
    sample: u64,
    tier: Option<u64>,
    problems: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Preflight {
    status: &'static str,
    campaign_id: u64,
    preflight: Findings,
}

/// `POST /api/campaigns/{id}/preflight`
pub(crate) async fn preflight(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Preflight>> {
    let id = named(&input)?;
    let found = campaigns::preflight(&services, caller.tenant_id(), id).await?;
    let preflight = Findings {
        recipients: found.recipients,
        sendable: found.sendable,
        skipped: found.skipped,
        outside_window: found.outside_window,
        quiet: found.quiet,
        estimated: found.estimated,
        sample: found.sample,
        tier: found.tier,
        problems: found.problems,
    };
    Ok(Reply(Preflight { status: "success", campaign_id: id.0, preflight }))
}
