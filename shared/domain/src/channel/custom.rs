//! Custom channels: a tenant's own way to reach people, by a URL that takes the
//! messages.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::Invalid;

/// Most custom channels of a tenant.
pub const MAX_CHANNELS: usize = 50;
/// Longest name of a channel, in characters.
pub const MAX_NAME: usize = 64;
/// Longest id that a platform gives to a person or a message, in characters.
pub const MAX_FOREIGN_ID: usize = 255;
/// Messages per second of a channel that nothing else is said about.
pub const DEFAULT_RATE: u32 = 5;
/// Most messages per second of a channel.
pub const MAX_RATE: u32 = 1_000;

/// The name of a channel, lower-cased: names that differ only in case are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(String);

impl ChannelName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ChannelName {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let name = s.trim();
        let length = name.chars().count();
        if length == 0 || length > MAX_NAME {
            return Err(Invalid::new("name", format!("name must have 1 to {MAX_NAME} characters")));
        }
        // They separate the parts of keys and of paths.
        if name.chars().any(|c| c.is_control() || matches!(c, '#' | '/' | '\\' | '?' | '%')) {
            return Err(Invalid::new(
                "name",
                "name must not contain control characters or any of # / \\ ? %",
            ));
        }
        let lower = name.to_lowercase();
        // A few letters become several when they are lower-cased.
        if lower.chars().count() > MAX_NAME {
            return Err(Invalid::new("name", format!("name must have 1 to {MAX_NAME} characters")));
        }
        Ok(Self(lower))
    }
}

/// A registered channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomChannel {
    /// What names it in requests.
    pub key: ChannelName,
    /// Its name as it was registered.
    pub name: String,
    /// Where messages are posted.
    pub url: String,
    /// Messages per second that it takes.
    pub per_second: u32,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Checks an id that a platform gave.
///
/// # Errors
/// Names `field`.
pub fn check_foreign_id(field: &str, id: &str) -> Result<String, Invalid> {
    let id = id.trim();
    if id.is_empty() || id.chars().count() > MAX_FOREIGN_ID {
        return Err(Invalid::new(field, format!("{field} must have 1 to {MAX_FOREIGN_ID} characters")));
    }
    if id.chars().any(char::is_control) {
        return Err(Invalid::new(field, format!("{field} must not contain control characters")));
    }
    Ok(id.to_owned())
}

/// Checks a rate.
///
/// # Errors
/// Names the field `rate`.
pub fn check_rate(rate: u64) -> Result<u32, Invalid> {
    let known = u32::try_from(rate).ok().filter(|rate| (1..=MAX_RATE).contains(rate));
    let wrong = || Invalid::new("rate", format!("rate must be 1 to {MAX_RATE} messages per second"));
    known.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_in_any_case() {
        for (text, want) in [(" My-Channel ", "my-channel"), ("LIVECHAT", "livechat"), ("Città", "città")] {
            assert_eq!(text.parse::<ChannelName>().unwrap().as_str(), want);
        }
        let long = "x".repeat(65);
        for bad in ["", "  ", "a#b", "a/b", "a\nb", "50%", &long] {
            assert_eq!(bad.parse::<ChannelName>().unwrap_err().field, "name", "{bad}");
        }
    }

    #[test]
    fn ids_and_rates_have_limits() {
        assert_eq!(check_foreign_id("fromId", " 17 "), Ok("17".to_owned()));
        for bad in ["", " ", "a\u{0}b", &"x".repeat(256)] {
            assert_eq!(check_foreign_id("fromId", bad).unwrap_err().field, "fromId");
        }
        assert_eq!((check_rate(1), check_rate(1_000)), (Ok(1), Ok(1_000)));
        assert!(check_rate(0).is_err() && check_rate(1_001).is_err() && check_rate(u64::MAX).is_err());
    }
}
