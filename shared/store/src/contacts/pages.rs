//! The size of a tenant's pages.

use domain::TenantId;

use crate::item::{Key, n, number};
use crate::update::Update;
use crate::{Kind, Result, Store};

fn key(tenant: &TenantId) -> Key {
    Key::new(Kind::Counter.pk(tenant), "contact page")
}

impl Store {
    /// The most contacts of one page that are known to fit into an answer; `None` when
    /// every page did so far.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn contacts_per_page(&self, tenant: &TenantId) -> Result<Option<u64>> {
        Ok(self.get_item(&key(tenant)).await?.and_then(|item| number(&item, "most")))
    }

    /// Remembers that more contacts than these do not fit into an answer.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn limit_contacts_per_page(&self, tenant: &TenantId, most: u64) -> Result<()> {
        self.update(Update::of(key(tenant)).set("most", n(most))).await
    }
}
