//! Signatures of the two shops that an account may keep a secret of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Payload;
use super::senders::Sender;
use crate::Secret;

/// A shop that signs the raw body with HMAC-SHA256 and writes it in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Shop {
    /// The shop that `source` or the headers name.
    pub fn of(payload: &Payload<'_>) -> Option<Self> {
        let named = match payload.source.map(|s| s.trim().to_ascii_lowercase()).as_deref() {
            Some("shopify") => Some(Self::Shopify),
            Some("woocommerce") => Some(Self::WooCommerce),
            Some(_) | None => None,
        };
        named.or_else(|| match Sender::by_headers(payload)? {
            Sender::Shopify => Some(Self::Shopify),
            Sender::WooCommerce => Some(Self::WooCommerce),
            Sender::HubSpot | Sender::Klaviyo | Sender::Pipedrive | Sender::Stripe | Sender::Typeform => None,
        })
    }

    /// The header with the signature.
    pub fn header(self) -> &'static str {
        match self {
            Self::Shopify => "x-shopify-hmac-sha256",
            Self::WooCommerce => "x-wc-webhook-signature",
        }
    }

    /// Whether the body is signed with `secret`, compared in constant time.
    /// WooCommerce's ping never is: see [`super::is_ping`].
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
    fn the_shop_is_named_by_source_or_headers() {
        let of = |source, agent| {
            Shop::of(&Payload {
                body: b"",
                content_type: None,
                source,
                headers: &[("user-agent", agent)],
                country: None,
            })
        };
        assert_eq!(of(Some("Shopify"), ""), Some(Shop::Shopify));
        assert_eq!(of(None, "WooCommerce/9.4 Hookshot"), Some(Shop::WooCommerce));
        assert_eq!(of(Some("crm"), "Stripe/1.0"), None);
    }
}
