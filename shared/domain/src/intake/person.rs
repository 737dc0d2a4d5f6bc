//! A person while its parts are being found.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::absent::is_yes_or_no;
use super::fields::{Beside, Field, LAST_RESORT, LESSER, meaning};
use super::node::Node;
use super::opt_in::OptIn;
use super::values::{self, calling_code, emails, joined, name_of, phones, texts, with_prefixes};
use super::{Found, Ignored, phone};
use crate::contact::MAX_NAME;
use crate::identity::check_external_id;
use crate::phone::{LeftOut, Reading};
use crate::{CallingCode, EmailAddress};

const MAX_CANDIDATES: usize = 20;
const MAX_EXTRA: usize = 255;
/// Parts of phone numbers that are looked at beside them.
const MAX_PARTS: usize = 8;
/// Fewer digits are no phone number, where a field may hold other things.
const MIN_PHONE: usize = 7;

/// Which names of an object are a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// All.
    All,
    /// All but a bare `name`, which is an order's number or an event's.
    FirstAndLast,
}

#[derive(Clone)]
struct PhoneText {
    text: String,
    home: Option<CallingCode>,
    rank: u8,
}

/// Candidates, the best first. The first valid one is taken.
#[derive(Clone, Default)]
pub(super) struct Person {
    name: Option<String>,
    phones: Vec<PhoneText>,
    emails: Vec<(String, u8)>,
    extra: Map<String, Value>,
    /// Their id in the system that they come from: `shopify:customer:123`.
    external: Option<String>,
    opt_in: Option<OptIn>,
}

