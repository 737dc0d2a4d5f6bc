//! Campaigns: what a draft may be, and which states it goes through.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::channel::{Channel, ChannelName, Media};
use crate::contact::Contact;
use crate::contact::same_tag;
use crate::media::MediaKind;
use crate::message::check_caption;
use crate::sender::SenderId;
use crate::template::Params;
use crate::{AccountId, CampaignId, Invalid, ListId};

/// How far in the past `scheduled_at` may lie, in milliseconds.
pub const PAST_TOLERANCE_MS: i64 = 60_000;

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignState {
    /// Written down; sends nothing.
    Draft,
    /// Starts by itself at its time.
    Scheduled,
    /// Its recipients are being written down.
    Planning,
    /// It sends.
    Running,
    /// It waits for its owner.
    Paused,
    /// Nobody is waiting to be sent to.
    Finished,
    /// Its owner stopped it.
    Cancelled,
    /// It could not be sent.
    Failed,
}

impl CampaignState {
    const ALL: [Self; 8] = [
        Self::Draft,
        Self::Scheduled,
        Self::Planning,
        Self::Running,
        Self::Paused,
        Self::Finished,
        Self::Cancelled,
        Self::Failed,
    ];

    /// As APIs print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Planning => "planning",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Reads what [`CampaignState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether it may be launched.
    pub fn may_launch(self) -> bool {
        matches!(self, Self::Draft | Self::Scheduled)
    }

    /// Whether its recipients may be sent to now.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Planning | Self::Running)
    }
}

/// What a campaign says; texts and parameters may have placeholders.
#[derive(Debug, Clone, PartialEq)]
pub enum CampaignMessage {
    /// An approved template.
    Template {
        /// Its name.
        name: String,
        /// Its language; `None` takes the only one there is.
        language: Option<String>,
        /// What fills its variables.
        params: Box<Params>,
        /// What fills a media header.
        media_url: Option<String>,
    },
    /// Free text.
    Text {
        /// The text.
        body: String,
    },
    /// A file, with or without a caption.
    Media {
        /// What kind of file.
        kind: MediaKind,
        /// Where it is.
        url: String,
        /// Text below.
        caption: Option<String>,
    },
}

/// Who receives a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every contact.
    All,
    /// Contacts that have any of these tags.
    Tags(Vec<String>),
    /// Contacts that are in any of these lists.
    Lists(Vec<ListId>),
}

impl Audience {
    /// Whether a contact belongs to it.
    pub fn includes(&self, contact: &Contact) -> bool {
        match self {
            Self::All => true,
            Self::Tags(wanted) => wanted.iter().any(|w| contact.tags.iter().any(|tag| same_tag(tag, w))),
            Self::Lists(wanted) => wanted.iter().any(|list| contact.lists.contains(list)),
        }
    }
}

/// A campaign as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Its number within the tenant.
    pub id: CampaignId,
    /// The account that sends.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// The channel.
    pub channel: Channel,
    /// What it leaves from; `None` is the account's default for the channel.
    pub sender: Option<SenderId>,
    /// What it says.
    pub message: CampaignMessage,
    /// Who receives it.
    pub audience: Audience,
    /// When it starts by itself.
    pub scheduled_at: Option<Timestamp>,
    /// Where it stands.
    pub state: CampaignState,
    /// Why it is paused or failed.
    pub reason: Option<String>,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it was launched.
    pub started_at: Option<Timestamp>,
    /// When nobody was waiting any more.
    pub finished_at: Option<Timestamp>,
}

/// A draft as a caller gives it; everything is text until it is checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// `name`
    pub name: String,
    /// `channel`
    pub channel: String,
    /// `sender` (extension)
    pub sender: Option<String>,
    /// `message_type`
    pub message_type: String,
    /// `message`
    pub message: Option<String>,
    /// `template_name`
    pub template_name: Option<String>,
    /// `template_language`
    pub template_language: Option<String>,
    /// `template_params` (extension)
    pub template_params: Params,
    /// `media_url`
    pub media_url: Option<String>,
    /// `media_type`
    pub media_type: Option<String>,
    /// `recipient_type`
    pub recipient_type: Option<String>,
    /// `tags`, already cleaned
    pub tags: Vec<String>,
    /// `lists` (extension)
    pub lists: Vec<ListId>,
    /// `scheduled_at`
    pub scheduled_at: Option<String>,
}

/// A draft that passed its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedDraft {
    /// Its name.
    pub name: String,
    /// The channel.
    pub channel: Channel,
    /// What it leaves from, where the caller says.
    pub sender: Option<SenderId>,
    /// What it says.
    pub message: CampaignMessage,
    /// Who receives it.
    pub audience: Audience,
    /// When it starts by itself.
    pub scheduled_at: Option<Timestamp>,
}

