//! One contact, with all that a change of it needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::contact::Contact;
use domain::identity::Identity;
use domain::label::Label;
use domain::merge::Book;
use domain::{ContactId, LabelId, TenantId};

use super::{contact_key, identity_key, is_tombstone};
use crate::item::{Item, Key, number};
use crate::labels;
use crate::{Result, Store};

/// Whom a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A contact.
    Id(ContactId),
    /// Whoever carries this.
    Known(Identity),
}

/// A contact, with all that a change of it needs.
#[derive(Debug)]
pub struct Loaded {
    /// The contact, and those who carry what it is to be known by.
    pub book: Book,
    /// The contact, if there is one.
    pub id: Option<ContactId>,
    /// The labels that were asked for and exist.
    pub labels: Vec<Label>,
}

impl Store {
    /// Reads a contact, the holders of `identities`, and labels by numbers and by tags: in one
    /// request, and one more where an identity points to another contact.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn load_subject(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        identities: &[Identity],
        (ids, tags): (&[LabelId], &[String]),
    ) -> Result<Loaded> {
        let known = match subject {
            Subject::Id(_) => None,
            Subject::Known(identity) => Some(identity),
        };
        let named: HashSet<Identity> = identities.iter().chain(known).cloned().collect();
        let by_key: HashMap<Key, &Identity> =
            named.iter().map(|identity| (identity_key(tenant, identity), identity)).collect();
        let mut keys: Vec<Key> = by_key.keys().cloned().collect();
        keys.extend(labels::keys(tenant, ids, tags));
        if let Subject::Id(id) = subject {
            keys.push(contact_key(tenant, *id));
        }
        let (mut pointers, mut found) = (HashMap::new(), Loaded::nothing());
        let mut contacts: Vec<Item> = Vec::new();
        for item in self.get_many(keys).await? {
            match Key::of(&item).and_then(|key| by_key.get(&key)) {
                Some(identity) => {
                    pointers.extend(number(&item, "id").map(|id| ((*identity).clone(), ContactId(id))));
                }
                None if labels::is_label(&item) => found.labels.push(labels::from_item(item)?),
                None => contacts.push(item),
            }
        }
        // A number that was written in another spelling points from there.
        let missing: HashSet<Identity> = named
            .iter()
            .filter(|one| !pointers.contains_key(*one) && has_older(tenant, one))
            .cloned()
            .collect();
        if !missing.is_empty() {
            pointers.extend(self.holders(tenant, missing).await?);
        }
        let held: BTreeSet<ContactId> = pointers.values().copied().collect();
        let left = held.into_iter().filter(|id| *subject != Subject::Id(*id));
        let left: Vec<Key> = left.map(|id| contact_key(tenant, id)).collect();
        if !left.is_empty() {
            contacts.extend(self.get_many(left).await?);
        }
        // Of a contact that is gone there is a tombstone, which carries nothing.
        let gone: BTreeSet<ContactId> =
            contacts.iter().filter(|item| is_tombstone(item)).map(super::book::sort_id).collect();
        for (identity, id) in pointers {
            found.book.load_pointer(identity, id);
        }
        self.fill(&mut found.book, contacts)?;
        if !identities.is_empty() {
            self.move_older(tenant, &found.book).await?;
        }
        found.id = match subject {
            Subject::Id(id) => Some(*id),
            Subject::Known(identity) => found.book.holder(identity),
        };
        let exists = |id: &ContactId| {
            !gone.contains(id) && found.book.slot(*id).is_some_and(|slot| slot.after.is_some())
        };
        found.id = found.id.filter(exists);
        Ok(found)
    }
}

impl Store {
    /// Whoever takes a number from a contact looks for its pointer where it stands today.
    async fn move_older(&self, tenant: &TenantId, book: &Book) -> Result<()> {
        let carried = book.slots().filter_map(|(_, slot)| slot.before.as_ref()).flat_map(Contact::identities);
        let older: HashSet<Identity> =
            carried.filter(|one| book.pointer(one).is_none() && has_older(tenant, one)).collect();
        if !older.is_empty() {
            self.holders(tenant, older).await?;
        }
        Ok(())
    }
}

impl Loaded {
    fn nothing() -> Self {
        Self { book: Book::default(), id: None, labels: Vec::new() }
    }
}

/// Whether the pointer of an identity may stand elsewhere than where it does today.
fn has_older(tenant: &TenantId, identity: &Identity) -> bool {
    let today = identity_key(tenant, identity);
    super::older_keys(tenant, identity).iter().any(|key| *key != today)
}
