//! <https://shopify.dev/docs/api/webhooks>: the body is the customer, order,
//! checkout or draft order itself.

use super::check_topic;
use crate::intake::Ignored;
use crate::intake::node::Node;
use crate::intake::person::{Names, Person};

const ABOUT: [&str; 6] = ["customers", "orders", "checkouts", "draft_orders", "fulfillments", "customer"];

/// An order's own `name` is its number. A customer's `phone` may be null while
/// its address has one.
const PATHS: [(&str, Names); 8] = [
    ("customer", Names::All),
    ("", Names::FirstAndLast),
    ("default_address", Names::All),
    ("customer.default_address", Names::All),
    ("billing_address", Names::All),
    ("shipping_address", Names::All),
    ("destination", Names::All),
    ("addresses.0", Names::All),
];

pub(super) fn fits(root: &Node) -> bool {
    let id = root.text("admin_graphql_api_id").unwrap_or_default();
    ["Customer/", "Order/", "Checkout/"].iter().any(|kind| id.contains(kind))
}

pub(super) fn people(root: &Node, topic: Option<&str>) -> Result<Vec<Person>, Ignored> {
    if let Some(topic) = topic {
        check_topic(topic, &ABOUT)?;
    }
    // The body of a customer's topic is the customer.
    let is_customer = topic.is_some_and(|topic| topic.starts_with("customer"))
        || root.text("admin_graphql_api_id").is_some_and(|id| id.contains("Customer/"));
    let paths: &[&str] = if is_customer { &["id"] } else { &["customer.id"] };
    Ok(vec![Person::at(root, &PATHS).known_as("shopify:customer", root, paths)])
}
