use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::{Entropy, Secret, TenantId};

use crate::{Error, Result};

/// Encrypts secrets of a tenant with AES-256-GCM. The tenant is associated data,
/// so a value copied to another tenant's item cannot be opened.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
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
        Self { cipher: Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key)), entropy }
    }

    /// Encrypts `secret` for `tenant`; base64 of nonce and ciphertext.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the cipher refuses, which it does only for absurd lengths.
    pub fn seal(&self, tenant: &TenantId, secret: &Secret) -> Result<String> {
        let nonce: [u8; NONCE_LEN] = self.entropy.bytes();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: tenant.as_str().as_bytes() };
        let sealed = self.cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| Error::Sealed)?;
        Ok(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts what [`Sealer::seal`] made for the same tenant.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the key, the tenant or the value is another one.
    pub fn open(&self, tenant: &TenantId, sealed: &str) -> Result<Secret> {
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| Error::Sealed)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(Error::Sealed)?;
        let payload = Payload { msg: sealed, aad: tenant.as_str().as_bytes() };
        let clear = self.cipher.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| Error::Sealed)?;
        String::from_utf8(clear).map(Secret::new).map_err(|_| Error::Sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_tenant_and_key_open_it() {
        let sealer = Sealer::new(&[7; 32], Entropy::seeded(1));
        let (a, b): (TenantId, TenantId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let sealed = sealer.seal(&a, &Secret::new("token")).unwrap();
        assert_eq!(sealer.open(&a, &sealed).unwrap().expose(), "token");
        assert!(sealer.open(&b, &sealed).is_err());
        assert!(Sealer::new(&[8; 32], Entropy::seeded(1)).open(&a, &sealed).is_err());
        assert!(sealer.open(&a, "x").is_err());
    }
}
