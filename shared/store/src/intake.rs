//! Calls of the integrations' address, and the secrets that shops sign them with.
//!
//! Calls lie in `INTAKE#<t>#<account>#calls` by their id and go after 30 days;
//! `INTAKE#<t>#<account>#counts` counts them by outcome and hour; secrets lie in
//! `INTAKE#<t>#<account>#secrets` by shop.

use domain::intake::{CallId, IntakeCall, IntakeOutcome, Shop};
use domain::{AccountId, ContactId, Secret, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::item::{Key, Query, compose, n, number, read};
use crate::update::Update;
use crate::{Error, Kind, Result, Store};

/// How long calls are listed.
const KEEP: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long the count of an hour is kept, in seconds.
const KEEP_COUNT_S: i64 = 2 * 3_600;

fn pk(tenant: &TenantId, account: AccountId, what: &str) -> String {
    Kind::Intake.pk(format_args!("{tenant}#{account}#{what}"))
}

fn secret_key(tenant: &TenantId, account: AccountId, shop: Shop) -> Key {
    Key::new(pk(tenant, account, "secrets"), shop.as_str())
}

#[derive(Serialize, Deserialize)]
struct CallItem {
    sk: String,
    source: String,
    outcome: String,
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<u64>,
    bytes: u64,
    ttl: i64,
}

impl CallItem {
    fn into_call(self) -> Result<IntakeCall> {
        let corrupt = || Error::Corrupt { kind: "call" };
        let outcome = IntakeOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == self.outcome);
        Ok(IntakeCall {
            id: self.sk.parse().map_err(|_| corrupt())?,
            source: self.source,
            outcome: outcome.ok_or_else(corrupt)?,
            reason: self.reason,
            contacts: self.contacts.into_iter().map(ContactId).collect(),
            bytes: self.bytes,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SecretItem {
    sk: String,
    secret: String,
}

fn keep_since(now: Timestamp) -> Timestamp {
    now.checked_sub(KEEP).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Store {
    /// Counts a call of this hour; answers how many of its outcome there were, this
    /// one included.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn count_call(
        &self,
        tenant: &TenantId,
        account: AccountId,
        outcome: IntakeOutcome,
    ) -> Result<u64> {
        let now = self.clock().now().as_second();
        let hour = now.div_euclid(3_600);
        let key = Key::new(pk(tenant, account, "counts"), format!("{}#{hour}", outcome.as_str()));
        let update = Update::of(key).add("n", n(1)).set("ttl", n(now + KEEP_COUNT_S));
        number(&self.update_returning(update).await?, "n").ok_or(Error::Corrupt { kind: "count" })
    }

    /// Writes a call down, for 30 days.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn create_call(&self, tenant: &TenantId, account: AccountId, call: &IntakeCall) -> Result<()> {
        let key = Key::new(pk(tenant, account, "calls"), call.id.to_string());
        let item = CallItem {
            sk: key.sk.clone(),
            source: call.source.clone(),
            outcome: call.outcome.as_str().to_owned(),
            reason: call.reason.clone(),
            contacts: call.contacts.iter().map(|id| id.0).collect(),
            bytes: call.bytes,
            ttl: call.id.at().as_second() + KEEP.as_secs(),
        };
        self.create(compose(&key, "call", &item)?).await
    }

    /// The calls of an account, newest first: at most `limit`, and only those before
    /// `before` when that is given.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn calls(
        &self,
        tenant: &TenantId,
        account: AccountId,
        before: Option<CallId>,
        limit: usize,
    ) -> Result<Vec<IntakeCall>> {
        // The database may take days to remove what is over.
        let after = CallId::first_at(keep_since(self.clock().now())).previous();
        let until = before.map(CallId::previous);
        if limit == 0 || until.is_some_and(|until| until <= after) {
            return Ok(Vec::new());
        }
        let query = Query {
            pk: pk(tenant, account, "calls"),
            after: Some(after.to_string()),
            until: until.map(|until| until.to_string()),
            limit: Some(limit),
            descending: true,
            ..Query::default()
        };
        let items = self.query(&query).await?;
        items.into_iter().map(|item| read::<CallItem>(item, "call")?.into_call()).collect()
    }

    /// Keeps the secret that a shop signs with, sealed, in the place of an older one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn put_shop_secret(
        &self,
        tenant: &TenantId,
        account: AccountId,
        shop: Shop,
        secret: &Secret,
    ) -> Result<()> {
        let key = secret_key(tenant, account, shop);
        let item = SecretItem { sk: key.sk.clone(), secret: self.sealer().seal(tenant, secret).await? };
        self.put(compose(&key, "shop secret", &item)?).await
    }

    /// Forgets the secret of a shop, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn delete_shop_secret(&self, tenant: &TenantId, account: AccountId, shop: Shop) -> Result<()> {
        self.delete(&secret_key(tenant, account, shop)).await
    }

    /// The secret that a shop signs with.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the installation's key is another one.
    pub async fn shop_secret(
        &self,
        tenant: &TenantId,
        account: AccountId,
        shop: Shop,
    ) -> Result<Option<Secret>> {
        match self.get::<SecretItem>(&secret_key(tenant, account, shop), "shop secret").await? {
            Some(item) => self.sealer().open(tenant, &item.secret).await.map(Some),
            None => Ok(None),
        }
    }

    /// The shops that an account keeps a secret of.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn shops_with_secret(&self, tenant: &TenantId, account: AccountId) -> Result<Vec<Shop>> {
        let query = Query { pk: pk(tenant, account, "secrets"), ..Query::default() };
        let items = self.query(&query).await?;
        let shop = |item| {
            let item: SecretItem = read(item, "shop secret")?;
            item.sk.parse().map_err(|_| Error::Corrupt { kind: "shop secret" })
        };
        items.into_iter().map(shop).collect()
    }
}
