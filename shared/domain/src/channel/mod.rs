//! Kinds of ways out, and what each can do.

pub(crate) mod custom;

use std::fmt;

pub use custom::{
    ChannelName, CustomChannel, DEFAULT_RATE, MAX_CHANNELS, MAX_FOREIGN_ID, MAX_NAME, MAX_RATE,
    check_foreign_id, check_rate,
};

use crate::message::{Address, Content};
use crate::{Invalid, PhoneNumber};

/// A kind of way out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// Meta's Cloud API.
    Whatsapp,
    /// A linked phone.
    WhatsappWeb,
    /// An SMS phone.
    Sms,
    /// A tenant's own.
    Custom(ChannelName),
}

/// Our own channels, as contracts write them.
pub const OURS: [&str; 3] = ["whatsapp", "whatsapp-web", "sms"];

impl Channel {
    /// As contracts write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::WhatsappWeb => "whatsapp-web",
            Self::Sms => "sms",
            Self::Custom(name) => name.as_str(),
        }
    }

    /// As people write it.
    pub fn title(&self) -> &str {
        match self {
            Self::Whatsapp => "WhatsApp",
            Self::WhatsappWeb => "WhatsApp Web",
            Self::Sms => "SMS",
            Self::Custom(name) => name.as_str(),
        }
    }

    /// Reads a contract's word: a channel of ours, or what may be the name of a custom
    /// one.
    ///
    /// # Errors
    /// Names the field `channel`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = |wrong: Invalid| Invalid::new("channel", wrong.message.replacen("name", "channel", 1));
        match Self::ours(text) {
            Some(ours) => Ok(ours),
            None => Ok(Self::Custom(text.parse().map_err(wrong)?)),
        }
    }

    /// The channel of ours that a text names, in whatever spelling: `WhatsApp Web` and
    /// `whatsapp_web` are one. No custom channel may be called so.
    pub fn ours(text: &str) -> Option<Self> {
        let letters = text.chars().map(narrow).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        match letters.collect::<String>().as_str() {
            "whatsapp" | "whatsappmeta" | "whatsappcloud" | "whatsappbusiness" => Some(Self::Whatsapp),
            "whatsappweb" => Some(Self::WhatsappWeb),
            "sms" => Some(Self::Sms),
            _ => None,
        }
    }

    /// The name of a custom one, whose platform's ids are its own.
    pub fn custom(&self) -> Option<&ChannelName> {
        match self {
            Self::Custom(name) => Some(name),
            Self::Whatsapp | Self::WhatsappWeb | Self::Sms => None,
        }
    }

    /// What it can do.
    pub fn capabilities(&self) -> Capabilities {
        match self {
            Self::Whatsapp => Capabilities {
                templates: true,
                buttons: true,
                products: true,
                media: Media::Uploads,
                needs_window: true,
                needs_marketing_country: true,
                reaches: Reaches::PhoneOrBsuid,
            },
            Self::WhatsappWeb => Capabilities {
                templates: false,
                buttons: false,
                products: false,
                media: Media::Uploads,
                needs_window: false,
                needs_marketing_country: false,
                reaches: Reaches::Phone,
            },
            Self::Sms => Capabilities {
                templates: false,
                buttons: false,
                products: false,
                media: Media::None,
                needs_window: false,
                needs_marketing_country: false,
                reaches: Reaches::Phone,
            },
            Self::Custom(_) => Capabilities {
                templates: false,
                buttons: false,
                products: false,
                media: Media::Links,
                needs_window: false,
                needs_marketing_country: false,
                reaches: Reaches::Custom,
            },
        }
    }
}

/// A full-width letter as it is usually written.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a channel can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It takes approved templates.
    pub templates: bool,
    /// It takes buttons below a text.
    pub buttons: bool,
    /// It shows products of a catalog, and tells of orders.
    pub products: bool,
    /// How files reach it.
    pub media: Media,
    /// Free text reaches only who wrote within the last 24 hours.
    pub needs_window: bool,
    /// Marketing templates are not delivered to every country.
    pub needs_marketing_country: bool,
    /// The addresses that it reaches.
    pub reaches: Reaches,
}

/// How files reach a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// It takes none.
    None,
    /// By a link that it reads.
    Links,
    /// By a link, or uploaded to it before.
    Uploads,
}

/// The addresses that a channel reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaches {
    /// Phone numbers.
    Phone,
    /// Phone numbers, and Meta's ids of people without one.
    PhoneOrBsuid,
    /// Ids on the channel's own platform.
    Custom,
}

impl Capabilities {
    /// Whether the channel takes such content, and from such an address.
    ///
    /// # Errors
    /// Names the field that it does not take.
    pub fn check(&self, content: &Content) -> Result<(), Invalid> {
        match content {
            Content::Media { .. } if self.media == Media::None => {
                Err(Invalid::new("media_url", "the channel takes no media"))
            }
            Content::Buttons { .. } | Content::List { .. } if !self.buttons => {
                Err(Invalid::new("buttons", "the channel takes no buttons"))
            }
            Content::Commerce(_) if !self.products => {
                Err(Invalid::new("type", "the channel shows no products"))
            }
            Content::Template(_) if !self.templates => {
                Err(Invalid::new("template", "the channel takes no templates"))
            }
            Content::Text { .. }
            | Content::Media { .. }
            | Content::Buttons { .. }
            | Content::List { .. }
            | Content::Commerce(_)
            | Content::Template(_) => Ok(()),
        }
    }

    /// Whether the channel delivers marketing templates to such an address: Meta does not
    /// to +1, since 2025-04-01.
    pub fn takes_marketing(&self, address: &Address) -> bool {
        !(self.needs_marketing_country && address.phone().is_some_and(PhoneNumber::is_north_american))
    }

    /// Whether the channel reaches such an address.
    pub fn reaches(&self, address: &Address) -> bool {
        match (self.reaches, address) {
            (Reaches::Phone | Reaches::PhoneOrBsuid, Address::Phone(_))
            | (Reaches::PhoneOrBsuid, Address::Bsuid(_))
            | (Reaches::Custom, Address::Custom(_)) => true,
            (Reaches::Phone, Address::Bsuid(_) | Address::Custom(_))
            | (Reaches::PhoneOrBsuid, Address::Custom(_))
            | (Reaches::Custom, Address::Phone(_) | Address::Bsuid(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_and_others() {
        for (text, ours) in [
            ("whatsapp", Channel::Whatsapp),
            (" WHATSAPP ", Channel::Whatsapp),
            ("Whats App", Channel::Whatsapp),
            ("whatsapp-meta", Channel::Whatsapp),
            ("whatsapp-web", Channel::WhatsappWeb),
            ("WhatsApp_Web", Channel::WhatsappWeb),
            ("s.m.s", Channel::Sms),
            ("\u{ff33}\u{ff2d}\u{ff33}", Channel::Sms),
            ("\u{200b}sms", Channel::Sms),
        ] {
            assert_eq!(Channel::parse(text).unwrap(), ours, "{text}");
        }
        for ours in OURS {
            assert_eq!(Channel::parse(ours).unwrap().as_str(), ours);
        }
        let custom = Channel::parse("Live Chat").unwrap();
        assert_eq!((custom.as_str(), custom.capabilities().media), ("live chat", Media::Links));
        assert_eq!(Channel::parse("a#b").unwrap_err().field, "channel");
        assert_eq!(Channel::parse(" ").unwrap_err().field, "channel");
    }
}
