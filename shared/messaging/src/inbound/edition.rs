//! Messages that their writers edit or take back (Meta, «Edit messages webhook reference»,
//! «Revoke messages webhook reference»).

use domain::TenantId;
use domain::identity::Identity;
use ops::Result;
use ops::receiving::Heard;
use serde_json::{Value, json};
use store::Store;
use store::messages::{Message, Rewrite, Rewritten};

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

    /// Lets the earlier message say so; answers what is known of it. Of what somebody else wrote
    /// nobody takes anything back.
    pub(super) async fn apply(
        &self,
        store: &Store,
        tenant: &TenantId,
        heard: &Heard<'_>,
    ) -> Result<Original> {
        let Some(original) = store.message_by_provider_id(tenant, self.original).await? else {
            return Ok(Original::Unknown);
        };
        if !original.inbound || !is_by(store, tenant, &original, heard).await? {
            return Ok(Original::OfAnother);
        }
        let content = self.content();
        let rewrite = Rewrite { how: self.how(store, heard), text: self.said(), content: &content };
        store.rewrite_message(tenant, &original, rewrite).await?;
        Ok(Original::Rewritten)
    }

    /// The earlier message as it is to be taken in, before it comes.
    pub(super) fn instead<'h>(&self, store: &Store, heard: Heard<'h>) -> Heard<'h>
    where
        'a: 'h,
    {
        Heard {
            provider_id: self.original,
            kind: self.message.and_then(|message| text(message, "type")).unwrap_or("revoke"),
            text: self.said(),
            content: self.content(),
            rewritten: Some(self.how(store, &heard)),
            ..heard
        }
    }

    fn how(&self, store: &Store, heard: &Heard<'_>) -> Rewritten {
        let at_ms = heard.said_ms.unwrap_or_else(|| store.clock().now_ms());
        if self.message.is_some() { Rewritten::Edited(at_ms) } else { Rewritten::Revoked(at_ms) }
    }

    fn said(&self) -> Option<&'a str> {
        let kind = self.message.and_then(|message| text(message, "type"));
        self.message.zip(kind).and_then(|(message, kind)| readable(message, kind))
    }

    fn content(&self) -> String {
        match self.message {
            Some(message) => message.to_string(),
            None => json!({"type": "revoke"}).to_string(),
        }
    }
}

/// What is known of an earlier message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Original {
    /// It says so now.
    Rewritten,
    /// It did not come yet.
    Unknown,
    /// Somebody else wrote it.
    OfAnother,
}

/// Whether a message is by who says this.
async fn is_by(store: &Store, tenant: &TenantId, message: &Message, heard: &Heard<'_>) -> Result<bool> {
    let identities: Vec<Identity> = heard.addresses.iter().map(Identity::from).collect();
    if identities.contains(&Identity::from(&message.address)) {
        return Ok(true);
    }
    for identity in &identities {
        if let Some(contact) = store.contact_by(tenant, identity).await? {
            return Ok(message.contact.is_some_and(|id| contact.id == id || contact.absorbed.contains(&id)));
        }
    }
    Ok(false)
}
