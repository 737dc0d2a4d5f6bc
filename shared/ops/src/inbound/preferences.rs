use domain::ContactId;
use domain::message::Address;
use domain::webhook::Event;
use store::Store;

use super::process::Change;
use super::wire::{Preference, list, timestamp_ms};
use crate::Result;
use crate::events::{ConsentFact, consent_changed};
use crate::suppression::{Source, opt_in, opt_out};

/// Meta's `user_preferences`: the recipient stopped or resumed marketing.
pub(super) async fn apply(store: &Store, change: &Change<'_>) -> Result<Vec<Event>> {
    let tenant = change.tenant;
    let mut events = Vec::new();
    for entry in list(change.value, "user_preferences") {
        let Some(preference) = Preference::read(entry) else { continue };
        for address in addresses(preference.phone, preference.user_id) {
            match preference.stop {
                true => opt_out(store, tenant, &address, Source::Preference).await?,
                false => opt_in(store, tenant, &address).await?,
            };
        }
        let said = Preferred {
            wanted: !preference.stop,
            because: &entry.to_string(),
            source: Source::Preference,
            contact: None,
            at_ms: timestamp_ms(entry).unwrap_or(0),
        };
        events.extend(said.events(change, preference.phone, preference.user_id));
    }
    Ok(events)
}

/// What somebody wants from now on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preferred<'a> {
    pub(super) wanted: bool,
    /// What they said.
    pub(super) because: &'a str,
    pub(super) source: Source,
    pub(super) contact: Option<ContactId>,
    pub(super) at_ms: i64,
}

impl Preferred<'_> {
    /// The events that tell it, one for each address.
    pub(super) fn events(
        &self,
        change: &Change<'_>,
        phone: Option<&str>,
        user_id: Option<&str>,
    ) -> Vec<Event> {
        let told = addresses(phone, user_id).into_iter().map(|address| {
            let fact = ConsentFact {
                wanted: self.wanted,
                because: self.because,
                source: self.source.as_str(),
                address: address.as_str(),
                account: Some(change.account),
                contact: self.contact,
                at_ms: self.at_ms,
            };
            consent_changed(change.tenant, &fact)
        });
        told.collect()
    }
}

/// Every address a person is known by: an opt-out counts for all of them.
pub(super) fn addresses(phone: Option<&str>, user_id: Option<&str>) -> Vec<Address> {
    let phone = phone.and_then(|p| p.parse().ok()).map(Address::Phone);
    let user = user_id.map(|id| Address::Bsuid(id.to_owned()));
    phone.into_iter().chain(user).collect()
}
