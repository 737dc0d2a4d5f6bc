use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Secret;
use hmac::{Hmac, Mac};
use queue::{InboundJob, Queues};
use serde_json::{Map, Value};
use sha2::Sha256;
use store::Store;
use store::numbers::Owner;
use subtle::ConstantTimeEq;

use crate::{Code, Error, Result};

/// Statuses or messages of one job: below the queue's largest message.
const CHUNK: usize = 100;
/// How long the owner of a number is remembered, in milliseconds. Webhooks come
/// at three times the sending rate; a number changes hands rarely.
const REMEMBER_MS: i64 = 60_000;
/// Largest value that is queued, in bytes; SQS takes 1 MiB.
const MAX_VALUE: usize = 900_000;

/// Meta's verification of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// `hub.mode`
    pub mode: String,
    /// `hub.verify_token`
    pub token: String,
    /// `hub.challenge`
    pub challenge: String,
}

/// Answers Meta's verification with the challenge.
///
/// # Errors
/// [`Code::Forbidden`] for a token that no connected app uses.
pub async fn verify(store: &Store, verification: Verification) -> Result<String> {
    let known = verification.mode == "subscribe"
        && !verification.token.is_empty()
        && store.knows_verify_token(&verification.token).await?;
    match known {
        true => Ok(verification.challenge),
        false => Err(Error::new(Code::Forbidden, "the verify token is not the one of a connected app")),
    }
}

/// By number or business account: when it was looked up, and what was found.
type Known = HashMap<String, (i64, Vec<(Owner, Secret)>)>;

/// Who owns the numbers that webhooks are about, remembered for a minute.
#[derive(Debug, Default)]
pub struct Owners {
    known: Mutex<Known>,
}

