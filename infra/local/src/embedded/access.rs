//! Who asks for what: a function is held to its entry in the registry, as its policy
//! holds it on AWS, and what it used of it is kept.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use http::{Method, StatusCode};
use queue::{PARKED, Queue};
use registry::Function;
use serde_json::Value;
use store::Kind;

use super::reply::JsonReply;
use super::service::Service;

tokio::task_local! {
    static ROLE: &'static Function;
}

/// Does `work` with no more rights than a function has.
pub async fn hold<F: Future>(function: &'static Function, work: F) -> F::Output {
    ROLE.scope(function, work).await
}

/// What a function reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The function.
    pub function: &'static str,
    /// What it reached.
    pub what: Reached,
}

/// Something that a function has to be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Items of a kind were read.
    Read(Kind),
    /// Items of a kind were written.
    Written(Kind),
    /// A job was put into a queue.
    Fed(&'static str),
    /// A job was put aside, into the dead-letter queue of a queue.
    Parked(&'static str),
}

/// What functions used so far.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<BTreeSet<Use>>);

impl Uses {
    /// What was used.
    pub(super) fn so_far(&self) -> BTreeSet<Use> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a request to the table or to a queue is refused with, when it does what the
    /// entry of this task's function does not grant; what is granted was used.
    pub(super) fn refused(&self, service: Service, action: &str, body: &[u8]) -> Option<JsonReply> {
        let function = ROLE.try_with(|function| *function).ok()?;
        let body: Value = serde_json::from_slice(body).ok()?;
        let asked = match service {
            Service::DynamoDb => items(action, &body),
            Service::Sqs => jobs(action, &body),
            Service::S3 | Service::SecretsManager => return None,
        };
        let foreign = asked.iter().find(|asked| !asked.as_ref().is_ok_and(|what| grants(function, *what)));
        if let Some(foreign) = foreign {
            let message = format!("{} may not {action}: {foreign:?}", function.name);
            tracing::error!(message);
            let code = "com.amazon.coral.service#AccessDeniedException";
            return Some(JsonReply::error(StatusCode::BAD_REQUEST, code, &message));
        }
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.extend(asked.into_iter().flatten().map(|what| Use { function: function.name, what }));
        None
    }
}

/// Whether a request to the bucket is granted, by the method and the key that it names.
pub(super) fn may_reach(method: &Method, path: &str, query: &str) -> bool {
    let Ok(function) = ROLE.try_with(|function| *function) else { return true };
    let path = path.trim_start_matches('/');
    let below = |prefix: &str| {
        // The bucket's name stands in the host, or before the key.
        let (_, rest) = path.split_once('/').unwrap_or_default();
        [path, rest].iter().any(|key| key.split_once('/').is_some_and(|(first, _)| first == prefix))
    };
    let action = match *method {
        Method::GET | Method::HEAD => "GetObject",
        Method::DELETE if query.contains("uploadId") => "AbortMultipartUpload",
        Method::DELETE => "DeleteObject",
        _ => "PutObject",
    };
    let may =
        function.objects.iter().any(|objects| below(objects.prefix) && objects.actions.contains(&action));
    if !may {
        tracing::error!("{} may not {action} {path}", function.name);
    }
    may
}

/// Whether a function's entry grants something.
fn grants(function: &Function, what: Reached) -> bool {
    match what {
        Reached::Read(kind) => function.may_read(kind),
        Reached::Written(kind) => function.may_write(kind),
        Reached::Fed(name) => function.feeds.iter().any(|queue| queue.as_str() == name),
        Reached::Parked(name) => function.jobs().is_some_and(|jobs| jobs.queue.as_str() == name),
    }
}

/// The kinds of items that a request reaches; keys of no kind as they are.
fn items(action: &str, body: &Value) -> Vec<Result<Reached, String>> {
    let mut asked = Vec::new();
    asks(action, body, &mut asked);
    let reached = |(key, writes): (&str, bool)| match Kind::of(key) {
        Some(kind) if writes => Ok(Reached::Written(kind)),
        Some(kind) => Ok(Reached::Read(kind)),
        None => Err(key.to_owned()),
    };
    asked.into_iter().map(reached).collect()
}

/// The queue that a request puts jobs into; workers are given theirs.
fn jobs(action: &str, body: &Value) -> Vec<Result<Reached, String>> {
    if !action.starts_with("SendMessage") {
        return Vec::new();
    }
    let url = body["QueueUrl"].as_str().unwrap_or_default();
    let name = url.rsplit('/').next().unwrap_or_default();
    let of = |queue: Queue| {
        let (own, parked) = (queue.as_str(), name.strip_suffix(PARKED));
        let is = |name: &str| name == own || name.strip_suffix(own).is_some_and(|rest| rest.ends_with('-'));
        match parked {
            Some(name) => is(name).then_some(Reached::Parked(own)),
            None => is(name).then_some(Reached::Fed(own)),
        }
    };
    vec![Queue::ALL.into_iter().find_map(of).ok_or_else(|| name.to_owned())]
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
            let refused = hold(&registry::CONTACTS, async {
                uses.refused(Service::DynamoDb, action, bytes.as_bytes())
            })
            .await;
            assert_eq!(refused.is_some(), want, "{action} {body}");
            assert!(
                uses.refused(Service::DynamoDb, action, bytes.as_bytes()).is_none(),
                "nobody holds this task to an entry"
            );
        }
        let of = |what| Use { function: "contacts", what };
        let want = [
            Reached::Read(Kind::Accounts),
            Reached::Read(Kind::Contacts),
            Reached::Read(Kind::Hook),
            Reached::Read(Kind::Tenant),
            Reached::Written(Kind::Contacts),
        ];
        assert_eq!(uses.so_far(), want.map(of).into());
    }

    #[tokio::test]
    async fn a_function_feeds_its_queues_and_reaches_its_objects() {
        let uses = Uses::default();
        let to =
            |queue: &str| json!({"QueueUrl": format!("http://localhost/0/staffetta-{queue}")}).to_string();
        for (queue, want) in [("webhook", false), ("send", true), ("webhook-dlq", true), ("webhooks", true)] {
            let body = to(queue);
            let asked = async { uses.refused(Service::Sqs, "SendMessage", body.as_bytes()) };
            assert_eq!(hold(&registry::CONTACTS, asked).await.is_some(), want, "{queue}");
        }
        for (method, path, want) in [
            (Method::GET, "/media/files/1", true),
            (Method::PUT, "/media/files/1", false),
            (Method::GET, "/media/filesystem/1", false),
            (Method::GET, "/media/uploads/1", false),
        ] {
            let may = async { may_reach(&method, path, "") };
            assert_eq!(hold(&registry::MESSAGES, may).await, want, "{method} {path}");
        }
    }
}
