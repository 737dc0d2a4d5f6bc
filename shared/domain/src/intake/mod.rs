//! Contacts out of what shops, forms and CRMs post: `name`, `phone` and `email`,
//! wherever a sender puts them (SendApp, «Webhook in ingresso (Integrazioni)»).
//!
//! Whatever the body is, reading it ends soon and without an error: a body
//! without a contact is [`Reading::Ignored`] with its reason, since the senders
//! turn a webhook off that is not answered with 200.

mod absent;
mod body;
mod call;
mod encoding;
mod fields;
mod form;
mod node;
mod opt_in;
mod pairs;
mod person;
mod phone;
mod roles;
mod seen;
mod senders;
mod signature;
mod source;
#[cfg(test)]
mod tests;
mod values;
mod vocabulary;
mod walk;
mod words;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::contact::NewContact;
use crate::{AccountId, CallingCode, EmailAddress, PhoneNumber};

pub use absent::{is_absent, is_yes_or_no};
pub use body::MAX_BODY;
pub use call::{CallId, IntakeCall, IntakeOutcome};
pub use fields::{Beside, PersonField, person_field};
pub use opt_in::OptIn;
pub use phone::read_beside;
pub use seen::{MAX_SEEN, MAX_SEEN_NAME};
pub use signature::{BadSignature, Shop};
pub use source::HEADERS;

/// Most contacts out of one body; more than one only comes in a list.
pub const MAX_CONTACTS: usize = 100;

/// A request to the integrations' address.
#[derive(Clone, Copy)]
pub struct Payload<'a> {
    /// The raw body.
    pub body: &'a [u8],
    /// The header of that name.
    pub content_type: Option<&'a str>,
    /// The query parameter `source`.
    pub source: Option<&'a str>,
    /// The headers of [`HEADERS`], in any case; others do not matter.
    pub headers: &'a [(&'a str, &'a str)],
    /// The account's default country.
    pub country: Option<CallingCode>,
}

/// Bodies are personal data, so only their size is shown.
impl std::fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload")
            .field("bytes", &self.body.len())
            .field("content_type", &self.content_type)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl<'a> Payload<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// What a body holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// At least one contact.
    Found {
        /// The tag of its contacts.
        source: String,
        /// One, or more when the body is a list.
        contacts: Vec<Found>,
        /// As of [`Reading::Ignored`].
        seen: Vec<String>,
    },
    /// None, and why.
    Ignored {
        /// Where the body came from.
        source: String,
        /// For the log that the owner sees.
        reason: Ignored,
        /// The names of its keys, `payload.attendees.name`: at most [`MAX_SEEN`], of at
        /// most [`MAX_SEEN_NAME`] characters each; no values.
        seen: Vec<String>,
    },
}

/// A contact out of a body: a phone number, an e-mail address or both.
#[derive(Clone, PartialEq)]
pub struct Found {
    /// Full name, at most 255 characters.
    pub name: Option<String>,
    /// With its country code.
    pub phone: Option<PhoneNumber>,
    /// A valid address.
    pub email: Option<EmailAddress>,
    /// Their id in the system that posts: `shopify:customer:123`.
    pub external_id: Option<String>,
    /// That they agreed to be written to.
    pub opt_in: Option<OptIn>,
    /// `company`, `city`, `country`, `language`, where the body has them.
    pub extra: Map<String, Value>,
    /// What was left out, such as a phone number that is none; without the value.
    pub notes: Vec<String>,
}

impl Found {
    /// The upsert of this contact, tagged with `source`, whose body came at `now`.
    pub fn into_contact(self, source: &str, origin: Option<AccountId>, now: Timestamp) -> NewContact {
        NewContact {
            opt_in: self.opt_in.map(|said| said.proof(source, now)),
            name: self.name,
            phone: self.phone,
            email: self.email,
            external_id: self.external_id,
            tags: vec![source.to_owned()],
            metadata: self.extra,
            origin,
            ..NewContact::default()
        }
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("phone", &self.phone)
            .field("email", &self.email)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// Why a body brings no contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// Nothing, `{}` or `[]`.
    #[error("the body is empty")]
    Empty,
    /// Above [`MAX_BODY`].
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// Neither JSON nor a form.
    #[error("the body is neither json nor a form")]
    Unreadable,
    /// A sender tries the address, as WooCommerce does on saving a webhook: that is
    /// not signed, and must be answered with 200 for the webhook to be saved.
    #[error("a ping without data")]
    Ping,
    /// The record is gone, or must be forgotten.
    #[error("the record was deleted")]
    Deleted,
    /// Something else than a customer: products, staff, the shop itself.
    #[error("`{0}` is not about a customer")]
    OtherTopic(String),
    /// As HubSpot's contact.creation: an id and nothing else.
    #[error("the event carries the id of a record but none of its fields")]
    OnlyAnId,
    /// As in a booking without a guest: hosts and owners are no contacts.
    #[error(
        "the only addresses are those of the business's own people (organizer, host, owner, user, staff), and no customer's"
    )]
    OnlyBusiness,
    /// No phone number and no e-mail address anywhere.
    #[error("no phone number and no e-mail address was found")]
    NoContact,
    /// What was found cannot be used.
    #[error("{0}")]
    Invalid(String),
}

/// Reads a body.
pub fn read(payload: &Payload<'_>) -> Reading {
    let root = body::decode(payload.body, payload.content_type);
    let source = source::tag(payload, root.as_ref().ok());
    let seen = root.as_ref().map(seen::seen).unwrap_or_default();
    match root.and_then(|root| contacts(&root, payload)) {
        Ok(contacts) => Reading::Found { source, contacts, seen },
        Err(reason) => Reading::Ignored { source, reason, seen },
    }
}

fn contacts(root: &node::Node, payload: &Payload<'_>) -> Result<Vec<Found>, Ignored> {
    let people = senders::people(root, payload)?;
    let mut contacts: Vec<Found> = Vec::new();
    let mut refused = None;
    let left_out = people.len().saturating_sub(MAX_CONTACTS);
    for person in people.into_iter().take(MAX_CONTACTS) {
        match person.resolve(payload.country) {
            Ok(found) => merge(&mut contacts, found),
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    if let Some(last) = contacts.last_mut().filter(|_| left_out > 0) {
        last.notes.push(format!(
            "only the first {MAX_CONTACTS} people of the body are taken, and not {left_out} more"
        ));
    }
    if contacts.is_empty() { Err(refused.unwrap_or(Ignored::NoContact)) } else { Ok(contacts) }
}

/// Several events of a list may be about one person.
fn merge(contacts: &mut Vec<Found>, found: Found) {
    let same = |known: &&mut Found| {
        let email = |e: &Option<EmailAddress>| e.as_ref().map(EmailAddress::identity);
        (found.phone.is_some() && known.phone == found.phone)
            || (found.external_id.is_some() && known.external_id == found.external_id)
            || (found.phone.is_none() && found.email.is_some() && email(&known.email) == email(&found.email))
    };
    let Some(known) = contacts.iter_mut().find(same) else { return contacts.push(found) };
    known.name = found.name.or_else(|| known.name.take());
    known.email = known.email.take().or(found.email);
    known.external_id = known.external_id.take().or(found.external_id);
    known.opt_in = known.opt_in.take().or(found.opt_in);
    known.extra.extend(found.extra);
}
