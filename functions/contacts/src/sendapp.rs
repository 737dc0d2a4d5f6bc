//! `/api/contacts`; `/api/lists` in a file of its own.

pub(crate) mod lists;

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use api_http::{
    Caller, FieldKind, FromParameter, Given, Input, Object, Parameter, PhoneText, Reply, Required, Result,
    Rows, Texts, idempotent, request, text_of, weight_of,
};
use axum::extract::State;
use axum::response::Response;
use domain::contact::{Contact, MAX_BULK};
use domain::merge::Warning;
use domain::{CallingCode, ContactId, Invalid, ListId};
use ops::events::EventPublisher;
use ops::pages::{Start, Wanted};
use ops::{Code, Error, callers, contacts, pages, senders};
use serde::Serialize;
use serde_json::{Map, Value};
use store::Store;
use store::contacts::ContactFilter;

use crate::listed::{ListedConsent, ListedIdentity, ListedNote, identities, notes};
use crate::row::{Origin, PersonFields, ToldContact};

const PER_PAGE: u64 = 100;
const MAX_PER_PAGE: u64 = 1_000;

#[derive(Serialize)]
struct ListedContact<'a> {
    id: u64,
    name: Option<&'a str>,
    phone: Option<&'a str>,
    email: Option<&'a str>,
    tags: &'a [String],
    metadata: &'a Map<String, Value>,
    /// How custom channels know the contact: ids by the channels' names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    channels: BTreeMap<&'a str, Vec<&'a str>>,
    /// Everything that the contact is known by.
    identities: Vec<ListedIdentity>,
    /// What the contact agreed to, and its proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<ListedConsent<'a>>,
    /// What was written about the contact, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<ListedNote>,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a Contact> for ListedContact<'a> {
    fn from(contact: &'a Contact) -> Self {
        Self {
            id: contact.id.0,
            name: contact.name.as_deref(),
            phone: contact.phone.as_ref().map(|phone| phone.as_str()),
            email: contact.email.as_ref().map(|email| email.as_str()),
            tags: &contact.tags,
            metadata: &contact.metadata,
            channels: channels(contact),
            identities: identities(contact),
            consent: ListedConsent::of(&contact.consent),
            notes: notes(contact),
            created_at: format!("{:.3}", contact.created_at),
            updated_at: format!("{:.3}", contact.updated_at),
        }
    }
}

#[derive(Serialize)]
struct Page<'a> {
    status: &'static str,
    contacts: Vec<ListedContact<'a>>,
    page: u64,
    per_page: u64,
    total: u64,
    last_page: u64,
}

request! {
    /// `GET /api/contacts`
    pub(crate) struct ListContacts {
        page: Given<NonZeroU64> = named("page"),
        per_page: Given<NonZeroU64> = named("per_page"),
        search: Given<String> = named("search"),
        tag: Given<String> = named("tag"),
        list: Given<u64> = named("list" | "list_id"),
        with_phone: Given<bool> = named("with_phone"),
        with_email: Given<bool> = named("with_email"),
    }
}

/// `GET /api/contacts`
pub(crate) async fn list(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<ListContacts>,
) -> Result<Reply<200, Value>> {
    let asked = input.read();
    let page = asked.page.get()?.map_or(1, NonZeroU64::get);
    let per_page = asked.per_page.get()?.map_or(PER_PAGE, NonZeroU64::get).min(MAX_PER_PAGE);
    let filter = ContactFilter {
        search: asked.search.get()?.map(|text| text.trim().to_owned()),
        tag: asked.tag.get()?.map(|tag| tag.trim().to_owned()),
        list: asked.list.get()?.map(ListId),
        with_phone: asked.with_phone.or(false)?,
        with_email: asked.with_email.or(false)?,
    };
    let wanted = Wanted { filter: &filter, start: Start::Page(page), most: per_page, descending: false };
    let weigh = |contact: &Contact| weight_of(&ListedContact::from(contact));
    let found = pages::fitting(&publisher, caller.tenant_id(), wanted, weigh).await?;
    let (listing, per_page) = (found.listing, found.size);
    let answer = Page {
        status: "success",
        contacts: listing.contacts.iter().map(ListedContact::from).collect(),
        page,
        per_page,
        total: listing.total,
        last_page: listing.total.div_ceil(per_page).max(1),
    };
    Ok(Reply(value(&answer)?))
}

