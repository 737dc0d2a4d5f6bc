//! <https://docs.stripe.com/api/events>: the object that changed is `data.object`.

use crate::intake::Ignored;
use crate::intake::node::Node;
use crate::intake::person::{Names, Person};

/// The objects that name a customer. Others are the merchant's own.
const ABOUT: [&str; 7] =
    ["customer", "checkout.session", "charge", "payment_intent", "payment_method", "invoice", "quote"];

const PATHS: [(&str, Names); 7] = [
    ("customer_details", Names::All),
    ("billing_details", Names::All),
    ("", Names::All),
    ("shipping", Names::All),
    ("shipping_details", Names::All),
    ("collected_information.shipping_details", Names::All),
    ("charges.data.0.billing_details", Names::All),
];

pub(super) fn fits(root: &Node) -> bool {
    root.text("object") == Some("event") && root.at("data.object").is_some_and(Node::is_map)
}

pub(super) fn people(root: &Node) -> Result<Vec<Person>, Ignored> {
    let kind = root.text("type").unwrap_or_default();
    let object = root.at("data.object").unwrap_or(&Node::Null);
    if kind == "customer.deleted" || matches!(object.get("deleted"), Some(Node::Bool(true))) {
        return Err(Ignored::Deleted);
    }
    if !object.text("object").is_some_and(|object| ABOUT.contains(&object)) {
        return Err(Ignored::OtherTopic(kind.chars().take(100).collect()));
    }
    let is_customer = object.text("object") == Some("customer");
    let paths: &[&str] = if is_customer { &["id"] } else { &["customer", "customer.id"] };
    Ok(vec![Person::at(object, &PATHS).known_as("stripe:customer", object, paths)])
}
