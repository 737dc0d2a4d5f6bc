//! Endpoints.

use domain::webhook::{Endpoint, EndpointId, EventType, Purpose, SigningKeys, SigningSecret};
use domain::{AccountId, Secret, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, number, read, s};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "endpoint";

/// A new endpoint.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its name.
    pub name: String,
    /// Where events go.
    pub url: String,
    /// What it is told.
    pub purpose: Purpose,
    /// What its events are signed with.
    pub secret: SigningSecret,
}

/// An endpoint after it was registered.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Whether it is new; one that was replaced keeps its secret.
    pub created: bool,
}

#[derive(Serialize, Deserialize)]
struct EndpointItem {
    id: u64,
    name: String,
    url: String,
    purpose: String,
    account: Option<u64>,
    chosen: Option<Vec<String>>,
    on: bool,
    created: i64,
    key: String,
    key_before: Option<String>,
    key_before_until: Option<i64>,
}

pub(super) fn key(tenant: &TenantId, id: EndpointId) -> Key {
    Key::new(Kind::Hook.pk(tenant), format!("{:015}", id.0))
}

/// Where the only endpoint of an account for a purpose is.
fn slot_key(tenant: &TenantId, purpose: &Purpose) -> Option<Key> {
    let account = match purpose {
        Purpose::Meta(account) | Purpose::Sms(account) => account,
        Purpose::Events { .. } => return None,
    };
    Some(Key::new(Kind::Hook.pk(tenant), format!("{}#{account}", purpose.as_str())))
}

fn purpose_of(item: &EndpointItem) -> Option<Purpose> {
    let account = item.account.map(AccountId);
    Some(match item.purpose.as_str() {
        "whatsapp-meta" => Purpose::Meta(account?),
        "sms" => Purpose::Sms(account?),
        _ => {
            // An event that a newer build knows is left out.
            let known = |names: &Vec<String>| names.iter().filter_map(|name| name.parse().ok()).collect();
            Purpose::Events { account, chosen: item.chosen.as_ref().map(known) }
        }
    })
}

fn chosen_of(purpose: &Purpose) -> Option<Vec<String>> {
    match purpose {
        Purpose::Meta(_) | Purpose::Sms(_) | Purpose::Events { chosen: None, .. } => None,
        Purpose::Events { chosen: Some(chosen), .. } => {
            Some(chosen.iter().map(|kind: &EventType| kind.as_str().to_owned()).collect())
        }
    }
}

fn from_item(item: EndpointItem) -> Result<Endpoint> {
    let purpose = purpose_of(&item).ok_or(Error::Corrupt { kind: KIND })?;
    let created_at = Timestamp::from_millisecond(item.created).unwrap_or_default();
    let EndpointItem { id, name, url, on, .. } = item;
    Ok(Endpoint { id: EndpointId(id), name, url, purpose, on, created_at })
}

impl Store {
    /// Registers an endpoint. Where its account has one for the same purpose
    /// already, that one gets the new URL and is switched on.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody registers the same at the same moment.
    pub async fn register_endpoint(&self, tenant: &TenantId, new: Registration) -> Result<Registered> {
        let slot = slot_key(tenant, &new.purpose);
        if let Some(slot) = &slot
            && let Some(item) = self.get_item(slot).await?
        {
            let id = number(&item, "id").map(EndpointId).ok_or(Error::Corrupt { kind: KIND })?;
            let replaced = Update::of(key(tenant, id)).set("url", s(new.url)).set("on", bool_(true));
            let item = self.update_returning(replaced.when(When::Exists)).await?;
            return Ok(Registered { endpoint: from_item(read(item, KIND)?)?, created: false });
        }
        let id = EndpointId(self.next_number(tenant, "endpoints").await?);
        let item = EndpointItem {
            id: id.0,
            name: new.name,
            url: new.url,
            purpose: new.purpose.as_str().to_owned(),
            account: new.purpose.account().map(|account| account.0),
            chosen: chosen_of(&new.purpose),
            on: true,
            created: self.clock().now_ms(),
            key: self.sealer().seal(tenant, &new.secret.reveal()).await?,
            key_before: None,
            key_before_until: None,
        };
        let mut actions =
            vec![Action::Put(compose(&key(tenant, id), KIND, &item)?, vec![When::Absent("pk")])];
        if let Some(slot) = slot {
            let pointer = compose(&slot, "endpoint pointer", &Pointer { id: id.0 })?;
            actions.push(Action::Put(pointer, vec![When::Absent("pk")]));
        }
        self.transact(actions).await?;
        Ok(Registered { endpoint: from_item(item)?, created: true })
    }

