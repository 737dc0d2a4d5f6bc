//! What callers say about a contact, under the names of each contract.

use api_http::{Fields, text_of};
use domain::account::Account;
use domain::channel::{Channel, ChannelName, check_foreign_id};
use domain::contact::{NewContact, clean_tags};
use domain::{CallingCode, Invalid};

/// The account that brings contacts: their origin, and the country of numbers
/// that are written without one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin(Option<Account>);

impl From<Account> for Origin {
    fn from(account: Account) -> Self {
        Self(Some(account))
    }
}

impl Origin {
    pub(crate) fn country(&self) -> Option<CallingCode> {
        self.0.as_ref().and_then(|account| account.default_country)
    }

    fn id(&self) -> Option<domain::AccountId> {
        self.0.as_ref().map(|account| account.id)
    }
}

/// How a contract calls the parts of a contact, most usual name first.
pub(crate) struct Names {
    pub(crate) phone: &'static [&'static str],
    pub(crate) tags: &'static [&'static str],
    /// How custom channels know the contact, by their names.
    pub(crate) channels: Option<&'static str>,
}

/// Reads a contact: `name` or first and last name, phone, email, tags, metadata.
pub(crate) fn contact(fields: Fields<'_>, names: &Names, origin: &Origin) -> Result<NewContact, Invalid> {
    let email = fields.text("email")?.map(|email| email.parse()).transpose()?;
    let tags = fields.list(fields.name_of(names.tags))?.unwrap_or_default();
    let new = NewContact {
        name: name(fields)?,
        phone: fields.phone(fields.name_of(names.phone), origin.country())?,
        email,
        tags: clean_tags(tags.iter().map(String::as_str)),
        metadata: fields.object("metadata")?.unwrap_or_default(),
        origin: origin.id(),
        custom: names.channels.map_or(Ok(None), |name| on_channel(fields, name))?,
        ..NewContact::default()
    };
    new.check()
}

/// How a custom channel knows the contact, by its name.
fn on_channel(fields: Fields<'_>, name: &str) -> Result<Option<(String, String)>, Invalid> {
    let wrong = |message: String| Invalid::new("channels", message);
    let channels = fields.object(name)?.unwrap_or_default();
    if channels.len() > 1 {
        return Err(wrong(
            "channels may name one channel in a row: send the others in rows of their own".into(),
        ));
    }
    let Some((name, id)) = channels.into_iter().next() else { return Ok(None) };
    if Channel::ours(&name).is_some() {
        return Err(wrong(format!("channels must name custom channels: {name} is one of ours")));
    }
    let name: ChannelName =
        name.parse().map_err(|invalid: Invalid| wrong(invalid.message.replacen("name", "channels", 1)))?;
    let id = text_of(&id).ok_or_else(|| wrong("channels must be an object of ids by channel".into()))?;
    Ok(Some((name.to_string(), check_foreign_id("channels", &id)?)))
}

fn name(fields: Fields<'_>) -> Result<Option<String>, Invalid> {
    if let Some(name) = fields.text("name")? {
        return Ok(Some(name.trim().to_owned()));
    }
    let first = fields.text(fields.name_of(&["firstName", "first_name"]))?;
    let last = fields.text(fields.name_of(&["lastName", "last_name"]))?;
    let parts: Vec<&str> = [&first, &last].into_iter().flatten().map(|part| part.trim()).collect();
    Ok((!parts.is_empty()).then(|| parts.join(" ")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NAMES: Names = Names {
        phone: &["phoneNumber", "phone"],
        tags: &["label_names", "tags"],
        channels: Some("channels"),
    };

    fn read(row: Value) -> Result<NewContact, Invalid> {
        contact(Fields::from(row.as_object().unwrap()), &NAMES, &Origin::default())
    }

    #[test]
    fn a_channel_knows_the_contact_by_an_id() {
        let on = |channels: Value| read(json!({"name": "Ada", "channels": channels})).map(|row| row.custom);
        let known = Some(("live chat".to_owned(), "7".to_owned()));
        assert_eq!(on(json!({"Live Chat": 7})).unwrap(), known);
        assert_eq!(on(json!("{\"live chat\": \"7\"}")).unwrap(), known);
        for bad in [
            json!({"sms": "7"}),
            json!({"a#b": "7"}),
            json!({"a": ""}),
            json!({"a": []}),
            json!({"a": 1, "b": 2}),
            json!([1]),
        ] {
            assert_eq!(on(bad.clone()).unwrap_err().field, "channels", "{bad}");
        }
    }

    #[test]
    fn names_and_aliases() {
        let row = read(
            json!({"phone": 393391234567u64, "firstName": "Amit", "lastName": "Sharma", "tags": "a, b,a"}),
        );
        let row = row.unwrap();
        assert_eq!(row.name.as_deref(), Some("Amit Sharma"));
        assert_eq!(row.tags, ["a", "b"]);
        assert_eq!(row.phone.unwrap().as_str(), "+393391234567");
        let row = read(json!({"email": "a@b.it", "phoneNumber": "", "metadata": "{\"k\": 1}"})).unwrap();
        assert_eq!(row.metadata["k"], 1);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (row, field) in [
            (json!({"name": "x"}), "phone"),
            (json!({"phone": "12"}), "phone"),
            (json!({"phoneNumber": "abc"}), "phoneNumber"),
            (json!({"email": "x"}), "email"),
            (json!({"email": "a@b.it", "tags": {"a": {}}}), "tags"),
            (json!({"email": "a@b.it", "metadata": [1]}), "metadata"),
            (json!({"email": "a@b.it", "name": []}), "name"),
            (json!({"email": "a@b.it", "name": "x".repeat(256)}), "name"),
        ] {
            assert_eq!(read(row.clone()).unwrap_err().field, field, "{row}");
        }
    }
}
