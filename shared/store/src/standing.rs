//! What may have changed about recipients since a campaign was planned.

use std::collections::{HashMap, HashSet};

use domain::message::Address;
use domain::{ContactId, TenantId};

use crate::contacts::{contact_key, is_tombstone};
use crate::item::Key;
use crate::suppression::{self, suppression_id};
use crate::{Result, Store};

/// Who of some recipients is not what a campaign took them for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Their address opted out.
    pub opted_out: HashSet<ContactId>,
    /// There is no such contact any more.
    pub gone: HashSet<ContactId>,
}

impl Store {
    /// Looks recipients and their addresses up, all in the same requests.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn standing(
        &self,
        tenant: &TenantId,
        recipients: &[(ContactId, Option<&Address>)],
    ) -> Result<Standing> {
        let contacts: HashMap<Key, ContactId> =
            recipients.iter().map(|(id, _)| (contact_key(tenant, *id), *id)).collect();
        let mut addresses: HashMap<Key, HashSet<ContactId>> = HashMap::new();
        for (id, address) in recipients {
            if let Some(address) = address {
                let key = suppression::key(tenant, &suppression_id(tenant, address));
                addresses.entry(key).or_default().insert(*id);
            }
        }
        let keys = contacts.keys().chain(addresses.keys()).cloned().collect();
        let mut standing = Standing { gone: contacts.values().copied().collect(), ..Standing::default() };
        for item in self.get_many(keys).await? {
            let Some(key) = Key::of(&item) else { continue };
            if let Some(id) = contacts.get(&key).filter(|_| !is_tombstone(&item)) {
                standing.gone.remove(id);
            }
            standing.opted_out.extend(addresses.get(&key).into_iter().flatten());
        }
        Ok(standing)
    }
}
