//! `/api/v1/subscriber` and `/api/v1/whatsapp/subscriber`, and labels.

pub(crate) mod change;
pub(crate) mod labels;

use api_http::{
    ApiError, Caller, Given, Input, PhoneText, Reply, Result, Texts, country_of, idempotent, request,
    text_of, weight_of,
};
use axum::extract::State;
use axum::response::Response;
use domain::ContactId;
use domain::contact::Contact;
use domain::identity::Identity;
use domain::message::Address;
use ops::events::EventPublisher;
use ops::pages::{Start, Wanted};
use ops::{Error, callers, contacts, pages};
use serde::Serialize;
use serde_json::{Map, Value};
use store::Store;
use store::contacts::{ContactFilter, Subject};

use crate::listed::{ListedIdentity, ListedNote, identities, notes};
use crate::row::{Origin, PersonFields, ToldContact};

const PER_PAGE: u64 = 100;
const MAX_PER_PAGE: u64 = 1_000;
/// The custom field that sister products have a parameter for.
const GENDER: &str = "gender";

#[derive(Serialize)]
pub(crate) struct Subscriber {
    subscriber_id: u64,
    chat_id: Option<String>,
    first_name: String,
    last_name: String,
    phone_number: Option<String>,
    email: Option<String>,
    labels: Vec<String>,
    label_names: String,
    gender: Option<String>,
    custom_fields: Map<String, Value>,
    /// What was written about the subscriber, the oldest first.
    notes: Vec<ListedNote>,
    /// Everything that the subscriber is known by.
    identities: Vec<ListedIdentity>,
    created_at: String,
}

impl From<&Contact> for Subscriber {
    fn from(contact: &Contact) -> Self {
        let (first, last) = contact.split_name();
        let phone = contact.phone.as_ref().map(|phone| phone.digits().to_owned());
        Self {
            subscriber_id: contact.id.0,
            chat_id: phone.clone(),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            phone_number: phone,
            email: contact.email.as_ref().map(|email| email.as_str().to_owned()),
            labels: contact.tags.clone(),
            label_names: contact.tags.join(","),
            gender: contact.metadata.get(GENDER).and_then(text_of),
            custom_fields: contact.metadata.clone(),
            notes: notes(contact),
            identities: identities(contact),
            created_at: format!("{:.3}", contact.created_at),
        }
    }
}

#[derive(Serialize)]
struct CreatedSubscriber {
    status: &'static str,
    message: &'static str,
    subscriber_id: u64,
    data: Subscriber,
}

request! {
    /// `subscriber/create`
    pub(crate) struct NewSubscriber(person: PersonFields) {
        phone: Given<PhoneText> = named("phoneNumber" | "phone_number" | "phone" | "chat_id" | "chatId"),
        labels: Given<Texts> = named("label_names" | "labelNames" | "labels" | "tags"),
        number: Given<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
    }
}

/// `subscriber/create`
pub(crate) async fn create(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<NewSubscriber>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let NewSubscriber { person, phone, labels, number } = input.read();
        let origin = origin(&publisher.store, &caller, number).await?;
        let new =
            ToldContact { person, phone, tags: labels, channels: None, opt_in: None }.contact(&origin)?;
        let limit = caller.tenant.plan.contacts;
        let done = contacts::upsert(&publisher, caller.tenant_id(), limit, &new).await?;
        let message = match done.created {
            true => "Subscriber created successfully.",
            false => "Subscriber already existed and was updated.",
        };
        let data = Subscriber::from(&done.contact);
        Ok(Reply::<200, CreatedSubscriber>(CreatedSubscriber {
            status: "1",
            message,
            subscriber_id: data.subscriber_id,
            data,
        }))
    })
    .await
}

/// The number that the subscriber writes to, when the caller names it.
async fn origin(store: &Store, caller: &ops::Caller, number: Given<String>) -> Result<Origin> {
    let name = number.name();
    let Some(number) = number.get()? else { return Ok(Origin::of_nobody(store, caller).await?) };
    let found = callers::account_of_number(store, caller, Some(&number)).await;
    let (account, _) = found.map_err(|error| ApiError(error).renamed("phone_number_id", name))?;
    Ok(account.into())
}

