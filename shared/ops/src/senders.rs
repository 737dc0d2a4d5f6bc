//! What messages leave from: the numbers of accounts, and custom channels.

use domain::account::{Account, Number};
use domain::channel::{Channel, ChannelName, CustomChannel, OURS};
use domain::contact::NewContact;
use domain::pace::Pace;
use domain::sender::{Sender, SenderId};
use domain::{Invalid, TenantId};
use store::Store;

use crate::{Caller, Code, Error, Result};

/// Checks that there is such a channel.
///
/// # Errors
/// [`Code::InvalidField`] names `channel`, with those that there are.
pub async fn check(store: &Store, tenant: &TenantId, channel: &Channel) -> Result<()> {
    let Some(name) = channel.custom() else { return Ok(()) };
    match store.channel(tenant, name).await? {
        Some(_) => Ok(()),
        None => Err(unknown(store, tenant, name).await?),
    }
}

/// Refuses rows that name a custom channel which is not there; channels are read only if
/// any row names one.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn check_rows(
    store: &Store,
    tenant: &TenantId,
    rows: &mut [std::result::Result<NewContact, Invalid>],
) -> Result<()> {
    let named =
        |row: &std::result::Result<NewContact, Invalid>| row.as_ref().is_ok_and(|new| new.custom.is_some());
    if !rows.iter().any(named) {
        return Ok(());
    }
    let known = store.channels(tenant).await?;
    for row in rows {
        let Ok(NewContact { custom: Some((name, _)), .. }) = &row else { continue };
        if !known.iter().any(|channel| channel.key.as_str() == name) {
            let names: Vec<&str> = known.iter().map(|channel| channel.name.as_str()).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!("there is no custom channel {name}: there are {there}");
            *row = Err(Invalid::new("channels", message));
        }
    }
    Ok(())
}

/// The refusal of a channel that is not there, with those that are.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn unknown(store: &Store, tenant: &TenantId, name: &ChannelName) -> Result<Error> {
    let registered = store.channels(tenant).await?;
    let names = OURS.into_iter().map(str::to_owned);
    let names: Vec<String> = names.chain(registered.into_iter().map(|channel| channel.name)).collect();
    let message = format!("there is no channel {name}: channel must be one of {}", names.join(", "));
    Ok(Error::invalid("channel", message))
}

/// The number of an account that is named, or its default.
///
/// # Errors
/// [`Code::NoNumber`]; [`Code::InvalidField`] names `sender`.
pub fn number<'a>(account: &'a Account, named: Option<&SenderId>) -> Result<&'a Number> {
    let default = account.number().ok_or_else(|| {
        let message = "no WhatsApp number is connected to this account";
        Error { field: Some("token".to_owned()), ..Error::new(Code::NoNumber, message) }
    })?;
    let Some(id) = named else { return Ok(default) };
    account.number_of(id).ok_or_else(|| {
        let ids: Vec<&str> = account.numbers.iter().map(|number| number.id.as_str()).collect();
        let message = format!("{id} is no WhatsApp sender of this account: it has {}", ids.join(", "));
        Error::invalid("sender", message)
    })
}

/// The sender that a custom channel is.
pub fn of_custom(channel: &CustomChannel) -> Sender {
    Sender {
        id: SenderId::custom(&channel.key),
        account: None,
        channel: Channel::Custom(channel.key.clone()),
        pace: Pace { per_second: channel.per_second },
        name: channel.name.clone(),
        is_default: true,
    }
}

/// Every sender of a tenant: of each account, then its custom channels.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn list(store: &Store, tenant: &TenantId) -> Result<Vec<Sender>> {
    let (accounts, channels) = futures::try_join!(store.accounts(tenant), store.channels(tenant))?;
    let of_accounts = accounts.iter().flat_map(Account::senders);
    Ok(of_accounts.chain(channels.iter().map(of_custom)).collect())
}

/// Makes a number of an account the one that sends when none is named.
///
/// # Errors
/// [`Code::InvalidField`] names `sender`, with those that there are.
pub async fn set_default(store: &Store, caller: &Caller, account: Account, id: &SenderId) -> Result<Account> {
    let id = number(&account, Some(id))?.id.clone();
    let changed = store.default_number(caller.tenant_id(), account.id, &id).await?;
    store.audit(caller.tenant_id(), &caller.key.name, &format!("sender {id} is the default")).await?;
    Ok(changed)
}

/// Takes a number from the account that has it. Whoever sends on it learns of it with its next
/// wave, and pauses the campaigns that it sends.
///
/// # Errors
/// [`Code::Forbidden`] for operators; [`Code::NotFound`] names `id`.
pub async fn remove(store: &Store, caller: &Caller, id: &str) -> Result<Account> {
    caller.require_owner()?;
    let unknown = || Error::not_found("id", "id is not the id of one of your numbers");
    let id: SenderId = id.parse().map_err(|_| unknown())?;
    let accounts = store.accounts(caller.tenant_id()).await?;
    let account = accounts.iter().find(|account| account.number_of(&id).is_some()).ok_or_else(unknown)?;
    let number = account.number_of(&id).ok_or_else(unknown)?;
    let changed = store.disconnect_number(caller.tenant_id(), account.id, number).await?;
    store.audit(caller.tenant_id(), &caller.key.name, &format!("sender {} removed", number.id)).await?;
    Ok(changed)
}
