//! What stands in the texts of a flow: the contact's fields, the run's variables, and what the
//! contact said last.

use std::cell::Cell;

use domain::contact::Contact;
use domain::placeholder::Pattern;
use domain::text::{fold, words};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::run::Run;

/// The placeholders of flows beside those of the contact.
const VARIABLE: &str = "vars.";
const REPLY: &str = "reply";

/// What stands in an address as it is (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longest text of values that is filled in, in bytes; what is beyond is left out.
const MAX_FILLED: usize = 64_000;

/// Fills a text in. What a contact said is never expanded again.
pub(crate) fn fill(text: &str, run: &Run, contact: &Contact) -> String {
    fill_written(text, run, contact, |value| value)
}

/// Fills an address in: no value becomes another path, parameter or host than it stands for.
pub(crate) fn fill_url(text: &str, run: &Run, contact: &Contact) -> String {
    fill_written(text, run, contact, |value| utf8_percent_encode(&value, UNRESERVED).to_string())
}

/// Fills in up to a length: a few placeholders of large variables could be anything.
fn fill_written(text: &str, run: &Run, contact: &Contact, write: impl Fn(String) -> String) -> String {
    let left = Cell::new(MAX_FILLED);
    let write = |value: String| {
        let value = write(value);
        let fits = value.len() <= left.get();
        left.set(left.get().saturating_sub(value.len()));
        if fits { value } else { String::new() }
    };
    let is_ours = |name: &str| name == REPLY || name.starts_with(VARIABLE);
    let value = |name: &str| match name.strip_prefix(VARIABLE) {
        Some(variable) => run.vars.get(variable).and_then(text_of),
        None => run.reply.as_ref().map(|reply| reply.text.clone()),
    };
    Pattern::parse_with(text, is_ours).fill_written(contact, value, write).text
}

/// A text for comparing: its words alone, so that neither case nor a full stop hides them.
pub(crate) fn plain(text: &str) -> String {
    words(&fold(text)).collect::<Vec<_>>().join(" ")
}

/// A value as a text; nothing for null, objects and lists.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Every text in a value, filled in.
pub(crate) fn fill_value(value: &Value, run: &Run, contact: &Contact) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, run, contact)),
        Value::Array(items) => items.iter().map(|item| fill_value(item, run, contact)).collect(),
        Value::Object(fields) => Value::Object(fill_map(fields, run, contact)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

pub(crate) fn fill_map(fields: &Map<String, Value>, run: &Run, contact: &Contact) -> Map<String, Value> {
    fields.iter().map(|(key, value)| (key.clone(), fill_value(value, run, contact))).collect()
}

#[cfg(test)]
mod tests {
    use domain::ContactId;
    use jiff::Timestamp;

    use super::*;
    use crate::Reply;

    #[test]
    fn texts_take_values_of_the_contact_and_of_the_run() {
        let mut contact = Contact::empty(ContactId(1), Timestamp::UNIX_EPOCH);
        contact.name = Some("Ada Neri".to_owned());
        let mut run = Run::new(1, "a", 0);
        run.vars.insert("day".to_owned(), "12/5 {{name}}".into());
        run.vars.insert("n".to_owned(), 3.into());
        run.reply = Some(Reply { text: "{{email}}".to_owned(), id: None, at_ms: 0 });
        for (text, want) in [
            ("{{first_name}}, {{vars.day}} x{{ vars.n }}", "Ada, 12/5 {{name}} x3"),
            ("{{reply}}|{{vars.no|none}}|{{vars.no}}|", "{{email}}|none||"),
            ("{{other}} {{", "{{other}} {{"),
        ] {
            assert_eq!(fill(text, &run, &contact), want);
        }
    }
}
