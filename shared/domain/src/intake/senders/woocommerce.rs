//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks>: the body
//! is the customer or the order of the REST API. An order has its e-mail address
//! under `billing` alone.

use super::check_topic;
use crate::intake::node::Node;
use crate::intake::person::{Names, Person};
use crate::intake::{Ignored, walk};

const ABOUT: [&str; 3] = ["customer", "order", "subscription"];

const PATHS: [(&str, Names); 3] =
    [("billing", Names::All), ("", Names::FirstAndLast), ("shipping", Names::All)];

pub(super) fn fits(root: &Node) -> bool {
    root.at("billing").is_some_and(|billing| billing.entries().iter().any(|(key, _)| key == "first_name"))
}

/// `shop` is the address of the shop, whose customers' numbers are its own.
pub(super) fn people(root: &Node, topic: Option<&str>, shop: Option<&str>) -> Result<Vec<Person>, Ignored> {
    match topic {
        // An action of a plug-in has a body of its own making.
        Some(topic) if topic.starts_with("action.") => return walk::people(root),
        Some(topic) => check_topic(topic, &ABOUT)?,
        None => {}
    }
    let person = Person::at(root, &PATHS);
    let host =
        shop.and_then(|shop| shop.split("://").last()?.split('/').next()).filter(|host| !host.is_empty());
    let Some(host) = host else { return Ok(vec![person]) };
    let is_customer = topic.is_some_and(|topic| topic.starts_with("customer"));
    let paths: &[&str] = if is_customer { &["id"] } else { &["customer_id"] };
    Ok(vec![person.known_as(&format!("woocommerce:{host}:customer"), root, paths)])
}
