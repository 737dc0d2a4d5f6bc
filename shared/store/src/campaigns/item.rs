//! Campaigns as items.

use domain::campaign::{Audience, Campaign, CampaignMessage, CampaignState};
use domain::channel::Channel;
use domain::media::MediaKind;
use domain::message::Category;
use domain::sender::SenderId;
use domain::template::{Template, TemplateStatus};
use domain::{AccountId, CampaignId, ContactId, ListId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::params::ParamsItem;
use super::{KIND, Planning, ResendOrder, Stored, key};
use crate::item::{Item, compose, read};
use crate::ledger::Which;
use crate::{Error, Result};

#[derive(Serialize, Deserialize)]
struct CampaignItem {
    id: u64,
    account: u64,
    name: String,
    channel: String,
    message: MessageItem,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lists: Option<Vec<u64>>,
    /// Credits for each message, fixed at launch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<u64>,
    scheduled: Option<i64>,
    state: String,
    reason: Option<String>,
    created: i64,
    started: Option<i64>,
    finished: Option<i64>,
    template: Option<TemplateItem>,
    sender: Option<String>,
    /// The sender, as it was written until 0.1: Meta's id of a number.
    #[serde(skip_serializing)]
    phone_id: Option<String>,
    checkpoint: Option<u64>,
    last_contact: Option<u64>,
    planned_at: Option<i64>,
    watch: Option<i64>,
    again_seq: Option<u64>,
    again: Option<String>,
    again_block: Option<u64>,
    again_at: Option<i64>,
    swept: Option<u8>,
    losses: Option<u64>,
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

fn message_item(message: &CampaignMessage) -> MessageItem {
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
        CampaignMessage::Text { body } => MessageItem { body: Some(body), ..empty("text") },
        CampaignMessage::Media { kind, url, caption } => MessageItem {
            body: caption,
            url: Some(url),
            media: Some(kind.as_str().to_owned()),
            ..empty("media")
        },
        CampaignMessage::Template { name, language, params, media_url } => MessageItem {
            name: Some(name),
            language,
            url: media_url,
            params: Some((*params).into()),
            ..empty("template")
        },
    }
}

fn read_message(item: MessageItem) -> Result<CampaignMessage> {
    let corrupt = || Error::Corrupt { kind: KIND };
    match item.kind.as_str() {
        "text" => Ok(CampaignMessage::Text { body: item.body.ok_or_else(corrupt)? }),
        "media" => Ok(CampaignMessage::Media {
            kind: MediaKind::parse(&item.media.ok_or_else(corrupt)?).map_err(|_| corrupt())?,
            url: item.url.ok_or_else(corrupt)?,
            caption: item.body,
        }),
        "template" => {
            let params = item.params.map(ParamsItem::into_params).transpose()?;
            Ok(CampaignMessage::Template {
                name: item.name.ok_or_else(corrupt)?,
                language: item.language,
                params: Box::new(params.unwrap_or_default()),
                media_url: item.url,
            })
        }
        _ => Err(corrupt()),
    }
}

pub(super) fn to_item(tenant: &TenantId, campaign: &Campaign) -> Result<Item> {
    let item = CampaignItem {
        id: campaign.id.0,
        account: campaign.account.0,
        name: campaign.name.clone(),
        channel: campaign.channel.as_str().to_owned(),
        message: message_item(&campaign.message),
        tags: match &campaign.audience {
            Audience::All | Audience::Lists(_) => None,
            Audience::Tags(tags) => Some(tags.clone()),
        },
        lists: match &campaign.audience {
            Audience::All | Audience::Tags(_) => None,
            Audience::Lists(lists) => Some(lists.iter().map(|list| list.0).collect()),
        },
        price: None,
        scheduled: campaign.scheduled_at.map(Timestamp::as_millisecond),
        state: campaign.state.as_str().to_owned(),
        reason: campaign.reason.clone(),
        created: campaign.created_at.as_millisecond(),
        started: None,
        finished: None,
        template: None,
        sender: campaign.sender.as_ref().map(ToString::to_string),
        phone_id: None,
        checkpoint: None,
        last_contact: None,
        planned_at: None,
        watch: campaign.scheduled_at.map(Timestamp::as_millisecond),
        again_seq: None,
        again: None,
        again_block: None,
        again_at: None,
        swept: None,
        losses: None,
    };
    compose(&key(tenant, campaign.id), KIND, &item)
}

pub(crate) fn from_item(item: Item) -> Result<Stored> {
    let corrupt = || Error::Corrupt { kind: KIND };
    let item: CampaignItem = read(item, KIND)?;
    let sender = item.sender.or(item.phone_id);
    let sender = sender.map(|id| id.parse::<SenderId>()).transpose().map_err(|_| corrupt())?;
    let time = |ms: i64| Timestamp::from_millisecond(ms).map_err(|_| corrupt());
    let campaign = Campaign {
        id: CampaignId(item.id),
        account: AccountId(item.account),
        name: item.name,
        channel: Channel::parse(&item.channel).map_err(|_| corrupt())?,
        sender,
        message: read_message(item.message)?,
        audience: match (item.lists, item.tags) {
            (Some(lists), _) => Audience::Lists(lists.into_iter().map(ListId).collect()),
            (None, Some(tags)) => Audience::Tags(tags),
            (None, None) => Audience::All,
        },
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
    let again = item.again.as_deref().and_then(Which::parse).map(|which| ResendOrder {
        seq: item.again_seq.unwrap_or(0),
        which,
        block: item.again_block.unwrap_or(0),
        at_ms: item.again_at.unwrap_or(0),
    });
    Ok(Stored {
        campaign,
        template: item.template.map(TemplateItem::into_template).transpose()?,
        planning,
        again,
        orders: item.again_seq.unwrap_or(0),
        watched_at_ms: item.watch,
        swept: item.swept.is_some(),
        losses: item.losses,
        price: item.price,
    })
}
