//! Whether somebody is on WhatsApp, as far as what happened tells: nobody is asked.

use domain::identity::Identity;
use domain::message::Address;
use domain::outcome::Reason;
use domain::recipient::State;
use domain::{PhoneNumber, TenantId};
use store::Store;

use crate::Result;
use crate::history::{self, Filter, HistoryEntry, Party};

/// Meta's code for who has no WhatsApp, or cannot be reached over it.
const UNDELIVERABLE: i64 = 131_026;
/// The newest messages that are looked at.
const MESSAGES: usize = 50;

/// Whether a number is on WhatsApp: yes, when they wrote over it or got a message; no, when Meta
/// refused the newest that tells; `None` when nothing is known. Nothing is written.
///
/// # Errors
/// [`crate::Code::Unavailable`] when a store does not answer.
pub async fn on_whatsapp(store: &Store, tenant: &TenantId, number: &PhoneNumber) -> Result<Option<bool>> {
    let address = Address::Phone(number.clone());
    let accounts = store.accounts(tenant).await?;
    if let Some(contact) = store.contact_by(tenant, &Identity::from(&address)).await? {
        let with = [(contact.id, contact.absorbed.clone())];
        for account in &accounts {
            if store.windows(tenant, account.id, &with).await?.contains_key(&contact.id) {
                return Ok(Some(true));
            }
        }
    }
    let party = Party::of_address(store, tenant, address).await?;
    let filter = Filter { party: Some(party), ..Filter::default() };
    let page = history::list(store, tenant, &accounts, &filter, None, MESSAGES).await?;
    Ok(page.entries.iter().filter(|entry| entry.channel.custom().is_none()).find_map(tells))
}

/// What one message tells.
fn tells(entry: &HistoryEntry) -> Option<bool> {
    if entry.inbound {
        return Some(true);
    }
    match entry.progress.shown() {
        (State::Delivered | State::Read, _) => Some(true),
        (State::Failed, Some(reason)) => {
            (Reason::parse(reason).meta_code() == Some(UNDELIVERABLE)).then_some(false)
        }
        (_, _) => None,
    }
}