impl Draft {
    /// Checks that the parts of a draft fit each other.
    ///
    /// # Errors
    /// Names the field, as the contract spells it.
    pub fn check(self, now: Timestamp, zone: &TimeZone) -> Result<CheckedDraft, Invalid> {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 255 {
            return Err(Invalid::new("name", "name must have 1 to 255 characters"));
        }
        let channel = Channel::parse(&self.channel)?;
        let audience = self.audience()?;
        let scheduled_at = match self.scheduled_at.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
            Some(text) => Some(parse_time(text, now, zone)?),
            None => None,
        };
        let sender = self.sender.as_deref().map(str::trim).filter(|s| !s.is_empty());
        let sender = sender.map(|sender| sender_of(sender, &channel)).transpose()?;
        let message = self.content(&channel)?;
        Ok(CheckedDraft { name, channel, sender, message, audience, scheduled_at })
    }

    fn audience(&self) -> Result<Audience, Invalid> {
        match self.recipient_type.as_deref().map(str::trim).unwrap_or("all") {
            "all" | "" => Ok(Audience::All),
            "tags" if self.tags.is_empty() => {
                Err(Invalid::new("tags", "tags must name at least one tag when recipient_type is tags"))
            }
            "tags" => Ok(Audience::Tags(self.tags.clone())),
            "lists" | "list" if self.lists.is_empty() => {
                Err(Invalid::new("lists", "lists must name at least one list when recipient_type is lists"))
            }
            "lists" | "list" => Ok(Audience::Lists(self.lists.clone())),
            _ => Err(Invalid::new("recipient_type", "recipient_type must be all, tags or lists")),
        }
    }

    fn content(self, channel: &Channel) -> Result<CampaignMessage, Invalid> {
        let kind = self.message_type.trim().to_owned();
        let can = channel.capabilities();
        let refused = |what: &str| Err(Invalid::new("message_type", format!("{channel} {what}")));
        match kind.as_str() {
            "text" => self.text(),
            "template" if !can.templates => {
                refused("takes no templates: they go through channel whatsapp only")
            }
            "template" => self.template(),
            "text_media" | "media_only" if can.media == Media::None => {
                refused("takes no media: message_type text only")
            }
            "text_media" => self.media(true),
            "media_only" => self.media(false),
            _ => Err(Invalid::new(
                "message_type",
                "message_type must be template, text, text_media or media_only",
            )),
        }
    }

    fn text(self) -> Result<CampaignMessage, Invalid> {
        let body = self.message.filter(|m| !m.trim().is_empty());
        let body = body.ok_or_else(|| Invalid::new("message", "message is required for text"))?;
        if body.chars().count() > 4_096 {
            return Err(Invalid::new("message", "message may have at most 4096 characters"));
        }
        Ok(CampaignMessage::Text { body })
    }

    fn template(self) -> Result<CampaignMessage, Invalid> {
        let name = self.template_name.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
        let name = name.ok_or_else(|| {
            Invalid::new("template_name", "template_name is required for message_type template")
        })?;
        let media_url = self.media_url.filter(|u| !u.is_empty());
        media_url.as_deref().map_or(Ok(()), check_url)?;
        let language = self.template_language.map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
        Ok(CampaignMessage::Template { name, language, params: Box::new(self.template_params), media_url })
    }

    fn media(self, with_text: bool) -> Result<CampaignMessage, Invalid> {
        let url = self.media_url.filter(|u| !u.trim().is_empty());
        let url =
            url.ok_or_else(|| Invalid::new("media_url", "media_url is required for this message_type"))?;
        check_url(&url)?;
        let kind = self.media_type.filter(|t| !t.trim().is_empty());
        let kind =
            kind.ok_or_else(|| Invalid::new("media_type", "media_type is required for this message_type"))?;
        let kind = MediaKind::parse(&kind)?;
        let caption = self.message.filter(|m| !m.trim().is_empty());
        if with_text && caption.is_none() {
            return Err(Invalid::new("message", "message is required for text_media"));
        }
        check_caption(kind, caption.as_deref())?;
        Ok(CampaignMessage::Media { kind, url, caption })
    }
}

/// A sender of the channel that the caller names.
fn sender_of(text: &str, channel: &Channel) -> Result<SenderId, Invalid> {
    // The name of a custom one is as good as its id.
    let named = channel.custom().filter(|name| text.parse().is_ok_and(|named: ChannelName| named == **name));
    let sender: SenderId = match named {
        Some(name) => SenderId::custom(name),
        None => text.parse()?,
    };
    match sender.channel() == *channel {
        true => Ok(sender),
        false => Err(Invalid::new("sender", format!("sender {sender} is not one of channel {channel}"))),
    }
}

/// A URL that a provider may fetch.
///
/// # Errors
/// Names the field `media_url`.
pub fn check_url(url: &str) -> Result<(), Invalid> {
    let host = url.trim().strip_prefix("https://").or_else(|| url.trim().strip_prefix("http://"));
    let fits = host.is_some_and(|h| !h.is_empty() && !h.starts_with('/'))
        && url.len() <= 2_000
        && !url.trim().contains(char::is_whitespace);
    if fits { Ok(()) } else { Err(Invalid::new("media_url", "media_url must be an http or https URL")) }
}

