//! Contacts that an older version stored, written as this one does.

use std::collections::{BTreeSet, HashSet};

use domain::identity::Identity;
use domain::{ContactId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use super::{block_pk, from_item, identity_key, older_keys, to_item};
use crate::item::{Item, Key, Query, n, number};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// The form of today. 1: what a search looks through is folded, tags have their keys, and
/// every spelling of a number is one identity (2026-11). 2: every tag has a number, as a label.
const FORM: u64 = 2;
/// Contacts that are written at once.
const CONCURRENCY: usize = 16;
/// After this long an order to renew is taken for lost, in milliseconds.
const LOST_MS: i64 = 60 * 60_000;

fn form_key(tenant: &TenantId) -> Key {
    Key::new(Kind::Counter.pk(tenant), "contact form")
}

impl Store {
    /// Whether the tenant's contacts are to be renewed, which nobody was asked to within
    /// the last hour: the caller is to order it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn claim_renewal(&self, tenant: &TenantId) -> Result<bool> {
        let form = self.get_item(&form_key(tenant)).await?.unwrap_or_default();
        let (done, asked): (Option<u64>, Option<i64>) = (number(&form, "form"), number(&form, "asked"));
        let now = self.clock().now_ms();
        if done.is_some_and(|form| form >= FORM) || asked.is_some_and(|asked| now - asked < LOST_MS) {
            return Ok(false);
        }
        let unclaimed = asked.map_or(When::Absent("asked"), |asked| When::Is("asked", n(asked)));
        match self.update(Update::of(form_key(tenant)).set("asked", n(now)).when(unclaimed)).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict | Error::Contended) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Remembers that every contact has the form of today.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn finish_renewal(&self, tenant: &TenantId) -> Result<()> {
        self.update(Update::of(form_key(tenant)).set("form", n(FORM))).await
    }

    /// Writes the contacts of a block anew that have an older form, and numbers their tags. Answers those whose
    /// number is also another contact's, who was there under another spelling of it, beside
    /// that other. Repeated, it does what is left.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn renew_block(&self, tenant: &TenantId, block: u64) -> Result<Vec<(ContactId, ContactId)>> {
        let items = self.query(&Query { pk: block_pk(tenant, block), ..Query::default() }).await?;
        let mut spelled: Vec<(ContactId, Identity)> = Vec::new();
        let mut renewed: Vec<(u64, Item)> = Vec::new();
        let mut tags: BTreeSet<String> = BTreeSet::new();
        for item in items {
            let version: u64 = number(&item, "ver").unwrap_or(0);
            let Some(mut contact) = from_item(item.clone())? else { continue };
            contact.phone = contact.phone.map(|phone| phone.current());
            tags.extend(contact.tags.iter().cloned());
            let phone = contact.phone.as_ref().map(Identity::from);
            spelled.extend(
                phone.filter(|phone| !older_keys(tenant, phone).is_empty()).map(|phone| (contact.id, phone)),
            );
            let today = to_item(tenant, &contact, version)?;
            if today.iter().any(|(name, value)| item.get(name) != Some(value)) {
                renewed.push((version, to_item(tenant, &contact, version + 1)?));
            }
        }
        self.ensure_labels(tenant, &tags.into_iter().collect::<Vec<_>>()).await?;
        let writes = renewed.into_iter().map(|(version, item)| self.renew(version, item));
        stream::iter(writes.collect::<Vec<_>>())
            .buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        let identities: HashSet<Identity> = spelled.iter().map(|(_, phone)| phone.clone()).collect();
        // This gives each of them its pointer of today.
        let holders = self.holders(tenant, identities.clone()).await?;
        self.forget_older(tenant, &identities).await?;
        let twins = spelled.into_iter().filter_map(|(id, phone)| {
            let holder = holders.get(&phone).copied().filter(|holder| *holder != id)?;
            Some((id, holder))
        });
        Ok(twins.collect())
    }

    /// Whoever changed the contact meanwhile wrote it in the form of today.
    async fn renew(&self, version: u64, item: Item) -> Result<()> {
        match self.replace(item, vec![When::Is("ver", n(version))]).await {
            Ok(()) | Err(Error::Conflict | Error::Contended) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn forget_older(&self, tenant: &TenantId, identities: &HashSet<Identity>) -> Result<()> {
        let today: HashSet<Key> = identities.iter().map(|one| identity_key(tenant, one)).collect();
        let older = identities.iter().flat_map(|one| older_keys(tenant, one));
        let older: Vec<Key> = older.filter(|key| !today.contains(key)).collect();
        for item in self.get_many(older).await? {
            if let Some(key) = Key::of(&item) {
                self.delete(&key).await?;
            }
        }
        Ok(())
    }
}
