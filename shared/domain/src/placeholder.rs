//! Placeholders in texts and template parameters: `{{name}}`, `{{phone}}`,
//! `{{email}}`, `{{metadata.key}}`, each with an optional `|fallback`.

use crate::contact::Contact;

/// A text with its placeholders found. Values are never expanded again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field { field: Field, fallback: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Name,
    FirstName,
    LastName,
    Phone,
    Email,
    Metadata(String),
    /// One of the caller's own.
    Other(String),
}

/// A pattern filled in for one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// Whether a placeholder had neither value nor fallback.
    pub missing: bool,
}

impl Pattern {
    /// Finds the placeholders. What is not one of them stays as it is written.
    pub fn parse(text: &str) -> Self {
        Self::parse_with(text, |_| false)
    }

    /// The same, with further placeholders: those whose names `is_other` knows.
    pub fn parse_with(text: &str, is_other: impl Fn(&str) -> bool) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let Some(length) = rest[start + 2..].find("}}") else { break };
            let inside = &rest[start + 2..start + 2 + length];
            let end = start + length + 4;
            match parse_field(inside, &is_other) {
                Some(piece) => {
                    push_text(&mut pieces, &rest[..start]);
                    pieces.push(piece);
                }
                None => push_text(&mut pieces, &rest[..end]),
            }
            rest = &rest[end..];
        }
        push_text(&mut pieces, rest);
        Self(pieces)
    }

    /// Whether the text is the same for everybody.
    pub fn is_constant(&self) -> bool {
        self.0.iter().all(|p| matches!(p, Piece::Text(_)))
    }

    /// Fills the pattern in for `contact`.
    pub fn fill(&self, contact: &Contact) -> Filled {
        self.fill_with(contact, |_| None)
    }

    /// The same, with the values of further placeholders.
    pub fn fill_with(&self, contact: &Contact, other: impl Fn(&str) -> Option<String>) -> Filled {
        self.fill_written(contact, other, |value| value)
    }

    /// The same, with each value as `write` writes it.
    pub fn fill_written(
        &self,
        contact: &Contact,
        other: impl Fn(&str) -> Option<String>,
        write: impl Fn(String) -> String,
    ) -> Filled {
        let mut filled = Filled { text: String::new(), missing: false };
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.text.push_str(text),
                Piece::Field { field, fallback } => {
                    let value = field.value(contact, &other);
                    let value = value.filter(|v| !v.trim().is_empty());
                    match value.or_else(|| fallback.clone()) {
                        Some(value) => filled.text.push_str(&write(value)),
                        None => filled.missing = true,
                    }
                }
            }
        }
        filled
    }
}

impl Field {
    fn value(&self, contact: &Contact, other: impl Fn(&str) -> Option<String>) -> Option<String> {
        match self {
            Self::Name => contact.name.clone(),
            Self::FirstName => Some(contact.split_name().0.to_owned()),
            Self::LastName => Some(contact.split_name().1.to_owned()),
            Self::Phone => contact.phone.as_ref().map(|p| p.as_str().to_owned()),
            Self::Email => contact.email.as_ref().map(|e| e.as_str().to_owned()),
            Self::Metadata(key) => {
                let value = contact.metadata.get(key).filter(|v| !v.is_null())?;
                Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            }
            Self::Other(name) => other(name),
        }
    }
}

fn parse_field(inside: &str, is_other: impl Fn(&str) -> bool) -> Option<Piece> {
    let (field, fallback) = match inside.split_once('|') {
        Some((field, fallback)) => (field, Some(fallback.trim().to_owned())),
        None => (inside, None),
    };
    let field = match field.trim() {
        "name" => Field::Name,
        "first_name" => Field::FirstName,
        "last_name" => Field::LastName,
        "phone" => Field::Phone,
        "email" => Field::Email,
        other if is_other(other) => Field::Other(other.to_owned()),
        other => Field::Metadata(other.strip_prefix("metadata.").filter(|k| !k.is_empty())?.to_owned()),
    };
    Some(Piece::Field { field, fallback })
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        Some(Piece::Field { .. }) | None => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// One line with single spaces: what Meta takes as a template parameter.
pub fn as_parameter(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::ContactId;

    fn mario() -> Contact {
        let mut contact = Contact::empty(ContactId(1), Timestamp::UNIX_EPOCH);
        contact.name = Some("Mario {{email}} Rossi".to_owned());
        contact.phone = "+393391234567".parse().ok();
        contact.metadata.insert("city".to_owned(), "Roma".into());
        contact.metadata.insert("points".to_owned(), 7.into());
        contact
    }

    #[test]
    fn fills_values_and_fallbacks_once() {
        for (text, want, missing) in [
            ("Ciao {{name}}!", "Ciao Mario {{email}} Rossi!", false),
            ("{{ first_name }} {{metadata.city}} {{metadata.points}}", "Mario Roma 7", false),
            ("{{email}}", "", true),
            ("{{email|you}}", "you", false),
            ("{{1}} {{nome}} {{metadata.}} {{name", "{{1}} {{nome}} {{metadata.}} {{name", false),
            ("{{phone}}", "+393391234567", false),
        ] {
            let filled = Pattern::parse(text).fill(&mario());
            assert_eq!((filled.text.as_str(), filled.missing), (want, missing), "{text}");
        }
    }

    #[test]
    fn parameters_are_one_line() {
        assert_eq!(as_parameter(" a\n\tb     c "), "a b c");
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_constant_text(text in "[a-z{}| \\u{e8}]{0,40}") {
            let pattern = Pattern::parse(&text);
            let filled = pattern.fill(&mario());
            if pattern.is_constant() {
                prop_assert_eq!(filled.text, text);
            }
        }
    }
}
