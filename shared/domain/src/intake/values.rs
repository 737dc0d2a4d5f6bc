//! The values of fields: texts, lists, objects with a `value`, phone numbers in parts.

use super::fields::{Beside, Field, meaning};
use super::node::Node;
use crate::CallingCode;

const MAX_TEXTS: usize = 20;
const MAX_DEPTH: u8 = 3;
/// A number of so few digits beside a prefix has its area code there.
const MAX_SUBSCRIBER: usize = 7;
/// Fewer digits are no number that an area code makes a whole one.
const MIN_SUBSCRIBER: usize = 4;

/// Keys under which an object has the value that it stands for.
const VALUES: [&str; 15] = [
    "value",
    "values",
    "e164",
    "full",
    "number",
    "phone",
    "phone_number",
    "email",
    "email_address",
    "address",
    "answer",
    "string_value",
    "formatted",
    "raw_value",
    "text",
];

/// The texts of a value, the primary ones first: a text, a list of them, or
/// objects such as `{"value": "...", "primary": true}`.
pub(super) fn texts(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    collect(node, 0, &mut |part| match part {
        Part::Text(text) => found.push(text.to_owned()),
        Part::Object(_) => {}
    });
    found.truncate(MAX_TEXTS);
    found
}

/// The e-mail addresses of a value, also by their kind: `{"work": "..."}`.
pub(super) fn emails(node: &Node) -> Vec<String> {
    let found = texts(node);
    if found.is_empty() { by_kind(node, |text| text.contains('@')) } else { found }
}

/// The phone numbers of a value, each with the country that is said beside it.
pub(super) fn phones(node: &Node) -> Vec<(String, Option<CallingCode>)> {
    let mut found = Vec::new();
    collect(node, 0, &mut |part| match part {
        Part::Text(text) => found.push((text.to_owned(), None)),
        Part::Object(object) => found.extend(phone_in_parts(object)),
    });
    if found.is_empty() {
        let is_number = |text: &str| text.bytes().filter(u8::is_ascii_digit).count() >= MAX_SUBSCRIBER;
        found.extend(by_kind(node, is_number).into_iter().map(|text| (text, None)));
    }
    found.truncate(MAX_TEXTS);
    found
}

/// The texts of an object whose keys say of which kind they are, mobile phones first.
fn by_kind(node: &Node, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let rank = |key: &str| match meaning(key) {
        Some(Field::Phone(rank) | Field::Email(rank)) => rank,
        Some(_) | None => 2,
    };
    let mut found: Vec<(u8, String)> = Vec::new();
    for (key, value) in node.entries().iter().take(MAX_TEXTS) {
        found.extend(texts(value).into_iter().filter(|text| is_one(text)).map(|text| (rank(key), text)));
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, text)| text).collect()
}

/// What a value is made of.
enum Part<'n> {
    Text(&'n str),
    /// A phone number in parts.
    Object(&'n Node),
}

fn collect<'n>(node: &'n Node, depth: u8, take: &mut dyn FnMut(Part<'n>)) {
    if depth > MAX_DEPTH || node.is_blank() {
        return;
    }
    match node {
        Node::Text(text) | Node::Number(text) => take(Part::Text(text.trim())),
        Node::List(items) => {
            let (primary, others): (Vec<&Node>, Vec<&Node>) = items.iter().partition(|item| is_primary(item));
            let items = primary.into_iter().chain(others).take(MAX_TEXTS);
            items.for_each(|item| collect(item, depth + 1, take));
        }
        Node::Map(_) if phone_in_parts(node).is_some() => take(Part::Object(node)),
        Node::Map(_) => match VALUES.iter().find_map(|key| node.get(key)) {
            Some(value) => collect(value, depth + 1, take),
            // A list that came as a form: phone[0]=...
            None => {
                let indexed =
                    node.entries().iter().filter(|(key, _)| key.bytes().all(|b| b.is_ascii_digit()));
                indexed.take(MAX_TEXTS).for_each(|(_, value)| collect(value, depth + 1, take));
            }
        },
        Node::Null | Node::Bool(_) => {}
    }
}

/// `{"country_code": "39", "number": "3391234567"}`, `{"area": "347", "phone": "5550120"}`.
fn phone_in_parts(object: &Node) -> Option<(String, Option<CallingCode>)> {
    const WHOLE: [&str; 6] =
        ["full", "e164", "e164_phone", "e164Phone", "international", "international_number"];
    const COUNTRIES: [&str; 11] = [
        "country_code",
        "countryCode",
        "dial_code",
        "dialCode",
        "calling_code",
        "callingCode",
        "phone_country_code",
        "country_prefix",
        "countryPrefix",
        "isd",
        "country",
    ];
    const NUMBERS: [&str; 12] = [
        "number",
        "phone",
        "phone_number",
        "phoneNumber",
        "national_number",
        "nationalNumber",
        "local",
        "numero",
        "telefono",
        "subscriber",
        "line",
        "value",
    ];
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.text(key));
    if text(&WHOLE).is_some() {
        return None;
    }
    let number =
        text(&NUMBERS).filter(|text| !text.contains('@') && text.bytes().any(|b| b.is_ascii_digit()))?;
    let beside = [
        (Beside::Area, text(&["area", "area_code", "areaCode"])),
        (Beside::Country, text(&COUNTRIES)),
        (Beside::Prefix, text(&["prefix", "prefisso", "code"])),
    ];
    let beside: Vec<(Beside, &str)> =
        beside.into_iter().filter_map(|(kind, text)| Some((kind, text?))).collect();
    (!beside.is_empty()).then(|| with_prefixes(number, &beside))
}

