//! Recipients who stop marketing in WhatsApp's settings.

use domain::PhoneNumber;
use domain::channel::Channel;
use domain::message::Address;

use super::change::Change;
use super::wire::{Preference, list};
use crate::Services;
use ops::Result;
use ops::events::EventPublisher;
use ops::suppression::{ConsentChange, OptOutSource, heed};

/// Meta's `user_preferences`: the recipient stopped or resumed marketing.
pub(super) async fn apply(services: &Services, change: &Change<'_>) -> Result<()> {
    let (publisher, account) = (&EventPublisher::from(services), Some(change.account));
    for entry in list(change.value, "user_preferences") {
        let Some(preference) = Preference::read(entry) else { continue };
        let (source, said_ms) = (OptOutSource::Preference, preference.at_ms.or(change.at_ms));
        let channel = Some(&Channel::Whatsapp);
        let (tenant, word) = (change.tenant, None);
        let on = ConsentChange { publisher, tenant, account, channel, source, word, said_ms };
        heed(on, &addresses(preference.phone, preference.user_id), !preference.stop).await?;
    }
    Ok(())
}

/// Every address a person is known by: an opt-out counts for all of them.
pub(super) fn addresses(phone: Option<&str>, user_id: Option<&str>) -> Vec<Address> {
    let phone = phone.and_then(|p| PhoneNumber::from_wa_id(p).ok()).map(Address::Phone);
    let user = user_id.map(|id| Address::Bsuid(id.to_owned()));
    phone.into_iter().chain(user).collect()
}
