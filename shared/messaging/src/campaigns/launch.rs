//! Drafts, and their start: of several who start one, exactly one succeeds.

use domain::account::Account;
use domain::campaign::{Audience, Campaign, CampaignMessage, CampaignState, CheckedDraft, Draft};
use domain::channel::Channel;
use domain::template::{Template, slots};
use domain::{CampaignId, TenantId};
use queue::CampaignJob;
use store::campaigns::{Launch, Stored};
use store::idempotency::Claim;

use super::end;
use super::{load, timing, wrong_state};
use crate::routes::Route;
use crate::{Services, routes, templates};
use ops::accounts::time_zone;
use ops::events::EventPublisher;
use ops::schedule::WATCH_MS;
use ops::{Caller, Code, Error, Result, senders};

/// Writes a draft down; answers it with what would keep it from being launched.
/// A draft with a time is scheduled, and starts by itself. One that was asked for before
/// under the same key is answered as it is.
///
/// # Errors
/// [`Code::InvalidField`], with the field as the contract spells it.
pub async fn draft(
    services: &Services,
    caller: &Caller,
    account: &Account,
    draft: Draft,
    claim: Option<&Claim>,
) -> Result<(Campaign, Vec<String>)> {
    let store = &services.store;
    let tenant = caller.tenant_id();
    if let Some(made) = claim.and_then(|claim| claim.made.as_deref()) {
        let campaign = load(store, tenant, made.parse()?).await?.campaign;
        let warnings = warnings(services, tenant, account, &campaign, &draft.tags).await?;
        timing::arm(services, tenant, &campaign).await;
        return Ok((campaign, warnings));
    }
    let now = store.clock().now();
    let draft_tags = draft.tags.clone();
    senders::check(store, tenant, &Channel::parse(&draft.channel)?).await?;
    let CheckedDraft { name, channel, sender, message, audience, scheduled_at } =
        draft.check(now, &time_zone(&caller.tenant))?;
    check_media(services, tenant, &message).await?;
    let state = if scheduled_at.is_some() { CampaignState::Scheduled } else { CampaignState::Draft };
    let mut campaign = Campaign {
        id: CampaignId(0),
        account: account.id,
        name,
        channel,
        sender,
        message,
        audience,
        scheduled_at,
        state,
        reason: None,
        created_at: now,
        started_at: None,
        finished_at: None,
    };
    let warnings = warnings(services, tenant, account, &campaign, &draft_tags).await?;
    campaign.id = store.next_campaign_id(tenant).await?;
    store.create_campaign(tenant, &campaign, claim).await?;
    timing::arm(services, tenant, &campaign).await;
    Ok((campaign, warnings))
}

/// What would keep a draft from being launched, or is not as its owner may think.
async fn warnings(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    campaign: &Campaign,
    tags: &[String],
) -> Result<Vec<String>> {
    let mut warnings = match ready(services, tenant, account, campaign).await {
        Ok(_) => Vec::new(),
        // A sender that is named has to be there.
        Err(error) if error.code.is_server_error() || error.field.as_deref() == Some("sender") => {
            return Err(error);
        }
        Err(error) => vec![error.message],
    };
    if !tags.is_empty() && campaign.audience == Audience::All {
        warnings.push(
            "tags are ignored: recipient_type is all, so every contact would be a recipient".to_owned(),
        );
    }
    Ok(warnings)
}

async fn check_media(services: &Services, tenant: &TenantId, message: &CampaignMessage) -> Result<()> {
    match message {
        CampaignMessage::Media { kind, url, .. } => {
            services.files.check(&services.store, tenant, url, *kind).await
        }
        CampaignMessage::Template { .. } | CampaignMessage::Text { .. } => Ok(()),
    }
}

/// What a launch needs from the outside: a sender, and for a template campaign the
/// template, approved and with a value for each variable.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) route: Route,
    pub(super) template: Option<Template>,
}

pub(super) async fn ready(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    campaign: &Campaign,
) -> Result<Ready> {
    let route =
        routes::choose(services, tenant, account, &campaign.channel, campaign.sender.as_ref()).await?;
    let (CampaignMessage::Template { name, language, params, media_url }, Some(number)) =
        (&campaign.message, route.number())
    else {
        return Ok(Ready { route, template: None });
    };
    let (store, graph) = (&services.store, &services.graph);
    let template = templates::approved(store, graph, tenant, number, name, language.as_deref()).await?;
    if let Err(missing) = params.patterns(&slots(&template)) {
        let message = format!("template_params has no value for {}", missing.join(", "));
        return Err(Error::invalid("template_params", message));
    }
    match (template.header_media(), media_url) {
        (Some(kind), None) => {
            let message = format!("media_url is required: the template's header is a {}", kind.as_str());
            return Err(Error::invalid("media_url", message));
        }
        (Some(kind), Some(url)) => services.files.check(store, tenant, url, kind).await?,
        (None, _) => {}
    }
    Ok(Ready { route, template: Some(template) })
}