    /// The endpoints of a tenant, oldest first, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<Endpoint>> {
        let query = Query { pk: Kind::Hook.pk(tenant), until: Some("9~".to_owned()), ..Query::default() };
        self.query(&query).await?.into_iter().map(|item| from_item(read(item, KIND)?)).collect()
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn endpoint(&self, tenant: &TenantId, id: EndpointId) -> Result<Option<Endpoint>> {
        let item = self.get::<EndpointItem>(&key(tenant, id), KIND).await?;
        item.map(from_item).transpose()
    }

    /// An endpoint with what its events are signed with.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the installation's key is another one.
    pub async fn endpoint_with_keys(
        &self,
        tenant: &TenantId,
        id: EndpointId,
    ) -> Result<Option<(Endpoint, SigningKeys)>> {
        let Some(item) = self.get::<EndpointItem>(&key(tenant, id), KIND).await? else { return Ok(None) };
        let current = self.open_key(tenant, &item.key).await?;
        let previous = match (&item.key_before, item.key_before_until) {
            (Some(sealed), Some(until)) => {
                let until = Timestamp::from_millisecond(until).unwrap_or_default();
                Some((self.open_key(tenant, sealed).await?, until))
            }
            _ => None,
        };
        Ok(Some((from_item(item)?, SigningKeys { current, previous })))
    }

    async fn open_key(&self, tenant: &TenantId, sealed: &str) -> Result<SigningSecret> {
        let text: Secret = self.sealer().open(tenant, sealed).await?;
        text.expose().parse().map_err(|_| Error::Sealed)
    }

    /// Puts other signing keys in place.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such endpoint.
    pub async fn set_signing_keys(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        keys: &SigningKeys,
    ) -> Result<()> {
        let mut update = Update::of(key(tenant, id)).when(When::Exists);
        update = update.set("key", s(self.sealer().seal(tenant, &keys.current.reveal()).await?));
        update = match &keys.previous {
            Some((secret, until)) => {
                let sealed = self.sealer().seal(tenant, &secret.reveal()).await?;
                update.set("key_before", s(sealed)).set("key_before_until", n(until.as_millisecond()))
            }
            None => update.remove("key_before").remove("key_before_until"),
        };
        self.update(update).await
    }

    /// Changes name, URL, what it is told and whether it is on.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such endpoint.
    pub async fn change_endpoint(&self, tenant: &TenantId, endpoint: &Endpoint) -> Result<()> {
        let mut update = Update::of(key(tenant, endpoint.id))
            .set("name", s(&endpoint.name))
            .set("url", s(&endpoint.url))
            .set("on", bool_(endpoint.on))
            .when(When::Exists);
        update = match chosen_of(&endpoint.purpose) {
            Some(names) => update.set("chosen", list(names)),
            None => update.remove("chosen"),
        };
        self.update(update).await
    }

    /// Removes an endpoint; nothing more is sent to it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn remove_endpoint(&self, tenant: &TenantId, endpoint: &Endpoint) -> Result<()> {
        let mut actions = vec![Action::Delete(key(tenant, endpoint.id), Vec::new())];
        actions.extend(slot_key(tenant, &endpoint.purpose).map(|slot| Action::Delete(slot, Vec::new())));
        self.transact(actions).await
    }

    /// The only endpoint of an account for a purpose.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn endpoint_for(&self, tenant: &TenantId, purpose: &Purpose) -> Result<Option<Endpoint>> {
        let Some(slot) = slot_key(tenant, purpose) else { return Ok(None) };
        let item: Option<Item> = self.get_item(&slot).await?;
        match item.and_then(|item| number(&item, "id").map(EndpointId)) {
            Some(id) => self.endpoint(tenant, id).await,
            None => Ok(None),
        }
    }
}

#[derive(Serialize)]
struct Pointer {
    id: u64,
}

fn bool_(value: bool) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::Bool(value)
}

fn list(names: Vec<String>) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::L(names.into_iter().map(s).collect())
}
