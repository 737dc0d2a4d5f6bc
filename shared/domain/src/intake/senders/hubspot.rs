//! HubSpot: a list of events of the Webhooks API, each with one property or none
//! (<https://developers.hubspot.com/docs/api/webhooks>), or contacts with all
//! their `properties`, as workflows send.

use super::check_topic;
use crate::intake::Ignored;
use crate::intake::fields::{Field, meaning};
use crate::intake::node::Node;
use crate::intake::person::{Names, Person};

pub(super) fn fits(root: &Node) -> bool {
    let one = elements(root).next();
    one.is_some_and(|e| is_event(e) || is_contact(e))
}

pub(super) fn people(root: &Node) -> Result<Vec<Person>, Ignored> {
    let contacts: Vec<Person> = elements(root).filter(|e| is_contact(e)).map(contact).collect();
    if !contacts.is_empty() {
        return Ok(contacts);
    }
    let mut records: Vec<(&str, Vec<(Field, &Node)>)> = Vec::new();
    let mut refused = None;
    for event in elements(root) {
        if let Err(reason) = check(event) {
            refused = refused.or(Some(reason));
            continue;
        }
        let id = event.text("objectId").unwrap_or_default();
        let field = event.text("propertyName").and_then(meaning).zip(event.get("propertyValue"));
        match records.iter_mut().find(|(known, _)| *known == id) {
            Some((_, fields)) => fields.extend(field),
            None => records.push((id, field.into_iter().collect())),
        }
    }
    let people: Vec<Person> = records
        .into_iter()
        .map(|(id, fields)| person(fields).known_as(&system(root), &Node::Text(id.to_owned()), &[""]))
        .collect();
    if people.iter().any(Person::is_reachable) {
        return Ok(people);
    }
    Err(refused.unwrap_or(Ignored::OnlyAnId))
}

/// Numbers of contacts are those of a portal.
fn system(node: &Node) -> String {
    let portal = ["portalId", "portal-id", "0.portalId"].iter().find_map(|path| node.text(path));
    portal.map_or_else(|| "hubspot:contact".to_owned(), |portal| format!("hubspot:{portal}:contact"))
}

fn person(fields: Vec<(Field, &Node)>) -> Person {
    let mut person = Person::default();
    person.read_fields(fields, None, Names::FirstAndLast);
    person
}

fn elements(root: &Node) -> impl Iterator<Item = &Node> {
    let one = root.is_map().then_some(root);
    root.items().iter().chain(one)
}

fn is_event(node: &Node) -> bool {
    node.text("objectId").is_some()
        && (node.text("subscriptionType").is_some() || node.text("eventId").is_some())
}

fn is_contact(node: &Node) -> bool {
    let known = ["vid", "canonical-vid", "portal-id", "objectId"].iter().any(|key| node.get(key).is_some());
    let versioned = |(_, value): &(String, Node)| value.get("value").is_some();
    node.at("properties").is_some_and(|p| p.is_map() && (known || p.entries().iter().any(versioned)))
}

fn contact(node: &Node) -> Person {
    let mut person = Person::at(node, &[("properties", Names::FirstAndLast)]);
    // The older shape keeps addresses apart too.
    for identity in node.at("identity-profiles.0.identities").map_or(&[][..], Node::items) {
        let field = identity.text("type").and_then(meaning).zip(identity.get("value"));
        person.read_fields(field.into_iter().collect(), None, Names::FirstAndLast);
    }
    person.known_as(&system(node), node, &["vid", "canonical-vid", "objectId", "properties.hs_object_id"])
}

/// Whether the event is about a contact; `0-1` is HubSpot's number of contacts.
fn check(event: &Node) -> Result<(), Ignored> {
    let Some(topic) = event.text("subscriptionType") else { return Ok(()) };
    if event.text("objectTypeId").is_some_and(|id| id != "0-1") {
        return Err(Ignored::OtherTopic(topic.chars().take(100).collect()));
    }
    check_topic(topic, &["contact", "object"])
}
