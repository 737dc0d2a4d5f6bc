//! A message as histories show it, and its place in them.

use std::fmt;
use std::str::FromStr;

use domain::campaign::CampaignMessage;
use domain::channel::Channel;
use domain::message::{Address, CallbackRef};
use domain::recipient::Progress;
use domain::sender::SenderId;
use domain::template::preview;
use domain::{AccountId, CampaignId, Invalid, MessageId};
use jiff::Timestamp;
use store::campaigns::Stored;
use store::ledger::Row;
use store::messages::{Message, Rewritten};

/// A message as a history shows it, whether single or of a campaign.
#[derive(Clone, PartialEq)]
pub struct HistoryEntry {
    /// What it is known by.
    pub reference: CallbackRef,
    /// The account it belongs to.
    pub account: AccountId,
    /// The channel.
    pub channel: Channel,
    /// What of ours it left from, or came to, where that is known.
    pub sender: Option<SenderId>,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// Whether the contact wrote it.
    pub inbound: bool,
    /// The contact's address.
    pub address: Option<Address>,
    /// Meta's type: text, image, interactive, template, ...
    pub kind: String,
    /// What there is to read.
    pub text: Option<String>,
    /// When it was made, or as near to it as is known, in milliseconds since 1970.
    pub at_ms: i64,
    /// Where it stands; inbound messages are `delivered`.
    pub progress: Progress,
    /// What its writer made of it afterwards.
    pub rewritten: Option<Rewritten>,
}

impl fmt::Debug for HistoryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryEntry").field("reference", &self.reference).finish_non_exhaustive()
    }
}

impl From<Message> for HistoryEntry {
    fn from(message: Message) -> Self {
        Self {
            reference: CallbackRef::Message(message.id),
            account: message.account,
            channel: message.channel,
            sender: message.sender,
            campaign: message.campaign,
            inbound: message.inbound,
            address: Some(message.address),
            kind: message.kind,
            text: message.text,
            at_ms: message.id.timestamp_ms(),
            progress: message.progress,
            rewritten: message.rewritten,
        }
    }
}

impl HistoryEntry {
    /// The message of a campaign to one recipient.
    pub(super) fn of_row(stored: &Stored, row: &Row) -> Self {
        let campaign = &stored.campaign;
        let (kind, text) = match &campaign.message {
            CampaignMessage::Text { .. } => ("text", row.params.first().cloned()),
            CampaignMessage::Media { kind, .. } => (kind.as_str(), row.params.first().cloned()),
            CampaignMessage::Template { name, .. } => {
                let text = stored.template.as_ref().and_then(|t| preview(t, &row.params));
                ("template", Some(text.unwrap_or_else(|| name.clone())))
            }
        };
        let started = campaign.started_at.unwrap_or(campaign.created_at).as_millisecond();
        Self {
            reference: CallbackRef::Campaign(campaign.id, row.contact, row.attempt),
            account: campaign.account,
            channel: campaign.channel.clone(),
            sender: campaign.sender.clone(),
            campaign: Some(campaign.id),
            inbound: false,
            address: row.address.clone(),
            kind: kind.to_owned(),
            text,
            at_ms: row_time(&row.progress, started),
            progress: row.progress.clone(),
            rewritten: None,
        }
    }

    /// Our id: the message's, or the reference of a campaign message.
    pub fn id(&self) -> String {
        match self.reference {
            CallbackRef::Message(id) => id.to_string(),
            CallbackRef::Campaign(..) => self.reference.to_string(),
        }
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(super) fn place(&self) -> HistoryPlace {
        HistoryPlace { at_ms: self.at_ms, id: self.id() }
    }
}

/// The first thing that is known of a recipient; a campaign's start while there is
/// nothing.
pub(super) fn row_time(progress: &Progress, started: i64) -> i64 {
    let times =
        [progress.accepted_at, progress.sent_at, progress.delivered_at, progress.read_at, progress.failed_at];
    times.into_iter().flatten().min().unwrap_or(started)
}

/// A place in a history. Histories go back from it, without what lies there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryPlace {
    at_ms: i64,
    /// Our id of what lies there; empty is before all of that millisecond.
    id: String,
}

