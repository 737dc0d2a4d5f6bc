//! The messages of accounts, newest first.

use domain::account::Account;
use domain::recipient::State;
use domain::{AccountId, MessageId, TenantId};
use jiff::Timestamp;
use store::Store;
use store::messages::SHARDS;

use super::{ConversationPage, HistoryEntry, HistoryPlace, Party, Window, conversation, cut_to_size};
use crate::Result;

/// Queries of one request: a month of one account.
const QUERIES: usize = 128;
/// Messages that one request looks at.
const READS: usize = 5_000;
/// Most messages of one partition at a time are few, so that little is read twice.
const EACH: usize = 16;
/// How far the clocks of two processes may differ, in milliseconds.
const SKEW_MS: i64 = 60_000;

/// Which messages are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Only those that contacts wrote, or only ours.
    pub inbound: Option<bool>,
    /// Only those that are shown in this state.
    pub state: Option<State>,
    /// Only with them; then campaign messages are among the others.
    pub party: Option<Party>,
    /// None that is older.
    pub since: Option<Timestamp>,
}

impl Filter {
    fn takes(&self, entry: &HistoryEntry) -> bool {
        self.inbound.is_none_or(|inbound| entry.inbound == inbound)
            && self.state.is_none_or(|state| entry.progress.shown().0 == state)
    }
}

/// Messages of accounts, newest first, older than `before`, at most `limit`.
///
/// The work of one request is bounded: when it is used up, the page is shorter and
/// says where to go on. Only a page without [`ConversationPage::next`] is the last.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn list(
    store: &Store,
    tenant: &TenantId,
    accounts: &[Account],
    filter: &Filter,
    before: Option<HistoryPlace>,
    limit: usize,
) -> Result<ConversationPage> {
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    if let Some(party) = &filter.party {
        return with_party(store, tenant, &ids, party, filter, before, limit).await;
    }
    // No message is older than its account.
    let oldest = accounts.iter().map(|account| account.created_at).min();
    let Some(oldest) = oldest.max(filter.since.filter(|_| oldest.is_some())) else {
        return Ok(ConversationPage { entries: Vec::new(), next: None });
    };
    let floor = MessageId::first_of(oldest.as_millisecond());
    let newest = MessageId::first_of(store.clock().now_ms() + SKEW_MS);
    let mut bound = before.map_or(newest, |before| before.bound().min(newest));
    let partitions = ids.len() * SHARDS as usize;
    let (mut queries, mut reads, mut entries) = (0, 0, Vec::new());
    while bound > floor {
        let is_first = queries == 0;
        if !is_first && (queries + partitions > QUERIES || reads >= READS) {
            return Ok(ConversationPage { entries, next: Some(HistoryPlace::at(bound)) });
        }
        let each = (limit - entries.len()).div_ceil(partitions).max(EACH);
        let part = store.messages_of_day(tenant, &ids, bound, each).await?;
        queries += partitions;
        reads += part.messages.len();
        bound = part.read_until;
        let wanted = part.messages.into_iter().filter(|message| message.id >= floor).map(HistoryEntry::from);
        entries.extend(wanted.filter(|entry| filter.takes(entry)));
        let is_full = entries.len() >= limit;
        entries.truncate(limit);
        if cut_to_size(&mut entries) || is_full {
            let next = entries.last().map(HistoryEntry::place);
            return Ok(ConversationPage { entries, next });
        }
    }
    Ok(ConversationPage { entries, next: None })
}

/// The same with one person, by way of the conversation.
async fn with_party(
    store: &Store,
    tenant: &TenantId,
    accounts: &[AccountId],
    party: &Party,
    filter: &Filter,
    before: Option<HistoryPlace>,
    limit: usize,
) -> Result<ConversationPage> {
    let window = Window { before, skip: 0, take: limit };
    let mut page = conversation(store, tenant, accounts, party, &window).await?;
    if let Some(since) = filter.since {
        let is_late = |entry: &HistoryEntry| entry.at_ms >= since.as_millisecond();
        if !page.entries.iter().all(is_late) {
            page.next = None;
        }
        page.entries.retain(is_late);
    }
    page.entries.retain(|entry| filter.takes(entry));
    Ok(page)
}
