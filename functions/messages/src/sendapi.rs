//! `/v1/whatsapp/messages`, and below it `/v1/phone` and `/v1/verify`

pub(crate) mod phone;
pub(crate) mod verify;

use std::collections::HashMap;

use api_http::{ApiError, Caller, Given, Input, PhoneText, Reply, Result, country_of, request};
use axum::extract::State;
use domain::account::Account;
use domain::recipient::State as Shown;
use domain::{AccountId, PhoneNumber};
use jiff::Timestamp;
use ops::history::{self, Filter, HistoryEntry, HistoryPlace, Party};
use ops::{Error, callers};
use serde::Serialize;
use store::Store;

use crate::times::{RewrittenAt, Times};

const LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 1_000;

#[derive(Serialize)]
struct Failure {
    code: String,
    message: String,
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        let message = match reason.split_once(':') {
            Some(("meta", code)) => format!("WhatsApp answered with code {code}"),
            Some((_, answer)) => format!("the channel answered: {}", answer.replace('_', " ")),
            None => format!("not sent: {}", reason.replace('_', " ")),
        };
        Self { code: reason.to_owned(), message }
    }
}

#[derive(Serialize)]
struct ListedMessage {
    id: String,
    message_id: Option<String>,
    session_id: u64,
    channel: String,
    /// What of ours it left from, or came to, where that is known.
    sender: Option<String>,
    campaign_id: Option<u64>,
    direction: &'static str,
    r#type: String,
    from: Option<String>,
    to: Option<String>,
    content: Option<String>,
    status: &'static str,
    error: Option<Failure>,
    #[serde(flatten)]
    rewritten: RewrittenAt,
    #[serde(flatten)]
    times: Times,
}

impl ListedMessage {
    /// `number` is the account's own.
    fn new(entry: HistoryEntry, number: Option<String>) -> Self {
        let (id, campaign, times) = (entry.id(), entry.campaign, Times::from(&entry));
        let (state, reason) = entry.progress.shown();
        let is_failure = matches!(state, Shown::Failed | Shown::Skipped);
        let error = reason.filter(|_| is_failure).map(Failure::from);
        let address = entry.address.map(|address| address.as_str().to_owned());
        let (from, to) = if entry.inbound { (address, number) } else { (number, address) };
        let progress = entry.progress;
        Self {
            id,
            session_id: entry.account.0,
            channel: entry.channel.to_string(),
            sender: entry.sender.map(|sender| sender.to_string()),
            campaign_id: campaign.map(|campaign| campaign.0),
            direction: if entry.inbound { "inbound" } else { "outbound" },
            r#type: entry.kind,
            from,
            to,
            content: entry.text,
            status: state.as_str(),
            error,
            rewritten: entry.rewritten.into(),
            times,
            message_id: progress.provider_id,
        }
    }
}

/// The account's own number, as it is dialled.
fn number(account: &Account) -> Option<String> {
    let display = &account.number()?.display_phone_number;
    let number = PhoneNumber::parse(display, None).ok()?;
    Some(number.as_str().to_owned())
}

#[derive(Serialize)]
struct Meta {
    limit: u64,
    /// Pass it as `cursor` to get what is older.
    next_cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Page {
    data: Vec<ListedMessage>,
    meta: Meta,
}

request! {
    /// Which messages are wanted.
    pub(crate) struct FilterFields {
        direction: Given<String> = named("direction").one_of(&["inbound", "outbound", "incoming", "outgoing"]),
        status: Given<String> = named("status").one_of(&[
            "pending", "accepted", "sent", "delivered", "read", "failed", "skipped", "unknown",
        ]),
        since: Given<Timestamp> = named("since"),
        phone: Given<PhoneText> = named("phone" | "to" | "phone_number"),
    }
}

request! {
    /// `GET /v1/whatsapp/messages`
    pub(crate) struct ListMessages(filter: FilterFields) {
        limit: Given<u64> = named("limit"),
        cursor: Given<String> = named("cursor"),
        until: Given<Timestamp> = named("until"),
        session_id: Given<String> = named("session_id"),
    }
}

/// `GET /v1/whatsapp/messages`: newest first. A page may be short, or even empty,
/// and have a `next_cursor`: the work of one request is bounded.
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListMessages>,
) -> Result<Reply<200, Page>> {
    let asked = input.read();
    let tenant = caller.tenant_id();
    let limit = asked.limit.or(LIMIT)?.clamp(1, MAX_LIMIT);
    let before = before(asked.cursor, asked.until)?;
    let filter = asked.filter.get(&store, &caller).await?;
    let accounts = accounts(&store, &caller, asked.session_id).await?;
    let take = usize::try_from(limit).unwrap_or(1);
    let page = history::list(&store, tenant, &accounts, &filter, before, take).await?;
    let numbers: HashMap<AccountId, Option<String>> = accounts.iter().map(|a| (a.id, number(a))).collect();
    let item = |entry: HistoryEntry| {
        let number = numbers.get(&entry.account).cloned().flatten();
        ListedMessage::new(entry, number)
    };
    let meta = Meta { limit, next_cursor: page.next.map(|place| place.to_string()) };
    Ok(Reply(Page { data: page.entries.into_iter().map(item).collect(), meta }))
}

