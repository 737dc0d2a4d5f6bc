//! Whom callers put into lists, or take out of them: one or many, by ids, numbers or addresses.

use api_http::{Given, PhoneText, Request as _, Rows, Texts, request};
use domain::identity::Identity;
use domain::{CallingCode, ContactId, EmailAddress, Invalid};
use ops::lists::MAX_AT_ONCE;
use ops::{Code, Error};
use serde::Serialize;
use store::contacts::Subject;

type Result<T> = std::result::Result<T, Error>;

request! {
    /// One of them.
    pub(crate) struct MemberFields {
        id: Given<String> = named("contactId" | "contact_id" | "id"),
        phone: Given<PhoneText> = named("phone" | "phoneNumber" | "phone_number"),
        email: Given<EmailAddress> = named("email"),
    }
}

type MemberRows = Rows<MemberFields>;

request! {
    /// One or many contacts.
    pub(crate) struct Members(one: MemberFields) {
        ids: Given<Texts> = named("contactIds" | "contact_ids" | "ids").max_items(MAX_AT_ONCE),
        phones: Given<Texts> = named("phones" | "phoneNumbers" | "phone_numbers").max_items(MAX_AT_ONCE),
        contacts: Given<MemberRows> = named("contacts").max_items(MAX_AT_ONCE),
    }
}

/// Somebody who is named, in the caller's words.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) subject: Subject,
    /// The parameter that names them.
    pub(crate) field: &'static str,
}

/// Those who are named.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) members: Vec<Member>,
    /// It is one, and the call is about them.
    pub(crate) is_one: bool,
}

