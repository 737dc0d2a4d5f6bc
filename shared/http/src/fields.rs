//! Reading parameters: generous in form, exact in what is refused and why.

use domain::sender::SenderId;
use domain::{CallingCode, Invalid, PhoneNumber};
use jiff::Timestamp;
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, Invalid>;

/// The parameters of a request, or of one row in it.
///
/// Null means absent, and so does a blank text. Numbers stand for texts and
/// texts for numbers; what cannot be read names its field.
#[derive(Clone, Copy)]
pub struct Fields<'a>(&'a Map<String, Value>);

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields(***)")
    }
}

impl<'a> From<&'a Map<String, Value>> for Fields<'a> {
    fn from(map: &'a Map<String, Value>) -> Self {
        Self(map)
    }
}

impl<'a> Fields<'a> {
    /// A parameter as it came.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Which of several names of one parameter the caller uses; the first of them
    /// when none is given.
    pub fn name_of(self, names: &[&'static str]) -> &'static str {
        let given = |name: &&&'static str| self.get(name).is_some_and(|v| !is_blank(v));
        names.iter().find(given).or(names.first()).copied().unwrap_or_default()
    }

    /// A text.
    ///
    /// # Errors
    /// Names the field when it is neither a text nor a number.
    pub fn text(self, name: &str) -> Result<Option<String>> {
        match self.get(name).filter(|value| !is_blank(value)) {
            Some(value) => match text_of(value) {
                Some(text) => Ok(Some(text)),
                None => Err(Invalid::new(name, format!("{name} must be a string"))),
            },
            None => Ok(None),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Names the field.
    pub fn required(self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A whole number, not negative.
    ///
    /// # Errors
    /// Names the field.
    pub fn integer(self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(name).filter(|value| !is_blank(value)) else { return Ok(None) };
        let number = text_of(value).and_then(|text| text.trim().parse().ok());
        number.map(Some).ok_or_else(|| Invalid::new(name, format!("{name} must be a positive integer")))
    }

    /// What a message leaves from, where the caller says: `sender`.
    ///
    /// # Errors
    /// Names the field.
    pub fn sender(self) -> Result<Option<SenderId>> {
        self.text("sender")?.map(|sender| sender.parse()).transpose()
    }

    /// A time in RFC 3339. A space before the offset is a `+` that nobody escaped.
    ///
    /// # Errors
    /// Names the field.
    pub fn time(self, name: &str) -> Result<Option<Timestamp>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let text = text.trim();
        let time = text.parse().or_else(|_| text.replace(' ', "+").parse());
        let wrong = format!("{name} must be a time such as 2026-07-01T08:00:00Z");
        time.map(Some).map_err(|_| Invalid::new(name, wrong))
    }

    /// A switch: `1`, `true`, `yes`, `on` and empty are on.
    ///
    /// # Errors
    /// Names the field.
    pub fn switch(self, name: &str) -> Result<Option<bool>> {
        let wrong = || Invalid::new(name, format!("{name} must be true or false"));
        let text = match self.get(name) {
            None => return Ok(None),
            Some(Value::Bool(value)) => return Ok(Some(*value)),
            Some(value) => text_of(value).ok_or_else(wrong)?,
        };
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "1" | "true" | "yes" | "on" => Ok(Some(true)),
            "0" | "false" | "no" | "off" => Ok(Some(false)),
            _ => Err(wrong()),
        }
    }

    /// A list of texts: an array, or one text with commas.
    ///
    /// # Errors
    /// Names the field.
    pub fn list(self, name: &str) -> Result<Option<Vec<String>>> {
        let wrong =
            || Invalid::new(name, format!("{name} must be an array of strings or a comma-separated string"));
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = match embedded(value, '[') {
            Some(Value::Array(items)) => items,
            Some(_) | None => {
                let text = text_of(value).ok_or_else(wrong)?;
                return Ok(Some(
                    text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect(),
                ));
            }
        };
        let present = items.iter().filter(|item| !item.is_null());
        present.map(|item| text_of(item).ok_or_else(wrong)).collect::<Result<_>>().map(Some)
    }

    /// An array of anything, also as JSON text.
    ///
    /// # Errors
    /// Names the field.
    pub fn array(self, name: &str) -> Result<Option<Vec<Value>>> {
        let Some(value) = self.get(name).filter(|value| !is_blank(value)) else { return Ok(None) };
        match embedded(value, '[') {
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) | None => Err(Invalid::new(name, format!("{name} must be an array"))),
        }
    }

    /// An object, also as JSON text.
    ///
    /// # Errors
    /// Names the field.
    pub fn object(self, name: &str) -> Result<Option<Map<String, Value>>> {
        let Some(value) = self.get(name).filter(|value| !is_blank(value)) else { return Ok(None) };
        match embedded(value, '{') {
            Some(Value::Object(object)) => Ok(Some(object)),
            // How PHP writes an object without members.
            Some(Value::Array(items)) if items.is_empty() => Ok(Some(Map::new())),
            Some(_) | None => Err(Invalid::new(name, format!("{name} must be an object"))),
        }
    }

    /// A phone number. A leading space is a `+` that nobody escaped.
    ///
    /// # Errors
    /// Names the field.
    pub fn phone(self, name: &str, country: Option<CallingCode>) -> Result<Option<PhoneNumber>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let text = match text.strip_prefix(' ') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => format!("+{rest}"),
            Some(_) | None => text,
        };
        PhoneNumber::parse(&text, country).map(Some).map_err(|invalid| {
            let message = invalid.message.strip_prefix("phone").map(|rest| format!("{name}{rest}"));
            Invalid::new(name, message.unwrap_or(invalid.message))
        })
    }

