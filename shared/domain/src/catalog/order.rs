//! What a customer orders by a message, and how far it is.

use std::fmt;

use crate::message::Address;
use crate::money::Money;
use crate::sender::SenderId;
use crate::{AccountId, ContactId, Invalid, MessageId};

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OrderStatus {
    /// It came in.
    Pending,
    /// The shop works at it.
    Processing,
    /// A part of it is on its way.
    PartiallyShipped,
    /// It is on its way.
    Shipped,
    /// The customer has it.
    Completed,
    /// Nothing comes of it.
    Canceled,
    /// The customer has their money back.
    Refunded,
}

impl OrderStatus {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Processing,
        Self::PartiallyShipped,
        Self::Shipped,
        Self::Completed,
        Self::Canceled,
        Self::Refunded,
    ];

    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::PartiallyShipped => "partially_shipped",
            Self::Shipped => "shipped",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Refunded => "refunded",
        }
    }

    /// Reads a status in any case and with either of its spellings; also what sister products
    /// of the Sendwo contract call it.
    ///
    /// # Errors
    /// Names the field `status`, with those that there are.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let word = text.trim().to_lowercase().replace([' ', '-'], "_");
        let known = match word.as_str() {
            "submitted" => Some(Self::Pending),
            "approved" => Some(Self::Processing),
            "delivered" => Some(Self::Completed),
            "cancelled" => Some(Self::Canceled),
            other => Self::ALL.into_iter().find(|status| status.as_str() == other),
        };
        known.ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            Invalid::new("status", format!("status must be one of {all}"))
        })
    }

    /// Whether an order may become `next`: it only goes on, may be called off until it is
    /// there, and paid back once somebody worked at it.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Refunded, _) | (_, Self::Pending) => false,
            (Self::Pending, Self::Refunded) => false,
            (Self::Completed | Self::Canceled, next) => next == Self::Refunded,
            (_, Self::Canceled | Self::Refunded) => true,
            (from, to) => from < to,
        }
    }

    /// What an order may become from here, in words.
    pub fn next(self) -> Vec<&'static str> {
        Self::ALL.into_iter().filter(|next| self.may_become(*next)).map(Self::as_str).collect()
    }

    /// The word of Meta's order status messages; `None` where it has none.
    pub fn of_meta(self) -> Option<&'static str> {
        match self {
            Self::Refunded => None,
            Self::Pending
            | Self::Processing
            | Self::PartiallyShipped
            | Self::Shipped
            | Self::Completed
            | Self::Canceled => Some(self.as_str()),
        }
    }

    /// What a customer is told who is told nothing else.
    pub fn told(self) -> &'static str {
        match self {
            Self::Pending => "We have received your order.",
            Self::Processing => "Your order is being prepared.",
            Self::PartiallyShipped => "A part of your order is on its way.",
            Self::Shipped => "Your order is on its way.",
            Self::Completed => "Your order is complete. Thank you!",
            Self::Canceled => "Your order was canceled.",
            Self::Refunded => "Your order was refunded.",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderItem {
    /// The shop's id of the product.
    pub retailer_id: String,
    /// How many; 0 when that cannot be read.
    pub quantity: u64,
    /// What one costs; `None` when that cannot be read.
    pub price: Option<Money>,
}

/// An order as it came in.
#[derive(Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The catalog that it is from.
    pub catalog: Option<String>,
    /// What is ordered.
    pub items: Vec<OrderItem>,
    /// What the customer wrote beside it.
    pub note: Option<String>,
}

impl NewOrder {
    /// What all of it costs; `None` when something cannot be read, or has another currency.
    pub fn total(&self) -> Option<Money> {
        let line = |item: &OrderItem| item.price.as_ref()?.times(item.quantity).filter(|_| item.quantity > 0);
        let (first, rest) = self.items.split_first()?;
        rest.iter().try_fold(line(first)?, |sum, item| sum.plus(&line(item)?))
    }
}

/// That the customer is told of a status: by one message, however often it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderNotice {
    /// The status.
    pub status: OrderStatus,
    /// Our id of the message.
    pub message: MessageId,
}