impl Person {
    /// The same person, known to a system by the id at the first of these paths that has one.
    pub(super) fn known_as(mut self, system: &str, root: &Node, paths: &[&str]) -> Self {
        // `0` is a guest.
        let id = paths.iter().filter_map(|path| root.text(path)).find(|id| *id != "0");
        self.external = id.and_then(|id| check_external_id(&format!("{system}:{id}")).ok());
        self
    }

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
        self.read_fields(fields.collect(), home_of(object), names);
    }

    /// Reads fields whose meaning is known; `home` is the country beside them.
    pub(super) fn read_fields(
        &mut self,
        mut fields: Vec<(Field, &Node)>,
        home: Option<CallingCode>,
        names: Names,
    ) {
        fields.retain(|(_, value)| !value.is_blank());
        fields.sort_by_key(|(field, _)| rank_of(*field));
        let mut beside = Vec::new();
        for (field, value) in
            fields.iter().filter(|(field, _)| matches!(field, Field::PhonePart(_))).take(MAX_PARTS)
        {
            if let (Field::PhonePart(part), Node::Text(text) | Node::Number(text)) = (field, value) {
                beside.push((*part, text.as_str()));
            }
        }
        let (mut named, mut bare, mut whole) = (values::Names::default(), None, None);
        for (field, value) in fields {
            match field {
                Field::Phone(rank) => self.add_phones(value, rank, home, &beside),
                Field::PhonePart(_) => self.add_if_whole(value, home),
                Field::Email(rank) => {
                    // `{"emailAddress": {"name": "...", "address": "..."}}`
                    whole = whole.or_else(|| value.at("address").and_then(|_| name_of(value.at("name")?)));
                    let texts = emails(value).into_iter().filter(|text| !is_yes_or_no(text));
                    self.emails.extend(texts.map(|text| (bare_email(&text).to_owned(), rank)));
                }
                Field::Address => whole = whole.or(self.add_either(value, home, &beside)),
                Field::FirstName | Field::Vorname => {
                    named.first = named.first.or_else(|| name_of(value));
                    named.name_is_last |= field == Field::Vorname;
                }
                Field::LastName => named.last = named.last.or_else(|| name_of(value)),
                Field::Name => bare = bare.or_else(|| name_of(value)),
                Field::FullName => named.full = named.full.or_else(|| name_of(value)),
                Field::OptIn => self.opt_in = self.opt_in.take().or_else(|| OptIn::read(value)),
                Field::Extra(key) => self.add_extra(key, value),
            }
        }
        self.phones.truncate(MAX_CANDIDATES);
        self.emails.truncate(MAX_CANDIDATES);
        named.full = named.full.or(bare.filter(|_| names == Names::All));
        self.name = self.name.take().or(joined(named)).or(whole);
    }

    fn add_phones(&mut self, value: &Node, rank: u8, home: Option<CallingCode>, beside: &[(Beside, &str)]) {
        for (text, own) in phones(value).into_iter().filter(|(text, _)| !is_yes_or_no(text)) {
            let (text, said) = if own.is_some() { (text, own) } else { with_prefixes(&text, beside) };
            self.phones.push(PhoneText { text, home: said.or(home), rank });
        }
    }

    /// «Cellulare (prefisso e numero)» has both.
    fn add_if_whole(&mut self, value: &Node, home: Option<CallingCode>) {
        for text in texts(value).into_iter().filter(|text| digits(text) > MIN_PHONE) {
            self.phones.push(PhoneText { text, home, rank: LESSER });
        }
    }

    /// Addresses of either kind, or the name that stands in their place.
    fn add_either(
        &mut self,
        value: &Node,
        home: Option<CallingCode>,
        beside: &[(Beside, &str)],
    ) -> Option<String> {
        // What holds objects is looked into by itself.
        if value.is_map() || value.items().iter().any(|item| matches!(item, Node::Map(_) | Node::List(_))) {
            return None;
        }
        // A list is of those who come with the person, too.
        let rank = if let Node::List(_) = value { LAST_RESORT } else { LESSER - 1 };
        let mut name = None;
        for text in texts(value) {
            match () {
                () if text.contains('@') => {
                    name = name.or_else(|| Some(text.split_once('<')?.0.trim().to_owned()));
                    self.emails.push((bare_email(&text).to_owned(), rank));
                }
                () if is_address(&text) => {
                    let (text, said) = with_prefixes(&text, beside);
                    self.phones.push(PhoneText { text, home: said.or(home), rank });
                }
                () if is_like_a_name(&text) => name = name.or(Some(text)),
                () => {}
            }
        }
        name.and_then(|text| name_of(&Node::Text(text)))
    }

    fn add_extra(&mut self, key: &str, value: &Node) {
        let text = match value {
            Node::Map(_) => ["name", "title", "label", "value"].iter().find_map(|key| value.text(key)),
            Node::Text(text) | Node::Number(text) => Some(text.trim()),
            Node::List(items) => items.first().and_then(|item| item.text("")),
            Node::Null | Node::Bool(_) => None,
        };
        if let (Some(text), false) =
            (text.filter(|text| text.len() <= MAX_EXTRA), self.extra.contains_key(key))
        {
            self.extra.insert(key.to_owned(), Value::String(text.to_owned()));
        }
    }

    /// Whether there is anything to find the person by.
    pub(super) fn is_reachable(&self) -> bool {
        !self.phones.is_empty() || !self.emails.is_empty()
    }

    /// Whether it has an e-mail address, and none of these, which are in lower case.
    pub(super) fn has_other_email(&self, emails: &HashSet<String>) -> bool {
        let is_there = self.emails.iter().any(|(email, _)| emails.contains(&email.to_lowercase()));
        !self.emails.is_empty() && !emails.is_empty() && !is_there
    }

    /// The contact, with national numbers in the country of their address, else
    /// in `default`.
    pub(super) fn resolve(mut self, default: Option<CallingCode>) -> Result<Found, Ignored> {
        self.prefer();
        let mut notes = Vec::new();
        let phone = match self.phone(default) {
            Ok(reading) => {
                notes.extend(reading.left_out.map(in_words));
                Some(reading.number)
            }
            Err(note) => {
                notes.extend(note);
                None
            }
        };
        let email = self.emails.iter().find_map(|(text, _)| EmailAddress::read(text).ok());
        notes.extend(email.as_ref().and_then(|reading| reading.left_out).map(in_words));
        let email = email.map(|reading| reading.address);
        if email.is_none() && !self.emails.is_empty() {
            notes.push("email is not a valid e-mail address".to_owned());
        }
        if phone.is_none() && email.is_none() {
            return Err(notes.into_iter().next().map_or(Ignored::NoContact, Ignored::Invalid));
        }
        let name = self.name.map(|name| name.chars().take(MAX_NAME).collect::<String>().trim().to_owned());
        let (external_id, opt_in, extra) = (self.external, self.opt_in, self.extra);
        Ok(Found { name, phone, email, external_id, opt_in, extra, notes })
    }

    /// Puts second choices last, and drops what is taken only for want of others.
    fn prefer(&mut self) {
        let choice = |rank: u8| if rank < LESSER { 0 } else { rank };
        self.phones.sort_by_key(|phone| choice(phone.rank));
        self.emails.sort_by_key(|(_, rank)| choice(*rank));
        let mut ranks =
            self.phones.iter().map(|phone| phone.rank).chain(self.emails.iter().map(|email| email.1));
        if ranks.any(|rank| rank < LAST_RESORT) {
            self.phones.retain(|phone| phone.rank < LAST_RESORT);
            self.emails.retain(|(_, rank)| *rank < LAST_RESORT);
        }
    }

    /// The first valid number; why there is none, when there were candidates.
    fn phone(&self, default: Option<CallingCode>) -> Result<Reading, Option<String>> {
        let mut refused = None;
        for PhoneText { text, home, .. } in &self.phones {
            match phone::read(text, *home, default) {
                Ok(reading) => return Ok(reading),
                Err(invalid) => refused = refused.or(Some(invalid.message)),
            }
        }
        Err(refused)
    }
}

