//! What became of our messages.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::CallbackRef;
use domain::provider::{Action, ProviderError, action};
use domain::recipient::Status;
use domain::webhook::Event;
use domain::{AccountId, CampaignId, ContactId, TenantId};
use store::Store;
use store::contacts::block_of;
use store::ledger::StatusUpdate;

use super::preferences::addresses;
use super::wire::StatusReport;
use crate::Result;
use crate::campaigns::stop_sending;
use crate::events::{ConsentFact, StatusFact, consent_changed, message_status};
use crate::suppression::{Source, opt_out};

/// Applies statuses of one account to the ledger and to single messages. Answers the
/// events that tell them, when anybody wants to know.
pub(super) async fn apply(
    store: &Store,
    tenant: &TenantId,
    account: AccountId,
    reports: &[StatusReport<'_>],
    told: bool,
) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let now = store.clock().now_ms();
    let mut updates = Vec::new();
    let mut touched: BTreeMap<CampaignId, BTreeSet<u64>> = BTreeMap::new();
    for report in reports {
        let (provider_id, at_ms) = (report.provider_id, report.at_ms.unwrap_or(now));
        match report.callback.and_then(CallbackRef::parse) {
            Some(CallbackRef::Campaign(campaign, contact, attempt)) => {
                touched.entry(campaign).or_default().insert(block_of(contact));
                let provider_id = provider_id.to_owned();
                let status = report.status;
                updates.push(StatusUpdate { campaign, contact, attempt, status, provider_id, at_ms });
                events.extend(told.then(|| event(tenant, account, report, at_ms, None)).flatten());
            }
            Some(CallbackRef::Message(id)) => {
                let status = report.status;
                let message = store.message_status(tenant, account, id, status, provider_id, at_ms).await?;
                let contact = message.and_then(|message| message.contact);
                events.extend(told.then(|| event(tenant, account, report, at_ms, contact)).flatten());
            }
            // Sent by somebody else on the same number.
            None => {}
        }
    }
    store.apply_statuses(tenant, &updates).await?;
    for (campaign, blocks) in &touched {
        store.mark_dirty(tenant, *campaign, &blocks.iter().copied().collect::<Vec<_>>()).await?;
    }
    for report in reports {
        if let Status::Failed(code) = report.status {
            consequences(store, tenant, account, report, code, &mut events).await?;
        }
    }
    Ok(events)
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
        channel: None,
        message: report.callback.and_then(CallbackRef::parse)?,
        provider_id: Some(report.provider_id),
        to: report.recipient,
        contact,
        status: report.status,
        at_ms,
    };
    Some(message_status(tenant, &fact))
}

/// A failure that comes as a status has the same consequences as one that comes
/// as an answer, except that it is not sent again by itself.
async fn consequences(
    store: &Store,
    tenant: &TenantId,
    account: AccountId,
    report: &StatusReport<'_>,
    code: i64,
    events: &mut Vec<Event>,
) -> Result<()> {
    match action(&ProviderError::bare(code, 400, ""), 1) {
        Action::OptOut => {
            for address in addresses(report.recipient, None) {
                opt_out(store, tenant, &address, Source::Provider).await?;
                let fact = ConsentFact {
                    wanted: false,
                    because: report.provider_id,
                    source: Source::Provider.as_str(),
                    address: address.as_str(),
                    account: Some(account),
                    contact: None,
                    at_ms: report.at_ms.unwrap_or(0),
                };
                events.push(consent_changed(tenant, &fact));
            }
            Ok(())
        }
        Action::PauseCampaign | Action::StopChannel => {
            let Some(CallbackRef::Campaign(campaign, ..)) = report.callback.and_then(CallbackRef::parse)
            else {
                return Ok(());
            };
            let reason = format!("WhatsApp answered with code {code}");
            stop_sending(store, tenant, campaign, &reason).await
        }
        Action::Retry { .. } | Action::Permanent => Ok(()),
    }
}
