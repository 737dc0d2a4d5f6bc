//! `/v1/lists`

use api_http::{
    ApiError, Caller, Given, Input, Reply, Required, Result, cut_to_weight, idempotent, request, weight_of,
};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::contact::Contact;
use domain::list::{List, MAX_LIST_NAME};
use jiff::Timestamp;
use ops::events::EventPublisher;
use ops::pages::{Start, Wanted};
use ops::{lists, pages};
use serde::Serialize;
use store::Store;
use store::contacts::ContactFilter;

use super::{EXISTS, Inner};
use crate::joining::{join, list_id};
use crate::members::{Failed, Members};

/// Contacts of a page, unless the caller says how many.
const LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    /// The same.
    list_id: String,
    name: String,
    created_at: String,
}

impl From<List> for Listed {
    fn from(list: List) -> Self {
        let at = Timestamp::from_millisecond(list.created_ms).unwrap_or_default();
        let id = list.id.to_string();
        Self { list_id: id.clone(), id, name: list.name, created_at: format!("{at:.3}") }
    }
}

#[derive(Serialize)]
pub(crate) struct Answer {
    success: bool,
    #[serde(flatten)]
    list: Listed,
    /// How many contacts are in it.
    #[serde(rename = "contactCount", skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<u16>,
}

#[derive(Serialize)]
pub(crate) struct Lists {
    success: bool,
    lists: Vec<Listed>,
}

request! {
    /// `POST /v1/lists`
    pub(crate) struct NewList {
        name: Required<String> = named("name" | "listName" | "list_name").max_length(MAX_LIST_NAME),
    }
}

/// `POST /v1/lists`: of one name there is one list.
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
        let list = list.into();
        Ok(match is_new {
            true => {
                Reply::<201, _>(Answer { success: true, list, count: None, error_code: None }).into_response()
            }
            false => {
                let error_code = Some(EXISTS);
                Reply::<200, _>(Answer { success: true, list, count: None, error_code }).into_response()
            }
        })
    })
    .await
}

/// `GET /v1/lists`
pub(crate) async fn list(State(store): State<Store>, Caller(caller): Caller) -> Result<Reply<200, Lists>> {
    let lists = store.lists(caller.tenant_id()).await?;
    Ok(Reply(Lists { success: true, lists: lists.into_iter().map(Listed::from).collect() }))
}

/// `GET /v1/lists/{id}`
pub(crate) async fn get(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Answer>> {
    let tenant = caller.tenant_id();
    let list = lists::find(&store, tenant, list_id(input.path("id"))?).await?;
    let filter = ContactFilter { list: Some(list.id), ..ContactFilter::default() };
    let count = store.list_contacts(tenant, &filter, 0, 0).await?.total;
    Ok(Reply(Answer { success: true, list: list.into(), count: Some(count), error_code: None }))
}

#[derive(Serialize)]
pub(crate) struct Deleted {
    success: bool,
    id: String,
}

/// `DELETE /v1/lists/{id}`: its contacts stay.
pub(crate) async fn delete(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Deleted>> {
    let id = list_id(input.path("id"))?;
    lists::delete(&store, caller.tenant_id(), id).await?;
    Ok(Reply(Deleted { success: true, id: id.to_string() }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Joined {
    success: bool,
    list_id: String,
    /// Of a call about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<String>,
    contact_ids: Vec<String>,
    failed: Vec<Failed>,
}

/// `POST /v1/lists/{id}/contacts`: one or many. Who is in the list already stays.
pub(crate) async fn add(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<Members>,
) -> Result<Response> {
    set(&publisher, &caller, &input, true).await
}

/// `DELETE /v1/lists/{id}/contacts`
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
        let contact_ids: Vec<String> = done.contacts.iter().map(|contact| contact.id.to_string()).collect();
        let contact_id = contact_ids.first().filter(|_| done.is_one).cloned();
        let (list_id, failed) = (id.to_string(), done.failed);
        Ok(Reply::<200, _>(Joined { success: true, list_id, contact_id, contact_ids, failed }))
    })
    .await
}

request! {
    /// `GET /v1/lists/{id}/contacts`
    pub(crate) struct ListMembers {
        page: Given<u64> = named("page").at_least(1),
        limit: Given<u64> = named("limit" | "per_page" | "perPage"),
    }
}

#[derive(Serialize)]
pub(crate) struct Page {
    success: bool,
    contacts: Vec<Inner>,
    page: u64,
    limit: u64,
    total: u64,
}

/// `GET /v1/lists/{id}/contacts`
pub(crate) async fn members(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<ListMembers>,
) -> Result<Reply<200, Page>> {
    let tenant = caller.tenant_id();
    let list = lists::find(&publisher.store, tenant, list_id(input.path("id"))?).await?;
    let ListMembers { page, limit } = input.read();
    let page = page.or(1)?.max(1);
    let filter = ContactFilter { list: Some(list.id), ..ContactFilter::default() };
    let most = limit.or(LIMIT)?.clamp(1, MAX_LIMIT);
    let wanted = Wanted { filter: &filter, start: Start::Page(page), most, descending: false };
    let weigh = |contact: &Contact| weight_of(&Inner::from(contact));
    let found = pages::fitting(&publisher, tenant, wanted, weigh).await?;
    let mut contacts: Vec<Inner> = found.listing.contacts.iter().map(Inner::from).collect();
    cut_to_weight(&mut contacts);
    Ok(Reply(Page { success: true, contacts, page, limit: found.size, total: found.listing.total }))
}
