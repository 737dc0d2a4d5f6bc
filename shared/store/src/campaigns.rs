//! Campaigns: what they say, where they stand, and how far their planner came.

use std::collections::{BTreeMap, BTreeSet};

use domain::campaign::{Audience, Campaign, CampaignState, Channel, Message};
use domain::media::MediaKind;
use domain::message::Category;
use domain::template::{Params, Template, TemplateStatus};
use domain::{AccountId, CampaignId, ContactId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batch::Action;
use crate::due::{Due, Watched, put_action};
use crate::item::{Item, Key, Query, compose, n, number, read, s};
use crate::outbox::{Entry, note_action};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

const KIND: &str = "campaign";

fn key(tenant: &TenantId, id: CampaignId) -> Key {
    Key::new(format!("CAMPAIGNS#{tenant}"), format!("{:010}", id.0))
}

/// How far the planner came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planning {
    /// The next contact block to plan.
    pub checkpoint: u64,
    /// The last contact of the audience: it is fixed at start.
    pub last_contact: ContactId,
    /// When the checkpoint last moved, in milliseconds since 1970.
    pub at_ms: i64,
}

/// A campaign with what its workers need.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The campaign.
    pub campaign: Campaign,
    /// The template as it was at launch.
    pub template: Option<Template>,
    /// The number that sends, from launch on.
    pub phone_number_id: Option<String>,
    /// How far the planner came, from launch on.
    pub planning: Option<Planning>,
}

impl Stored {
    /// Whether every recipient is in the ledger.
    pub fn is_planned(&self) -> bool {
        self.planning.is_some_and(|p| p.checkpoint > crate::contacts::block_of(p.last_contact))
    }
}

/// What a launch fixes.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The last contact of the audience.
    pub last_contact: ContactId,
    /// The number that sends.
    pub phone_number_id: String,
    /// The template as it is now.
    pub template: Option<Template>,
}

