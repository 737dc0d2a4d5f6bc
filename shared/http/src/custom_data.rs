//! `customData` of DM Champ: nested, as JSON text, as a form, or flat.

use domain::channel::check_foreign_id;
use domain::{EmailAddress, Invalid};
use ops::custom::Person;
use serde_json::{Map, Value};

use crate::{ApiError, Fields, Input};

const NAME: &str = "customData";
/// How the contract calls what the product's errors name.
const FIELDS: [(&str, &str); 8] = [
    ("custom_channel", "customData.customChannel"),
    ("campaign_id", "customData.campaignId"),
    ("message_sid", "customData.messageSid"),
    ("message", "customData.body"),
    ("body", "customData.body"),
    ("channel", "customData.channel"),
    ("name", "customData.firstName"),
    ("email", "customData.email"),
];

/// What a request about a custom channel says. Null and blank texts are absent, and a
/// nested value wins over a flat one.
pub struct CustomData(Map<String, Value>);

impl std::fmt::Debug for CustomData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomData(***)")
    }
}

impl CustomData {
    /// Reads it from a request.
    ///
    /// # Errors
    /// Names `customData` when it is no object.
    pub fn of(input: &Input) -> Result<Self, Invalid> {
        Self::read(input.params())
    }

    fn read(params: &Map<String, Value>) -> Result<Self, Invalid> {
        let nested = Fields::from(params).object(NAME)?.unwrap_or_default();
        let given =
            |value: &Value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty());
        let mut all = params.clone();
        all.extend(nested.into_iter().filter(|(_, value)| given(value)));
        Ok(Self(all))
    }

    /// A text; its name may be in camel case or in snake case.
    ///
    /// # Errors
    /// Names the field.
    pub fn text(&self, name: &str) -> Result<Option<String>, Invalid> {
        let fields = Fields::from(&self.0);
        let found = match fields.text(name) {
            Ok(None) => fields.text(&snake(name)),
            found => found,
        };
        found.map_err(|_| Invalid::new(nested(name), format!("{NAME}.{name} must be a string")))
    }

    /// Checks that none of these is missing.
    ///
    /// # Errors
    /// Names all that are.
    pub fn require(&self, names: &[&str]) -> Result<(), Invalid> {
        let mut missing = Vec::new();
        for name in names {
            if self.text(name)?.is_none() {
                missing.push(nested(name));
            }
        }
        let verb = if missing.len() == 1 { "is" } else { "are" };
        match missing.first() {
            Some(first) => Err(Invalid::new(first, format!("{} {verb} required", missing.join(", ")))),
            None => Ok(()),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Names the field.
    pub fn required(&self, name: &str) -> Result<String, Invalid> {
        self.require(&[name])?;
        Ok(self.text(name)?.unwrap_or_default())
    }

    /// An id that a platform gave, which must be there.
    ///
    /// # Errors
    /// Names the field.
    pub fn foreign_id(&self, name: &str) -> Result<String, Invalid> {
        check_foreign_id(&nested(name), &self.required(name)?)
    }

    /// Whoever `fromId` names.
    ///
    /// # Errors
    /// Names the field.
    pub fn person(&self) -> Result<Person, Invalid> {
        let email: Option<EmailAddress> = match self.text("email")? {
            Some(text) => {
                let wrong =
                    |_| Invalid::new(nested("email"), format!("{NAME}.email is not an email address"));
                Some(text.parse().map_err(wrong)?)
            }
            None => None,
        };
        Ok(Person {
            id: self.foreign_id("fromId")?,
            first_name: self.text("firstName")?,
            last_name: self.text("lastName")?,
            email,
        })
    }

    /// An error of the product with the field as the contract calls it.
    pub fn named(error: ops::Error) -> ApiError {
        let field = error.field.clone();
        let known = FIELDS.into_iter().find(|(ours, _)| field.as_deref() == Some(ours));
        match known {
            Some((ours, theirs)) => ApiError(error).renamed(ours, theirs),
            None => ApiError(error),
        }
    }
}

fn nested(name: &str) -> String {
    format!("{NAME}.{name}")
}

/// `fromId` becomes `from_id`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data(params: Value) -> Result<CustomData, Invalid> {
        CustomData::read(params.as_object().unwrap())
    }

    #[test]
    fn nested_text_and_flat_say_the_same() {
        for params in [
            json!({"customData": {"fromId": 7, "body": "x"}}),
            json!({"customData": "{\"fromId\": \"7\", \"body\": \"x\"}"}),
            json!({"fromId": "7", "body": "x", "customData": null}),
            json!({"from_id": " 7 ", "customData": {"body": "x", "fromId": ""}}),
            json!({"fromId": "8", "customData": {"fromId": "7"}}),
        ] {
            assert_eq!(data(params.clone()).unwrap().foreign_id("fromId").unwrap(), "7", "{params}");
        }
    }

    #[test]
    fn everything_that_is_missing_is_named() {
        let all = ["fromId", "customChannel", "body"];
        let missing = data(json!({"customData": {"fromId": null, "customChannel": "c", "body": " "}}));
        let error = missing.unwrap().require(&all).unwrap_err();
        assert_eq!(error.field, "customData.fromId");
        assert_eq!(error.message, "customData.fromId, customData.body are required");
        let one = data(json!({"fromId": 1, "body": "x"})).unwrap().require(&all).unwrap_err();
        assert_eq!(one.message, "customData.customChannel is required");
        let wrong = data(json!({"customData": {"fromId": ["7"]}})).unwrap().require(&all).unwrap_err();
        assert_eq!(wrong.message, "customData.fromId must be a string");
        for list in [json!({"customData": ["7"]}), json!({"customData": "x"}), json!({"customData": 5})] {
            assert_eq!(data(list).unwrap_err().field, NAME);
        }
    }
}
