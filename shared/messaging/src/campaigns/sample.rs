//! Contacts that stand for all of a tenant's, when those are too many to look at.

use std::collections::BTreeSet;

use domain::contact::Contact;
use domain::{ContactId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};
use store::Store;
use store::contacts::{BLOCK, BlockSize};

use ops::Result;

/// Places at which contacts are read, spread evenly; a power of two.
const PLACES: u64 = 512;
/// Contacts of one place.
const STRIP: usize = 8;
/// Places that are read at once.
const CONCURRENCY: usize = 8;
/// So many of the audience are enough: each is looked up twice, for its opt-out and for
/// its window, a read unit each.
const ENOUGH: usize = 400;
/// Bytes of contacts that are enough: a unit reads 4 kB.
const ENOUGH_BYTES: usize = 2_000_000;
/// What a contact has beside its texts, about, in bytes.
const OTHERWISE: usize = 300;

/// Contacts spread evenly over all.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// How many were looked at.
    pub(super) seen: u64,
    /// Those of them that are wanted.
    pub(super) wanted: Vec<Contact>,
}

impl Sample {
    /// Looks at contacts until enough were wanted, or enough were read. The same blocks
    /// give the same sample: what one request finds, the next does.
    pub(super) async fn of(
        store: &Store,
        tenant: &TenantId,
        blocks: &[BlockSize],
        is_wanted: impl Fn(&Contact) -> bool,
    ) -> Result<Self> {
        let (mut sample, mut seen, mut bytes) = (Self::default(), BTreeSet::new(), 0);
        for places in spread(blocks).chunks(CONCURRENCY) {
            let strips = places.iter().map(|start| store.contacts_from(tenant, *start, STRIP));
            let strips: Vec<_> = strips.collect();
            let strips: Vec<Vec<Contact>> = stream::iter(strips).buffered(CONCURRENCY).try_collect().await?;
            for contact in strips.into_iter().flatten() {
                // Places of few contacts overlap.
                if !seen.insert(contact.id) {
                    continue;
                }
                bytes += size(&contact);
                if is_wanted(&contact) {
                    sample.wanted.push(contact);
                }
            }
            if sample.wanted.len() >= ENOUGH || bytes >= ENOUGH_BYTES {
                break;
            }
        }
        sample.seen = seen.len() as u64;
        Ok(sample)
    }
}

/// Where to read: each contact is as likely as any other to be near a place. The
/// places come in an order of which every beginning is spread evenly, too.
fn spread(blocks: &[BlockSize]) -> Vec<ContactId> {
    let total: u64 = blocks.iter().map(|block| block.contacts).sum();
    let bits = PLACES.trailing_zeros();
    let ranks = (0..PLACES).map(|i| i.reverse_bits() >> (u64::BITS - bits));
    ranks.filter_map(|i| nth(blocks, (2 * i + 1) * total / (2 * PLACES))).collect()
}

/// The id at which to look for the contact of a rank. Ids of a block are at least as
/// high as their ranks, so that there is somebody at it or behind.
fn nth(blocks: &[BlockSize], rank: u64) -> Option<ContactId> {
    let mut before = 0;
    for block in blocks {
        if rank < before + block.contacts {
            return Some(ContactId(block.block * BLOCK + (rank - before)));
        }
        before += block.contacts;
    }
    None
}

fn size(contact: &Contact) -> usize {
    let metadata = match contact.metadata.is_empty() {
        true => 0,
        false => serde_json::to_string(&contact.metadata).map_or(0, |json| json.len()),
    };
    let tags: usize = contact.tags.iter().map(String::len).sum();
    OTHERWISE + metadata + tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(sizes: &[u64]) -> Vec<BlockSize> {
        let each = sizes.iter().enumerate();
        each.map(|(block, contacts)| BlockSize { block: block as u64, contacts: *contacts }).collect()
    }

    #[test]
    fn places_are_spread_evenly_from_the_beginning() {
        let all = spread(&blocks(&[1_000; 100]));
        assert_eq!(all.len(), 512);
        for most in [8_u64, 64, 512] {
            let of_first_half = all.iter().take(most as usize).filter(|id| id.0 < 50_000).count() as u64;
            assert_eq!(of_first_half, most / 2, "{most}");
        }
        assert_eq!(all, spread(&blocks(&[1_000; 100])), "the same each time");
    }

    #[test]
    fn blocks_have_as_many_places_as_contacts() {
        let all = spread(&blocks(&[300, 0, 100]));
        let of = |block: u64| all.iter().filter(|id| id.0 / BLOCK == block).count();
        assert_eq!((of(0), of(1), of(2)), (384, 0, 128));
        assert!(all.iter().all(|id| id.0 % BLOCK < 300));
        assert!(spread(&[]).is_empty());
    }
}
