//! Contacts: what a tenant knows about a person.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::consent::{ConsentProof, ConsentRecord};
use crate::identity::Identity;
use crate::message::Address;
use crate::note::Note;
use crate::phone::LeftOut;
use crate::{AccountId, ContactId, EmailAddress, Invalid, ListId, PhoneNumber};

/// Longest name, in characters.
pub const MAX_NAME: usize = 255;
/// Most tags of one contact.
pub const MAX_TAGS: usize = 100;
/// Longest tag, in characters.
pub const MAX_TAG: usize = 64;
/// Largest metadata, in bytes of JSON.
pub const MAX_METADATA: usize = 16_384;
/// Most identities of one contact beside its phone, e-mail address and user id.
pub const MAX_ALIASES: usize = 30;
/// Most contacts in one bulk call (SendApp, «Crea contatti in blocco»).
pub const MAX_BULK: usize = 10_000;

/// A contact as it is stored.
#[derive(Clone, PartialEq)]
pub struct Contact {
    /// Its number within the tenant.
    pub id: ContactId,
    /// Full name.
    pub name: Option<String>,
    /// What of the name is the first name, where its parts were told apart.
    pub first_name: Option<String>,
    /// The name is that of a profile: any that somebody tells takes its place.
    pub is_profile_name: bool,
    /// Phone number.
    pub phone: Option<PhoneNumber>,
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// Meta's business-scoped user id.
    pub bsuid: Option<String>,
    /// Ids on custom channels, as (channel, id).
    pub custom: Vec<(String, String)>,
    /// What else they are known by: other numbers and user ids, ids in other systems.
    pub aliases: Vec<Identity>,
    /// What they agreed to.
    pub consent: ConsentRecord,
    /// Tags in the order they came.
    pub tags: Vec<String>,
    /// The lists that they are in, in the order they came; one that was deleted stays here.
    pub lists: Vec<ListId>,
    /// The caller's own fields.
    pub metadata: Map<String, Value>,
    /// What the tenant's people wrote about them, the oldest first.
    pub notes: Vec<Note>,
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
            first_name: None,
            is_profile_name: false,
            phone: None,
            email: None,
            bsuid: None,
            custom: Vec::new(),
            aliases: Vec::new(),
            consent: ConsentRecord::default(),
            tags: Vec::new(),
            lists: Vec::new(),
            metadata: Map::new(),
            notes: Vec::new(),
            origin: None,
            absorbed: Vec::new(),
            created_at: now,
            updated_at: now,
            version: 0,
        }
    }

    /// Every value the contact is found by.
    pub fn identities(&self) -> Vec<Identity> {
        let phone = self.phone.as_ref().map(Identity::from);
        let email = self.email.as_ref().map(|e| Identity::Email(e.identity()));
        let bsuid = self.bsuid.clone().map(Identity::Bsuid);
        let custom = self
            .custom
            .iter()
            .map(|(channel, id)| Identity::Custom { channel: channel.clone(), id: id.clone() });
        let known = phone.into_iter().chain(email).chain(bsuid).chain(custom);
        known.chain(self.aliases.iter().cloned()).collect()
    }

    /// Every address that messages reach them at, the phone first.
    pub fn addresses(&self) -> Vec<Address> {
        let phone = self.phone.clone().map(Address::Phone);
        let others = self.identities();
        let others = others
            .iter()
            .filter(|identity| self.phone.as_ref().map(Identity::from).as_ref() != Some(identity));
        phone.into_iter().chain(others.filter_map(Identity::address)).collect()
    }

    /// Whether the contact carries `identity`.
    pub fn carries(&self, identity: &Identity) -> bool {
        let is_own = match identity {
            Identity::Phone(key) => self.phone.as_ref().is_some_and(|phone| phone.key() == *key),
            Identity::Email(email) => self.email.as_ref().is_some_and(|e| e.identity() == *email),
            Identity::Bsuid(bsuid) => self.bsuid.as_ref() == Some(bsuid),
            Identity::Custom { channel, id } => self.custom.iter().any(|(c, i)| c == channel && i == id),
            Identity::Lid(_) | Identity::External(_) => false,
        };
        is_own || self.aliases.contains(identity)
    }

    /// First and last name: as they were told apart, else split at the first space.
    pub fn split_name(&self) -> (&str, &str) {
        let name = self.name.as_deref().unwrap_or_default();
        let told = self.first_name.as_deref().and_then(|first| Some((first, name.strip_prefix(first)?)));
        match told {
            Some((first, rest)) if rest.is_empty() || rest.starts_with(' ') => (first, rest.trim_start()),
            Some(_) | None => name.split_once(' ').unwrap_or((name, "")),
        }
    }
}

