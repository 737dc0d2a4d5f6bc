//! Registering custom channels.

use domain::channel::{Channel, ChannelName, CustomChannel, DEFAULT_RATE, MAX_CHANNELS, check_rate};
use domain::sender::SenderId;
use domain::webhook::SigningSecret;
use domain::{Secret, TenantId};
use outbound::Client;
use store::Store;

use ops::{Caller, Code, Error, Result};

/// A channel to register.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// Its name, unique in any case.
    pub name: String,
    /// Where messages are posted.
    pub url: String,
    /// Messages per second that it takes; without it, what it took until now, or
    /// [`DEFAULT_RATE`].
    pub rate: Option<u64>,
}

/// Registers a channel, or replaces the one of this name, which keeps its secret.
/// Answers the signing secret of a new one, which is shown this once.
///
/// # Errors
/// Names `name`, `url` or `rate`; [`Code::PlanLimit`] when there are as many as there
/// may be.
pub async fn register(
    store: &Store,
    client: &Client,
    caller: &Caller,
    new: NewChannel,
) -> Result<(CustomChannel, Option<Secret>)> {
    let tenant = caller.tenant_id();
    let key: ChannelName = new.name.parse()?;
    if let Some(ours) = Channel::ours(&new.name) {
        let message =
            format!("name must not be {}: it is a channel of ours, however it is written", ours.as_str());
        return Err(Error::invalid("name", message));
    }
    let rate = new.rate.map(check_rate).transpose()?;
    let url =
        client.accept(&new.url).await.map_err(|refused| Error::invalid("url", format!("url {refused}")))?;
    let known = store.channels(tenant).await?;
    let before = known.iter().find(|channel| channel.key == key);
    if before.is_none() && known.len() >= MAX_CHANNELS {
        return Err(Error::new(Code::PlanLimit, format!("there may be at most {MAX_CHANNELS} channels")));
    }
    let channel = CustomChannel {
        key,
        name: new.name.trim().to_owned(),
        url,
        per_second: rate.or(before.map(|channel| channel.per_second)).unwrap_or(DEFAULT_RATE),
        created_at: before.map_or_else(|| store.clock().now(), |channel| channel.created_at),
    };
    let secret = SigningSecret::generate(store.entropy());
    let created = store.register_channel(tenant, &channel, &secret).await?;
    // What an earlier one asked us to wait for is not this one's.
    store.sender_changed(tenant, &SenderId::custom(&channel.key)).await?;
    store.audit(tenant, &caller.key.name, &format!("registered channel {}", channel.key)).await?;
    Ok((channel, created.then(|| secret.reveal())))
}

/// The channels of a tenant by name.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn list(store: &Store, tenant: &TenantId) -> Result<Vec<CustomChannel>> {
    Ok(store.channels(tenant).await?)
}

/// Removes a channel. Its messages and its people stay.
///
/// # Errors
/// [`Code::NotFound`] names `name`.
pub async fn remove(store: &Store, caller: &Caller, name: &str) -> Result<()> {
    let tenant = caller.tenant_id();
    let unknown = || Error::not_found("name", "there is no channel with this name");
    let name: ChannelName = name.parse().map_err(|_| unknown())?;
    if !store.remove_channel(tenant, &name).await? {
        return Err(unknown());
    }
    store.sender_changed(tenant, &SenderId::custom(&name)).await?;
    Ok(store.audit(tenant, &caller.key.name, &format!("removed channel {name}")).await?)
}
