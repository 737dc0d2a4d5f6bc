//! Orders: what customers send from a catalog, and how far each is.

use domain::catalog::{NewOrder, Order, OrderItem, OrderNotice, OrderStatus};
use domain::contact::Contact;
use domain::identity::Identity;
use domain::message::{Commerce, Content};
use domain::money::Currency;
use domain::recipient::State;
use domain::webhook::Event;
use domain::{ContactId, MessageId, TenantId};
use serde_json::{Map, Value};
use store::Store;
use store::messages::Message;
use store::orders::OrderQuery;

use crate::Services;
use crate::messages::{Outgoing, Sent, send};
use ops::events::{EventPublisher, Transaction, order_moved, order_received};
use ops::{Caller, Code, Error, Result, SendRequest};

/// Longest id of a product or a catalog that is kept, in bytes.
const MAX_ID: usize = 512;
/// How often a status is changed anew after somebody else changed it.
const TRIES: u32 = 5;

/// Writes down what a customer ordered by a message, and makes the event of it; `None` when
/// it orders nothing. Of a message that comes again it is the same order and event.
///
/// # Errors
/// [`Code::Unavailable`]: take it in again.
pub(crate) async fn received(store: &Store, tenant: &TenantId, message: &Message) -> Result<Option<Event>> {
    let Some(order) = order_in(message) else { return Ok(None) };
    store.create_order(tenant, &order).await?;
    Ok(Some(order_received(tenant, &order)))
}

/// What a message orders, as variables of the flow that it starts: `order_id`, `order_total` such as
/// "12.30 EUR", `order_items` such as "2 x pane, 1 x olio", `order_note`. Nothing, when it orders
/// nothing; a total only where every price can be read.
pub(crate) fn vars(message: &Message) -> Map<String, Value> {
    let Some(order) = order_in(message) else { return Map::new() };
    let items = order.new.items.iter().map(|item| format!("{} x {}", item.quantity, item.retailer_id));
    let vars = [
        ("order_id", Some(order.id.to_string())),
        ("order_total", order.total.map(|total| format!("{} {}", total.decimal(), total.currency))),
        ("order_items", Some(items.collect::<Vec<_>>().join(", "))),
        ("order_note", order.new.note),
    ];
    vars.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

/// The order that a message is.
fn order_in(message: &Message) -> Option<Order> {
    let content: Value = serde_json::from_str(&message.content).ok().filter(|_| message.kind == "order")?;
    let new = new_order(content.get("order")?)?;
    let created_ms = message.progress.delivered_at.unwrap_or_else(|| message.id.timestamp_ms());
    Some(Order {
        id: message.id,
        provider_id: message.progress.provider_id.clone()?,
        account: message.account,
        sender: message.sender.clone(),
        contact: message.contact,
        address: message.address.clone(),
        total: new.total(),
        new,
        status: OrderStatus::Pending,
        notice: None,
        created_ms,
        status_ms: created_ms,
    })
}

/// Reads Meta's `order`
/// (<https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/order>).
/// Prices are decimal numbers, which are read by their digits.
fn new_order(order: &Value) -> Option<NewOrder> {
    let text = |value: &Value, name: &str| match value.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let id = |value: &Value, name: &str| text(value, name).filter(|id| id.len() <= MAX_ID);
    let item = |value: &Value| {
        let currency: Option<Currency> = text(value, "currency").and_then(|code| code.parse().ok());
        // What cannot be read is an item all the same, and then nobody knows the total.
        let retailer_id = id(value, "product_retailer_id");
        let currency = currency.filter(|_| retailer_id.is_some());
        OrderItem {
            retailer_id: retailer_id.unwrap_or_default(),
            quantity: text(value, "quantity").and_then(|text| text.parse().ok()).unwrap_or(0),
            price: currency
                .zip(text(value, "item_price"))
                .and_then(|(currency, price)| currency.amount(&price)),
        }
    };
    let items: Vec<OrderItem> = order.get("product_items")?.as_array()?.iter().map(item).collect();
    let is_order = !items.is_empty();
    is_order.then(|| NewOrder { catalog: id(order, "catalog_id"), items, note: text(order, "text") })
}

fn unknown() -> Error {
    Error::not_found("order_id", "order_id is not the id of one of your orders")
}

/// One order.
///
/// # Errors
/// [`Code::NotFound`] names `order_id`.
pub async fn find(store: &Store, tenant: &TenantId, id: &str) -> Result<Order> {
    let id: MessageId = id.trim().parse().map_err(|_| unknown())?;
    store.order(tenant, id).await?.ok_or_else(unknown)
}

/// Orders, newest first.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn list(store: &Store, tenant: &TenantId, wanted: &OrderQuery<'_>) -> Result<Vec<Order>> {
    Ok(store.orders(tenant, wanted).await?)
}

