//! Plans: what a tenant may do, and how much.

use crate::Invalid;

/// A tenant's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name, for people.
    pub name: String,
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
    /// Most accounts; `None` is no limit.
    pub accounts: Option<u64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            name: "Self-hosted".to_owned(),
            api_access: true,
            requests_per_minute: 600,
            heavy_requests_per_minute: 30,
            contacts: None,
            messages_per_day: None,
            accounts: None,
        }
    }
}

impl Plan {
    /// Checks that the plan makes sense.
    ///
    /// # Errors
    /// Names the limit that does not.
    pub fn check(self) -> Result<Self, Invalid> {
        if self.name.is_empty() || self.name.chars().count() > 255 {
            return Err(Invalid::new("plan.name", "plan.name must have 1 to 255 characters"));
        }
        if self.requests_per_minute == 0 || self.heavy_requests_per_minute == 0 {
            return Err(Invalid::new("plan.requests_per_minute", "a request limit must be at least 1"));
        }
        Ok(self)
    }
}
