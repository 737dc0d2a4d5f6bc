//! Conversations: an account and a contact, and when the contact last wrote.

use std::collections::HashMap;

use domain::{AccountId, ContactId, TenantId};

use crate::item::{Key, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// How long a customer's message lets us answer freely (Meta: 24 hours).
pub const WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

pub(crate) fn key(tenant: &TenantId, account: AccountId, contact: ContactId) -> Key {
    Key::new(Kind::Conversation.pk(format_args!("{tenant}#{account}#{contact}")), "-")
}

/// The channel's id of what the contact wrote first.
pub(crate) const FIRST: &str = "first_in";
/// Until when a person of ours leads a conversation, in milliseconds since 1970.
pub(crate) const HUMAN_UNTIL: &str = "human";

impl Store {
    /// Leaves a conversation to a person of ours until `until_ms`: nothing starts in it by
    /// itself.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn leave_to_person(
        &self,
        tenant: &TenantId,
        account: AccountId,
        contact: ContactId,
        until_ms: i64,
    ) -> Result<()> {
        self.update(Update::of(key(tenant, account, contact)).set(HUMAN_UNTIL, n(until_ms))).await
    }

    /// Opens the window: the contact wrote this at `at_ms`. An older time changes nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn open_window(
        &self,
        tenant: &TenantId,
        account: AccountId,
        contact: ContactId,
        (provider_id, at_ms): (&str, i64),
    ) -> Result<()> {
        let update = || Update::of(key(tenant, account, contact)).set("last_in", n(at_ms));
        let later = update().when(When::AtMost("last_in", n(at_ms)));
        let first = update().set(FIRST, s(provider_id)).when(When::Absent("last_in"));
        for update in [later, first] {
            match self.update(update).await {
                Ok(()) => return Ok(()),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// When the window of each contact closes, in milliseconds since 1970; a
    /// contact that never wrote is left out. A contact's absorbed ids count for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn windows(
        &self,
        tenant: &TenantId,
        account: AccountId,
        contacts: &[(ContactId, Vec<ContactId>)],
    ) -> Result<HashMap<ContactId, i64>> {
        let mut owner: HashMap<String, ContactId> = HashMap::new();
        for (contact, absorbed) in contacts {
            for id in std::iter::once(contact).chain(absorbed) {
                owner.insert(key(tenant, account, *id).pk, *contact);
            }
        }
        let keys = owner.keys().map(|pk| Key::new(pk, "-")).collect();
        let mut windows: HashMap<ContactId, i64> = HashMap::new();
        for item in self.get_many(keys).await? {
            let contact = text(&item, "pk").and_then(|pk| owner.get(&pk));
            if let (Some(contact), Some(last)) = (contact, number::<i64>(&item, "last_in")) {
                let closes = windows.entry(*contact).or_default();
                *closes = (*closes).max(last + WINDOW_MS);
            }
        }
        Ok(windows)
    }
}
