//! The conversation with one contact: single messages and those of campaigns.

use std::collections::{BTreeSet, HashMap};

use domain::contact::Contact;
use domain::identity::Identity;
use domain::message::Address;
use domain::recipient::State;
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};
use store::Store;
use store::campaigns::{Started, Stored};
use store::ledger::Row;
use store::messages::With;

use super::entry::row_time;
use super::{HistoryEntry, HistoryPlace, cut_to_size};
use crate::Result;

/// Campaigns that are looked through for a contact: the newest of a tenant.
const CAMPAIGNS: usize = 1_000;
/// Queries under way at once.
const CONCURRENCY: usize = 16;

/// With whom a conversation is.
#[derive(Debug, Clone, PartialEq)]
pub struct Party {
    /// The contact, when there is one.
    contact: Option<Contact>,
    /// Where messages went before there was.
    addresses: Vec<Address>,
}

impl From<Contact> for Party {
    fn from(contact: Contact) -> Self {
        Self { addresses: contact.addresses(), contact: Some(contact) }
    }
}

impl Party {
    /// Whoever has this address, whether a contact or not.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when a store does not answer.
    pub async fn of_address(store: &Store, tenant: &TenantId, address: Address) -> Result<Self> {
        let contact = store.contact_by(tenant, &Identity::from(&address)).await?;
        let stranger = || Self { contact: None, addresses: vec![address] };
        Ok(contact.map_or_else(stranger, Self::from))
    }

    /// Whether nobody of the tenant's contacts is meant.
    pub fn is_stranger(&self) -> bool {
        self.contact.is_none()
    }

    /// The contact's id, and those of contacts that became part of it.
    fn ids(&self) -> BTreeSet<ContactId> {
        let of = |c: &Contact| std::iter::once(c.id).chain(c.absorbed.clone()).collect();
        self.contact.as_ref().map(of).unwrap_or_default()
    }

    fn partitions(&self) -> Vec<With> {
        let contacts = self.ids().into_iter().map(With::Contact);
        contacts.chain(self.addresses.iter().cloned().map(With::Address)).collect()
    }
}

/// Which part of a conversation is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// Only what is older.
    pub before: Option<HistoryPlace>,
    /// How many of the newest are left out.
    pub skip: usize,
    /// How many at most.
    pub take: usize,
}

/// Part of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationPage {
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
    /// Where to go on; `None` at the end.
    pub next: Option<HistoryPlace>,
}

/// Where an entry of a conversation is.
enum Found {
    Single(AccountId, MessageId),
    Row(CampaignId, Box<Row>),
}

/// A conversation with some accounts, newest first ([`AccountId::NONE`] stands for all
/// custom channels): single messages and those of
/// campaigns, except recipients that were skipped or not tried yet.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn conversation(
    store: &Store,
    tenant: &TenantId,
    accounts: &[AccountId],
    party: &Party,
    window: &Window,
) -> Result<ConversationPage> {
    // One more tells whether there is more.
    let reach = window.skip.saturating_add(window.take).saturating_add(1);
    let bound = window.before.as_ref().map(HistoryPlace::bound);
    let singles = singles(store, tenant, accounts, party, bound, reach);
    let rows = rows(store, tenant, accounts, party);
    let (mut found, rows) = futures::try_join!(singles, rows)?;
    found.extend(rows);
    found.retain(|(place, _)| window.before.as_ref().is_none_or(|before| place < before));
    found.sort_by(|a, b| b.0.cmp(&a.0));
    let is_more = found.len() > window.skip.saturating_add(window.take);
    let shown: Vec<(HistoryPlace, Found)> = found.into_iter().skip(window.skip).take(window.take).collect();
    let mut entries = load(store, tenant, &shown).await?;
    let is_cut = cut_to_size(&mut entries);
    let last =
        if is_cut { entries.last().map(HistoryEntry::place) } else { shown.into_iter().last().map(|l| l.0) };
    Ok(ConversationPage { entries, next: last.filter(|_| is_more || is_cut) })
}

async fn singles(
    store: &Store,
    tenant: &TenantId,
    accounts: &[AccountId],
    party: &Party,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Vec<(HistoryPlace, Found)>> {
    let partitions = party.partitions();
    let all = accounts.iter().flat_map(|account| partitions.iter().map(move |with| (*account, with)));
    let queries = all.map(|(account, with)| async move {
        let ids = store.conversation(tenant, account, with, before, limit).await?;
        Ok::<_, store::Error>(ids.into_iter().map(move |id| (account, id)))
    });
    let queries: Vec<_> = queries.collect();
    let pages: Vec<_> = stream::iter(queries).buffer_unordered(CONCURRENCY).try_collect().await?;
    let found = pages.into_iter().flatten();
    Ok(found.map(|(account, id)| (HistoryPlace::at(id), Found::Single(account, id))).collect())
}

async fn rows(
    store: &Store,
    tenant: &TenantId,
    accounts: &[AccountId],
    party: &Party,
) -> Result<Vec<(HistoryPlace, Found)>> {
    let ids = party.ids();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut campaigns = store.started_campaigns(tenant, CAMPAIGNS).await?;
    campaigns.retain(|campaign| accounts.contains(&campaign.account));
    let started: HashMap<CampaignId, i64> = campaigns.iter().map(|c: &Started| (c.id, c.at_ms)).collect();
    let campaigns: Vec<CampaignId> = campaigns.iter().map(|c| c.id).collect();
    let mut rows = store.rows_of(tenant, &campaigns, &ids).await?;
    rows.retain(|(_, row)| !matches!(row.progress.state, State::Pending | State::Skipped));
    let place = |campaign: CampaignId, row: &Row| {
        let start = started.get(&campaign).copied().unwrap_or_default();
        HistoryPlace::of_row(campaign, row, row_time(&row.progress, start))
    };
    Ok(rows.into_iter().map(|(c, row)| (place(c, &row), Found::Row(c, Box::new(row)))).collect())
}

/// The entries at these places. A message that is gone is left out.
async fn load(
    store: &Store,
    tenant: &TenantId,
    shown: &[(HistoryPlace, Found)],
) -> Result<Vec<HistoryEntry>> {
    let (mut ids, mut campaigns) = (Vec::new(), BTreeSet::new());
    for (_, found) in shown {
        match found {
            Found::Single(account, id) => ids.push((*account, *id)),
            Found::Row(campaign, _) => {
                campaigns.insert(*campaign);
            }
        }
    }
    let (messages, campaigns) =
        futures::try_join!(store.messages_of(tenant, &ids), store.campaigns_of(tenant, &campaigns))?;
    let mut messages: HashMap<MessageId, HistoryEntry> =
        messages.into_iter().map(|message| (message.id, message.into())).collect();
    let campaigns: HashMap<CampaignId, Stored> =
        campaigns.into_iter().map(|stored| (stored.campaign.id, stored)).collect();
    let entries = shown.iter().filter_map(|(_, found)| match found {
        Found::Single(_, id) => messages.remove(id),
        Found::Row(campaign, row) => campaigns.get(campaign).map(|stored| HistoryEntry::of_row(stored, row)),
    });
    Ok(entries.collect())
}
