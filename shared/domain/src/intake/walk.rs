//! Bodies of senders that nobody knows: every object is looked into, those that
//! are named after a person first, and those of the business only for people in them.

use std::collections::{HashSet, VecDeque};

use super::Ignored;
use super::fields::{Field, LESSER, Meaning, Role, meaning, meaning_of, role_of};
use super::node::Node;
use super::pairs::{Titles, is_container, numbered, pair};
use super::person::{Names, Person, home_of, is_address};
use super::roles::{self, Business, Owner, digits_of, has_email, is_people, own};
use super::values::{is_phone, texts};
use super::vocabulary::Word;
use super::words::Words;

const MAX_OBJECTS: usize = 5_000;

/// The person of a body, or those of a list.
///
/// # Errors
/// [`Ignored::OnlyBusiness`] when the only addresses are those of the business.
pub(super) fn people(root: &Node) -> Result<Vec<Person>, Ignored> {
    let body = Body { titles: Titles::of(root), business: Business::of(root) };
    let mut people = Vec::new();
    let is_pair = |item| body.pair(item).is_some();
    let is_list_of_people = !root.items().iter().all(is_pair) && !are_singles(root.items());
    match root {
        Node::List(items) if is_list_of_people => {
            let others = items.iter().filter(|item| !roles::is_staff(item));
            others.for_each(|item| body.search(item, Owner::Anybody, &mut people));
        }
        Node::List(_) | Node::Map(_) => body.search(root, Owner::Anybody, &mut people),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {}
    }
    let reached = people.iter().any(Person::is_reachable);
    if !reached && body.business.has_address { Err(Ignored::OnlyBusiness) } else { Ok(people) }
}

/// What is known of a body before it is searched.
struct Body {
    titles: Titles,
    business: Business,
}

/// A value that is to be looked into.
#[derive(Clone, Copy)]
struct Visit<'n> {
    node: &'n Node,
    /// The business's fields are not read; there may be customers in them.
    owner: Owner,
}

/// What says what a value is.
enum Source {
    Key,
    /// A label beside it.
    Pair,
}

/// What is found beside the fields of an object.
#[derive(Default)]
struct Inner<'n> {
    visits: Vec<Visit<'n>>,
    /// People besides the first of a list.
    apart: Vec<&'n Node>,
}

impl Body {
    /// Adds the person of a value, then the others of the lists of people in it.
    fn search(&self, root: &Node, owner: Owner, people: &mut Vec<Person>) {
        let mut person = Person::default();
        let mut apart = Vec::new();
        let mut queue = VecDeque::from([Visit { node: root, owner }]);
        let mut seen = 0;
        while let Some(visit) = queue.pop_front() {
            seen += 1;
            if seen > MAX_OBJECTS {
                break;
            }
            let inner = match visit.node {
                Node::List(items) => self.list(items, visit, &mut person),
                Node::Map(_) => self.object(visit, &mut person),
                Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => Inner::default(),
            };
            queue.extend(inner.visits);
            apart.extend(inner.apart);
        }
        people.push(person);
        apart.into_iter().for_each(|other| self.search(other, Owner::Customer, people));
    }

    fn list<'n>(&self, items: &'n [Node], visit: Visit<'n>, person: &mut Person) -> Inner<'n> {
        let mut inner = Inner::default();
        let mut fields = Vec::new();
        let is_open = visit.owner <= Owner::Anybody;
        let singles = is_open && are_singles(items);
        for item in items {
            match self.pair(item) {
                Some((Meaning::Field(field), value)) if is_open => fields.push((field, value)),
                Some((Meaning::Other, _)) => {}
                Some(_) | None if singles => {
                    let single =
                        item.entries().iter().filter_map(|(key, value)| Some((meaning(key)?, value)));
                    fields.extend(single);
                }
                Some(_) | None => {
                    inner.visits.push(Visit { node: item, owner: own(item, visit.owner) });
                }
            }
        }
        person.read_fields(fields, None, Names::All);
        inner
    }

