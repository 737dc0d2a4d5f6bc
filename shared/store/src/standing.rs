//! What may have changed about recipients since a campaign was planned.

use std::collections::{HashMap, HashSet};

use domain::message::Address;
use domain::{ContactId, TenantId};

use crate::contacts::{contact_key, counter_key, is_tombstone};
use crate::item::{Key, number};
use crate::{Result, Store, suppression};

/// Who of some recipients is not what a campaign took them for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Their address opted out.
    pub opted_out: HashSet<ContactId>,
    /// There is no such contact any more.
    pub gone: HashSet<ContactId>,
}

/// A recipient that is about to be sent to.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// Who.
    pub contact: ContactId,
    /// Where to.
    pub address: Option<&'a Address>,
    /// How many times the tenant had lost contacts when the campaign started, if that is
    /// known: while it lost no more, everybody is still there.
    pub losses: Option<u64>,
}

impl Store {
    /// Looks recipients and their addresses up. Contacts are only read when any of the
    /// tenant's was lost since their campaign started, which costs nothing to find out.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn standing(&self, tenant: &TenantId, recipients: &[Recipient<'_>]) -> Result<Standing> {
        let mut addresses: HashMap<Key, HashSet<ContactId>> = HashMap::new();
        for Recipient { contact, address, .. } in recipients {
            if let Some(address) = address {
                for key in suppression::keys(tenant, address) {
                    addresses.entry(key).or_default().insert(*contact);
                }
            }
        }
        let counter = counter_key(tenant);
        let keys = addresses.keys().cloned().chain([counter.clone()]).collect();
        let (mut opted_out, mut losses) = (HashSet::new(), 0);
        for item in self.get_some(keys, Some("pk, sk, lost")).await? {
            let Some(key) = Key::of(&item) else { continue };
            opted_out.extend(addresses.get(&key).into_iter().flatten());
            if key == counter {
                losses = number(&item, "lost").unwrap_or(0);
            }
        }
        let doubtful = recipients.iter().filter(|recipient| recipient.losses != Some(losses));
        let gone = self.gone(tenant, doubtful.map(|recipient| recipient.contact)).await?;
        Ok(Standing { opted_out, gone })
    }

    /// Those of some contacts that do not exist.
    async fn gone(
        &self,
        tenant: &TenantId,
        contacts: impl Iterator<Item = ContactId>,
    ) -> Result<HashSet<ContactId>> {
        let contacts: HashMap<Key, ContactId> = contacts.map(|id| (contact_key(tenant, id), id)).collect();
        let mut gone: HashSet<ContactId> = contacts.values().copied().collect();
        for item in self.get_some(contacts.keys().cloned().collect(), Some("pk, sk, gone")).await? {
            let found = Key::of(&item).and_then(|key| contacts.get(&key));
            if let Some(id) = found.filter(|_| !is_tombstone(&item)) {
                gone.remove(id);
            }
        }
        Ok(gone)
    }
}
