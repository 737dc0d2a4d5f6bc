//! `/api/credits`: what a sub-account has, and what became of it; its agency sees the same.

use api_http::{Caller, Given, Input, Reply, Result, request};
use axum::extract::State;
use domain::MessageId;
use domain::account::Tenant;
use domain::credits::Prices;
use jiff::Timestamp;
use ops::credits::{CreditEntry, CreditPage, history};
use ops::{Error, agencies};
use serde_json::{Value, json};
use store::Store;
use store::credits::Purse;

/// Entries of a page, unless the caller says how many.
const LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 500;

/// What there is, and what there was.
pub(crate) fn shown_credits(purse: &Purse) -> Value {
    json!({
        "balance": purse.balance,
        "granted": purse.granted,
        "debited": purse.debited,
        "refunded": purse.refunded,
        "recharge_threshold": purse.threshold,
        "recharge_amount": purse.recharge,
    })
}

fn time(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or_default())
}

/// What an entry changed: what was paid and given back are two.
fn shown(entry: &CreditEntry) -> Vec<Value> {
    match entry {
        CreditEntry::Grant(grant) => vec![json!({
            "type": "grant",
            "amount": grant.amount,
            "balance": grant.balance,
            "description": grant.description,
            "by": grant.by,
            "at": time(grant.at_ms()),
        })],
        CreditEntry::Message { id, channel, contact, cost, refunded_ms } => {
            let of = |kind: &str, amount: i128, at_ms| {
                json!({
                    "type": kind,
                    "amount": i64::try_from(amount).unwrap_or(0),
                    "message_id": id.to_string(),
                    "channel": channel.as_str(),
                    "contact_id": contact.map(|contact| contact.0),
                    "at": time(at_ms),
                })
            };
            let refund = refunded_ms.map(|at_ms| of("refund", i128::from(*cost), at_ms));
            refund.into_iter().chain([of("debit", -i128::from(*cost), id.timestamp_ms())]).collect()
        }
        CreditEntry::Campaign { id, name, at_ms, spending } => {
            let of = |kind: &str, amount: i128| {
                json!({
                    "type": kind,
                    "amount": i64::try_from(amount).unwrap_or(0),
                    "campaign_id": id.0,
                    "campaign_name": name,
                    "messages": spending.messages,
                    "at": time(*at_ms),
                })
            };
            let refund = (spending.refunded > 0).then(|| of("refund", i128::from(spending.refunded)));
            let debit = (spending.messages > 0).then(|| of("debit", -i128::from(spending.debited)));
            refund.into_iter().chain(debit).collect()
        }
    }
}

/// The caller, who must pay with credits.
fn paying(caller: &ops::Caller) -> Result<(&Tenant, &Prices)> {
    let none = || Error::not_found("credits", "the account pays with no credits: it is of no agency");
    let sub = caller.tenant.standing.sub_account().ok_or_else(none)?;
    Ok((&caller.tenant, &sub.prices))
}

/// `GET /api/credits`
pub(crate) async fn balance(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Value>> {
    let (tenant, prices) = paying(&caller)?;
    let purse = store.purse(&tenant.id).await?.unwrap_or_default();
    Ok(Reply(json!({"status": "success", "credits": shown_credits(&purse), "prices": prices})))
}

request! {
    /// `GET /api/credits/history` and `GET /api/subaccounts/{id}/history`
    pub(crate) struct ListHistory {
        before: Given<String> = named("before"),
        limit: Given<u64> = named("limit"),
    }
}

/// `GET /api/credits/history`: the newest first.
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListHistory>,
) -> Result<Reply<200, Value>> {
    let (tenant, _) = paying(&caller)?;
    page(&store, tenant, input.read()).await
}

/// `GET /api/subaccounts/{id}/history`
pub(crate) async fn of_sub_account(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListHistory>,
) -> Result<Reply<200, Value>> {
    let sub = agencies::find(&store, &caller, input.path("id")).await?;
    page(&store, &sub.tenant, input.read()).await
}

async fn page(store: &Store, tenant: &Tenant, asked: ListHistory) -> Result<Reply<200, Value>> {
    let ListHistory { before, limit } = asked;
    let limit = usize::try_from(limit.or(LIMIT)?.clamp(1, MAX_LIMIT)).unwrap_or_default();
    let wrong = |_| Error::invalid("before", "before must be what another page answered as next");
    let before = before.get()?.map(|text| text.parse::<MessageId>().map_err(wrong)).transpose()?;
    let CreditPage { entries, next } = history(store, tenant, before, limit).await?;
    let entries: Vec<Value> = entries.iter().flat_map(shown).collect();
    let next = next.map(|next| next.to_string());
    Ok(Reply(json!({"status": "success", "history": entries, "next": next})))
}
