//! Who asks the table for what: a function is held to its declaration, as its
//! policy holds it on AWS.

use std::future::Future;

use http::StatusCode;
use serde_json::Value;

use super::reply::Reply;

/// A function, and the kinds of items that it declares.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// The function.
    pub name: &'static str,
    /// The kinds of items that it may touch.
    pub kinds: &'static [&'static str],
}

tokio::task_local! {
    static ROLE: Role;
}

impl Role {
    /// Does `work` with no more rights than the role has.
    pub async fn hold<F: Future>(self, work: F) -> F::Output {
        ROLE.scope(self, work).await
    }
}

/// What a request of this task is refused with, when it names items of a kind that
/// its role does not declare.
pub(super) fn refused(action: &str, body: &[u8]) -> Option<Reply> {
    let role = ROLE.try_with(|role| *role).ok()?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut keys = Vec::new();
    leading(&body, &mut keys);
    let foreign = keys.into_iter().find(|key| !role.kinds.contains(&kind(key)))?;
    let message = format!("{} may not {action} items of the kind {}", role.name, kind(foreign));
    tracing::error!(message);
    Some(Reply::error(StatusCode::BAD_REQUEST, "com.amazon.coral.service#AccessDeniedException", &message))
}

fn kind(key: &str) -> &str {
    key.split('#').next().unwrap_or_default()
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
    text.split_once('#')
        .is_some_and(|(kind, _)| kind.len() > 2 && kind.bytes().all(|b| b.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_role_names_only_what_it_declares() {
        let role = Role { name: "media-worker", kinds: &["FILE"] };
        let get =
            |key: &str| serde_json::json!({"TableName": "t", "Key": {"pk": {"S": key}, "sk": {"S": "-"}}});
        let transaction = serde_json::json!({"TransactItems": [
            {"Put": {"Item": {"pk": {"S": "FILE#1"}}}}, {"Update": {"Key": {"pk": {"S": "KEY#1"}}}},
        ]});
        let statement = serde_json::json!({"Statements": [
            {"Statement": "UPDATE", "Parameters": [{"S": "delivered"}, {"S": "LEDGER#t#1#0"}]},
        ]});
        let query = serde_json::json!({"ExpressionAttributeValues": {":pk": {"S": "ACCOUNTS#t"}}});
        for (body, want) in [
            (get("FILE#1"), false),
            (get("KEY#1"), true),
            (transaction, true),
            (statement, true),
            (query, true),
        ] {
            let body = body.to_string();
            let answer = role.hold(async { refused("Any", body.as_bytes()) }).await;
            assert_eq!(answer.is_some(), want, "{body}");
            assert!(refused("Any", body.as_bytes()).is_none(), "nobody holds this task to a role");
        }
    }
}
