//! Credits: what a sub-account of an agency pays its messages with. A credit is the smallest
//! unit that there is: amounts, balances and prices are whole credits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::channel::{Channel, ChannelName};
use crate::message::Category;
use crate::{Invalid, TenantId};

/// Most credits of one grant.
pub const MAX_GRANT: u64 = 1_000_000_000;
/// Most credits that a sub-account has.
pub const MAX_BALANCE: u64 = 1_000_000_000_000;
/// Highest price of one message.
pub const MAX_PRICE: u64 = 1_000_000;
/// Longest description of a grant, in characters.
pub const MAX_DESCRIPTION: usize = 255;
/// Most channels that a list of prices names.
const MAX_CHANNELS: usize = 50;
/// The price of what a list names no other for.
const USUAL: &str = "default";
/// The channels that are a tenant's own, where the list does not name the one.
const CUSTOM: &str = "custom";
/// What a message is that is no template.
const SERVICE: &str = "service";
/// What a price may be of, beside the usual one of a channel.
const CATEGORIES: [&str; 4] = ["marketing", "utility", "authentication", SERVICE];

/// What a message costs, by channel and category; one credit, unless something else is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// Of whatever is not named.
    #[serde(rename = "default")]
    usual: u64,
    /// By channel, and by category within it.
    #[serde(flatten)]
    channels: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Default for Prices {
    fn default() -> Self {
        Self { usual: 1, channels: BTreeMap::new() }
    }
}

/// A price of a list, from 0.
fn price(field: &str, value: &Value) -> Result<u64, Invalid> {
    let read = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    read.filter(|price| *price <= MAX_PRICE).ok_or_else(|| {
        Invalid::new(field, format!("{field} must be a whole number of credits from 0 to {MAX_PRICE}"))
    })
}

/// A channel as a list of prices names it.
fn channel(name: &str) -> Result<String, Invalid> {
    if name.trim().eq_ignore_ascii_case(CUSTOM) {
        return Ok(CUSTOM.to_owned());
    }
    match Channel::ours(name) {
        Some(ours) => Ok(ours.as_str().to_owned()),
        None => name.parse().map(|own: ChannelName| own.as_str().to_owned()).map_err(|_| {
            let field = format!("prices.{name}");
            Invalid::new(&field, format!("{field} is not the name of a channel"))
        }),
    }
}

impl Prices {
    /// Reads `{"default": 1, "whatsapp": {"marketing": 4, "service": 1}, "custom": 2}`.
    ///
    /// # Errors
    /// Names the price that is wrong: `prices.whatsapp.marketing`.
    pub fn read(list: &Map<String, Value>) -> Result<Self, Invalid> {
        let mut prices = Self::default();
        if list.len() > MAX_CHANNELS {
            return Err(Invalid::new("prices", format!("prices may name at most {MAX_CHANNELS} channels")));
        }
        for (name, value) in list {
            let field = format!("prices.{name}");
            if name.trim().eq_ignore_ascii_case(USUAL) {
                prices.usual = price(&field, value)?;
                continue;
            }
            let of_channel = match value {
                Value::Object(list) => categories(&field, list)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    BTreeMap::from([(USUAL.to_owned(), price(&field, value)?)])
                }
            };
            prices.channels.insert(channel(name)?, of_channel);
        }
        Ok(prices)
    }

    fn list(&self, channel: &Channel) -> Option<&BTreeMap<String, u64>> {
        let own = || self.channels.get(CUSTOM).filter(|_| channel.custom().is_some());
        self.channels.get(channel.as_str()).or_else(own)
    }

    /// The price of a message in credits. What is no template has no category, and is service.
    pub fn of(&self, channel: &Channel, category: Option<Category>) -> u64 {
        let word = category.map_or(SERVICE, |category| match category {
            Category::Marketing => "marketing",
            Category::Utility => "utility",
            Category::Authentication => "authentication",
        });
        let list = self.list(channel);
        let found = list.and_then(|list| list.get(word).or_else(|| list.get(USUAL)));
        found.copied().unwrap_or(self.usual)
    }

    /// Whether templates of a channel cost differently by their category.
    pub fn depend_on_category(&self, channel: &Channel) -> bool {
        let of = |category| self.of(channel, Some(category));
        let marketing = of(Category::Marketing);
        [Category::Utility, Category::Authentication].map(of).iter().any(|price| *price != marketing)
    }
}