fn in_words(left_out: LeftOut) -> String {
    let words = match left_out {
        LeftOut::OtherNumber => "of several numbers in a field the first was taken",
        LeftOut::Extension => "the extension of the number was left out",
        LeftOut::NoNumber => "what is no phone number was left out",
        LeftOut::OtherEmail => "of several e-mail addresses in a field the first was taken",
        LeftOut::NoEmail => "what is no e-mail address was left out",
    };
    words.to_owned()
}

/// Fields of an object in the order in which they are read.
fn rank_of(field: Field) -> u8 {
    match field {
        Field::Phone(rank) | Field::Email(rank) => rank,
        Field::Address => LESSER - 1,
        Field::PhonePart(_)
        | Field::FirstName
        | Field::Vorname
        | Field::LastName
        | Field::Name
        | Field::FullName
        | Field::OptIn
        | Field::Extra(_) => 0,
    }
}

/// Whether a text of a field that may hold anything is an address of either kind.
pub(super) fn is_address(text: &str) -> bool {
    text.contains('@') || (digits(text) >= MIN_PHONE && !text.chars().any(char::is_alphabetic))
}

/// «Ada Neri», but not «per telefono» or «two adults».
fn is_like_a_name(text: &str) -> bool {
    let starts: Vec<bool> =
        text.split_whitespace().map(|word| word.chars().next().is_some_and(char::is_uppercase)).collect();
    let capitals = starts.iter().filter(|starts| **starts).count();
    (2..=5).contains(&starts.len()) && capitals >= 2 && digits(text) == 0
}

/// `Ada Neri <ada@example.com>` as the address in it.
fn bare_email(text: &str) -> &str {
    let inner = text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let text = inner.map_or(text, |(_, email)| email);
    text.strip_prefix("mailto:").unwrap_or(text)
}

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

/// The country that an object gives beside its fields, or in an address.
pub(super) fn home_of(object: &Node) -> Option<CallingCode> {
    const PATHS: [&str; 7] = [
        "country_code",
        "countryCode",
        "country_code_v2",
        "country",
        "address.country",
        "address.country_code",
        "location.country",
    ];
    // A country's number is a shop's own id of it.
    let is_code =
        |path: &str, text: &str| path.contains("code") || !text.contains(|c: char| c.is_ascii_digit());
    PATHS.iter().find_map(|path| calling_code(object.text(path).filter(|text| is_code(path, text))?))
}