impl Owners {
    /// The accounts behind a number or a business account, with their app's secret.
    async fn of(&self, store: &Store, key: &str, is_number: bool) -> Result<Vec<(Owner, Secret)>> {
        let now = store.clock().now_ms();
        let name = format!("{is_number}{key}");
        if let Some((at, owners)) = self.lock().get(&name)
            && now - at < REMEMBER_MS
        {
            return Ok(owners.clone());
        }
        let found = match is_number {
            true => store.owner_of_number(key).await?.into_iter().collect(),
            false => store.owners_of_waba(key).await?,
        };
        let mut owners = Vec::new();
        for owner in found {
            let account = store.account(&owner.tenant, owner.account).await?;
            if let Some(number) = account.and_then(|a| a.whatsapp) {
                owners.push((owner, number.app_secret));
            }
        }
        // What is unknown is asked for again: it may be connected any moment.
        if !owners.is_empty() {
            self.lock().insert(name, (now, owners.clone()));
        }
        Ok(owners)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One change of a batch, with the accounts it belongs to.
struct Change {
    field: String,
    value: Value,
    owners: Vec<(Owner, Secret)>,
}

/// Takes a webhook of Meta's: everything in it is queued, or nothing is and Meta
/// sends it again. Changes of numbers that nobody connected are dropped.
///
/// # Errors
/// [`Code::Unauthorized`] when the signature is not that of the app the changes
/// belong to; [`Code::MalformedBody`] when it is signed and still no webhook.
pub async fn receive(
    store: &Store,
    queues: &Queues,
    owners: &Owners,
    body: &[u8],
    signature: Option<&str>,
) -> Result<usize> {
    let unsigned = || Error::new(Code::Unauthorized, "the signature is missing or wrong");
    let signature = signature.and_then(|s| s.strip_prefix("sha256=")).ok_or_else(unsigned)?;
    let signature = from_hex(signature).ok_or_else(unsigned)?;
    // Nothing of the body is believed yet: it only says whose secret to try.
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let changes = changes(store, owners, parsed.as_ref().ok_or_else(unsigned)?).await?;
    let mut verdicts: BTreeMap<String, bool> = BTreeMap::new();
    for (_, secret) in changes.iter().flat_map(|change| &change.owners) {
        let verdict = || is_signed(secret, body, &signature);
        verdicts.entry(secret.expose().to_owned()).or_insert_with(verdict);
    }
    if !verdicts.values().any(|signed| *signed) {
        return Err(unsigned());
    }
    let mut queued = 0;
    for change in changes {
        for (owner, secret) in &change.owners {
            if verdicts.get(secret.expose()) != Some(&true) {
                continue;
            }
            for value in chunks(&change.value) {
                let job = InboundJob::Meta {
                    tenant: owner.tenant.to_string(),
                    account: owner.account.0,
                    field: change.field.clone(),
                    value,
                };
                queues.inbound(job).await?;
                queued += 1;
            }
        }
    }
    Ok(queued)
}

async fn changes(store: &Store, owners: &Owners, body: &Value) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let entries = body.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for entry in entries {
        let waba = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        let list = entry.get("changes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for change in list {
            let value = change.get("value").cloned().unwrap_or_default();
            let phone = value.pointer("/metadata/phone_number_id").and_then(Value::as_str);
            let owners = match phone {
                Some(phone) => owners.of(store, phone, true).await?,
                None => owners.of(store, waba, false).await?,
            };
            let field = change.get("field").and_then(Value::as_str).unwrap_or_default().to_owned();
            changes.push(Change { field, value, owners });
        }
    }
    Ok(changes)
}

/// Splits a change with many statuses or messages into several, each of which
/// the queue takes.
fn chunks(value: &Value) -> Vec<Value> {
    let list = |name: &str| value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (statuses, messages) = (list("statuses"), list("messages"));
    let small = statuses.len() <= CHUNK && messages.len() <= CHUNK;
    if small && (statuses.len() + messages.len() <= 1 || value.to_string().len() <= MAX_VALUE) {
        return vec![value.clone()];
    }
    let rest: Map<String, Value> = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "statuses" && *name != "messages")
        .map(|(name, part)| (name.clone(), part.clone()))
        .collect();
    let size = if small { 1 } else { CHUNK };
    let part = |name: &str, items: &[Value]| {
        let mut part = rest.clone();
        part.insert(name.to_owned(), Value::from(items.to_vec()));
        Value::Object(part)
    };
    let statuses = statuses.chunks(size).map(|items| part("statuses", items));
    let messages = messages.chunks(size).map(|items| part("messages", items));
    statuses.chain(messages).collect()
}

fn is_signed(secret: &Secret, body: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
    mac.update(body);
    mac.finalize().into_bytes().as_slice().ct_eq(signature).into()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..64).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_signature_is_that_of_the_raw_bytes() {
        let secret = Secret::new("app-secret");
        let mut mac = Hmac::<Sha256>::new_from_slice(b"app-secret").unwrap();
        mac.update(b"{\"a\":\"\\u00e8\"}");
        let signature = mac.finalize().into_bytes();
        assert!(is_signed(&secret, b"{\"a\":\"\\u00e8\"}", &signature));
        assert!(!is_signed(&secret, "{\"a\":\"è\"}".as_bytes(), &signature));
        assert!(!is_signed(&Secret::new("other"), b"{\"a\":\"\\u00e8\"}", &signature));
    }

    #[test]
    fn many_statuses_become_several_jobs() {
        let statuses: Vec<Value> = (0..250).map(|i| json!({"id": i})).collect();
        let value = json!({"metadata": {"phone_number_id": "1"}, "statuses": statuses});
        let parts = chunks(&value);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|p| p["metadata"]["phone_number_id"] == "1"));
        assert_eq!(chunks(&json!({"field": 1})).len(), 1);
    }

    #[test]
    fn hex_is_exactly_64_digits() {
        assert!(from_hex(&"0f".repeat(32)).is_some());
        assert!(from_hex(&"0f".repeat(31)).is_none());
        assert!(from_hex(&"zz".repeat(32)).is_none());
    }
}
