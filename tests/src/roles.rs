use local::embedded::Role;

/// Every function with the kinds of items that it declares, by name.
pub fn roles() -> [Role; 12] {
    [
        ("accounts", accounts::KINDS),
        ("campaign-worker", campaign_worker::KINDS),
        ("campaigns", campaigns::KINDS),
        ("contacts", contacts::KINDS),
        ("inbound", inbound::KINDS),
        ("inbound-worker", inbound_worker::KINDS),
        ("media-worker", media_worker::KINDS),
        ("messages", messages::KINDS),
        ("schedule-tick", schedule_tick::KINDS),
        ("send-worker", send_worker::KINDS),
        ("webhook-worker", webhook_worker::KINDS),
        ("webhooks", webhooks::KINDS),
    ]
    .map(|(name, kinds)| Role { name, kinds })
}

/// The role of a function.
pub(crate) fn role(name: &str) -> Role {
    roles().into_iter().find(|role| role.name == name).unwrap_or_else(|| panic!("no function {name}"))
}
