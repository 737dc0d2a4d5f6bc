//! By what people are known: each identity belongs to at most one contact of a tenant, and a
//! contact has any number of them (SENDERS, Identity).

use std::fmt;

use crate::message::{Address, CustomAddress};
use crate::{Invalid, PhoneKey, PhoneNumber};

/// Longest id of a business system, in characters.
pub const MAX_EXTERNAL_ID: usize = 128;

/// A value by which a contact is found.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// A phone number, however it is written.
    Phone(PhoneKey),
    /// A lower-cased e-mail address.
    Email(String),
    /// Meta's business-scoped user id, for people who hide their number.
    Bsuid(String),
    /// WhatsApp Web's id of people who hide their number.
    Lid(String),
    /// A person's id on a custom channel.
    Custom {
        /// The channel's name.
        channel: String,
        /// The id there.
        id: String,
    },
    /// The id in the system that the person comes from: `shopify:customer:123`.
    External(String),
}

impl Identity {
    /// A kind of identity, as answers print it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::Bsuid(_) => "bsuid",
            Self::Lid(_) => "lid",
            Self::Custom { .. } => "custom",
            Self::External(_) => "external",
        }
    }

    /// The value, as answers print it.
    pub fn value(&self) -> &str {
        match self {
            Self::Phone(key) => key.as_str(),
            Self::Email(text) | Self::Bsuid(text) | Self::Lid(text) | Self::External(text) => text,
            Self::Custom { id, .. } => id,
        }
    }

    /// As it is stored: the kind, `#`, and the value.
    pub fn encode(&self) -> String {
        match self {
            Self::Custom { channel, id } => format!("custom:{channel}#{id}"),
            Self::Phone(_) | Self::Email(_) | Self::Bsuid(_) | Self::Lid(_) | Self::External(_) => {
                format!("{}#{}", self.kind(), self.value())
            }
        }
    }

    /// Reads what [`Identity::encode`] wrote.
    pub fn decode(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once('#')?;
        let owned = value.to_owned();
        Some(match kind {
            "phone" => Self::Phone(PhoneNumber::from_e164(value).ok()?.key()),
            "email" => Self::Email(owned),
            "bsuid" => Self::Bsuid(owned),
            "lid" => Self::Lid(owned),
            "external" => Self::External(owned),
            custom => Self::Custom { channel: custom.strip_prefix("custom:")?.to_owned(), id: owned },
        })
    }

    /// Where messages reach the person by it; e-mail addresses and ids of systems are none.
    pub fn address(&self) -> Option<Address> {
        match self {
            Self::Phone(key) => PhoneNumber::from_e164(key.as_str()).ok().map(Address::Phone),
            Self::Bsuid(id) => Some(Address::Bsuid(id.clone())),
            Self::Custom { channel, id } => {
                Some(Address::Custom(CustomAddress::new(&channel.parse().ok()?, id)))
            }
            Self::Email(_) | Self::Lid(_) | Self::External(_) => None,
        }
    }
}

impl From<&PhoneNumber> for Identity {
    fn from(number: &PhoneNumber) -> Self {
        Self::Phone(number.key())
    }
}

impl From<&Address> for Identity {
    fn from(address: &Address) -> Self {
        match address {
            Address::Phone(phone) => phone.into(),
            Address::Bsuid(id) => Self::Bsuid(id.clone()),
            Address::Custom(custom) => {
                Self::Custom { channel: custom.channel().to_owned(), id: custom.id().to_owned() }
            }
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} ***)", self.kind())
    }
}

/// Checks the id of a person in another system: `shopify:customer:123`, the system first.
///
/// # Errors
/// Names `external_id`.
pub fn check_external_id(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let (system, id) = text.split_once(':').unwrap_or_default();
    let is_system = !system.is_empty()
        && system.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let is_id = !id.is_empty() && id.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if is_system && is_id && text.chars().count() <= MAX_EXTERNAL_ID {
        return Ok(format!("{}:{id}", system.to_ascii_lowercase()));
    }
    let message = format!(
        "external_id must be a system and an id there, such as shopify:customer:123, of at most \
         {MAX_EXTERNAL_ID} characters"
    );
    Err(Invalid::new("external_id", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back() {
        let phone: PhoneNumber = "+5511991231234".parse().unwrap();
        for identity in [
            Identity::from(&phone),
            Identity::Email("a#b@example.com".to_owned()),
            Identity::Bsuid("IT.1".to_owned()),
            Identity::Lid("123@lid".to_owned()),
            Identity::Custom { channel: "live chat".to_owned(), id: "a#b:c".to_owned() },
            Identity::External("shopify:customer:1#2".to_owned()),
        ] {
            assert_eq!(Identity::decode(&identity.encode()), Some(identity.clone()), "{}", identity.encode());
            if let Some(address) = identity.address() {
                assert_eq!(Identity::from(&address), identity);
            }
        }
        assert!(
            ["", "phone", "phone#12", "other#1", "custom#1"].iter().all(|t| Identity::decode(t).is_none())
        );
    }

    #[test]
    fn ids_of_other_systems_name_the_system() {
        assert_eq!(check_external_id(" Shopify:customer:123 ").unwrap(), "shopify:customer:123");
        assert_eq!(check_external_id("hubspot:42").unwrap(), "hubspot:42");
        for bad in
            ["", "123", ":1", "shopify:", "sho pify:1", "shopify:a b", &format!("x:{}", "1".repeat(127))]
        {
            assert_eq!(check_external_id(bad).unwrap_err().field, "external_id", "{bad}");
        }
    }
}
