//! Every event of ours, made of the fact that it tells. What its `data` holds is
//! documented in `infra/openapi/sendapp.yaml`, one by one.

use domain::campaign::Campaign;
use domain::channel::{Channel, ChannelName};
use domain::contact::Contact;
use domain::message::CallbackRef;
use domain::outcome::Reason;
use domain::recipient::Status;
use domain::sender::SenderId;
use domain::webhook::{Event, EventId, EventType};
use domain::{AccountId, CampaignId, ContactId, TenantId};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::messages::Message;

/// The channel of SMS phones.
const SMS: &str = "sms";

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

fn data(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// `message.received`: once for each id of the provider, or of a custom channel.
pub fn message_received(tenant: &TenantId, message: &Message) -> Event {
    let provider_id = message.progress.provider_id.clone().unwrap_or_default();
    let content: Value = serde_json::from_str(&message.content).unwrap_or_default();
    let mut parts = vec![tenant.as_str(), &provider_id];
    parts.extend(message.channel.custom().map(ChannelName::as_str));
    Event {
        id: EventId::of(EventType::MessageReceived, &parts),
        kind: EventType::MessageReceived,
        at: at(message.progress.delivered_at.unwrap_or_else(|| message.id.timestamp_ms())),
        account: message.account.known(),
        channel: Some(message.channel.to_string()),
        contact: message.contact,
        message: Some(message.id.to_string()),
        data: data(json!({
            "from": message.address.id(),
            "sender": message.sender.as_ref().map(SenderId::as_str),
            "type": message.kind,
            "text": message.text,
            "provider_message_id": provider_id,
            "campaign_id": message.campaign.map(|id| id.0),
            "content": content,
        })),
    }
}

/// A status of one of our messages.
#[derive(Debug, Clone)]
pub struct StatusFact<'a> {
    /// The account that sent it.
    pub account: AccountId,
    /// The channel.
    pub channel: &'a Channel,
    /// What it left from, where that is known.
    pub sender: Option<&'a SenderId>,
    /// What names the message.
    pub message: CallbackRef,
    /// The provider's id; a message that was refused has none.
    pub provider_id: Option<&'a str>,
    /// Who it went to.
    pub to: Option<&'a str>,
    /// The contact, where it is known.
    pub contact: Option<ContactId>,
    /// The status.
    pub status: Status,
    /// When it came about, in milliseconds since 1970.
    pub at_ms: i64,
}

impl<'a> StatusFact<'a> {
    /// Of a message that is no campaign's.
    pub fn of(message: &'a Message, status: Status, provider_id: Option<&'a str>, at_ms: i64) -> Self {
        Self {
            account: message.account,
            channel: &message.channel,
            sender: message.sender.as_ref(),
            message: CallbackRef::Message(message.id),
            provider_id,
            to: Some(message.address.id()),
            contact: message.contact,
            status,
            at_ms,
        }
    }
}

/// `message.status`: once for each message and status.
pub fn message_status(tenant: &TenantId, fact: &StatusFact<'_>) -> Event {
    let reason = match &fact.status {
        Status::Sent | Status::Delivered | Status::Read => None,
        Status::Failed(reason) => Some(reason),
    };
    let name = fact.status.state().as_str();
    let (message, campaign, contact) = match fact.message {
        CallbackRef::Campaign(campaign, contact, _) => {
            (fact.message.to_string(), Some(campaign), Some(contact))
        }
        CallbackRef::Message(id) => (id.to_string(), None, fact.contact),
    };
    Event {
        id: EventId::of(EventType::MessageStatus, &[tenant.as_str(), &message, name]),
        kind: EventType::MessageStatus,
        at: at(fact.at_ms),
        account: fact.account.known(),
        channel: Some(fact.channel.to_string()),
        contact,
        message: Some(message),
        data: data(json!({
            "status": name,
            "provider_message_id": fact.provider_id,
            "to": fact.to,
            "campaign_id": campaign.map(|id| id.0),
            "sender": fact.sender.map(SenderId::as_str),
            "error_code": reason.and_then(Reason::meta_code),
            "reason": reason.map(Reason::as_str),
        })),
    }
}

/// `contact.created` and `contact.updated`: once for each version of the contact.
pub fn contact_changed(tenant: &TenantId, contact: &Contact, version: u64, created: bool, now: i64) -> Event {
    let kind = if created { EventType::ContactCreated } else { EventType::ContactUpdated };
    let parts = [tenant.as_str(), &contact.id.to_string(), &version.to_string()];
    Event {
        id: EventId::of(kind, &parts),
        kind,
        at: at(now),
        account: contact.origin,
        channel: None,
        contact: Some(contact.id),
        message: None,
        data: data(json!({
            "name": contact.name,
            "phone": contact.phone.as_ref().map(|phone| phone.as_str()),
            "email": contact.email.as_ref().map(|email| email.as_str()),
            "tags": contact.tags,
            "metadata": contact.metadata,
            "version": version,
        })),
    }
}

/// `contact.opted_out` and `contact.opted_in`: once for each time that it changed.
#[derive(Debug, Clone)]
pub struct ConsentFact<'a> {
    /// Whether messages are wanted from now on.
    pub wanted: bool,
    /// How it came about.
    pub source: &'a str,
    /// Whose address it is.
    pub address: &'a str,
    /// The channel that it was said over, where it was.
    pub channel: Option<String>,
    /// The account that was told.
    pub account: Option<AccountId>,
    /// The contact, where it is known.
    pub contact: Option<ContactId>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// See [`ConsentFact`].
