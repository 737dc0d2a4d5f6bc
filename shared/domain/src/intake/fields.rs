//! What the names of keys and the titles of questions mean: one rule for both, since
//! forms use the one as the other.

use super::vocabulary::Word;
use super::words::Words;

/// What a field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// A phone number; the rank prefers the numbers that take messages.
    Phone(u8),
    /// An e-mail address, with its rank.
    Email(u8),
    /// Whichever of the two it holds, or a name: `customer`, `phone or e-mail`.
    Address,
    /// A part of the phone numbers beside it.
    PhonePart(Beside),
    FirstName,
    /// A first name in a language in which `name` beside it is the last name.
    Vorname,
    LastName,
    /// Of the person, or of whatever stands around it.
    Name,
    FullName,
    /// That they agreed to be written to.
    OptIn,
    /// Kept as metadata under this name.
    Extra(&'static str),
}

/// What the text beside a phone number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The country, by its name, letters or calling code.
    Country,
    /// An area code.
    Area,
    /// Either.
    Prefix,
}

/// A field of a person, as the name of a column or the title of a question asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonField {
    /// A phone number; the least rank takes messages best.
    Phone(u8),
    /// An e-mail address, with its rank.
    Email(u8),
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The whole name.
    Name,
    /// The country where they live.
    Country,
    /// A part of the phone number beside it.
    PhonePart(Beside),
}

/// The field of a person that a name or a title asks for, in six languages.
pub fn person_field(name: &str) -> Option<PersonField> {
    Some(match meaning(name)? {
        Field::Phone(rank) => PersonField::Phone(rank),
        Field::Email(rank) => PersonField::Email(rank),
        Field::FirstName | Field::Vorname => PersonField::FirstName,
        Field::LastName => PersonField::LastName,
        Field::Name | Field::FullName => PersonField::Name,
        Field::Extra("country") => PersonField::Country,
        Field::PhonePart(part) => PersonField::PhonePart(part),
        Field::Address | Field::OptIn | Field::Extra(_) => return None,
    })
}

/// The rank from which an address is a second choice, wherever in the body it stands.
pub(super) const LESSER: u8 = 3;
/// The rank of an address that is taken when there is no other of either kind.
pub(super) const LAST_RESORT: u8 = 4;
/// The rank of an address to which a mail went: the business's, unless there is no other at all.
const ADDRESSEE: u8 = 5;

/// What a name or a title says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Field(Field),
    /// It is known, and is no field of the person: `email_verified`, `host_phone`.
    Other,
    /// Nothing that is known.
    Nothing,
}

/// Whose an object is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The person that a body is about.
    Customer,
    /// The same, unless it is somebody of the business inside whose object it stands.
    Contact,
    /// The fields of whose object it stands in.
    Holder,
    /// Somebody of the business, whose fields are not read.
    Staff,
    /// A user of the sender's product: somebody of the business, unless the body is
    /// about users.
    User,
    /// Somebody else, or a thing.
    Elsewhere,
    Unknown,
}

/// The words in which a name asks for a phone number or an e-mail address.
const PHONES: [Word; 3] = [Word::WhatsApp, Word::Mobile, Word::Phone];
/// Whose a name may be and still be the person's.
const WHOSE: [Word; 5] = [Word::Customer, Word::Guest, Word::Person, Word::Contact, Word::Holder];

/// The field that a name or a title stands for, if any.
pub(super) fn meaning(name: &str) -> Option<Field> {
    match meaning_of(&Words::of(name)) {
        Meaning::Field(field) => Some(field),
        Meaning::Other | Meaning::Nothing => None,
    }
}

