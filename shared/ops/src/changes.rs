//! Changes that a tenant's people make to one contact.

use domain::contact::{Contact, MAX_TAGS, same_tag};
use domain::list::MAX_LISTS_OF_CONTACT;
use domain::merge::{ChangeRefused, ContactChange};
use domain::note::{MAX_NOTES, MAX_NOTES_BYTES};
use domain::{LabelId, TenantId};
use store::Store;
use store::contacts::{Loaded, Subject};
use store::labels::Labels;

use crate::contacts::{TRIES, commit};
use crate::events::{EventPublisher, Transaction};
use crate::labels::no_room;
use crate::{Code, Error, Result, flows};

/// A label that somebody names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelRef {
    /// By its number.
    Id(LabelId),
    /// By its name, which is a tag.
    Tag(String),
}

/// What is to become of a contact.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose change it is.
    pub subject: Subject,
    /// What changes. Its tags are those of the labels.
    pub change: ContactChange,
    /// Labels to add; those that are named and do not exist are made.
    pub add: Vec<LabelRef>,
    /// Labels to take away.
    pub remove: Vec<LabelRef>,
    /// Whether labels that are added start flows. Those that a flow adds do not: two flows could
    /// go on for ever.
    pub starts_flows: bool,
}

impl Wanted {
    fn ids(&self) -> Vec<LabelId> {
        let all = self.add.iter().chain(&self.remove);
        all.filter_map(|label| if let LabelRef::Id(id) = label { Some(*id) } else { None }).collect()
    }

    fn new_tags(&self) -> Vec<String> {
        let named = |label: &LabelRef| if let LabelRef::Tag(tag) = label { Some(tag.clone()) } else { None };
        self.add.iter().filter_map(named).collect()
    }
}

/// Changes one contact as it is asked for, or nothing; answers it as it is now.
///
/// # Errors
/// [`Code::NotFound`] names `id`, or `label_ids`; [`Code::Conflict`] names `phone` or `email` that are
/// another contact's; [`Code::InvalidField`] names `name`, `tags`, `metadata` or `note`;
/// [`Code::PlanLimit`] when a label more is needed than there may be.
pub async fn change(publisher: &EventPublisher, tenant: &TenantId, wanted: Wanted) -> Result<Contact> {
    let store = &publisher.store;
    let events = publisher.caused_by(Transaction, tenant).await?;
    let (identities, ids, tags) = (wanted.change.identities(), wanted.ids(), wanted.new_tags());
    for attempt in 0..TRIES {
        let loaded = store.load_subject(tenant, &wanted.subject, &identities, (&ids, &tags)).await?;
        let Loaded { mut book, id, labels } = loaded;
        let id = id.ok_or_else(|| Error::not_found("id", "there is no such contact"))?;
        let labels = with_new(store, tenant, Labels { known: labels, made: Vec::new() }, &tags).await?;
        let change = ContactChange {
            add_tags: names(&labels, &wanted.add)?,
            remove_tags: names(&labels, &wanted.remove)?,
            ..wanted.change.clone()
        };
        book.change(id, &change, store.clock().now()).map_err(refused)?;
        let slot = book.slot(id);
        let is_changed = slot.is_some_and(|slot| slot.changed());
        let tagged = match wanted.starts_flows {
            true => flows::tag_facts(store, tenant, &book).await?,
            false => Vec::new(),
        };
        if !is_changed || commit(&events, store, tenant, &mut book, (0, tagged)).await? {
            let contact = book.slot(id).and_then(|slot| slot.after.clone());
            return contact.ok_or_else(|| Error::new(Code::Internal, "internal error"));
        }
        store.back_off(attempt).await;
    }
    Err(store::Error::Contended.into())
}

/// The labels that were found, and those that had to be made.
async fn with_new(store: &Store, tenant: &TenantId, labels: Labels, tags: &[String]) -> Result<Labels> {
    let missing: Vec<String> = tags.iter().filter(|tag| labels.of(tag).is_none()).cloned().collect();
    if missing.is_empty() {
        return Ok(labels);
    }
    let Labels { known, made } = store.ensure_labels(tenant, &missing).await?;
    let labels = Labels { known: labels.known.into_iter().chain(known).collect(), made };
    match missing.iter().all(|tag| labels.of(tag).is_some()) {
        true => Ok(labels),
        false => Err(no_room()),
    }
}

/// The tags of labels. Whoever takes a tag away need not have named it as it is written.
fn names(labels: &Labels, asked: &[LabelRef]) -> Result<Vec<String>> {
    let name = |label: &LabelRef| match label {
        LabelRef::Tag(tag) => Ok(labels.of(tag).map_or_else(|| tag.clone(), |label| label.name.clone())),
        LabelRef::Id(id) => {
            let found = labels.known.iter().find(|label| label.id == *id);
            let unknown = || Error::not_found("label_ids", format!("there is no label with the id {id}"));
            found.map(|label| label.name.clone()).ok_or_else(unknown)
        }
    };
    let mut names: Vec<String> = Vec::new();
    for label in asked {
        let name = name(label)?;
        if !names.iter().any(|known| same_tag(known, &name)) {
            names.push(name);
        }
    }
    Ok(names)
}

fn refused(why: ChangeRefused) -> Error {
    let taken = |field: &str| {
        let error = Error::conflict(format!("{field} belongs to another contact"));
        Error { field: Some(field.to_owned()), ..error }
    };
    match why {
        ChangeRefused::Unknown => Error::not_found("id", "there is no such contact"),
        ChangeRefused::PhoneTaken => taken("phone"),
        ChangeRefused::EmailTaken => taken("email"),
        ChangeRefused::NameTooLong => Error::invalid("name", "name may have at most 255 characters"),
        ChangeRefused::TooManyTags => {
            Error::invalid("tags", format!("a contact may have at most {MAX_TAGS} tags"))
        }
        ChangeRefused::TooManyLists => {
            Error::invalid("lists", format!("a contact may be in at most {MAX_LISTS_OF_CONTACT} lists"))
        }
        ChangeRefused::MetadataTooLarge => {
            Error::invalid("metadata", "metadata may have at most 16 kB of JSON")
        }
        ChangeRefused::NotesFull => {
            let message =
                format!("a contact may have at most {MAX_NOTES} notes with {MAX_NOTES_BYTES} bytes of text");
            Error::invalid("note", message)
        }
    }
}
