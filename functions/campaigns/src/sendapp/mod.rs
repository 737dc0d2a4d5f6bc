//! `/api/campaigns`: draft, launch, list and progress.

pub(crate) mod control;
mod draft;
pub(crate) mod exports;
pub(crate) mod imports;
pub(crate) mod media;
pub(crate) mod report;

use api_http::{
    Caller, Given, Input, Reply, Required, Result, account_of_token, cut_to_weight, idempotent_make, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::CampaignId;
use domain::campaign::{Campaign, CampaignMessage};
use domain::recipient::State as Recipient;
use messaging::{Services, campaigns};
use ops::Error;
use serde::Serialize;
use store::ledger::Counts;

use draft::DraftFields;

const LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 100;

#[derive(Serialize)]
pub(crate) struct CountsItem {
    total: u64,
    pending: u64,
    accepted: u64,
    sent: u64,
    delivered: u64,
    read: u64,
    failed: u64,
    skipped: u64,
    unknown: u64,
    held: u64,
}

impl From<&Counts> for CountsItem {
    fn from(counts: &Counts) -> Self {
        Self {
            total: counts.total(),
            // Each recipient counts once: one that is being sent to is pending.
            pending: counts.of(Recipient::Pending) + counts.of(Recipient::Claimed),
            accepted: counts.of(Recipient::Accepted),
            sent: counts.of(Recipient::Sent),
            delivered: counts.of(Recipient::Delivered),
            read: counts.of(Recipient::Read),
            failed: counts.of(Recipient::Failed),
            skipped: counts.of(Recipient::Skipped),
            unknown: counts.of(Recipient::Unknown),
            held: counts.held,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ListedCampaign {
    id: u64,
    name: String,
    state: &'static str,
    channel: String,
    sender: Option<String>,
    message_type: &'static str,
    reason: Option<String>,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    scheduled_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsItem>,
}

impl ListedCampaign {
    fn new(campaign: Campaign, counts: Option<&Counts>) -> Self {
        Self {
            id: campaign.id.0,
            name: campaign.name,
            state: campaign.state.as_str(),
            channel: campaign.channel.to_string(),
            sender: campaign.sender.map(|sender| sender.to_string()),
            message_type: message_type(&campaign.message),
            reason: campaign.reason,
            created_at: format!("{:.3}", campaign.created_at),
            started_at: campaign.started_at.map(|at| format!("{at:.3}")),
            finished_at: campaign.finished_at.map(|at| format!("{at:.3}")),
            scheduled_at: campaign.scheduled_at.map(|at| format!("{at:.3}")),
            held_until: None,
            counts: counts.map(CountsItem::from),
        }
    }
}

fn message_type(message: &CampaignMessage) -> &'static str {
    match message {
        CampaignMessage::Template { .. } => "template",
        CampaignMessage::Text { .. } => "text",
        CampaignMessage::Media { caption: Some(_), .. } => "text_media",
        CampaignMessage::Media { caption: None, .. } => "media_only",
    }
}

#[derive(Serialize)]
struct Drafted {
    status: &'static str,
    campaign_id: u64,
    state: &'static str,
    warnings: Vec<String>,
}

request! {
    /// `POST /api/campaigns/draft`
    pub(crate) struct DraftCampaign(draft: DraftFields) {
        token: Required<String> = named("token"),
    }
}

/// `POST /api/campaigns/draft`
pub(crate) async fn draft(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<DraftCampaign>,
) -> Result<Response> {
    idempotent_make(&services.store, &caller, &input, async |claim| {
        let DraftCampaign { draft, token } = input.read();
        let account = account_of_token(&services.store, &caller, token).await?;
        let draft = draft.get()?;
        let (campaign, mut warnings) =
            campaigns::draft(&services, &caller, &account, draft, claim.as_ref()).await?;
        warnings.extend(input.unknown());
        let state = campaign.state.as_str();
        Ok(Reply::<200, _>(Drafted { status: "success", campaign_id: campaign.id.0, state, warnings }))
    })
    .await
}

#[derive(Serialize)]
struct Launched {
    status: &'static str,
    campaign_id: u64,
    state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

request! {
    /// `POST /api/campaigns/launch`
    pub(crate) struct Launch {
        campaign_id: Required<String> = named("campaign_id"),
        scheduled_at: Given<String> = named("scheduled_at"),
    }
}

/// `POST /api/campaigns/launch`
pub(crate) async fn launch(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<Launch>,
) -> Result<Response> {
    idempotent_make(&services.store, &caller, &input, async |claim| {
        let Launch { campaign_id, scheduled_at } = input.read();
        let id: CampaignId = campaign_id.get()?.parse()?;
        if scheduled_at.get()?.is_some() {
            let message = "scheduled_at belongs to the draft: a launch starts the campaign now";
            return Err(Error::invalid("scheduled_at", message).into());
        }
        let state = campaigns::launch(&services, caller.tenant_id(), id, claim).await?.as_str();
        let warnings = input.unknown();
        Ok(Reply::<200, _>(Launched { status: "success", campaign_id: id.0, state, warnings }))
    })
    .await
}

#[derive(Serialize)]
pub(crate) struct CampaignList {
    status: &'static str,
    campaigns: Vec<ListedCampaign>,
    /// Pass it as `before` to get what is older.
    next_before: Option<u64>,
}

request! {
    /// `GET /api/campaigns`
    pub(crate) struct ListCampaigns {
        limit: Given<u64> = named("limit"),
        before: Given<u64> = named("before"),
    }
}

/// `GET /api/campaigns`
pub(crate) async fn list(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ListCampaigns>,
) -> Result<Reply<200, CampaignList>> {
    let asked = input.read();
    let limit = usize::try_from(asked.limit.or(LIMIT)?.clamp(1, MAX_LIMIT)).unwrap_or(1);
    let before = asked.before.get()?.map(CampaignId);
    let found = campaigns::list(&services.store, caller.tenant_id(), before, limit).await?;
    let is_full = found.len() == limit;
    let mut campaigns: Vec<ListedCampaign> =
        found.into_iter().map(|campaign| ListedCampaign::new(campaign, None)).collect();
    let is_cut = cut_to_weight(&mut campaigns);
    let next_before = campaigns.last().filter(|_| is_full || is_cut).map(|campaign| campaign.id);
    Ok(Reply(CampaignList { status: "success", campaigns, next_before }))
}

/// The campaign that a path names.
pub(crate) fn named<R>(input: &Input<R>) -> Result<CampaignId> {
    let unknown = |_| Error::not_found("campaign_id", "there is no campaign with this id").into();
    input.path("id").parse().map_err(unknown)
}

#[derive(Serialize)]
pub(crate) struct ShownCampaign {
    status: &'static str,
    campaign: ListedCampaign,
}

/// `GET /api/campaigns/{id}`
pub(crate) async fn show(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, ShownCampaign>> {
    let id = named(&input)?;
    let progress = campaigns::progress(&services, caller.tenant_id(), id).await?;
    let held_until = progress.held_until.map(|until| format!("{until:.3}"));
    let campaign =
        ListedCampaign { held_until, ..ListedCampaign::new(progress.campaign, Some(&progress.counts)) };
    Ok(Reply(ShownCampaign { status: "success", campaign }))
}
