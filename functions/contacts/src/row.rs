//! What callers say about a contact, under the names of each contract.

use api_http::{Given, Object, PhoneText, Texts, request, text_of};
use domain::account::Account;
use domain::channel::{Channel, ChannelName, check_foreign_id};
use domain::consent::ConsentProof;
use domain::contact::{MAX_NAME, NewContact, clean_tags};
use domain::identity::{MAX_EXTERNAL_ID, check_external_id};
use domain::{AccountId, CallingCode, EmailAddress, Invalid};
use jiff::Timestamp;
use ops::{Caller, callers};
use serde_json::Value;
use store::Store;

/// Longest source and detail of a consent, in characters.
const MAX_PROOF: usize = 255;

/// Where contacts come from: the account that brings them, the country of numbers that are
/// written without one, and when it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    account: Option<AccountId>,
    country: Option<CallingCode>,
    now: Timestamp,
}

impl From<Account> for Origin {
    fn from(account: Account) -> Self {
        Self { account: Some(account.id), country: account.default_country, now: Timestamp::default() }
    }
}

impl Origin {
    /// No account brings them: numbers without a country are of the accounts' own.
    pub(crate) async fn of_nobody(store: &Store, caller: &Caller) -> ops::Result<Self> {
        let country = callers::home_country(store, caller).await?;
        Ok(Self { country, ..Self::default() })
    }

    /// The country of numbers that are written without one.
    pub(crate) fn country(&self) -> Option<CallingCode> {
        self.country
    }

    /// With the country of the call, before the account's, at the time of the call.
    pub(crate) fn in_country(self, country: Option<CallingCode>, now: Timestamp) -> Self {
        Self { country: country.or(self.country), now, ..self }
    }
}

request! {
    /// What all contracts call by the same names.
    pub(crate) struct PersonFields {
        name: Given<String> = named("name").max_length(MAX_NAME),
        first_name: Given<String> = named("firstName" | "first_name"),
        last_name: Given<String> = named("lastName" | "last_name"),
        email: Given<EmailAddress> = named("email"),
        metadata: Given<Object> = named("metadata"),
        external_id: Given<String> = named("external_id").max_length(MAX_EXTERNAL_ID),
    }
}

/// A contact as a caller tells of it; what is not in [`PersonFields`] each contract calls in its
/// own way.
#[derive(Debug)]
pub(crate) struct ToldContact {
    pub(crate) person: PersonFields,
    pub(crate) phone: Given<PhoneText>,
    pub(crate) tags: Given<Texts>,
    /// How custom channels know the contact, by their names.
    pub(crate) channels: Option<Given<Object>>,
    /// How the contact agreed to be written to.
    pub(crate) opt_in: Option<Given<Value>>,
}

impl ToldContact {
    /// The contact: `name` or first and last name, phone, email, tags, metadata.
    pub(crate) fn contact(self, origin: &Origin) -> Result<NewContact, Invalid> {
        let PersonFields { name, first_name, last_name, email, metadata, external_id } = self.person;
        let called = [("phone", self.phone.name()), ("tags", self.tags.name())];
        let email = email.get()?;
        let tags = self.tags.get()?.unwrap_or_default();
        let (name, first_name) = match name.get()? {
            Some(name) => (Some(name.trim().to_owned()), None),
            None => {
                let (first, last) = (first_name.get()?, last_name.get()?);
                let told = first.as_deref().map(|first| first.trim().to_owned());
                (full_name([first, last]), told)
            }
        };
        let phone = self.phone.get()?.map(|phone| phone.read(origin.country)).transpose()?;
        let new = NewContact {
            name,
            first_name,
            left_out: phone.as_ref().and_then(|reading| reading.left_out),
            phone: phone.map(|reading| reading.number),
            email,
            external_id: external_id.get()?.map(|id| check_external_id(&id)).transpose()?,
            opt_in: self.opt_in.map_or(Ok(None), |given| opt_in(given, origin.now))?,
            tags: clean_tags(tags.iter().map(String::as_str)),
            metadata: metadata.get()?.unwrap_or_default(),
            origin: origin.account,
            custom: self.channels.map_or(Ok(None), on_channel)?,
            ..NewContact::default()
        };
        // Under the name that the caller used, or the first of the contract.
        new.check().map_err(|wrong| match called.into_iter().find(|(ours, _)| *ours == wrong.field) {
            Some((_, theirs)) => Invalid::new(theirs, wrong.message),
            None => wrong,
        })
    }
}

/// How a custom channel knows the contact, by its name.
fn on_channel(channels: Given<Object>) -> Result<Option<(String, String)>, Invalid> {
    let wrong = |message: String| Invalid::new("channels", message);
    let channels = channels.get()?.unwrap_or_default();
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

/// The proof that a caller gives of a consent: `true`, its source (`form`, `checkout`), or
/// `{source, at, detail}`.
fn opt_in(given: Given<Value>, now: Timestamp) -> Result<Option<ConsentProof>, Invalid> {
    let name = given.name();
    let wrong = |why: &str| Invalid::new(name, format!("{name} {why}"));
    let Some(value) = given.get()? else { return Ok(None) };
    let proof = |source: &str, detail: Option<&str>, at: Timestamp| {
        let short = |text: &str| text.trim().chars().take(MAX_PROOF).collect::<String>();
        let (source, detail) = (short(source), detail.map(short).filter(|text| !text.is_empty()));
        Some(ConsentProof { at_ms: at.min(now).as_millisecond(), source, detail })
    };
    match &value {
        Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(proof("api", None, now)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" | "0" | "no" | "false" => Ok(None),
            "1" | "yes" | "true" => Ok(proof("api", None, now)),
            _ => Ok(proof(text, None, now)),
        },
        Value::Object(fields) => {
            let text =
                |key: &str| fields.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
            let at = text("at").map(|at| at.parse::<Timestamp>()).transpose();
            let at = at.map_err(|_| wrong("must have a time with its offset in at"))?;
            Ok(proof(text("source").unwrap_or("api"), text("detail"), at.unwrap_or(now)))
        }
        Value::Null => Ok(None),
        Value::Number(_) | Value::Array(_) => Err(wrong("must be true, a source or an object")),
    }
}

fn full_name(parts: [Option<String>; 2]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().flatten().map(|part| part.trim()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use api_http::{Fields, Request};
    use serde_json::json;

    use super::*;

    request! {
        struct Row(person: PersonFields) {
            phone: Given<PhoneText> = named("phoneNumber" | "phone"),
            tags: Given<Texts> = named("label_names" | "tags"),
            channels: Given<Object> = named("channels"),
        }
    }

    fn read(row: Value) -> Result<NewContact, Invalid> {
        let Row { person, phone, tags, channels } = Row::read(Fields::from(row.as_object().unwrap()));
        ToldContact { person, phone, tags, channels: Some(channels), opt_in: None }
            .contact(&Origin::default())
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
            (json!({"name": "x"}), "phoneNumber"),
            (json!({"email": "a@b.it", "label_names": "x".repeat(65)}), "label_names"),
            (json!({"email": "a@b.it", "tags": "x".repeat(65)}), "tags"),
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
