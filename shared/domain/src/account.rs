//! Tenants, their accounts, and the WhatsApp numbers connected to them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::consent::Keywords;
use crate::credits::Standing;
use crate::pace::Pace;
use crate::plan::Plan;
use crate::quiet::{FrequencyCap, QuietHours};
use crate::sender::{Sender, SenderId};
use crate::{AccountId, CallingCode, Secret, TenantId};

/// One customer: the owner of API keys, contacts and campaigns.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Name shown as `username`.
    pub name: String,
    /// E-mail address of the owner.
    pub email: String,
    /// IANA time zone, for times without an offset.
    pub timezone: String,
    /// What it may do.
    pub plan: Plan,
    /// Since when it has the plan.
    pub plan_since: Timestamp,
    /// How it stands to other tenants.
    pub standing: Standing,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Tenant {
    /// When the plan ends, where it does.
    pub fn plan_ends_at(&self) -> Option<Timestamp> {
        let days = i64::from(self.plan.validity_days?);
        Timestamp::from_second(self.plan_since.as_second().saturating_add(days * 86_400)).ok()
    }
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything except keys, operators, plans and credits.
    Operator,
}

impl Role {
    /// As it is stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
        }
    }
}

/// A key as it is stored: its secret is known only as a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// SHA-256 of the key, hexadecimal.
    pub hash: String,
    /// Whose key it is.
    pub tenant: TenantId,
    /// What it may do.
    pub role: Role,
    /// Who holds it.
    pub name: String,
    /// Refuses every request.
    pub disabled: bool,
}

/// What an account heeds of people, and when and how often it writes to them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ContactPolicy {
    /// The words that it heeds.
    #[serde(default)]
    pub keywords: Keywords,
    /// What an opt-out is answered with, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out_message: Option<String>,
    /// Most marketing messages that a contact gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_cap: Option<FrequencyCap>,
    /// Hours at which nobody gets marketing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

/// A bot or channel of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its number within the tenant.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The token that names it in requests.
    pub token: Secret,
    /// Greeting of the assistant.
    pub greetings_message: Option<String>,
    /// What the assistant says when it knows nothing.
    pub no_info_message: Option<String>,
    /// What HELP is answered with.
    pub help_message: Option<String>,
    /// When and how often it writes to people.
    pub policy: ContactPolicy,
    /// Country of numbers that are written without one.
    pub default_country: Option<CallingCode>,
    /// The connected WhatsApp numbers; the first sends when none is named.
    pub numbers: Vec<Number>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Account {
    /// Its senders; of each channel the default comes first.
    pub fn senders(&self) -> Vec<Sender> {
        self.numbers.iter().map(|number| self.sender(number)).collect()
    }

    /// One of its numbers as a sender.
    pub fn sender(&self, number: &Number) -> Sender {
        Sender {
            id: number.id.clone(),
            account: Some(self.id),
            channel: Channel::Whatsapp,
            pace: Pace { per_second: number.per_second },
            name: number.display_phone_number.clone(),
            is_default: self.number().is_some_and(|default| default.id == number.id),
        }
    }

    /// Has a number, in place of what was known of it; as the default when it is the first
    /// or is to be.
    pub fn connect(&mut self, number: Number, as_default: bool) {
        let known = self.numbers.iter().position(|known| known.id == number.id);
        let place = match known {
            Some(place) => {
                self.numbers.remove(place);
                place
            }
            None => self.numbers.len(),
        };
        self.numbers.insert(if as_default { 0 } else { place }, number);
    }

    /// The number that sends when none is named.
    pub fn number(&self) -> Option<&Number> {
        self.numbers.first()
    }

    /// One of its numbers: by Meta's id, or by the digits that people dial.
    pub fn number_of(&self, id: &SenderId) -> Option<&Number> {
        let by_id = self.numbers.iter().find(|number| number.id == *id);
        by_id.or_else(|| self.numbers.iter().find(|number| number.digits() == id.as_str()))
    }
}

/// A number of Meta's Cloud API that is connected to an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Meta's id of the number.
    pub id: SenderId,
    /// Meta's id of the business account.
    pub waba_id: String,
    /// The number as people read it.
    pub display_phone_number: String,
    /// The name that Meta verified.
    pub verified_name: String,
    /// The token that may use the number.
    pub access_token: Secret,
    /// Signs the webhooks of the app that the number belongs to.
    pub app_secret: Secret,
    /// Messages per second that Meta allows: 20, 80 or 1,000.
    pub per_second: u32,
    /// Unique recipients in 24 hours outside windows; `None` is no limit.
    pub tier: Option<u64>,
    /// When it was connected.
    pub connected_at: Timestamp,
}

impl Number {
    /// The digits that people dial.
    pub fn digits(&self) -> String {
        self.display_phone_number.chars().filter(char::is_ascii_digit).collect()
    }
}
