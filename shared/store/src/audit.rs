//! Who did what.

use domain::TenantId;
use serde::Serialize;

use crate::batch::Action;
use crate::item::{Item, Key, compose};
use crate::{Kind, Result, Store};

fn audit_key(tenant: &TenantId, at: &str) -> Key {
    Key::new(Kind::Audit.pk(tenant), at)
}

impl Store {
    /// Writes down who did what: keys, operators, connections, launches.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn audit(&self, tenant: &TenantId, who: &str, what: &str) -> Result<()> {
        self.put(self.audit_item(tenant, who, what)?).await
    }

    /// The same in a transaction with what was done.
    pub(crate) fn audit_action(&self, tenant: &TenantId, who: &str, what: &str) -> Result<Action> {
        Ok(Action::Put(self.audit_item(tenant, who, what)?, Vec::new()))
    }

    fn audit_item(&self, tenant: &TenantId, who: &str, what: &str) -> Result<Item> {
        #[derive(Serialize)]
        struct AuditItem<'a> {
            who: &'a str,
            what: &'a str,
        }
        let at = self.entropy().ulid(self.clock().now()).to_string();
        compose(&audit_key(tenant, &at), "audit", &AuditItem { who, what })
    }
}
