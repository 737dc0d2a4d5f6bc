//! Who asks for what: a function is held to its entry in the registry, as its policy
//! holds it on AWS, and what it used of it is kept.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use registry::Function;
use serde_json::Value;
use store::Kind;

use super::reply::Reply;

tokio::task_local! {
    static ROLE: &'static Function;
}

/// Does `work` with no more rights than a function has.
pub async fn hold<F: Future>(function: &'static Function, work: F) -> F::Output {
    ROLE.scope(function, work).await
}

/// What a function did to items of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The function.
    pub function: &'static str,
    /// The kind.
    pub kind: Kind,
    /// Whether it wrote them.
    pub writes: bool,
}

/// What functions used of the table so far.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<BTreeSet<Use>>);

impl Uses {
    /// What was used.
    pub(super) fn so_far(&self) -> BTreeSet<Use> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a request of this task is refused with, when it does what its function's
    /// entry does not grant; what is granted was used.
    pub(super) fn refused(&self, action: &str, body: &[u8]) -> Option<Reply> {
        let function = ROLE.try_with(|function| *function).ok()?;
        let body: Value = serde_json::from_slice(body).ok()?;
        let mut asked = Vec::new();
        asks(action, &body, &mut asked);
        let foreign = asked.iter().find(|(key, writes)| match Kind::of(key) {
            Some(kind) if *writes => !function.may_write(kind),
            Some(kind) => !function.may_read(kind),
            None => true,
        });
        if let Some((key, writes)) = foreign {
            let kind = key.split('#').next().unwrap_or_default();
            let does = if *writes { "write" } else { "read" };
            let message = format!("{} may not {does} {kind} ({action})", function.name);
            tracing::error!(message);
            let code = "com.amazon.coral.service#AccessDeniedException";
            return Some(Reply::error(StatusCode::BAD_REQUEST, code, &message));
        }
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, writes) in asked {
            uses.extend(Kind::of(key).map(|kind| Use { function: function.name, kind, writes }));
        }
        None
    }
}

/// The keys that a request names, and whether it writes the items below them.
fn asks<'a>(action: &str, body: &'a Value, asked: &mut Vec<(&'a str, bool)>) {
    let each = |list: &'a Value| list.as_array().into_iter().flatten();
    match action {
        "TransactWriteItems" => {
            for (action, one) in
                each(&body["TransactItems"]).flat_map(|item| item.as_object().into_iter().flatten())
            {
                asks(action, one, asked);
            }
        }
        "BatchExecuteStatement" => {
            each(&body["Statements"]).for_each(|statement| asks("ExecuteStatement", statement, asked));
        }
        action => {
            let reads = ["GetItem", "BatchGetItem", "Query", "ConditionCheck"].contains(&action);
            let mut keys = Vec::new();
            leading(body, &mut keys);
            asked.extend(keys.into_iter().map(|key| (key, !reads)));
        }
    }
}

/// The partition keys that a request names, however deep they are.
fn leading<'a>(value: &'a Value, keys: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| leading(item, keys)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match name.as_str() {
                    "Key" | "Item" => keys.extend(field["pk"]["S"].as_str()),
                    "Keys" => {
                        let all = field.as_array().into_iter().flatten();
                        keys.extend(all.filter_map(|key| key["pk"]["S"].as_str()));
                    }
                    "ExpressionAttributeValues" => {
                        keys.extend([":pk", ":cpk"].iter().filter_map(|name| field[name]["S"].as_str()));
                    }
                    "Parameters" => {
                        let all = field.as_array().into_iter().flatten();
                        keys.extend(all.filter_map(|value| value["S"].as_str()).filter(|text| is_key(text)));
                    }
                    _ => leading(field, keys),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_key(text: &str) -> bool {
    Kind::of(text).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_function_does_only_what_its_entry_grants() {
        let get = |key: &str| json!({"TableName": "t", "Key": {"pk": {"S": key}, "sk": {"S": "-"}}});
        let put = |key: &str| json!({"Put": {"Item": {"pk": {"S": key}}}});
        let check = |key: &str| json!({"ConditionCheck": {"Key": {"pk": {"S": key}}}});
        let statement = json!({"Statements": [
            {"Statement": "UPDATE", "Parameters": [{"S": "delivered"}, {"S": "LEDGER#t#1#0"}]},
        ]});
        let query = json!({"ExpressionAttributeValues": {":pk": {"S": "ACCOUNTS#t"}}});
        let uses = Uses::default();
        for (action, body, want) in [
            ("GetItem", get("CONTACTS#t#0"), false),
            ("GetItem", get("TENANT#t"), false),
            ("UpdateItem", get("TENANT#t"), true),
            ("GetItem", get("KEYS#t"), true),
            ("GetItem", get("NOTHING#t"), true),
            ("TransactWriteItems", json!({"TransactItems": [put("CONTACTS#t#0"), check("HOOK#t")]}), false),
            ("TransactWriteItems", json!({"TransactItems": [put("CONTACTS#t#0"), put("HOOK#t")]}), true),
            ("BatchExecuteStatement", statement, true),
            ("Query", query, false),
        ] {
            let bytes = body.to_string();
            let refused = hold(&registry::CONTACTS, async { uses.refused(action, bytes.as_bytes()) }).await;
            assert_eq!(refused.is_some(), want, "{action} {body}");
            assert!(uses.refused(action, bytes.as_bytes()).is_none(), "nobody holds this task to an entry");
        }
        let of = |kind, writes| Use { function: "contacts", kind, writes };
        let want = [
            of(Kind::Accounts, false),
            of(Kind::Contacts, false),
            of(Kind::Contacts, true),
            of(Kind::Hook, false),
            of(Kind::Tenant, false),
        ];
        assert_eq!(uses.so_far(), want.into());
    }
}
