//! What happened: single messages, and campaign messages joined from the ledger.
//!
//! A conversation ([`conversation`]) has both. The history of accounts ([`list`])
//! goes back day by day through single messages only: the ledger is not ordered by
//! time.

mod conversation;
mod entry;
mod listing;

pub use conversation::{ConversationPage, Party, Window, conversation};
pub use entry::{HistoryEntry, HistoryPlace};
pub use listing::{Filter, list};

use domain::message::CallbackRef;
use domain::{AccountId, MessageId, TenantId, weight};
use store::Store;

use crate::Result;

/// Longest id of a provider that is looked up.
const MAX_PROVIDER_ID: usize = 512;
/// What an entry weighs beside its text, at most, in bytes.
const OTHERWISE: usize = 1_500;

/// Finds a message by our id, by the provider's id of a single message, or by the
/// reference of a campaign message (`c:<campaign>:<contact>:<attempt>`).
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn find(store: &Store, tenant: &TenantId, id: &str) -> Result<Option<HistoryEntry>> {
    let id = id.trim();
    match CallbackRef::parse(id) {
        Some(CallbackRef::Campaign(campaign, contact, attempt)) => {
            let Some(row) = store.row(tenant, campaign, contact).await? else { return Ok(None) };
            let Some(stored) = store.campaign(tenant, campaign).await? else { return Ok(None) };
            Ok((attempt <= row.attempt).then(|| HistoryEntry::of_row(&stored, &row)))
        }
        Some(CallbackRef::Message(id)) => by_our_id(store, tenant, id).await,
        None => match id.parse() {
            Ok(id) => by_our_id(store, tenant, id).await,
            Err(_) if id.is_empty() || id.len() > MAX_PROVIDER_ID => Ok(None),
            Err(_) => Ok(store.message_by_provider_id(tenant, id).await?.map(HistoryEntry::from)),
        },
    }
}

/// Where a tenant's messages are: its accounts, and its custom channels.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn everywhere(store: &Store, tenant: &TenantId) -> Result<Vec<AccountId>> {
    let mut accounts = store.account_ids(tenant).await?;
    accounts.push(AccountId::NONE);
    Ok(accounts)
}

/// The id does not tell the account: each of the tenant's is asked, and the custom
/// channels.
async fn by_our_id(store: &Store, tenant: &TenantId, id: MessageId) -> Result<Option<HistoryEntry>> {
    let accounts = everywhere(store, tenant).await?;
    let ids: Vec<(AccountId, MessageId)> = accounts.into_iter().map(|account| (account, id)).collect();
    Ok(store.messages_of(tenant, &ids).await?.into_iter().next().map(HistoryEntry::from))
}

/// Keeps as many entries as one answer has room for, at least one; answers
/// whether any had to go.
fn cut_to_size(entries: &mut Vec<HistoryEntry>) -> bool {
    let mut size = 0;
    let fits = entries.iter().take_while(|entry| {
        size += OTHERWISE + entry.text.as_deref().map_or(0, weight::of_text);
        size <= weight::MOST
    });
    let keep = fits.count().max(1);
    let is_cut = keep < entries.len();
    entries.truncate(keep);
    is_cut
}

#[cfg(test)]
mod tests {
    use super::entry::tests::entry;
    use super::*;

    #[test]
    fn a_page_has_at_least_one_entry_and_no_more_than_fits() {
        let with = |text: &str, size: usize| HistoryEntry { text: Some(text.repeat(size)), ..entry(1) };
        let most = weight::MOST - OTHERWISE;
        for (text, sizes, keep) in [
            ("x", vec![], 0),
            ("x", vec![10, 10], 2),
            ("x", vec![most, 1], 1),
            ("x", vec![most + 1, 1], 1),
            ("x", vec![most / 2, most / 3], 2),
            ("\"", vec![most / 2, most / 3], 1),
        ] {
            let mut entries: Vec<HistoryEntry> = sizes.iter().map(|size| with(text, *size)).collect();
            assert_eq!(cut_to_size(&mut entries), keep < sizes.len());
            assert_eq!(entries.len(), keep);
        }
    }
}
