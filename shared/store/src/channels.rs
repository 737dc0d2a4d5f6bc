//! Custom channels of a tenant: `CHANNEL#<tenant>` under the lower-cased name.

use domain::channel::{ChannelName, CustomChannel};
use domain::webhook::SigningSecret;
use domain::{Secret, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::item::{Key, Query, compose, n, read, s};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "channel";

#[derive(Serialize, Deserialize)]
struct ChannelItem {
    sk: String,
    name: String,
    url: String,
    rate: u32,
    created: i64,
    key: String,
}

fn pk(tenant: &TenantId) -> String {
    Kind::Channel.pk(tenant)
}

fn key(tenant: &TenantId, name: &ChannelName) -> Key {
    Key::new(pk(tenant), name.as_str())
}

fn from_item(item: &ChannelItem) -> Result<CustomChannel> {
    let corrupt = |_| Error::Corrupt { kind: KIND };
    Ok(CustomChannel {
        key: item.sk.parse().map_err(corrupt)?,
        name: item.name.clone(),
        url: item.url.clone(),
        per_second: item.rate,
        created_at: Timestamp::from_millisecond(item.created).unwrap_or_default(),
    })
}

impl Store {
    /// Registers a channel, or gives the one of this name its new spelling, URL and
    /// rate: its secret and its date stay. Answers whether it is new.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody removes it at the same moment.
    pub async fn register_channel(
        &self,
        tenant: &TenantId,
        channel: &CustomChannel,
        secret: &SigningSecret,
    ) -> Result<bool> {
        let key = key(tenant, &channel.key);
        let item = ChannelItem {
            sk: key.sk.clone(),
            name: channel.name.clone(),
            url: channel.url.clone(),
            rate: channel.per_second,
            created: channel.created_at.as_millisecond(),
            key: self.sealer().seal(tenant, &secret.reveal()).await?,
        };
        match self.create(compose(&key, KIND, &item)?).await {
            Ok(()) => return Ok(true),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
        let update = Update::of(key)
            .set("name", s(&channel.name))
            .set("url", s(&channel.url))
            .set("rate", n(channel.per_second));
        self.update(update.when(When::Exists)).await?;
        Ok(false)
    }

    /// The channels of a tenant by name, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn channels(&self, tenant: &TenantId) -> Result<Vec<CustomChannel>> {
        let items = self.query(&Query { pk: pk(tenant), ..Query::default() }).await?;
        items.into_iter().map(|item| from_item(&read(item, KIND)?)).collect()
    }

    /// One channel.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn channel(&self, tenant: &TenantId, name: &ChannelName) -> Result<Option<CustomChannel>> {
        let item = self.get::<ChannelItem>(&key(tenant, name), KIND).await?;
        item.as_ref().map(from_item).transpose()
    }

    /// One channel with what its messages are signed with.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the installation's key is another one.
    pub async fn channel_with_secret(
        &self,
        tenant: &TenantId,
        name: &ChannelName,
    ) -> Result<Option<(CustomChannel, SigningSecret)>> {
        let Some(item) = self.get::<ChannelItem>(&key(tenant, name), KIND).await? else { return Ok(None) };
        let text: Secret = self.sealer().open(tenant, &item.key).await?;
        let secret = text.expose().parse().map_err(|_| Error::Sealed)?;
        Ok(Some((from_item(&item)?, secret)))
    }

    /// Removes a channel; answers whether there was one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn remove_channel(&self, tenant: &TenantId, name: &ChannelName) -> Result<bool> {
        self.delete_returning(&key(tenant, name)).await
    }
}
