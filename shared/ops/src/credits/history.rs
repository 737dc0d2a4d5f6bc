//! What became of credits, the newest first: grants, messages, and campaigns as a whole. Of
//! what is paid nothing is written twice: messages and campaigns say themselves what they cost.

use std::collections::BTreeMap;

use domain::account::Tenant;
use domain::channel::Channel;
use domain::{AccountId, CampaignId, ContactId, MessageId};
use futures::future::try_join_all;
use store::Store;
use store::campaigns::Stored;
use store::credits::Recorded;
use store::ledger::Spending;
use store::messages::{Message, SHARDS};

use crate::Result;

/// Queries of one request.
const QUERIES: usize = 128;
/// Messages that one request looks at.
const READS: usize = 5_000;
/// Fewest messages that are read of a partition at a time.
const EACH: usize = 16;
/// Campaigns that are looked at.
const CAMPAIGNS: usize = 500;
/// How far the clocks of two processes may differ, in milliseconds.
const SKEW_MS: i64 = 60_000;

/// Something that became of credits.
#[derive(Debug, Clone, PartialEq)]
pub enum CreditEntry {
    /// An agency granted some.
    Grant(Recorded),
    /// A single message was paid.
    Message {
        /// The message.
        id: MessageId,
        /// Its channel.
        channel: Channel,
        /// Whom it is for.
        contact: Option<ContactId>,
        /// What it cost.
        cost: u64,
        /// When it was given back, in milliseconds since 1970: it failed.
        refunded_ms: Option<i64>,
    },
    /// The messages of a campaign were paid, as far as it came.
    Campaign {
        /// The campaign.
        id: CampaignId,
        /// Its name.
        name: String,
        /// When it was launched, in milliseconds since 1970.
        at_ms: i64,
        /// What it cost.
        spending: Spending,
    },
}

/// Entries, and where to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct CreditPage {
    /// The newest first.
    pub entries: Vec<CreditEntry>,
    /// What is older than this is on the next page.
    pub next: Option<MessageId>,
}

/// A place in the history: that of a campaign is when it was launched.
fn place(stored: &Stored) -> Option<MessageId> {
    Some(MessageId::numbered(stored.campaign.started_at?.as_millisecond(), stored.campaign.id.0))
}

impl From<Message> for CreditEntry {
    fn from(message: Message) -> Self {
        let failed_ms = message.progress.failed_at.unwrap_or_else(|| message.id.timestamp_ms());
        Self::Message {
            id: message.id,
            channel: message.channel,
            contact: message.contact,
            cost: message.cost.unwrap_or(0),
            refunded_ms: message.is_refunded.then_some(failed_ms),
        }
    }
}

/// What became of the credits of a sub-account before `before`, at most `limit` entries. The
/// work of one request is bounded: a page may be short. Only one without
/// [`CreditPage::next`] is the last.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn history(
    store: &Store,
    tenant: &Tenant,
    before: Option<MessageId>,
    limit: usize,
) -> Result<CreditPage> {
    let newest = MessageId::first_of(store.clock().now_ms() + SKEW_MS);
    let bound = before.map_or(newest, |before| before.min(newest));
    let mut places: BTreeMap<MessageId, CreditEntry> = BTreeMap::new();
    let floor = messages(store, tenant, bound, limit, &mut places).await?;
    for grant in store.grants(&tenant.id, Some(bound), limit + 1).await? {
        places.insert(grant.id, CreditEntry::Grant(grant));
    }
    let campaigns = store.campaigns(&tenant.id, None, CAMPAIGNS).await?;
    let mut paid: BTreeMap<MessageId, Stored> = campaigns
        .into_iter()
        .filter(|stored| stored.price.is_some())
        .filter_map(|stored| Some((place(&stored)?, stored)))
        .filter(|(place, _)| *place < bound)
        .collect();
    // What is older than the messages that were looked at is on the next page.
    let mut known: Vec<MessageId> = places
        .keys()
        .chain(paid.keys())
        .copied()
        .filter(|place| floor.is_none_or(|floor| *place >= floor))
        .collect();
    known.sort_unstable_by_key(|place| std::cmp::Reverse(*place));
    let is_cut = known.len() > limit;
    known.truncate(limit);
    let wanted: Vec<(MessageId, Stored)> =
        known.iter().filter_map(|place| Some((*place, paid.remove(place)?))).collect();
    let spent = wanted.iter().map(|(_, stored)| store.campaign_spending(&tenant.id, stored.campaign.id));
    for (spending, (place, stored)) in try_join_all(spent).await?.into_iter().zip(&wanted) {
        let (id, name) = (stored.campaign.id, stored.campaign.name.clone());
        let at_ms = place.timestamp_ms();
        places.insert(*place, CreditEntry::Campaign { id, name, at_ms, spending });
    }
    let next = if is_cut { known.last().copied() } else { floor };
    let entries = known.iter().filter_map(|place| places.remove(place)).collect();
    Ok(CreditPage { entries, next })
}

/// Collects messages that were paid; answers down to where, unless to the first of all.
async fn messages(
    store: &Store,
    tenant: &Tenant,
    before: MessageId,
    limit: usize,
    places: &mut BTreeMap<MessageId, CreditEntry>,
) -> Result<Option<MessageId>> {
    // Those of custom channels are of no account.
    let mut accounts = store.account_ids(&tenant.id).await?;
    accounts.push(AccountId::NONE);
    let floor = MessageId::first_of(tenant.created_at.as_millisecond());
    let partitions = accounts.len() * SHARDS as usize;
    let (mut bound, mut queries, mut reads) = (before, 0, 0);
    while bound > floor {
        if places.len() >= limit || (queries > 0 && (queries + partitions > QUERIES || reads >= READS)) {
            return Ok(Some(bound));
        }
        let each = (limit - places.len()).div_ceil(partitions).max(EACH);
        let part = store.messages_of_day(&tenant.id, &accounts, bound, each).await?;
        queries += partitions;
        reads += part.messages.len();
        bound = part.read_until;
        let paid = part.messages.into_iter().filter(|message| message.cost.is_some());
        places.extend(paid.map(|message| (message.id, message.into())));
    }
    Ok(None)
}
