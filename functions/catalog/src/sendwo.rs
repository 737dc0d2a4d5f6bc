//! `/api/v1/catalog`, and `/api/v1/whatsapp/catalog` as sister products call it.

use api_http::{
    ApiError, Caller, Given, Input, PhoneText, Reply, Required, Result, country_of, cut_to_weight,
    idempotent, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::ContactId;
use domain::catalog::{Order, OrderStatus};
use domain::identity::Identity;
use domain::message::MAX_COMMERCE_TEXT;
use domain::plan::Module;
use messaging::Services;
use messaging::catalogs::{self, KnownCatalog};
use messaging::orders::{self, OrderChange};
use ops::{Error, plans};
use serde::Serialize;
use store::catalogs::ProductQuery;
use store::orders::OrderQuery;

use crate::shown::{Named, Notification, ShownItem, ShownProduct, ShownSync, count, time};

const LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;
/// Everything up to the part is read.
const MAX_OFFSET: u64 = 100_000;

#[derive(Serialize)]
struct ListedCatalog {
    catalog_id: String,
    catalog_name: String,
    whatsapp_business_account_id: String,
    /// How many there were when it was read last.
    product_count: Option<u64>,
    last_synced_at: Option<String>,
    sync: Option<ShownSync>,
}

impl From<&KnownCatalog> for ListedCatalog {
    fn from(known: &KnownCatalog) -> Self {
        let sync = known.sync.as_ref();
        Self {
            catalog_id: known.catalog.id.clone(),
            catalog_name: known.catalog.name.clone(),
            whatsapp_business_account_id: known.waba_id.clone(),
            product_count: count(known),
            last_synced_at: sync.and_then(|sync| sync.finished_ms).map(time),
            sync: ShownSync::of(known),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Catalogs {
    status: &'static str,
    message: Vec<ListedCatalog>,
}

/// `catalog/list`: those that are connected.
pub(crate) async fn list(
    State(services): State<Services>,
    Caller(caller): Caller,
) -> Result<Reply<200, Catalogs>> {
    plans::require(&caller, Module::Catalog)?;
    let found = catalogs::list(&services, caller.tenant_id()).await?;
    Ok(Reply(Catalogs { status: "1", message: found.iter().map(ListedCatalog::from).collect() }))
}

request! {
    /// `catalog/sync`
    pub(crate) struct SyncCatalog {
        catalog: Required<String> = named("catalogId" | "catalog_id" | "whatsapp_catalog_id"),
    }
}

#[derive(Serialize)]
pub(crate) struct SyncStarted {
    status: &'static str,
    message: &'static str,
    data: ListedCatalog,
}

/// `catalog/sync`: begins to read it, unless somebody does already.
pub(crate) async fn sync(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SyncCatalog>,
) -> Result<Reply<200, SyncStarted>> {
    plans::require(&caller, Module::Catalog)?;
    let SyncCatalog { catalog } = input.read();
    let name = catalog.name();
    let started = catalogs::start(&services, caller.tenant_id(), &catalog.get()?).await;
    let (known, begun) = started.map_err(|error| ApiError(error).renamed("catalog_id", name))?;
    let message = match begun {
        true => "Catalog sync has been started successfully.",
        false => "Catalog sync is already under way.",
    };
    Ok(Reply(SyncStarted { status: "1", message, data: ListedCatalog::from(&known) }))
}

request! {
    /// Which part of a list.
    pub(crate) struct PartFields {
        limit: Given<u64> = named("limit"),
        page: Given<u64> = named("page"),
        offset: Given<u64> = named("offset").at_most(MAX_OFFSET),
    }
}

/// A part of a list.
#[derive(Clone, Copy)]
struct Part {
    skip: usize,
    take: usize,
}

impl PartFields {
    /// By `page`, or by `limit` and `offset`. Clients count from 0 or from 1: both begin with
    /// the first.
    fn get(self) -> Result<Part> {
        let take = self.limit.or(LIMIT)?.clamp(1, MAX_LIMIT);
        let (by_page, by_offset) = (self.page.name(), self.offset.name());
        let (skip, name) = match (self.page.get()?, self.offset.get()?) {
            (Some(page), None) => (page.saturating_sub(1).saturating_mul(take), by_page),
            (_, Some(offset)) => (offset.saturating_sub(1), by_offset),
            (None, None) => (0, by_offset),
        };
        if skip >= MAX_OFFSET {
            let message = format!("{name} leads beyond the first {MAX_OFFSET}: ask for less");
            return Err(Error::invalid(name, message).into());
        }
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Part { skip: size(skip), take: size(take) })
    }
}

impl Part {
    /// How many have to be read; one more tells whether there are more.
    fn read(self) -> usize {
        self.skip.saturating_add(self.take).saturating_add(1)
    }

    /// This part of what was read, and whether there is more.
    fn of<T>(self, mut all: Vec<T>) -> (Vec<T>, bool) {
        let rest = all.split_off(self.skip.min(all.len()));
        let is_more = rest.len() > self.take;
        (rest.into_iter().take(self.take).collect(), is_more)
    }

    /// Where the next part begins, behind as many.
    fn next(self, count: usize, is_more: bool) -> Option<u64> {
        is_more.then(|| u64::try_from(self.skip.saturating_add(count)).unwrap_or(u64::MAX).saturating_add(1))
    }
}

request! {
    /// `catalog/product/list`
    pub(crate) struct ListProducts(part: PartFields) {
        catalog: Required<String> = named("catalogId" | "catalog_id" | "whatsapp_catalog_id"),
        search: Given<String> = named("search").max_length(255),
        gone: Given<bool> = named("includeGone" | "include_gone"),
    }
}

#[derive(Serialize)]
pub(crate) struct Products {
    status: &'static str,
    message: Vec<ShownProduct>,
    /// Pass it as `offset` to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
}

/// `catalog/product/list`: by the shop's ids of them.
pub(crate) async fn products(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ListProducts>,
) -> Result<Reply<200, Products>> {
    plans::require(&caller, Module::Catalog)?;
    let ListProducts { part, catalog, search, gone } = input.read();
    let name = catalog.name();
    let (part, search) = (part.get()?, search.get()?);
    let wanted = ProductQuery {
        after: None,
        limit: part.read(),
        search: search.as_deref().map(str::trim),
        with_gone: gone.or(false)?,
    };
    let found = catalogs::products(&services, caller.tenant_id(), &catalog.get()?, &wanted).await;
    let (_, found) = found.map_err(|error| ApiError(error).renamed("catalog_id", name))?;
    let (found, mut is_more) = part.of(found);
    let mut message: Vec<ShownProduct> = found.into_iter().map(ShownProduct::from).collect();
    is_more |= cut_to_weight(&mut message);
    let next_offset = part.next(message.len(), is_more);
    Ok(Reply(Products { status: "1", message, next_offset }))
}

#[derive(Serialize)]
struct ListedOrder {
    order_id: String,
    /// The same, as sister products call it.
    order_unique_id: String,
    catalog_id: Option<String>,
    catalog_name: Option<String>,
    subscriber_id: Option<u64>,
    chat_id: Option<String>,
    phone_number: Option<String>,
    first_name: String,
    last_name: String,
    items: Vec<ShownItem>,
    /// In minor units.
    total: Option<u64>,
    currency: Option<String>,
    /// The total with a decimal point.
    cart_total: Option<String>,
    cart_currency: Option<String>,
    status: &'static str,
    /// The same, in the words of sister products.
    cart_status_raw: &'static str,
    note: Option<String>,
    wa_message_id: String,
    ordered_at: String,
    updated_at: String,
    status_changed_at: String,
}

/// A status in the words of sister products.
fn cart_status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "Submitted",
        OrderStatus::Processing => "Approved",
        OrderStatus::PartiallyShipped => "Partially Shipped",
        OrderStatus::Shipped => "Shipped",
        OrderStatus::Completed => "Completed",
        OrderStatus::Canceled => "Canceled",
        OrderStatus::Refunded => "Refunded",
    }
}

impl ListedOrder {
    fn new(order: &Order, named: &Named) -> Self {
        let buyer = named.buyer(order);
        let (first, last) = buyer.map_or(("", ""), |contact| contact.split_name());
        let currency = order.total.as_ref().map(|money| money.currency.to_string());
        let phone = order.address.phone().map(|phone| phone.digits().to_owned());
        Self {
            order_id: order.id.to_string(),
            order_unique_id: order.id.to_string(),
            catalog_id: order.new.catalog.clone(),
            catalog_name: named.catalog(order),
            subscriber_id: buyer.map(|contact| contact.id.0),
            chat_id: phone.clone(),
            phone_number: phone,
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            items: named.items(order),
            total: order.total.as_ref().map(|money| money.minor),
            currency: currency.clone(),
            cart_total: order.total.as_ref().map(|money| money.decimal()),
            cart_currency: currency,
            status: order.status.as_str(),
            cart_status_raw: cart_status(order.status),
            note: order.new.note.clone(),
            wa_message_id: order.provider_id.clone(),
            ordered_at: time(order.created_ms),
            updated_at: time(order.status_ms),
            status_changed_at: time(order.status_ms),
        }
    }
}

request! {
    /// `catalog/order/list`
    pub(crate) struct ListOrders(part: PartFields) {
        catalog: Given<String> = named("catalogId" | "catalog_id" | "whatsapp_catalog_id").max_length(512),
        status: Given<String> = named("status" | "cart_status" | "cartStatus"),
        subscriber: Given<u64> = named("subscriberId" | "subscriber_id"),
        phone: Given<PhoneText> = named("phone_number" | "phoneNumber" | "phone" | "chat_id" | "chatId"),
    }
}

#[derive(Serialize)]
pub(crate) struct Orders {
    status: &'static str,
    message: Vec<ListedOrder>,
    /// Pass it as `offset` to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
}

/// `catalog/order/list`: newest first.
pub(crate) async fn orders(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ListOrders>,
) -> Result<Reply<200, Orders>> {
    plans::require(&caller, Module::Catalog)?;
    let (store, tenant) = (&services.store, caller.tenant_id());
    let ListOrders { part, catalog, status, subscriber, phone } = input.read();
    let (part, catalog) = (part.get()?, catalog.get()?);
    let by_status = status.name();
    let status = status.get()?.map(|status| parsed(by_status, &status)).transpose()?;
    let contacts = match (subscriber.get()?, phone.get()?) {
        (Some(id), _) => Some(orders::buyers(store, tenant, ContactId(id)).await?),
        (None, Some(phone)) => {
            let country = country_of(store, &caller, Some(&phone)).await?;
            let (address, _) = phone.recipient(country)?;
            Some(orders::buyers_known_by(store, tenant, &Identity::from(&address)).await?)
        }
        (None, None) => None,
    };
    let wanted = OrderQuery {
        before: None,
        limit: part.read(),
        catalog: catalog.as_deref().map(str::trim),
        status,
        contacts: contacts.as_deref(),
    };
    let (found, mut is_more) = part.of(orders::list(store, tenant, &wanted).await?);
    let named = Named::by(store, tenant, &found).await?;
    let mut message: Vec<ListedOrder> = found.iter().map(|order| ListedOrder::new(order, &named)).collect();
    is_more |= cut_to_weight(&mut message);
    let next_offset = part.next(message.len(), is_more);
    Ok(Reply(Orders { status: "1", message, next_offset }))
}

/// A status, which the parameter `name` holds.
fn parsed(name: &str, text: &str) -> Result<OrderStatus> {
    OrderStatus::parse(text).map_err(|wrong| ApiError::from(wrong).renamed("status", name))
}

request! {
    /// `catalog/order/update`
    pub(crate) struct UpdateOrder {
        order: Required<String> = named("orderId" | "order_id" | "order_unique_id" | "orderUniqueId"),
        status: Required<String> = named("status" | "cart_status" | "cartStatus" | "order_status"),
        notify: Given<bool> = named("notify" | "notifyCustomer" | "notify_customer"),
        message: Given<String> = named("message").max_length(MAX_COMMERCE_TEXT),
        description: Given<String> = named("description").max_length(120),
    }
}

#[derive(Serialize)]
struct Updated {
    status: &'static str,
    message: &'static str,
    data: ListedOrder,
    notification: Option<Notification>,
}

/// `catalog/order/update`: says how far an order is, and tells the customer on demand.
pub(crate) async fn update(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<UpdateOrder>,
) -> Result<Response> {
    idempotent(&services.store, &caller, &input, async {
        plans::require(&caller, Module::Catalog)?;
        let UpdateOrder { order, status, notify, message, description } = input.read();
        let (by_order, by_status) = (order.name(), status.name());
        let id = order.get()?;
        let change = OrderChange {
            status: parsed(by_status, &status.get()?)?,
            tells: notify.or(false)?,
            text: message.get()?,
            description: description.get()?,
        };
        let changed = Box::pin(orders::change(&services, &caller, &id, &change)).await;
        let renamed = |error| ApiError(error).renamed("order_id", by_order).renamed("status", by_status);
        let changed = changed.map_err(renamed)?;
        let (store, tenant) = (&services.store, caller.tenant_id());
        let named = Named::by(store, tenant, std::slice::from_ref(&changed.order)).await?;
        let message = match changed.is_changed {
            true => "Order status has been updated successfully.",
            false => "The order had this status already.",
        };
        Ok(Reply::<200, Updated>(Updated {
            status: "1",
            message,
            data: ListedOrder::new(&changed.order, &named),
            notification: Notification::of(&changed),
        }))
    })
    .await
}
