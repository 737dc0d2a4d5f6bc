//! Drafts, and their start: of several who start one, exactly one succeeds.

use domain::account::Account;
use domain::campaign::{Audience, Campaign, CampaignMessage, CampaignState, CheckedDraft, Draft};
use domain::channel::Channel;
use domain::message::Category;
use domain::plan::Module;
use domain::template::{Filling, Params, Template, surplus};
use domain::{CampaignId, Invalid, TenantId};
use queue::CampaignJob;
use store::Store;
use store::campaigns::{Launch, Stored};
use store::idempotency::Claim;

use super::end;
use super::{load, timing, wrong_state};
use crate::routes::Route;
use crate::{Services, routes, templates};
use ops::accounts::time_zone;
use ops::events::EventPublisher;
use ops::schedule::WATCH_MS;
use ops::{Caller, Code, Error, Result, credits, lists, plans, senders};

/// Most tags of a draft that contacts are looked for.
const MAX_CHECKED: usize = 10;

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
        let given = (draft.tags.as_slice(), &draft.template_params);
        let warnings = warnings(services, tenant, account, &campaign, given).await?;
        timing::arm(services, tenant, &campaign).await;
        return Ok((campaign, warnings));
    }
    plans::require(caller, Module::Broadcast)?;
    let now = store.clock().now();
    let (draft_tags, draft_params) = (draft.tags.clone(), draft.template_params.clone());
    senders::check(store, tenant, &Channel::parse(&draft.channel)?).await?;
    let CheckedDraft { name, channel, sender, message, audience, scheduled_at } =
        draft.check(now, &time_zone(&caller.tenant))?;
    if let Audience::Lists(wanted) = &audience {
        lists::check(store, tenant, wanted).await?;
    }
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
    let given = (draft_tags.as_slice(), &draft_params);
    let warnings = warnings(services, tenant, account, &campaign, given).await?;
    // Before it is written: whoever breaks off here has counted one too many.
    plans::count_campaign(store, caller).await?;
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
    (tags, params): (&[String], &Params),
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    match found(services, tenant, account, campaign).await {
        Ok((_, Some(template))) => {
            let problems = problems(services, tenant, &template, &campaign.message).await?;
            warnings.extend(problems.into_iter().map(|problem| problem.message));
            warnings.extend(late_offer(&template, campaign));
            let media_url = match &campaign.message {
                CampaignMessage::Template { media_url, .. } => media_url.as_deref(),
                CampaignMessage::Text { .. } | CampaignMessage::Media { .. } => None,
            };
            warnings.extend(surplus(&template, params, media_url));
        }
        Ok((_, None)) if *params != Params::default() => {
            warnings.push("template_params is ignored: the message is no template".to_owned());
        }
        Ok((_, None)) => {}
        // A sender that is named has to be there.
        Err(error) if error.code.is_server_error() || error.field.as_deref() == Some("sender") => {
            return Err(error);
        }
        Err(error) => warnings.push(error.message),
    }
    if let Audience::Tags(wanted) = &campaign.audience {
        for tag in wanted.iter().take(MAX_CHECKED) {
            if services.store.has_tag(tenant, tag).await? == Some(false) {
                warnings.push(format!("tags: no contact has the tag {tag}"));
            }
        }
    }
    if !tags.is_empty() && campaign.audience == Audience::All {
        warnings.push(
            "tags are ignored: recipient_type is all, so every contact would be a recipient".to_owned(),
        );
    }
    Ok(warnings)
}

/// A limited-time offer that ends before its campaign starts.
fn late_offer(template: &Template, campaign: &Campaign) -> Option<String> {
    let CampaignMessage::Template { params, media_url, .. } = &campaign.message else { return None };
    let at = campaign.scheduled_at?;
    let filling = Filling::of(template, params, media_url.as_deref()).ok()?;
    let ends = filling.expires_for_all_ms()?;
    (ends <= at.as_millisecond())
        .then(|| format!("the limited_time_offer of template_params ends before the campaign starts at {at}"))
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
    let (route, template) = found(services, tenant, account, campaign).await?;
    if let Some(template) = &template {
        let problems = problems(services, tenant, template, &campaign.message).await?;
        if !problems.is_empty() {
            return Err(unfilled(problems));
        }
    }
    Ok(Ready { route, template })
}

