//! Reading parameters: generous in form, exact in what is refused and why.

use domain::message::{Address, is_bsuid};
use domain::phone::{LeftOut, Reading};
use domain::text::mend_surrogates;
use domain::{CallingCode, Invalid, PhoneNumber};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::input::Upload;

type Result<T> = std::result::Result<T, Invalid>;

/// The parameters of a request, or of one row in it. Only the types that list them
/// ([`crate::request!`]) read them.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    params: &'a Map<String, Value>,
    files: &'a [Upload],
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields(***)")
    }
}

impl<'a> From<&'a Map<String, Value>> for Fields<'a> {
    fn from(params: &'a Map<String, Value>) -> Self {
        Self { params, files: &[] }
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn new(params: &'a Map<String, Value>, files: &'a [Upload]) -> Self {
        Self { params, files }
    }

    pub(crate) fn params(self) -> &'a Map<String, Value> {
        self.params
    }

    /// The parameter of these names, under the one that the caller uses; the first of
    /// them when none is given.
    pub(crate) fn parameter(self, names: &'static [&'static str]) -> Parameter<'a> {
        let of = |name| self.parameter_of(name);
        let canonical = names.first().copied().unwrap_or_default();
        let is_there = |parameter: &Parameter<'_>| parameter.filled().is_some() || parameter.file().is_some();
        let used = names.iter().map(|name| of(*name)).find(is_there);
        Parameter { canonical, ..used.unwrap_or_else(|| of(canonical)) }
    }

    /// The parameter of one name.
    pub(crate) fn parameter_of(self, name: &'static str) -> Parameter<'a> {
        let value = self.params.get(name).filter(|value| !value.is_null());
        Parameter { name, canonical: name, value, files: self.files, others: self.params }
    }
}

/// One parameter, as it came.
///
/// Null means absent, and so does a blank text. Numbers stand for texts and
/// texts for numbers; what cannot be read names its field.
#[derive(Clone, Copy)]
pub struct Parameter<'a> {
    name: &'static str,
    canonical: &'static str,
    value: Option<&'a Value>,
    files: &'a [Upload],
    /// All parameters of the request or row.
    others: &'a Map<String, Value>,
}

impl std::fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parameter").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Parameter<'a> {
    /// The name that the caller uses.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The name that the document uses.
    pub fn canonical(self) -> &'static str {
        self.canonical
    }

    /// The value, unless it is null.
    pub fn value(self) -> Option<&'a Value> {
        self.value
    }

    /// The file that the parameter carries.
    pub fn file(self) -> Option<&'a Upload> {
        self.files.iter().find(|file| file.field == self.name)
    }

    /// The parameters whose names begin as this one's does up to its `*`, with what stands
    /// there: clients make up the rest of such names.
    pub fn with_prefix(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let prefix = self.name.trim_end_matches('*');
        let others = self.others.iter().filter(|(_, value)| !value.is_null());
        others.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
    }

    /// The value, unless it is null or a blank text.
    fn filled(self) -> Option<&'a Value> {
        self.value.filter(|value| !is_blank(value))
    }

    fn wrong<T>(self, rule: &str) -> Result<T> {
        Err(Invalid::new(self.name, format!("{} {rule}", self.name)))
    }

    /// A text.
    ///
    /// # Errors
    /// Names the field when it is neither a text nor a number.
    pub fn text(self) -> Result<Option<String>> {
        match self.filled() {
            Some(value) => match text_of(value) {
                Some(text) => Ok(Some(text)),
                None => self.wrong("must be a string"),
            },
            None => Ok(None),
        }
    }

    /// A whole number, not negative.
    ///
    /// # Errors
    /// Names the field.
    pub fn integer(self) -> Result<Option<u64>> {
        let Some(value) = self.filled() else { return Ok(None) };
        match text_of(value).and_then(|text| text.trim().parse().ok()) {
            Some(number) => Ok(Some(number)),
            None => self.wrong("must be a positive integer"),
        }
    }

    /// A time in RFC 3339. A space before the offset is a `+` that nobody escaped.
    ///
    /// # Errors
    /// Names the field.
    pub fn time(self) -> Result<Option<Timestamp>> {
        let Some(text) = self.text()? else { return Ok(None) };
        let text = text.trim();
        match text.parse().or_else(|_| text.replace(' ', "+").parse()) {
            Ok(time) => Ok(Some(time)),
            Err(_) => self.wrong("must be a time such as 2026-07-01T08:00:00Z"),
        }
    }

    /// A switch: `1`, `true`, `yes`, `on` and empty are on.
    ///
    /// # Errors
    /// Names the field.
    pub fn switch(self) -> Result<Option<bool>> {
        let text = match self.value {
            None => return Ok(None),
            Some(Value::Bool(value)) => return Ok(Some(*value)),
            Some(value) => text_of(value),
        };
        match text.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            Some("" | "1" | "true" | "yes" | "on") => Ok(Some(true)),
            Some("0" | "false" | "no" | "off") => Ok(Some(false)),
            Some(_) | None => self.wrong("must be true or false"),
        }
    }

    /// A list of texts: an array, or one text with commas.
    ///
    /// # Errors
    /// Names the field.
    pub fn list(self) -> Result<Option<Vec<String>>> {
        let wrong = || self.wrong("must be an array of strings or a comma-separated string");
        let Some(value) = self.value else { return Ok(None) };
        let items = match embedded(value, '[') {
            Some(Value::Array(items)) => items,
            Some(_) | None => {
                let Some(text) = text_of(value) else { return wrong() };
                let items = text.split(',').map(|item| item.trim().to_owned());
                return Ok(Some(items.filter(|item| !item.is_empty()).collect()));
            }
        };
        let texts = items.iter().filter(|item| !item.is_null()).map(text_of);
        texts.collect::<Option<_>>().map_or_else(wrong, |texts| Ok(Some(texts)))
    }

    /// An array of anything, also as JSON text.
    ///
    /// # Errors
    /// Names the field.
    pub fn array(self) -> Result<Option<Vec<Value>>> {
        let Some(value) = self.filled() else { return Ok(None) };
        match embedded(value, '[') {
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) | None => self.wrong("must be an array"),
        }
    }

    /// An object, also as JSON text.
    ///
    /// # Errors
    /// Names the field.
    pub fn object(self) -> Result<Option<Map<String, Value>>> {
        let Some(value) = self.filled() else { return Ok(None) };
        match embedded(value, '{') {
            Some(Value::Object(object)) => Ok(Some(object)),
            // How PHP writes an object without members.
            Some(Value::Array(items)) if items.is_empty() => Ok(Some(Map::new())),
            Some(_) | None => self.wrong("must be an object"),
        }
    }
}

