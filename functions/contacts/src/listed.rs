//! What a contact is known by, and what it agreed to, as every dialect shows it.

use domain::consent::{ConsentProof, ConsentRecord};
use domain::contact::Contact;
use domain::identity::Identity;
use domain::note::Note;
use jiff::Timestamp;
use serde::Serialize;

/// Everything that a contact is known by.
pub(crate) fn identities(contact: &Contact) -> Vec<ListedIdentity> {
    contact.identities().iter().map(ListedIdentity::from).collect()
}

/// Something that a contact is known by.
#[derive(Clone, Serialize)]
pub(crate) struct ListedIdentity {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    value: String,
}

impl From<&Identity> for ListedIdentity {
    fn from(identity: &Identity) -> Self {
        let channel = match identity {
            Identity::Custom { channel, .. } => Some(channel.clone()),
            Identity::Phone(_)
            | Identity::Email(_)
            | Identity::Bsuid(_)
            | Identity::Lid(_)
            | Identity::External(_) => None,
        };
        Self { r#type: identity.kind(), channel, value: identity.value().to_owned() }
    }
}

/// What a contact agreed to.
#[derive(Serialize)]
pub(crate) struct ListedConsent<'a> {
    /// `opted_in` or `opted_out`: the last word.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_in: Option<ListedProof<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out: Option<ListedProof<'a>>,
}

#[derive(Serialize)]
struct ListedProof<'a> {
    at: String,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> ListedConsent<'a> {
    /// Nothing, when there is no word of theirs that counts.
    pub(crate) fn of(consent: &'a ConsentRecord) -> Option<Self> {
        let state = if consent.opt_out.is_some() { "opted_out" } else { "opted_in" };
        let proof = |proof: &'a ConsentProof| ListedProof {
            at: format!("{:.3}", Timestamp::from_millisecond(proof.at_ms).unwrap_or_default()),
            source: &proof.source,
            detail: proof.detail.as_deref(),
        };
        let [opt_in, opt_out] = [&consent.opt_in, &consent.opt_out].map(|said| said.as_ref().map(proof));
        (opt_in.is_some() || opt_out.is_some()).then_some(Self { state, opt_in, opt_out })
    }
}

/// A note, as contracts list it.
#[derive(Serialize)]
pub(crate) struct ListedNote {
    id: String,
    note: String,
    /// The key that wrote it, by its name.
    author: String,
    created_at: String,
}

impl From<&Note> for ListedNote {
    fn from(note: &Note) -> Self {
        let Note { id, at, author, text } = note.clone();
        Self { id, note: text, author, created_at: format!("{at:.3}") }
    }
}

/// What was written about a contact, the oldest first.
pub(crate) fn notes(contact: &Contact) -> Vec<ListedNote> {
    contact.notes.iter().map(ListedNote::from).collect()
}