/// The sender of a campaign, and its template.
async fn found(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    campaign: &Campaign,
) -> Result<(Route, Option<Template>)> {
    let route =
        routes::choose(services, tenant, account, &campaign.channel, campaign.sender.as_ref()).await?;
    let (CampaignMessage::Template { name, language, .. }, Some(number)) =
        (&campaign.message, route.number())
    else {
        return Ok((route, None));
    };
    let (store, graph) = (&services.store, &services.graph);
    let template = templates::approved(store, graph, tenant, number, name, language.as_deref()).await?;
    Ok((route, Some(template)))
}

/// What keeps a template from being filled: what is missing, wrong, not a file of the kind
/// that is asked for, or over.
async fn problems(
    services: &Services,
    tenant: &TenantId,
    template: &Template,
    message: &CampaignMessage,
) -> Result<Vec<Invalid>> {
    let CampaignMessage::Template { params, media_url, .. } = message else { return Ok(Vec::new()) };
    let filling = match Filling::of(template, params, media_url.as_deref()) {
        Ok(filling) => filling,
        Err(problems) => return Ok(problems),
    };
    let mut problems = Vec::new();
    for file in filling.files() {
        match services.files.check(&services.store, tenant, &file.url, file.kind).await {
            Ok(()) => {}
            Err(error) if error.code.is_server_error() => return Err(error),
            Err(error) if media_url.as_deref() == Some(&file.url) => {
                let field = error.field.unwrap_or_else(|| "media_url".to_owned());
                problems.push(Invalid::new(field, error.message));
            }
            Err(error) => {
                let message = format!("template_params: {} of {}", error.message, file.of);
                problems.push(Invalid::new("template_params", message));
            }
        }
    }
    let now = services.store.clock().now_ms();
    if filling.expires_for_all_ms().is_some_and(|ends| ends <= now) {
        let message = "the limited_time_offer of template_params has ended: its expiration is in the past";
        problems.push(Invalid::new("template_params", message));
    }
    Ok(problems)
}

/// One refusal for all that keeps a template from being filled.
pub(crate) fn unfilled(problems: Vec<Invalid>) -> Error {
    let field = problems.first().map(|problem| problem.field.clone()).unwrap_or_default();
    let messages: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
    Error::invalid(&field, messages.join("; "))
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

/// What each message of a campaign costs, where the tenant pays with credits: fixed at launch.
async fn price(
    store: &Store,
    tenant: &TenantId,
    campaign: &Campaign,
    template: Option<&Template>,
) -> Result<Option<u64>> {
    let Some(tenant) = store.tenant(tenant).await? else { return Ok(None) };
    let category = template.map(|template| template.category.unwrap_or(Category::Marketing));
    let payment = credits::payment(&tenant, (&campaign.channel, category), None);
    Ok(payment.map(|payment| payment.charge.credits))
}

async fn start(
    services: &Services,
    tenant: &TenantId,
    stored: &Stored,
    claim: Option<Claim>,
) -> Result<CampaignState> {
    let store = &services.store;
    let campaign = &stored.campaign;
    if let Audience::Lists(wanted) = &campaign.audience {
        lists::check(store, tenant, wanted).await?;
    }
    let account = store.account(tenant, campaign.account).await?;
    let account = account.ok_or_else(|| Error::not_found("token", "the campaign's account is gone"))?;
    let ready = ready(services, tenant, &account, campaign).await?;
    let (last_contact, losses) = store.contact_marks(tenant).await?;
    let Ready { route, template } = ready;
    let price = price(store, tenant, campaign, template.as_ref()).await?;
    let launch = Launch { last_contact, losses, sender: route.sender.id, template, price, claim };
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
