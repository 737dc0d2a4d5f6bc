//! Pages of contacts by their number. Such a page cannot be cut: whoever asks for the
//! next would miss what was cut off. So a page that is too large makes all pages of the
//! tenant smaller, from then on: pages of a smaller size may repeat contacts that
//! somebody who is half-way through has seen, but none is missed.

use domain::contact::Contact;
use domain::{TenantId, weight};
use store::Store;
use store::contacts::{ContactFilter, Listing};

use crate::events::EventPublisher;
use crate::{Result, renewal};

/// So many contacts always fit, as large as they may be: metadata of 16 kB, notes of 64 kB, a hundred
/// tags.
const ALWAYS: u64 = 20;
/// What an answer has beside its contacts, at most, in bytes.
const REST: usize = 10_000;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the page of this number, counted from 1.
    Page(u64),
    /// Behind so many contacts.
    Behind(u64),
}

/// Which contacts are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Those that pass.
    pub filter: &'a ContactFilter,
    /// From here on.
    pub start: Start,
    /// At most so many.
    pub most: u64,
    /// The newest first.
    pub descending: bool,
}

/// Contacts as they were found.
#[derive(Debug, Clone)]
pub struct ContactPage {
    /// The contacts.
    pub listing: Listing,
    /// How many contacts a page has; at most as many as were wanted.
    pub size: u64,
    /// How many are before the page.
    pub skipped: u64,
}

/// A page that fits into one answer. `weigh` is what a contact takes there (see
/// [`weight`]).
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn fitting(
    publisher: &EventPublisher,
    tenant: &TenantId,
    wanted: Wanted<'_>,
    weigh: impl Fn(&Contact) -> usize,
) -> Result<ContactPage> {
    let store = &publisher.store;
    let mut size = wanted.most;
    if wanted.filter.search.is_some() || wanted.filter.tag.is_some() {
        renewal::order(publisher, tenant).await?;
    }
    if size > ALWAYS {
        size = store.contacts_per_page(tenant).await?.map_or(size, |known| known.min(size));
    }
    loop {
        let skipped = match wanted.start {
            Start::Page(page) => page.saturating_sub(1).saturating_mul(size),
            Start::Behind(skipped) => skipped,
        };
        let listing = read(store, tenant, &wanted, skipped, size).await?;
        let weight: usize = if size > ALWAYS { listing.contacts.iter().map(&weigh).sum() } else { 0 };
        if weight <= weight::MOST - REST {
            return Ok(ContactPage { listing, size, skipped });
        }
        size = (size / 2).max(ALWAYS);
        store.limit_contacts_per_page(tenant, size).await?;
    }
}

async fn read(
    store: &Store,
    tenant: &TenantId,
    wanted: &Wanted<'_>,
    skip: u64,
    size: u64,
) -> Result<Listing> {
    let take = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    if !wanted.descending {
        return Ok(store.list_contacts(tenant, wanted.filter, skip, take(size)).await?);
    }
    let total = store.list_contacts(tenant, wanted.filter, 0, 0).await?.total;
    let end = total.saturating_sub(skip);
    let start = end.saturating_sub(size);
    let mut listing = store.list_contacts(tenant, wanted.filter, start, take(end - start)).await?;
    listing.contacts.reverse();
    Ok(listing)
}