/// Starts a campaign now. Of several who try at once, one succeeds; who asks again under
/// the same key is answered as the first time.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Conflict`] with the state when it was launched
/// before; [`Code::NoNumber`], [`Code::NoSession`] or [`Code::NoDevice`]; what is
/// missing for its template.
pub async fn launch(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    claim: Option<Claim>,
) -> Result<CampaignState> {
    if claim.as_ref().is_some_and(|claim| claim.made.is_some()) {
        return Ok(CampaignState::Planning);
    }
    let stored = load(&services.store, tenant, id).await?;
    if !stored.campaign.state.may_launch() {
        return Err(wrong_state(stored.campaign.state));
    }
    let state = start(services, tenant, &stored, claim).await?;
    timing::disarm(services, tenant, &stored.campaign).await;
    Ok(state)
}

/// Starts a scheduled campaign whose time has come; one that was started or
/// cancelled meanwhile, or whose time is still to come, is left alone. One that
/// cannot start has failed, with the reason.
///
/// # Errors
/// [`Code::NotFound`] when there is no such campaign; [`Code::Unavailable`] when that
/// could not be found out.
pub async fn start_scheduled(services: &Services, tenant: &TenantId, id: CampaignId) -> Result<()> {
    let stored = load(&services.store, tenant, id).await?;
    let is_early = stored.campaign.scheduled_at.is_some_and(|at| at > services.store.clock().now());
    if stored.campaign.state != CampaignState::Scheduled || is_early {
        return Ok(());
    }
    match start(services, tenant, &stored, None).await {
        Ok(_) => {
            let at = stored.campaign.scheduled_at.unwrap_or(stored.campaign.created_at);
            let late_ms = services.store.clock().now_ms() - at.as_millisecond();
            tracing::info!(target: "metric", name = "StartLateness", value = late_ms, unit = "Milliseconds");
            Ok(())
        }
        Err(error) if error.code == Code::Conflict => Ok(()),
        // It stays scheduled, and the sweep starts it again.
        Err(error) if error.code.is_temporary() => {
            tracing::warn!(%tenant, campaign = %id, code = error.code.as_str(), "a scheduled campaign starts later");
            Ok(())
        }
        Err(error) => {
            tracing::warn!(%tenant, campaign = %id, code = error.code.as_str(), "a scheduled campaign cannot start");
            let (from, to) = (CampaignState::Scheduled, CampaignState::Failed);
            end(&EventPublisher::from(services), tenant, id, (from, to), Some(&error.message))
                .await
                .map(|_| ())
        }
    }
}

async fn start(
    services: &Services,
    tenant: &TenantId,
    stored: &Stored,
    claim: Option<Claim>,
) -> Result<CampaignState> {
    let store = &services.store;
    let campaign = &stored.campaign;
    let account = store.account(tenant, campaign.account).await?;
    let account = account.ok_or_else(|| Error::not_found("token", "the campaign's account is gone"))?;
    let ready = ready(services, tenant, &account, campaign).await?;
    let (last_contact, losses) = store.contact_marks(tenant).await?;
    let Ready { route, template } = ready;
    let launch = Launch { last_contact, losses, sender: route.sender.id, template, claim };
    let watch = store.clock().now_ms() + WATCH_MS;
    match store.launch_campaign(tenant, campaign.id, campaign.state, &launch, watch).await {
        Ok(()) => {}
        Err(store::Error::Conflict) => {
            let now = load(store, tenant, campaign.id).await?;
            return Err(wrong_state(now.campaign.state));
        }
        Err(error) => return Err(error.into()),
    }
    let job = CampaignJob::Plan { tenant: tenant.to_string(), campaign: campaign.id.0, checkpoint: 0 };
    if let Err(error) = services.queues.campaign(job, 0).await {
        // It has started: the sweep finds it.
        tracing::warn!(%tenant, code = error.code, "the planner's job waits for the sweep");
    }
    Ok(CampaignState::Planning)
}
