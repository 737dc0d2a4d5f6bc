//! Bodies of senders that nobody knows: every object is looked into, those that
//! are named after a person first.

use std::collections::VecDeque;

use super::fields::{Field, meaning, meaning_of_question, squeeze};
use super::node::Node;
use super::person::{Names, Person};

const MAX_OBJECTS: usize = 5_000;

/// Objects that hold the person a body is about.
const PEOPLE: [&str; 24] = [
    "customer",
    "contact",
    "person",
    "profile",
    "subscriber",
    "lead",
    "client",
    "buyer",
    "user",
    "member",
    "attendee",
    "patient",
    "guest",
    "cliente",
    "contatto",
    "customerdetails",
    "billing",
    "billingaddress",
    "billingdetails",
    "defaultaddress",
    "shipping",
    "shippingaddress",
    "properties",
    "attributes",
];

/// Objects that hold other people, or things with names.
const OTHERS: [&str; 36] = [
    "lineitems",
    "items",
    "products",
    "product",
    "variant",
    "variants",
    "vendor",
    "seller",
    "merchant",
    "shop",
    "store",
    "owner",
    "ownerid",
    "agent",
    "assignee",
    "assignedto",
    "staff",
    "employee",
    "operator",
    "creator",
    "createdby",
    "updatedby",
    "creatoruserid",
    "previous",
    "previousattributes",
    "before",
    "old",
    "company",
    "organization",
    "org",
    "orgid",
    "account",
    "team",
    "campaign",
    "definition",
    "metric",
];

/// The person of a body, or those of a list.
pub(super) fn people(root: &Node) -> Vec<Person> {
    match root {
        Node::List(items) => items.iter().map(person).collect(),
        Node::Map(_) => vec![person(root)],
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => Vec::new(),
    }
}

fn person(root: &Node) -> Person {
    let mut person = Person::default();
    let mut queue = VecDeque::from([(root, false)]);
    let mut seen = 0;
    while let Some((node, named)) = queue.pop_front() {
        seen += 1;
        if seen > MAX_OBJECTS {
            break;
        }
        let names = if named || has_address(node) { Names::All } else { Names::FirstAndLast };
        match node {
            Node::List(items) => {
                person.read_fields(pairs(items), None, Names::All);
                queue.extend(items.iter().map(|item| (item, named)));
            }
            Node::Map(_) => {
                person.read(node, names);
                queue.extend(children(node));
            }
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {}
        }
    }
    person
}

/// The values inside an object that may hold a person, with whether they are
/// named after one; those come first.
fn children(node: &Node) -> impl Iterator<Item = (&Node, bool)> {
    let inner = node.entries().iter().filter(|(_, value)| matches!(value, Node::Map(_) | Node::List(_)));
    let mut inner: Vec<(&Node, bool, String)> =
        inner.map(|(key, value)| (value, false, squeeze(key))).collect();
    inner.retain(|(_, _, key)| !OTHERS.contains(&key.as_str()) && meaning(key).is_none_or(is_name));
    for (_, named, key) in &mut inner {
        *named = PEOPLE.contains(&key.as_str());
    }
    inner.sort_by_key(|(_, named, _)| !named);
    inner.into_iter().map(|(value, named, _)| (value, named))
}

/// Phones and e-mails were read where they stood; an object called `name` was not.
fn is_name(field: Field) -> bool {
    matches!(field, Field::FirstName | Field::LastName | Field::FullName)
}

/// Whether a phone number or an e-mail address stands in the object itself.
fn has_address(node: &Node) -> bool {
    node.entries()
        .iter()
        .any(|(key, value)| !value.is_blank() && matches!(meaning(key), Some(Field::Phone(_) | Field::Email)))
}

/// A list that is an object in disguise: `[{"name": "email", "values": ["..."]}]`,
/// as forms and advertisements send.
fn pairs(items: &[Node]) -> Vec<(Field, &Node)> {
    const LABELS: [&str; 7] = ["key", "name", "label", "title", "question", "ref", "id"];
    const VALUES: [&str; 5] = ["value", "values", "answer", "text", "response"];
    let pair = |item| {
        let value = VALUES.iter().find_map(|key| Node::get(item, key))?;
        let label = LABELS.iter().find_map(|key| meaning_of_question(item.text(key)?))?;
        Some((label, value))
    };
    items.iter().filter_map(pair).collect()
}
