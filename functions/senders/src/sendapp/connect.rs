//! `/api/accounts/connect_meta`

use api_http::{Caller, Given, Input, Reply, Required, Result, account_of_token, request};
use axum::extract::State;
use domain::account::Number;
use domain::{Invalid, Secret};
use messaging::numbers::{self, Connection};
use ops::Error;
use serde::Serialize;
use serde_json::{Value, json};

use super::list::ListedSender;
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

request! {
    /// A number as Meta knows it, and how it is sent from.
    pub(crate) struct ConnectionFields {
        messages_per_second: Given<u64> = named("messages_per_second").at_least(1).at_most(10_000),
        phone_number_id: Required<String> = named("phone_number_id"),
        waba_id: Required<String> = named("waba_id"),
        access_token: Required<String> = named("access_token"),
        app_secret: Required<String> = named("app_secret"),
        verify_token: Required<String> = named("verify_token"),
        tier: Given<u64> = named("tier"),
        as_default: Given<bool> = named("default"),
    }
}

impl ConnectionFields {
    fn get(self) -> Result<Connection> {
        let per_second = self.messages_per_second.or(MESSAGES_PER_SECOND)?;
        let per_second = u32::try_from(per_second).map_err(|_| {
            Error::invalid("messages_per_second", "messages_per_second must be from 1 to 10000")
        })?;
        let trimmed = |text: Required<String>| Ok::<_, Invalid>(text.get()?.trim().to_owned());
        Ok(Connection {
            number: trimmed(self.phone_number_id)?,
            waba_id: trimmed(self.waba_id)?,
            access_token: Secret::new(trimmed(self.access_token)?),
            app_secret: Secret::new(trimmed(self.app_secret)?),
            verify_token: trimmed(self.verify_token)?,
            per_second,
            tier: self.tier.get()?,
            as_default: self.as_default.or(false)?,
        })
    }
}

request! {
    /// `POST /api/accounts/connect_meta`
    pub(crate) struct Connect(connection: ConnectionFields) {
        token: Required<String> = named("token"),
    }
}

/// `POST /api/accounts/connect_meta`
pub(crate) async fn connect(
    State(app): State<App>,
    Caller(caller): Caller,
    input: Input<Connect>,
) -> Result<Reply<200, Value>> {
    let Connect { connection, token } = input.read();
    let account = account_of_token(&app.store, &caller, token).await?;
    let connection = connection.get()?;
    let (account, id) = numbers::connect_number(&app.store, &app.graph, &caller, account, connection).await?;
    Ok(Reply(json!({
        "status": "success",
        "account": {"id": account.id.0, "name": account.name},
        "number": account.number_of(&id).map(Connected::from),
        "senders": account.senders().iter().map(ListedSender::from).collect::<Vec<_>>(),
    })))
}
