//! What a simulator is started with, and the settings that may change while it runs.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{clock::Clock, errors::Error};

/// How a simulator is started.
#[derive(Clone)]
pub struct Config {
    /// Where webhooks go. Without it no webhook is made.
    pub webhook_url: Option<String>,
    /// Takes the webhooks in this process, instead of the server at `webhook_url`.
    pub receiver: Option<axum::Router>,
    /// Key of the `X-Hub-Signature-256` header.
    pub app_secret: String,
    /// Sent in the verification request of [`super::Simulator::verify_webhook`].
    pub verify_token: String,
    /// The only accepted bearer token; without it any non-empty token is accepted.
    pub access_token: Option<String>,
    /// The only phone number; without it any numeric id is registered on first use.
    pub phone_number_id: Option<String>,
    /// The only business account; without it any numeric id is registered on first use.
    pub waba_id: Option<String>,
    /// Shown for the first phone number.
    pub display_phone_number: String,
    /// Journal file; without it a restart forgets everything.
    pub state: Option<PathBuf>,
    /// Seed of every random choice; without it the start time is the seed.
    pub seed: Option<u64>,
    pub clock: Clock,
    pub settings: SimulatorSettings,
}

/// Without the secrets.
impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("webhook_url", &self.webhook_url)
            .field("phone_number_id", &self.phone_number_id)
            .field("waba_id", &self.waba_id)
            .field("state", &self.state)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// A configuration with the given secrets and everything else at its default.
    pub fn new(app_secret: impl Into<String>, verify_token: impl Into<String>) -> Self {
        Self {
            webhook_url: None,
            receiver: None,
            app_secret: app_secret.into(),
            verify_token: verify_token.into(),
            access_token: None,
            phone_number_id: None,
            waba_id: None,
            display_phone_number: "15550783881".to_owned(),
            state: None,
            seed: None,
            clock: Clock::system(),
            settings: SimulatorSettings::default(),
        }
    }
}

/// Behaviour that `POST /_sim/settings` may change at any time. Intervals are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorSettings {
    /// Refuse free-form messages outside the 24-hour window (131047).
    pub enforce_window: bool,
    /// Messages per second and phone number (130429); null or 0 is no limit.
    pub throughput_per_second: Option<u32>,
    /// One message per 6 seconds and recipient, with a burst of 45 (131056).
    pub pair_limit: bool,
    /// Numbers that WhatsApp knows otherwise than they are written to, digits both: answers
    /// and statuses name the person so.
    pub wa_ids: BTreeMap<String, String>,
    /// How long a new template stays PENDING.
    pub approve_after_ms: u64,
    /// When a message becomes `sent`, counted from its acceptance; null leaves the status out.
    pub sent_after_ms: Option<u32>,
    /// When a message becomes `delivered`, counted from its acceptance; null leaves it out.
    pub delivered_after_ms: Option<u32>,
    /// When a message becomes `read`, counted from its acceptance; null leaves it out.
    pub read_after_ms: Option<u32>,
    /// Share of the messages that are read, once `read_after_ms` is set.
    pub read_share: f64,
    /// Share of the statuses that are sent twice.
    pub duplicate_share: f64,
    /// Share of the messages whose `delivered` arrives before their `sent`.
    pub reorder_share: f64,
    /// Most statuses in one webhook.
    pub statuses_per_webhook: usize,
    /// How long a status waits for others to share its webhook.
    pub flush_after_ms: u64,
    /// Where the life of every message ends, whatever the shares say.
    pub final_status: Option<FinalStatus>,
    /// The error code of messages that end as failed by `final_status`.
    pub failed_code: u32,
    /// Most products of a catalog in one page; more of them are refused (1).
    pub products_per_page: usize,
    /// Webhooks in flight at the same time.
    pub webhook_concurrency: usize,
    pub webhook_timeout_ms: u64,
    /// Wait before the first repetition of a refused webhook; doubles every time.
    pub retry_first_ms: u64,
    pub retry_cap_ms: u64,
    /// A webhook that is still refused after this time is given up.
    pub retry_for_ms: u64,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            enforce_window: true,
            throughput_per_second: Some(80),
            pair_limit: true,
            wa_ids: BTreeMap::new(),
            approve_after_ms: 1_000,
            sent_after_ms: Some(50),
            delivered_after_ms: Some(100),
            read_after_ms: None,
            read_share: 0.5,
            duplicate_share: 0.0,
            reorder_share: 0.0,
            statuses_per_webhook: 20,
            flush_after_ms: 20,
            final_status: None,
            failed_code: 131_026,
            products_per_page: 1_000,
            webhook_concurrency: 32,
            webhook_timeout_ms: 20_000,
            retry_first_ms: 500,
            retry_cap_ms: 60_000,
            retry_for_ms: 7 * 24 * 60 * 60 * 1_000,
        }
    }
}

/// The last status a message gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FinalStatus {
    Sent,
    Delivered,
    Read,
    Failed,
}

impl SimulatorSettings {
    /// These settings with the fields of `patch` replaced.
    pub(crate) fn merged(&self, patch: &serde_json::Value) -> Result<Self, Error> {
        let mut whole = serde_json::to_value(self).map_err(Error::invalid)?;
        let (Some(fields), Some(changes)) = (whole.as_object_mut(), patch.as_object()) else {
            return Err(Error::Invalid("settings must be an object".to_owned()));
        };
        for (name, value) in changes {
            fields.insert(name.clone(), value.clone());
        }
        let settings: Self = serde_json::from_value(whole).map_err(Error::invalid)?;
        settings.check()?;
        Ok(settings)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let shares = [
            ("read_share", self.read_share),
            ("duplicate_share", self.duplicate_share),
            ("reorder_share", self.reorder_share),
        ];
        if let Some((name, _)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(Error::Invalid(format!("{name} must be between 0 and 1")));
        }
        if self.statuses_per_webhook == 0 || self.webhook_concurrency == 0 {
            return Err(Error::Invalid(
                "statuses_per_webhook and webhook_concurrency must be at least 1".to_owned(),
            ));
        }
        Ok(())
    }
}
