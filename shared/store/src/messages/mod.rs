//! Single messages, out and in. Those of campaigns are in the ledger.
//!
//! A message lives in `MSG#<t>#<account>#<day>#<shard>`; day and shard follow
//! from its ULID, so that its id is its key. Its conversation is a keys-only
//! index: with a contact, or with the address of somebody who was none.
//! `WAMID#<t>#<provider id>` points from the provider's id to ours. Messages of
//! custom channels belong to no account ([`AccountId::NONE`]); a platform's ids are
//! its own, so that their pointers name the channel and the direction too.

mod paid;
mod reading;
mod rewriting;

pub use reading::{DayPart, With};
pub use rewriting::{Rewrite, Rewritten};

use domain::channel::{Channel, ChannelName};
use domain::message::{Address, CallbackRef};
use domain::recipient::{Progress, Status};
use domain::sender::SenderId;
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::batch::{Action, StatementResult, insert};
use crate::due::{Due, put_action};
use crate::item::{Item, Key, compose, n, read};
use crate::outbox::{Note, Written};
use crate::progress::{read_progress, set_changes};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "message";
/// Partitions of one day of one account.
pub const SHARDS: u128 = 4;
/// A day of UTC, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Tries against concurrent writers.
const TRIES: u32 = 6;

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Our id.
    pub id: MessageId,
    /// The account it belongs to.
    pub account: AccountId,
    /// The channel.
    pub channel: Channel,
    /// What of ours it left from, or came to; of messages until 0.1 it is not known.
    pub sender: Option<SenderId>,
    /// The campaign that it was said to belong to.
    pub campaign: Option<CampaignId>,
    /// The contact it is with, when there is one.
    pub contact: Option<ContactId>,
    /// Whether the contact wrote it.
    pub inbound: bool,
    /// The contact's address.
    pub address: Address,
    /// Meta's type: text, image, interactive, template, ...
    pub kind: String,
    /// What there is to read.
    pub text: Option<String>,
    /// The message as the provider's API writes it, JSON.
    pub content: String,
    /// Where it stands; inbound messages are `delivered`.
    pub progress: Progress,
    /// What its writer made of it afterwards.
    pub rewritten: Option<Rewritten>,
    /// What it costs in credits, where its tenant pays with some.
    pub cost: Option<u64>,
    /// The credits were given back.
    pub is_refunded: bool,
}

