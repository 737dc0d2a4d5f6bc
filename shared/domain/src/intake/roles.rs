//! Who of the people in a body are the business's own.

use std::collections::HashSet;

use super::fields::{Field, Role, meaning, role_of};
use super::node::Node;
use super::pairs::{is_container, is_key};
use super::values::texts;
use super::vocabulary::Word;
use super::words::Words;

const MAX_OBJECTS: usize = 5_000;
const MAX_EMAILS: usize = 1_000;

/// Things with names and numbers: nobody is looked for in them.
const SKIPPED: [&str; 13] = [
    "lineitems",
    "items",
    "products",
    "product",
    "variant",
    "variants",
    "previous",
    "previousattributes",
    "before",
    "old",
    "campaign",
    "definition",
    "metric",
];

/// What has an address of its own and may name its customers.
const CLOSED: [&str; 16] = [
    "company",
    "organization",
    "organisation",
    "org",
    "orgid",
    "account",
    "ownerid",
    "createdby",
    "updatedby",
    "creatoruserid",
    "calendar",
    "destinationcalendar",
    "studio",
    "salon",
    "branch",
    "merchantaccount",
];

/// Lists whose elements are each about a person of their own.
const LISTS: [&str; 8] = ["data", "records", "results", "rows", "entries", "list", "batch", "payload"];

/// What happens to a user who is the person that a body is about.
const SIGNUPS: [&str; 8] =
    ["created", "registered", "registration", "signup", "signedup", "updated", "activated", "joined"];

fn is_skipped(key: &str) -> bool {
    SKIPPED.iter().any(|name| is_key(key, name))
}

fn is_closed(key: &str) -> bool {
    CLOSED.iter().any(|name| is_key(key, name))
}

pub(super) fn is_people(key: &str) -> bool {
    LISTS.iter().any(|name| is_key(key, name))
}

/// Whose fields the ones of an object are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// A customer's, or nobody's in particular.
    Customer,
    /// A company's or a thing's of the business, that may name its contacts.
    Company,
    /// Of somebody of the business.
    Staff,
}

/// What a body says of the business.
#[derive(Debug, Default)]
pub(super) struct Business {
    /// There is an address of it.
    pub(super) has_address: bool,
    /// Its e-mail addresses, in lower case.
    pub(super) emails: HashSet<String>,
    /// The body tells that somebody became a user: that is who it is about.
    about_users: bool,
}

impl Business {
    pub(super) fn of(root: &Node) -> Self {
        let mut business = Self { about_users: is_about_users(root), ..Self::default() };
        let mut stack = vec![(root, own(root, Owner::Customer))];
        let mut seen = 0;
        while let Some((node, owner)) = stack.pop() {
            seen += 1;
            if seen > MAX_OBJECTS || business.emails.len() > MAX_EMAILS {
                break;
            }
            let items = node.items().iter().filter(|item| is_container(item));
            stack.extend(items.map(|item| (item, own(item, owner))));
            for (key, value) in node.entries() {
                let Some((owner, _)) = business.owner(key, &Words::of(key), owner) else { continue };
                if is_container(value) {
                    stack.push((value, own(value, owner)));
                }
                if owner != Owner::Customer {
                    business.note(key, value);
                }
            }
        }
        business
    }

    /// Whose the value of a key is, inside an object of `outer`, and whether it is named
    /// after a customer; `None` for what is nobody's here.
    pub(super) fn owner(&self, key: &str, words: &Words, outer: Owner) -> Option<(Owner, bool)> {
        if is_skipped(key) {
            return None;
        }
        let role = role_of(words);
        let role = if role == Role::User && self.about_users { Role::Customer } else { role };
        Some(match role {
            Role::Elsewhere => return None,
            Role::Staff | Role::User => (Owner::Staff, false),
            Role::Customer => (Owner::Customer, true),
            Role::Contact if outer < Owner::Staff => (Owner::Customer, true),
            Role::Holder => (outer, outer == Owner::Customer),
            Role::Unknown if is_closed(key) || words.has(Word::Company) => (outer.max(Owner::Company), false),
            // The owner's booking.
            Role::Unknown if outer == Owner::Staff && !is_people(key) => (Owner::Company, false),
            Role::Contact | Role::Unknown => (outer, false),
        })
    }

    fn note(&mut self, key: &str, value: &Node) {
        for text in texts(value) {
            if text.contains('@') && !text.contains(char::is_whitespace) {
                self.has_address = true;
                self.emails.insert(text.to_lowercase());
            }
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            self.has_address |= digits >= 7 && matches!(meaning(key), Some(Field::Phone(_)));
        }
    }
}

/// `{"event": "user.created"}`
fn is_about_users(root: &Node) -> bool {
    const KEYS: [&str; 8] =
        ["event", "type", "event_type", "eventType", "topic", "trigger", "action", "hook"];
    KEYS.iter().filter_map(|key| root.text(key)).any(|text| {
        let letters = text.chars().take(100).filter(char::is_ascii_alphanumeric);
        let text: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        text.contains("user") && SIGNUPS.iter().any(|word| text.contains(word))
    })
}

/// Whose an object is, by what it says of itself.
pub(super) fn own(node: &Node, owner: Owner) -> Owner {
    if is_staff(node) { Owner::Staff } else { owner }
}

/// Whether an object says of itself that it is somebody of the business:
/// `"role": "host"`, `"organizer": true`.
pub(super) fn is_staff(node: &Node) -> bool {
    const ROLES: [&str; 8] = [
        "role",
        "type",
        "kind",
        "relationship",
        "participant_type",
        "participantType",
        "userType",
        "user_type",
    ];
    let says = |text: &str| role_of(&Words::of(text)) == Role::Staff;
    let is_marked = |(key, value): &(String, Node)| *value == Node::Bool(true) && says(key);
    ROLES.iter().filter_map(|key| node.text(key)).any(says) || node.entries().iter().any(is_marked)
}

/// The objects of a list, also of one that came as a form: `attendees[0][email]`.
pub(super) fn people_of(node: &Node) -> Vec<&Node> {
    let is_list =
        node.entries().iter().all(|(key, value)| key.bytes().all(|b| b.is_ascii_digit()) && value.is_map());
    let entries = node.entries().iter().filter(|_| is_list).map(|(_, value)| value);
    entries.chain(node.items()).filter(|item| item.is_map()).collect()
}
