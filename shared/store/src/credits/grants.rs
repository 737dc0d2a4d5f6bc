//! Grants: credits that an agency gives a sub-account, once under each of its keys, and what
//! else only the agency changes of a purse.

use domain::credits::MAX_BALANCE;
use domain::{MessageId, TenantId};
use serde::{Deserialize, Serialize};

use super::{Purse, purse_key};
use crate::batch::Action;
use crate::due::{Due, Watched, put_action};
use crate::item::{Item, Key, Query, compose, n, read, s};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store, sha256_hex};

/// Tries against who pays from the purse meanwhile.
const TRIES: u32 = 16;
/// Sort keys of grants begin so.
const GRANT: &str = "g#";

/// Credits that are to be granted.
#[derive(Debug, Clone)]
pub struct Grant<'a> {
    /// The agency.
    pub agency: &'a TenantId,
    /// Its sub-account.
    pub tenant: &'a TenantId,
    /// How many.
    pub amount: u64,
    /// Why, for people.
    pub description: Option<&'a str>,
    /// Who says so, by the name of their key.
    pub by: &'a str,
    /// Under each of these the agency grants once.
    pub keys: &'a [String],
}

/// A grant as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its id; sorts by time.
    pub id: MessageId,
    /// How many credits.
    pub amount: u64,
    /// What there was with them.
    pub balance: u64,
    /// Why, for people.
    pub description: Option<String>,
    /// Who said so.
    pub by: String,
}

/// What an agency granted under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantKey {
    /// Whom.
    pub tenant: String,
    /// How many credits.
    pub amount: u64,
    /// What there was with them.
    pub balance: u64,
}

/// How a grant ended.
#[derive(Debug)]
pub enum Granted {
    /// It is there; campaigns that wait are looked at then.
    Yes(Recorded, Due),
    /// It was, under one of the keys.
    Before(GrantKey),
    /// It would be more than there may be.
    TooMuch,
    /// There is no such sub-account.
    Nobody,
}

#[derive(Serialize, Deserialize)]
struct GrantItem {
    id: String,
    amount: u64,
    balance: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    by: String,
    /// Hashes of the keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct KeyItem {
    tenant: String,
    amount: u64,
    balance: u64,
}

fn grant_key(tenant: &TenantId, id: &str) -> Key {
    Key::new(Kind::Credits.pk(tenant), format!("{GRANT}{id}"))
}

/// Where an agency finds what it granted under a key.
fn idempotency_key(agency: &TenantId, key: &str) -> Key {
    Key::new(Kind::Agency.pk(agency), format!("key#{}", sha256_hex(key)))
}

fn from_item(item: Item) -> Result<Recorded> {
    let item: GrantItem = read(item, "grant")?;
    Ok(Recorded {
        id: item.id.parse().map_err(|_| Error::Corrupt { kind: "grant" })?,
        amount: item.amount,
        balance: item.balance,
        description: item.about,
        by: item.by,
    })
}