/// One who makes no sense: which, why, and the parameter that names them.
pub(crate) type Wrong = (usize, Error, &'static str);

/// Why somebody is not in the list.
#[derive(Serialize)]
pub(crate) struct Failed {
    index: usize,
    field: String,
    message: String,
}

impl Failed {
    /// What came of the member at `index`.
    pub(crate) fn new(index: usize, field: &str, error: &Error) -> Self {
        Self { index, field: field.to_owned(), message: error.message.clone() }
    }
}

fn by_id(field: &'static str, text: &str) -> Result<Member> {
    let unknown = || Error::not_found(field, "there is no contact with this id");
    let id: ContactId = text.parse().map_err(|_| unknown())?;
    Ok(Member { subject: Subject::Id(id), field })
}

impl MemberFields {
    fn get(self, country: Option<CallingCode>) -> Result<Option<Member>> {
        let [id_name, phone_name, email_name] = [self.id.name(), self.phone.name(), self.email.name()];
        if let Some(id) = self.id.get()? {
            return by_id(id_name, &id).map(Some);
        }
        if let Some(phone) = self.phone.get()? {
            let (address, _) = phone.recipient(country)?;
            return Ok(Some(Member { subject: Subject::Known(Identity::from(&address)), field: phone_name }));
        }
        let email = self.email.get()?;
        Ok(email.map(|email| Member {
            subject: Subject::Known(Identity::Email(email.identity())),
            field: email_name,
        }))
    }

    /// Whether a number is given that may need a country.
    fn may_be_national(&self) -> bool {
        self.phone.peek().is_ok_and(|phone| phone.is_some_and(PhoneText::may_be_national))
    }
}

impl Members {
    /// Whether a number may need a country.
    pub(crate) fn may_be_national(&self) -> bool {
        self.one.may_be_national()
            || self.phones.is_given().unwrap_or(false)
            || self.contacts.is_given().unwrap_or(false)
    }

    /// Those who are named. Of many, each that makes no sense is told by itself.
    ///
    /// # Errors
    /// Names the parameter of one who makes no sense, or of which there are too many;
    /// `contactId` when nobody is named.
    pub(crate) fn get(self, country: Option<CallingCode>) -> Result<(Named, Vec<Wrong>)> {
        let first = self.one.id.name();
        let [ids_name, phones_name] = [self.ids.name(), self.phones.name()];
        let rows_name = self.contacts.name();
        let (ids, phones, rows) = (self.ids.get()?, self.phones.get()?, self.contacts.get()?);
        let many =
            [ids.as_ref().map(Vec::len), phones.as_ref().map(Vec::len), rows.as_ref().map(MemberRows::count)];
        let count: usize = many.iter().flatten().sum();
        if count > MAX_AT_ONCE {
            let name = if rows.is_some() {
                rows_name
            } else if ids.is_some() {
                ids_name
            } else {
                phones_name
            };
            let message = format!("{name} may name at most {MAX_AT_ONCE} contacts");
            return Err(Error { field: Some(name.to_owned()), ..Error::new(Code::TooLarge, message) });
        }
        let one = self.one.get(country)?;
        let is_one = one.is_some() && many.iter().all(Option::is_none);
        let mut named: Vec<(Result<Member>, &'static str)> = Vec::with_capacity(count + 1);
        named.extend(one.map(|one| (Ok(one), first)));
        named.extend(ids.into_iter().flatten().map(|id| (by_id(ids_name, &id), ids_name)));
        named.extend(
            phones.into_iter().flatten().map(|phone| (by_phone(phones_name, &phone, country), phones_name)),
        );
        for row in rows.iter().flat_map(MemberRows::iter) {
            let nobody = || {
                Error::invalid(rows_name, format!("{rows_name} must name each by contactId, phone or email"))
            };
            let member = match row {
                Some(row) => row.get(country).and_then(|member| member.ok_or_else(nobody)),
                None => Err(nobody()),
            };
            named.push((member, rows_name));
        }
        if named.is_empty() {
            return Err(Error::invalid(first, format!("{first} or phone is required")));
        }
        let (mut members, mut wrong) = (Vec::new(), Vec::new());
        for (index, (member, field)) in named.into_iter().enumerate() {
            match member {
                Ok(member) => members.push(member),
                Err(error) => wrong.push((index, error, field)),
            }
        }
        Ok((Named { members, is_one }, wrong))
    }
}

fn by_phone(field: &'static str, text: &str, country: Option<CallingCode>) -> Result<Member> {
    let value = serde_json::json!({"phone": text});
    let none = serde_json::Map::new();
    let fields = api_http::Fields::from(value.as_object().unwrap_or(&none));
    let member = MemberFields::read(fields).get(country)?;
    let missing = || Invalid::new(field, format!("{field} must be phone numbers"));
    Ok(Member { field, ..member.ok_or_else(missing)? })
}

#[cfg(test)]
mod tests {
    use api_http::Fields;
    use serde_json::{Value, json};

    use super::*;

    fn read(params: Value) -> Result<(Named, Vec<Wrong>)> {
        Members::read(Fields::from(params.as_object().unwrap())).get(None)
    }

    #[test]
    fn contacts_are_named_in_several_ways() {
        let (named, wrong) = read(json!({"contactId": "7"})).unwrap();
        assert!(named.is_one && wrong.is_empty() && named.members[0].subject == Subject::Id(ContactId(7)));
        let many = json!({"contactIds": ["1", "x"], "phones": ["+393391234567", "12"],
                          "contacts": [{"email": "a@example.com"}, {"id": 9}, 5, {}]});
        let (named, wrong) = read(many).unwrap();
        assert!(!named.is_one);
        assert_eq!(
            named.members.iter().map(|member| member.field).collect::<Vec<_>>(),
            ["contactIds", "phones", "email", "id"]
        );
        assert_eq!(wrong.iter().map(|(index, ..)| *index).collect::<Vec<_>>(), [1, 3, 6, 7]);
    }

    #[test]
    fn one_who_makes_no_sense_is_refused() {
        for (params, field, code) in [
            (json!({}), "contactId", Code::InvalidField),
            (json!({"contact_id": "abc"}), "contact_id", Code::NotFound),
            (json!({"phone": "12"}), "phone", Code::InvalidField),
            (json!({"email": "x"}), "email", Code::InvalidField),
            (json!({"contactIds": {}}), "contactIds", Code::InvalidField),
            (json!({"contactIds": vec![1; 1_001]}), "contactIds", Code::TooLarge),
        ] {
            let error = read(params.clone()).unwrap_err();
            assert_eq!((error.field.as_deref(), error.code), (Some(field), code), "{params}");
        }
    }
}