    /// Reads the fields of an object; answers what else it holds.
    fn object<'n>(&self, visit: Visit<'n>, person: &mut Person) -> Inner<'n> {
        let mut inner = Inner::default();
        let mut fields: Vec<(Field, &Node)> = Vec::new();
        let mut names = if visit.owner == Owner::Customer { Names::All } else { Names::FirstAndLast };
        let mut containers = Vec::new();
        if visit.owner <= Owner::Anybody {
            let pairs = numbered(visit.node, &self.titles);
            names = if pairs.is_empty() { names } else { Names::All };
            fields.extend(pairs);
            fields.extend(called(visit.node).map(|number| (Field::Phone(LESSER), number)));
        }
        for (key, value) in visit.node.entries() {
            let words = Words::of(key);
            let is_open = visit.owner <= Owner::Anybody;
            let field = if is_open { self.field(key, &words, value) } else { None };
            match field {
                Some((field, Source::Pair, value)) => {
                    names = Names::All;
                    fields.extend(field.map(|field| (field, value)));
                    continue;
                }
                Some((field, Source::Key, value)) => fields.extend(field.map(|field| (field, value))),
                None => {}
            }
            if is_container(value) {
                containers.push((key, words, value));
            }
        }
        let is_address = |(field, value): &(Field, &Node)| match field {
            Field::Phone(_) | Field::Email(_) => true,
            Field::Address => !value.is_map() && texts(value).iter().any(|text| is_address(text)),
            Field::PhonePart(_)
            | Field::FirstName
            | Field::Vorname
            | Field::LastName
            | Field::Name
            | Field::FullName
            | Field::OptIn
            | Field::Extra(_) => false,
        };
        if fields.iter().any(is_address) {
            names = Names::All;
        }
        person.read_fields(fields, home_of(visit.node), names);
        for (key, words, value) in containers {
            self.descend(key, &words, value, visit.owner, person, &mut inner);
        }
        inner.visits.sort_by_key(|visit| visit.owner != Owner::Customer);
        inner
    }

    /// The field of an entry; no field for a pair that is known not to be the person's;
    /// `None` for what may hold others.
    fn field<'n>(
        &self,
        key: &str,
        words: &Words,
        value: &'n Node,
    ) -> Option<(Option<Field>, Source, &'n Node)> {
        let own = meaning_of(words);
        let own = if own == Meaning::Nothing { self.titles.meaning(key, words) } else { own };
        if let Some((said, inner)) = self.pair(value) {
            // An attendee with answers is no answer.
            let own = if own == Meaning::Field(Field::Address) { Meaning::Nothing } else { own };
            // A phone number's label may be `Company`.
            let is_own = said == Meaning::Nothing || (is_address_field(own) && !is_address_field(said));
            match if is_own && said != Meaning::Other { own } else { said } {
                Meaning::Field(field) => return Some((Some(field), Source::Pair, inner)),
                Meaning::Other => return Some((None, Source::Pair, inner)),
                Meaning::Nothing => {}
            }
        }
        match own {
            Meaning::Field(field) => Some((Some(field), Source::Key, value)),
            // `q4_numeroDi`: a title that was cut, and a value that says what it is.
            Meaning::Nothing if is_phone(value) => Some((Some(Field::Phone(LESSER)), Source::Pair, value)),
            Meaning::Other | Meaning::Nothing => None,
        }
    }

    /// A label and its value, unless the object has an address of its own.
    fn pair<'n>(&self, item: &'n Node) -> Option<(Meaning, &'n Node)> {
        pair(item, &self.titles).filter(|(_, value)| !has_address(item) && !self.holds_people(item, value))
    }

    /// Whether there are people in an object besides its value: a deal has a title and
    /// a value, and is no field.
    fn holds_people(&self, item: &Node, value: &Node) -> bool {
        let others =
            item.entries().iter().filter(|(_, other)| is_container(other) && !std::ptr::eq(other, value));
        others.into_iter().any(|(key, _)| {
            let role = role_of(&Words::of(key));
            matches!(role, Role::Customer | Role::Contact | Role::Staff | Role::User)
        })
    }

    /// Notes a value inside an object that may hold a person.
    fn descend<'n>(
        &self,
        key: &str,
        words: &Words,
        value: &'n Node,
        outer: Owner,
        person: &Person,
        inner: &mut Inner<'n>,
    ) {
        // Phones and e-mails were read where they stood; an object called `name` was not.
        if !may_hold_a_person(meaning_of(words)) {
            return;
        }
        let Some(owner) = self.business.owner(key, words, outer) else { return };
        let named = owner == Owner::Customer;
        let people = roles::people_of(value, named);
        let are_people = !people.is_empty()
            && !are_singles(value.items())
            && people.iter().all(|one| self.pair(one).is_none())
            && (named || people.iter().all(|one| has_email(one)));
        if owner > Owner::Anybody || !are_people {
            return inner.visits.push(Visit { node: value, owner: own(value, owner) });
        }
        let mut people = self.customers(people);
        let Some(first) = people.first().copied() else { return };
        if person.has_other_email(&emails(first)) {
            // A buyer's guests come with the buyer.
            let are_guests = words.has(Word::Guest) || !(named || is_people(key));
            return inner.apart.extend(people.into_iter().filter(|_| !are_guests));
        }
        people.remove(0);
        inner.visits.push(Visit { node: first, owner });
        inner.apart.extend(people.into_iter().filter(|_| named || is_people(key)));
    }

    /// Those of a list who are not the business's.
    fn customers<'n>(&self, people: Vec<&'n Node>) -> Vec<&'n Node> {
        let others: Vec<&Node> = people.into_iter().filter(|one| !roles::is_staff(one)).collect();
        let is_known = |one: &&&Node| {
            let mut addresses = emails(one).into_iter().chain(phones(one));
            addresses.any(|address| self.business.addresses.contains(&address))
        };
        let strangers: Vec<&Node> = others.iter().filter(|one| !is_known(one)).copied().collect();
        // Who books with themselves is a customer.
        if strangers.is_empty() { others } else { strangers }
    }
}

