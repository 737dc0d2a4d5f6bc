//! What a single message needs to know of whom it is for, in as few reads as there can be.

use domain::contact::Contact;
use domain::identity::Identity;
use domain::message::Address;
use domain::sender::SenderId;
use domain::{AccountId, ContactId, TenantId};

use crate::contacts::{contact_key, identity_keys};
use crate::conversations::WINDOW_MS;
use crate::credits::{Purse, purse_key};
use crate::item::{Item, Key, number};
use crate::rates::{SenderTurns, turn_keys};
use crate::{Result, Store, contacts, conversations, suppression};

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Addressee {
    /// Their contact, when there is one.
    pub contact: Option<Contact>,
    /// Their address opted out.
    pub opted_out: bool,
    /// When their window closes, in milliseconds since 1970, if they ever wrote.
    pub window: Option<i64>,
    /// What is known of the sender's turns.
    pub turn: SenderTurns,
    /// The tenant's credits, where it pays with some.
    pub purse: Option<Purse>,
}

/// What else is looked up with whom a message is for.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// What it leaves from.
    pub sender: &'a SenderId,
    /// Whose window with them matters, if any does.
    pub window_with: Option<AccountId>,
    /// Whether the tenant pays with credits.
    pub is_paid: bool,
}

impl Store {
    /// Looks up whom a message is for, and what else it needs, in the same requests.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn addressee(
        &self,
        tenant: &TenantId,
        identity: &Identity,
        address: &Address,
        Beside { sender, window_with, is_paid }: Beside<'_>,
    ) -> Result<Addressee> {
        let pointers = identity_keys(tenant, identity);
        let opt_outs = suppression::keys(tenant, address);
        let turn = turn_keys(tenant, sender);
        let purse = is_paid.then(|| purse_key(tenant));
        let keys = pointers.iter().chain(&opt_outs).chain(&turn).chain(&purse).cloned().collect();
        let items = self.get_many(keys).await?;
        let found = |key: &Key| items.iter().find(|item| Key::of(item).as_ref() == Some(key));
        let pointer = pointers.iter().find_map(found);
        let id = pointer.and_then(|item| number(item, "id")).map(ContactId);
        let (contact, window) = match id {
            Some(id) => self.contact_and_window(tenant, identity, id, window_with).await?,
            None => (None, None),
        };
        let opted_out = opt_outs.iter().any(|key| found(key).is_some());
        let purse = purse.as_ref().and_then(found).map(Purse::from);
        Ok(Addressee { contact, opted_out, window, turn: self.read_turn(&turn, &items), purse })
    }

    async fn contact_and_window(
        &self,
        tenant: &TenantId,
        identity: &Identity,
        id: ContactId,
        window_with: Option<AccountId>,
    ) -> Result<(Option<Contact>, Option<i64>)> {
        let key = contact_key(tenant, id);
        let conversation = window_with.map(|account| conversations::key(tenant, account, id));
        let keys = std::iter::once(key.clone()).chain(conversation.clone()).collect();
        let items: Vec<Item> = self.get_many(keys).await?;
        let found = |key: &Key| items.iter().find(|item| Key::of(item).as_ref() == Some(key)).cloned();
        let contact = found(&key).map(contacts::from_item).transpose()?.flatten();
        let Some(contact) = contact.filter(|contact| contact.carries(identity)) else {
            return Ok((None, None));
        };
        let Some(account) = window_with else { return Ok((Some(contact), None)) };
        // What was said to one that became part of it counts, too.
        let window = match contact.absorbed.is_empty() {
            true => {
                let last: Option<i64> = conversation.and_then(|key| number(&found(&key)?, "last_in"));
                last.map(|last| last + WINDOW_MS)
            }
            false => {
                let with = (contact.id, contact.absorbed.clone());
                self.windows(tenant, account, &[with]).await?.get(&contact.id).copied()
            }
        };
        Ok((Some(contact), window))
    }
}
