//! How a message leaves: a sender, and the channel that it sends over. The only place
//! that tells channels apart.

use channels::{AnyChannel, cloud, custom};
use domain::TenantId;
use domain::account::{Account, Number};
use domain::channel::{Channel, CustomChannel};
use domain::sender::{Sender, SenderId};
use domain::webhook::SigningSecret;
use ops::senders::{number, of_custom, unknown};
use ops::{Code, Error, Result};

use crate::Services;

/// A sender, and the channel that it sends over.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) sender: Sender,
    pub(crate) channel: AnyChannel,
}

impl Route {
    /// Whether it leads where another one does, as fast.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let same = match (&self.channel, &other.channel) {
            (AnyChannel::Cloud(one), AnyChannel::Cloud(another)) => one.number == another.number,
            (AnyChannel::Custom(one), AnyChannel::Custom(another)) => one.channel == another.channel,
            (AnyChannel::Cloud(_), AnyChannel::Custom(_)) | (AnyChannel::Custom(_), AnyChannel::Cloud(_)) => {
                false
            }
        };
        same && self.sender == other.sender
    }

    /// The number of Meta's Cloud API, where it is one: whose templates are sent.
    pub(crate) fn number(&self) -> Option<&Number> {
        match &self.channel {
            AnyChannel::Cloud(line) => Some(&line.number),
            AnyChannel::Custom(_) => None,
        }
    }
}

/// Finds a sender by its id; `None` when the tenant has it no more.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub(crate) async fn resolve(services: &Services, tenant: &TenantId, id: &SenderId) -> Result<Option<Route>> {
    let store = &services.store;
    match id.channel() {
        Channel::Whatsapp => {
            let owner = store.owner_of_number(id).await?.filter(|owner| owner.tenant == *tenant);
            let Some(owner) = owner else { return Ok(None) };
            let account = store.account(tenant, owner.account).await?;
            Ok(account.and_then(|account| of_account(services, tenant, &account, id)))
        }
        Channel::Custom(name) => {
            let found = store.channel_with_secret(tenant, &name).await?;
            Ok(found.map(|(channel, secret)| of_channel(services, channel, secret)))
        }
        // No phone can be paired, and no session linked: nothing is sent from there.
        Channel::WhatsappWeb | Channel::Sms => Ok(None),
    }
}

/// A number of an account by its id; `None` when the account has it no more.
pub(crate) fn of_account(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    id: &SenderId,
) -> Option<Route> {
    account.number_of(id).map(|number| of_number(services, tenant, account, number))
}

/// The sender of an account over a channel: the one that is named, or its default.
///
/// # Errors
/// What the channel lacks: [`Code::NoNumber`], [`Code::NoSession`] or [`Code::NoDevice`];
/// [`Code::InvalidField`] names `channel`, or `sender` when the account has none of that
/// id, with those that there are.
pub(crate) async fn choose(
    services: &Services,
    tenant: &TenantId,
    account: &Account,
    channel: &Channel,
    named: Option<&SenderId>,
) -> Result<Route> {
    match channel {
        Channel::Whatsapp => Ok(of_number(services, tenant, account, number(account, named)?)),
        Channel::WhatsappWeb => Err(Error::new(Code::NoSession, "no phone is linked to this account")),
        Channel::Sms => Err(Error::new(Code::NoDevice, "no SMS phone is paired with this account")),
        Channel::Custom(name) => match services.store.channel_with_secret(tenant, name).await? {
            Some((channel, secret)) => Ok(of_channel(services, channel, secret)),
            None => Err(unknown(&services.store, tenant, name).await?),
        },
    }
}

fn of_number(services: &Services, tenant: &TenantId, account: &Account, number: &Number) -> Route {
    let (graph, number) = (services.graph.clone(), number.clone());
    let line = cloud::Line { graph, number, tenant: tenant.clone() };
    Route { sender: account.sender(&line.number), channel: AnyChannel::Cloud(line) }
}

fn of_channel(services: &Services, channel: CustomChannel, secret: SigningSecret) -> Route {
    let sender = of_custom(&channel);
    let (client, clock) = (services.outbound.clone(), services.store.clock().clone());
    let line = custom::Line { client, channel, secret, clock };
    Route { sender, channel: AnyChannel::Custom(line) }
}