fn is_address_field(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Field(Field::Phone(_) | Field::Email(_)))
}

fn may_hold_a_person(meaning: Meaning) -> bool {
    match meaning {
        Meaning::Nothing | Meaning::Other => true,
        Meaning::Field(
            Field::FirstName
            | Field::Vorname
            | Field::LastName
            | Field::Name
            | Field::FullName
            | Field::Address,
        ) => true,
        Meaning::Field(Field::Extra("company")) => true,
        Meaning::Field(
            Field::Phone(_) | Field::Email(_) | Field::PhonePart(_) | Field::OptIn | Field::Extra(_),
        ) => false,
    }
}

/// Whether a phone number or an e-mail address stands in the object itself.
fn has_address(node: &Node) -> bool {
    let is_address = |key: &str| matches!(meaning(key), Some(Field::Phone(_) | Field::Email(_)));
    node.entries().iter().any(|(key, value)| !value.is_blank() && is_address(key))
}

/// The number at which a booked call reaches the person: `{"type": "outbound_call", "location": "..."}`
/// (<https://developer.calendly.com/api-docs>).
fn called(object: &Node) -> Option<&Node> {
    object.get("location").filter(|_| object.text("type") == Some("outbound_call"))
}

/// `[{"Nome": "..."}, {"Email": "..."}]`: an object in parts.
fn are_singles(items: &[Node]) -> bool {
    let mut keys = HashSet::new();
    items.len() > 1
        && items.iter().all(|item| match item.entries() {
            [(key, Node::Text(_) | Node::Number(_))] => keys.insert(key),
            _ => false,
        })
}

/// The e-mail addresses of an object and of those in it, `{"user": {"email": "..."}}`,
/// in lower case.
fn emails(node: &Node) -> HashSet<String> {
    let emails = fields_of(node).filter(|(key, _)| matches!(meaning(key), Some(Field::Email(_))));
    emails.flat_map(|(_, value)| texts(value)).map(|email| email.to_lowercase()).collect()
}

/// The digits of its phone numbers.
fn phones(node: &Node) -> HashSet<String> {
    let phones = fields_of(node).filter(|(key, _)| matches!(meaning(key), Some(Field::Phone(_))));
    phones.flat_map(|(_, value)| texts(value)).map(|phone| digits_of(&phone)).collect()
}

fn fields_of(node: &Node) -> impl Iterator<Item = &(String, Node)> {
    let inner = node.entries().iter().filter(|(_, value)| value.is_map());
    node.entries().iter().chain(inner.flat_map(|(_, value)| value.entries()))
}
