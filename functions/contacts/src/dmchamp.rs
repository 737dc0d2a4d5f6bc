//! `/v1/contacts`; `/v1/lists` in a file of its own.

pub(crate) mod change;
pub(crate) mod lists;

use api_http::{Caller, Given, Input, PhoneText, Reply, Result, Texts, country_of, idempotent, request};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::contact::Contact;
use domain::identity::Identity;
use domain::{EmailAddress, TenantId};
use ops::events::EventPublisher;
use ops::{Code, Error, contacts};
use serde::Serialize;
use store::Store;

use crate::listed::{ListedIdentity, identities};
use crate::row::{Origin, PersonFields, ToldContact};

/// Stands beside a contact that existed before it was created.
const EXISTS: u16 = 409;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inner {
    id: String,
    first_name: String,
    last_name: String,
    email: Option<String>,
    phone_number: Option<String>,
    tags: Vec<String>,
    /// The lists that they are in.
    list_ids: Vec<String>,
    /// Everything that the contact is known by.
    identities: Vec<ListedIdentity>,
    created_at: String,
}

/// The guide and the reference of the contract differ: this is both.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    success: bool,
    contact_id: String,
    phone: Option<String>,
    #[serde(flatten)]
    flat: Inner,
    contact: Inner,
    #[serde(rename = "error_code", skip_serializing_if = "Option::is_none")]
    error_code: Option<u16>,
}

impl From<&Contact> for Inner {
    fn from(contact: &Contact) -> Self {
        let (first, last) = contact.split_name();
        Self {
            id: contact.id.to_string(),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: contact.email.as_ref().map(|email| email.as_str().to_owned()),
            phone_number: contact.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            tags: contact.tags.clone(),
            list_ids: contact.lists.iter().map(ToString::to_string).collect(),
            identities: identities(contact),
            created_at: format!("{:.3}", contact.created_at),
        }
    }
}

impl Answer {
    fn new(contact: &Contact, error_code: Option<u16>) -> Self {
        let inner = Inner::from(contact);
        Self {
            success: true,
            contact_id: inner.id.clone(),
            phone: inner.phone_number.clone(),
            flat: inner.clone(),
            contact: inner,
            error_code,
        }
    }
}

request! {
    /// `POST /v1/contacts`
    pub(crate) struct NewContact(person: PersonFields) {
        phone: Given<PhoneText> = named("phone" | "phoneNumber"),
        tags: Given<Texts> = named("tags"),
    }
}

/// `POST /v1/contacts`: one that has the phone already is answered as it is.
pub(crate) async fn create(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<NewContact>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let NewContact { person, phone, tags } = input.read();
        let told = ToldContact { person, phone, tags, channels: None, opt_in: None };
        let new = told.contact(&Origin::of_nobody(&publisher.store, &caller).await?)?;
        if let Some(phone) = new.phone.clone()
            && let Some(known) =
                existing(&publisher.store, caller.tenant_id(), Identity::from(&phone)).await?
        {
            return Ok(Reply::<200, _>(Answer::new(&known, Some(EXISTS))).into_response());
        }
        let limit = caller.tenant.plan.contacts;
        let done = contacts::upsert(&publisher, caller.tenant_id(), limit, &new).await?;
        Ok(match done.created {
            true => Reply::<201, _>(Answer::new(&done.contact, None)).into_response(),
            false => Reply::<200, _>(Answer::new(&done.contact, Some(EXISTS))).into_response(),
        })
    })
    .await
}

async fn existing(store: &Store, tenant: &TenantId, identity: Identity) -> Result<Option<Contact>> {
    match contacts::find(store, tenant, &identity, "phone").await {
        Ok(contact) => Ok(Some(contact)),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

request! {
    /// `GET /v1/contacts`
    pub(crate) struct FindContact {
        phone: Given<PhoneText> = named("phoneNumber" | "phone"),
        email: Given<String> = named("email"),
    }
}

/// `GET /v1/contacts?phoneNumber=` or `?email=`
pub(crate) async fn find(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<FindContact>,
) -> Result<Reply<200, Answer>> {
    let asked = input.read();
    let name = asked.phone.name();
    let phone = asked.phone.get()?;
    let country = country_of(&store, &caller, phone.as_ref()).await?;
    let phone = phone.map(|phone| phone.recipient(country)).transpose()?;
    let (identity, field) = match (phone, asked.email.get()?) {
        (Some((address, _)), _) => (Identity::from(&address), name),
        (None, Some(email)) => (Identity::Email(email.parse::<EmailAddress>()?.identity()), "email"),
        (None, None) => return Err(Error::invalid(name, "phoneNumber or email is required").into()),
    };
    let found = contacts::find(&store, caller.tenant_id(), &identity, field).await?;
    Ok(Reply(Answer::new(&found, None)))
}