    /// A phone number that must be there.
    ///
    /// # Errors
    /// Names the field.
    pub fn required_phone(self, name: &str, country: Option<CallingCode>) -> Result<PhoneNumber> {
        self.phone(name, country)?.ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> Invalid {
    Invalid::new(name, format!("{name} is required"))
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
        Value::String(text) if text.trim_start().starts_with(open) => serde_json::from_str(text).ok(),
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

    #[test]
    fn texts_and_numbers_stand_for_each_other() {
        let map =
            map(json!({"a": 12, "b": "7", "c": null, "d": " ", "e": [1], "f": 3.93391234567e11, "g": true}));
        let fields = Fields::from(&map);
        assert_eq!(fields.text("a").unwrap().as_deref(), Some("12"));
        assert_eq!(fields.integer("b").unwrap(), Some(7));
        assert_eq!((fields.text("c").unwrap(), fields.text("d").unwrap()), (None, None));
        assert_eq!(fields.text("e").unwrap_err().message, "e must be a string");
        assert_eq!(fields.text("f").unwrap().as_deref(), Some("393391234567"));
        assert_eq!(fields.required("c").unwrap_err().field, "c");
        assert!(fields.text("g").is_err() && fields.integer("e").is_err());
    }

    #[test]
    fn times_need_an_offset() {
        let map = map(json!({
            "a": "2026-07-01T10:00:00+02:00", "b": "2026-07-01T10:00:00 02:00", "c": "2026-07-01", "d": "", "e": 1,
        }));
        let fields = Fields::from(&map);
        let want: Timestamp = "2026-07-01T08:00:00Z".parse().unwrap();
        assert_eq!((fields.time("a").unwrap(), fields.time("b").unwrap()), (Some(want), Some(want)));
        assert_eq!(fields.time("d").unwrap(), None);
        assert_eq!(fields.time("c").unwrap_err().field, "c");
        assert!(fields.time("e").is_err());
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
            assert_eq!(Fields::from(&map).switch("s").unwrap(), want, "{map:?}");
        }
        assert!(Fields::from(&map(json!({"s": "maybe"}))).switch("s").is_err());
    }

    #[test]
    fn lists_and_objects_come_in_several_forms() {
        let map = map(
            json!({"a": ["x", 1, null], "b": "x, y,,", "c": "[\"x\"]", "d": [{}], "e": "{\"k\": 1}", "f": []}),
        );
        let fields = Fields::from(&map);
        assert_eq!(fields.list("a").unwrap().unwrap(), ["x", "1"]);
        assert_eq!(fields.list("b").unwrap().unwrap(), ["x", "y"]);
        assert_eq!(fields.list("c").unwrap().unwrap(), ["x"]);
        assert_eq!(fields.list("d").unwrap_err().field, "d");
        assert_eq!(fields.object("e").unwrap().unwrap().len(), 1);
        assert!(fields.object("f").unwrap().unwrap().is_empty());
        assert!(fields.object("a").is_err() && fields.array("b").is_err());
    }

    #[test]
    fn phones_name_their_parameter() {
        let map = map(json!({"number": " 393391234567", "to": 919876543210u64, "bad": "12"}));
        let fields = Fields::from(&map);
        assert_eq!(fields.phone("number", None).unwrap().unwrap().as_str(), "+393391234567");
        assert_eq!(fields.phone("to", None).unwrap().unwrap().digits(), "919876543210");
        let error = fields.phone("bad", None).unwrap_err();
        assert_eq!(error.field, "bad");
        assert!(error.message.starts_with("bad must"));
        assert_eq!(fields.name_of(&["phone", "to"]), "to");
        assert_eq!(fields.name_of(&["phone", "mobile"]), "phone");
    }
}