/// A phone number as it was written: whose country it is without a code, only the
/// account tells.
#[derive(Clone)]
pub struct PhoneText {
    name: &'static str,
    text: String,
}

impl std::fmt::Debug for PhoneText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneText(***)")
    }
}

impl PhoneText {
    pub(crate) fn new(parameter: Parameter<'_>) -> Result<Option<Self>> {
        let name = parameter.name;
        // A fraction or exponent is what a spreadsheet made of a number: it is not ours to
        // say which digits it had.
        if let Some(Value::Number(number)) = parameter.value()
            && number.is_f64()
        {
            return Ok(Some(Self { name, text: number.to_string() }));
        }
        Ok(parameter.text()?.map(|text| Self { name, text }))
    }

    /// Whether it may be of the country that the caller is at home in: it names none.
    pub fn may_be_national(&self) -> bool {
        !self.text.trim_start().starts_with('+') && !is_bsuid(self.text.trim())
    }

    /// The number, of `country` when it is written without a code. A leading space is a
    /// `+` that nobody escaped.
    ///
    /// # Errors
    /// Names the field.
    pub fn parse(self, country: Option<CallingCode>) -> Result<PhoneNumber> {
        Ok(self.read(country)?.number)
    }

    /// The number, and what of the text was left out.
    ///
    /// # Errors
    /// Names the field.
    pub fn read(self, country: Option<CallingCode>) -> Result<Reading> {
        let Self { name, text } = self;
        let text = match text.strip_prefix(' ') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => format!("+{rest}"),
            Some(_) | None => text,
        };
        PhoneNumber::read(&text, country).map_err(|invalid| {
            let message = invalid.message.strip_prefix("phone").map(|rest| format!("{name}{rest}"));
            Invalid::new(name, message.unwrap_or(invalid.message))
        })
    }

    /// Whom a message goes to: a number, or the user id of somebody who hides theirs; and
    /// what of the text was left out.
    ///
    /// # Errors
    /// Names the field.
    pub fn recipient(self, country: Option<CallingCode>) -> Result<(Address, Option<LeftOut>)> {
        if is_bsuid(self.text.trim()) {
            return Ok((Address::Bsuid(self.text.trim().to_owned()), None));
        }
        let Reading { number, left_out } = self.read(country)?;
        Ok((Address::Phone(number), left_out))
    }
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// A text, or a number as a person would write it.
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                Some(format!("{float:.0}"))
            }
            Some(_) | None => Some(number.to_string()),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The value itself, or what a text that begins with `open` holds as JSON.
