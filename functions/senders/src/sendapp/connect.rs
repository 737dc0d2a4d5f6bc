//! `/api/accounts/connect_meta`

use api_http::{Caller, Input, Reply, Result, account_of_token};
use axum::extract::State;
use domain::Secret;
use domain::account::Number;
use messaging::numbers::{self, Connection};
use ops::Error;
use serde::Serialize;
use serde_json::{Value, json};

use super::list::Item;
use crate::App;

/// What Meta allows a number that nothing else is said about.
const MESSAGES_PER_SECOND: u64 = 80;

#[derive(Serialize)]
struct Connected<'a> {
    phone_number_id: &'a str,
    waba_id: &'a str,
    display_phone_number: &'a str,
    verified_name: &'a str,
    messages_per_second: u32,
    tier: Option<u64>,
}

impl<'a> From<&'a Number> for Connected<'a> {
    fn from(number: &'a Number) -> Self {
        Self {
            phone_number_id: number.id.as_str(),
            waba_id: &number.waba_id,
            display_phone_number: &number.display_phone_number,
            verified_name: &number.verified_name,
            messages_per_second: number.per_second,
            tier: number.tier,
        }
    }
}

/// `POST /api/accounts/connect_meta`
pub(crate) async fn connect(
    State(app): State<App>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    let fields = input.fields();
    let account = account_of_token(&app.store, &caller, fields).await?;
    let connection = connection(&input)?;
    let (account, id) = numbers::connect_number(&app.store, &app.graph, &caller, account, connection).await?;
    Ok(Reply(json!({
        "status": "success",
        "account": {"id": account.id.0, "name": account.name},
        "number": account.number_of(&id).map(Connected::from),
        "senders": account.senders().iter().map(Item::from).collect::<Vec<_>>(),
    })))
}

fn connection(input: &Input) -> Result<Connection> {
    let fields = input.fields();
    let per_second = fields.integer("messages_per_second")?.unwrap_or(MESSAGES_PER_SECOND);
    let per_second = u32::try_from(per_second)
        .map_err(|_| Error::invalid("messages_per_second", "messages_per_second must be from 1 to 10000"))?;
    Ok(Connection {
        number: fields.required("phone_number_id")?.trim().to_owned(),
        waba_id: fields.required("waba_id")?.trim().to_owned(),
        access_token: Secret::new(fields.required("access_token")?.trim()),
        app_secret: Secret::new(fields.required("app_secret")?.trim()),
        verify_token: fields.required("verify_token")?.trim().to_owned(),
        per_second,
        tier: fields.integer("tier")?,
        as_default: fields.switch("default")?.unwrap_or(false),
    })
}
