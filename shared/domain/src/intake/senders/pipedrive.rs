//! Pipedrive: `current` in version 1, `data` in version 2
//! (<https://pipedrive.readme.io/docs/guide-for-webhooks-v2>); null when deleted.

use crate::intake::Ignored;
use crate::intake::node::Node;
use crate::intake::person::{Names, Person};

pub(super) fn fits(root: &Node) -> bool {
    let has = |wanted: &str| root.entries().iter().any(|(key, _)| key == wanted);
    about(root).is_some() && (has("current") || has("data")) && has("previous")
}

/// Users and organisations have names and addresses too, and are no customers.
pub(super) fn people(root: &Node) -> Result<Vec<Person>, Ignored> {
    const PATHS: [(&str, Names); 6] = [
        ("current", Names::All),
        ("data", Names::All),
        ("current.person_id", Names::All),
        ("data.person_id", Names::All),
        ("current.person", Names::All),
        ("data.person", Names::All),
    ];
    let about = about(root).unwrap_or_default();
    if matches!(root.text("meta.action"), Some("deleted" | "delete")) {
        return Err(Ignored::Deleted);
    }
    match about {
        "person" => {
            Ok(vec![Person::at(root, &PATHS).known_as("pipedrive:person", root, &["current.id", "data.id"])])
        }
        // A deal's own name is no person's.
        "deal" | "lead" => {
            let ids = [
                "current.person_id.value",
                "data.person_id.value",
                "current.person_id",
                "data.person_id",
                "current.person.id",
                "data.person.id",
            ];
            Ok(vec![Person::at(root, &PATHS[2..]).known_as("pipedrive:person", root, &ids)])
        }
        other => Err(Ignored::OtherTopic(other.chars().take(100).collect())),
    }
}

fn about(root: &Node) -> Option<&str> {
    root.text("meta.entity").or_else(|| root.text("meta.object"))
}
