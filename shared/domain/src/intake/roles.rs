//! Who of the people in a body are the business's own.

use std::collections::HashSet;

use super::fields::{Field, Role, asks_for_phone, meaning, role_of};
use super::node::Node;
use super::pairs::{is_container, is_key};
use super::values::texts;
use super::vocabulary::Word;
use super::words::Words;

const MAX_OBJECTS: usize = 5_000;
const MAX_ADDRESSES: usize = 1_000;

/// Fewer digits are no phone number.
const MIN_PHONE: usize = 7;
/// The last digits of phone numbers that are compared.
const MAX_COMPARED: usize = 9;

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
const CLOSED: [&str; 17] = [
    "company",
    "organization",
    "organisation",
    "org",
    "orgid",
    "account",
    "ownerid",
    "userid",
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
    /// It is named after a customer.
    Customer,
    /// Nobody's in particular: they may be the customer's.
    Anybody,
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
    /// Its e-mail addresses, in lower case, and the digits of its phone numbers.
    pub(super) addresses: HashSet<String>,
    /// The body tells that somebody became a user: that is who it is about.
    about_users: bool,
}

impl Business {
    pub(super) fn of(root: &Node) -> Self {
        let mut business = Self { about_users: is_about_users(root), ..Self::default() };
        let mut stack = vec![(root, Owner::Anybody)];
        let mut seen = 0;
        while let Some((node, owner)) = stack.pop() {
            seen += 1;
            if seen > MAX_OBJECTS || business.addresses.len() > MAX_ADDRESSES {
                break;
            }
            let items = node.items().iter().filter(|item| is_container(item));
            stack.extend(items.map(|item| (item, own(item, owner))));
            for (key, value) in node.entries() {
                let Some(owner) = business.owner(key, &Words::of(key), owner) else { continue };
                if is_container(value) {
                    stack.push((value, own(value, owner)));
                }
                if owner > Owner::Anybody {
                    business.note(key, value);
                }
            }
        }
        business
    }

    /// Whose the value of a key is, inside an object of `outer`; `None` for what is
    /// neither the customer's nor the business's.
    pub(super) fn owner(&self, key: &str, words: &Words, outer: Owner) -> Option<Owner> {
        if is_skipped(key) {
            return None;
        }
        Some(match role_of(words) {
            Role::Elsewhere => return None,
            // An attendee's `user` is the attendee.
            Role::User if self.about_users || outer == Owner::Customer => Owner::Customer,
            Role::User if is_closed(key) => outer.max(Owner::Company),
            Role::Staff | Role::User => Owner::Staff,
            Role::Customer => Owner::Customer,
            Role::Contact if outer < Owner::Staff => Owner::Customer,
            Role::Holder if outer < Owner::Company => Owner::Customer,
            Role::Unknown if is_closed(key) || words.has(Word::Company) => outer.max(Owner::Company),
            Role::Contact | Role::Holder => outer,
            Role::Unknown if is_people(key) => outer,
            // The owner's booking, the customer's order.
            Role::Unknown if outer == Owner::Staff => Owner::Company,
            Role::Unknown => outer.max(Owner::Anybody),
        })
    }

    fn note(&mut self, key: &str, value: &Node) {
        for text in texts(value) {
            let digits = digits_of(&text);
            if text.contains('@') && !text.contains(char::is_whitespace) {
                self.addresses.insert(text.to_lowercase());
            } else if digits.len() >= MIN_PHONE && asks_for_phone(&Words::of(key)) {
                self.addresses.insert(digits);
            }
        }
        self.has_address = !self.addresses.is_empty();
    }
}

/// The digits of a phone number as it is compared: whoever leaves out a country code
/// or a zero means the same.
pub(super) fn digits_of(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.get(digits.len().saturating_sub(MAX_COMPARED)..).unwrap_or_default().to_owned()
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
    const MARKS: [&str; 9] = [
        "organizer",
        "isorganizer",
        "organiser",
        "isorganiser",
        "host",
        "ishost",
        "staff",
        "isstaff",
        "isagent",
    ];
    // A role, and no event of one: `owner.changed`.
    let is_role = |text: &str| {
        let words = Words::of(text);
        role_of(&words) == Role::Staff
            && words.are_only(&[Word::Staff, Word::User, Word::Company, Word::Contact, Word::Thing])
    };
    let is_marked = |(key, value): &(String, Node)| {
        *value == Node::Bool(true) && MARKS.iter().any(|mark| is_key(key, mark))
    };
    ROLES.iter().filter_map(|key| node.text(key)).any(is_role) || node.entries().iter().any(is_marked)
}

/// The objects of a list, also of one that came as a form, `attendees[0][email]`, or,
/// of what is named after people, as a map of their ids.
pub(super) fn people_of(node: &Node, named: bool) -> Vec<&Node> {
    let entries = node.entries();
    let is_list =
        entries.iter().all(|(key, value)| key.bytes().all(|b| b.is_ascii_digit()) && value.is_map());
    let is_id = |key: &str| role_of(&Words::of(key)) == Role::Unknown && !is_closed(key) && !is_skipped(key);
    let is_map_of_people =
        named && entries.len() > 1 && entries.iter().all(|(key, value)| is_id(key) && has_email(value));
    let inner = entries.iter().filter(|_| is_list || is_map_of_people).map(|(_, value)| value);
    inner.chain(node.items()).filter(|item| item.is_map()).collect()
}

/// Whether an e-mail address stands in the object itself.
pub(super) fn has_email(node: &Node) -> bool {
    node.entries()
        .iter()
        .any(|(key, value)| !value.is_blank() && matches!(meaning(key), Some(Field::Email(_))))
}
