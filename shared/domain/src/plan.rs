//! Plans: what a tenant may do, and how much.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Invalid, PlanId};

/// Most plans that an installation defines.
pub const MAX_PLANS: usize = 100;

/// Longest validity, in days.
const MAX_VALIDITY: u32 = 36_500;

/// What a plan costs for as long as it is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// In the smallest unit of the currency: cents.
    pub amount: u64,
    /// ISO 4217, three capital letters.
    pub currency: String,
}

impl Price {
    /// Reads an amount in minor units, and a currency in any case.
    ///
    /// # Errors
    /// Names `currency`.
    pub fn new(amount: u64, currency: &str) -> Result<Self, Invalid> {
        let currency = currency.trim().to_ascii_uppercase();
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(Invalid::new("currency", "currency must have three letters, such as EUR"));
        }
        Ok(Self { amount, currency })
    }
}

/// A part of the product that a plan has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// Campaigns.
    Broadcast,
    /// Conversations with people.
    LiveChat,
    /// The assistant.
    AiChatbot,
    /// Bot flows.
    Flows,
    /// Catalogs and orders.
    Catalog,
    /// Events to endpoints of the tenant.
    Webhooks,
    /// The API itself.
    Api,
}

impl Module {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Broadcast,
        Self::LiveChat,
        Self::AiChatbot,
        Self::Flows,
        Self::Catalog,
        Self::Webhooks,
        Self::Api,
    ];

    /// As it is stored and asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::LiveChat => "live_chat",
            Self::AiChatbot => "ai_chatbot",
            Self::Flows => "flows",
            Self::Catalog => "catalog",
            Self::Webhooks => "webhooks",
            Self::Api => "api",
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Broadcast => "Broadcast",
            Self::LiveChat => "Live Chat",
            Self::AiChatbot => "AI Chatbot",
            Self::Flows => "Bot Flows",
            Self::Catalog => "Catalog",
            Self::Webhooks => "Webhook Workflow",
            Self::Api => "API Developer Access",
        }
    }

    /// Reads what [`Self::as_str`] writes, in any case, with spaces or hyphens.
    ///
    /// # Errors
    /// Names `modules`, with those that there are.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let word = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let found = Self::ALL.into_iter().find(|module| module.as_str() == word);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Invalid::new("modules", format!("modules may be {known}"))
        })
    }
}

/// A tenant's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The plan that it is a copy of, where the installation defines it.
    pub id: Option<PlanId>,
    /// Its name, for people.
    pub name: String,
    /// What it costs.
    pub price: Option<Price>,
    /// How long it is valid, in days; `None` is for ever.
    pub validity_days: Option<u32>,
    /// What it has; `None` is everything.
    pub modules: Option<BTreeSet<Module>>,
    /// Whether keys of the tenant work at all.
    pub api_access: bool,
    /// Requests per minute and key.
    pub requests_per_minute: u32,
    /// Bulk imports, uploads and template creations per minute and key.
    pub heavy_requests_per_minute: u32,
    /// Most contacts; `None` is no limit.
    pub contacts: Option<u64>,
    /// Most messages in a UTC day; `None` is no limit.
    pub messages_per_day: Option<u64>,
    /// Most single messages in a minute; `None` is no limit.
    pub messages_per_minute: Option<u64>,
    /// Most accounts; `None` is no limit.
    pub accounts: Option<u64>,
    /// Most operators; `None` is no limit.
    pub team_members: Option<u64>,
    /// Most campaigns that are drafted in a calendar month (UTC); `None` is no limit.
    pub campaigns: Option<u64>,
    /// Most files that are uploaded in a calendar month (UTC); `None` is no limit.
    pub media: Option<u64>,
    /// Most tokens of the assistant in a calendar month (UTC); `None` is no limit.
    pub assistant_tokens: Option<u64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            id: None,
            name: "Self-hosted".to_owned(),
            price: None,
            validity_days: None,
            modules: None,
            api_access: true,
            requests_per_minute: 600,
            heavy_requests_per_minute: 30,
            contacts: None,
            messages_per_day: None,
            messages_per_minute: None,
            accounts: None,
            team_members: None,
            campaigns: None,
            media: None,
            assistant_tokens: None,
        }
    }
}

impl Plan {
    /// Checks that the plan makes sense.
    ///
    /// # Errors
    /// Names the limit that does not.
    pub fn check(self) -> Result<Self, Invalid> {
        if self.name.trim().is_empty() || self.name.chars().count() > 255 {
            return Err(Invalid::new("plan.name", "plan.name must have 1 to 255 characters"));
        }
        if self.requests_per_minute == 0 || self.heavy_requests_per_minute == 0 {
            return Err(Invalid::new("plan.requests_per_minute", "a request limit must be at least 1"));
        }
        if self.validity_days.is_some_and(|days| !(1..=MAX_VALIDITY).contains(&days)) {
            let message = format!("plan.validity must be 1 to {MAX_VALIDITY} days");
            return Err(Invalid::new("plan.validity", message));
        }
        Ok(self)
    }

    /// Whether the plan has a part of the product.
    pub fn has(&self, module: Module) -> bool {
        let is_listed = self.modules.as_ref().is_none_or(|modules| modules.contains(&module));
        match module {
            Module::Api => self.api_access,
            Module::Broadcast
            | Module::LiveChat
            | Module::AiChatbot
            | Module::Flows
            | Module::Catalog
            | Module::Webhooks => is_listed,
        }
    }
}

/// A plan that whoever runs the installation defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinedPlan {
    /// Its number.
    pub id: PlanId,
    /// What a tenant that gets it may do.
    pub plan: Plan,
    /// Tenants see it among those that there are.
    pub is_visible: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_modules_are_read_as_they_are_written() {
        for module in Module::ALL {
            assert_eq!(Module::parse(module.as_str()).unwrap(), module);
            let shown = serde_json::to_value(module).unwrap();
            assert_eq!(shown, module.as_str());
        }
        assert_eq!(Module::parse(" Live Chat ").unwrap(), Module::LiveChat);
        assert_eq!(Module::parse("fax").unwrap_err().field, "modules");
    }

    #[test]
    fn a_plan_has_everything_unless_it_says_what() {
        let mut plan = Plan::default();
        assert!(Module::ALL.into_iter().all(|module| plan.has(module)));
        plan.modules = Some(BTreeSet::from([Module::LiveChat]));
        plan.api_access = true;
        assert!(plan.has(Module::LiveChat) && plan.has(Module::Api) && !plan.has(Module::Broadcast));
    }

    #[test]
    fn prices_have_a_currency() {
        assert_eq!(Price::new(990, " eur ").unwrap().currency, "EUR");
        for bad in ["", "EURO", "€", "E1R"] {
            assert_eq!(Price::new(1, bad).unwrap_err().field, "currency", "{bad}");
        }
    }
}