/// Everybody whom orders of a contact may name: the contact, and those who became a part of
/// it. Nobody, when there is no such contact.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn buyers(store: &Store, tenant: &TenantId, contact: ContactId) -> Result<Vec<ContactId>> {
    Ok(store.contact(tenant, contact).await?.map_or_else(Vec::new, all_of))
}

/// The same of whoever carries an identity.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub async fn buyers_known_by(store: &Store, tenant: &TenantId, who: &Identity) -> Result<Vec<ContactId>> {
    Ok(store.contact_by(tenant, who).await?.map_or_else(Vec::new, all_of))
}

fn all_of(contact: Contact) -> Vec<ContactId> {
    [vec![contact.id], contact.absorbed].concat()
}

/// What is to become of an order.
#[derive(Debug, Clone)]
pub struct OrderChange {
    /// How far it is.
    pub status: OrderStatus,
    /// Whether the customer is told.
    pub tells: bool,
    /// What they are told; of each status there is a usual text.
    pub text: Option<String>,
    /// What stands with the status in the message.
    pub description: Option<String>,
}

/// Whether the customer was told of a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nobody asked for it.
    No,
    /// By this message.
    By(Sent),
    /// They could not be told.
    Not(Error),
}

/// An order after its change.
#[derive(Debug, Clone)]
pub struct ChangedOrder {
    /// The order.
    pub order: Order,
    /// Whether its status is another one.
    pub is_changed: bool,
    /// Whether the customer was told.
    pub told: Told,
}

/// Says how far an order is, and tells the customer when that is wanted: once for each
/// status, whoever asks for it and however often. A customer who cannot be told does not
/// hold the order up.
///
/// # Errors
/// [`Code::NotFound`] names `order_id`; [`Code::Conflict`] when the order cannot get there from
/// where it is; [`Code::InvalidField`] for texts that are too long; [`Code::Unavailable`] when a
/// store does not answer: ask again.
pub async fn change(
    services: &Services,
    caller: &Caller,
    id: &str,
    change: &OrderChange,
) -> Result<ChangedOrder> {
    let (store, tenant) = (&services.store, caller.tenant_id());
    let mut order = find(store, tenant, id).await?;
    if change.tells && change.status.of_meta().is_some() {
        content(&order, change).check()?;
    }
    let mut is_changed = false;
    for round in 0..TRIES {
        if order.status == change.status {
            break;
        }
        if !order.status.may_become(change.status) {
            return Err(impossible(&order, change.status));
        }
        match Box::pin(moved(services, tenant, &order, change)).await {
            Ok(after) => {
                (order, is_changed) = (after, true);
                break;
            }
            Err(error) if error.code == Code::Conflict && round + 1 < TRIES => {
                order = store.order(tenant, order.id).await?.ok_or_else(unknown)?;
            }
            Err(error) => return Err(error),
        }
    }
    let told = match change.tells {
        false => Told::No,
        true => match Box::pin(tell(services, caller, &mut order, change)).await {
            Ok(sent) => Told::By(sent),
            // Who asks again is told.
            Err(error) if error.code.is_server_error() => return Err(error),
            Err(error) => Told::Not(error),
        },
    };
    Ok(ChangedOrder { order, is_changed, told })
}

fn impossible(order: &Order, to: OrderStatus) -> Error {
    let next = order.status.next();
    let may = if next.is_empty() { "nothing else".to_owned() } else { next.join(", ") };
    let message = format!("an order that is {} cannot become {to}: it may become {may}", order.status);
    Error { field: Some("status".to_owned()), ..Error::conflict(message) }
}

/// Moves an order on, and has the event told.
async fn moved(services: &Services, tenant: &TenantId, order: &Order, change: &OrderChange) -> Result<Order> {
    let (store, publisher) = (&services.store, EventPublisher::from(services));
    let (to, now_ms) = (change.status, store.clock().now_ms());
    let notice = (change.tells && to.of_meta().is_some()).then(|| notice(store, to));
    let events = publisher.caused_by(Transaction, tenant).await?;
    let note = events.note(&order_moved(tenant, order, to, now_ms));
    let written = store.move_order(tenant, order, to, notice, note).await?;
    events.publish(written).await;
    Ok(Order { status: to, status_ms: now_ms, notice: notice.or(order.notice), ..order.clone() })
}

fn notice(store: &Store, status: OrderStatus) -> OrderNotice {
    OrderNotice { status, message: MessageId(store.entropy().ulid(store.clock().now())) }
}

fn content(order: &Order, change: &OrderChange) -> Content {
    Content::Commerce(Commerce::OrderStatus {
        body: change.text.clone().unwrap_or_else(|| change.status.told().to_owned()),
        reference: order.id.to_string(),
        status: change.status,
        description: change.description.clone(),
    })
}

