//! Opt-outs, by hash of the address, so that they survive the contact.

use std::collections::HashSet;

use domain::TenantId;
use domain::message::Address;
use serde::Serialize;

use crate::item::{Item, Key, compose, text};
use crate::{Result, Store, sha256_hex};

/// How an opt-out came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The recipient wrote one of the opt-out words.
    Keyword,
    /// Meta's `user_preferences` webhook.
    Preference,
    /// Meta's error 131050.
    Provider,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Preference => "user_preferences",
            Self::Provider => "131050",
        }
    }
}

fn hash(tenant: &TenantId, address: &Address) -> String {
    sha256_hex(format!("{tenant}|{}", address.as_str()))
}

fn key(tenant: &TenantId, address: &Address) -> Key {
    Key::new(format!("SUPPRESS#{tenant}#{}", hash(tenant, address)), "-")
}

impl Store {
    /// Records that an address wants no more messages.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn opt_out(&self, tenant: &TenantId, address: &Address, source: Source) -> Result<()> {
        #[derive(Serialize)]
        struct OptOutItem {
            at: i64,
            source: &'static str,
        }
        let item = OptOutItem { at: self.clock().now_ms(), source: source.as_str() };
        self.put(compose(&key(tenant, address), "opt-out", &item)?).await
    }

    /// Records that an address wants messages again.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn opt_in(&self, tenant: &TenantId, address: &Address) -> Result<()> {
        self.delete(&key(tenant, address)).await
    }

    /// Which of these addresses opted out.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn opted_out(&self, tenant: &TenantId, addresses: &[Address]) -> Result<HashSet<Address>> {
        let mut keys: Vec<Key> = addresses.iter().map(|a| key(tenant, a)).collect();
        keys.sort_by(|a, b| a.pk.cmp(&b.pk));
        keys.dedup();
        let items: Vec<Item> = self.get_many(keys).await?;
        let found: HashSet<String> = items.iter().filter_map(|item| text(item, "pk")).collect();
        Ok(addresses.iter().filter(|a| found.contains(&key(tenant, a).pk)).cloned().collect())
    }
}
