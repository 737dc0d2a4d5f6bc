//! Messages that go out: what they contain and what the channel allows.

mod commerce;
mod rules;

pub use commerce::{Commerce, MAX_COMMERCE_TEXT, ProductSection};
pub use rules::check_caption;

use crate::channel::custom::ChannelName;
use crate::media::MediaKind;
use crate::{Invalid, PhoneNumber, TenantId};
use rules::{check_buttons, check_header, check_rows, within};

/// Longest text of a message, in characters.
pub const MAX_TEXT: usize = 4_096;

/// Most buttons below a text; more of them are rows of a list.
pub const MAX_BUTTONS: usize = 3;
/// Most rows of a list.
pub const MAX_ROWS: usize = 10;

/// Whom a message is for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A phone number.
    Phone(PhoneNumber),
    /// Meta's business-scoped user id.
    Bsuid(String),
    /// A person's id on a custom channel.
    Custom(CustomAddress),
}

/// A person's id on a custom channel, with the channel.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CustomAddress {
    /// `custom:<channel>#<id>`; a channel's name has no `#`.
    text: String,
    /// Where the `#` is.
    hash: usize,
}

/// What the text of a custom address begins with; no bsuid does.
const CUSTOM: &str = "custom:";

impl CustomAddress {
    /// Somebody on a channel.
    pub fn new(channel: &ChannelName, id: &str) -> Self {
        Self { text: format!("{CUSTOM}{channel}#{id}"), hash: CUSTOM.len() + channel.as_str().len() }
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(CUSTOM)?;
        Some(Self { text: text.to_owned(), hash: CUSTOM.len() + rest.find('#')? })
    }

    /// The channel.
    pub fn channel(&self) -> &str {
        &self.text[CUSTOM.len()..self.hash]
    }

    /// The id there.
    pub fn id(&self) -> &str {
        &self.text[self.hash + 1..]
    }
}

/// Whether a text is a business-scoped user id: a country, and at most 128 letters and digits
/// (Meta, «Business-scoped user IDs»).
pub fn is_bsuid(text: &str) -> bool {
    let Some((country, rest)) = text.split_once('.') else { return false };
    let id = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

impl Address {
    /// The text that identifies the address, for hashing and for storing.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Bsuid(id) => id,
            Self::Custom(custom) => &custom.text,
        }
    }

    /// The address as its platform writes it.
    pub fn id(&self) -> &str {
        match self {
            Self::Phone(_) | Self::Bsuid(_) => self.as_str(),
            Self::Custom(custom) => custom.id(),
        }
    }

    /// Reads what [`Address::as_str`] wrote.
    ///
    /// # Errors
    /// Names the field `phone`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.starts_with('+') {
            return PhoneNumber::from_e164(text).map(Self::Phone);
        }
        let custom = CustomAddress::parse(text).map(Self::Custom);
        Ok(custom.unwrap_or_else(|| Self::Bsuid(text.to_owned())))
    }

    /// The phone number, when it is one.
    pub fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Bsuid(_) | Self::Custom(_) => None,
        }
    }

    /// Enough of the address for its owner to recognise it, such as
    /// `+39******4567`: at most its first three and last four characters, after
    /// the name of a custom channel.
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(_) | Self::Bsuid(_) => mask(self.as_str()),
            Self::Custom(custom) => format!("{}:{}", custom.channel(), mask(custom.id())),
        }
    }
}

fn mask(text: &str) -> String {
    let count = text.chars().count();
    // At least four characters stay hidden.
    let head = if count < 8 { 0 } else { 3 };
    let tail = count.saturating_sub(7).min(4);
    let hide = |(i, c)| if i < head || i >= count - tail { c } else { '*' };
    text.chars().enumerate().map(hide).collect()
}

impl std::fmt::Debug for CustomAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomAddress(***)")
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(***)")
    }
}

/// Meta's category of a template: decides price and consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Promotions; blocked by an opt-out.
    Marketing,
    /// Orders, appointments, accounts.
    Utility,
    /// One-time codes.
    Authentication,
}