fn categories(field: &str, list: &Map<String, Value>) -> Result<BTreeMap<String, u64>, Invalid> {
    let one = |(name, value): (&String, &Value)| {
        let (field, word) = (format!("{field}.{name}"), name.trim().to_ascii_lowercase());
        match word == USUAL || CATEGORIES.contains(&word.as_str()) {
            true => Ok((word, price(&field, value)?)),
            false => {
                let known = CATEGORIES.join(", ");
                Err(Invalid::new(&field, format!("{field} is no price: there are {known} and {USUAL}")))
            }
        }
    };
    list.iter().map(one).collect()
}

/// A tenant that has sub-accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Agency {
    /// What its sub-accounts pay that have no prices of their own.
    pub prices: Prices,
}

/// A tenant that an agency made: it pays its messages with credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubAccount {
    /// Who made it.
    #[serde(with = "tenant_id")]
    pub agency: TenantId,
    /// What it pays.
    pub prices: Prices,
    /// Whether the prices are its own: those of the agency change nothing then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_own_prices: bool,
    /// Its keys do not work, and it sends nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_disabled: bool,
}

/// How a tenant stands to others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Standing {
    /// It has no sub-accounts, and is none: it pays nothing.
    #[default]
    Direct,
    /// It has sub-accounts.
    Agency(Agency),
    /// It is one.
    SubAccount(SubAccount),
}

impl Standing {
    /// The agency's side, if it is one.
    pub fn agency(&self) -> Option<&Agency> {
        match self {
            Self::Agency(agency) => Some(agency),
            Self::Direct | Self::SubAccount(_) => None,
        }
    }

    /// The sub-account's side, if it is one.
    pub fn sub_account(&self) -> Option<&SubAccount> {
        match self {
            Self::SubAccount(sub) => Some(sub),
            Self::Direct | Self::Agency(_) => None,
        }
    }
}

/// Tenants' ids within JSON.
mod tenant_id {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::TenantId;

    pub(super) fn serialize<S: Serializer>(id: &TenantId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(id.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TenantId, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| de::Error::custom("no tenant's id"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(list: Value) -> Result<Prices, Invalid> {
        Prices::read(list.as_object().unwrap())
    }

    #[test]
    fn the_nearest_price_counts() {
        let list = json!({"default": 2, "WhatsApp": {"marketing": 9, "default": "4"}, "custom": 0, "fax": 7});
        let prices = read(list).unwrap();
        let on = |channel: &str, category| prices.of(&Channel::parse(channel).unwrap(), category);
        for (channel, category, want) in [
            ("whatsapp", Some(Category::Marketing), 9),
            ("whatsapp", Some(Category::Utility), 4),
            ("whatsapp", None, 4),
            ("sms", None, 2),
            ("livechat", None, 0),
            ("fax", None, 7),
        ] {
            assert_eq!(on(channel, category), want, "{channel} {category:?}");
        }
        assert!(prices.depend_on_category(&Channel::Whatsapp) && !prices.depend_on_category(&Channel::Sms));
        assert_eq!(Prices::default().of(&Channel::Whatsapp, Some(Category::Marketing)), 1);
        let stored = serde_json::to_string(&prices).unwrap();
        assert_eq!(serde_json::from_str::<Prices>(&stored).unwrap(), prices);
    }

    #[test]
    fn a_price_that_makes_no_sense_is_named() {
        for (list, field) in [
            (json!({"whatsapp": {"marketing": -1}}), "prices.whatsapp.marketing"),
            (json!({"whatsapp": 1.5}), "prices.whatsapp"),
            (json!({"default": MAX_PRICE + 1}), "prices.default"),
            (json!({"default": {"marketing": 1}}), "prices.default"),
            (json!({"whatsapp": {"news": 1}}), "prices.whatsapp.news"),
            (json!({"whatsapp": null}), "prices.whatsapp"),
            (json!({"a#b": 1}), "prices.a#b"),
        ] {
            assert_eq!(read(list.clone()).unwrap_err().field, field, "{list}");
        }
        let many: Map<String, Value> = (0..51).map(|n| (format!("c{n}"), json!(1))).collect();
        assert_eq!(Prices::read(&many).unwrap_err().field, "prices");
    }
}