#[derive(Serialize, Deserialize)]
struct MessageItem {
    id: String,
    account: u64,
    channel: Option<String>,
    sender: Option<String>,
    campaign: Option<u64>,
    contact: Option<u64>,
    inbound: bool,
    address: String,
    kind: String,
    text: Option<String>,
    content: String,
    cpk: String,
    csk: String,
    att: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct PointerItem {
    id: String,
    account: u64,
}

fn key(tenant: &TenantId, account: AccountId, id: MessageId) -> Key {
    let (day, _) = day_of(id);
    Key::new(partition(tenant, account, day, id.0.0 % SHARDS), id.to_string())
}

fn partition(tenant: &TenantId, account: AccountId, day: Date, shard: u128) -> String {
    Kind::Message.pk(format_args!("{tenant}#{account}#{day}#{shard}"))
}

/// The day of an id, and the first id of that day.
fn day_of(id: MessageId) -> (Date, MessageId) {
    let at = Timestamp::from_millisecond(id.timestamp_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    let start = at.as_millisecond() - at.as_millisecond().rem_euclid(DAY_MS);
    (at.to_zoned(TimeZone::UTC).date(), MessageId::first_of(start))
}

fn provider_key(tenant: &TenantId, provider_id: &str) -> Key {
    Key::new(Kind::Wamid.pk(format_args!("{tenant}#{provider_id}")), "-")
}

/// The key of the pointer from what was said to our answer.
fn answer_key(tenant: &TenantId, cause: &str) -> Key {
    provider_key(tenant, &format!("answer#{cause}"))
}

/// An id that a custom channel's platform gave to a message, as pointers have it: no
/// other channel's, and not that of a message that went the other way.
fn on_channel(channel: &ChannelName, inbound: bool, id: &str) -> String {
    let way = if inbound { "in" } else { "out" };
    format!("{way}:{channel}#{id}")
}

/// The key of the pointer from a provider's id to a message.
fn pointer_key(tenant: &TenantId, message: &Message, provider_id: &str) -> Key {
    match message.channel.custom() {
        Some(channel) => provider_key(tenant, &on_channel(channel, message.inbound, provider_id)),
        None => provider_key(tenant, provider_id),
    }
}

fn to_item(tenant: &TenantId, message: &Message) -> Result<Item> {
    let with = message.contact.map_or_else(|| With::Address(message.address.clone()), With::Contact);
    let item = MessageItem {
        id: message.id.to_string(),
        account: message.account.0,
        channel: Some(&message.channel).filter(|c| **c != Channel::Whatsapp).map(ToString::to_string),
        sender: message.sender.as_ref().map(ToString::to_string),
        campaign: message.campaign.map(|c| c.0),
        contact: message.contact.map(|c| c.0),
        inbound: message.inbound,
        address: message.address.as_str().to_owned(),
        kind: message.kind.clone(),
        text: message.text.clone(),
        content: message.content.clone(),
        cpk: with.pk(tenant, message.account),
        csk: message.id.to_string(),
        att: 1,
        edited: message.rewritten.and_then(Rewritten::edited_ms),
        revoked: message.rewritten.and_then(Rewritten::revoked_ms),
        cost: message.cost,
        back: message.is_refunded.then_some(1),
    };
    let key = key(tenant, message.account, message.id);
    let mut attributes = compose(&key, KIND, &item)?;
    attributes.extend(crate::progress::attributes(&message.progress));
    Ok(attributes)
}

fn from_item(item: Item) -> Result<Message> {
    let progress = read_progress(&item);
    let corrupt = |_| Error::Corrupt { kind: KIND };
    let item: MessageItem = read(item, KIND)?;
    Ok(Message {
        id: item.id.parse().map_err(corrupt)?,
        account: AccountId(item.account),
        channel: item.channel.as_deref().map_or(Ok(Channel::Whatsapp), Channel::parse).map_err(corrupt)?,
        sender: item.sender.map(|sender| sender.parse()).transpose().map_err(corrupt)?,
        campaign: item.campaign.map(CampaignId),
        contact: item.contact.map(ContactId),
        inbound: item.inbound,
        address: Address::parse(&item.address).map_err(corrupt)?,
        kind: item.kind,
        text: item.text,
        content: item.content,
        progress,
        rewritten: item.revoked.map(Rewritten::Revoked).or(item.edited.map(Rewritten::Edited)),
        cost: item.cost,
        is_refunded: item.back.is_some(),
    })
}

/// Points from a cause to the message that answers it, the only one.
fn answer_action(tenant: &TenantId, message: &Message, cause: &str) -> Result<Action> {
    let pointer = PointerItem { id: message.id.to_string(), account: message.account.0 };
    let pointer = compose(&answer_key(tenant, cause), "answer", &pointer)?;
    Ok(Action::Put(pointer, vec![When::Absent("pk")]))
}

impl Store {
    /// Writes an outgoing message before it is sent, with when its outcome is looked for.
    ///
    /// # Errors
    /// [`Error::Conflict`] when its id exists: it was claimed before.
    pub async fn create_message(&self, tenant: &TenantId, message: &Message, due: &Due) -> Result<()> {
        let put = Action::Put(to_item(tenant, message)?, vec![When::Absent("pk")]);
        self.transact(vec![put, put_action(due)?]).await
    }

    /// Writes an outgoing message before it is sent that answers `cause`: of several
    /// that answer the same, one.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is answered, or being answered.
    pub async fn create_answer(
        &self,
        tenant: &TenantId,
        message: &Message,
        cause: &str,
        due: &Due,
    ) -> Result<()> {
        self.transact(vec![
            answer_action(tenant, message, cause)?,
            Action::Put(to_item(tenant, message)?, vec![When::Absent("pk")]),
            put_action(due)?,
        ])
        .await
    }

    /// What was answered to `cause`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn answer_to(&self, tenant: &TenantId, cause: &str) -> Result<Option<Message>> {
        self.pointed(tenant, &answer_key(tenant, cause)).await
    }

    /// Writes an inbound message with the pointer from the provider's id, and with a
    /// note in the outbox.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the provider's id is known: it came before.
    pub async fn receive_message(
        &self,
        tenant: &TenantId,
        message: &Message,
        provider_id: &str,
        note: Note,
    ) -> Result<Written> {
        let pointer = PointerItem { id: message.id.to_string(), account: message.account.0 };
        let pointer = compose(&pointer_key(tenant, message, provider_id), "provider id", &pointer)?;
        let mut actions = vec![
            Action::Put(pointer, vec![When::Absent("pk")]),
            Action::Put(to_item(tenant, message)?, vec![When::Absent("pk")]),
        ];
        actions.extend(note.actions()?);
        self.transact(actions).await?;
        Ok(note.written())
    }

    /// Whether a message with this provider's id came in before.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn knows_provider_id(&self, tenant: &TenantId, provider_id: &str) -> Result<bool> {
        Ok(self.get_item(&provider_key(tenant, provider_id)).await?.is_some())
    }

