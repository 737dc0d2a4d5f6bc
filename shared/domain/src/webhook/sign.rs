//! Signatures of Standard Webhooks, version 1 (symmetric).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::{Entropy, Invalid, Secret};

/// The header with the event's id, the same at every attempt.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// After a rotation the old secret signs too, for this long.
pub const ROTATION_GRACE: Duration = Duration::from_secs(24 * 3_600);
/// How far a receiver lets the timestamp differ from its own clock.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
/// The standard asks for 24 to 64 bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key that an endpoint's events are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// A new secret of 32 bytes.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(entropy.bytes::<32>().to_vec())
    }

    /// `whsec_` and base64, for the owner and for the store.
    pub fn reveal(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(&self.0)))
    }

    /// One signature, `v1,<base64>`, of what is sent at `timestamp` seconds.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let tag = self.mac(id, timestamp, body).map(|mac| mac.finalize().into_bytes());
        format!("{VERSION}{}", STANDARD.encode(tag.unwrap_or_default()))
    }

    fn matches(&self, id: &str, timestamp: i64, body: &[u8], tag: &[u8]) -> bool {
        self.mac(id, timestamp, body).is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }

    /// HMAC takes keys of every length, so there is always one.
    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(mac)
    }
}

/// Reads what [`SigningSecret::reveal`] wrote; the prefix may be missing.
impl FromStr for SigningSecret {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let text = s.trim();
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).unwrap_or_default();
        if !SECRET_BYTES.contains(&bytes.len()) {
            return Err(Invalid::new("secret", "secret must be whsec_ and the base64 of 24 to 64 bytes"));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(***)")
    }
}

/// The secret of an endpoint, and the one before it for as long as it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeys {
    /// Signs everything.
    pub current: SigningSecret,
    /// Signs too, until the time beside it.
    pub previous: Option<(SigningSecret, Timestamp)>,
}

impl SigningKeys {
    /// Keys of a new endpoint.
    pub fn new(current: SigningSecret) -> Self {
        Self { current, previous: None }
    }

    /// Puts `next` in place; the one that signed until now is valid for
    /// [`ROTATION_GRACE`] more. A second rotation within that time ends the oldest.
    #[must_use]
    pub fn rotate(self, next: SigningSecret, now: Timestamp) -> Self {
        let until = now.saturating_add(ROTATION_GRACE).unwrap_or(Timestamp::MAX);
        Self { current: next, previous: Some((self.current, until)) }
    }

    /// The value of [`SIGNATURE_HEADER`] for an attempt at `now`: one signature,
    /// or two with a space between them during a rotation.
    pub fn header(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let timestamp = now.as_second();
        let mut value = self.current.sign(id, timestamp, body);
        if let Some((previous, _)) = self.previous.as_ref().filter(|(_, until)| now < *until) {
            value.push(' ');
            value.push_str(&previous.sign(id, timestamp, body));
        }
        value
    }
}

/// Why a receiver does not believe a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// The timestamp is no number.
    #[error("the timestamp is not a number of seconds")]
    Timestamp,
    /// Too old or from the future: perhaps a replay.
    #[error("the timestamp is too far from the current time")]
    Stale,
    /// No signature of the header fits.
    #[error("no signature fits")]
    Signature,
}

