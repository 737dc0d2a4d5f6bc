//! What a tenant used of its plan.

use domain::account::Tenant;
use domain::plan::Plan;
use ops::{Result, accounts};
use store::Store;
use store::usage::Usage;

/// Something that a plan limits, and how much of it is used.
pub(crate) struct Metered {
    /// What programs call it.
    pub(crate) name: &'static str,
    /// What people call it.
    pub(crate) title: &'static str,
    /// The most; `None` is no limit.
    pub(crate) limit: Option<u64>,
    /// How much of it is used.
    pub(crate) used: u64,
    /// What it is counted over: `day` and `month` (UTC), or `total`.
    pub(crate) period: &'static str,
}

/// Messages are counted as they are limited: of today, else of the month.
pub(crate) fn messages(plan: &Plan, usage: &Usage) -> u64 {
    if plan.messages_per_day.is_some() { usage.messages_today } else { usage.messages }
}

/// Everything that is counted.
pub(crate) async fn metered(store: &Store, tenant: &Tenant) -> Result<[Metered; 7]> {
    let plan = &tenant.plan;
    let usage = store.usage_of(tenant).await?;
    let contacts = store.contact_total(&tenant.id).await?;
    let accounts = store.account_ids(&tenant.id).await?.len() as u64;
    let team = accounts::team_size(store, &tenant.id).await?;
    let of_messages = if plan.messages_per_day.is_some() { "day" } else { "month" };
    let sent = messages(plan, &usage);
    let metered = |(name, title), limit, used, period| Metered { name, title, limit, used, period };
    Ok([
        metered(("messages", "Message Credit"), plan.messages_per_day, sent, of_messages),
        metered(("contacts", "Subscribers"), plan.contacts, contacts, "total"),
        metered(("campaigns", "Campaigns"), plan.campaigns, usage.campaigns, "month"),
        metered(("team_members", "Team Members"), plan.team_members, team, "total"),
        metered(("accounts", "WhatsApp Accounts"), plan.accounts, accounts, "total"),
        metered(
            ("assistant_tokens", "Assistant Tokens"),
            plan.assistant_tokens,
            usage.assistant_tokens,
            "month",
        ),
        metered(("media", "Media"), plan.media, usage.media, "month"),
    ])
}