/// What the words of a name or a title say.
pub(super) fn meaning_of(words: &Words) -> Meaning {
    let is_address = words.has(Word::Email) || words.has_any(&PHONES);
    let is_name = words.has_any(&[Word::Name, Word::Nome, Word::Nom, Word::Called])
        || words.has_any(&[Word::FirstName, Word::Vorname, Word::LastName]);
    let is_of_copies = words.has(Word::Copy) && !words.has_any(&PHONES) && (is_address || !is_name);
    let is_of_another = is_of_copies || is_of_addressee(words, Word::Name);
    if words.has(Word::Elsewhere) || is_of_another || role_of(words) == Role::Staff {
        return Meaning::Other;
    }
    if is_of_answers(words) {
        return Meaning::Field(Field::Email(LAST_RESORT));
    }
    if is_opt_in(words) {
        return Meaning::Field(Field::OptIn);
    }
    // `Email ID` is an address in India.
    let is_about = words.has_any(&[Word::About, Word::OptIn, Word::Consent])
        || (words.has(Word::Id) && !words.has(Word::Email))
        || (words.has(Word::Message) && !words.has_any(&[Word::Number, Word::Called]));
    if is_about {
        return if is_address || is_name { Meaning::Other } else { Meaning::Nothing };
    }
    let field = if is_address {
        Some(address(words))
    } else {
        part_of_phone(words).or_else(|| extra(words)).or_else(|| number(words)).or_else(|| name(words))
    };
    match field.or_else(|| whole(words)) {
        Some(field) => Meaning::Field(field),
        None if is_name => Meaning::Other,
        None => Meaning::Nothing,
    }
}

/// Whether a name asks for a phone number, whoever's.
pub(super) fn asks_for_phone(words: &Words) -> bool {
    words.has_any(&PHONES)
}

/// Whose the object of that name is.
pub(super) fn role_of(words: &Words) -> Role {
    if words.has(Word::Elsewhere) || (words.has(Word::Copy) && words.are_only(&[Word::Copy])) {
        return Role::Elsewhere;
    }
    // `contact owner` is the owner, and so is `owner contact`.
    match words.last_of(&[Word::Staff, Word::Customer, Word::Guest]) {
        Some(Word::Staff) => return Role::Staff,
        Some(_) => return Role::Customer,
        None => {}
    }
    if words.has_any(&[Word::Contact, Word::Person]) {
        Role::Contact
    } else if words.has(Word::Holder) {
        Role::Holder
    } else if words.has(Word::User) && words.are_only(&[Word::User]) {
        Role::User
    } else {
        Role::Unknown
    }
}

/// `opt_in`, `whatsapp_consent`: of a consent to be written to where we write. One to mails, to
/// terms or to anything is none.
fn is_opt_in(words: &Words) -> bool {
    let channels = [Word::WhatsApp, Word::Mobile];
    let asks = words.has(Word::OptIn) || (words.has(Word::Consent) && words.has_any(&channels));
    asks && words.are_only(&[Word::OptIn, Word::Consent, Word::WhatsApp, Word::Mobile])
}

/// `to_email`, `phoneTo`: of the one to whom a message went.
fn is_of_addressee(words: &Words, what: Word) -> bool {
    words.are(&[Word::To, what]) || words.are(&[what, Word::To])
}

/// `reply_to`, `Reply-To E-Mail`.
fn is_of_answers(words: &Words) -> bool {
    let has_more = words.has_any(&[Word::To, Word::Email]);
    words.first() == Some(Word::Reply) && has_more && words.are_only(&[Word::Reply, Word::Email])
}

fn address(words: &Words) -> Field {
    let is_phone = words.has_any(&PHONES);
    let is_user = words.has(Word::User) && !words.has_any(&WHOSE);
    let is_lesser = words.has_any(&[Word::Company, Word::Lesser]);
    if is_phone && words.has(Word::Email) {
        return Field::Address;
    }
    if !is_phone {
        if is_of_addressee(words, Word::Email) {
            return Field::Email(ADDRESSEE);
        }
        let rank = if is_lesser { LESSER } else { u8::from(words.has(Word::Work)) };
        return Field::Email(if is_user { LAST_RESORT } else { rank });
    }
    if let Some(part) = part_of_phone(words) {
        return part;
    }
    let rank = match () {
        () if PHONES.iter().any(|word| is_of_addressee(words, *word)) => ADDRESSEE,
        () if is_user => LAST_RESORT,
        () if is_lesser => LESSER,
        () if words.has(Word::WhatsApp) => 0,
        () if words.has(Word::Mobile) => 1,
        () => 2,
    };
    Field::Phone(rank)
}

/// `phone_country_code`, `Prefisso`, `area code`; but not `phone with country code`.
fn part_of_phone(words: &Words) -> Option<Field> {
    const PARTS: [Word; 8] = [
        Word::Prefix,
        Word::Dial,
        Word::Code,
        Word::Number,
        Word::Country,
        Word::Call,
        Word::Area,
        Word::AreaCode,
    ];
    let is_phone = words.has_any(&PHONES);
    if words.has(Word::With) || !(is_phone || words.are_only(&[PARTS.as_slice(), &WHOSE].concat())) {
        return None;
    }
    let is_country = words.has(Word::Country) && (is_phone || words.has(Word::Prefix));
    Some(Field::PhonePart(match () {
        () if words.has(Word::AreaCode) || (is_phone && words.has(Word::Area)) => Beside::Area,
        () if is_country || words.has(Word::Dial) || (words.has(Word::Call) && words.has(Word::Code)) => {
            Beside::Country
        }
        () if words.has(Word::Prefix) || (is_phone && words.has(Word::Code)) => Beside::Prefix,
        () => return None,
    }))
}

