use domain::TenantId;
use domain::message::Address;
use serde_json::Value;
use store::Store;

use super::wire::{Preference, list};
use crate::Result;
use crate::suppression::{Source, opt_in, opt_out};

/// Meta's `user_preferences`: the recipient stopped or resumed marketing.
pub(super) async fn apply(store: &Store, tenant: &TenantId, value: &Value) -> Result<()> {
    for entry in list(value, "user_preferences") {
        let Some(preference) = Preference::read(entry) else { continue };
        for address in addresses(preference.phone, preference.user_id) {
            match preference.stop {
                true => opt_out(store, tenant, &address, Source::Preference).await?,
                false => opt_in(store, tenant, &address).await?,
            };
        }
    }
    Ok(())
}

/// Every address a person is known by: an opt-out counts for all of them.
pub(super) fn addresses(phone: Option<&str>, user_id: Option<&str>) -> Vec<Address> {
    let phone = phone.and_then(|p| p.parse().ok()).map(Address::Phone);
    let user = user_id.map(|id| Address::Bsuid(id.to_owned()));
    phone.into_iter().chain(user).collect()
}