impl HistoryPlace {
    /// Before everything of a time.
    pub fn before(time: Timestamp) -> Self {
        Self { at_ms: time.as_millisecond(), id: String::new() }
    }

    pub(super) fn of_row(campaign: CampaignId, row: &Row, at_ms: i64) -> Self {
        let id = CallbackRef::Campaign(campaign, row.contact, row.attempt).to_string();
        Self { at_ms, id }
    }

    pub(super) fn at(id: MessageId) -> Self {
        Self { at_ms: id.timestamp_ms(), id: id.to_string() }
    }

    /// Single messages before the place are those with lower ids. References of
    /// campaigns sort after ids: `c` is no digit of theirs, and higher than all.
    pub(super) fn bound(&self) -> MessageId {
        match self.id.parse() {
            Ok(id) => id,
            Err(_) if self.id.is_empty() => MessageId::first_of(self.at_ms),
            Err(_) => MessageId::first_of(self.at_ms.saturating_add(1)),
        }
    }
}

impl fmt::Display for HistoryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at_ms, self.id)
    }
}

impl FromStr for HistoryPlace {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("cursor", "cursor must be the next_cursor of another page");
        let (at_ms, id) = s.trim().split_once('-').ok_or_else(wrong)?;
        let at_ms: i64 = at_ms.parse().map_err(|_| wrong())?;
        match (CallbackRef::parse(id), id.parse::<MessageId>()) {
            (Some(CallbackRef::Campaign(..)), _) => Ok(Self { at_ms, id: id.to_owned() }),
            (_, Ok(message)) if message.timestamp_ms() == at_ms => Ok(Self::at(message)),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use domain::recipient::State;

    use super::*;

    /// A single message whose id is this number.
    pub(crate) fn entry(id: u128) -> HistoryEntry {
        let id = MessageId(id.into());
        HistoryEntry {
            reference: CallbackRef::Message(id),
            account: AccountId(1),
            channel: Channel::Whatsapp,
            sender: None,
            campaign: None,
            inbound: false,
            address: None,
            kind: "text".to_owned(),
            text: None,
            at_ms: id.timestamp_ms(),
            progress: Progress::new(State::Sent),
            rewritten: None,
        }
    }

    #[test]
    fn places_are_ordered_by_time_and_campaigns_follow_single_messages() {
        let at = MessageId::first_of(1_000);
        let message = HistoryPlace::at(MessageId((at.0.0 + 5).into()));
        let row = HistoryPlace { at_ms: 1_000, id: "c:1:2:1".to_owned() };
        let start = HistoryPlace::before(Timestamp::from_millisecond(1_000).unwrap());
        let next = HistoryPlace::before(Timestamp::from_millisecond(1_001).unwrap());
        assert!(start < message && message < row && row < next);
        assert_eq!(message.bound().0.0, at.0.0 + 5);
        assert_eq!((start.bound(), row.bound(), next.bound()), (at, next.bound(), row.bound()));
    }

    #[test]
    fn cursors_are_read_as_they_were_written() {
        for place in [
            HistoryPlace::at(MessageId::first_of(1_782_892_800_000)),
            HistoryPlace { at_ms: 1_000, id: "c:1:2:1".to_owned() },
        ] {
            assert_eq!(place.to_string().parse::<HistoryPlace>().unwrap(), place);
        }
        let foreign = format!("7-{}", MessageId::first_of(8));
        for wrong in ["", "1", "-", "1-", "x-c:1:2:1", "1-m:2", "5-hello", &foreign] {
            assert_eq!(wrong.parse::<HistoryPlace>().unwrap_err().field, "cursor", "{wrong}");
        }
    }
}
