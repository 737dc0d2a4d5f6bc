//! What lies sealed in the table.

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::{Entropy, Secret, TenantId};
use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::{Error, Result};

/// Asks for the installation's key. The store asks when it first needs it, and
/// again only when the answer was an error.
type KeySource = dyn Fn() -> BoxFuture<'static, Result<[u8; 32]>> + Send + Sync;

/// Encrypts secrets of a tenant with AES-256-GCM. The tenant is associated data,
/// so a value copied to another tenant's item cannot be opened.
#[derive(Clone)]
pub struct Sealer {
    cipher: Arc<OnceCell<Aes256Gcm>>,
    source: Arc<KeySource>,
    entropy: Entropy,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

const NONCE_LEN: usize = 12;

impl Sealer {
    /// A sealer with the installation's key.
    pub fn new(key: &[u8; 32], entropy: Entropy) -> Self {
        let key = *key;
        Self::lazy(move || Box::pin(std::future::ready(Ok(key))), entropy)
    }

    /// A sealer that asks for the installation's key when it is first needed.
    pub fn lazy(
        source: impl Fn() -> BoxFuture<'static, Result<[u8; 32]>> + Send + Sync + 'static,
        entropy: Entropy,
    ) -> Self {
        Self { cipher: Arc::default(), source: Arc::new(source), entropy }
    }

    async fn cipher(&self) -> Result<&Aes256Gcm> {
        let made = || async { Ok(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&(self.source)().await?))) };
        self.cipher.get_or_try_init(made).await
    }

    /// Encrypts `secret` for `tenant`; base64 of nonce and ciphertext.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the key cannot be had; [`Error::Sealed`] when the
    /// cipher refuses, which it does only for absurd lengths.
    pub async fn seal(&self, tenant: &TenantId, secret: &Secret) -> Result<String> {
        let nonce: [u8; NONCE_LEN] = self.entropy.bytes();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: tenant.as_str().as_bytes() };
        let cipher = self.cipher().await?;
        let sealed = cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| Error::Sealed)?;
        Ok(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts what [`Sealer::seal`] made for the same tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the key cannot be had; [`Error::Sealed`] when the
    /// key, the tenant or the value is another one.
    pub async fn open(&self, tenant: &TenantId, sealed: &str) -> Result<Secret> {
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| Error::Sealed)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(Error::Sealed)?;
        let payload = Payload { msg: sealed, aad: tenant.as_str().as_bytes() };
        let cipher = self.cipher().await?;
        let clear = cipher.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| Error::Sealed)?;
        String::from_utf8(clear).map(Secret::new).map_err(|_| Error::Sealed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn only_the_same_tenant_and_key_open_it() {
        let sealer = Sealer::new(&[7; 32], Entropy::seeded(1));
        let (a, b): (TenantId, TenantId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let sealed = sealer.seal(&a, &Secret::new("token")).await.unwrap();
        assert_eq!(sealer.open(&a, &sealed).await.unwrap().expose(), "token");
        assert!(sealer.open(&b, &sealed).await.is_err());
        assert!(Sealer::new(&[8; 32], Entropy::seeded(1)).open(&a, &sealed).await.is_err());
        assert!(sealer.open(&a, "x").await.is_err());
    }

    #[tokio::test]
    async fn the_key_is_asked_for_once_and_again_after_an_error() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let source = move || -> BoxFuture<'static, Result<[u8; 32]>> {
            let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
            let answer =
                if first { Err(Error::Unavailable { code: "Throttled".to_owned() }) } else { Ok([7; 32]) };
            Box::pin(std::future::ready(answer))
        };
        let sealer = Sealer::lazy(source, Entropy::seeded(1));
        let tenant: TenantId = "a".parse().unwrap();
        assert!(sealer.seal(&tenant, &Secret::new("token")).await.is_err());
        let sealed = sealer.seal(&tenant, &Secret::new("token")).await.unwrap();
        assert_eq!(sealer.open(&tenant, &sealed).await.unwrap().expose(), "token");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
