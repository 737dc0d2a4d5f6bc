//! What customers ordered: `ORDER#<tenant>` under the ids of the messages that the orders
//! came by, which are in the order of time.

use domain::catalog::{NewOrder, Order, OrderItem, OrderNotice, OrderStatus};
use domain::message::Address;
use domain::money::Money;
use domain::{AccountId, ContactId, MessageId, TenantId};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, read, s};
use crate::outbox::{Note, Written};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "order";
/// Orders that are read in one request, where not all of them are wanted.
const READ_AT_ONCE: usize = 500;

#[derive(Serialize, Deserialize)]
struct OrderAttributes {
    pid: String,
    account: u64,
    sender: Option<String>,
    cid: Option<u64>,
    address: String,
    cat: Option<String>,
    /// JSON
    items: String,
    note: Option<String>,
    total: Option<u64>,
    cur: Option<String>,
    st: String,
    /// What the customer is told of, and by which message.
    told: Option<String>,
    tm: Option<String>,
    created: i64,
    changed: i64,
}

#[derive(Serialize, Deserialize)]
struct ItemAttributes {
    id: String,
    quantity: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

/// Which orders are wanted.
#[derive(Debug, Clone, Default)]
pub struct OrderQuery<'a> {
    /// Those before this one.
    pub before: Option<MessageId>,
    /// So many.
    pub limit: usize,
    /// Of this catalog.
    pub catalog: Option<&'a str>,
    /// With this status.
    pub status: Option<OrderStatus>,
    /// By one of these contacts.
    pub contacts: Option<&'a [ContactId]>,
}

impl OrderQuery<'_> {
    fn takes_all(&self) -> bool {
        self.catalog.is_none() && self.status.is_none() && self.contacts.is_none()
    }

    fn takes(&self, order: &Order) -> bool {
        let by = |contacts: &[ContactId]| order.contact.is_some_and(|id| contacts.contains(&id));
        self.catalog.is_none_or(|catalog| order.new.catalog.as_deref() == Some(catalog))
            && self.status.is_none_or(|status| order.status == status)
            && self.contacts.is_none_or(by)
    }
}

/// The last sort key before that of an order.
fn just_before(id: MessageId) -> String {
    id.before().map_or_else(|| "0".to_owned(), |id| id.to_string())
}

fn key(tenant: &TenantId, id: MessageId) -> Key {
    Key::new(Kind::Order.pk(tenant), id.to_string())
}

fn to_item(tenant: &TenantId, order: &Order) -> Result<Item> {
    let line = |item: &OrderItem| ItemAttributes {
        id: item.retailer_id.clone(),
        quantity: item.quantity,
        price: item.price.as_ref().map(|money| money.minor),
        currency: item.price.as_ref().map(|money| money.currency.to_string()),
    };
    let lines: Vec<ItemAttributes> = order.new.items.iter().map(line).collect();
    let attributes = OrderAttributes {
        pid: order.provider_id.clone(),
        account: order.account.0,
        sender: order.sender.as_ref().map(ToString::to_string),
        cid: order.contact.map(|id| id.0),
        address: order.address.as_str().to_owned(),
        cat: order.new.catalog.clone(),
        items: serde_json::to_string(&lines).map_err(|_| Error::Corrupt { kind: KIND })?,
        note: order.new.note.clone(),
        total: order.total.as_ref().map(|money| money.minor),
        cur: order.total.as_ref().map(|money| money.currency.to_string()),
        st: order.status.as_str().to_owned(),
        told: order.notice.map(|notice| notice.status.as_str().to_owned()),
        tm: order.notice.map(|notice| notice.message.to_string()),
        created: order.created_ms,
        changed: order.status_ms,
    };
    compose(&key(tenant, order.id), KIND, &attributes)
}

fn money(minor: Option<u64>, currency: Option<String>) -> Option<Money> {
    Some(Money { minor: minor?, currency: currency?.parse().ok()? })
}