fn value(answer: &impl Serialize) -> Result<Value> {
    serde_json::to_value(answer).map_err(|_| Error::new(Code::Internal, "internal error").into())
}

fn channels(contact: &Contact) -> BTreeMap<&str, Vec<&str>> {
    let mut channels: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (channel, id) in &contact.custom {
        channels.entry(channel).or_default().push(id);
    }
    channels
}

#[derive(Serialize)]
struct Upserted<'a> {
    status: &'static str,
    contact: ListedContact<'a>,
    created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

request! {
    /// A contact.
    pub(crate) struct ImportRow(person: PersonFields) {
        phone: Given<PhoneText> = named("phone"),
        tags: Given<Texts> = named("tags"),
        channels: Given<Object> = named("channels"),
        proof: Given<Value> = named("opt_in"),
    }
}

impl From<ImportRow> for ToldContact {
    fn from(row: ImportRow) -> Self {
        let ImportRow { person, phone, tags, channels, proof } = row;
        Self { person, phone, tags, channels: Some(channels), opt_in: Some(proof) }
    }
}

request! {
    /// `POST /api/contacts`
    pub(crate) struct NewContact(row: ImportRow) {
        token: Given<String> = named("token"),
        country: Given<CallingCode> = named("country"),
    }
}

/// `POST /api/contacts`
pub(crate) async fn create(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<NewContact>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let asked = input.read();
        let origin = origin(&publisher.store, &caller, asked.token, asked.country).await?;
        let mut rows = vec![ToldContact::from(asked.row).contact(&origin)];
        senders::check_rows(&publisher.store, caller.tenant_id(), &mut rows).await?;
        let new = rows.remove(0)?;
        let limit = caller.tenant.plan.contacts;
        let done = contacts::upsert(&publisher, caller.tenant_id(), limit, &new).await?;
        let answer = Upserted {
            status: "success",
            contact: ListedContact::from(&done.contact),
            created: done.created,
            warning: done.warning.map(Warning::as_str),
        };
        Ok(Reply::<201, Value>(value(&answer)?))
    })
    .await
}

/// The account that a caller may name as the contacts' origin, and the country of numbers
/// that are written without one.
async fn origin(
    store: &Store,
    caller: &ops::Caller,
    token: Given<String>,
    country: Given<CallingCode>,
) -> Result<Origin> {
    let country = country.get()?;
    let origin = match token.get()? {
        Some(token) => Origin::from(callers::account(store, caller, Some(&token)).await?),
        None => Origin::of_nobody(store, caller).await?,
    };
    Ok(origin.in_country(country, store.clock().now()))
}

#[derive(Serialize)]
struct RowError {
    index: usize,
    field: String,
    message: String,
}

#[derive(Serialize)]
struct RowWarning {
    index: usize,
    warning: &'static str,
}

#[derive(Serialize)]
struct Imported {
    status: &'static str,
    created: u64,
    updated: u64,
    failed: usize,
    errors: Vec<RowError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<RowWarning>,
}

impl From<contacts::Imported> for Imported {
    fn from(done: contacts::Imported) -> Self {
        let error = |(index, invalid): (usize, Invalid)| RowError {
            index,
            field: invalid.field,
            message: invalid.message,
        };
        let warning = |(index, warning)| RowWarning { index, warning: Warning::as_str(warning) };
        Self {
            status: "success",
            created: done.created,
            updated: done.updated,
            failed: done.errors.len(),
            errors: done.errors.into_iter().map(error).collect(),
            warnings: done.warnings.into_iter().map(warning).collect(),
        }
    }
}

type ContactRows = Rows<ImportRow>;

request! {
    /// `POST /api/contacts/bulk`
    pub(crate) struct Import {
        contacts: Required<ContactRows> = named("contacts").max_items(MAX_BULK),
        token: Given<String> = named("token"),
        country: Given<CallingCode> = named("country"),
    }
}

