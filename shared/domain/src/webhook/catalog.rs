//! Every event: its stable name, the version of its body, and what its `data` holds.
//! The documents of `infra/openapi` are compared with this list.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Invalid;

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $schema:literal $(, $data:ident)?;)*) => {
        /// What a user can be told. Names never change; a field that changes its
        /// meaning or goes raises the schema version, a new field does not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventType {
            $($(#[$doc])* $variant,)*
        }

        impl EventType {
            /// Every type, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The version of the event's body.
            pub fn schema(self) -> u16 {
                match self { $(Self::$variant => $schema,)* }
            }

            /// The fields of its `data`; `None` when its body is not ours.
            pub fn fields(self) -> Option<&'static [&'static str]> {
                match self { $(Self::$variant => [$($data::FIELDS)?].first().copied(),)* }
            }
        }

        /// What is particular to an event of ours.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum EventData {
            $($(#[doc = concat!("`", $name, "`")] $variant($data),)?)*
        }

        impl EventData {
            /// The type of the event that it belongs to.
            pub fn kind(&self) -> EventType {
                match self { $($(Self::$variant($data { .. }) => EventType::$variant,)?)* }
            }
        }
    };
}

macro_rules! payloads {
    ($($(#[$about:meta])* struct $name:ident {
        $($(#[doc = $doc:literal])* $(#[serde($serde:meta)])? $field:ident as $wire:literal: $type:ty,)*
    })*) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct $name {
            $($(#[doc = $doc])* #[serde(rename = $wire $(, $serde)?)] pub $field: $type,)*
        }

        impl $name {
            const FIELDS: &'static [&'static str] = &[$($wire),*];
        }
    )*};
}

events! {
    /// A change that Meta reported, forwarded as Meta wrote it (SendApp,
    /// «Webhook di stato — WhatsApp Meta»). Its body is Meta's, not ours.
    MetaChange = "meta.change", 1;
    /// A text message came in on an SMS phone (SendApp, «Webhook di stato — SMS»).
    SmsReceived = "sms_received", 1, SmsReceived;
    /// An SMS phone is no longer heard from.
    DeviceDisconnected = "device.disconnected", 1, Device;
    /// An SMS phone is heard from again.
    DeviceReconnected = "device.reconnected", 1, DeviceReconnected;
    /// An SMS phone was removed.
    DeviceDeleted = "device.deleted", 1, Device;
    /// A contact wrote, on any channel.
    MessageReceived = "message.received", 1, MessageReceived;
    /// A message of ours was sent, delivered, read, or failed.
    MessageStatus = "message.status", 1, MessageStatus;
    /// A contact was stored for the first time.
    ContactCreated = "contact.created", 1, ContactVersion;
    /// A contact changed.
    ContactUpdated = "contact.updated", 1, ContactVersion;
    /// Contacts turned out to be one person and became one.
    ContactMerged = "contact.merged", 1, ContactMerge;
    /// A contact asked for no more messages.
    ContactOptedOut = "contact.opted_out", 1, Consent;
    /// A contact asked for messages again.
    ContactOptedIn = "contact.opted_in", 1, Consent;
    /// A contact's way through a bot flow is over, or was handed over to a person.
    FlowEnded = "flow.ended", 1, FlowEnded;
    /// No recipient of a campaign is pending or claimed any more.
    CampaignFinished = "campaign.finished", 1, CampaignEnd;
    /// A campaign stopped for a reason that only its owner can remove.
    CampaignFailed = "campaign.failed", 1, CampaignEnd;
    /// The credits of a sub-account went below its threshold; told to the agency, once for each time.
    CreditsLow = "credits.low", 1, CreditsLow;
    /// Meta decided on a message template, or paused or disabled one.
    TemplateStatusChanged = "template.status_changed", 1, TemplateChange;
    /// A customer ordered something from a catalog.
    OrderReceived = "order.received", 1, OrderReceived;
    /// An order is further than it was, or was called off.
    OrderStatusChanged = "order.status_changed", 1, OrderChange;
    /// An endpoint is given up; told to the tenant's other endpoints.
    WebhookDisabled = "webhook.disabled", 1, WebhookDisabled;
    /// The owner tries an endpoint.
    WebhookTest = "webhook.test", 1, WebhookTest;
}

payloads! {
    /// A text that came in on an SMS phone.
    struct SmsReceived {
        /// The phone.
        device as "device_id": String,
        /// A number, or a name of letters.
        from as "from": String,
        /// What was written.
        text as "text": String,
        /// The SIM's number within the phone, from 1; many phones do not tell.
        sim as "sim": Option<u8>,
        /// When the network took it.
        received_at as "received_at": String,
    }

    /// A contact's way through a bot flow.
    struct FlowEnded {
        /// The flow.
        flow as "flow_id": String,
        /// The run.
        run as "run_id": String,
        /// `finished`, `handed_over`, `expired`, `opted_out`, `loop`, `changed`, `cancelled`,
        /// `replaced` or `failed`.
        outcome as "outcome": String,
        /// Why a message could not be sent.
        reason as "reason": Option<String>,
        /// What the contact wrote to.
        sender as "sender": String,
        /// What was answered and set.
        vars as "vars": Map<String, Value>,
    }

    /// An SMS phone.
    struct Device {
        /// The phone.
        device as "device_id": String,
        /// Its name, for people.
        name as "name": String,
        /// How it was noticed: `sse_closed`, `heartbeat_missed`, or who removed it.
        reason as "reason": String,
    }

    /// An SMS phone that is back.
    struct DeviceReconnected {
        /// The phone.
        device as "device_id": String,
        /// Its name, for people.
        name as "name": String,
        /// How its silence was noticed.
        reason as "reason": String,
        /// How long nothing was heard.
        offline_seconds as "offline_seconds": u64,
    }

    /// What somebody wrote.
    struct MessageReceived {
        /// Who wrote, as the channel names them.
        from as "from": String,
        /// The sender that it came to.
        sender as "sender": Option<String>,
        /// The channel's type of it.
        kind as "type": String,
        /// What there is to read.
        text as "text": Option<String>,
        /// The provider's id.
        provider_id as "provider_message_id": String,
        /// The campaign that it answers.
        campaign as "campaign_id": Option<u64>,
        /// The message as the provider wrote it.
        content as "content": Value,
    }

    /// How a message fares.
    struct MessageStatus {
        /// `sent`, `delivered`, `read` or `failed`.
        status as "status": &'static str,
        /// The provider's id; a message that was refused has none.
        provider_id as "provider_message_id": Option<String>,
        /// Who it went to.
        to as "to": Option<String>,
        /// The campaign that it is of.
        campaign as "campaign_id": Option<u64>,
        /// The sender that it left from.
        sender as "sender": Option<String>,
        /// Meta's code, where Meta refused it.
        error_code as "error_code": Option<i64>,
        /// Why it failed.
        reason as "reason": Option<String>,
    }

    /// A contact as it is at a version.
    struct ContactVersion {
        /// The name.
        name as "name": Option<String>,
        /// In E.164.
        phone as "phone": Option<String>,
        /// The e-mail address.
        email as "email": Option<String>,
        /// The tags.
        tags as "tags": Vec<String>,
        /// The lists that they are in.
        lists as "lists": Vec<u64>,
        /// What the tenant keeps of them.
        metadata as "metadata": Map<String, Value>,
        /// From 1; every change counts.
        version as "version": u64,
    }

    /// Contacts that became one.
    struct ContactMerge {
        /// The contact that they are from now on.
        contact as "contact_id": u64,
        /// Those that are no contacts of their own any more.
        merged as "merged_ids": Vec<u64>,
    }

    /// An opt-out or opt-in.
    struct Consent {
        /// Whose address it is.
        address as "address": String,
        /// How it came about.
        source as "source": &'static str,
    }

    /// A campaign that ended.
    struct CampaignEnd {
        /// The campaign.
        campaign as "campaign_id": u64,
        /// Its name.
        name as "name": String,
        /// The sender that it had.
        sender as "sender": Option<String>,
        /// Why it failed.
        reason as "reason": Option<String>,
    }

    /// A sub-account that needs credits.
    struct CreditsLow {
        /// The same however often it is told; a grant under it adds credits once.
        idempotency_key as "idempotency_key": String,
        /// The sub-account.
        sub_account as "sub_account_id": String,
        /// The e-mail address of its owner, by which credits are granted.
        email as "email": String,
        /// The credits that are left.
        balance as "balance": u64,
        /// Below how many it is told.
        threshold as "threshold": u64,
        /// How many to grant, where the agency says so.
        amount as "amount": Option<u64>,
    }

    /// A message template that may be sent from now on, or no more.
    struct TemplateChange {
        /// Meta's id of it.
        id as "template_id": String,
        /// Its name.
        name as "name": String,
        /// Its language, as Meta writes it.
        language as "language": String,
        /// As Meta writes it: `APPROVED`, `REJECTED`, `PAUSED`, `DISABLED` and others.
        status as "status": String,
        /// Why, where Meta says so.
        reason as "reason": Option<String>,
    }

    /// What a customer ordered.
    struct OrderReceived {
        /// Our id of it.
        id as "order_id": String,
        /// Meta's id of the catalog that it is from.
        catalog as "catalog_id": Option<String>,
        /// `pending`.
        status as "status": &'static str,
        /// What is ordered, with prices in minor units.
        items as "items": Vec<OrderLine>,
        /// What all of it costs, in minor units; null when that cannot be read.
        total as "total": Option<u64>,
        /// The currency of the total, ISO 4217.
        currency as "currency": Option<String>,
        /// What the customer wrote beside it.
        note as "note": Option<String>,
        /// The provider's id of its message.
        provider_id as "provider_message_id": String,
    }

    /// An order that is further than it was.
    struct OrderChange {
        /// Our id of it.
        id as "order_id": String,
        /// Meta's id of the catalog that it is from.
        catalog as "catalog_id": Option<String>,
        /// How far it is.
        status as "status": &'static str,
        /// How far it was.
        previous as "previous_status": &'static str,
        /// What all of it costs, in minor units; null when that cannot be read.
        total as "total": Option<u64>,
        /// The currency of the total, ISO 4217.
        currency as "currency": Option<String>,
    }

    /// An endpoint that is given up.
    struct WebhookDisabled {
        /// The endpoint.
        endpoint as "webhook_id": u64,
        /// Its name.
        name as "name": String,
        /// `gone` or `failing`.
        reason as "reason": &'static str,
    }

    /// An endpoint that is tried.
    struct WebhookTest {
        /// The endpoint.
        endpoint as "webhook_id": u64,
        /// Its name.
        name as "name": String,
    }
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderLine {
    /// The shop's id of the product.
    pub product_id: String,
    /// How many; 0 when that cannot be read.
    pub quantity: u64,
    /// What one costs, in minor units; null when that cannot be read.
    pub price: Option<u64>,
    /// The currency of the price.
    pub currency: Option<String>,
}

impl EventType {
    /// What `/api/sms/set_webhook` registers for.
    pub const SMS: [Self; 4] =
        [Self::SmsReceived, Self::DeviceDisconnected, Self::DeviceReconnected, Self::DeviceDeleted];

    /// Whether an endpoint may choose the type. A test goes to the endpoint that
    /// is tested, and a notice of disabling to all the others.
    pub fn can_be_chosen(self) -> bool {
        !matches!(self, Self::WebhookTest | Self::WebhookDisabled)
    }

    /// Whether the body is [`super::Event::body`]; a forwarded one is somebody else's.
    pub fn is_ours(self) -> bool {
        self.fields().is_some()
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.iter().find(|kind| kind.as_str() == s.trim());
        known.copied().ok_or_else(|| Invalid::new("events", format!("`{}` is not an event", s.trim())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        let names: BTreeSet<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), EventType::ALL.len());
        for kind in EventType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert!(kind.schema() >= 1);
        }
        assert_eq!("message.sent".parse::<EventType>().unwrap_err().field, "events");
    }

    #[test]
    fn the_contracts_names_are_kept() {
        let sms: Vec<&str> = EventType::SMS.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(sms, ["sms_received", "device.disconnected", "device.reconnected", "device.deleted"]);
    }

    #[test]
    fn data_is_written_as_its_fields_say() {
        let test = EventData::WebhookTest(WebhookTest { endpoint: 7, name: "CRM".to_owned() });
        assert_eq!(test.kind(), EventType::WebhookTest);
        let Value::Object(written) = serde_json::to_value(&test).unwrap() else { panic!("no object") };
        let names: Vec<&str> = written.keys().map(String::as_str).collect();
        let mut listed = EventType::WebhookTest.fields().unwrap().to_vec();
        listed.sort_unstable();
        assert_eq!(names, listed);
        assert_eq!(EventType::MetaChange.fields(), None);
    }
}
