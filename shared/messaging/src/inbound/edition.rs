//! Messages that their writers edit or take back (Meta, «Edit messages webhook reference»,
//! «Revoke messages webhook reference»).

use domain::TenantId;
use ops::Result;
use serde_json::{Value, json};
use store::Store;
use store::messages::{Rewrite, Rewritten};

use super::wire::{readable, text};

/// What becomes of an earlier message.
pub(super) struct Edition<'a> {
    original: &'a str,
    /// What it says now; nothing when it was taken back.
    message: Option<&'a Value>,
}

impl<'a> Edition<'a> {
    /// Reads a message that is about an earlier one.
    pub(super) fn read(message: &'a Value) -> Option<Self> {
        let kind = text(message, "type").filter(|kind| matches!(*kind, "edit" | "revoke"))?;
        let about = message.get(kind)?;
        let original = text(about, "original_message_id")?;
        let message = if kind == "edit" { Some(about.get("message")?) } else { None };
        Some(Self { original, message })
    }

    /// Lets the earlier message say so; answers whether it is known. One that is not is
    /// taken in like any other.
    pub(super) async fn apply(&self, store: &Store, tenant: &TenantId, at_ms: Option<i64>) -> Result<bool> {
        let found = store.message_by_provider_id(tenant, self.original).await?;
        let Some(original) = found.filter(|message| message.inbound) else { return Ok(false) };
        let at_ms = at_ms.unwrap_or_else(|| store.clock().now_ms());
        let content = match self.message {
            Some(message) => message.to_string(),
            None => json!({"type": "revoke"}).to_string(),
        };
        let kind = self.message.and_then(|message| text(message, "type"));
        let said = self.message.zip(kind).and_then(|(message, kind)| readable(message, kind));
        let how = if self.message.is_some() { Rewritten::Edited(at_ms) } else { Rewritten::Revoked(at_ms) };
        let rewrite = Rewrite { how, text: said, content: &content };
        store.rewrite_message(tenant, &original, rewrite).await?;
        Ok(true)
    }
}
