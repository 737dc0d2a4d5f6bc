//! A template with what a campaign gives for it: what is the same for everybody is there,
//! what has placeholders is filled in from the texts that were frozen for each recipient.

mod fit;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Params, Template};
use crate::Invalid;
use crate::campaign::check_url;
use crate::media::MediaKind;
use crate::message::MediaSource;
use crate::placeholder::{Filled, Pattern, as_parameter};

/// Longest code of a coupon, in characters.
const MAX_CODE: usize = 15;

/// A template that a campaign fills for each recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Filling {
    texts: Vec<FilledText>,
    files: Vec<TemplateFile>,
    components: Vec<Node>,
    expires: Option<Expiry>,
}

/// A text that is filled in for each recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledText {
    /// The text with its placeholders.
    pub pattern: Pattern,
    kind: TextKind,
}

/// A file of a template's header or of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFile {
    /// What kind of file.
    pub kind: MediaKind,
    /// Where it is.
    pub url: String,
    /// Whose it is, as people read it.
    pub of: String,
}

/// What a text has to be, once it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextKind {
    /// One line that is not empty.
    Line,
    /// A coupon's code, which may have 15 characters (Meta, «Coupon code templates»).
    Code,
    /// Anything.
    Any,
    /// Degrees up to so many.
    Degrees(u8),
    /// A time.
    Time,
    /// An address of the web.
    Link,
}

/// A part of Meta's `components`.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Fixed(Value),
    /// One of the texts.
    Text(usize),
    /// One of the texts, which is a number.
    Number(usize),
    /// One of the files.
    File(usize),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    At(i64),
    Text(usize),
}

impl FilledText {
    /// The text as it is sent, or the word for why it cannot be.
    ///
    /// # Errors
    /// `missing_parameter` when it is empty, `invalid_parameter` when it is not what it
    /// has to be.
    pub fn freeze(&self, filled: &Filled) -> Result<String, &'static str> {
        match self.kind.freeze(&filled.text) {
            Ok(_) if filled.missing => Err("missing_parameter"),
            Err(_) if filled.missing || filled.text.trim().is_empty() => Err("missing_parameter"),
            Err(_) => Err("invalid_parameter"),
            Ok(text) => Ok(text),
        }
    }
}

impl TextKind {
    /// The text as it is sent, or what it has to be.
    fn freeze(self, text: &str) -> Result<String, String> {
        let line = as_parameter(text);
        match self {
            Self::Line if line.is_empty() => Err("a text".to_owned()),
            Self::Line => Ok(line),
            Self::Code if line.is_empty() => Err("a code".to_owned()),
            Self::Code => {
                let fits = line.chars().count() <= MAX_CODE;
                fits.then_some(line).ok_or_else(|| format!("a code of at most {MAX_CODE} characters"))
            }
            Self::Any => Ok(text.to_owned()),
            Self::Degrees(most) => {
                let fits = line.parse().is_ok_and(|degrees: f64| degrees.abs() <= f64::from(most));
                let wanted = || format!("a number from -{most} to {most}");
                fits.then_some(line).ok_or_else(wanted)
            }
            Self::Time => {
                let wanted =
                    || "a time such as 2027-03-01T09:00:00+01:00, or milliseconds since 1970".to_owned();
                time_ms(&line).map(|ms| ms.to_string()).ok_or_else(wanted)
            }
            Self::Link => check_url(&line).map(|()| line).map_err(|_| "an http or https URL".to_owned()),
        }
    }
}

fn time_ms(text: &str) -> Option<i64> {
    let time = text.parse().ok().map(|time: Timestamp| time.as_millisecond());
    time.or_else(|| text.parse().ok())
}

impl Filling {
    /// Fits what was given to a template; `media_url` is the file of its header.
    ///
    /// # Errors
    /// What is missing, wrong or cannot be filled by anybody here, each with the field that
    /// it is about.
    pub fn of(template: &Template, params: &Params, media_url: Option<&str>) -> Result<Self, Vec<Invalid>> {
        fit::fit(template, params, media_url)
    }

    /// The texts that are filled in for each recipient, in the order in which they are kept.
    pub fn texts(&self) -> &[FilledText] {
        &self.texts
    }

    /// The files that it needs, in the order of their sources.
    pub fn files(&self) -> &[TemplateFile] {
        &self.files
    }

    /// When the limited-time offer of a recipient ends, in milliseconds since 1970.
    pub fn expires_ms(&self, texts: &[String]) -> Option<i64> {
        match self.expires? {
            Expiry::At(ms) => Some(ms),
            Expiry::Text(index) => texts.get(index).and_then(|text| time_ms(text)),
        }
    }

    /// When the limited-time offer ends for everybody, in milliseconds since 1970.
    pub fn expires_for_all_ms(&self) -> Option<i64> {
        self.expires_ms(&[])
    }

    /// Meta's `components` for one recipient.
    pub fn components(&self, texts: &[String], sources: &[MediaSource]) -> Vec<Value> {
        self.components.iter().map(|node| node.value(texts, sources)).collect()
    }
}

impl Node {
    fn value(&self, texts: &[String], sources: &[MediaSource]) -> Value {
        let text = |index: &usize| texts.get(*index).map_or("", String::as_str);
        match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(index) => text(index).into(),
            Self::Number(index) => serde_json::from_str(text(index)).unwrap_or_else(|_| text(index).into()),
            Self::File(index) => match sources.get(*index) {
                Some(MediaSource::Link(link)) => json!({"link": link}),
                Some(MediaSource::Id(id)) => json!({"id": id}),
                None => Value::Null,
            },
            Self::List(items) => items.iter().map(|item| item.value(texts, sources)).collect(),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, node)| (name.clone(), node.value(texts, sources)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    fn of(text: &str) -> Self {
        Self::Fixed(text.into())
    }
}

fn object<const N: usize>(fields: [(&str, Node); N]) -> Node {
    Node::Object(fields.map(|(name, node)| (name.to_owned(), node)).into())
}
