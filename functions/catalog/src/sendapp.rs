//! `/api/catalogs` and `/api/orders`

use api_http::{Caller, Given, Input, Reply, Required, Result, cut_to_weight, idempotent, request};
use axum::extract::State;
use axum::response::Response;
use domain::catalog::{Order, OrderStatus};
use domain::message::MAX_COMMERCE_TEXT;
use domain::plan::Module;
use domain::{ContactId, MessageId};
use messaging::Services;
use messaging::catalogs::{self, KnownCatalog};
use messaging::orders::{self, OrderChange};
use ops::plans;
use serde::Serialize;
use serde_json::{Value, json};
use store::catalogs::ProductQuery;
use store::orders::OrderQuery;

use crate::shown::{Named, Notification, ShownItem, ShownProduct, ShownSync, count, time};

const LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;

#[derive(Serialize)]
struct ShownCatalog {
    id: String,
    name: String,
    waba_id: String,
    account_id: u64,
    /// How many there were when it was read last.
    products: Option<u64>,
    sync: Option<ShownSync>,
}

impl From<&KnownCatalog> for ShownCatalog {
    fn from(known: &KnownCatalog) -> Self {
        Self {
            id: known.catalog.id.clone(),
            name: known.catalog.name.clone(),
            waba_id: known.waba_id.clone(),
            account_id: known.account.0,
            products: count(known),
            sync: ShownSync::of(known),
        }
    }
}

/// `GET /api/catalogs`: those that are connected.
pub(crate) async fn list(
    State(services): State<Services>,
    Caller(caller): Caller,
) -> Result<Reply<200, Value>> {
    plans::require(&caller, Module::Catalog)?;
    let found = catalogs::list(&services, caller.tenant_id()).await?;
    let catalogs: Vec<ShownCatalog> = found.iter().map(ShownCatalog::from).collect();
    Ok(Reply(json!({"status": "success", "catalogs": catalogs})))
}

