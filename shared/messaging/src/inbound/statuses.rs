//! What became of our messages.

use channels::cloud::refusal_of;
use std::collections::{BTreeMap, BTreeSet};

use domain::channel::Channel;
use domain::identity::Identity;
use domain::message::CallbackRef;
use domain::outcome::{Next, Reason};
use domain::recipient::Status;
use domain::webhook::Event;
use domain::{AccountId, CampaignId, ContactId, TenantId};
use store::Store;
use store::contacts::block_of;
use store::ledger::{Row, StatusUpdate};

use super::preferences::addresses;
use super::wire::StatusReport;
use crate::campaigns::stop_sending;
use ops::Result;
use ops::events::{EventPublisher, StatusFact, message_status};
use ops::moves::learn;
use ops::suppression::{ConsentChange, OptOutSource, opt_out};

/// Longest id of a message by which it is looked up, in bytes; Meta's have about 100.
const MAX_PROVIDER_ID: usize = 1_024;
/// Campaigns among which a message is looked for that a status names by the provider's id alone.
const LATEST: usize = 50;

/// Applies statuses of one account to the ledger and to single messages. Answers the
/// events that tell them, when anybody wants to know.
pub(super) async fn apply(
    publisher: &EventPublisher,
    tenant: &TenantId,
    account: AccountId,
    reports: &[StatusReport<'_>],
    told: bool,
) -> Result<Vec<Event>> {
    let store = &publisher.store;
    let mut events = Vec::new();
    let now = store.clock().now_ms();
    let mut updates = Vec::new();
    let mut seen: Vec<(ContactId, Identity)> = Vec::new();
    let mut touched: BTreeMap<CampaignId, BTreeSet<u64>> = BTreeMap::new();
    let references = references(store, tenant, reports).await?;
    for (report, reference) in reports.iter().zip(&references) {
        let (provider_id, at_ms) = (report.provider_id, report.at_ms.unwrap_or(now));
        match *reference {
            Some(CallbackRef::Campaign(campaign, contact, attempt)) => {
                touched.entry(campaign).or_default().insert(block_of(contact));
                seen.extend(report.identities().map(|identity| (contact, identity)));
                let provider_id = provider_id.to_owned();
                let status = report.status.clone();
                updates.push(StatusUpdate { campaign, contact, attempt, status, provider_id, at_ms });
                let told = told.then(|| event(tenant, account, report, (*reference, None), at_ms));
                events.extend(told.flatten());
            }
            Some(CallbackRef::Message(id)) => {
                let status = report.status.clone();
                let message = store.message_status(tenant, account, id, status, provider_id, at_ms).await?;
                let contact = message.and_then(|message| message.contact);
                seen.extend(
                    contact
                        .into_iter()
                        .flat_map(|id| report.identities().map(move |identity| (id, identity))),
                );
                let told = told.then(|| event(tenant, account, report, (*reference, contact), at_ms));
                events.extend(told.flatten());
            }
            // Sent by somebody else on the same number.
            None => {}
        }
    }
    learn(publisher, tenant, &seen).await?;
    // Before the failure is written down: what breaks off here is done again.
    for (report, reference) in reports.iter().zip(&references) {
        if let Status::Failed(reason) = &report.status {
            consequences(publisher, tenant, account, (report, *reference), reason).await?;
        }
    }
    store.apply_statuses(tenant, &updates).await?;
    for (campaign, blocks) in &touched {
        store.mark_dirty(tenant, *campaign, &blocks.iter().copied().collect::<Vec<_>>()).await?;
    }
    Ok(events)
}

/// The messages that statuses are about, as far as they are the tenant's: by our callback
/// data, or, of a status without any, by the provider's id.
async fn references(
    store: &Store,
    tenant: &TenantId,
    reports: &[StatusReport<'_>],
) -> Result<Vec<Option<CallbackRef>>> {
    let mut references = Vec::with_capacity(reports.len());
    for report in reports {
        references.push(match report.callback {
            Some(callback) => CallbackRef::parse_of(callback, tenant),
            // Nothing that we sent has such an id, and no key may be so long.
            None if report.provider_id.len() > MAX_PROVIDER_ID => None,
            None => match store.message_by_provider_id(tenant, report.provider_id).await? {
                Some(message) => (!message.inbound).then_some(CallbackRef::Message(message.id)),
                None => row_of(store, tenant, report).await?,
            },
        });
    }
    Ok(references)
}

/// The message of a campaign that a status is about. Those have no pointer from the
/// provider's id, and hardly ever need one: it is looked for among what the recipient got
/// of late.
async fn row_of(store: &Store, tenant: &TenantId, report: &StatusReport<'_>) -> Result<Option<CallbackRef>> {
    for address in addresses(report.recipient, report.user_id) {
        let Some(contact) = store.contact_by(tenant, &Identity::from(&address)).await? else { continue };
        let started = store.started_campaigns_before(tenant, None, LATEST).await?;
        let started: Vec<CampaignId> =
            started.into_iter().filter(|(_, state)| state.is_some()).map(|(id, _)| id).collect();
        let ids = contact.absorbed.iter().copied().chain([contact.id]).collect();
        let rows = store.rows_of(tenant, &started, &ids).await?;
        let is_it =
            |(_, row): &&(CampaignId, Row)| row.progress.provider_id.as_deref() == Some(report.provider_id);
        let found = rows.iter().find(is_it);
        return Ok(found.map(|(id, row)| CallbackRef::Campaign(*id, row.contact, row.attempt)));
    }
    Ok(None)
}

fn event(
    tenant: &TenantId,
    account: AccountId,
    report: &StatusReport<'_>,
    (reference, contact): (Option<CallbackRef>, Option<ContactId>),
    at_ms: i64,
) -> Option<Event> {
    let fact = StatusFact {
        account,
        channel: &Channel::Whatsapp,
        sender: report.sender.as_ref(),
        message: reference?,
        provider_id: Some(report.provider_id),
        to: report.recipient,
        contact,
        status: report.status.clone(),
        at_ms,
    };
    Some(message_status(tenant, &fact))
}

/// A failure that comes as a status has the same consequences as one that comes
/// as an answer, except that it is not sent again by itself.
async fn consequences(
    publisher: &EventPublisher,
    tenant: &TenantId,
    account: AccountId,
    (report, reference): (&StatusReport<'_>, Option<CallbackRef>),
    reason: &Reason,
) -> Result<()> {
    match refusal_of(reason.meta_code().unwrap_or(0)).next {
        Next::OptOut => {
            for address in addresses(report.recipient, None) {
                let (account, source) = (Some(account), OptOutSource::Provider);
                opt_out(
                    ConsentChange {
                        publisher,
                        tenant,
                        account,
                        channel: Some(&Channel::Whatsapp),
                        source,
                        word: None,
                        said_ms: report.at_ms,
                    },
                    &address,
                )
                .await?;
            }
            Ok(())
        }
        Next::PauseCampaign | Next::StopSender => {
            let Some(CallbackRef::Campaign(campaign, contact, attempt)) = reference else {
                return Ok(());
            };
            // Its owner may have resumed the campaign since it was told first.
            let row = publisher.store.row(tenant, campaign, contact).await?;
            if row.is_none_or(|row| row.knows_failure(attempt)) {
                return Ok(());
            }
            let reason = format!("WhatsApp answered with {reason}");
            stop_sending(publisher, tenant, campaign, &reason).await
        }
        Next::Retry { .. } | Next::Never => Ok(()),
    }
}