/// What a caller says about a contact: the input of an upsert, already valid.
#[derive(Clone, PartialEq, Default)]
pub struct NewContact {
    /// Full name.
    pub name: Option<String>,
    /// What of the name is the first name, where the caller tells its parts apart.
    pub first_name: Option<String>,
    /// Phone number.
    pub phone: Option<PhoneNumber>,
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// Meta's business-scoped user id.
    pub bsuid: Option<String>,
    /// Id on a custom channel, as (channel, id).
    pub custom: Option<(String, String)>,
    /// Id in the system that it comes from: `shopify:customer:123`.
    pub external_id: Option<String>,
    /// Further identities of the same person.
    pub aliases: Vec<Identity>,
    /// A provider knows that all of this is one person's; callers may be wrong about it.
    pub is_proven: bool,
    /// How they agreed to be written to, where the caller says so.
    pub opt_in: Option<ConsentProof>,
    /// What of the number was left out when it was read.
    pub left_out: Option<LeftOut>,
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
    /// Somebody whom a provider knows by these.
    pub fn known_by(identities: &[Identity]) -> Self {
        let mut new = Self { is_proven: true, ..Self::default() };
        for identity in identities {
            match identity {
                Identity::Phone(key) if new.phone.is_none() => {
                    new.phone = PhoneNumber::from_e164(key.as_str()).ok();
                }
                Identity::Bsuid(user_id) if new.bsuid.is_none() => new.bsuid = Some(user_id.clone()),
                Identity::Phone(_)
                | Identity::Bsuid(_)
                | Identity::Email(_)
                | Identity::Lid(_)
                | Identity::Custom { .. }
                | Identity::External(_) => new.aliases.push(identity.clone()),
            }
        }
        new
    }

    /// Checks the limits of RULES: name 255, 100 tags of 64 characters, metadata
    /// 16 kB, and at least one value to find the contact by. Control characters of the name are
    /// dropped.
    ///
    /// # Errors
    /// Names the field that is too long, or `phone` when nothing identifies the contact.
    pub fn check(mut self) -> Result<Self, Invalid> {
        self.name = self.name.map(visible).filter(|name| !name.is_empty());
        if self.identities().is_empty() {
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

    /// What a provider knows to be one person's, when it does.
    pub fn proven_identities(&self) -> Vec<Identity> {
        let is_providers =
            |identity: &Identity| !matches!(identity, Identity::Email(_) | Identity::External(_));
        self.identities().into_iter().filter(is_providers).collect()
    }

    /// The values the row may be found by, the phone first.
    pub fn identities(&self) -> Vec<Identity> {
        let phone = self.phone.as_ref().map(Identity::from);
        let custom = self.custom.clone().map(|(channel, id)| Identity::Custom { channel, id });
        let bsuid = self.bsuid.clone().map(Identity::Bsuid);
        let external = self.external_id.clone().map(Identity::External);
        let email = self.email.as_ref().map(|e| Identity::Email(e.identity()));
        let known = [phone, custom, bsuid, external, email].into_iter().flatten();
        known.chain(self.aliases.iter().cloned()).collect()
    }
}

/// A name without control characters: lines become spaces, the others are dropped.
fn visible(name: String) -> String {
    if !name.contains(char::is_control) {
        return name;
    }
    let one = |c: char| if c.is_whitespace() { ' ' } else { c };
    let name: String = name.chars().filter(|c| c.is_whitespace() || !c.is_control()).map(one).collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
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

/// What is the same for all spellings of a tag: lower case, one space between words.
pub fn tag_key(tag: &str) -> String {
    tag.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Whether two tags are one, whatever their case and the spaces in them.
pub fn same_tag(a: &str, b: &str) -> bool {
    a == b || tag_key(a) == tag_key(b)
}

/// Tags from an array or a comma-separated string: trimmed, without empty ones
/// and without repetition. The first spelling of a tag is kept.
pub fn clean_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut clean: Vec<String> = Vec::new();
    for tag in tags.into_iter().map(str::trim).filter(|t| !t.is_empty()) {
        if !clean.iter().any(|t| same_tag(t, tag)) {
            clean.push(tag.to_owned());
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_control_characters() {
        for (name, want) in [
            ("A\0da", Some("Ada")),
            ("Ada\nNeri\t\u{7}", Some("Ada Neri")),
            ("\0\u{1}", None),
            ("Ada  Neri", Some("Ada  Neri")),
        ] {
            let new = NewContact {
                name: Some(name.to_owned()),
                external_id: Some("a:b".to_owned()),
                ..NewContact::default()
            };
            assert_eq!(new.check().unwrap().name.as_deref(), want, "{name:?}");
        }
    }
}
