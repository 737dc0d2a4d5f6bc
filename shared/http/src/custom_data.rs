//! `customData` of DM Champ: nested, as JSON text, as a form, or flat.

use domain::channel::{MAX_FOREIGN_ID, check_foreign_id};
use domain::{EmailAddress, Invalid};
use serde_json::{Map, Value};

use crate::{ApiError, Field, FieldKind, FieldLimits, Fields, FromParameter, Given, Parameter, Request};

const NAME: &str = "customData";
/// How the contract calls what the product's errors name.
const NAMES: [(&str, &str); 8] = [
    ("custom_channel", "customData.customChannel"),
    ("campaign_id", "customData.campaignId"),
    ("message_sid", "customData.messageSid"),
    ("message", "customData.body"),
    ("body", "customData.body"),
    ("channel", "customData.channel"),
    ("name", "customData.firstName"),
    ("email", "customData.email"),
];

/// What a request about a custom channel says, in `customData` or beside it. Null and
/// blank texts are absent, and a nested value wins over a flat one.
pub struct CustomData<R>(Result<R, Invalid>);

impl<R> std::fmt::Debug for CustomData<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomData(***)")
    }
}

impl<R: Request> Request for CustomData<R> {
    const FIELDS: &'static [Field] = &[Field {
        names: &[NAME],
        kind: FieldKind::Beside(R::FIELDS),
        required: false,
        limits: FieldLimits::NONE,
    }];

    fn read(fields: Fields<'_>) -> Self {
        Self(merged(fields).map(|all| R::read(Fields::from(&all))))
    }
}

impl<R> CustomData<R> {
    /// The parameters.
    ///
    /// # Errors
    /// Names `customData` when it is no object.
    pub fn get(self) -> Result<R, Invalid> {
        self.0
    }
}

fn merged(fields: Fields<'_>) -> Result<Map<String, Value>, Invalid> {
    let nested = fields.parameter_of(NAME).object()?.unwrap_or_default();
    let given = |value: &Value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty());
    let mut all = fields.params().clone();
    all.extend(nested.into_iter().filter(|(_, value)| given(value)));
    Ok(all)
}

/// A text in `customData`, which errors call by its name there.
pub struct CustomText(String);

impl std::fmt::Debug for CustomText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomText(***)")
    }
}

impl FromParameter for CustomText {
    const KIND: FieldKind = FieldKind::Text;

    fn called(parameter: Parameter<'_>) -> String {
        nested(parameter.canonical())
    }

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>, Invalid> {
        let name = Self::called(parameter);
        let wrong = |_| Invalid::new(&name, format!("{name} must be a string"));
        Ok(parameter.text().map_err(wrong)?.map(Self))
    }
}

impl CustomText {
    /// Checks that none of these is missing.
    ///
    /// # Errors
    /// Names all that are.
    pub fn require(these: &[&Given<Self>]) -> Result<(), Invalid> {
        let mut missing = Vec::new();
        for given in these {
            if !given.is_given()? {
                missing.push(nested(given.canonical()));
            }
        }
        let verb = if missing.len() == 1 { "is" } else { "are" };
        match missing.first() {
            Some(first) => Err(Invalid::new(first, format!("{} {verb} required", missing.join(", ")))),
            None => Ok(()),
        }
    }
}

impl Given<CustomText> {
    /// The text, if there is one.
    ///
    /// # Errors
    /// Names the field.
    pub fn text(self) -> Result<Option<String>, Invalid> {
        Ok(self.get()?.map(|CustomText(text)| text))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Names the field.
    pub fn needed_text(self) -> Result<String, Invalid> {
        CustomText::require(&[&self])?;
        Ok(self.text()?.unwrap_or_default())
    }

    /// An id that a platform gave, which must be there.
    ///
    /// # Errors
    /// Names the field.
    pub fn foreign_id(self) -> Result<String, Invalid> {
        check_foreign_id(&nested(self.canonical()), &self.needed_text()?)
    }
}

crate::request! {
    /// Whoever `fromId` names.
    pub struct CustomPerson {
        from_id: Given<CustomText> = named("fromId" | "from_id").required().max_length(MAX_FOREIGN_ID),
        first_name: Given<CustomText> = named("firstName" | "first_name"),
        last_name: Given<CustomText> = named("lastName" | "last_name"),
        email: Given<CustomText> = named("email"),
    }
}

impl CustomPerson {
    /// How the platform calls them.
    pub fn from_id(&self) -> &Given<CustomText> {
        &self.from_id
    }

    /// The person.
    ///
    /// # Errors
    /// Names the field.
    pub fn get(self) -> Result<ops::custom::PlatformPerson, Invalid> {
        let email: Option<EmailAddress> = match self.email.text()? {
            Some(text) => {
                let wrong =
                    |_| Invalid::new(nested("email"), format!("{NAME}.email is not an email address"));
                Some(text.parse().map_err(wrong)?)
            }
            None => None,
        };
        Ok(ops::custom::PlatformPerson {
            id: self.from_id.foreign_id()?,
            first_name: self.first_name.text()?,
            last_name: self.last_name.text()?,
            email,
        })
    }
}

/// An error of the product with the field as the contract calls it.
pub fn in_custom_data(error: ops::Error) -> ApiError {
    let field = error.field.clone();
    let known = NAMES.into_iter().find(|(ours, _)| field.as_deref() == Some(ours));
    match known {
        Some((ours, theirs)) => ApiError(error).renamed(ours, theirs),
        None => ApiError(error),
    }
}

fn nested(name: &str) -> String {
    format!("{NAME}.{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    crate::request! {
        struct Message(person: CustomPerson) {
            custom_channel: Given<CustomText> = named("customChannel" | "custom_channel"),
            body: Given<CustomText> = named("body"),
        }
    }

    fn data(params: Value) -> Result<Message, Invalid> {
        CustomData::<Message>::read(Fields::from(params.as_object().unwrap())).get()
    }

    fn require(params: Value) -> Invalid {
        let data = data(params).unwrap();
        CustomText::require(&[&data.person.from_id, &data.custom_channel, &data.body]).unwrap_err()
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
            assert_eq!(data(params.clone()).unwrap().person.from_id.foreign_id().unwrap(), "7", "{params}");
        }
    }

    #[test]
    fn everything_that_is_missing_is_named() {
        let error = require(json!({"customData": {"fromId": null, "customChannel": "c", "body": " "}}));
        assert_eq!(error.field, "customData.fromId");
        assert_eq!(error.message, "customData.fromId, customData.body are required");
        let one = require(json!({"fromId": 1, "body": "x"}));
        assert_eq!(one.message, "customData.customChannel is required");
        let wrong = require(json!({"customData": {"from_id": ["7"]}}));
        assert_eq!(wrong.message, "customData.fromId must be a string");
        for list in [json!({"customData": ["7"]}), json!({"customData": "x"}), json!({"customData": 5})] {
            assert_eq!(data(list).unwrap_err().field, NAME);
        }
    }
}
