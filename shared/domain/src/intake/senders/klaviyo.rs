//! Klaviyo: profiles as JSON:API writes them, alone, beside an event, or in the
//! list of a system webhook
//! (<https://developers.klaviyo.com/en/docs/working_with_system_webhooks>).

use crate::intake::node::Node;
use crate::intake::person::{Names, Person};

const MAX_OBJECTS: usize = 2_000;

pub(super) fn fits(root: &Node) -> bool {
    !profiles(root).is_empty()
}

pub(super) fn people(root: &Node) -> Vec<Person> {
    const PATHS: [(&str, Names); 2] =
        [("attributes", Names::All), ("attributes.location", Names::FirstAndLast)];
    let person = |profile| Person::at(profile, &PATHS).known_as("klaviyo:profile", profile, &["id"]);
    profiles(root).into_iter().map(person).collect()
}

/// Every `{"type": "profile", "attributes": {...}}`, in order.
fn profiles(root: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    let mut stack = vec![root];
    let mut seen = 0;
    while let Some(node) = stack.pop() {
        seen += 1;
        if seen > MAX_OBJECTS {
            break;
        }
        if node.text("type") == Some("profile") && node.at("attributes").is_some_and(Node::is_map) {
            found.push(node);
            continue;
        }
        let values = node.entries().iter().map(|(_, value)| value).chain(node.items());
        let inner: Vec<&Node> =
            values.filter(|value| matches!(value, Node::Map(_) | Node::List(_))).collect();
        stack.extend(inner.into_iter().rev());
    }
    found
}
