//! Contacts: what a tenant knows about a person.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{AccountId, ContactId, EmailAddress, Invalid, PhoneNumber};

/// Longest name, in characters.
pub const MAX_NAME: usize = 255;
/// Most tags of one contact.
pub const MAX_TAGS: usize = 100;
/// Longest tag, in characters.
pub const MAX_TAG: usize = 64;
/// Largest metadata, in bytes of JSON.
pub const MAX_METADATA: usize = 16_384;
/// Most contacts in one bulk call (SendApp, «Crea contatti in blocco»).
pub const MAX_BULK: usize = 10_000;

/// A value by which a contact is found. Each belongs to at most one contact of a tenant.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// A phone number.
    Phone(PhoneNumber),
    /// A lower-cased e-mail address.
    Email(String),
    /// Meta's business-scoped user id, for people who hide their number.
    Bsuid(String),
    /// A person's id on a custom channel.
    Custom {
        /// The channel's name.
        channel: String,
        /// The id there.
        id: String,
    },
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Phone(_) => "Identity::Phone(***)",
            Self::Email(_) => "Identity::Email(***)",
            Self::Bsuid(_) => "Identity::Bsuid(***)",
            Self::Custom { .. } => "Identity::Custom(***)",
        })
    }
}

/// A contact as it is stored.
#[derive(Clone, PartialEq)]
pub struct Contact {
    /// Its number within the tenant.
    pub id: ContactId,
    /// Full name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<PhoneNumber>,
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// Meta's business-scoped user id.
    pub bsuid: Option<String>,
    /// Ids on custom channels, as (channel, id).
    pub custom: Vec<(String, String)>,
    /// Tags in the order they came.
    pub tags: Vec<String>,
    /// The caller's own fields.
    pub metadata: Map<String, Value>,
    /// The account that brought the contact.
    pub origin: Option<AccountId>,
    /// Contacts that were found to be this one; their conversations are its own.
    pub absorbed: Vec<ContactId>,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts the writes; 0 has never been written.
    pub version: u64,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Contact {
    /// A contact that has nothing but its id yet.
    pub fn empty(id: ContactId, now: Timestamp) -> Self {
        Self {
            id,
            name: None,
            phone: None,
            email: None,
            bsuid: None,
            custom: Vec::new(),
            tags: Vec::new(),
            metadata: Map::new(),
            origin: None,
            absorbed: Vec::new(),
            created_at: now,
            updated_at: now,
            version: 0,
        }
    }

    /// Every value the contact is found by.
    pub fn identities(&self) -> Vec<Identity> {
        let phone = self.phone.clone().map(Identity::Phone);
        let email = self.email.as_ref().map(|e| Identity::Email(e.identity()));
        let bsuid = self.bsuid.clone().map(Identity::Bsuid);
        let custom = self
            .custom
            .iter()
            .map(|(channel, id)| Identity::Custom { channel: channel.clone(), id: id.clone() });
        phone.into_iter().chain(email).chain(bsuid).chain(custom).collect()
    }

    /// Whether the contact carries `identity`.
    pub fn carries(&self, identity: &Identity) -> bool {
        match identity {
            Identity::Phone(phone) => self.phone.as_ref() == Some(phone),
            Identity::Email(email) => self.email.as_ref().is_some_and(|e| e.identity() == *email),
            Identity::Bsuid(bsuid) => self.bsuid.as_ref() == Some(bsuid),
            Identity::Custom { channel, id } => self.custom.iter().any(|(c, i)| c == channel && i == id),
        }
    }

    /// First and last name, split at the first space.
    pub fn split_name(&self) -> (&str, &str) {
        let name = self.name.as_deref().unwrap_or_default();
        name.split_once(' ').unwrap_or((name, ""))
    }
}

/// What a caller says about a contact: the input of an upsert, already valid.
#[derive(Clone, PartialEq, Default)]
pub struct NewContact {
    /// Full name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<PhoneNumber>,
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// Meta's business-scoped user id.
    pub bsuid: Option<String>,
    /// Id on a custom channel, as (channel, id).
    pub custom: Option<(String, String)>,
    /// Tags to add.
    pub tags: Vec<String>,
    /// Fields to merge into the metadata.
    pub metadata: Map<String, Value>,
    /// The account that brings the contact.
    pub origin: Option<AccountId>,
}

impl std::fmt::Debug for NewContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewContact(***)")
    }
}

impl NewContact {
    /// Checks the limits of RULES: name 255, 100 tags of 64 characters, metadata
    /// 16 kB, and at least one value to find the contact by.
    ///
    /// # Errors
    /// Names the field that is too long, or `phone` when nothing identifies the contact.
    pub fn check(self) -> Result<Self, Invalid> {
        if self.phone.is_none() && self.email.is_none() && self.bsuid.is_none() && self.custom.is_none() {
            return Err(Invalid::new("phone", "a contact needs a phone or an email"));
        }
        if self.name.as_ref().is_some_and(|n| n.chars().count() > MAX_NAME) {
            return Err(Invalid::new("name", "name may have at most 255 characters"));
        }
        if self.tags.len() > MAX_TAGS {
            return Err(Invalid::new("tags", "a contact may have at most 100 tags"));
        }
        if self.tags.iter().any(|t| t.chars().count() > MAX_TAG) {
            return Err(Invalid::new("tags", "a tag may have at most 64 characters"));
        }
        check_metadata(&self.metadata)?;
        Ok(self)
    }

    /// The values the row may be found by, the phone first.
    pub fn identities(&self) -> Vec<Identity> {
        let phone = self.phone.clone().map(Identity::Phone);
        let custom = self.custom.clone().map(|(channel, id)| Identity::Custom { channel, id });
        let bsuid = self.bsuid.clone().map(Identity::Bsuid);
        let email = self.email.as_ref().map(|e| Identity::Email(e.identity()));
        [phone, custom, bsuid, email].into_iter().flatten().collect()
    }
}

/// Whether metadata is within its size.
///
/// # Errors
/// Names the field `metadata`.
pub fn check_metadata(metadata: &Map<String, Value>) -> Result<(), Invalid> {
    let size = serde_json::to_string(metadata).map_or(usize::MAX, |json| json.len());
    if size > MAX_METADATA {
        return Err(Invalid::new("metadata", "metadata may have at most 16 kB of JSON"));
    }
    Ok(())
}

/// Tags from an array or a comma-separated string: trimmed, without empty ones
/// and without repetition.
pub fn clean_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut clean: Vec<String> = Vec::new();
    for tag in tags.into_iter().map(str::trim).filter(|t| !t.is_empty()) {
        if !clean.iter().any(|t| t == tag) {
            clean.push(tag.to_owned());
        }
    }
    clean
}
