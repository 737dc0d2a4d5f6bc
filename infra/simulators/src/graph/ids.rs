//! Ids in the forms of Meta's own: what they look like, and how new ones are made.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::clock::mix;

/// Graph ids are digits.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// `US.1349...` or `US.ENT.1349...`
pub(crate) fn is_user_id(text: &str) -> bool {
    let Some((country, id)) = text.split_once('.') else { return false };
    let id = id.strip_prefix("ENT.").unwrap_or(id);
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A 16-digit id that looks random and never repeats within a run.
pub(crate) fn digits(key: u64, seq: u64) -> String {
    const SPREAD: u64 = 1_000_000_000;
    format!("1{:09}{:06}", mix(key ^ seq) % SPREAD, seq % 1_000_000)
}

/// An id in the form of WhatsApp's own: the base64 of a small record that names the recipient.
pub(crate) fn wamid(person: &str, unique: u64) -> String {
    let mut record = vec![0x1c, 0x18, u8::try_from(person.len()).unwrap_or(u8::MAX)];
    record.extend_from_slice(person.as_bytes());
    record.extend_from_slice(&[0x15, 0x02, 0x00, 0x11, 0x18, 0x12]);
    record.extend_from_slice(format!("3E{unique:016X}").as_bytes());
    record.push(0);
    format!("wamid.{}", STANDARD.encode(record))
}
