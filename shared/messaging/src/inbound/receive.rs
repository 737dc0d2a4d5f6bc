//! Taking Meta's webhooks: verified, split by account, and queued before they are answered.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bodies::Bodies;
use domain::account::Number;
use domain::sender::SenderId;
use domain::text::mend_surrogates;
use domain::{AccountId, Secret, TenantId};
use hmac::{Hmac, Mac};
use queue::{InboundJob, Queues};
use serde_json::{Value, json};
use sha2::Sha256;
use store::Store;
use store::numbers::Owner;
use subtle::ConstantTimeEq;

use super::wire::{changes_of, entries, number_of};
use ops::{Code, Error, Result};

/// How long the owner of a number is remembered, in milliseconds. Webhooks come
/// at three times the sending rate; a number changes hands rarely.
const REMEMBER_MS: i64 = 60_000;

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
type Known = HashMap<Subject, (i64, Vec<(Owner, Secret)>)>;

/// Who owns the numbers that webhooks are about, remembered for a minute.
#[derive(Debug, Default)]
pub struct Owners {
    known: Mutex<Known>,
}

/// What a webhook says it is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Subject {
    Number(SenderId),
    Waba(String),
}

impl Subject {
    fn is_of(&self, number: &Number) -> bool {
        match self {
            Self::Number(id) => number.id == *id,
            Self::Waba(waba) => number.waba_id == *waba,
        }
    }
}

impl Owners {
    /// The accounts behind a number or a business account, with their app's secret.
    async fn of(&self, store: &Store, place: Subject) -> Result<Vec<(Owner, Secret)>> {
        let now = store.clock().now_ms();
        if let Some((at, owners)) = self.lock().get(&place)
            && now - at < REMEMBER_MS
        {
            return Ok(owners.clone());
        }
        let found: HashSet<Owner> = match &place {
            Subject::Number(number) => store.owner_of_number(number).await?.into_iter().collect(),
            Subject::Waba(waba) => store.owners_of_waba(waba).await?.into_iter().collect(),
        };
        let mut owners: Vec<(Owner, Secret)> = Vec::new();
        for owner in found {
            let account = store.account(&owner.tenant, owner.account).await?;
            let numbers = account.into_iter().flat_map(|account| account.numbers);
            for number in numbers.filter(|number| place.is_of(number)) {
                let known =
                    owners.iter().any(|(o, s)| *o == owner && s.expose() == number.app_secret.expose());
                if !known {
                    owners.push((owner.clone(), number.app_secret));
                }
            }
        }
        // What is unknown is asked for again: it may be connected any moment.
        if !owners.is_empty() {
            self.lock().insert(place, (now, owners.clone()));
        }
        Ok(owners)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One change of a batch, with the accounts it belongs to.
struct OwnedChange<'a> {
    /// Which entry it is in.
    entry: usize,
    value: &'a Value,
    owners: Vec<(Owner, Secret)>,
}

/// What taking a webhook of Meta's uses.
#[derive(Debug, Clone, Copy)]
pub struct Intake<'a> {
    /// The table.
    pub store: &'a Store,
    /// Where webhooks are queued.
    pub queues: &'a Queues,
    /// Where those go that are too large for a queue.
    pub bodies: &'a Bodies,
    /// Who owns the numbers.
    pub owners: &'a Owners,
}

