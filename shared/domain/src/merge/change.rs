//! A change that a tenant's people make to one contact: what they say takes the place of what
//! was, or is refused as a whole.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Book, add_lists, add_tags};
use crate::contact::{Contact, MAX_NAME, MAX_TAGS, check_metadata, same_tag};
use crate::identity::Identity;
use crate::note::{Note, add_note};
use crate::{ContactId, EmailAddress, ListId, PhoneNumber};

/// What becomes of a name.
#[derive(Clone, PartialEq, Eq)]
pub enum NameChange {
    /// The whole of it is said.
    Whole(String),
    /// Its parts are, or one of them: the other stays.
    Parts {
        /// What stands before the first space.
        first: Option<String>,
        /// What stands behind it.
        last: Option<String>,
    },
}

impl std::fmt::Debug for NameChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NameChange(***)")
    }
}

impl NameChange {
    /// The whole name, and what of it is the first, where that is said.
    fn of(&self, contact: &Contact) -> (String, Option<String>) {
        match self {
            Self::Whole(name) => (name.trim().to_owned(), None),
            Self::Parts { first, last } => {
                let (known_first, known_last) = contact.split_name();
                let first = first.as_deref().map_or(known_first, str::trim);
                let last = last.as_deref().map_or(known_last, str::trim);
                let told = Some(first.to_owned()).filter(|first| !first.is_empty());
                (format!("{first} {last}").trim().to_owned(), told)
            }
        }
    }
}

/// What is to change; nothing, by default.
#[derive(Clone, PartialEq, Default)]
pub struct ContactChange {
    /// Another name.
    pub name: Option<NameChange>,
    /// Another number. The former one is nobody's from then on.
    pub phone: Option<PhoneNumber>,
    /// Another e-mail address. The former one is nobody's from then on.
    pub email: Option<EmailAddress>,
    /// Fields to merge into the metadata; null takes one away.
    pub metadata: Map<String, Value>,
    /// Tags to add.
    pub add_tags: Vec<String>,
    /// Tags to take away, in any spelling.
    pub remove_tags: Vec<String>,
    /// All of its tags, in the place of those that there are.
    pub tags: Option<Vec<String>>,
    /// Lists to put it into.
    pub add_lists: Vec<ListId>,
    /// Lists to take it out of.
    pub remove_lists: Vec<ListId>,
    /// A note to add.
    pub note: Option<Note>,
}

impl std::fmt::Debug for ContactChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContactChange(***)")
    }
}

impl ContactChange {
    /// What the contact is to be known by.
    pub fn identities(&self) -> Vec<Identity> {
        let phone = self.phone.as_ref().map(Identity::from);
        let email = self.email.as_ref().map(|email| Identity::Email(email.identity()));
        phone.into_iter().chain(email).collect()
    }
}

/// Why nothing of a change was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeRefused {
    /// There is no such contact.
    Unknown,
    /// The number is another contact's.
    PhoneTaken,
    /// The e-mail address is another contact's.
    EmailTaken,
    /// The name would be too long.
    NameTooLong,
    /// There would be too many tags.
    TooManyTags,
    /// It would be in too many lists.
    TooManyLists,
    /// The metadata would be too large.
    MetadataTooLarge,
    /// There is no room for another note.
    NotesFull,
}

impl Book {
    /// Changes one contact, or nothing.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn change(
        &mut self,
        id: ContactId,
        change: &ContactChange,
        now: Timestamp,
    ) -> Result<(), ChangeRefused> {
        let contact = self.contact(id).ok_or(ChangeRefused::Unknown)?;
        for identity in change.identities() {
            let other = self.holder(&identity).filter(|other| *other != id);
            if other.is_some_and(|other| self.contact(other).is_some()) {
                return Err(match identity {
                    Identity::Email(_) => ChangeRefused::EmailTaken,
                    Identity::Phone(_)
                    | Identity::Bsuid(_)
                    | Identity::Lid(_)
                    | Identity::Custom { .. }
                    | Identity::External(_) => ChangeRefused::PhoneTaken,
                });
            }
        }
        let before = contact.identities();
        let mut changed = contact.clone();
        apply(&mut changed, change)?;
        if changed != *contact {
            changed.updated_at = now;
        }
        for identity in before.iter().filter(|identity| !changed.carries(identity)) {
            self.pointers.remove(identity);
        }
        for identity in changed.identities() {
            self.pointers.insert(identity, id);
        }
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.after = Some(changed);
        }
        Ok(())
    }
}