/// A form that does not escape the `+` before the offset has a space there.
fn with_plus(text: &str) -> String {
    let is_offset = |offset: &str| {
        matches!(offset.len(), 2 | 4 | 5)
            && offset.char_indices().all(|(i, c)| c.is_ascii_digit() || (c == ':' && i == 2))
    };
    match text.rsplit_once(' ') {
        Some((time, offset)) if is_offset(offset) && time.contains(':') => format!("{time}+{offset}"),
        Some(_) | None => text.to_owned(),
    }
}

/// Reads RFC 3339, or a date and time without offset in the tenant's zone.
fn parse_time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Invalid> {
    let wrong =
        || Invalid::new("scheduled_at", "scheduled_at must be a time such as 2027-03-01T09:00:00+01:00");
    let text = &with_plus(text);
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => {
            let local: DateTime = text.parse().map_err(|_| wrong())?;
            local.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp()
        }
    };
    if time.as_millisecond() < now.as_millisecond() - PAST_TOLERANCE_MS {
        return Err(Invalid::new("scheduled_at", "scheduled_at is in the past"));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            name: "Promo estate".into(),
            channel: "whatsapp".into(),
            message_type: "template".into(),
            template_name: Some("promo_estate".into()),
            ..Draft::default()
        }
    }

    fn check(draft: Draft) -> Result<CheckedDraft, Invalid> {
        let now = "2026-07-01T08:00:00Z".parse().unwrap();
        draft.check(now, &TimeZone::get("Europe/Rome").unwrap())
    }

    #[test]
    fn fields_that_do_not_fit_are_named() {
        let refused = |change: fn(&mut Draft)| {
            let mut bad = draft();
            change(&mut bad);
            check(bad).unwrap_err().field
        };
        assert_eq!(refused(|d| d.name = " ".into()), "name");
        assert_eq!(refused(|d| d.channel = "a#b".into()), "channel");
        assert_eq!(refused(|d| d.channel = "fax".into()), "message_type");
        assert_eq!(refused(|d| d.sender = Some("custom:fax".into())), "sender");
        assert_eq!(refused(|d| d.sender = Some("abc".into())), "sender");
        assert_eq!(refused(|d| d.channel = "sms".into()), "message_type");
        assert_eq!(refused(|d| d.channel = "whatsapp-web".into()), "message_type");
        assert_eq!(refused(|d| d.message_type = "poll".into()), "message_type");
        assert_eq!(refused(|d| d.template_name = None), "template_name");
        assert_eq!(refused(|d| d.message_type = "text".into()), "message");
        assert_eq!(refused(|d| d.message_type = "text_media".into()), "media_url");
        assert_eq!(refused(|d| d.recipient_type = Some("tags".into())), "tags");
        assert_eq!(refused(|d| d.recipient_type = Some("lists".into())), "lists");
        assert_eq!(refused(|d| d.recipient_type = Some("some".into())), "recipient_type");
        for text in [
            "2027-03-01T09:00:00+01:00",
            "2027-03-01T09:00:00 01:00",
            "2027-03-01T09:00:00.000 01:00",
            "2027-03-01T09:00 01:00",
            "2027-03-01 09:00:00 01:00",
            "2027-03-01T09:00:00 0100",
            "2027-03-01T09:00:00 01",
        ] {
            let time = parse_time(text, Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap();
            assert_eq!(time.to_string(), "2027-03-01T08:00:00Z", "{text}");
        }
        let local = parse_time("2027-03-01 09:00", Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap();
        assert_eq!(local.to_string(), "2027-03-01T09:00:00Z");
        assert_eq!(refused(|d| d.scheduled_at = Some("soon".into())), "scheduled_at");
        assert_eq!(refused(|d| d.scheduled_at = Some("2026-07-01T07:58:59Z".into())), "scheduled_at");
        assert_eq!(
            refused(|d| {
                d.message_type = "text_media".into();
                d.media_url = Some("https://x.it/a.mp3".into());
                d.media_type = Some("audio".into());
                d.message = Some("ciao".into());
            }),
            "message"
        );
    }

    #[test]
    fn local_times_take_the_tenants_zone() {
        for (text, want) in [
            ("2026-07-01T10:30:00", "2026-07-01T08:30:00Z"),
            ("2026-07-01 10:30", "2026-07-01T08:30:00Z"),
            ("2026-07-01T10:30:00+05:00", "2026-07-01T05:30:00Z"),
            ("2026-12-01T10:30:00Z", "2026-12-01T10:30:00Z"),
        ] {
            let mut at = draft();
            at.scheduled_at = Some(text.into());
            match check(at) {
                Ok(checked) => assert_eq!(checked.scheduled_at.unwrap().to_string(), want, "{text}"),
                Err(error) => {
                    assert_eq!((text, error.field.as_str()), ("2026-07-01T10:30:00+05:00", "scheduled_at"))
                }
            }
        }
    }
}