fn from_item(item: Item) -> Result<Order> {
    let corrupt = || Error::Corrupt { kind: KIND };
    let id = crate::item::text(&item, "sk").ok_or_else(corrupt)?;
    let item: OrderAttributes = read(item, KIND)?;
    let status = |text: &str| OrderStatus::parse(text).map_err(|_| corrupt());
    let lines: Vec<ItemAttributes> = serde_json::from_str(&item.items).map_err(|_| corrupt())?;
    let line = |line: ItemAttributes| OrderItem {
        retailer_id: line.id,
        quantity: line.quantity,
        price: money(line.price, line.currency),
    };
    let notice = match (item.told, item.tm) {
        (Some(told), Some(message)) => {
            Some(OrderNotice { status: status(&told)?, message: message.parse().map_err(|_| corrupt())? })
        }
        _ => None,
    };
    Ok(Order {
        id: id.parse().map_err(|_| corrupt())?,
        provider_id: item.pid,
        account: AccountId(item.account),
        sender: item.sender.map(|sender| sender.parse()).transpose().map_err(|_| corrupt())?,
        contact: item.cid.map(ContactId),
        address: Address::parse(&item.address).map_err(|_| corrupt())?,
        new: NewOrder { catalog: item.cat, items: lines.into_iter().map(line).collect(), note: item.note },
        total: money(item.total, item.cur),
        status: status(&item.st)?,
        notice,
        created_ms: item.created,
        status_ms: item.changed,
    })
}

/// Writes down by which message the customer is told of the status.
fn telling(update: Update, notice: Option<OrderNotice>) -> Update {
    let Some(OrderNotice { status, message }) = notice else { return update };
    update.set("told", s(status.as_str())).set("tm", s(message.to_string()))
}

impl Store {
    /// Writes an order down, unless it is known.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn create_order(&self, tenant: &TenantId, order: &Order) -> Result<()> {
        match self.create(to_item(tenant, order)?).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// One order.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn order(&self, tenant: &TenantId, id: MessageId) -> Result<Option<Order>> {
        self.get_item(&key(tenant, id)).await?.map(from_item).transpose()
    }

    /// Orders, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn orders(&self, tenant: &TenantId, wanted: &OrderQuery<'_>) -> Result<Vec<Order>> {
        let mut found = Vec::new();
        let mut until = wanted.before.map(just_before);
        let at_once = if wanted.takes_all() { wanted.limit.max(1) } else { READ_AT_ONCE };
        loop {
            let query = Query {
                pk: Kind::Order.pk(tenant),
                until: until.take(),
                limit: Some(at_once),
                descending: true,
                ..Query::default()
            };
            let read = self.query(&query).await?.into_iter().map(from_item).collect::<Result<Vec<_>>>()?;
            let oldest = read.last().map(|order| order.id).filter(|_| read.len() == at_once);
            found.extend(read.into_iter().filter(|order| wanted.takes(order)));
            match oldest {
                Some(oldest) if found.len() < wanted.limit => until = Some(just_before(oldest)),
                Some(_) | None => break,
            }
        }
        found.truncate(wanted.limit);
        Ok(found)
    }

    /// Moves an order on from the status that it was read with, with a note in the outbox,
    /// and with the message that is to tell the customer.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it has another status.
    pub async fn move_order(
        &self,
        tenant: &TenantId,
        order: &Order,
        to: OrderStatus,
        notice: Option<OrderNotice>,
        note: Note,
    ) -> Result<Written> {
        let update = Update::of(key(tenant, order.id))
            .set("st", s(to.as_str()))
            .set("changed", n(self.clock().now_ms()))
            .when(When::Is("st", s(order.status.as_str())));
        let mut actions = vec![Action::Update(telling(update, notice))];
        actions.extend(note.actions()?);
        self.transact(actions).await?;
        Ok(note.written())
    }

    /// Chooses the message that is to tell the customer of the status that an order has, in
    /// the place of what was chosen before.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the order has another status, or another message was chosen.
    pub async fn tell_of_order(&self, tenant: &TenantId, order: &Order, notice: OrderNotice) -> Result<()> {
        let unchanged = match order.notice {
            Some(before) => When::Is("tm", s(before.message.to_string())),
            None => When::Absent("tm"),
        };
        let update =
            Update::of(key(tenant, order.id)).when(When::Is("st", s(order.status.as_str()))).when(unchanged);
        self.update(telling(update, Some(notice))).await
    }
}