impl Category {
    /// As Meta writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "MARKETING",
            Self::Utility => "UTILITY",
            Self::Authentication => "AUTHENTICATION",
        }
    }

    /// Reads Meta's word, in any case.
    ///
    /// # Errors
    /// Names the field `category`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.trim().to_ascii_uppercase().as_str() {
            "MARKETING" => Ok(Self::Marketing),
            "UTILITY" => Ok(Self::Utility),
            "AUTHENTICATION" => Ok(Self::Authentication),
            _ => Err(Invalid::new("category", "category must be MARKETING, UTILITY or AUTHENTICATION")),
        }
    }
}

/// Where a media file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// A public URL that the provider fetches.
    Link(String),
    /// An id of a file that was uploaded to the provider.
    Id(String),
}

/// A quick-reply button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// Comes back when the button is pressed; at most 256 characters.
    pub id: String,
    /// At most 20 characters.
    pub title: String,
}

/// What stands above a text with buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    /// At most 60 characters.
    Text(String),
    /// An image, a video or a document.
    Media {
        /// What kind of file.
        kind: MediaKind,
        /// Where it is.
        source: MediaSource,
        /// Shown for documents.
        file_name: Option<String>,
    },
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// Comes back when the row is chosen; at most 200 characters.
    pub id: String,
    /// At most 24 characters.
    pub title: String,
    /// At most 72 characters.
    pub description: Option<String>,
}

/// A template with the components that fill it, in Meta's format.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateCall {
    /// The template's name.
    pub name: String,
    /// Its language code.
    pub language: String,
    /// Meta's `components` array.
    pub components: Vec<serde_json::Value>,
}

/// What a message says.
#[derive(Clone, PartialEq)]
pub enum Content {
    /// Plain text.
    Text {
        /// At most 4,096 characters.
        body: String,
    },
    /// A file with an optional caption.
    Media {
        /// What kind of file.
        kind: MediaKind,
        /// Where it is.
        source: MediaSource,
        /// Text below; not with audio.
        caption: Option<String>,
        /// Shown for documents.
        file_name: Option<String>,
    },
    /// Text with up to three quick-reply buttons.
    Buttons {
        /// What stands above.
        header: Option<Header>,
        /// At most 1,024 characters.
        body: String,
        /// At most 60 characters.
        footer: Option<String>,
        /// One to three.
        buttons: Vec<Button>,
    },
    /// Text with a list that opens.
    List {
        /// At most 60 characters.
        header: Option<String>,
        /// At most 4,096 characters.
        body: String,
        /// At most 60 characters.
        footer: Option<String>,
        /// What opens it; at most 20 characters.
        button: String,
        /// One to ten.
        rows: Vec<ListRow>,
    },
    /// Products, or how far an order is.
    Commerce(Commerce),
    /// An approved template.
    Template(TemplateCall),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text { .. } => "Content::Text(***)",
            Self::Media { .. } => "Content::Media(***)",
            Self::Buttons { .. } => "Content::Buttons(***)",
            Self::List { .. } => "Content::List(***)",
            Self::Commerce(_) => "Content::Commerce(***)",
            Self::Template(_) => "Content::Template(***)",
        })
    }
}

impl Content {
    /// Checks the limits of Meta's message reference, so that a caller learns
    /// which field is wrong before anything is sent.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Text { body } => within("message", body, 1, MAX_TEXT),
            Self::Media { kind, caption, .. } => check_caption(*kind, caption.as_deref()),
            Self::Buttons { header, body, footer, buttons } => {
                within("message", body, 1, 1_024)?;
                header.as_ref().map_or(Ok(()), check_header)?;
                footer.as_deref().map_or(Ok(()), |t| within("footer", t, 1, 60))?;
                check_buttons(buttons)
            }
            Self::List { header, body, footer, button, rows } => {
                within("message", body, 1, MAX_TEXT)?;
                header.as_deref().map_or(Ok(()), |t| within("header", t, 1, 60))?;
                footer.as_deref().map_or(Ok(()), |t| within("footer", t, 1, 60))?;
                within("list_button", button, 1, 20)?;
                check_rows(rows)
            }
            Self::Commerce(commerce) => commerce.check(),
            Self::Template(call) if call.name.is_empty() => {
                Err(Invalid::new("template", "template needs a name"))
            }
            Self::Template(call) if call.language.is_empty() => {
                Err(Invalid::new("template", "template needs a language"))
            }
            Self::Template(_) => Ok(()),
        }
    }

    /// Whether the content is free-form: allowed only inside the 24-hour window.
    pub fn is_free_form(&self) -> bool {
        !matches!(self, Self::Template(_))
    }

    /// The file that goes with it, outside of templates.
    pub fn file_mut(&mut self) -> Option<(MediaKind, &mut MediaSource)> {
        match self {
            Self::Media { kind, source, .. }
            | Self::Buttons { header: Some(Header::Media { kind, source, .. }), .. } => Some((*kind, source)),
            Self::Text { .. }
            | Self::Buttons { .. }
            | Self::List { .. }
            | Self::Commerce(_)
            | Self::Template(_) => None,
        }
    }

    /// The text to show in a conversation.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { body } | Self::Buttons { body, .. } | Self::List { body, .. } => Some(body),
            Self::Media { caption, .. } => caption.as_deref(),
            Self::Commerce(commerce) => commerce.text(),
            Self::Template(call) => Some(&call.name),
        }
    }
}