/// `POST /api/contacts/bulk`
pub(crate) async fn import(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<Import>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let asked = input.read();
        let rows = asked.contacts.get()?;
        check_count("contacts", rows.count())?;
        let origin = origin(&publisher.store, &caller, asked.token, asked.country).await?;
        let no_object = || Invalid::new("contacts", "the row must be an object");
        let rows = rows.iter().map(|row| ToldContact::from(row.ok_or_else(no_object)?).contact(&origin));
        let mut rows: Vec<_> = rows.collect();
        senders::check_rows(&publisher.store, caller.tenant_id(), &mut rows).await?;
        let limit = caller.tenant.plan.contacts;
        let done = contacts::import(&publisher, caller.tenant_id(), limit, rows).await?;
        Ok(Reply::<200, Imported>(done.into()))
    })
    .await
}

/// Refuses more items than a bulk call takes.
fn check_count(name: &str, count: usize) -> Result<()> {
    if count > MAX_BULK {
        let message = format!("{name} may have at most {MAX_BULK} items, not {count}");
        let error = Error { field: Some(name.to_owned()), ..Error::new(Code::TooLarge, message) };
        return Err(error.into());
    }
    Ok(())
}

#[derive(Serialize)]
pub(crate) struct Deleted {
    status: &'static str,
    id: u64,
}

/// `DELETE /api/contacts/{id}`
pub(crate) async fn delete(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Deleted>> {
    let unknown = |_| Error::not_found("id", "there is no contact with this id");
    let id: ContactId = input.path("id").parse().map_err(unknown)?;
    contacts::delete(&publisher, caller.tenant_id(), id).await?;
    Ok(Reply(Deleted { status: "success", id: id.0 }))
}

#[derive(Serialize)]
pub(crate) struct DeletedMany {
    status: &'static str,
    deleted: u64,
    not_found: u64,
}

/// An array, or one text with commas.
pub(crate) struct Ids(Vec<Value>);

impl FromParameter for Ids {
    const KIND: FieldKind = FieldKind::Array;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let items = match parameter.value() {
            Some(Value::String(text)) if !text.trim_start().starts_with('[') => {
                parameter.list()?.map(|list| list.into_iter().map(Value::from).collect())
            }
            Some(_) | None => parameter.array()?,
        };
        Ok(items.map(Self))
    }
}

request! {
    /// `DELETE /api/contacts/bulk`
    pub(crate) struct DeleteMany {
        ids: Required<Ids> = named("ids").max_items(MAX_BULK),
    }
}

/// `DELETE /api/contacts/bulk`
pub(crate) async fn delete_many(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<DeleteMany>,
) -> Result<Reply<200, DeletedMany>> {
    let ids = ids(input.read())?;
    let (deleted, not_found) = contacts::delete_many(&publisher, caller.tenant_id(), &ids).await?;
    Ok(Reply(DeletedMany { status: "success", deleted, not_found }))
}

fn ids(asked: DeleteMany) -> Result<Vec<ContactId>> {
    let wrong = || Error::invalid("ids", "ids must be an array of integers");
    let Ids(items) = asked.ids.get()?;
    check_count("ids", items.len())?;
    let id = |value| text_of(value).and_then(|text| text.parse().ok());
    items.iter().map(|value| id(value).ok_or_else(|| wrong().into())).collect()
}

#[cfg(test)]
mod tests {
    use api_http::{Fields, Request};
    use serde_json::json;

    use super::*;

    fn ids_of(params: Value) -> Result<Vec<ContactId>> {
        ids(DeleteMany::read(Fields::from(params.as_object().unwrap())))
    }

    #[test]
    fn ids_come_in_several_forms() {
        for params in [json!({"ids": [1, "2"]}), json!({"ids": "1,2"}), json!({"ids": "[1, 2]"})] {
            assert_eq!(ids_of(params).unwrap(), [ContactId(1), ContactId(2)]);
        }
        for params in [
            json!({}),
            json!({"ids": ["x"]}),
            json!({"ids": [1.5]}),
            json!({"ids": [-1]}),
            json!({"ids": {"a": 1}}),
        ] {
            let error = ids_of(params).unwrap_err().0;
            assert_eq!((error.code, error.field.as_deref()), (Code::InvalidField, Some("ids")));
        }
        let error = ids_of(json!({"ids": vec![1; 10_001]})).unwrap_err().0;
        assert_eq!(error.code, Code::TooLarge);
        assert!(error.message.contains("10000"));
    }
}
