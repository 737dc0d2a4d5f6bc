//! What a platform reports about a message of ours.

use domain::channel::ChannelName;
use domain::message::{Address, CallbackRef};
use domain::recipient::{Progress, State, Status};
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use store::Store;
use store::contacts::block_of;
use store::ledger::{Row, StatusUpdate};

use super::Received;
use crate::Result;
use crate::events::{EventPublisher, StatusFact, Transaction, message_status};

/// Applies a status that a platform reports about a message of ours; `None` when
/// there is no such message. It moves only forward.
pub(super) async fn report(
    publisher: &EventPublisher,
    tenant: &TenantId,
    channel: &ChannelName,
    id: &str,
    status: Status,
) -> Result<Option<Received>> {
    let store = &publisher.store;
    let message = match named(store, tenant, channel, id).await? {
        Some(CallbackRef::Campaign(campaign, contact, attempt)) => {
            let to = (campaign, contact, attempt);
            return of_campaign(publisher, tenant, channel, to, status).await;
        }
        Some(CallbackRef::Message(ours)) => store.message(tenant, AccountId::NONE, ours).await?,
        None => None,
    };
    let Some(message) = message.filter(|message| !message.inbound) else { return Ok(None) };
    let now_ms = store.clock().now_ms();
    let change = |progress: &mut Progress| apply(progress, &status, id, now_ms);
    let mut after = message.progress.clone();
    if !change(&mut after) {
        return Ok(Some(Received::new(&message, message.progress.shown().0.as_str(), true)));
    }
    let fact = StatusFact::of(&message, status.clone(), after.provider_id.as_deref(), now_ms);
    // Before it moves: a report that comes again finds nothing to tell.
    let events = publisher.caused_by(Transaction, tenant).await?;
    let written = store.write_note(events.note(&message_status(tenant, &fact))).await?;
    let moved = store.progress_message(tenant, message.account, message.id, change).await?;
    events.publish(written).await;
    let moved = moved.unwrap_or(message);
    Ok(Some(Received::new(&moved, moved.progress.shown().0.as_str(), false)))
}

/// Applies a status of a campaign's message, which a platform knows by the id that we
/// gave it.
async fn of_campaign(
    publisher: &EventPublisher,
    tenant: &TenantId,
    channel: &ChannelName,
    (campaign, contact, attempt): (CampaignId, ContactId, u32),
    status: Status,
) -> Result<Option<Received>> {
    let store = &publisher.store;
    let stored = store.campaign(tenant, campaign).await?.map(|stored| stored.campaign);
    let Some(stored) = stored.filter(|campaign| campaign.channel.custom() == Some(channel)) else {
        return Ok(None);
    };
    let row = store.row(tenant, campaign, contact).await?;
    let Some(row) = row else { return Ok(None) };
    // Of what was never sent there is nothing to report.
    if !was_sent(store, tenant, campaign, &row, attempt).await? {
        return Ok(None);
    }
    let now_ms = store.clock().now_ms();
    let reference = CallbackRef::Campaign(campaign, contact, attempt).to_string();
    let provider_id = row.progress.provider_id.clone().unwrap_or_else(|| reference.clone());
    let mut after = row.progress.clone();
    let is_news = row.attempt == attempt && apply(&mut after, &status, &provider_id, now_ms);
    if is_news {
        let fact = StatusFact {
            account: stored.account,
            channel: &stored.channel,
            sender: stored.sender.as_ref(),
            message: CallbackRef::Campaign(campaign, contact, attempt),
            provider_id: row.progress.provider_id.as_deref(),
            to: row.address.as_ref().map(Address::id),
            contact: Some(contact),
            status: status.clone(),
            at_ms: now_ms,
        };
        let events = publisher.caused_by(Transaction, tenant).await?;
        let written = store.write_note(events.note(&message_status(tenant, &fact))).await?;
        let update = StatusUpdate { campaign, contact, attempt, status, provider_id, at_ms: now_ms };
        store.apply_statuses(tenant, &[update]).await?;
        store.mark_dirty(tenant, campaign, &[block_of(contact)]).await?;
        events.publish(written).await;
    }
    let progress = if is_news { after } else { row.progress };
    Ok(Some(Received {
        id: reference,
        contact: Some(contact),
        channel: channel.to_string(),
        campaign: Some(campaign),
        status: progress.shown().0.as_str(),
        duplicate: !is_news,
    }))
}

/// Whether an attempt was made, or is being made: a platform may report before it has
/// answered us, and then the recipient is claimed by the cursor of their block alone.
async fn was_sent(
    store: &Store,
    tenant: &TenantId,
    campaign: CampaignId,
    row: &Row,
    attempt: u32,
) -> Result<bool> {
    match row.progress.state {
        State::Skipped => Ok(false),
        State::Pending if row.attempt == attempt && row.retry_at.is_none() => {
            let head = store.head(tenant, campaign, block_of(row.contact)).await?;
            Ok(head.is_some_and(|head| head.cursor >= row.contact))
        }
        State::Pending => Ok(row.attempt > attempt),
        State::Claimed
        | State::Accepted
        | State::Sent
        | State::Delivered
        | State::Read
        | State::Failed
        | State::Unknown => Ok(row.attempt >= attempt),
    }
}

/// What went out under an id: ours, or the platform's.
async fn named(
    store: &Store,
    tenant: &TenantId,
    channel: &ChannelName,
    id: &str,
) -> Result<Option<CallbackRef>> {
    if let Some(reference @ CallbackRef::Campaign(..)) = CallbackRef::parse(id) {
        return Ok(Some(reference));
    }
    if let Ok(ours) = id.parse::<MessageId>()
        && store.message(tenant, AccountId::NONE, ours).await?.is_some()
    {
        return Ok(Some(CallbackRef::Message(ours)));
    }
    Ok(store.sent_on_channel(tenant, channel, id).await?)
}

/// Like [`Progress::apply`], for a platform that does not say when.
fn apply(progress: &mut Progress, status: &Status, id: &str, at_ms: i64) -> bool {
    let before = progress.clone();
    // Who has it has it.
    if matches!(status, Status::Failed(_)) && progress.state.rank() > State::Failed.rank() {
        return false;
    }
    // A report that comes again says nothing about when.
    let known = match status {
        Status::Sent => before.sent_at,
        Status::Delivered => before.delivered_at,
        Status::Read => before.read_at,
        Status::Failed(_) => before.failed_at,
    };
    progress.apply(status, id, known.unwrap_or(at_ms));
    *progress != before
}