/// Takes a webhook of Meta's: everything in it is queued, or nothing is and Meta
/// sends it again. An account that all of it belongs to gets Meta's bytes with their
/// signature; others get their own changes. Changes of numbers that nobody connected
/// are dropped. Answers how many accounts got something.
///
/// # Errors
/// [`Code::Unauthorized`] when the signature is not that of the app the changes
/// belong to.
pub async fn receive(intake: Intake<'_>, body: &[u8], signature: Option<&str>) -> Result<usize> {
    let unsigned = || Error::new(Code::Unauthorized, "the signature is missing or wrong");
    let header = signature.ok_or_else(unsigned)?;
    let signature = header.strip_prefix("sha256=").and_then(from_hex).ok_or_else(unsigned)?;
    let text = std::str::from_utf8(body).map_err(|_| unsigned())?;
    // Nothing of the body is believed yet: it only says whose secret to try.
    let parsed: Value = serde_json::from_slice(&mend_surrogates(text.as_bytes())).map_err(|_| unsigned())?;
    let changes = changes(intake, &parsed).await?;
    let mut verdicts: BTreeMap<&str, bool> = BTreeMap::new();
    for (_, secret) in changes.iter().flat_map(|change| &change.owners) {
        verdicts.entry(secret.expose()).or_insert_with(|| is_signed(secret, body, &signature));
    }
    if !verdicts.values().any(|signed| *signed) {
        return Err(unsigned());
    }
    let mut own: BTreeMap<(TenantId, AccountId), BTreeSet<usize>> = BTreeMap::new();
    for (i, change) in changes.iter().enumerate() {
        let signed = change.owners.iter().filter(|(_, secret)| verdicts.get(secret.expose()) == Some(&true));
        for (owner, _) in signed {
            own.entry((owner.tenant.clone(), owner.account)).or_default().insert(i);
        }
    }
    let whole = entries(&parsed).iter().all(|entry| !changes_of(entry).is_empty());
    for ((tenant, account), mine) in &own {
        let everything = whole && mine.len() == changes.len();
        let body = if everything { text.to_owned() } else { part(&parsed, &changes, mine).to_string() };
        let job = InboundJob::Meta {
            tenant: tenant.to_string(),
            account: account.0,
            body: intake.bodies.queueable(intake.store, body).await?,
            signature: everything.then(|| header.to_owned()),
        };
        intake.queues.inbound(job).await?;
    }
    Ok(own.len())
}

async fn changes<'a>(intake: Intake<'_>, body: &'a Value) -> Result<Vec<OwnedChange<'a>>> {
    let mut changes = Vec::new();
    for (i, entry) in entries(body).iter().enumerate() {
        let waba = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        for value in changes_of(entry) {
            let place = match value.get("value").and_then(number_of) {
                Some(number) => Subject::Number(number),
                None => Subject::Waba(waba.to_owned()),
            };
            let owners = intake.owners.of(intake.store, place).await?;
            changes.push(OwnedChange { entry: i, value, owners });
        }
    }
    Ok(changes)
}

/// The webhook with some of its changes only.
fn part(body: &Value, changes: &[OwnedChange<'_>], mine: &BTreeSet<usize>) -> Value {
    let mut own: Vec<Value> = Vec::new();
    for (i, entry) in entries(body).iter().enumerate() {
        let changes = changes.iter().enumerate().filter(|(n, change)| change.entry == i && mine.contains(n));
        let changes: Vec<Value> = changes.map(|(_, change)| change.value.clone()).collect();
        if changes.is_empty() {
            continue;
        }
        let mut entry = entry.clone();
        if let Some(changed) = entry.get_mut("changes") {
            *changed = Value::from(changes);
        }
        own.push(entry);
    }
    let mut part = body.clone();
    match part.get_mut("entry") {
        Some(entry) => *entry = Value::from(own),
        None => part = json!({"entry": own}),
    }
    part
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
    fn a_part_has_only_its_own_changes() {
        let body = json!({"object": "whatsapp_business_account", "entry": [
            {"id": "1", "time": 5, "changes": [{"field": "a"}, {"field": "b"}]},
            {"id": "2", "changes": [{"field": "c"}]},
        ]});
        let changes: Vec<OwnedChange<'_>> = entries(&body)
            .iter()
            .enumerate()
            .flat_map(|(entry, e)| changes_of(e).iter().map(move |value| (entry, value)))
            .map(|(entry, value)| OwnedChange { entry, value, owners: Vec::new() })
            .collect();
        let mine = part(&body, &changes, &BTreeSet::from([1]));
        let want = json!({"object": "whatsapp_business_account", "entry": [
            {"id": "1", "time": 5, "changes": [{"field": "b"}]},
        ]});
        assert_eq!(mine, want);
        assert_eq!(part(&body, &changes, &BTreeSet::from([0, 1, 2])), body);
    }

    #[test]
    fn hex_is_exactly_64_digits() {
        assert!(from_hex(&"0f".repeat(32)).is_some());
        assert!(from_hex(&"0f".repeat(31)).is_none());
        assert!(from_hex(&"zz".repeat(32)).is_none());
    }
}
