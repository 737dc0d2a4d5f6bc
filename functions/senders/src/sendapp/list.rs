//! `/api/senders`: what messages leave from.

use api_http::{Caller, Given, Input, Reply, Required, Result, account_of_token, request};
use axum::extract::State;
use domain::sender::{Sender, SenderId};
use ops::{callers, senders};
use serde::Serialize;
use store::Store;

#[derive(Serialize)]
pub(crate) struct ListedSender {
    id: String,
    channel: String,
    name: String,
    /// The account's number; a custom channel is every account's.
    account_id: Option<u64>,
    messages_per_second: u32,
    /// It sends when none is named.
    default: bool,
}

impl From<&Sender> for ListedSender {
    fn from(sender: &Sender) -> Self {
        Self {
            id: sender.id.to_string(),
            channel: sender.channel.to_string(),
            name: sender.name.clone(),
            account_id: sender.account.map(|account| account.0),
            messages_per_second: sender.pace.per_second,
            default: sender.is_default,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Senders {
    status: &'static str,
    senders: Vec<ListedSender>,
}

impl From<Vec<Sender>> for Senders {
    fn from(senders: Vec<Sender>) -> Self {
        Self { status: "success", senders: senders.iter().map(ListedSender::from).collect() }
    }
}

request! {
    /// `GET /api/senders`
    pub(crate) struct ListSenders {
        token: Given<String> = named("token"),
    }
}

/// `GET /api/senders`: those of an account with its token, or all.
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListSenders>,
) -> Result<Reply<200, Senders>> {
    let all = senders::list(&store, caller.tenant_id()).await?;
    let Some(token) = input.read().token.get()? else { return Ok(Reply(all.into())) };
    let account = callers::account(&store, &caller, Some(&token)).await?;
    let mine = all.into_iter().filter(|sender| sender.account.is_none_or(|id| id == account.id));
    Ok(Reply(mine.collect::<Vec<_>>().into()))
}

request! {
    /// `POST /api/senders/default`
    pub(crate) struct ChooseSender {
        token: Required<String> = named("token"),
        sender: Required<SenderId> = named("sender"),
    }
}

/// `POST /api/senders/default`: the one that sends when none is named.
pub(crate) async fn choose(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ChooseSender>,
) -> Result<Reply<200, Senders>> {
    let asked = input.read();
    let account = account_of_token(&store, &caller, asked.token).await?;
    let id = asked.sender.get()?;
    let account = senders::set_default(&store, &caller, account, &id).await?;
    Ok(Reply(account.senders().into()))
}

/// `DELETE /api/senders/{id}`: its account has it no more.
pub(crate) async fn remove(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Senders>> {
    let account = senders::remove(&store, &caller, input.path("id")).await?;
    Ok(Reply(account.senders().into()))
}
