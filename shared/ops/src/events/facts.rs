//! Events of ours, made of the facts that they tell. What is told from one place only is
//! made there.

use domain::campaign::Campaign;
use domain::catalog::{Order, OrderItem, OrderStatus};
use domain::channel::{Channel, ChannelName};
use domain::contact::Contact;
use domain::message::CallbackRef;
use domain::outcome::Reason;
use domain::recipient::Status;
use domain::sender::SenderId;
use domain::webhook::catalog::{
    CampaignEnd, Consent, ContactMerge, ContactVersion, CreditsLow, Device, DeviceReconnected,
    MessageReceived, MessageStatus, OrderChange, OrderLine, OrderReceived, SmsReceived,
};
use domain::webhook::{Event, EventData};
use domain::{AccountId, ContactId, TenantId};
use jiff::Timestamp;
use store::messages::Message;
use store::outbox::LowCredits;

/// The channel of SMS phones.
const SMS: &str = "sms";

/// `message.received`: once for each id of the provider, or of a custom channel.
pub fn message_received(tenant: &TenantId, message: &Message) -> Event {
    let provider_id = message.progress.provider_id.clone().unwrap_or_default();
    let mut fact = vec![provider_id.as_str()];
    fact.extend(message.channel.custom().map(ChannelName::as_str));
    let data = EventData::MessageReceived(MessageReceived {
        from: message.address.id().to_owned(),
        sender: message.sender.as_ref().map(ToString::to_string),
        kind: message.kind.clone(),
        text: message.text.clone(),
        provider_id: provider_id.clone(),
        campaign: message.campaign.map(|id| id.0),
        content: serde_json::from_str(&message.content).unwrap_or_default(),
    });
    let at_ms = message.progress.delivered_at.unwrap_or_else(|| message.id.timestamp_ms());
    Event {
        account: message.account.known(),
        channel: Some(message.channel.to_string()),
        contact: message.contact,
        message: Some(message.id.to_string()),
        ..Event::new(tenant, &fact, at_ms, data)
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
    let data = EventData::MessageStatus(MessageStatus {
        status: name,
        provider_id: fact.provider_id.map(str::to_owned),
        to: fact.to.map(str::to_owned),
        campaign: campaign.map(|id| id.0),
        sender: fact.sender.map(ToString::to_string),
        error_code: reason.and_then(Reason::meta_code),
        reason: reason.map(|reason| reason.as_str().to_owned()),
    });
    Event {
        account: fact.account.known(),
        channel: Some(fact.channel.to_string()),
        contact,
        message: Some(message.clone()),
        ..Event::new(tenant, &[&message, name], fact.at_ms, data)
    }
}

/// `contact.created` and `contact.updated`: once for each version of the contact.
pub fn contact_changed(tenant: &TenantId, contact: &Contact, version: u64, created: bool, now: i64) -> Event {
    let data = ContactVersion {
        name: contact.name.clone(),
        phone: contact.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        email: contact.email.as_ref().map(|email| email.as_str().to_owned()),
        tags: contact.tags.clone(),
        lists: contact.lists.iter().map(|list| list.0).collect(),
        metadata: contact.metadata.clone(),
        version,
    };
    let data = if created { EventData::ContactCreated(data) } else { EventData::ContactUpdated(data) };
    let fact = [contact.id.to_string(), version.to_string()];
    Event {
        account: contact.origin,
        contact: Some(contact.id),
        ..Event::new(tenant, &[&fact[0], &fact[1]], now, data)
    }
}

/// `contact.merged`: once for each version of the contact that others became part of.
pub fn contact_merged(tenant: &TenantId, contact: &Contact, version: u64, merged: &[u64], now: i64) -> Event {
    let data = EventData::ContactMerged(ContactMerge { contact: contact.id.0, merged: merged.to_vec() });
    let fact = [contact.id.to_string(), version.to_string()];
    Event {
        account: contact.origin,
        contact: Some(contact.id),
        ..Event::new(tenant, &[&fact[0], &fact[1]], now, data)
    }
}

/// `contact.opted_out` and `contact.opted_in`: once for each time that it changed.
#[derive(Debug, Clone)]
pub struct ConsentFact<'a> {
    /// Whether messages are wanted from now on.
    pub wanted: bool,
    /// How it came about.
    pub source: &'static str,
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
    let data = Consent { address: fact.address.to_owned(), source: fact.source };
    let data = if fact.wanted { EventData::ContactOptedIn(data) } else { EventData::ContactOptedOut(data) };
    Event {
        account: fact.account,
        channel: fact.channel.clone(),
        contact: fact.contact,
        ..Event::new(tenant, &[fact.address, &fact.at_ms.to_string()], fact.at_ms, data)
    }
}

