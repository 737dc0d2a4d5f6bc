//! `/api/v1/whatsapp/conversation` and `message/delivery-status`

use api_http::{ApiError, Caller, Given, Input, PhoneText, Reply, Required, Result, country_of, request};
use axum::extract::State;
use domain::recipient::State as Shown;
use domain::{AccountId, ContactId};
use messaging::Services;
use ops::Error;
use ops::history::{self, HistoryEntry, Party, Window};
use serde::Serialize;
use store::Store;

use crate::times::{RewrittenAt, Times};

const LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;
/// Everything up to the page is counted off.
const MAX_OFFSET: u64 = 10_000;

#[derive(Serialize)]
struct ListedMessage {
    message_id: String,
    id: String,
    direction: &'static str,
    sender: &'static str,
    /// What of ours it left from, or came to, where that is known.
    sender_id: Option<String>,
    r#type: String,
    text: Option<String>,
    phone_number: Option<String>,
    /// `whatsapp`, or the name of a custom channel.
    channel: String,
    campaign_id: Option<u64>,
    status: &'static str,
    /// Why it failed: WhatsApp's code, or a word of ours.
    error: Option<String>,
    /// Why it stands where it stands.
    reason: Option<String>,
    #[serde(flatten)]
    rewritten: RewrittenAt,
    #[serde(flatten)]
    times: Times,
}

impl From<HistoryEntry> for ListedMessage {
    fn from(entry: HistoryEntry) -> Self {
        let (id, campaign, times) = (entry.id(), entry.campaign, Times::from(&entry));
        let (state, reason) = entry.progress.shown();
        let failed = matches!(state, Shown::Failed | Shown::Skipped);
        let reason = reason.map(str::to_owned);
        let (direction, sender) = if entry.inbound { ("incoming", "user") } else { ("outgoing", "bot") };
        let progress = &entry.progress;
        // A custom channel's ids are its own: nobody finds a message by them.
        let wamid = progress.provider_id.clone().filter(|_| entry.channel.custom().is_none());
        Self {
            message_id: wamid.unwrap_or_else(|| id.clone()),
            channel: entry.channel.to_string(),
            id,
            direction,
            sender,
            sender_id: entry.sender.map(|sender| sender.to_string()),
            r#type: entry.kind,
            text: entry.text,
            phone_number: entry.address.and_then(|address| address.phone().map(|p| p.digits().to_owned())),
            campaign_id: campaign.map(|campaign| campaign.0),
            status: state.as_str(),
            error: reason.clone().filter(|_| failed),
            reason,
            rewritten: entry.rewritten.into(),
            times,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Conversation {
    status: &'static str,
    message: Vec<ListedMessage>,
    /// Pass it as `offset` to get what is older.
    next_offset: Option<u64>,
}

request! {
    /// Whom the caller asks for.
    pub(crate) struct PartyFields {
        contact: Given<String> = named("subscriberId" | "subscriber_id"),
        phone: Given<PhoneText> =
            named("phone_number" | "phoneNumber" | "to" | "phone" | "chat_id" | "chatId"),
    }
}

request! {
    /// `conversation`
    pub(crate) struct ShowConversation(party: PartyFields) {
        limit: Given<u64> = named("limit"),
        offset: Given<u64> = named("offset").at_most(MAX_OFFSET),
        number: Given<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
    }
}

/// `conversation`, and `get/conversation` as sister products call it: newest first.
pub(crate) async fn conversation(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ShowConversation>,
) -> Result<Reply<200, Conversation>> {
    let asked = input.read();
    let take = asked.limit.or(LIMIT)?.clamp(1, MAX_LIMIT);
    // Clients count from 0 or from 1: both begin with the newest.
    let skip = asked.offset.or(0)?.saturating_sub(1);
    if skip >= MAX_OFFSET {
        return Err(Error::invalid("offset", format!("offset must be at most {MAX_OFFSET}")).into());
    }
    let store = &services.store;
    let (party, name) = asked.party.get(store, &caller).await?;
    let accounts = accounts(&services, &caller, asked.number).await?;
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let window = Window { before: None, skip: count(skip), take: count(take) };
    let page = history::conversation(store, caller.tenant_id(), &accounts, &party, &window).await?;
    if party.is_stranger() && page.entries.is_empty() && skip == 0 {
        return Err(Error::not_found(name, "there is no such subscriber").into());
    }
    let next_offset = page.next.map(|_| skip + page.entries.len() as u64 + 1);
    let message = page.entries.into_iter().map(ListedMessage::from).collect();
    Ok(Reply(Conversation { status: "1", message, next_offset }))
}

impl PartyFields {
    /// Whom the caller asks for, with the parameter that says so.
    async fn get(self, store: &Store, caller: &ops::Caller) -> Result<(Party, &'static str)> {
        let (by_id, by_phone) = (self.contact.name(), self.phone.name());
        if let Some(id) = self.contact.get()? {
            let id: ContactId = id.parse().map_err(|wrong| ApiError::from(wrong).renamed("id", by_id))?;
            let contact = store.contact(caller.tenant_id(), id).await?;
            let contact = contact.ok_or_else(|| Error::not_found(by_id, "there is no such subscriber"))?;
            return Ok((contact.into(), by_id));
        }
        let missing = || Error::invalid("subscriberId", "subscriberId or phone_number is required");
        let phone = self.phone.get()?.ok_or_else(missing)?;
        let country = country_of(store, caller, Some(&phone)).await?;
        let (address, _) = phone.recipient(country)?;
        Ok((Party::of_address(store, caller.tenant_id(), address).await?, by_phone))
    }
}

/// The account of the number that is named; without one, all of the caller's, and the
/// custom channels.
async fn accounts(
    services: &Services,
    caller: &ops::Caller,
    number: Given<String>,
) -> Result<Vec<AccountId>> {
    let name = number.name();
    match number.get()? {
        Some(number) => Ok(vec![super::account(services, caller, name, &number).await?.0.id]),
        None => Ok(history::everywhere(&services.store, caller.tenant_id()).await?),
    }
}

#[derive(Serialize)]
pub(crate) struct FoundMessage {
    status: &'static str,
    message: Delivery,
}

/// A message, with what sister products call its state.
#[derive(Serialize)]
struct Delivery {
    #[serde(flatten)]
    message: ListedMessage,
    message_status: &'static str,
    delivery_status_updated_at: Option<String>,
    read_time: Option<String>,
    failed_time: Option<String>,
    failed_reason: String,
}

impl From<HistoryEntry> for Delivery {
    fn from(entry: HistoryEntry) -> Self {
        let message = ListedMessage::from(entry);
        let times = &message.times;
        Self {
            message_status: message.status,
            delivery_status_updated_at: times.latest(),
            read_time: times.read_at.clone(),
            failed_time: times.failed_at.clone(),
            failed_reason: message.error.clone().unwrap_or_default(),
            message,
        }
    }
}

request! {
    /// `message/delivery-status`
    pub(crate) struct FindMessage {
        id: Required<String> =
            named("messageId" | "message_id" | "wa_message_id" | "whatsapp_message_id"),
    }
}

/// `message/delivery-status`, and `get/message-status` as sister products call it.
pub(crate) async fn delivery_status(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<FindMessage>,
) -> Result<Reply<200, FoundMessage>> {
    let id = input.read().id;
    let name = id.name();
    let id = id.get()?;
    let found = history::find(&store, caller.tenant_id(), &id).await?;
    let found = found.ok_or_else(|| Error::not_found(name, "there is no message with this id"))?;
    Ok(Reply(FoundMessage { status: "1", message: found.into() }))
}