/// A campaign that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// Which.
    pub id: CampaignId,
    /// The account that sends.
    pub account: AccountId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct CampaignItem {
    id: u64,
    account: u64,
    name: String,
    channel: String,
    message: MessageItem,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    scheduled: Option<i64>,
    state: String,
    reason: Option<String>,
    created: i64,
    started: Option<i64>,
    finished: Option<i64>,
    template: Option<TemplateItem>,
    phone_id: Option<String>,
    checkpoint: Option<u64>,
    last_contact: Option<u64>,
    planned_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct MessageItem {
    kind: String,
    body: Option<String>,
    url: Option<String>,
    media: Option<String>,
    name: Option<String>,
    language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    params: Option<ParamsItem>,
}

#[derive(Serialize, Deserialize)]
struct ParamsItem {
    header: Vec<String>,
    body: Vec<String>,
    named: BTreeMap<String, String>,
    buttons: Vec<String>,
}

/// A template as items hold it; its components are JSON text.
#[derive(Serialize, Deserialize)]
pub(crate) struct TemplateItem {
    id: String,
    name: String,
    language: String,
    category: Option<String>,
    status: String,
    components: String,
}

impl From<&Template> for TemplateItem {
    fn from(template: &Template) -> Self {
        Self {
            id: template.id.clone(),
            name: template.name.clone(),
            language: template.language.clone(),
            category: template.category.map(|c| c.as_str().to_owned()),
            status: template.status.as_str().to_owned(),
            components: Value::from(template.components.clone()).to_string(),
        }
    }
}

impl TemplateItem {
    pub(crate) fn into_template(self) -> Result<Template> {
        let components = serde_json::from_str(&self.components);
        Ok(Template {
            id: self.id,
            name: self.name,
            language: self.language,
            category: self.category.and_then(|c| Category::parse(&c).ok()),
            status: TemplateStatus::parse(&self.status),
            components: components.map_err(|_| Error::Corrupt { kind: "template" })?,
        })
    }
}

fn message_item(message: &Message) -> MessageItem {
    let empty = |kind: &str| MessageItem {
        kind: kind.to_owned(),
        body: None,
        url: None,
        media: None,
        name: None,
        language: None,
        params: None,
    };
    match message.clone() {
        Message::Text { body } => MessageItem { body: Some(body), ..empty("text") },
        Message::Media { kind, url, caption } => MessageItem {
            body: caption,
            url: Some(url),
            media: Some(kind.as_str().to_owned()),
            ..empty("media")
        },
        Message::Template { name, language, params, media_url } => MessageItem {
            name: Some(name),
            language,
            url: media_url,
            params: Some(ParamsItem {
                header: params.header,
                body: params.body,
                named: params.named,
                buttons: params.buttons,
            }),
            ..empty("template")
        },
    }
}

fn read_message(item: MessageItem) -> Result<Message> {
    let corrupt = || Error::Corrupt { kind: KIND };
    match item.kind.as_str() {
        "text" => Ok(Message::Text { body: item.body.ok_or_else(corrupt)? }),
        "media" => Ok(Message::Media {
            kind: MediaKind::parse(&item.media.ok_or_else(corrupt)?).map_err(|_| corrupt())?,
            url: item.url.ok_or_else(corrupt)?,
            caption: item.body,
        }),
        "template" => {
            let params = item.params.map(|p| Params {
                header: p.header,
                body: p.body,
                named: p.named,
                buttons: p.buttons,
            });
            Ok(Message::Template {
                name: item.name.ok_or_else(corrupt)?,
                language: item.language,
                params: params.unwrap_or_default(),
                media_url: item.url,
            })
        }
        _ => Err(corrupt()),
    }
}

fn to_item(tenant: &TenantId, campaign: &Campaign) -> Result<Item> {
    let item = CampaignItem {
        id: campaign.id.0,
        account: campaign.account.0,
        name: campaign.name.clone(),
        channel: campaign.channel.as_str().to_owned(),
        message: message_item(&campaign.message),
        tags: match &campaign.audience {
            Audience::All => None,
            Audience::Tags(tags) => Some(tags.clone()),
        },
        scheduled: campaign.scheduled_at.map(Timestamp::as_millisecond),
        state: campaign.state.as_str().to_owned(),
        reason: campaign.reason.clone(),
        created: campaign.created_at.as_millisecond(),
        started: None,
        finished: None,
        template: None,
        phone_id: None,
        checkpoint: None,
        last_contact: None,
        planned_at: None,
    };
    compose(&key(tenant, campaign.id), KIND, &item)
}

fn from_item(item: Item) -> Result<Stored> {
    let corrupt = || Error::Corrupt { kind: KIND };
    let item: CampaignItem = read(item, KIND)?;
    let time = |ms: i64| Timestamp::from_millisecond(ms).map_err(|_| corrupt());
    let campaign = Campaign {
        id: CampaignId(item.id),
        account: AccountId(item.account),
        name: item.name,
        channel: Channel::parse(&item.channel).map_err(|_| corrupt())?,
        message: read_message(item.message)?,
        audience: item.tags.map_or(Audience::All, Audience::Tags),
        scheduled_at: item.scheduled.map(time).transpose()?,
        state: CampaignState::parse(&item.state).ok_or_else(corrupt)?,
        reason: item.reason,
        created_at: time(item.created)?,
        started_at: item.started.map(time).transpose()?,
        finished_at: item.finished.map(time).transpose()?,
    };
    let planning = match (item.checkpoint, item.last_contact, item.planned_at) {
        (Some(checkpoint), Some(last), Some(at_ms)) => {
            Some(Planning { checkpoint, last_contact: ContactId(last), at_ms })
        }
        _ => None,
    };
    Ok(Stored {
        campaign,
        template: item.template.map(TemplateItem::into_template).transpose()?,
        phone_number_id: item.phone_id,
        planning,
    })
}

impl Store {
    /// The next campaign number of a tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn next_campaign_id(&self, tenant: &TenantId) -> Result<CampaignId> {
        self.next_number(tenant, "campaigns").await.map(CampaignId)
    }

    /// Writes a new campaign; a scheduled one goes into the due index with it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when its number is taken.
    pub async fn create_campaign(&self, tenant: &TenantId, campaign: &Campaign) -> Result<()> {
        let mut actions = vec![Action::Put(to_item(tenant, campaign)?, vec![When::Absent("pk")])];
        if let Some(at) = campaign.scheduled_at {
            let due = Due {
                tenant: tenant.clone(),
                what: Watched::Campaign(campaign.id),
                at_ms: at.as_millisecond(),
            };
            actions.push(put_action(&due)?);
        }
        self.transact(actions).await
    }

    /// Reads a campaign, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn campaign(&self, tenant: &TenantId, id: CampaignId) -> Result<Option<Stored>> {
        self.get_item(&key(tenant, id)).await?.map(from_item).transpose()
    }

    /// Campaigns, newest first, at most `limit`, older than `before`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn campaigns(
        &self,
        tenant: &TenantId,
        before: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let query = Query {
            pk: format!("CAMPAIGNS#{tenant}"),
            until: before.map(|id| format!("{:010}", id.0.saturating_sub(1))),
            limit: Some(limit),
            descending: true,
            ..Query::default()
        };
        self.query(&query).await?.into_iter().map(from_item).collect()
    }

    /// The newest `most` campaigns, as far as they were started.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn started_campaigns(&self, tenant: &TenantId, most: usize) -> Result<Vec<Started>> {
        let query = Query {
            pk: format!("CAMPAIGNS#{tenant}"),
            project: Some("id, account, started".to_owned()),
            limit: Some(most),
            descending: true,
            ..Query::default()
        };
        let items = self.query(&query).await?;
        let started = |item: &Item| {
            let (id, account) = (number(item, "id")?, number(item, "account")?);
            Some(Started { id: CampaignId(id), account: AccountId(account), at_ms: number(item, "started")? })
        };
        Ok(items.iter().filter_map(started).collect())
    }

    /// Reads several campaigns, in no order; those that do not exist are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn campaigns_of(&self, tenant: &TenantId, ids: &BTreeSet<CampaignId>) -> Result<Vec<Stored>> {
        let keys = ids.iter().map(|id| key(tenant, *id)).collect();
        self.get_many(keys).await?.into_iter().map(from_item).collect()
    }

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
            .set("phone_id", s(&launch.phone_number_id))
            .set("checkpoint", n(0))
            .set("last_contact", n(launch.last_contact.0))
            .set("planned_at", n(now))
            .set_some("template", template.map_err(|_| Error::Corrupt { kind: KIND })?)
            .remove("reason")
            .when(When::Is("state", s(from.as_str())));
        let due = Due { tenant: tenant.clone(), what: Watched::Campaign(id), at_ms: watch_at_ms };
        self.transact(vec![Action::Update(update), put_action(&due)?]).await
    }

    /// Moves a campaign from one state to another, with a note in the outbox.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not in state `from`.
    pub async fn transition_campaign(
        &self,
        tenant: &TenantId,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
        reason: Option<&str>,
        note: Option<&Entry>,
    ) -> Result<()> {
        let mut update = Update::of(key(tenant, id))
            .set("state", s(to.as_str()))
            .when(When::Is("state", s(from.as_str())));
        update = match reason {
            Some(reason) => update.set("reason", s(reason)),
            None => update.remove("reason"),
        };
        if matches!(to, CampaignState::Finished | CampaignState::Cancelled | CampaignState::Failed) {
            update = update.set("finished", n(self.clock().now_ms()));
        }
        match note {
            Some(note) => self.transact(vec![Action::Update(update), note_action(note)?]).await,
            None => self.update(update).await,
        }
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
            .when(When::Is("state", s(CampaignState::Planning.as_str())));
        self.update(update).await
    }
}
