//! Deleting contacts, with everything that leads to them.

use domain::contact::Contact;
use domain::{ContactId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use super::{block_of, contact_key, counter_key, from_item, identity_key};
use crate::batch::Action;
use crate::item::{Key, n};
use crate::outbox::{Note, Written};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// Contacts that are deleted at once.
const CONCURRENCY: usize = 16;
/// Tries against concurrent writers.
const TRIES: u32 = 8;

impl Store {
    /// Deletes one contact with its identities, with a note in the outbox; `None` when
    /// there is none.
    ///
    /// # Errors
    /// [`Error::Contended`] when it keeps changing under us.
    pub async fn delete_contact(
        &self,
        tenant: &TenantId,
        id: ContactId,
        note: Note,
    ) -> Result<Option<Written>> {
        for attempt in 0..TRIES {
            let Some(contact) = self.contact(tenant, id).await? else { return Ok(None) };
            let mut actions = self.delete_actions(tenant, &contact)?;
            actions.push(Action::Update(Self::head_update(tenant, block_of(id), -1)));
            actions
                .push(Action::Update(Update::of(counter_key(tenant)).add("used", n(-1)).add("lost", n(1))));
            actions.extend(note.actions()?);
            match self.transact(actions).await {
                Ok(()) => return Ok(Some(note.written())),
                Err(Error::Conflict | Error::Contended) => self.back_off(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Deletes many contacts; answers how many there were. Their blocks must be
    /// marked before and recounted after.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer; what was deleted
    /// until then stays deleted.
    pub async fn delete_contacts(&self, tenant: &TenantId, ids: &[ContactId]) -> Result<u64> {
        let keys: Vec<Key> = ids.iter().map(|id| contact_key(tenant, *id)).collect();
        let mut found = Vec::new();
        for item in self.get_many(keys).await? {
            found.extend(from_item(item)?);
        }
        self.note_loss(tenant).await?;
        let deleted: u64 = stream::iter(found)
            .map(|contact| self.delete_marked(tenant, contact))
            .buffer_unordered(CONCURRENCY)
            .try_fold(0, |sum, deleted| async move { Ok(sum + u64::from(deleted)) })
            .await?;
        self.count_contacts(tenant, -i64::try_from(deleted).unwrap_or(0)).await?;
        Ok(deleted)
    }

    async fn delete_marked(&self, tenant: &TenantId, mut contact: Contact) -> Result<bool> {
        for attempt in 0..TRIES {
            match self.transact(self.delete_actions(tenant, &contact)?).await {
                Ok(()) => return Ok(true),
                Err(Error::Conflict | Error::Contended) => self.back_off(attempt).await,
                Err(error) => return Err(error),
            }
            match self.contact(tenant, contact.id).await? {
                Some(now) => contact = now,
                None => return Ok(false),
            }
        }
        Err(Error::Contended)
    }

    fn delete_actions(&self, tenant: &TenantId, contact: &Contact) -> Result<Vec<Action>> {
        let tombstone = self.tombstone(tenant, contact.id, contact.version + 1)?;
        let mut actions = vec![Action::Put(tombstone, vec![When::Is("ver", n(contact.version))])];
        for identity in contact.identities() {
            let key = identity_key(tenant, &identity);
            actions.push(Action::Delete(key, vec![When::Is("id", n(contact.id.0))]));
        }
        Ok(actions)
    }
}