/// Whether an object is a phone number by its keys: `{"area": "347", "phone": "5550120"}`,
/// `{"full": "(347) 555-0120"}`.
pub(super) fn is_phone(object: &Node) -> bool {
    const CODES: [&str; 8] =
        ["area", "area_code", "areaCode", "country", "country_code", "countryCode", "dial_code", "dialCode"];
    const NUMBERS: [&str; 5] = ["phone", "phone_number", "phoneNumber", "national_number", "nationalNumber"];
    let has = |keys: &[&str]| keys.iter().any(|key| object.text(key).is_some());
    let whole = object.text("full").is_some_and(|text| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        digits >= MAX_SUBSCRIBER && !text.chars().any(char::is_alphabetic)
    });
    // An address has more than its phone number.
    let is_part = |key: &str| key == "full" || CODES.contains(&key) || NUMBERS.contains(&key);
    let is_only = object.entries().iter().all(|(key, _)| is_part(key));
    is_only && (whole || (has(&CODES) && has(&NUMBERS)))
}

/// A number with what is said beside it.
pub(super) fn with_prefixes(number: &str, beside: &[(Beside, &str)]) -> (String, Option<CallingCode>) {
    let (mut text, mut home, mut has_area) = (number.trim().to_owned(), None, false);
    if text.starts_with('+') || text.starts_with("00") {
        return (text, None);
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    for (kind, prefix) in beside {
        let prefix = prefix.trim();
        let says_country = prefix.starts_with('+') || prefix.starts_with("00");
        let code = calling_code(prefix).filter(|_| match kind {
            Beside::Country => true,
            Beside::Area => says_country,
            Beside::Prefix => says_country || digits(&text) > MAX_SUBSCRIBER,
        });
        let is_area = (1..=5).contains(&digits(prefix)) && prefix.len() <= 8;
        let needs_area = !has_area && (MIN_SUBSCRIBER..=10).contains(&digits(&text));
        match code {
            Some(code) => home = home.or(Some(code)),
            None if is_area && needs_area && *kind != Beside::Country => {
                text = format!("{prefix} {text}");
                has_area = true;
            }
            None => {}
        }
    }
    (text, home)
}

/// `39`, `+39`, `0039`, `IT`, `Italy`, `IT +39`.
pub(super) fn calling_code(text: &str) -> Option<CallingCode> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return CallingCode::of_country(text);
    }
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    let plain = text.chars().all(|c| c.is_ascii_digit() || c == '+' || c == ' ' || c == '(' || c == ')');
    let named = text.contains('+');
    (digits.len() <= 3 && (plain || named)).then(|| CallingCode::parse(digits).ok())?
}

/// A text that can be somebody's name, also out of `{"first": ..., "last": ...}`.
pub(super) fn name_of(value: &Node) -> Option<String> {
    let parts = match value {
        Node::Map(_) if value.at("value").is_some_and(Node::is_map) => return name_of(value.at("value")?),
        Node::Map(entries) if value.get("value").is_none() => {
            let (mut first, mut last, mut full) = (None, None, None);
            for (key, value) in entries {
                let field = meaning(key);
                let slot = match () {
                    () if matches!(field, Some(Field::FirstName | Field::Vorname)) => &mut first,
                    () if field == Some(Field::LastName) => &mut last,
                    () if matches!(field, Some(Field::Name | Field::FullName)) => &mut full,
                    () => continue,
                };
                *slot = slot.take().or_else(|| clean_name(texts(value).first()?));
            }
            let whole = || clean_name(texts(value).first()?);
            return joined(Names { first, last, full, name_is_last: false }).or_else(whole);
        }
        // First and last name as the answers of one field.
        Node::List(items) if (2..=4).contains(&items.len()) => texts(value).join(" "),
        Node::Map(_) | Node::List(_) | Node::Text(_) | Node::Number(_) => texts(value).into_iter().next()?,
        Node::Null | Node::Bool(_) => return None,
    };
    clean_name(&parts)
}

/// The parts of a name.
#[derive(Default)]
pub(super) struct Names {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) full: Option<String>,
    /// A `name` beside a first name is the last name.
    pub(super) name_is_last: bool,
}

/// First and last name; with `name` beside a last name alone, `name` is the first.
pub(super) fn joined(names: Names) -> Option<String> {
    let Names { first, last, full, name_is_last } = names;
    match (first, last, full) {
        (Some(first), Some(last), _) => Some(format!("{first} {last}")),
        (None, Some(last), Some(full)) if !full.contains(&last) => Some(format!("{full} {last}")),
        (None, Some(_), Some(full)) => Some(full),
        (Some(first), None, Some(full)) if full.contains(&first) => Some(full),
        (Some(first), None, Some(full)) if name_is_last => Some(format!("{first} {full}")),
        (first, last, full) => first.or(last).or(full),
    }
}

