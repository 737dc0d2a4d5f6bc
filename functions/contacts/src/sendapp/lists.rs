//! `/api/lists`

use api_http::{ApiError, Caller, Input, Reply, Required, Result, idempotent, request};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::list::{List, MAX_LIST_NAME};
use jiff::Timestamp;
use ops::events::EventPublisher;
use ops::lists;
use serde::Serialize;
use store::Store;
use store::contacts::ContactFilter;

use crate::joining::{join, list_id};
use crate::members::{Failed, Members};

#[derive(Serialize)]
struct Listed {
    id: u64,
    name: String,
    created_at: String,
    /// How many contacts are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<u64>,
}

impl From<List> for Listed {
    fn from(list: List) -> Self {
        let at = Timestamp::from_millisecond(list.created_ms).unwrap_or_default();
        Self { id: list.id.0, name: list.name, created_at: format!("{at:.3}"), contacts: None }
    }
}

#[derive(Serialize)]
pub(crate) struct Answer {
    status: &'static str,
    list: Listed,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
}

#[derive(Serialize)]
pub(crate) struct Lists {
    status: &'static str,
    lists: Vec<Listed>,
}

request! {
    /// `POST /api/lists`
    pub(crate) struct NewList {
        name: Required<String> = named("name").max_length(MAX_LIST_NAME),
    }
}

/// `POST /api/lists`: of one name there is one list.
pub(crate) async fn create(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<NewList>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let name = input.read().name;
        let called = name.name();
        let made = lists::create(&publisher.store, caller.tenant_id(), &name.get()?).await;
        let (list, is_new) = made.map_err(|error| ApiError(error).renamed("name", called))?;
        let answer = Answer { status: "success", list: list.into(), created: Some(is_new) };
        Ok(match is_new {
            true => Reply::<201, _>(answer).into_response(),
            false => Reply::<200, _>(answer).into_response(),
        })
    })
    .await
}

/// `GET /api/lists`
pub(crate) async fn list(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Lists>> {
    let lists = store.lists(caller.tenant_id()).await?;
    Ok(Reply(Lists { status: "success", lists: lists.into_iter().map(Listed::from).collect() }))
}

/// `GET /api/lists/{id}`
pub(crate) async fn get(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Answer>> {
    let tenant = caller.tenant_id();
    let list = lists::find(&store, tenant, list_id(input.path("id"))?).await?;
    let filter = ContactFilter { list: Some(list.id), ..ContactFilter::default() };
    let contacts = Some(store.list_contacts(tenant, &filter, 0, 0).await?.total);
    let list = Listed { contacts, ..list.into() };
    Ok(Reply(Answer { status: "success", list, created: None }))
}

#[derive(Serialize)]
pub(crate) struct Deleted {
    status: &'static str,
    deleted: u64,
}

/// `DELETE /api/lists/{id}`: its contacts stay.
pub(crate) async fn delete(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Deleted>> {
    let id = list_id(input.path("id"))?;
    lists::delete(&store, caller.tenant_id(), id).await?;
    Ok(Reply(Deleted { status: "success", deleted: id.0 }))
}

#[derive(Serialize)]
pub(crate) struct Joined {
    status: &'static str,
    list_id: u64,
    contact_ids: Vec<u64>,
    failed: Vec<Failed>,
}

/// `POST /api/lists/{id}/contacts`: one or many. Who is in the list already stays.
pub(crate) async fn add(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<Members>,
) -> Result<Response> {
    set(&publisher, &caller, &input, true).await
}

/// `DELETE /api/lists/{id}/contacts`
pub(crate) async fn remove(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<Members>,
) -> Result<Response> {
    set(&publisher, &caller, &input, false).await
}

async fn set(
    publisher: &EventPublisher,
    caller: &ops::Caller,
    input: &Input<Members>,
    is_in: bool,
) -> Result<Response> {
    idempotent(&publisher.store, caller, input, async {
        let id = list_id(input.path("id"))?;
        let done = join(publisher, caller, (id, is_in), input).await?;
        let contact_ids = done.contacts.iter().map(|contact| contact.id.0).collect();
        Ok(Reply::<200, _>(Joined { status: "success", list_id: id.0, contact_ids, failed: done.failed }))
    })
    .await
}
