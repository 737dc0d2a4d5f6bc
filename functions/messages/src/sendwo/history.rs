//! `/api/v1/whatsapp/conversation` and `message/delivery-status`

use api_http::{ApiError, Caller, Input, Reply, Result};
use axum::extract::State;
use domain::recipient::State as Shown;
use domain::{AccountId, ContactId};
use messaging::Services;
use ops::Error;
use ops::history::{self, Entry, Party, Window};
use serde::Serialize;
use store::Store;

use crate::times::Times;

const LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;
/// Everything up to the page is counted off.
const MAX_OFFSET: u64 = 10_000;

const CONTACT: [&str; 2] = ["subscriberId", "subscriber_id"];
const PHONE: [&str; 6] = ["phone_number", "phoneNumber", "to", "phone", "chat_id", "chatId"];
const MESSAGE: [&str; 4] = ["messageId", "message_id", "wa_message_id", "whatsapp_message_id"];

#[derive(Serialize)]
struct Item {
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
    times: Times,
}

impl From<Entry> for Item {
    fn from(entry: Entry) -> Self {
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
            times,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Conversation {
    status: &'static str,
    message: Vec<Item>,
    /// Pass it as `offset` to get what is older.
    next_offset: Option<u64>,
}

/// `conversation`, and `get/conversation` as sister products call it: newest first.
pub(crate) async fn conversation(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Conversation>> {
    let fields = input.fields();
    let take = fields.integer("limit")?.unwrap_or(LIMIT).clamp(1, MAX_LIMIT);
    // Clients count from 0 or from 1: both begin with the newest.
    let skip = fields.integer("offset")?.unwrap_or(0).saturating_sub(1);
    if skip >= MAX_OFFSET {
        return Err(Error::invalid("offset", format!("offset must be at most {MAX_OFFSET}")).into());
    }
    let store = &services.store;
    let (party, name) = party(store, &caller, &input).await?;
    let accounts = accounts(&services, &caller, &input).await?;
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let window = Window { before: None, skip: count(skip), take: count(take) };
    let page = history::conversation(store, caller.tenant_id(), &accounts, &party, &window).await?;
    if party.is_stranger() && page.entries.is_empty() && skip == 0 {
        return Err(Error::not_found(name, "there is no such subscriber").into());
    }
    let next_offset = page.next.map(|_| skip + page.entries.len() as u64 + 1);
    let message = page.entries.into_iter().map(Item::from).collect();
    Ok(Reply(Conversation { status: "1", message, next_offset }))
}

/// Whom the caller asks for, with the parameter that says so.
async fn party(store: &Store, caller: &ops::Caller, input: &Input) -> Result<(Party, &'static str)> {
    let fields = input.fields();
    let by_id = fields.name_of(&CONTACT);
    let by_phone = fields.name_of(&PHONE);
    if let Some(id) = fields.text(by_id)? {
        let id: ContactId = id.parse().map_err(|wrong| ApiError::from(wrong).renamed("id", by_id))?;
        let contact = store.contact(caller.tenant_id(), id).await?;
        let contact = contact.ok_or_else(|| Error::not_found(by_id, "there is no such subscriber"))?;
        return Ok((contact.into(), by_id));
    }
    let missing = || Error::invalid("subscriberId", "subscriberId or phone_number is required");
    let phone = fields.phone(by_phone, None)?.ok_or_else(missing)?;
    Ok((Party::of_number(store, caller.tenant_id(), phone).await?, by_phone))
}

/// The account of the number that is named; without one, all of the caller's, and the
/// custom channels.
async fn accounts(services: &Services, caller: &ops::Caller, input: &Input) -> Result<Vec<AccountId>> {
    let name = input.fields().name_of(&super::NUMBER);
    match input.fields().text(name)? {
        Some(_) => Ok(vec![super::account(services, caller, input).await?.0.id]),
        None => Ok(history::everywhere(&services.store, caller.tenant_id()).await?),
    }
}

#[derive(Serialize)]
pub(crate) struct Status {
    status: &'static str,
    message: Item,
}

/// `message/delivery-status`
pub(crate) async fn delivery_status(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Status>> {
    let fields = input.fields();
    let name = fields.name_of(&MESSAGE);
    let id = fields.required(name)?;
    let found = history::find(&store, caller.tenant_id(), &id).await?;
    let found = found.ok_or_else(|| Error::not_found(name, "there is no message with this id"))?;
    Ok(Reply(Status { status: "1", message: found.into() }))
}
