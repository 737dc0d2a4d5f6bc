//! One change that Meta reported, with the account it belongs to.

use domain::{AccountId, TenantId};
use queue::{InboundJob, Job, Text};
use serde_json::{Value, json};

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

    /// One message of it alone, as the job that it would have been.
    pub(super) fn only(&self, nth: usize) -> String {
        let message = list(self.value, "messages").get(nth).cloned().unwrap_or_default();
        let mut value = self.value.clone();
        if let Some(value) = value.as_object_mut() {
            value.insert("messages".to_owned(), Value::from(vec![message]));
            value.remove("statuses");
        }
        let change = json!({"field": self.field, "value": value});
        let body = json!({"object": "whatsapp_business_account", "entry": [{"changes": [change]}]});
        let job = InboundJob::Meta {
            tenant: self.tenant.to_string(),
            account: self.account.0,
            body: Text::Inline(body.to_string()),
            signature: None,
        };
        serde_json::to_string(&Job::new(job, 0)).unwrap_or_default()
    }

    /// What is worked on one after the other: the messages of one person, so that a
    /// START after a STOP is the last word.
    pub(super) fn queue(&self, i: usize) -> String {
        let from = list(self.value, "messages").first().and_then(|message| message.get("from"));
        from.and_then(Value::as_str).map_or_else(|| format!("#{i}"), str::to_owned)
    }
}
