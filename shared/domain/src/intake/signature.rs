//! Signatures of the two shops that an account may keep a secret of.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Payload;
use super::senders::Platform;
use crate::{Invalid, Secret};

/// A shop that signs the raw body with HMAC-SHA256 and writes it in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shop {
    /// <https://shopify.dev/docs/apps/build/webhooks/subscribe/https>
    Shopify,
    /// `WC_Webhook::generate_signature`
    WooCommerce,
}

/// Why a body is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// No header.
    #[error("the signature is missing")]
    Missing,
    /// Of another body or with another secret.
    #[error("the signature does not fit the body")]
    Wrong,
}

impl FromStr for Shop {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|shop| shop.is_called(name));
        found.ok_or_else(|| Invalid::new("shop", "shop must be shopify or woocommerce"))
    }
}

impl Shop {
    /// Every shop.
    pub const ALL: [Self; 2] = [Self::Shopify, Self::WooCommerce];

    /// As it is stored and printed; also the tag of its contacts.
    pub fn as_str(self) -> &'static str {
        self.sender().as_str()
    }

    fn sender(self) -> Platform {
        match self {
            Self::Shopify => Platform::Shopify,
            Self::WooCommerce => Platform::WooCommerce,
        }
    }

    fn is_called(self, name: &str) -> bool {
        name.trim().eq_ignore_ascii_case(self.as_str())
    }

    /// The shops that a body claims to come from: by its headers, or by the tag
    /// that its contacts would get, wherever that comes from.
    pub fn claimed(payload: &Payload<'_>, tag: &str) -> impl Iterator<Item = Self> {
        let header = Platform::by_headers(payload);
        Self::ALL.into_iter().filter(move |shop| header == Some(shop.sender()) || shop.is_called(tag))
    }

    /// The header with the signature.
    pub fn header(self) -> &'static str {
        match self {
            Self::Shopify => "x-shopify-hmac-sha256",
            Self::WooCommerce => "x-wc-webhook-signature",
        }
    }

    /// Whether the body is signed with `secret`, compared in constant time.
    /// WooCommerce's ping never is: see [`super::Ignored::Ping`].
    ///
    /// # Errors
    /// [`BadSignature`]
    pub fn verify(self, payload: &Payload<'_>, secret: &Secret) -> Result<(), BadSignature> {
        let signature = payload.header(self.header()).ok_or(BadSignature::Missing)?;
        let tag = STANDARD.decode(signature).map_err(|_| BadSignature::Wrong)?;
        let mac =
            Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|_| BadSignature::Wrong)?;
        mac.chain_update(payload.body).verify_slice(&tag).map_err(|_| BadSignature::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":1,"email":"mario@example.com"}"#;
    /// Of `BODY` under `fake-shop-secret`, by another implementation.
    const SIGNED: &str = "nw2KEiUTfWra2/ETrh3Vw0e0q1pjNR7p5M4GPSzuk/E=";

    fn verify(shop: Shop, headers: &[(&str, &str)], body: &[u8], secret: &str) -> Result<(), BadSignature> {
        let payload = Payload { body, content_type: None, source: None, headers, country: None };
        shop.verify(&payload, &Secret::new(secret))
    }

    #[test]
    fn the_raw_body_is_what_is_signed() {
        for (shop, name) in
            [(Shop::Shopify, "X-Shopify-Hmac-SHA256"), (Shop::WooCommerce, "X-WC-Webhook-Signature")]
        {
            let secret = "fake-shop-secret";
            assert_eq!(verify(shop, &[(name, SIGNED)], BODY, secret), Ok(()));
            assert_eq!(verify(shop, &[(name, SIGNED)], b"{}", secret), Err(BadSignature::Wrong));
            assert_eq!(verify(shop, &[(name, SIGNED)], BODY, "other"), Err(BadSignature::Wrong));
            assert_eq!(verify(shop, &[(name, &SIGNED[..20])], BODY, secret), Err(BadSignature::Wrong));
            assert_eq!(verify(shop, &[(name, "!")], BODY, secret), Err(BadSignature::Wrong));
            assert_eq!(verify(shop, &[(name, "")], BODY, secret), Err(BadSignature::Missing));
            assert_eq!(verify(shop, &[], BODY, secret), Err(BadSignature::Missing));
        }
    }

    #[test]
    fn the_shop_is_claimed_by_tag_or_headers() {
        let claimed = |tag, agent| {
            let headers = [("user-agent", agent)];
            let payload =
                Payload { body: b"", content_type: None, source: None, headers: &headers, country: None };
            Shop::claimed(&payload, tag).collect::<Vec<_>>()
        };
        assert_eq!(claimed("Shopify", ""), [Shop::Shopify]);
        assert_eq!(claimed("crm", "WooCommerce/9.4 Hookshot"), [Shop::WooCommerce]);
        assert_eq!(claimed("shopify", "WooCommerce/9.4 Hookshot"), Shop::ALL);
        assert_eq!(claimed("stripe", "Stripe/1.0"), []);
    }

    #[test]
    fn a_shop_has_a_name() {
        assert_eq!(" WooCommerce".parse(), Ok(Shop::WooCommerce));
        assert_eq!("magento".parse::<Shop>().unwrap_err().field, "shop");
    }
}