/// `credits.low`: once for each time that a balance went below its threshold.
pub fn credits_low(agency: &TenantId, low: &LowCredits) -> Event {
    let nth = low.nth.to_string();
    let data = EventData::CreditsLow(CreditsLow {
        idempotency_key: format!("recharge-{}-{nth}", low.sub_account),
        sub_account: low.sub_account.clone(),
        email: low.email.clone(),
        balance: low.balance,
        threshold: low.threshold,
        amount: low.amount,
    });
    Event::new(agency, &[&low.sub_account, &nth], low.at_ms, data)
}

/// `campaign.finished` and `campaign.failed`.
pub fn campaign_ended(tenant: &TenantId, campaign: &Campaign, reason: Option<&str>, now: i64) -> Event {
    let data = CampaignEnd {
        campaign: campaign.id.0,
        name: campaign.name.clone(),
        sender: campaign.sender.as_ref().map(ToString::to_string),
        reason: reason.map(str::to_owned),
    };
    // A campaign may fail, be resumed, and fail again.
    let (data, nth) = match reason {
        Some(_) => (EventData::CampaignFailed(data), now.to_string()),
        None => (EventData::CampaignFinished(data), String::new()),
    };
    Event {
        account: Some(campaign.account),
        channel: Some(campaign.channel.to_string()),
        ..Event::new(tenant, &[&campaign.id.to_string(), &nth], now, data)
    }
}

/// `order.received`: once for each id of the provider.
pub fn order_received(tenant: &TenantId, order: &Order) -> Event {
    let line = |item: &OrderItem| OrderLine {
        product_id: item.retailer_id.clone(),
        quantity: item.quantity,
        price: item.price.as_ref().map(|money| money.minor),
        currency: item.price.as_ref().map(|money| money.currency.to_string()),
    };
    let data = EventData::OrderReceived(OrderReceived {
        id: order.id.to_string(),
        catalog: order.new.catalog.clone(),
        status: OrderStatus::Pending.as_str(),
        items: order.new.items.iter().map(line).collect(),
        total: order.total.as_ref().map(|money| money.minor),
        currency: order.total.as_ref().map(|money| money.currency.to_string()),
        note: order.new.note.clone(),
        provider_id: order.provider_id.clone(),
    });
    about_order(order, Event::new(tenant, &[&order.provider_id], order.created_ms, data))
}

/// `order.status_changed`: once for each status that an order gets.
pub fn order_moved(tenant: &TenantId, order: &Order, to: OrderStatus, at_ms: i64) -> Event {
    let id = order.id.to_string();
    let data = EventData::OrderStatusChanged(OrderChange {
        id: id.clone(),
        catalog: order.new.catalog.clone(),
        status: to.as_str(),
        previous: order.status.as_str(),
        total: order.total.as_ref().map(|money| money.minor),
        currency: order.total.as_ref().map(|money| money.currency.to_string()),
    });
    about_order(order, Event::new(tenant, &[&id, to.as_str()], at_ms, data))
}

fn about_order(order: &Order, event: Event) -> Event {
    Event {
        account: order.account.known(),
        channel: Some(Channel::Whatsapp.to_string()),
        contact: order.contact,
        message: Some(order.id.to_string()),
        ..event
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
    let received_at = Timestamp::from_millisecond(fact.received_ms).unwrap_or_default();
    let data = EventData::SmsReceived(SmsReceived {
        device: fact.device.to_owned(),
        from: fact.from.to_owned(),
        text: fact.text.to_owned(),
        sim: fact.sim,
        received_at: received_at.to_string(),
    });
    Event {
        account: Some(fact.account),
        channel: Some(SMS.to_owned()),
        contact: fact.contact,
        message: Some(fact.message.to_owned()),
        ..Event::new(tenant, &[fact.device, fact.fingerprint], fact.received_ms, data)
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
    let (device, name) = (fact.device.to_owned(), fact.name.to_owned());
    let reason = fact.reason.to_owned();
    let data = match fact.change {
        DeviceChange::Disconnected => EventData::DeviceDisconnected(Device { device, name, reason }),
        DeviceChange::Reconnected { offline_seconds } => {
            EventData::DeviceReconnected(DeviceReconnected { device, name, reason, offline_seconds })
        }
        DeviceChange::Deleted => EventData::DeviceDeleted(Device { device, name, reason }),
    };
    Event {
        account: Some(fact.account),
        channel: Some(SMS.to_owned()),
        ..Event::new(tenant, &[fact.device, &fact.at_ms.to_string()], fact.at_ms, data)
    }
}