#[derive(Serialize)]
pub(crate) struct Subscribers {
    status: &'static str,
    message: Vec<Subscriber>,
    total: u64,
    /// Pass it as `offset` to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
}

request! {
    /// `subscriber/list`
    pub(crate) struct ListSubscribers {
        limit: Given<u64> = named("limit"),
        page: Given<u64> = named("page"),
        offset: Given<u64> = named("offset"),
        order_by: Given<String> = named("orderBy" | "order_by"),
        search: Given<String> = named("search"),
    }
}

/// `subscriber/list`: by `page`, or by `limit` and `offset`.
pub(crate) async fn list(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<ListSubscribers>,
) -> Result<Reply<200, Subscribers>> {
    let asked = input.read();
    let take = asked.limit.or(PER_PAGE)?.clamp(1, MAX_PER_PAGE);
    let start = match (asked.page.get()?, asked.offset.get()?) {
        (Some(page), None) => Start::Page(page),
        // Clients count from 0 or from 1: both begin with the first.
        (_, Some(offset)) => Start::Behind(offset.saturating_sub(1)),
        (None, None) => Start::Behind(0),
    };
    let descending = asked
        .order_by
        .get()?
        .is_some_and(|order| matches!(order.to_ascii_lowercase().as_str(), "1" | "desc"));
    let filter = ContactFilter {
        search: asked.search.get()?.map(|text| text.trim().to_owned()),
        ..ContactFilter::default()
    };
    let weigh = |contact: &Contact| weight_of(&Subscriber::from(contact));
    let wanted = Wanted { filter: &filter, start, most: take, descending };
    let pages::ContactPage { listing, skipped, .. } =
        pages::fitting(&publisher, caller.tenant_id(), wanted, weigh).await?;
    let message: Vec<Subscriber> = listing.contacts.iter().map(Subscriber::from).collect();
    let seen = skipped.saturating_add(message.len() as u64);
    let next_offset = Some(seen + 1).filter(|_| seen < listing.total);
    Ok(Reply(Subscribers { status: "1", message, total: listing.total, next_offset }))
}

request! {
    /// Which subscriber: by their id, or their number.
    pub(crate) struct WhoFields {
        id: Given<String> = named("subscriberId" | "subscriber_id"),
        phone: Given<PhoneText> = named("phone_number" | "phoneNumber" | "phone" | "chat_id" | "chatId"),
        number: Given<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
    }
}

/// The subscriber that a caller names.
struct Who {
    subject: Subject,
    /// The parameter that names them.
    name: &'static str,
    /// Their number, when the id names them.
    phone: Option<Address>,
}

impl WhoFields {
    async fn get(self, store: &Store, caller: &ops::Caller) -> Result<Who> {
        let (by_id, by_phone) = (self.id.name(), self.phone.name());
        let phone = self.phone.get()?;
        let country = match self.number.is_given()? {
            true => origin(store, caller, self.number).await?.country(),
            false => country_of(store, caller, phone.as_ref()).await?,
        };
        let phone = phone.map(|phone| phone.recipient(country)).transpose()?.map(|(address, _)| address);
        if let Some(id) = self.id.get()? {
            let id: ContactId = id.parse().map_err(|wrong| ApiError::from(wrong).renamed("id", by_id))?;
            return Ok(Who { subject: Subject::Id(id), name: by_id, phone });
        }
        let missing = || Error::invalid("subscriberId", "subscriberId or phone_number is required");
        let address = phone.ok_or_else(missing)?;
        Ok(Who { subject: Subject::Known(Identity::from(&address)), name: by_phone, phone: None })
    }
}

request! {
    /// `subscriber/get`
    pub(crate) struct FindSubscriber(who: WhoFields) {}
}

/// `subscriber/get`
pub(crate) async fn get(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<FindSubscriber>,
) -> Result<Reply<200, Subscribers>> {
    let who = input.read().who.get(&store, &caller).await?;
    let found = match &who.subject {
        Subject::Id(id) => store.contact(caller.tenant_id(), *id).await?,
        Subject::Known(identity) => store.contact_by(caller.tenant_id(), identity).await?,
    };
    let found = found.ok_or_else(|| Error::not_found(who.name, "there is no such contact"))?;
    Ok(Reply(Subscribers {
        status: "1",
        message: vec![Subscriber::from(&found)],
        total: 1,
        next_offset: None,
    }))
}
