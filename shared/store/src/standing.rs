//! What may have changed about recipients since a campaign was planned.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::contact::Contact;
use domain::message::Address;
use domain::{ContactId, TenantId};

use crate::contacts::counter_key;
use crate::item::{Key, number};
use crate::{Result, Store, suppression};

/// Who of some recipients is not what a campaign took them for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Their address opted out.
    pub opted_out: HashSet<ContactId>,
    /// There is no such contact any more.
    pub gone: HashSet<ContactId>,
    /// Those that were looked at, since they may have changed, as they are now.
    pub contacts: HashMap<ContactId, Contact>,
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
        let doubtful: BTreeSet<ContactId> = doubtful.map(|recipient| recipient.contact).collect();
        let contacts = self.contacts_of(tenant, &doubtful).await?;
        let contacts: HashMap<ContactId, Contact> = contacts.into_iter().map(|one| (one.id, one)).collect();
        let gone = doubtful.into_iter().filter(|id| !contacts.contains_key(id)).collect();
        Ok(Standing { opted_out, gone, contacts })
    }
}
