//! The demo tenant: made on first start, with a connected number.

use std::error::Error;
use std::path::PathBuf;

use domain::account::Number;
use domain::plan::Plan;
use domain::sender::SenderId;
use domain::{Entropy, Secret};
use ops::accounts::{AccountSettings, NewTenant, create_account, create_tenant};
use serde::{Deserialize, Serialize};
use store::numbers::Connecting;
use store::{Store, sha256_hex};

use crate::settings::Settings;
use crate::stores::write_private;

/// Meta's ids of the demo number, unless the environment names others.
const PHONE_NUMBER_ID: &str = "106540352242922";
const WABA_ID: &str = "102290129340398";
const DISPLAY_PHONE_NUMBER: &str = "15550783881";

/// What a client needs: the content of `credentials.json`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// The API.
    pub url: String,
    /// The demo tenant's key.
    pub apikey: String,
    /// The demo account's token.
    pub token: String,
    /// The connected number.
    pub phone_number_id: String,
    /// Signs webhooks from Meta.
    pub meta_app_secret: String,
    /// Verifies Meta's webhook.
    pub meta_verify_token: String,
    /// The simulator of this process, or the loopback Graph API it was given.
    pub simulator_url: Option<String>,
    /// The business account of the number.
    #[serde(default)]
    pub waba_id: String,
    /// The token with which Meta's API is called.
    #[serde(default)]
    pub meta_access_token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Where the credentials are.
    pub fn path(settings: &Settings) -> PathBuf {
        settings.home.join("credentials.json")
    }

    /// The credentials of an earlier start, when their key still works; the
    /// settings of this start win over theirs.
    async fn known(settings: &Settings, store: &Store) -> Result<Option<Self>, Box<dyn Error>> {
        let Ok(bytes) = std::fs::read(Self::path(settings)) else { return Ok(None) };
        let Ok(known) = serde_json::from_slice::<Self>(&bytes) else { return Ok(None) };
        let key = store.api_key(&sha256_hex(&known.apikey)).await?;
        Ok(key.map(|_| known))
    }

    fn settle(mut self, settings: &Settings) -> Self {
        self.url = settings.url();
        if let Some(secret) = &settings.app_secret {
            self.meta_app_secret.clone_from(secret);
        }
        if let Some(token) = &settings.verify_token {
            self.meta_verify_token.clone_from(token);
        }
        self.simulator_url = match &settings.meta {
            None => Some(settings.simulator_url()),
            Some(meta) => meta.graph_url.contains("//127.0.0.1").then(|| {
                meta.graph_url.rsplit_once("/v").map_or(meta.graph_url.as_str(), |(base, _)| base).to_owned()
            }),
        };
        if let Some(meta) = &settings.meta {
            self.meta_access_token.clone_from(&meta.access_token);
            if let Some(id) = &meta.phone_number_id {
                self.phone_number_id.clone_from(id);
            }
            if let Some(id) = &meta.waba_id {
                self.waba_id.clone_from(id);
            }
        }
        self
    }
}

/// Makes the demo tenant if there is none, connects its number as the settings
/// say, and writes `credentials.json`.
///
/// # Errors
/// When a store or the folder cannot be written to.
pub async fn seed(
    settings: &Settings,
    store: &Store,
    entropy: &Entropy,
) -> Result<Credentials, Box<dyn Error>> {
    let credentials = match Credentials::known(settings, store).await? {
        Some(known) => known,
        None => create(store, entropy).await?,
    };
    let credentials = credentials.settle(settings);
    connect(settings, store, &credentials).await?;
    write_private(&Credentials::path(settings), serde_json::to_string_pretty(&credentials)?.as_bytes())?;
    Ok(credentials)
}

async fn create(store: &Store, entropy: &Entropy) -> Result<Credentials, Box<dyn Error>> {
    let new = NewTenant {
        name: "demo".to_owned(),
        email: "demo@example.com".to_owned(),
        timezone: Some("Europe/Rome".to_owned()),
        plan: Plan::default(),
    };
    let (tenant, apikey) = create_tenant(store, new).await?;
    let new = AccountSettings::named("Demo account");
    let account = create_account(store, &tenant, new).await?;
    Ok(Credentials {
        url: String::new(),
        apikey: apikey.expose().to_owned(),
        token: account.token.expose().to_owned(),
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        meta_app_secret: entropy.token(32),
        meta_verify_token: entropy.token(24),
        simulator_url: None,
        waba_id: WABA_ID.to_owned(),
        meta_access_token: format!("EAA-local-{}", entropy.token(24)),
    })
}

/// Connects the demo number without asking Meta: its owner configured it.
async fn connect(
    settings: &Settings,
    store: &Store,
    credentials: &Credentials,
) -> Result<(), Box<dyn Error>> {
    let owner = store.account_of_token(&Secret::new(&*credentials.token)).await?;
    let (tenant, id) = owner.ok_or("the demo account is gone: remove credentials.json and start again")?;
    let account = store.account(&tenant, id).await?.ok_or("the demo account is gone")?;
    let id = SenderId::number(&credentials.phone_number_id);
    let before = account.number_of(&id);
    let number = Number {
        id,
        waba_id: credentials.waba_id.clone(),
        display_phone_number: DISPLAY_PHONE_NUMBER.to_owned(),
        verified_name: "Staffetta demo".to_owned(),
        access_token: Secret::new(&*credentials.meta_access_token),
        app_secret: Secret::new(&*credentials.meta_app_secret),
        per_second: settings.demo_rate.max(1),
        tier: None,
        connected_at: before.map_or_else(|| store.clock().now(), |number| number.connected_at),
    };
    if before != Some(&number) {
        let how = Connecting { verify_token: &credentials.meta_verify_token, as_default: false };
        store.connect_number(&tenant, account.id, &number, how).await?;
    }
    Ok(())
}
