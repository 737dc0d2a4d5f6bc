//! What a message leaves from.

use std::fmt;
use std::str::FromStr;

use crate::channel::{Channel, ChannelName};
use crate::pace::Pace;
use crate::{AccountId, Invalid};

/// Names a sender within its tenant: Meta's id of a number, or `custom:<name>` of a
/// custom channel. What was written for Meta's ids alone is read as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderId(String);

/// What begins the id of a custom channel.
const CUSTOM: &str = "custom:";
/// Longest id, in bytes.
const MAX_LENGTH: usize = 300;

impl SenderId {
    /// A number of Meta's Cloud API, by Meta's id.
    pub fn number(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// A custom channel.
    pub fn custom(name: &ChannelName) -> Self {
        Self(format!("{CUSTOM}{name}"))
    }

    /// As it is stored and printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The channel that it sends over.
    pub fn channel(&self) -> Channel {
        let custom = self.0.strip_prefix(CUSTOM).and_then(|name| name.parse().ok());
        custom.map_or(Channel::Whatsapp, Channel::Custom)
    }
}

impl fmt::Display for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SenderId {
    type Err = Invalid;

    /// Reads an id, or a phone number as people write it: its digits.
    ///
    /// # Errors
    /// Names the field `sender`.
    fn from_str(s: &str) -> Result<Self, Invalid> {
        let text = s.trim();
        let wrong = || Invalid::new("sender", "sender must be the id of one of the account's senders");
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(wrong());
        }
        if let Some(name) = text.strip_prefix(CUSTOM) {
            return Ok(Self::custom(&name.parse().map_err(|_| wrong())?));
        }
        let is_number = text.chars().all(|c| c.is_ascii_digit() || "+-(). ".contains(c));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        match is_number && !digits.is_empty() {
            true => Ok(Self::number(&digits)),
            false => Err(wrong()),
        }
    }
}

/// What a message leaves from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Names it.
    pub id: SenderId,
    /// The account that it belongs to; a custom channel is every account's.
    pub account: Option<AccountId>,
    /// The channel that it sends over.
    pub channel: Channel,
    /// How fast it may.
    pub pace: Pace,
    /// What people call it.
    pub name: String,
    /// The one of its account and channel that sends when none is named.
    pub is_default: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_its_channel() {
        let number: SenderId = " 106540352242922 ".parse().unwrap();
        assert_eq!((number.as_str(), number.channel()), ("106540352242922", Channel::Whatsapp));
        assert_eq!("+1 (555) 078-3881".parse::<SenderId>().unwrap().as_str(), "15550783881");
        let name: ChannelName = "Live Chat".parse().unwrap();
        let custom: SenderId = "custom:Live Chat".parse().unwrap();
        assert_eq!((custom.as_str(), custom.channel()), ("custom:live chat", Channel::Custom(name)));
        for bad in ["", "abc", "custom:", "custom:a#b", "+", "39a"] {
            assert_eq!(bad.parse::<SenderId>().unwrap_err().field, "sender", "{bad}");
        }
    }
}