/// What a receiver does: for tests, and for documentation that compiles.
///
/// # Errors
/// [`Forged`]
pub fn verify(
    secret: &SigningSecret,
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Forged> {
    let timestamp: i64 = timestamp.parse().map_err(|_| Forged::Timestamp)?;
    if now.as_second().abs_diff(timestamp) > TOLERANCE.as_secs() {
        return Err(Forged::Stale);
    }
    let fits = signatures
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix(VERSION)?).ok())
        .any(|tag| secret.matches(id, timestamp, body, &tag));
    if fits { Ok(()) } else { Err(Forged::Signature) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The vector of the standard's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn now() -> Timestamp {
        Timestamp::from_second(1_614_265_330).unwrap()
    }

    fn later(seconds: i64) -> Timestamp {
        Timestamp::from_second(now().as_second() + seconds).unwrap()
    }

    #[test]
    fn the_standards_vector() {
        let secret: SigningSecret = SECRET.parse().unwrap();
        assert_eq!(secret.sign(ID, 1_614_265_330, BODY), SIGNED);
        assert_eq!(verify(&secret, ID, "1614265330", SIGNED, BODY, now()), Ok(()));
        assert_eq!(secret.reveal().expose(), SECRET);
        assert_eq!(SECRET[6..].parse(), Ok(secret));
    }

    #[test]
    fn every_part_is_signed() {
        let secret: SigningSecret = SECRET.parse().unwrap();
        for (id, timestamp, signature, body, want) in [
            ("msg_other", "1614265330", SIGNED, BODY, Forged::Signature),
            (ID, "1614265331", SIGNED, BODY, Forged::Signature),
            (ID, "1614265330", SIGNED, &b"{\"test\":2432232314}"[..], Forged::Signature),
            (ID, "1614265330", "v1,AAAA", BODY, Forged::Signature),
            (ID, "1614265330", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", BODY, Forged::Signature),
            (ID, "1614265330", "", BODY, Forged::Signature),
            (ID, "soon", SIGNED, BODY, Forged::Timestamp),
        ] {
            assert_eq!(verify(&secret, id, timestamp, signature, body, now()), Err(want));
        }
    }

    #[test]
    fn a_replay_and_a_time_to_come_are_stale() {
        let secret: SigningSecret = SECRET.parse().unwrap();
        for (seconds, want) in
            [(300, Ok(())), (301, Err(Forged::Stale)), (-300, Ok(())), (-301, Err(Forged::Stale))]
        {
            assert_eq!(verify(&secret, ID, "1614265330", SIGNED, BODY, later(seconds)), want);
        }
    }

    #[test]
    fn both_secrets_are_valid_during_a_rotation() {
        let entropy = Entropy::seeded(1);
        let (old, new) = (SigningSecret::generate(&entropy), SigningSecret::generate(&entropy));
        let keys = SigningKeys::new(old.clone()).rotate(new.clone(), now());
        let accepted = |at: Timestamp| {
            let header = keys.header(ID, at, BODY);
            let timestamp = at.as_second().to_string();
            [&old, &new].map(|secret| verify(secret, ID, &timestamp, &header, BODY, at).is_ok())
        };
        assert_eq!(accepted(now()), [true, true]);
        assert_eq!(accepted(later(24 * 3_600 - 1)), [true, true]);
        assert_eq!(accepted(later(24 * 3_600)), [false, true]);
        assert_eq!(keys.header(ID, now(), BODY).split(' ').count(), 2);
    }

    #[test]
    fn secrets_have_24_to_64_bytes_and_stay_hidden() {
        for bad in ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ="] {
            assert_eq!(bad.parse::<SigningSecret>().unwrap_err().field, "secret", "{bad}");
        }
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        assert!(long.parse::<SigningSecret>().is_err());
        let secret = SigningSecret::generate(&Entropy::seeded(2));
        assert_eq!(secret.reveal().expose().parse(), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "SigningSecret(***)");
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_nothing_else(
            id in "[a-z0-9_]{1,20}",
            body in prop::collection::vec(any::<u8>(), 0..200),
            other in prop::collection::vec(any::<u8>(), 0..200),
            seed in any::<u64>(),
        ) {
            let secret = SigningSecret::generate(&Entropy::seeded(seed));
            let header = SigningKeys::new(secret.clone()).header(&id, now(), &body);
            let verdict = |body: &[u8]| verify(&secret, &id, "1614265330", &header, body, now()).is_ok();
            prop_assert!(verdict(&body));
            prop_assert_eq!(verdict(&other), body == other);
        }
    }
}
