//! Contacts that an older version stored, written in the form of today.

use std::collections::{BTreeSet, HashSet};

use domain::contact::Contact;
use domain::{PhoneKey, PhoneNumber, TenantId};
use queue::CampaignJob;

use crate::Result;
use crate::contacts::commit;
use crate::events::{EventPublisher, Transaction};

/// Tries against concurrent writers.
const TRIES: u32 = 8;

/// Orders that the tenant's contacts are written in the form of today, if an older version
/// left some, and nobody was asked to yet.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store or the queue does not answer.
pub async fn order(publisher: &EventPublisher, tenant: &TenantId) -> Result<()> {
    if publisher.store.claim_renewal(tenant).await? {
        let job = CampaignJob::Renew { tenant: tenant.to_string(), block: 0 };
        publisher.queues.campaign(job, 0).await?;
    }
    Ok(())
}

/// Writes the contacts of a block in the form of today. Contacts that were made for two
/// spellings of one number become one.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer: do it again.
pub async fn renew_block(publisher: &EventPublisher, tenant: &TenantId, block: u64) -> Result<()> {
    let store = &publisher.store;
    let events = publisher.caused_by(Transaction, tenant).await?;
    for (one, other) in store.renew_block(tenant, block).await? {
        let pair = BTreeSet::from([one, other]);
        for attempt in 0..TRIES {
            let found = store.contacts_of(tenant, &pair).await?;
            let same: HashSet<Option<PhoneKey>> =
                found.iter().map(|contact| contact.phone.as_ref().map(PhoneNumber::key)).collect();
            if found.len() < pair.len() || same.len() > 1 {
                break;
            }
            let identities = found.iter().flat_map(Contact::identities).collect();
            let mut book = store.load_book(tenant, identities).await?;
            found.into_iter().for_each(|contact| book.load_contact(contact));
            book.make_one(pair.clone(), store.clock().now());
            if commit(&events, store, tenant, &mut book, (0, Vec::new())).await? {
                break;
            }
            store.back_off(attempt).await;
        }
    }
    Ok(())
}
