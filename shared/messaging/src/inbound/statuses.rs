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
use store::contacts::block_of;
use store::ledger::StatusUpdate;

use super::preferences::addresses;
use super::wire::StatusReport;
use crate::campaigns::stop_sending;
use ops::Result;
use ops::contacts::learn;
use ops::events::{EventPublisher, StatusFact, message_status};
use ops::suppression::{ConsentChange, OptOutSource, opt_out};

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
    for report in reports {
        let (provider_id, at_ms) = (report.provider_id, report.at_ms.unwrap_or(now));
        match reference(tenant, report) {
            Some(CallbackRef::Campaign(campaign, contact, attempt)) => {
                touched.entry(campaign).or_default().insert(block_of(contact));
                seen.extend(report.identities().map(|identity| (contact, identity)));
                let provider_id = provider_id.to_owned();
                let status = report.status.clone();
                updates.push(StatusUpdate { campaign, contact, attempt, status, provider_id, at_ms });
                events.extend(told.then(|| event(tenant, account, report, at_ms, None)).flatten());
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
                events.extend(told.then(|| event(tenant, account, report, at_ms, contact)).flatten());
            }
            // Sent by somebody else on the same number.
            None => {}
        }
    }
    learn(publisher, tenant, &seen).await?;
    // Before the failure is written down: what breaks off here is done again.
    for report in reports {
        if let Status::Failed(reason) = &report.status {
            consequences(publisher, tenant, account, report, reason).await?;
        }
    }
    store.apply_statuses(tenant, &updates).await?;
    for (campaign, blocks) in &touched {
        store.mark_dirty(tenant, *campaign, &blocks.iter().copied().collect::<Vec<_>>()).await?;
    }
    Ok(events)
}

/// The message that a status is about, if it is the tenant's.
fn reference(tenant: &TenantId, report: &StatusReport<'_>) -> Option<CallbackRef> {
    report.callback.and_then(|callback| CallbackRef::parse_of(callback, tenant))
}

fn event(
    tenant: &TenantId,
    account: AccountId,
    report: &StatusReport<'_>,
    at_ms: i64,
    contact: Option<ContactId>,
) -> Option<Event> {
    let fact = StatusFact {
        account,
        channel: &Channel::Whatsapp,
        sender: report.sender.as_ref(),
        message: reference(tenant, report)?,
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
    report: &StatusReport<'_>,
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
            let Some(CallbackRef::Campaign(campaign, contact, attempt)) = reference(tenant, report) else {
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