/// Not a number, an address, an order's `#1001`, an event's `contact.created` or a
/// template that was not filled.
fn clean_name(text: &str) -> Option<String> {
    let name = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    let name = name.collect::<Vec<_>>().join(" ");
    let machine = !name.contains(' ')
        && name.contains(['.', '_', '/', ':'])
        && name.chars().all(|c| !c.is_alphabetic() || c.is_lowercase());
    let odd = name.starts_with('#') || name.contains(['@', '{', '}', '<', '>']) || name.contains("://");
    (name.chars().any(char::is_alphabetic) && !odd && !machine).then_some(name)
}

fn is_primary(node: &Node) -> bool {
    ["primary", "is_primary", "isPrimary", "default"].iter().any(|key| match node.get(key) {
        Some(Node::Bool(yes)) => *yes,
        Some(Node::Number(text) | Node::Text(text)) => text == "1" || text == "true",
        Some(Node::Null | Node::List(_) | Node::Map(_)) | None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_all_shapes() {
        for (json, want) in [
            (r#""a""#, vec!["a"]),
            ("391234567", vec!["391234567"]),
            (r#"[{"value": "a", "primary": false}, {"value": "b", "primary": true}]"#, vec!["b", "a"]),
            (r#"{"value": {"value": "a"}}"#, vec!["a"]),
            (r#"[" a ", null, "NULL", ["b"]]"#, vec!["a", "b"]),
            (r#"{"0": {"value": "a"}, "1": "b"}"#, vec!["a", "b"]),
            (r#"{"label": "work"}"#, vec![]),
            ("true", vec![]),
        ] {
            let node = Node::parse(json).unwrap();
            assert_eq!(texts(&node), want, "{json}");
        }
    }

    #[test]
    fn phone_numbers_in_parts() {
        for (json, text, home) in [
            (r#"{"countryCode": "+39", "number": "3391234567"}"#, "3391234567", Some(39)),
            (r#"{"countryCode": "IT", "number": "3391234567"}"#, "3391234567", Some(39)),
            (r#"{"country_code": "44", "phone": "07700 900123"}"#, "07700 900123", Some(44)),
            (r#"{"country_code": "39", "number": "0612345"}"#, "0612345", Some(39)),
            (r#"{"dialCode": "0039", "phoneNumber": "339 1234567"}"#, "339 1234567", Some(39)),
            (r#"{"prefix": "39", "number": "3391234567"}"#, "3391234567", Some(39)),
            (r#"{"prefix": "347", "number": "1234567"}"#, "347 1234567", None),
            (r#"{"prefix": "212", "number": "5550123"}"#, "212 5550123", None),
            (r#"{"area": "347", "phone": "3421234"}"#, "347 3421234", None),
            (r#"{"area": "39", "phone": "3473421234"}"#, "39 3473421234", None),
            (r#"{"area": "212", "phone": "555-0123", "country": "US"}"#, "212 555-0123", Some(1)),
            (r#"{"country": "39", "area": "347", "phone": "3421234"}"#, "347 3421234", Some(39)),
            (r#"{"area": "39", "prefix": "39", "number": "12"}"#, "12", None),
            (r#"{"full": "+39 347 3421234", "area": "1"}"#, "+39 347 3421234", None),
            (r#"{"code": "39", "number": "+44 7700 900123"}"#, "+44 7700 900123", None),
            (r#"[{"prefix": "+39", "number": "3391234567"}]"#, "3391234567", Some(39)),
            (r#"{"value": {"prefix": "+39", "number": "3391234567"}}"#, "3391234567", Some(39)),
        ] {
            let found = phones(&Node::parse(json).unwrap());
            assert_eq!(
                found,
                [(text.to_owned(), home.map(|code: u16| CallingCode::parse(&code.to_string()).unwrap()))],
                "{json}"
            );
        }
    }

    #[test]
    fn names_in_all_shapes() {
        for (json, want) in [
            (r#"{"first": "Ivo", "last": "Uno"}"#, Some("Ivo Uno")),
            (r#"{"prefix": "Mr", "firstName": "Ivo", "lastName": "Uno"}"#, Some("Ivo Uno")),
            (r#"{"value": "Ivo Uno"}"#, Some("Ivo Uno")),
            (r#"{"label": "your_name", "value": {"firstName": "Ivo", "lastName": "Uno"}}"#, Some("Ivo Uno")),
            (r#"["Ivo Uno"]"#, Some("Ivo Uno")),
            (r#"["Ivo", "Uno"]"#, Some("Ivo Uno")),
            (r#"{"full": "Ivo Uno", "first": "Ivo"}"#, Some("Ivo Uno")),
            (r##""#1001""##, None),
            ("true", None),
            ("{}", None),
        ] {
            assert_eq!(name_of(&Node::parse(json).unwrap()).as_deref(), want, "{json}");
        }
    }
}
