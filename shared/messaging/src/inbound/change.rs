//! One change that Meta reported, with the account it belongs to.

use domain::{AccountId, TenantId};
use serde_json::Value;

use super::wire::list;

/// A change of a webhook.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    /// Which of the webhooks it is in.
    pub(super) inbound: usize,
    pub(super) tenant: &'a TenantId,
    pub(super) account: AccountId,
    /// Meta's field: messages, user_preferences, ...
    pub(super) field: &'a str,
    /// When it came about, in milliseconds since 1970; of messages, each says it itself.
    pub(super) at_ms: Option<i64>,
    /// Meta's value.
    pub(super) value: &'a Value,
}

impl<'a> Change<'a> {
    pub(super) fn read(
        inbound: usize,
        (tenant, account): (&'a TenantId, AccountId),
        entry: &'a Value,
        change: &'a Value,
    ) -> Self {
        const NOTHING: &Value = &Value::Null;
        Self {
            inbound,
            tenant,
            account,
            at_ms: entry.get("time").and_then(Value::as_i64).and_then(|seconds| seconds.checked_mul(1_000)),
            field: change.get("field").and_then(Value::as_str).unwrap_or_default(),
            value: change.get("value").unwrap_or(NOTHING),
        }
    }

    /// What is worked on one after the other: the messages of one person, so that a
    /// START after a STOP is the last word.
    pub(super) fn queue(&self, i: usize) -> String {
        let from = list(self.value, "messages").first().and_then(|message| message.get("from"));
        from.and_then(Value::as_str).map_or_else(|| format!("#{i}"), str::to_owned)
    }
}