fn embedded(value: &Value, open: char) -> Option<Value> {
    match value {
        Value::String(text) if text.trim_start().starts_with(open) => {
            serde_json::from_slice(&mend_surrogates(text.as_bytes())).ok()
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => None,
        Value::Array(_) | Value::Object(_) => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    /// Reads a parameter of one name.
    macro_rules! read {
        ($map:expr, $name:literal) => {
            Fields::from(&$map).parameter(&[$name])
        };
    }

    #[test]
    fn texts_and_numbers_stand_for_each_other() {
        let map =
            map(json!({"a": 12, "b": "7", "c": null, "d": " ", "e": [1], "f": 3.93391234567e11, "g": true}));
        assert_eq!(read!(map, "a").text().unwrap().as_deref(), Some("12"));
        assert_eq!(read!(map, "b").integer().unwrap(), Some(7));
        assert_eq!((read!(map, "c").text().unwrap(), read!(map, "d").text().unwrap()), (None, None));
        assert_eq!(read!(map, "e").text().unwrap_err().message, "e must be a string");
        assert_eq!(read!(map, "f").text().unwrap().as_deref(), Some("393391234567"));
        assert!(read!(map, "g").text().is_err() && read!(map, "e").integer().is_err());
    }

    #[test]
    fn times_need_an_offset() {
        let map = map(json!({
            "a": "2026-07-01T10:00:00+02:00", "b": "2026-07-01T10:00:00 02:00", "c": "2026-07-01", "d": "", "e": 1,
        }));
        let want: Timestamp = "2026-07-01T08:00:00Z".parse().unwrap();
        assert_eq!(
            (read!(map, "a").time().unwrap(), read!(map, "b").time().unwrap()),
            (Some(want), Some(want))
        );
        assert_eq!(read!(map, "d").time().unwrap(), None);
        assert_eq!(read!(map, "c").time().unwrap_err().field, "c");
        assert!(read!(map, "e").time().is_err());
    }

    #[test]
    fn switches() {
        for (value, want) in [
            (json!(1), Some(true)),
            (json!("yes"), Some(true)),
            (json!(""), Some(true)),
            (json!(true), Some(true)),
            (json!("0"), Some(false)),
            (json!("FALSE"), Some(false)),
            (json!(null), None),
        ] {
            let map = map(json!({"s": value}));
            assert_eq!(read!(map, "s").switch().unwrap(), want, "{map:?}");
        }
        assert!(read!(map(json!({"s": "maybe"})), "s").switch().is_err());
        assert!(read!(map(json!({"s": {}})), "s").switch().is_err());
    }

    #[test]
    fn lists_and_objects_come_in_several_forms() {
        let map = map(
            json!({"a": ["x", 1, null], "b": "x, y,,", "c": "[\"x\"]", "d": [{}], "e": "{\"k\": 1}", "f": []}),
        );
        assert_eq!(read!(map, "a").list().unwrap().unwrap(), ["x", "1"]);
        assert_eq!(read!(map, "b").list().unwrap().unwrap(), ["x", "y"]);
        assert_eq!(read!(map, "c").list().unwrap().unwrap(), ["x"]);
        assert_eq!(read!(map, "d").list().unwrap_err().field, "d");
        assert_eq!(read!(map, "e").object().unwrap().unwrap().len(), 1);
        assert!(read!(map, "f").object().unwrap().unwrap().is_empty());
        assert!(read!(map, "a").object().is_err() && read!(map, "b").array().is_err());
    }

    #[test]
    fn phones_name_their_parameter() {
        let map = map(
            json!({"number": " 393391234567", "to": 919876543210u64, "bad": "12", "user": " IT.13491208655302741918 "}),
        );
        let phone = |parameter| PhoneText::new(parameter).unwrap().unwrap().parse(None);
        assert_eq!(phone(read!(map, "number")).unwrap().as_str(), "+393391234567");
        assert_eq!(phone(read!(map, "to")).unwrap().digits(), "919876543210");
        let recipient = PhoneText::new(read!(map, "user")).unwrap().unwrap().recipient(None).unwrap();
        assert_eq!(recipient.0, Address::Bsuid("IT.13491208655302741918".to_owned()));
        let error = phone(read!(map, "bad")).unwrap_err();
        assert_eq!(error.field, "bad");
        assert!(error.message.starts_with("bad must"));
    }

    #[test]
    fn a_parameter_has_the_name_that_is_used() {
        let map = map(json!({"phone": " ", "to": "1", "chat": null}));
        let fields = Fields::from(&map);
        assert_eq!(fields.parameter(&["phone", "chat", "to"]).name(), "to");
        assert_eq!(fields.parameter(&["phone", "mobile"]).name(), "phone");
        assert_eq!(fields.parameter(&["mobile", "phone"]).canonical(), "mobile");
    }
}
