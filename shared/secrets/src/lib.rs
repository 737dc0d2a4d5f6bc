//! The installation's one secret, from which its keys are derived: the one that seals
//! what lies in the table, and the one of whoever runs the installation.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use domain::{Entropy, Secret};
use environment::{Env, Missing};
use futures::future::BoxFuture;
use hmac::{Hmac, Mac};
use ops::{AdminKey, Code, Error};
use serde::Deserialize;
use sha2::Sha256;
use store::{Sealer, Store};
use tokio::sync::OnceCell;

/// The table of a function, with secrets that are sealed: `TABLE_NAME`, `SECRET_ID`.
///
/// # Errors
/// [`Missing`]
pub fn store(env: &Env) -> Result<Store, Missing> {
    let root = Root::of(env)?;
    Store::of(env, Sealer::lazy(move || root.sealing_key(), Entropy::system()))
}

/// What may create tenants, as `infra/admin_key.py` prints it: `SECRET_ID`.
///
/// # Errors
/// [`Missing`]
pub fn admin_key(env: &Env) -> Result<AdminKey, Missing> {
    let root = Root::of(env)?;
    Ok(AdminKey::lazy(move || root.admin_key()))
}

/// The installation's one secret, from which its keys are derived. It is read
/// when it is first needed, and once.
#[derive(Debug, Clone)]
struct Root(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    id: String,
    value: OnceCell<Stored>,
}

/// What the secret holds: the root, which the template lets Secrets Manager
/// generate; and the sealing key of an installation that brought its own, in
/// hexadecimal, because it began on a laptop.
#[derive(Debug)]
struct Stored {
    root: Secret,
    sealing_key: Option<Secret>,
}

impl Stored {
    fn read(json: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wire {
            root: String,
            sealing_key: Option<String>,
        }
        let wire: Wire = serde_json::from_str(json).ok()?;
        Some(Self { root: Secret::new(wire.root), sealing_key: wire.sealing_key.map(Secret::new) })
    }

    fn sealing_key(&self) -> Option<[u8; 32]> {
        let Some(own) = &self.sealing_key else {
            return Some(derive(&self.root, "staffetta sealing key v1"));
        };
        let own = own.expose();
        let mut key = [0; 32];
        for (i, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(own.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        (own.len() == 64).then_some(key)
    }
}

impl Root {
    fn of(env: &Env) -> Result<Self, Missing> {
        let (client, id) = (Client::new(env.aws()), env.required("SECRET_ID")?);
        Ok(Self(Arc::new(Inner { client, id, value: OnceCell::new() })))
    }

    /// The key that seals what lies in the table.
    fn sealing_key(&self) -> BoxFuture<'static, store::Result<[u8; 32]>> {
        let root = self.clone();
        Box::pin(async move {
            let unavailable = |code: String| store::Error::Unavailable { code };
            let malformed = || unavailable("SealingKeyMalformed".to_owned());
            root.read().await.map_err(unavailable)?.sealing_key().ok_or_else(malformed)
        })
    }

    /// The key of whoever runs the installation.
    fn admin_key(&self) -> BoxFuture<'static, ops::Result<Secret>> {
        let root = self.clone();
        Box::pin(async move {
            let unavailable = |_| Error::new(Code::Unavailable, "the installation's secret cannot be read");
            let key = derive(&root.read().await.map_err(unavailable)?.root, "staffetta admin key v1");
            Ok(Secret::new(key.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        })
    }

    async fn read(&self) -> Result<&Stored, String> {
        let Inner { client, id, value } = &*self.0;
        let asked = async || {
            let answer = client.get_secret_value().secret_id(id).send().await.map_err(|error| {
                error.as_service_error().and_then(|e| e.code()).unwrap_or("DispatchFailure").to_owned()
            })?;
            let stored = Stored::read(answer.secret_string().unwrap_or_default());
            stored.ok_or_else(|| "SecretHasNoRoot".to_owned())
        };
        let read: Result<&Stored, String> = value.get_or_try_init(asked).await;
        read.inspect_err(|code| tracing::error!(code, "the secret of SECRET_ID cannot be read"))
    }
}

/// HMAC-SHA-256 of a purpose under the root: keys that say nothing of each other.
fn derive(root: &Secret, purpose: &str) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(root.expose().as_bytes()) else { return [0; 32] };
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_its_key() {
        let root = Secret::new("fake-root");
        let hex = |key: [u8; 32]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        // printf 'staffetta admin key v1' | openssl dgst -sha256 -hmac fake-root
        let admin = hex(derive(&root, "staffetta admin key v1"));
        assert_eq!(admin, "0ad7715b39293d46bb5768573effe91ef2b974fd4949fe8b8215129cf8731bd0");
        assert_ne!(admin, hex(derive(&root, "staffetta sealing key v1")));
    }

    #[test]
    fn an_installation_may_bring_its_key() {
        let key = |stored: &str| Stored::read(stored).unwrap().sealing_key();
        assert_eq!(key(r#"{"root":"r"}"#), Some(derive(&Secret::new("r"), "staffetta sealing key v1")));
        let own = "07".repeat(32);
        assert_eq!(key(&format!(r#"{{"root":"r","sealing_key":"{own}"}}"#)), Some([7; 32]));
        for malformed in ["", "07", "zz", &own[1..], &format!("{own}07")] {
            assert_eq!(key(&format!(r#"{{"root":"r","sealing_key":"{malformed}"}}"#)), None, "{malformed}");
        }
    }
}