fn apply(contact: &mut Contact, change: &ContactChange) -> Result<(), ChangeRefused> {
    if let Some(name) = &change.name {
        let (name, first) = name.of(contact);
        if name.chars().count() > MAX_NAME {
            return Err(ChangeRefused::NameTooLong);
        }
        if !name.is_empty() {
            contact.name = Some(name);
            contact.first_name = first;
            contact.is_profile_name = false;
        }
    }
    for identity in change.identities() {
        contact.aliases.retain(|alias| *alias != identity);
    }
    if let Some(phone) = &change.phone {
        contact.phone = match contact.phone.take() {
            Some(known) if known.key() == phone.key() => Some(known.or_clearer(phone)),
            Some(_) | None => Some(phone.clone()),
        };
    }
    if let Some(email) = &change.email {
        contact.email = Some(email.clone());
    }
    if let Some(tags) = &change.tags {
        // Those that stay keep how they are written.
        contact.tags.retain(|tag| tags.iter().any(|kept| same_tag(kept, tag)));
        if !add_tags(contact, tags) {
            return Err(ChangeRefused::TooManyTags);
        }
    }
    contact.tags.retain(|tag| !change.remove_tags.iter().any(|gone| same_tag(gone, tag)));
    if !add_tags(contact, &change.add_tags) {
        return Err(ChangeRefused::TooManyTags);
    }
    debug_assert!(contact.tags.len() <= MAX_TAGS, "tags are bounded");
    contact.lists.retain(|list| !change.remove_lists.contains(list));
    if !add_lists(contact, &change.add_lists) {
        return Err(ChangeRefused::TooManyLists);
    }
    for (key, value) in &change.metadata {
        if value.is_null() {
            contact.metadata.remove(key);
        } else {
            contact.metadata.insert(key.clone(), value.clone());
        }
    }
    if !change.metadata.is_empty() {
        check_metadata(&contact.metadata).map_err(|_| ChangeRefused::MetadataTooLarge)?;
    }
    match &change.note {
        Some(note) if !add_note(&mut contact.notes, note) => Err(ChangeRefused::NotesFull),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// Two contacts: 1 with a number, an address and tags, 2 with others.
    fn book() -> Book {
        let mut book = Book::default();
        for (id, phone, email) in
            [(1, "+393391234567", "a@example.com"), (2, "+393391234568", "b@example.com")]
        {
            let mut contact = Contact::empty(ContactId(id), NOW);
            contact.name = Some("Ada Neri".to_owned());
            contact.phone = phone.parse().ok();
            contact.email = email.parse().ok();
            contact.tags = vec!["Vip".to_owned(), "news".to_owned()];
            for identity in contact.identities() {
                book.load_pointer(identity, contact.id);
            }
            book.load_contact(contact);
        }
        book
    }

    fn changed(change: &ContactChange) -> Result<Contact, ChangeRefused> {
        let mut book = book();
        book.change(ContactId(1), change, NOW)?;
        Ok(book.slot(ContactId(1)).unwrap().after.clone().unwrap())
    }

    #[test]
    fn a_part_of_the_name_leaves_the_other() {
        let parts = |first: Option<&str>, last: Option<&str>| NameChange::Parts {
            first: first.map(str::to_owned),
            last: last.map(str::to_owned),
        };
        for (name, want) in [
            (parts(Some("Bice"), None), "Bice Neri"),
            (parts(None, Some("Verdi")), "Ada Verdi"),
            (parts(Some(" Bice "), Some(" Verdi ")), "Bice Verdi"),
            (NameChange::Whole(" Bice ".to_owned()), "Bice"),
            (NameChange::Whole(String::new()), "Ada Neri"),
        ] {
            let change = ContactChange { name: Some(name), ..ContactChange::default() };
            assert_eq!(changed(&change).unwrap().name.as_deref(), Some(want));
        }
        let long =
            ContactChange { name: Some(parts(Some(&"x".repeat(255)), None)), ..ContactChange::default() };
        assert_eq!(changed(&long), Err(ChangeRefused::NameTooLong));
    }

    #[test]
    fn another_number_takes_the_place_of_the_former() {
        let change = ContactChange {
            phone: "+393391234569".parse().ok(),
            email: "c@example.com".parse().ok(),
            ..ContactChange::default()
        };
        let mut book = book();
        book.change(ContactId(1), &change, NOW).unwrap();
        let contact = book.slot(ContactId(1)).unwrap().after.clone().unwrap();
        assert_eq!(contact.identities().len(), 2);
        assert_eq!(contact.phone.as_ref().unwrap().as_str(), "+393391234569");
        let former: PhoneNumber = "+393391234567".parse().unwrap();
        assert_eq!(book.holder(&Identity::from(&former)), None);
        assert_eq!(book.holder(&Identity::from(&contact.phone.unwrap())), Some(ContactId(1)));
    }

    #[test]
    fn what_is_another_contacts_stays_theirs() {
        let phone = ContactChange { phone: "+393391234568".parse().ok(), ..ContactChange::default() };
        assert_eq!(changed(&phone), Err(ChangeRefused::PhoneTaken));
        let email = ContactChange { email: "B@example.com".parse().ok(), ..ContactChange::default() };
        assert_eq!(changed(&email), Err(ChangeRefused::EmailTaken));
        let own = ContactChange { phone: "+393391234567".parse().ok(), ..ContactChange::default() };
        assert_eq!(changed(&own).unwrap().identities().len(), 2);
        assert_eq!(book().change(ContactId(9), &own, NOW), Err(ChangeRefused::Unknown));
    }

    #[test]
    fn tags_and_fields_come_and_go() {
        let mut change = ContactChange {
            add_tags: vec!["VIP".to_owned(), "new".to_owned()],
            remove_tags: vec!["NEWS".to_owned(), "nobody has it".to_owned()],
            ..ContactChange::default()
        };
        change.metadata = json!({"a": 1, "b": null}).as_object().unwrap().clone();
        let contact = changed(&change).unwrap();
        assert_eq!(contact.tags, ["Vip", "new"]);
        assert_eq!(Value::Object(contact.metadata), json!({"a": 1}));
        change.add_tags = (0..MAX_TAGS).map(|n| n.to_string()).collect();
        assert_eq!(changed(&change), Err(ChangeRefused::TooManyTags));
        change.add_tags.clear();
        change.metadata.insert("a".to_owned(), "x".repeat(17_000).into());
        assert_eq!(changed(&change), Err(ChangeRefused::MetadataTooLarge));
    }

    #[test]
    fn lists_come_and_go_and_all_tags_may_be_said() {
        let change = ContactChange {
            tags: Some(vec!["vip".to_owned(), "new".to_owned()]),
            add_lists: vec![ListId(7), ListId(7), ListId(8)],
            remove_lists: vec![ListId(9)],
            ..ContactChange::default()
        };
        let contact = changed(&change).unwrap();
        assert_eq!(
            (contact.tags, contact.lists),
            (vec!["Vip".to_owned(), "new".to_owned()], vec![ListId(7), ListId(8)])
        );
        let none = ContactChange { tags: Some(Vec::new()), ..ContactChange::default() };
        assert!(changed(&none).unwrap().tags.is_empty());
        let many = ContactChange { add_lists: (1..=101).map(ListId).collect(), ..ContactChange::default() };
        assert_eq!(changed(&many), Err(ChangeRefused::TooManyLists));
    }

    #[test]
    fn a_change_that_is_there_already_writes_nothing() {
        let mut book = book();
        let change = ContactChange {
            name: Some(NameChange::Whole("Ada Neri".to_owned())),
            add_tags: vec!["vip".to_owned()],
            ..ContactChange::default()
        };
        book.change(ContactId(1), &change, Timestamp::from_second(9).unwrap()).unwrap();
        assert!(!book.slot(ContactId(1)).unwrap().changed());
    }
}
