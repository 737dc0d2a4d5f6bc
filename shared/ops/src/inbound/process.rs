use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::account::Account;
use domain::consent::{Keyword, keyword};
use domain::contact::{Contact, NewContact};
use domain::message::{Address, CallbackRef, Content};
use domain::provider::{Action, ProviderError, action};
use domain::recipient::{Progress, State, Status};
use domain::{AccountId, CampaignId, MessageId, TenantId};
use queue::InboundJob;
use serde_json::Value;
use store::Store;
use store::contacts::block_of;
use store::ledger::StatusUpdate;
use store::messages::Message;

use super::preferences::{self, addresses};
use super::wire::{InboundMessage, StatusReport, list};
use crate::campaigns::stop_sending;
use crate::suppression::{Source, opt_in, opt_out};
use crate::{Code, Error, Result, Sender, contacts};

/// A change that one account received.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The tenant.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// Meta's field.
    pub field: String,
    /// Meta's value.
    pub value: Value,
}

impl TryFrom<InboundJob> for Inbound {
    type Error = Error;

    fn try_from(job: InboundJob) -> Result<Self> {
        let InboundJob::Meta { tenant, account, field, value } = job;
        Ok(Self { tenant: tenant.parse()?, account: AccountId(account), field, value })
    }
}

/// Works off changes of several jobs together: statuses of the same campaign go
/// to the ledger in one batch. Answers which of the changes failed, by index.
pub async fn process(sender: &Sender, changes: &[Inbound]) -> Vec<usize> {
    let mut failed: BTreeSet<usize> = BTreeSet::new();
    let mut statuses: HashMap<(TenantId, AccountId), Vec<(usize, StatusReport<'_>)>> = HashMap::new();
    for (i, change) in changes.iter().enumerate() {
        let reports = list(&change.value, "statuses").iter().filter_map(StatusReport::read);
        let key = (change.tenant.clone(), change.account);
        statuses.entry(key).or_default().extend(reports.map(|report| (i, report)));
        if let Err(error) = other(sender, change).await {
            tracing::error!(tenant = %change.tenant, code = error.code.as_str(), "an inbound change failed");
            failed.insert(i);
        }
    }
    for ((tenant, account), reports) in statuses {
        if let Err(error) = apply_statuses(sender, &tenant, account, &reports).await {
            tracing::error!(%tenant, code = error.code.as_str(), "statuses could not be applied");
            failed.extend(reports.iter().map(|(i, _)| *i));
        }
    }
    failed.into_iter().collect()
}

/// Everything of a change that is no status.
async fn other(sender: &Sender, change: &Inbound) -> Result<()> {
    let (store, tenant) = (&sender.store, &change.tenant);
    match change.field.as_str() {
        "user_preferences" => preferences::apply(store, tenant, &change.value).await,
        "message_template_status_update" | "message_template_quality_update" | "template_category_update" => {
            let account = store.account(tenant, change.account).await?;
            match account.and_then(|a| a.whatsapp) {
                Some(number) => Ok(store.forget_templates(tenant, &number.waba_id).await?),
                None => Ok(()),
            }
        }
        _ => {
            for nth in 0..list(&change.value, "messages").len() {
                message(sender, change, nth).await?;
            }
            Ok(())
        }
    }
}

async fn apply_statuses(
    sender: &Sender,
    tenant: &TenantId,
    account: AccountId,
    reports: &[(usize, StatusReport<'_>)],
) -> Result<()> {
    let store = &sender.store;
    let now = store.clock().now_ms();
    let mut updates = Vec::new();
    let mut touched: BTreeMap<CampaignId, BTreeSet<u64>> = BTreeMap::new();
    for (_, report) in reports {
        let (provider_id, at_ms) = (report.provider_id, report.at_ms.unwrap_or(now));
        match report.callback.and_then(CallbackRef::parse) {
            Some(CallbackRef::Campaign(campaign, contact, attempt)) => {
                touched.entry(campaign).or_default().insert(block_of(contact));
                let provider_id = provider_id.to_owned();
                let status = report.status;
                updates.push(StatusUpdate { campaign, contact, attempt, status, provider_id, at_ms });
            }
            Some(CallbackRef::Message(id)) => {
                store.message_status(tenant, account, id, report.status, provider_id, at_ms).await?;
            }
            // Sent by somebody else on the same number.
            None => {}
        }
    }
    store.apply_statuses(tenant, &updates).await?;
    for (campaign, blocks) in &touched {
        store.mark_dirty(tenant, *campaign, &blocks.iter().copied().collect::<Vec<_>>()).await?;
    }
    for (_, report) in reports {
        if let Status::Failed(code) = report.status {
            consequences(store, tenant, report, code).await?;
        }
    }
    Ok(())
}

/// A failure that comes as a status has the same consequences as one that comes
/// as an answer, except that it is not sent again by itself.
async fn consequences(store: &Store, tenant: &TenantId, report: &StatusReport<'_>, code: i64) -> Result<()> {
    match action(&ProviderError::bare(code, 400, ""), 1) {
        Action::OptOut => {
            for address in addresses(report.recipient, None) {
                opt_out(store, tenant, &address, Source::Provider).await?;
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

/// An inbound message: its sender becomes a contact, the window opens, the
/// message joins the conversation, and a keyword takes effect. Once for each
/// provider id, however often it comes.
async fn message(sender: &Sender, change: &Inbound, nth: usize) -> Result<()> {
    let (store, tenant) = (&sender.store, &change.tenant);
    let Some(inbound) = InboundMessage::read(&change.value, nth) else { return Ok(()) };
    // Meta's own notices have no sender to answer.
    if inbound.kind == "system" || (inbound.phone.is_none() && inbound.user_id.is_none()) {
        return Ok(());
    }
    if store.knows_provider_id(tenant, inbound.provider_id).await? {
        return Ok(());
    }
    let contact = sender_of(store, change, &inbound).await?;
    let at_ms = inbound.at_ms.unwrap_or_else(|| store.clock().now_ms()).min(store.clock().now_ms());
    store.open_window(tenant, change.account, contact.id, at_ms).await?;
    let Some(address) = addresses(inbound.phone, inbound.user_id).into_iter().next() else { return Ok(()) };
    apply_keyword(sender, change, &inbound, &address).await?;
    let mut progress = Progress::new(State::Delivered);
    progress.delivered_at = Some(at_ms);
    progress.provider_id = Some(inbound.provider_id.to_owned());
    let content = list(&change.value, "messages").get(nth).map(ToString::to_string);
    let message = Message {
        id: MessageId(store.entropy().ulid(store.clock().now())),
        account: change.account,
        contact: Some(contact.id),
        inbound: true,
        address,
        kind: inbound.kind.to_owned(),
        text: inbound.text.map(str::to_owned),
        content: content.unwrap_or_default(),
        progress,
    };
    match store.receive_message(tenant, &message, inbound.provider_id).await {
        Ok(()) | Err(store::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The contact behind an inbound message. Nobody who writes to us is turned away
/// by a plan's limit.
async fn sender_of(store: &Store, change: &Inbound, inbound: &InboundMessage<'_>) -> Result<Contact> {
    let mut new = NewContact {
        phone: inbound.phone.and_then(|p| p.parse().ok()),
        bsuid: inbound.user_id.map(str::to_owned),
        origin: Some(change.account),
        ..NewContact::default()
    };
    let known = match new.identities().first() {
        Some(identity) => store.contact_by(&change.tenant, identity).await?,
        None => None,
    };
    // The name that the business gave stays; the profile's is for newcomers.
    if known.as_ref().is_none_or(|c| c.name.is_none()) {
        new.name = inbound.name.map(|n| n.chars().take(255).collect());
    }
    match known {
        Some(contact) if new.name.is_none() && (new.bsuid.is_none() || contact.bsuid.is_some()) => {
            Ok(contact)
        }
        Some(_) | None => {
            let upserted = contacts::upsert(store, &change.tenant, None, &new.check()?).await?;
            Ok(upserted.contact)
        }
    }
}

async fn apply_keyword(
    sender: &Sender,
    change: &Inbound,
    inbound: &InboundMessage<'_>,
    address: &Address,
) -> Result<()> {
    let (store, tenant) = (&sender.store, &change.tenant);
    let Some(keyword) = inbound.text.filter(|_| matches!(inbound.kind, "text" | "button")).and_then(keyword)
    else {
        return Ok(());
    };
    match keyword {
        Keyword::OptOut => {
            for address in addresses(inbound.phone, inbound.user_id) {
                opt_out(store, tenant, &address, Source::Keyword).await?;
            }
            Ok(())
        }
        Keyword::OptIn => {
            for address in addresses(inbound.phone, inbound.user_id) {
                opt_in(store, tenant, &address).await?;
            }
            Ok(())
        }
        Keyword::Help => {
            let account = store.account(tenant, change.account).await?;
            match account {
                Some(account) => answer_help(sender, &account, address).await,
                None => Ok(()),
            }
        }
    }
}

/// Answers HELP with the account's text, when it has one.
async fn answer_help(sender: &Sender, account: &Account, address: &Address) -> Result<()> {
    let (Some(body), Some(number)) = (account.help_message.clone(), account.whatsapp.as_ref()) else {
        return Ok(());
    };
    let callback = CallbackRef::Message(MessageId(sender.store.entropy().ulid(sender.store.clock().now())));
    let content = Content::Text { body };
    match content.check() {
        Ok(()) => {
            sender.graph.send(number, address, &content, callback).await;
            Ok(())
        }
        Err(invalid) => Err(Error { code: Code::Internal, ..invalid.into() }),
    }
}