/// Tells the customer of the status that an order has, by the message that was chosen for it.
async fn tell(services: &Services, caller: &Caller, order: &mut Order, change: &OrderChange) -> Result<Sent> {
    let (store, tenant) = (&services.store, caller.tenant_id());
    let content = content(order, change);
    content.check()?;
    let account = store.account(tenant, order.account).await?;
    let account = account.ok_or_else(|| Error::new(Code::NoNumber, "the account of the order is gone"))?;
    let chosen = match order.notice.filter(|notice| notice.status == order.status) {
        Some(chosen) if !was_refused(store, tenant, order, chosen).await? => chosen,
        Some(_) | None => choose(store, tenant, order).await?,
    };
    let new = Outgoing { to: order.address.clone(), content, sender: order.sender.clone(), is_secret: false };
    let request = SendRequest { id: chosen.message, is_repeated: true };
    Box::pin(send(services, caller, &account, new, request)).await
}

/// Whether a message was surely not sent.
async fn was_refused(store: &Store, tenant: &TenantId, order: &Order, chosen: OrderNotice) -> Result<bool> {
    let message = store.message(tenant, order.account, chosen.message).await?;
    Ok(message.is_some_and(|message| message.progress.state == State::Failed))
}

/// Chooses another message; of several who do so at once all get the same.
async fn choose(store: &Store, tenant: &TenantId, order: &mut Order) -> Result<OrderNotice> {
    let chosen = notice(store, order.status);
    match store.tell_of_order(tenant, order, chosen).await {
        Ok(()) => order.notice = Some(chosen),
        Err(store::Error::Conflict) => {
            *order = store.order(tenant, order.id).await?.ok_or_else(unknown)?;
        }
        Err(error) => return Err(error.into()),
    }
    let chosen = order.notice.filter(|notice| notice.status == order.status);
    chosen
        .ok_or_else(|| Error::conflict("the order was changed by another request at the same time").after(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(order: Value) -> Option<NewOrder> {
        new_order(&order)
    }

    fn item(price: Value, currency: &str, quantity: Value) -> Value {
        json!({"product_retailer_id": "sku", "quantity": quantity, "item_price": price, "currency": currency})
    }

    #[test]
    fn totals_are_in_minor_units() {
        for (items, want) in [
            (vec![item(json!(30), "USD", json!(2)), item(json!(25), "USD", json!(1))], Some((8_500, "USD"))),
            (
                vec![item(json!(0.1), "EUR", json!(3)), item(json!(19.99), "EUR", json!(1))],
                Some((2_029, "EUR")),
            ),
            (vec![item(json!(500), "JPY", json!(3))], Some((1_500, "JPY"))),
            (vec![item(json!(1.234), "KWD", json!(2))], Some((2_468, "KWD"))),
            (vec![item(json!("7.50"), "EUR", json!("2"))], Some((1_500, "EUR"))),
            (vec![item(json!(1.15), "EUR", json!(100))], Some((11_500, "EUR"))),
            (vec![item(json!(1), "EUR", json!(1)), item(json!(1), "USD", json!(1))], None),
            (vec![item(json!(1), "€", json!(1))], None),
            (vec![item(json!(-1), "EUR", json!(1))], None),
            (vec![item(json!(1), "EUR", json!(1.5))], None),
            (vec![item(Value::Null, "EUR", json!(1))], None),
        ] {
            let order = read(json!({"catalog_id": "1", "product_items": items})).unwrap();
            let total = order.total();
            let total = total.as_ref().map(|money| (money.minor, money.currency.as_str()));
            assert_eq!(total, want, "{items:?}");
        }
    }

    #[test]
    fn what_orders_nothing_is_no_order() {
        for nothing in [json!({}), json!({"product_items": []}), json!({"product_items": "sku"})] {
            assert_eq!(read(nothing.clone()), None, "{nothing}");
        }
        // What cannot be read was ordered all the same, and nobody knows the total.
        let bread = item(json!("2.00"), "EUR", json!(1));
        for unreadable in
            [json!({"quantity": 1}), json!({"product_retailer_id": "x".repeat(3_000), "quantity": 1})]
        {
            let order = read(json!({"product_items": [bread, unreadable]})).unwrap();
            assert_eq!((order.items.len(), order.total()), (2, None), "{unreadable}");
        }
        let order =
            read(json!({"catalog_id": 7, "text": " ", "product_items": [{"product_retailer_id": 42}]}));
        let order = order.unwrap();
        assert_eq!((order.catalog.as_deref(), order.note.as_deref()), (Some("7"), None));
        assert_eq!((order.items[0].retailer_id.as_str(), order.items[0].quantity), ("42", 0));
    }
}