/// `text_reminder_number`, `contact number`, «Il tuo numero»: a number of which
/// nothing says that it counts something.
fn number(words: &Words) -> Option<Field> {
    let asks = words.has_any(&[Word::Call, Word::Contact, Word::Work, Word::Your]);
    let is_only = words.are_only(&[Word::Number, Word::Call, Word::Contact, Word::Work]);
    (words.has(Word::Number) && asks && is_only).then_some(Field::Phone(LESSER))
}

fn name(words: &Words) -> Option<Field> {
    if words.has_any(&[Word::Thing, Word::User, Word::Company, Word::Lesser, Word::Number, Word::Code]) {
        return None;
    }
    let any_name = words.has_any(&[Word::Name, Word::Nome, Word::Nom]);
    let vorname = words.has(Word::Vorname);
    // A bare `name` is anything's: of the product, of the dog.
    let is_bare = words.are_only(
        &[
            WHOSE.as_slice(),
            &[
                Word::Name,
                Word::Nome,
                Word::Nom,
                Word::First,
                Word::Last,
                Word::Full,
                Word::Called,
                Word::Call,
            ],
            &[Word::FirstName, Word::Vorname, Word::LastName, Word::With, Word::Message],
        ]
        .concat(),
    );
    // `First and last name`, but not `last order name`.
    let in_two = |word| is_bare && words.has(word) && (any_name || words.has(Word::LastName));
    let first = words.has(Word::FirstName) || in_two(Word::First);
    let last = words.has(Word::LastName) || in_two(Word::Last);
    Some(match () {
        () if last && (first || vorname || words.has(Word::Nome)) => Field::FullName,
        // `Name and surname`, «Nom et prénom».
        () if words.has(Word::LastName) && words.has(Word::Name) => Field::FullName,
        () if vorname && words.has_any(&[Word::Nom, Word::Name]) => Field::FullName,
        () if last => Field::LastName,
        () if vorname && !any_name => Field::Vorname,
        () if first || vorname => Field::FirstName,
        () if !is_bare => return None,
        () if words.has(Word::Full) && (any_name || words.are_only(&[Word::Full])) => Field::FullName,
        () if words.has(Word::Called) || words.has_any(&WHOSE) || words.has(Word::Your) => {
            if words.has_any(&[Word::Name, Word::Called]) { Field::FullName } else { native(words)? }
        }
        () if words.has(Word::Name) => Field::Name,
        () if words.has_any(&[Word::Nom, Word::Nome]) => native(words)?,
        () if words.are_only(&[Word::First]) && words.has(Word::First) => Field::FirstName,
        () if words.are_only(&[Word::Last]) && words.has(Word::Last) => Field::LastName,
        () => return None,
    })
}

/// `Nom`, which is the last name, and «Nome», which is the first.
fn native(words: &Words) -> Option<Field> {
    match () {
        () if words.has(Word::Nom) => Some(Field::LastName),
        () if words.has(Word::Nome) => Some(Field::FirstName),
        () => None,
    }
}

fn extra(words: &Words) -> Option<Field> {
    let names = [Word::Name, Word::Nome, Word::Nom, Word::Called, Word::Code];
    let is_only = |word| words.has(word) && words.are_only(&[names.as_slice(), &[word], &WHOSE].concat());
    Some(Field::Extra(match () {
        () if is_only(Word::Company) && !words.has(Word::Code) => "company",
        () if is_only(Word::City) => "city",
        () if is_only(Word::Country) => "country",
        () if is_only(Word::Language) => "language",
        () => return None,
    }))
}

/// `customer`, `Attendee`, «Ospite»: the person, in one text.
fn whole(words: &Words) -> Option<Field> {
    let persons = [Word::Customer, Word::Guest, Word::Person, Word::Contact];
    (words.has_any(&persons) && words.are_only(&persons)).then_some(Field::Address)
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