/// The earlier of `cursor` and `until`.
fn before(cursor: Given<String>, until: Given<Timestamp>) -> Result<Option<HistoryPlace>> {
    let cursor: Option<HistoryPlace> = cursor.get()?.map(|cursor| cursor.parse()).transpose()?;
    let until = until.get()?.map(HistoryPlace::before);
    Ok(cursor.into_iter().chain(until).min())
}

impl FilterFields {
    async fn get(self, store: &Store, caller: &ops::Caller) -> Result<Filter> {
        let wrong = || Error::invalid("direction", "direction must be inbound or outbound");
        let inbound = match self.direction.get()?.map(|d| d.trim().to_ascii_lowercase()).as_deref() {
            None => None,
            Some("inbound" | "incoming") => Some(true),
            Some("outbound" | "outgoing") => Some(false),
            Some(_) => return Err(wrong().into()),
        };
        let unknown =
            || Error::invalid("status", "status must be the status of a message, such as delivered");
        let state = self.status.get()?.map(|s| Shown::parse(&s.trim().to_ascii_lowercase()));
        let state = state.map(|state| state.ok_or_else(unknown)).transpose()?;
        let since = self.since.get()?;
        let party = match self.phone.get()? {
            Some(phone) => {
                let country = country_of(store, caller, Some(&phone)).await?;
                Some(Party::of_address(store, caller.tenant_id(), phone.recipient(country)?.0).await?)
            }
            None => None,
        };
        Ok(Filter { inbound, state, party, since })
    }
}

/// The account that is named as a session; without one, all of the caller's.
async fn accounts(store: &Store, caller: &ops::Caller, session: Given<String>) -> Result<Vec<Account>> {
    let Some(session) = session.get()? else {
        return Ok(store.accounts(caller.tenant_id()).await?);
    };
    let id: AccountId =
        session.parse().map_err(|wrong| ApiError::from(wrong).renamed("account_id", "session_id"))?;
    Ok(vec![callers::account_of_session(store, caller, id).await?])
}

#[derive(Serialize)]
pub(crate) struct Single {
    data: ListedMessage,
}

/// `GET /v1/whatsapp/messages/{id}`: by our id, or by WhatsApp's.
pub(crate) async fn show(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Single>> {
    let found = history::find(&store, caller.tenant_id(), input.path("id")).await?;
    // A message of a custom channel has no session.
    let found = found.filter(|entry| entry.channel.custom().is_none());
    let found = found.ok_or_else(|| Error::not_found("id", "there is no message with this id"))?;
    let account = store.account(caller.tenant_id(), found.account).await?;
    Ok(Reply(Single { data: ListedMessage::new(found, account.as_ref().and_then(number)) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_whose_word_it_is() {
        for (code, want) in [
            ("meta:131026", "WhatsApp answered with code 131026"),
            ("custom:http_503", "the channel answered: http 503"),
            ("opted_out", "not sent: opted out"),
        ] {
            let failure = Failure::from(code);
            assert_eq!((failure.code.as_str(), failure.message.as_str()), (code, want));
        }
    }
}
