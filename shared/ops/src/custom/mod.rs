//! Custom channels: a tenant's own way to reach people. What goes out is posted to
//! the URL that it registered, and what people write comes in by a request.

mod receive;
mod report;

pub use receive::{Incoming, Received, ReceivedKind, receive, unknown_channel};

use domain::channel::ChannelName;
use domain::contact::{Contact, NewContact};
use domain::message::{Address, CustomAddress};
use domain::{CampaignId, EmailAddress, TenantId};
use store::Store;

use crate::contacts::upsert;
use crate::events::EventPublisher;
use crate::{Error, Result};

/// Somebody on a channel, as a caller describes them.
#[derive(Clone)]
pub struct PlatformPerson {
    /// Their id on the channel's platform.
    pub id: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<EmailAddress>,
}

impl std::fmt::Debug for PlatformPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlatformPerson(***)")
    }
}

impl PlatformPerson {
    /// Their address on the channel.
    pub fn address(&self, channel: &ChannelName) -> Address {
        Address::Custom(CustomAddress::new(channel, &self.id))
    }

    /// The contact that they are: found by their id on the channel, made when there is
    /// none, with what the caller says merged into it.
    pub async fn contact(
        &self,
        publisher: &EventPublisher,
        tenant: &TenantId,
        channel: &ChannelName,
        limit: Option<u64>,
    ) -> Result<Contact> {
        let names = [&self.first_name, &self.last_name];
        let names: Vec<&str> = names.into_iter().flatten().map(|name| name.trim()).collect();
        let new = NewContact {
            name: (!names.is_empty()).then(|| names.join(" ")),
            email: self.email.clone(),
            custom: Some((channel.to_string(), self.id.clone())),
            ..NewContact::default()
        };
        Ok(upsert(publisher, tenant, limit, &new.check()?).await?.contact)
    }
}

/// The caller's campaign that a message is said to belong to.
pub async fn campaign(store: &Store, tenant: &TenantId, id: Option<&str>) -> Result<Option<CampaignId>> {
    let Some(id) = id else { return Ok(None) };
    let unknown = || Error::not_found("campaign_id", "campaign_id is not the id of one of your campaigns");
    let id: CampaignId = id.parse().map_err(|_| unknown())?;
    store.campaign(tenant, id).await?.ok_or_else(unknown)?;
    Ok(Some(id))
}
