//! `/api/operators` and `/api/account/regenerate_key`: what only owners may do.

use api_http::{Caller, Input, Reply, Required, Result, request};
use axum::extract::State;
use domain::account::ApiKey;
use ops::accounts;
use serde::Serialize;
use store::Store;

#[derive(Serialize)]
struct Operator {
    id: String,
    name: String,
    disabled: bool,
}

impl From<&ApiKey> for Operator {
    fn from(key: &ApiKey) -> Self {
        Self { id: accounts::operator_id(key).to_owned(), name: key.name.clone(), disabled: key.disabled }
    }
}

#[derive(Serialize)]
pub(crate) struct NewKey {
    status: &'static str,
    apikey: String,
}

/// `POST /api/account/regenerate_key`: the old key stops at once.
pub(crate) async fn regenerate_key(
    State(store): State<Store>,
    Caller(caller): Caller,
) -> Result<Reply<200, NewKey>> {
    let key = accounts::regenerate_key(&store, &caller).await?;
    Ok(Reply(NewKey { status: "success", apikey: key.expose().to_owned() }))
}

#[derive(Serialize)]
pub(crate) struct Operators {
    status: &'static str,
    operators: Vec<Operator>,
}

/// `GET /api/operators`
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
) -> Result<Reply<200, Operators>> {
    let keys = accounts::operators(&store, &caller).await?;
    Ok(Reply(Operators { status: "success", operators: keys.iter().map(Operator::from).collect() }))
}

#[derive(Serialize)]
pub(crate) struct CreatedOperator {
    status: &'static str,
    operator: Operator,
    apikey: String,
}

request! {
    /// `POST /api/operators`
    pub(crate) struct NewOperator {
        name: Required<String> = named("name").max_length(255),
    }
}

/// `POST /api/operators`: the key is shown only here.
pub(crate) async fn create(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<NewOperator>,
) -> Result<Reply<201, CreatedOperator>> {
    let name = input.read().name.get()?;
    let (key, secret) = accounts::create_operator(&store, &caller, &name).await?;
    let apikey = secret.expose().to_owned();
    Ok(Reply(CreatedOperator { status: "success", operator: Operator::from(&key), apikey }))
}

#[derive(Serialize)]
pub(crate) struct Switched {
    status: &'static str,
    operator: Operator,
}

/// `POST /api/operators/{id}/disable`
pub(crate) async fn disable(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Switched>> {
    switch(&store, &caller, input.path("id"), true).await
}

/// `POST /api/operators/{id}/enable`
pub(crate) async fn enable(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Switched>> {
    switch(&store, &caller, input.path("id"), false).await
}

async fn switch(
    store: &Store,
    caller: &ops::Caller,
    id: &str,
    disabled: bool,
) -> Result<Reply<200, Switched>> {
    let key = accounts::disable_operator(store, caller, id, disabled).await?;
    Ok(Reply(Switched { status: "success", operator: Operator::from(&key) }))
}
