//! A person while its parts are being found.

use serde_json::{Map, Value};

use super::fields::{Field, meaning, texts};
use super::node::Node;
use super::{Found, Ignored, country, phone};
use crate::contact::MAX_NAME;
use crate::{CallingCode, EmailAddress, PhoneNumber};

const MAX_CANDIDATES: usize = 20;
const MAX_EXTRA: usize = 255;

/// Which names of an object are a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// All.
    All,
    /// First and last name: `name` is an order's number or an event's.
    FirstAndLast,
}

/// Candidates, the best first. The first valid one is taken.
#[derive(Clone, Default)]
pub(super) struct Person {
    name: Option<String>,
    phones: Vec<(String, Option<CallingCode>)>,
    emails: Vec<String>,
    extra: Map<String, Value>,
}

impl Person {
    /// A person out of the objects at `paths`, the most telling first.
    pub(super) fn at(root: &Node, paths: &[(&str, Names)]) -> Self {
        let mut person = Self::default();
        for (path, names) in paths {
            person.read(root.at(path).unwrap_or(&Node::Null), *names);
        }
        person
    }

    /// Reads the fields of one object.
    pub(super) fn read(&mut self, object: &Node, names: Names) {
        let fields = object.entries().iter().filter_map(|(key, value)| Some((meaning(key)?, value)));
        let home = home_of(object);
        self.read_fields(fields.collect(), home, names);
    }

    /// Reads fields whose meaning is known; `home` is the country beside them.
    pub(super) fn read_fields(
        &mut self,
        mut fields: Vec<(Field, &Node)>,
        home: Option<CallingCode>,
        names: Names,
    ) {
        fields.retain(|(_, value)| !value.is_blank());
        fields.sort_by_key(|(field, _)| if let Field::Phone(rank) = field { *rank } else { 0 });
        let (mut first, mut last, mut full) = (None, None, None);
        for (field, value) in fields {
            match field {
                Field::Phone(_) => self.phones.extend(texts(value).into_iter().map(|text| (text, home))),
                Field::Email => self.emails.extend(texts(value)),
                Field::FirstName => first = first.or_else(|| name_of(value)),
                Field::LastName => last = last.or_else(|| name_of(value)),
                Field::FullName => full = full.or_else(|| name_of(value)),
                Field::Extra(key) => self.add_extra(key, value),
            }
        }
        self.phones.truncate(MAX_CANDIDATES);
        self.emails.truncate(MAX_CANDIDATES);
        let full = full.filter(|_| names == Names::All);
        self.name = self.name.take().or(joined(first, last, full));
    }

    fn add_extra(&mut self, key: &str, value: &Node) {
        let text = texts(value).into_iter().next().filter(|text| text.len() <= MAX_EXTRA);
        if let (Some(text), false) = (text, self.extra.contains_key(key)) {
            self.extra.insert(key.to_owned(), Value::String(text));
        }
    }

    /// Whether there is anything to find the person by.
    pub(super) fn is_reachable(&self) -> bool {
        !self.phones.is_empty() || !self.emails.is_empty()
    }

    /// The contact, with national numbers in the country of their address, else
    /// in `default`.
    pub(super) fn resolve(self, default: Option<CallingCode>) -> Result<Found, Ignored> {
        let mut notes = Vec::new();
        let phone = self.phone(default).unwrap_or_else(|note| {
            notes.extend(note);
            None
        });
        let email = self.emails.iter().find_map(|text| text.parse::<EmailAddress>().ok());
        if email.is_none() && !self.emails.is_empty() {
            notes.push("email is not a valid e-mail address".to_owned());
        }
        if phone.is_none() && email.is_none() {
            return Err(notes.into_iter().next().map_or(Ignored::NoContact, Ignored::Invalid));
        }
        let name = self.name.map(|name| name.chars().take(MAX_NAME).collect::<String>().trim().to_owned());
        Ok(Found { name, phone, email, extra: self.extra, notes })
    }

    /// The first valid number; why there is none, when there were candidates.
    fn phone(&self, default: Option<CallingCode>) -> Result<Option<PhoneNumber>, Option<String>> {
        let mut refused = None;
        for (text, home) in &self.phones {
            match phone::parse(text, home.or(default)) {
                Ok(phone) => return Ok(Some(phone)),
                Err(invalid) => refused = refused.or(Some(invalid.message)),
            }
        }
        Err(refused)
    }
}

/// First and last name; with `name` beside a last name alone, `name` is the first.
fn joined(first: Option<String>, last: Option<String>, full: Option<String>) -> Option<String> {
    match (first, last, full) {
        (Some(first), Some(last), _) => Some(format!("{first} {last}")),
        (None, Some(last), Some(full)) if !full.contains(&last) => Some(format!("{full} {last}")),
        (None, Some(_), Some(full)) => Some(full),
        (first, last, full) => first.or(last).or(full),
    }
}

/// The country that an object gives beside its fields, or in an address.
fn home_of(object: &Node) -> Option<CallingCode> {
    const PATHS: [&str; 7] = [
        "country_code",
        "countryCode",
        "country_code_v2",
        "country",
        "address.country",
        "address.country_code",
        "location.country",
    ];
    PATHS.iter().find_map(|path| country::calling_code(object.text(path)?))
}

/// A text that can be somebody's name: not a number, an address, an order's
/// `#1001`, an event's `contact.created` or a template that was not filled.
fn name_of(value: &Node) -> Option<String> {
    let text = texts(value).into_iter().next()?;
    let name = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    let name = name.collect::<Vec<_>>().join(" ");
    let machine = !name.contains(' ')
        && name.contains(['.', '_', '/', ':'])
        && name.chars().all(|c| !c.is_alphabetic() || c.is_lowercase());
    let odd = name.starts_with('#') || name.contains(['@', '{', '}', '<', '>']) || name.contains("://");
    (name.chars().any(char::is_alphabetic) && !odd && !machine).then_some(name)
}