/// What we attach to a message so that a status tells which one it is about
/// (`biz_opaque_callback_data`, echoed on every status webhook).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackRef {
    /// A recipient of a campaign, and the attempt.
    Campaign(crate::CampaignId, crate::ContactId, u32),
    /// A single message.
    Message(crate::MessageId),
}

impl CallbackRef {
    /// As it goes with a message of a tenant: whoever gets the number next hears of messages
    /// that are not theirs.
    pub fn marked(self, tenant: &TenantId) -> String {
        format!("{self}:{tenant}")
    }

    /// Reads what [`CallbackRef::marked`] wrote for this tenant; what was written without a
    /// mark, until 0.1, is anybody's.
    pub fn parse_of(text: &str, tenant: &TenantId) -> Option<Self> {
        let reference = Self::parse(text)?;
        let mark = text.strip_prefix(&reference.to_string())?.strip_prefix(':');
        mark.is_none_or(|mark| mark == tenant.as_str()).then_some(reference)
    }

    /// Reads what `Display` wrote; anything else is not ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (kind, first) = (parts.next()?, parts.next()?);
        match kind {
            "c" => {
                let (contact, attempt) = (parts.next()?, parts.next()?);
                let attempt = attempt.parse().ok()?;
                Some(Self::Campaign(first.parse().ok()?, contact.parse().ok()?, attempt))
            }
            "m" => first.parse().ok().map(Self::Message),
            _ => None,
        }
    }
}

impl std::fmt::Display for CallbackRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Campaign(campaign, contact, attempt) => write!(f, "c:{campaign}:{contact}:{attempt}"),
            Self::Message(id) => write!(f, "m:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_hides_at_least_four_characters() {
        for (address, want) in [
            ("+393391234567", "+39******4567"),
            ("+12345678", "+12****78"),
            ("IT.13491208655302741918", "IT.****************1918"),
            ("IT.1", "****"),
            ("custom:livechat#customer-1234", "livechat:cus******1234"),
        ] {
            assert_eq!(Address::parse(address).unwrap().masked(), want);
        }
    }

    #[test]
    fn a_reference_is_its_tenants() {
        let (mine, theirs): (TenantId, TenantId) = ("t1".parse().unwrap(), "t2".parse().unwrap());
        for reference in ["c:1:290:1", "m:01K6F7ZK3T4D9Z0000000000AB"] {
            let reference = CallbackRef::parse(reference).unwrap();
            let marked = reference.marked(&mine);
            assert_eq!(CallbackRef::parse_of(&marked, &mine), Some(reference));
            assert_eq!(CallbackRef::parse_of(&marked, &theirs), None);
            assert_eq!(CallbackRef::parse_of(&reference.to_string(), &theirs), Some(reference));
        }
    }

    #[test]
    fn a_custom_address_is_read_as_it_was_written() {
        let channel: ChannelName = "Live Chat".parse().unwrap();
        for id in ["7", "a#b", "custom:x#y", "+391", "#"] {
            let address = Address::Custom(CustomAddress::new(&channel, id));
            let read = Address::parse(address.as_str()).unwrap();
            assert_eq!((&read, read.id()), (&address, id));
            let Address::Custom(custom) = read else { panic!("{id}") };
            assert_eq!(custom.channel(), "live chat");
        }
    }
}
