//! Whether an answer is one to its question.

use domain::{CallingCode, EmailAddress, PhoneNumber};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::definition::{Ask, AskKind, Choice};
use crate::run::Reply;
use crate::values::plain;

/// What an answer says, and the choice that it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered<'a> {
    pub(crate) value: Value,
    pub(crate) choice: Option<&'a Choice>,
}

/// Reads an answer. `country` completes numbers without a code; a date without a year is the
/// next one from `now` on.
pub(crate) fn read<'a>(
    ask: &'a Ask,
    reply: &Reply,
    country: Option<CallingCode>,
    now: Timestamp,
) -> Option<Answered<'a>> {
    let text = reply.text.trim();
    let plain = |value: Option<Value>| value.map(|value| Answered { value, choice: None });
    match ask.kind {
        AskKind::Text => plain(text.chars().any(char::is_alphanumeric).then(|| text.into())),
        AskKind::Number => plain(number(text)),
        AskKind::Email => plain(text.parse::<EmailAddress>().ok().map(|email| email.as_str().into())),
        AskKind::Phone => {
            let read = PhoneNumber::read_typed(text, country).ok();
            plain(read.map(|reading| reading.number.as_str().into()))
        }
        AskKind::Date => plain(date(text, now).map(|date| date.to_string().into())),
        AskKind::Choice => {
            let choice = chosen(&ask.choices, reply)?;
            Some(Answered { value: choice.id().into(), choice: Some(choice) })
        }
    }
}

/// What was tapped; or named by its title, its id or its place from 1.
fn chosen<'a>(choices: &'a [Choice], reply: &Reply) -> Option<&'a Choice> {
    if let Some(id) = &reply.id {
        return choices.iter().find(|choice| choice.id() == id);
    }
    let said = plain(&reply.text);
    let is_it = |choice: &&Choice| plain(&choice.title) == said || plain(choice.id()) == said;
    let named = choices.iter().find(is_it);
    named.or_else(|| choices.get(reply.text.trim().parse::<usize>().ok()?.checked_sub(1)?))
}

/// `12`, `-3`, `1.5`, `1,5`.
fn number(text: &str) -> Option<Value> {
    let text = text.replace(',', ".");
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// `2026-05-12`, `12/5`, `12.5.2026`, `12-05-26`: the day first, as everywhere but in the United
/// States, unless the month cannot be one.
fn date(text: &str, now: Timestamp) -> Option<Date> {
    if let Ok(date) = text.parse::<Date>() {
        return Some(date);
    }
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let parts: Vec<i16> = text
        .split(['/', '.', '-', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (first, second, year) = match parts[..] {
        [first, second] => (first, second, None),
        [first, second, year] => (first, second, Some(if year < 100 { year + 2_000 } else { year })),
        _ => return None,
    };
    let (day, month) = if second > 12 { (second, first) } else { (first, second) };
    let of = |year: i16| Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok();
    match year {
        Some(year) => of(year),
        // The 29th of February may be years away.
        None => (0..=8).filter_map(|ahead| of(today.year() + ahead)).find(|date| *date >= today),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(kind: &str, text: &str, id: Option<&str>) -> Option<Value> {
        let ask: Ask = serde_json::from_value(json!({
            "text": "?", "kind": kind,
            "choices": [{"id": "p", "title": "Prenotare"}, {"title": "Una persona"}],
        }))
        .unwrap();
        let reply = Reply { text: text.to_owned(), id: id.map(str::to_owned), at_ms: 0 };
        let now = "2026-11-26T10:00:00Z".parse().unwrap();
        read(&ask, &reply, CallingCode::parse("IT").ok(), now).map(|answered| answered.value)
    }

    #[test]
    fn answers_are_of_their_kind() {
        for (kind, text, want) in [
            ("text", " Via Roma 1 ", json!("Via Roma 1")),
            ("text", "\u{1f44d}", Value::Null),
            ("number", "12", json!(12)),
            ("number", "1,5", json!(1.5)),
            ("number", "due", Value::Null),
            ("email", "Ada@Example.com", json!("Ada@Example.com")),
            ("email", "ada", Value::Null),
            ("phone", "347 555 0120", json!("+393475550120")),
            ("phone", "12", Value::Null),
            ("date", "2026-12-24", json!("2026-12-24")),
            ("date", "24/12", json!("2026-12-24")),
            ("date", "12/24", json!("2026-12-24")),
            ("date", "5.1", json!("2027-01-05")),
            ("date", "29/2", json!("2028-02-29")),
            ("date", "12-5-27", json!("2027-05-12")),
            ("date", "31/2", Value::Null),
            ("date", "domani", Value::Null),
            ("choice", "prenotare!", json!("p")),
            ("choice", "P", json!("p")),
            ("choice", "2", json!("Una persona")),
            ("choice", "3", Value::Null),
            ("choice", "0", Value::Null),
        ] {
            assert_eq!(answered(kind, text, None).unwrap_or_default(), want, "{kind} {text}");
        }
        assert_eq!(answered("choice", "Prenotare", Some("p")), Some(json!("p")));
        assert_eq!(answered("choice", "Prenotare", Some("of another message")), None);
    }
}