/// `POST /api/catalogs/{id}/sync`: begins to read it, unless somebody does already.
pub(crate) async fn sync(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<202, Value>> {
    plans::require(&caller, Module::Catalog)?;
    let (known, begun) = catalogs::start(&services, caller.tenant_id(), input.path("id")).await?;
    Ok(Reply(json!({"status": "success", "catalog": ShownCatalog::from(&known), "started": begun})))
}

request! {
    /// `GET /api/catalogs/{id}/products`
    pub(crate) struct ListProducts {
        after: Given<String> = named("after").max_length(512),
        limit: Given<u64> = named("limit"),
        search: Given<String> = named("search").max_length(255),
        gone: Given<bool> = named("gone"),
    }
}

/// How many of a list: clamped.
fn most(limit: Given<u64>) -> Result<usize> {
    Ok(usize::try_from(limit.or(LIMIT)?.clamp(1, MAX_LIMIT)).unwrap_or(1))
}

#[derive(Serialize)]
pub(crate) struct Products {
    status: &'static str,
    products: Vec<ShownProduct>,
    /// Pass it as `after` to go on.
    next: Option<String>,
}

/// `GET /api/catalogs/{id}/products`: by the shop's ids of them.
pub(crate) async fn products(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ListProducts>,
) -> Result<Reply<200, Products>> {
    plans::require(&caller, Module::Catalog)?;
    let asked = input.read();
    let (after, search, limit) = (asked.after.get()?, asked.search.get()?, most(asked.limit)?);
    let wanted = ProductQuery {
        after: after.as_deref(),
        // One more tells whether there are more.
        limit: limit + 1,
        search: search.as_deref().map(str::trim),
        with_gone: asked.gone.or(false)?,
    };
    let (_, mut found) = catalogs::products(&services, caller.tenant_id(), input.path("id"), &wanted).await?;
    let mut is_more = found.len() > limit;
    found.truncate(limit);
    let ids: Vec<String> = found.iter().map(|one| one.product.retailer_id.clone()).collect();
    let mut products: Vec<ShownProduct> = found.into_iter().map(ShownProduct::from).collect();
    is_more |= cut_to_weight(&mut products);
    let last = products.len().checked_sub(1).and_then(|last| ids.get(last)).cloned();
    Ok(Reply(Products { status: "success", products, next: last.filter(|_| is_more) }))
}

#[derive(Serialize)]
struct ShownOrder {
    id: String,
    status: &'static str,
    catalog_id: Option<String>,
    catalog_name: Option<String>,
    account_id: u64,
    contact_id: Option<u64>,
    name: Option<String>,
    phone: Option<String>,
    items: Vec<ShownItem>,
    /// In minor units.
    total: Option<u64>,
    currency: Option<String>,
    /// The total with a decimal point.
    total_text: Option<String>,
    note: Option<String>,
    message_id: String,
    created_at: String,
    status_changed_at: String,
}

impl ShownOrder {
    fn new(order: &Order, named: &Named) -> Self {
        let buyer = named.buyer(order);
        Self {
            id: order.id.to_string(),
            status: order.status.as_str(),
            catalog_id: order.new.catalog.clone(),
            catalog_name: named.catalog(order),
            account_id: order.account.0,
            contact_id: buyer.map(|contact| contact.id.0),
            name: buyer.and_then(|contact| contact.name.clone()),
            phone: order.address.phone().map(|phone| phone.as_str().to_owned()),
            items: named.items(order),
            total: order.total.as_ref().map(|money| money.minor),
            currency: order.total.as_ref().map(|money| money.currency.to_string()),
            total_text: order.total.as_ref().map(|money| money.decimal()),
            note: order.new.note.clone(),
            message_id: order.provider_id.clone(),
            created_at: time(order.created_ms),
            status_changed_at: time(order.status_ms),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Orders {
    status: &'static str,
    orders: Vec<ShownOrder>,
    /// Pass it as `before` to go on.
    next: Option<String>,
}

request! {
    /// `GET /api/orders`
    pub(crate) struct ListOrders {
        before: Given<String> = named("before"),
        limit: Given<u64> = named("limit"),
        status: Given<String> = named("status"),
        catalog: Given<String> = named("catalog_id").max_length(512),
        contact: Given<u64> = named("contact_id"),
    }
}

/// `GET /api/orders`: newest first.
pub(crate) async fn orders(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ListOrders>,
) -> Result<Reply<200, Orders>> {
    plans::require(&caller, Module::Catalog)?;
    let (store, tenant) = (&services.store, caller.tenant_id());
    let asked = input.read();
    let limit = most(asked.limit)?;
    let before = asked.before.get()?.map(|id| id.trim().parse::<MessageId>()).transpose();
    let before = before.map_err(|_| ops::Error::invalid("before", "before must be the id of an order"))?;
    let status = asked.status.get()?.map(|status| OrderStatus::parse(&status)).transpose()?;
    let catalog = asked.catalog.get()?;
    let contacts = match asked.contact.get()? {
        Some(id) => Some(orders::buyers(store, tenant, ContactId(id)).await?),
        None => None,
    };
    let wanted = OrderQuery {
        before,
        limit: limit + 1,
        catalog: catalog.as_deref().map(str::trim),
        status,
        contacts: contacts.as_deref(),
    };
    let mut found = orders::list(store, tenant, &wanted).await?;
    let mut is_more = found.len() > limit;
    found.truncate(limit);
    let named = Named::by(store, tenant, &found).await?;
    let mut orders: Vec<ShownOrder> = found.iter().map(|order| ShownOrder::new(order, &named)).collect();
    is_more |= cut_to_weight(&mut orders);
    let next = orders.last().filter(|_| is_more).map(|last| last.id.clone());
    Ok(Reply(Orders { status: "success", orders, next }))
}

/// `GET /api/orders/{id}`
pub(crate) async fn order(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Value>> {
    plans::require(&caller, Module::Catalog)?;
    let (store, tenant) = (&services.store, caller.tenant_id());
    let order = orders::find(store, tenant, input.path("id")).await?;
    let named = Named::by(store, tenant, std::slice::from_ref(&order)).await?;
    Ok(Reply(json!({"status": "success", "order": ShownOrder::new(&order, &named)})))
}

request! {
    /// `POST /api/orders/{id}`
    pub(crate) struct ChangeOrder {
        status: Required<String> = named("status"),
        notify: Given<bool> = named("notify"),
        message: Given<String> = named("message").max_length(MAX_COMMERCE_TEXT),
        description: Given<String> = named("description").max_length(120),
    }
}

#[derive(Serialize)]
struct Changed {
    status: &'static str,
    order: ShownOrder,
    changed: bool,
    notification: Option<Notification>,
}

/// `POST /api/orders/{id}`: says how far it is, and tells the customer on demand.
pub(crate) async fn update(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ChangeOrder>,
) -> Result<Response> {
    idempotent(&services.store, &caller, &input, async {
        plans::require(&caller, Module::Catalog)?;
        let id = input.path("id");
        let (store, tenant) = (&services.store, caller.tenant_id());
        // What is not there is not there, whatever is said of it.
        orders::find(store, tenant, id).await?;
        let asked = input.read();
        let change = OrderChange {
            status: OrderStatus::parse(&asked.status.get()?)?,
            tells: asked.notify.or(false)?,
            text: asked.message.get()?,
            description: asked.description.get()?,
        };
        let changed = Box::pin(orders::change(&services, &caller, id, &change)).await?;
        let named = Named::by(store, tenant, std::slice::from_ref(&changed.order)).await?;
        Ok(Reply::<200, Changed>(Changed {
            status: "success",
            order: ShownOrder::new(&changed.order, &named),
            changed: changed.is_changed,
            notification: Notification::of(&changed),
        }))
    })
    .await
}