pub fn consent_changed(tenant: &TenantId, fact: &ConsentFact<'_>) -> Event {
    let kind = if fact.wanted { EventType::ContactOptedIn } else { EventType::ContactOptedOut };
    Event {
        id: EventId::of(kind, &[tenant.as_str(), fact.address, &fact.at_ms.to_string()]),
        kind,
        at: at(fact.at_ms),
        account: fact.account,
        channel: fact.channel.clone(),
        contact: fact.contact,
        message: None,
        data: data(json!({"address": fact.address, "source": fact.source})),
    }
}

/// `campaign.finished` and `campaign.failed`.
pub fn campaign_ended(tenant: &TenantId, campaign: &Campaign, reason: Option<&str>, now: i64) -> Event {
    let kind = if reason.is_some() { EventType::CampaignFailed } else { EventType::CampaignFinished };
    let id: CampaignId = campaign.id;
    // A campaign may fail, be resumed, and fail again.
    let nth = if reason.is_some() { now.to_string() } else { String::new() };
    Event {
        id: EventId::of(kind, &[tenant.as_str(), &id.to_string(), &nth]),
        kind,
        at: at(now),
        account: Some(campaign.account),
        channel: Some(campaign.channel.to_string()),
        contact: None,
        message: None,
        data: data(json!({
            "campaign_id": id.0,
            "name": campaign.name,
            "sender": campaign.sender.as_ref().map(SenderId::as_str),
            "reason": reason,
        })),
    }
}

/// `webhook.disabled`: told to the tenant's other endpoints.
pub fn webhook_disabled(tenant: &TenantId, endpoint: u64, name: &str, reason: &str, now: i64) -> Event {
    let parts = [tenant.as_str(), &endpoint.to_string(), &now.to_string()];
    Event {
        id: EventId::of(EventType::WebhookDisabled, &parts),
        kind: EventType::WebhookDisabled,
        at: at(now),
        account: None,
        channel: None,
        contact: None,
        message: None,
        data: data(json!({"webhook_id": endpoint, "name": name, "reason": reason})),
    }
}

/// A text message that an SMS phone received.
#[derive(Debug, Clone, Copy)]
pub struct SmsFact<'a> {
    /// The account that the phone belongs to.
    pub account: AccountId,
    /// The phone.
    pub device: &'a str,
    /// Made of the content: a phone posts the same text twice under different ids.
    pub fingerprint: &'a str,
    /// Our id of the message.
    pub message: &'a str,
    /// The contact that wrote, where a number did.
    pub contact: Option<ContactId>,
    /// Who wrote: a number, or a name of letters.
    pub from: &'a str,
    /// What was written.
    pub text: &'a str,
    /// The SIM's number within the phone, from 1; many phones do not tell.
    pub sim: Option<u8>,
    /// When the network took it, in milliseconds since 1970.
    pub received_ms: i64,
}

/// `sms_received`: once for each text.
pub fn sms_received(tenant: &TenantId, fact: &SmsFact<'_>) -> Event {
    Event {
        id: EventId::of(EventType::SmsReceived, &[tenant.as_str(), fact.device, fact.fingerprint]),
        kind: EventType::SmsReceived,
        at: at(fact.received_ms),
        account: Some(fact.account),
        channel: Some(SMS.to_owned()),
        contact: fact.contact,
        message: Some(fact.message.to_owned()),
        data: data(json!({
            "device_id": fact.device,
            "from": fact.from,
            "text": fact.text,
            "sim": fact.sim,
            "received_at": at(fact.received_ms).to_string(),
        })),
    }
}

/// What became of an SMS phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChange {
    /// Nothing was heard from it for too long.
    Disconnected,
    /// It was heard from again, after so many seconds.
    Reconnected {
        /// How long nothing was heard.
        offline_seconds: u64,
    },
    /// It was removed.
    Deleted,
}

/// A change of an SMS phone.
#[derive(Debug, Clone, Copy)]
pub struct DeviceFact<'a> {
    /// What changed.
    pub change: DeviceChange,
    /// The account that the phone belongs to.
    pub account: AccountId,
    /// The phone.
    pub device: &'a str,
    /// Its name, for people.
    pub name: &'a str,
    /// How it was noticed: `sse_closed`, `heartbeat_missed`, or who removed it.
    pub reason: &'a str,
    /// When, in milliseconds since 1970: with it, each change is told once.
    pub at_ms: i64,
}

/// `device.disconnected`, `device.reconnected` and `device.deleted`: once for each change.
pub fn device_changed(tenant: &TenantId, fact: &DeviceFact<'_>) -> Event {
    let (kind, offline) = match fact.change {
        DeviceChange::Disconnected => (EventType::DeviceDisconnected, None),
        DeviceChange::Reconnected { offline_seconds } => {
            (EventType::DeviceReconnected, Some(offline_seconds))
        }
        DeviceChange::Deleted => (EventType::DeviceDeleted, None),
    };
    let mut content = data(json!({"device_id": fact.device, "name": fact.name, "reason": fact.reason}));
    content.extend(offline.map(|seconds| ("offline_seconds".to_owned(), json!(seconds))));
    Event {
        id: EventId::of(kind, &[tenant.as_str(), fact.device, &fact.at_ms.to_string()]),
        kind,
        at: at(fact.at_ms),
        account: Some(fact.account),
        channel: Some(SMS.to_owned()),
        contact: None,
        message: None,
        data: content,
    }
}