impl Store {
    /// What an agency granted under the first of these keys that it used.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn granted_under(&self, agency: &TenantId, keys: &[String]) -> Result<Option<GrantKey>> {
        for key in keys {
            if let Some(KeyItem { tenant, amount, balance }) =
                self.get(&idempotency_key(agency, key), "grant key").await?
            {
                return Ok(Some(GrantKey { tenant, amount, balance }));
            }
        }
        Ok(None)
    }

    /// Grants credits, once under each of the keys. Campaigns that wait for credits are looked
    /// at again at once: that is in the same transaction.
    ///
    /// # Errors
    /// [`Error::Contended`] when others keep changing the purse.
    pub async fn grant(&self, grant: &Grant<'_>) -> Result<Granted> {
        for attempt in 0..TRIES {
            if let Some(before) = self.granted_under(grant.agency, grant.keys).await? {
                self.keep_keys(grant, &before).await?;
                return Ok(Granted::Before(before));
            }
            let Some(purse) = self.purse(grant.tenant).await? else { return Ok(Granted::Nobody) };
            let balance = purse.balance.saturating_add(grant.amount);
            if balance > MAX_BALANCE {
                return Ok(Granted::TooMuch);
            }
            let now = self.clock().now();
            let id = self.entropy().ulid(now).to_string();
            let due = funded(grant.tenant, now.as_millisecond());
            let item = GrantItem {
                id: id.clone(),
                amount: grant.amount,
                balance,
                about: grant.description.map(str::to_owned),
                by: grant.by.to_owned(),
                keys: grant.keys.iter().map(sha256_hex).collect(),
            };
            let entry = compose(&grant_key(grant.tenant, &id), "grant", &item)?;
            let mut actions = vec![
                Action::Update(granting(grant.tenant, &purse, grant.amount, balance)),
                Action::Put(entry.clone(), vec![When::Absent("pk")]),
                put_action(&due)?,
            ];
            for key in grant.keys {
                let under = KeyItem { tenant: grant.tenant.to_string(), amount: grant.amount, balance };
                let item = compose(&idempotency_key(grant.agency, key), "grant key", &under)?;
                actions.push(Action::Put(item, vec![When::Absent("pk")]));
            }
            match self.transact(actions).await {
                Ok(()) => return Ok(Granted::Yes(from_item(entry)?, due)),
                Err(Error::Conflict | Error::Contended) => self.back_off(attempt.min(3)).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Keeps the other keys of a grant that is known under one of them: it was granted under
    /// those as well.
    async fn keep_keys(&self, grant: &Grant<'_>, before: &GrantKey) -> Result<()> {
        if before.tenant != grant.tenant.as_str() || before.amount != grant.amount {
            return Ok(());
        }
        for key in grant.keys {
            let GrantKey { tenant, amount, balance } = before.clone();
            let under = KeyItem { tenant, amount, balance };
            match self.create(compose(&idempotency_key(grant.agency, key), "grant key", &under)?).await {
                Ok(()) | Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What a sub-account begins with.
    pub(crate) fn first_grant(&self, tenant: &TenantId, amount: u64, by: &str) -> Result<Action> {
        let id = self.entropy().ulid(self.clock().now()).to_string();
        let key = grant_key(tenant, &id);
        let (balance, by, keys) = (amount, by.to_owned(), Vec::new());
        let item = GrantItem { id, amount, balance, about: None, by, keys };
        Ok(Action::Put(compose(&key, "grant", &item)?, vec![When::Absent("pk")]))
    }

    /// Grants of a sub-account that are older than `before`, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn grants(
        &self,
        tenant: &TenantId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<Recorded>> {
        let pk = Kind::Credits.pk(tenant);
        // Between `g#` and `g#z` there are grants alone.
        let until = before.map_or_else(|| format!("{GRANT}z"), |id| format!("{GRANT}{id}"));
        let query = Query {
            pk,
            after: Some(GRANT.to_owned()),
            until: Some(until),
            limit: Some(limit + 1),
            descending: true,
            ..Query::default()
        };
        let found: Result<Vec<Recorded>> = self.query(&query).await?.into_iter().map(from_item).collect();
        let older = found?.into_iter().filter(|grant| before.is_none_or(|before| grant.id < before));
        Ok(older.take(limit).collect())
    }

    /// Says below how many credits the agency is told, and how many it wants to grant then.
    /// Who is below it now is told with the next message.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such sub-account.
    pub async fn watch_balance(
        &self,
        tenant: &TenantId,
        threshold: Option<u64>,
        recharge: Option<u64>,
    ) -> Result<()> {
        let update = Update::of(purse_key(tenant)).remove("low").when(When::Exists);
        let update = match threshold {
            Some(threshold) => update.set("thr", n(threshold)),
            None => update.remove("thr"),
        };
        let update = match recharge {
            Some(amount) => update.set("rch", n(amount)),
            None => update.remove("rch"),
        };
        self.update(update).await
    }
}

/// The new purse of a sub-account.
pub(crate) fn new_purse(
    tenant: &TenantId,
    agency: &TenantId,
    email: &str,
    (threshold, recharge): (Option<u64>, Option<u64>),
    credits: u64,
) -> Item {
    let mut item = purse_key(tenant).attributes();
    let numbers = [("bal", Some(credits)), ("granted", Some(credits)), ("thr", threshold), ("rch", recharge)];
    item.extend(numbers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), n(value?)))));
    for (name, value) in [("agency", agency.as_str()), ("email", email), ("type", "credits")] {
        item.insert(name.to_owned(), s(value));
    }
    item.insert("v".to_owned(), n(1));
    item
}

/// When campaigns that wait for credits are looked at.
pub(crate) fn funded(tenant: &TenantId, at_ms: i64) -> Due {
    Due { tenant: tenant.clone(), what: Watched::Credits, at_ms }
}

/// The balance is exactly what it is told to be with the grant. One that lifts it over the
/// threshold lets the agency be told again.
fn granting(tenant: &TenantId, purse: &Purse, amount: u64, balance: u64) -> Update {
    let update = Update::of(purse_key(tenant))
        .set("bal", n(balance))
        .add("granted", n(amount))
        .when(When::Is("bal", n(purse.balance)));
    match purse.threshold {
        Some(threshold) if balance >= threshold => update.remove("low").when(When::Is("thr", n(threshold))),
        Some(threshold) => update.when(When::Is("thr", n(threshold))),
        None => update.when(When::Absent("thr")),
    }
}
