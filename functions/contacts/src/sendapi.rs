//! `/v1/whatsapp/contacts`

use std::num::NonZeroU64;

use api_http::{Caller, Given, Input, Reply, Result, request, weight_of};
use axum::extract::State;
use domain::contact::Contact;
use ops::events::EventPublisher;
use ops::pages;
use ops::pages::{Start, Wanted};
use serde::Serialize;
use store::contacts::ContactFilter;

use crate::listed::{ListedIdentity, identities};

const LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 1_000;

#[derive(Serialize)]
struct ListedContact {
    id: u64,
    phone: Option<String>,
    name: Option<String>,
    email: Option<String>,
    tags: Vec<String>,
    /// Everything that the contact is known by.
    identities: Vec<ListedIdentity>,
    created_at: String,
}

impl From<Contact> for ListedContact {
    fn from(contact: Contact) -> Self {
        Self {
            id: contact.id.0,
            identities: identities(&contact),
            phone: contact.phone.map(|phone| phone.as_str().to_owned()),
            name: contact.name,
            email: contact.email.map(|email| email.as_str().to_owned()),
            tags: contact.tags,
            created_at: format!("{:.3}", contact.created_at),
        }
    }
}

#[derive(Serialize)]
struct Meta {
    page: u64,
    limit: u64,
    total: u64,
    last_page: u64,
}

#[derive(Serialize)]
pub(crate) struct Page {
    data: Vec<ListedContact>,
    meta: Meta,
}

request! {
    /// `GET /v1/whatsapp/contacts`
    pub(crate) struct ListContacts {
        page: Given<NonZeroU64> = named("page"),
        limit: Given<u64> = named("limit"),
        search: Given<String> = named("search"),
    }
}

/// `GET /v1/whatsapp/contacts`: those that WhatsApp can reach.
pub(crate) async fn list(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<ListContacts>,
) -> Result<Reply<200, Page>> {
    let asked = input.read();
    let page = asked.page.get()?.map_or(1, NonZeroU64::get);
    let limit = asked.limit.or(LIMIT)?.clamp(1, MAX_LIMIT);
    let filter = ContactFilter {
        search: asked.search.get()?.map(|text| text.trim().to_owned()),
        with_phone: true,
        ..ContactFilter::default()
    };
    let wanted = Wanted { filter: &filter, start: Start::Page(page), most: limit, descending: false };
    let weigh = |contact: &Contact| weight_of(&ListedContact::from(contact.clone()));
    let found = pages::fitting(&publisher, caller.tenant_id(), wanted, weigh).await?;
    let (listing, limit) = (found.listing, found.size);
    let last_page = listing.total.div_ceil(limit).max(1);
    let meta = Meta { page, limit, total: listing.total, last_page };
    Ok(Reply(Page { data: listing.contacts.into_iter().map(ListedContact::from).collect(), meta }))
}