/// An order. Its id is that of the message that it came by.
#[derive(Clone, PartialEq, Eq)]
pub struct Order {
    /// Our id of its message.
    pub id: MessageId,
    /// The channel's id of its message.
    pub provider_id: String,
    /// The account that it came to.
    pub account: AccountId,
    /// The number that it came to.
    pub sender: Option<SenderId>,
    /// Who ordered.
    pub contact: Option<ContactId>,
    /// Where they are told of it.
    pub address: Address,
    /// What is ordered.
    pub new: NewOrder,
    /// What all of it costs.
    pub total: Option<Money>,
    /// How far it is.
    pub status: OrderStatus,
    /// What the customer was told last, or is being told.
    pub notice: Option<OrderNotice>,
    /// When it came in, in milliseconds since 1970.
    pub created_ms: i64,
    /// When its status changed, in milliseconds since 1970.
    pub status_ms: i64,
}

impl fmt::Debug for NewOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewOrder").field("items", &self.items.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_only_goes_on() {
        use OrderStatus as S;
        for (from, to) in [
            (S::Pending, S::Processing),
            (S::Pending, S::Shipped),
            (S::Pending, S::Canceled),
            (S::Processing, S::PartiallyShipped),
            (S::PartiallyShipped, S::Shipped),
            (S::Shipped, S::Completed),
            (S::Shipped, S::Canceled),
            (S::Processing, S::Refunded),
            (S::Completed, S::Refunded),
            (S::Canceled, S::Refunded),
        ] {
            assert!(from.may_become(to), "{from} to {to}");
        }
        for (from, to) in [
            (S::Processing, S::Pending),
            (S::Shipped, S::Processing),
            (S::Shipped, S::PartiallyShipped),
            (S::Completed, S::Shipped),
            (S::Completed, S::Canceled),
            (S::Canceled, S::Processing),
            (S::Canceled, S::Completed),
            (S::Pending, S::Refunded),
            (S::Refunded, S::Completed),
            (S::Refunded, S::Canceled),
        ] {
            assert!(!from.may_become(to), "{from} to {to}");
        }
        for status in S::ALL {
            assert!(!status.may_become(status), "{status}");
            assert_eq!(S::parse(status.as_str()), Ok(status));
        }
    }

    #[test]
    fn sister_products_have_words_of_their_own() {
        for (word, status) in [
            ("Submitted", OrderStatus::Pending),
            ("Approved", OrderStatus::Processing),
            ("Delivered", OrderStatus::Completed),
            ("Cancelled", OrderStatus::Canceled),
            ("Partially Shipped", OrderStatus::PartiallyShipped),
        ] {
            assert_eq!(OrderStatus::parse(word), Ok(status));
        }
        let wrong = OrderStatus::parse("lost").unwrap_err();
        assert_eq!(wrong.field, "status");
        assert!(wrong.message.contains("partially_shipped"));
    }

    #[test]
    fn a_total_is_of_what_can_be_read() {
        let item = |quantity, price: Option<(&str, &str)>| OrderItem {
            retailer_id: "a".to_owned(),
            quantity,
            price: price
                .map(|(price, code)| code.parse::<crate::money::Currency>().unwrap().amount(price).unwrap()),
        };
        let total = |items: Vec<OrderItem>| {
            let new = NewOrder { catalog: None, items, note: None };
            new.total().map(|money| (money.minor, money.currency.to_string()))
        };
        let euros = || item(3, Some(("0.1", "EUR")));
        assert_eq!(total(vec![euros(), item(1, Some(("19.99", "EUR")))]), Some((2_029, "EUR".to_owned())));
        assert_eq!(total(vec![item(2, Some(("1.234", "KWD")))]), Some((2_468, "KWD".to_owned())));
        assert_eq!(total(vec![euros(), item(1, Some(("1", "USD")))]), None);
        assert_eq!(total(vec![euros(), item(1, None)]), None);
        assert_eq!(total(vec![item(0, Some(("1", "EUR")))]), None);
        assert_eq!(total(Vec::new()), None);
    }
}