    /// Reads a message by our id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn message(
        &self,
        tenant: &TenantId,
        account: AccountId,
        id: MessageId,
    ) -> Result<Option<Message>> {
        self.get_item(&key(tenant, account, id)).await?.map(from_item).transpose()
    }

    /// Finds a single message by the provider's id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn message_by_provider_id(
        &self,
        tenant: &TenantId,
        provider_id: &str,
    ) -> Result<Option<Message>> {
        self.pointed(tenant, &provider_key(tenant, provider_id)).await
    }

    async fn pointed(&self, tenant: &TenantId, key: &Key) -> Result<Option<Message>> {
        let Some(pointer) = self.get::<PointerItem>(key, "provider id").await? else { return Ok(None) };
        let id = pointer.id.parse().map_err(|_| Error::Corrupt { kind: "provider id" })?;
        self.message(tenant, AccountId(pointer.account), id).await
    }

    /// Finds a message of a custom channel by the id that its platform gave it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn message_on_channel(
        &self,
        tenant: &TenantId,
        channel: &ChannelName,
        inbound: bool,
        id: &str,
    ) -> Result<Option<Message>> {
        self.message_by_provider_id(tenant, &on_channel(channel, inbound, id)).await
    }

    /// Remembers under which ids a custom channel's platform has messages of campaigns.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer: remember them again.
    pub async fn remember_on_channel(
        &self,
        tenant: &TenantId,
        channel: &ChannelName,
        ids: &[(String, CallbackRef)],
    ) -> Result<()> {
        let statement = |(id, reference): &(String, CallbackRef)| {
            let pointer = PointerItem { id: reference.to_string(), account: AccountId::NONE.0 };
            let key = provider_key(tenant, &on_channel(channel, false, id));
            insert(self.table(), compose(&key, "provider id", &pointer)?)
        };
        let statements: Result<Vec<_>> = ids.iter().map(statement).collect();
        self.execute(statements?).await.map(|_| ())
    }

    /// Which message of ours a custom channel's platform has under an id of its own.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn sent_on_channel(
        &self,
        tenant: &TenantId,
        channel: &ChannelName,
        id: &str,
    ) -> Result<Option<CallbackRef>> {
        let key = provider_key(tenant, &on_channel(channel, false, id));
        let Some(pointer) = self.get::<PointerItem>(&key, "provider id").await? else { return Ok(None) };
        let message = pointer.id.parse().map(CallbackRef::Message).ok();
        Ok(message.or_else(|| CallbackRef::parse(&pointer.id)))
    }

    /// Changes a message's progress, against concurrent writers; answers the
    /// message after it, or `None` when there is none. One that was paid and fails is paid
    /// back with that.
    ///
    /// # Errors
    /// [`Error::Contended`] when it keeps changing under us.
    pub async fn progress_message(
        &self,
        tenant: &TenantId,
        account: AccountId,
        id: MessageId,
        change: impl Fn(&mut Progress) -> bool,
    ) -> Result<Option<Message>> {
        let key = key(tenant, account, id);
        for round in 0..TRIES {
            let Some(item) = self.get_item(&key).await? else { return Ok(None) };
            let before = read_progress(&item);
            let mut after = before.clone();
            if !change(&mut after) {
                return from_item(item).map(Some);
            }
            let update = set_changes(Update::of(key.clone()), Some(&before), &after)
                .when(When::Is("rk", n(before.state.rank())));
            let moved = match paid::refund_of(&item, &before, &after) {
                Some(cost) => match self.pay_back(tenant, update, cost, &before).await {
                    Ok(()) => Ok(self.get_item(&key).await?.unwrap_or_default()),
                    Err(error) => Err(error),
                },
                None => self.update_returning(update).await,
            };
            match moved {
                Ok(item) => {
                    let message = from_item(item)?;
                    self.point_to(tenant, &message, &before).await?;
                    return Ok(Some(message));
                }
                Err(Error::Conflict | Error::Contended) => self.back_off(round).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Writes down that the channel took a message nobody heard anything of yet, with the
    /// pointer from the channel's id of it. Whether that is all: what a status was faster
    /// at takes [`Store::progress_message`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn accept_message(
        &self,
        tenant: &TenantId,
        message: &Message,
        provider_id: &str,
        held: bool,
    ) -> Result<bool> {
        let mut after = message.progress.clone();
        after.accept(provider_id, held, self.clock().now_ms());
        let update = Update::of(key(tenant, message.account, message.id));
        let update = set_changes(update, Some(&message.progress), &after)
            .when(When::Is("rk", n(message.progress.state.rank())))
            .when(When::Absent("wamid"));
        let pointer = PointerItem { id: message.id.to_string(), account: message.account.0 };
        let pointer = compose(&pointer_key(tenant, message, provider_id), "provider id", &pointer)?;
        let statements = vec![update.into_statement(self.table())?, insert(self.table(), pointer)?];
        Ok(self.execute(statements).await?.first() == Some(&StatementResult::Yes))
    }

    async fn point_to(&self, tenant: &TenantId, message: &Message, before: &Progress) -> Result<()> {
        let (None, Some(id)) = (&before.provider_id, &message.progress.provider_id) else { return Ok(()) };
        let pointer = PointerItem { id: message.id.to_string(), account: message.account.0 };
        self.put(compose(&pointer_key(tenant, message, id), "provider id", &pointer)?).await
    }

    /// Applies a provider's status to a single message; answers the message after it.
    ///
    /// # Errors
    /// [`Error::Contended`] when it keeps changing under us.
    pub async fn message_status(
        &self,
        tenant: &TenantId,
        account: AccountId,
        id: MessageId,
        status: Status,
        provider_id: &str,
        at_ms: i64,
    ) -> Result<Option<Message>> {
        self.progress_message(tenant, account, id, |p| p.apply(&status, provider_id, at_ms)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_key_and_its_day_begins_with_the_first_id() {
        let tenant: TenantId = "t1".parse().unwrap();
        let at: Timestamp = "2026-07-01T23:59:59.999Z".parse().unwrap();
        let first = MessageId::first_of(at.as_millisecond());
        let id = MessageId((first.0.0 + 7).into());
        assert_eq!(key(&tenant, AccountId(3), id).pk, "MSG#t1#3#2026-07-01#3");
        let (day, start) = day_of(id);
        assert_eq!(start.timestamp_ms(), at.as_millisecond() + 1 - DAY_MS);
        assert_eq!(day_of(start), (day, start));
        assert_ne!(day_of(start.before().unwrap()).0, day);
    }
}
