//! What a contact is known by, as rows and merges change it.

use crate::contact::{Contact, MAX_ALIASES, NewContact};
use crate::identity::Identity;

/// Gives a contact the identities of a row. What is replaced it goes on being known by.
pub(super) fn merge_identities(contact: &mut Contact, row: &NewContact, is_newer: bool) {
    let mut former = Vec::new();
    if let Some(phone) = &row.phone {
        let identity = Identity::from(phone);
        match contact.phone.take() {
            Some(known) if known.key() == phone.key() => contact.phone = Some(known.or_clearer(phone)),
            Some(known) if is_newer && !contact.aliases.contains(&identity) => {
                former.push(Identity::from(&known));
                contact.phone = Some(phone.clone());
            }
            Some(known) => contact.phone = Some(known),
            None => {
                contact.aliases.retain(|alias| *alias != identity);
                contact.phone = Some(phone.clone());
            }
        }
    }
    if let Some(email) = &row.email {
        match contact.email.take() {
            Some(known) if is_newer && known.identity() != email.identity() => {
                former.push(Identity::Email(known.identity()));
                contact.aliases.retain(|alias| *alias != Identity::Email(email.identity()));
                contact.email = Some(email.clone());
            }
            known => contact.email = known.or_else(|| Some(email.clone())),
        }
    }
    if let Some(bsuid) = &row.bsuid {
        match contact.bsuid.take() {
            Some(known)
                if is_newer && known != *bsuid && !contact.carries(&Identity::Bsuid(bsuid.clone())) =>
            {
                former.push(Identity::Bsuid(known));
                contact.bsuid = Some(bsuid.clone());
            }
            known => contact.bsuid = known.or_else(|| Some(bsuid.clone())),
        }
    }
    if let Some((channel, value)) = &row.custom
        && contact.custom.iter().all(|(c, _)| c != channel)
    {
        contact.custom.push((channel.clone(), value.clone()));
    }
    let external = row.external_id.clone().map(Identity::External);
    for identity in former.into_iter().chain(external).chain(row.aliases.iter().cloned()) {
        add_alias(contact, identity, MAX_ALIASES);
    }
}

pub(super) fn add_alias(contact: &mut Contact, identity: Identity, most: usize) {
    if !contact.carries(&identity) && contact.aliases.len() < most {
        contact.aliases.push(identity);
    }
}

/// The system of an id such as `shopify:customer:123`: what stands before the last colon.
pub(super) fn system(external: &str) -> Option<&str> {
    external.rsplit_once(':').map(|(system, _)| system)
}

pub(super) fn system_of(identity: &Identity) -> Option<&str> {
    match identity {
        Identity::External(external) => system(external),
        Identity::Phone(_)
        | Identity::Email(_)
        | Identity::Bsuid(_)
        | Identity::Lid(_)
        | Identity::Custom { .. } => None,
    }
}
