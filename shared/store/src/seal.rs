//! What lies sealed in the table.

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::{Entropy, Secret, TenantId};
use futures::future::BoxFuture;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::{Error, Result};

/// Asks for the installation's key. The store asks when it first needs it, and
/// again only when the answer was an error.
type KeySource = dyn Fn() -> BoxFuture<'static, Result<[u8; 32]>> + Send + Sync;

/// Encrypts secrets of a tenant with AES-256-GCM. The tenant is associated data,
/// so a value copied to another tenant's item cannot be opened.
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<OnceCell<Keys>>,
    source: Arc<KeySource>,
    entropy: Entropy,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

/// What the installation's key is used for.
struct Keys {
    cipher: Aes256Gcm,
    /// Another key, made of it.
    digests: Hmac<Sha256>,
}

impl Keys {
    fn of(key: &[u8; 32]) -> Result<Self> {
        let hmac = |key: &[u8]| <Hmac<Sha256> as Mac>::new_from_slice(key).map_err(|_| Error::Sealed);
        let derived = hmac(key)?.chain_update(b"digests").finalize().into_bytes();
        Ok(Self { cipher: Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key)), digests: hmac(&derived)? })
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
        Self { keys: Arc::default(), source: Arc::new(source), entropy }
    }

    async fn keys(&self) -> Result<&Keys> {
        self.keys.get_or_try_init(|| async { Keys::of(&(self.source)().await?) }).await
    }

    /// A digest of `text` that nobody makes without the installation's key, in lower-case
    /// hexadecimal: HMAC-SHA256. That of another tenant is another one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the key cannot be had.
    pub async fn digest(&self, tenant: &TenantId, text: &str) -> Result<String> {
        let digest = self.keys().await?.digests.clone();
        let digest = digest.chain_update(tenant.as_str()).chain_update([0]).chain_update(text);
        Ok(digest.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Encrypts `secret` for `tenant`; base64 of nonce and ciphertext.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the key cannot be had; [`Error::Sealed`] when the
    /// cipher refuses, which it does only for absurd lengths.
    pub async fn seal(&self, tenant: &TenantId, secret: &Secret) -> Result<String> {
        let nonce: [u8; NONCE_LEN] = self.entropy.bytes();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: tenant.as_str().as_bytes() };
        let cipher = &self.keys().await?.cipher;
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
        let cipher = &self.keys().await?.cipher;
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
    async fn a_digest_is_of_text_tenant_and_key() {
        let sealer = Sealer::new(&[7; 32], Entropy::seeded(1));
        let (a, b): (TenantId, TenantId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let digest = sealer.digest(&a, "123456").await.unwrap();
        assert_eq!((digest.len(), sealer.digest(&a, "123456").await.unwrap()), (64, digest.clone()));
        let other = Sealer::new(&[8; 32], Entropy::seeded(1));
        for another in [sealer.digest(&a, "123457"), sealer.digest(&b, "123456"), other.digest(&a, "123456")]
            .map(Box::pin)
        {
            assert_ne!(another.await.unwrap(), digest);
        }
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
