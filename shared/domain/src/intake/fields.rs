//! The names that senders give to the fields of a person, and their values.

use super::node::Node;

/// What a field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// A phone number; the rank prefers the numbers that take messages.
    Phone(u8),
    Email,
    FirstName,
    LastName,
    FullName,
    /// Kept as metadata under this name.
    Extra(&'static str),
}

/// The meaning of a key, if it has one: `First Name`, `first_name` and
/// `firstName` are the same, in the languages of our users.
pub(super) fn meaning(key: &str) -> Option<Field> {
    let key = squeeze(key);
    // Prefixes that say whose the field is: WooCommerce's flat forms, Contact Form 7.
    let bare = ["billing", "customer", "contact", "your", "primary", "person", "subscriber", "lead"]
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix).filter(|rest| !rest.is_empty()))
        .unwrap_or(&key);
    Some(match bare {
        "whatsapp" | "whatsappnumber" | "whatsappphone" | "whatsappphonenumber" | "hswhatsappphonenumber" => {
            Field::Phone(0)
        }
        "mobile" | "mobilephone" | "mobilephonenumber" | "mobilenumber" | "mobileno" | "cell"
        | "cellphone" | "cellnumber" | "cellulare" | "telefonocellulare" | "numerocellulare" | "celular"
        | "movil" | "portable" | "handy" => Field::Phone(1),
        "phone" | "phones" | "phonenumber" | "phonenumbers" | "phoneno" | "tel" | "telephone"
        | "telephonenumber" | "telefono" | "numerotelefono" | "numeroditelefono" | "recapitotelefonico"
        | "telefon" | "telefone" | "msisdn" | "personalphone" | "homephone" | "workphone"
        | "businessphone" => Field::Phone(2),
        "email" | "emails" | "emailaddress" | "emailaddresses" | "mail" | "emailid" | "useremail"
        | "useremailaddress" | "receiptemail" | "workemail" | "personalemail" | "indirizzoemail"
        | "correo" => Field::Email,
        "firstname" | "fname" | "givenname" | "forename" | "vorname" | "prenom" | "nome" | "first" => {
            Field::FirstName
        }
        "lastname" | "lname" | "familyname" | "surname" | "cognome" | "nachname" | "apellido"
        | "apellidos" | "last" => Field::LastName,
        "name" | "fullname" | "displayname" | "nomecompleto" | "nomeecognome" | "nominativo" => {
            Field::FullName
        }
        "company" | "companyname" | "azienda" => Field::Extra("company"),
        "city" | "citta" | "città" => Field::Extra("city"),
        "country" | "countrycode" => Field::Extra("country"),
        "language" | "locale" | "lang" | "preferredlocale" => Field::Extra("language"),
        _ => return None,
    })
}

/// The meaning of a form's question, `What is your first name?`, by the words in it.
pub(super) fn meaning_of_question(text: &str) -> Option<Field> {
    if let Some(field) = meaning(text) {
        return Some(field);
    }
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    if has(&[
        "company", "azienda", "business", "product", "prodotto", "event", "evento", "pet", "user", "username",
    ]) {
        return None;
    }
    Some(match () {
        () if has(&["email", "mail"]) => Field::Email,
        () if has(&["whatsapp"]) => Field::Phone(0),
        () if has(&["mobile", "cellulare", "cell"]) => Field::Phone(1),
        () if has(&["phone", "telefono", "telephone"]) => Field::Phone(2),
        () if has(&["cognome", "surname"]) && has(&["nome", "name"]) => Field::FullName,
        () if has(&["cognome", "surname", "lastname"]) || (has(&["last", "family"]) && has(&["name"])) => {
            Field::LastName
        }
        () if has(&["firstname"]) || (has(&["first", "given"]) && has(&["name"])) => Field::FirstName,
        () if has(&["name", "nome", "chiami"]) => Field::FullName,
        () => return None,
    })
}

/// Letters and digits alone, in lower case.
pub(super) fn squeeze(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).take(48).flat_map(char::to_lowercase).collect()
}

/// The texts of a value, the primary ones first: a text, a list of them, or
/// objects such as `{"value": "...", "primary": true}`.
pub(super) fn texts(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    collect(node, 0, &mut found);
    found
}

fn collect(node: &Node, depth: u8, found: &mut Vec<String>) {
    if depth > 3 || found.len() > 20 || node.is_blank() {
        return;
    }
    match node {
        Node::Text(text) | Node::Number(text) => found.push(text.trim().to_owned()),
        Node::List(items) => {
            let (primary, others): (Vec<&Node>, Vec<&Node>) = items.iter().partition(|item| is_primary(item));
            primary.into_iter().chain(others).for_each(|item| collect(item, depth + 1, found));
        }
        Node::Map(_) => from_object(node, depth, found),
        Node::Null | Node::Bool(_) => {}
    }
}

fn from_object(node: &Node, depth: u8, found: &mut Vec<String>) {
    const VALUES: [&str; 10] = [
        "value",
        "values",
        "e164",
        "number",
        "phone",
        "phone_number",
        "email",
        "email_address",
        "address",
        "text",
    ];
    if let Some(number) = split_number(node) {
        return found.push(number);
    }
    match VALUES.iter().find_map(|key| node.get(key)) {
        Some(value) => collect(value, depth + 1, found),
        // A list that came as a form: phone[0]=...
        None => {
            let indexed = node.entries().iter().filter(|(key, _)| key.bytes().all(|b| b.is_ascii_digit()));
            indexed.for_each(|(_, value)| collect(value, depth + 1, found));
        }
    }
}

/// `{"country_code": "39", "number": "3391234567"}`.
fn split_number(node: &Node) -> Option<String> {
    let code =
        ["country_code", "countryCode", "dial_code", "calling_code"].iter().find_map(|key| node.text(key))?;
    let number =
        ["number", "phone", "phone_number", "national_number"].iter().find_map(|key| node.text(key))?;
    let code = code.trim_start_matches(['+', '0']);
    let is_code = !code.is_empty() && code.len() <= 3 && code.bytes().all(|b| b.is_ascii_digit());
    (is_code && !number.starts_with('+') && !number.starts_with("00")).then(|| format!("+{code} {number}"))
}

fn is_primary(node: &Node) -> bool {
    ["primary", "is_primary", "isPrimary", "default"].iter().any(|key| match node.get(key) {
        Some(Node::Bool(yes)) => *yes,
        Some(Node::Number(text) | Node::Text(text)) => text == "1" || text == "true",
        Some(Node::Null | Node::List(_) | Node::Map(_)) | None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_all_spellings() {
        for (key, want) in [
            ("first_name", Some(Field::FirstName)),
            ("firstName", Some(Field::FirstName)),
            ("First Name", Some(Field::FirstName)),
            ("billing_first_name", Some(Field::FirstName)),
            ("Cognome", Some(Field::LastName)),
            ("your-name", Some(Field::FullName)),
            ("name", Some(Field::FullName)),
            ("e-mail", Some(Field::Email)),
            ("customer_email", Some(Field::Email)),
            ("Numero di telefono", Some(Field::Phone(2))),
            ("hs_whatsapp_phone_number", Some(Field::Phone(0))),
            ("countryCode", Some(Field::Extra("country"))),
            ("username", None),
            ("file_name", None),
            ("email_verified", None),
            ("phone_verified_at", None),
        ] {
            assert_eq!(meaning(key), want, "{key}");
        }
    }

    #[test]
    fn questions() {
        for (text, want) in [
            ("What is your first name?", Some(Field::FirstName)),
            ("Qual è il tuo cognome?", Some(Field::LastName)),
            ("Nome e cognome", Some(Field::FullName)),
            ("Come ti chiami?", Some(Field::FullName)),
            ("Your best email", Some(Field::Email)),
            ("Lasciaci il tuo numero WhatsApp", Some(Field::Phone(0))),
            ("What is your company name?", None),
            ("How did you hear about us?", None),
        ] {
            assert_eq!(meaning_of_question(text), want, "{text}");
        }
    }

    #[test]
    fn values_in_all_shapes() {
        for (json, want) in [
            (r#""a""#, vec!["a"]),
            ("391234567", vec!["391234567"]),
            (r#"[{"value": "a", "primary": false}, {"value": "b", "primary": true}]"#, vec!["b", "a"]),
            (r#"{"value": {"value": "a"}}"#, vec!["a"]),
            (r#"[" a ", null, "NULL", ["b"]]"#, vec!["a", "b"]),
            (r#"{"countryCode": "+39", "number": "3391234567"}"#, vec!["+39 3391234567"]),
            (r#"{"countryCode": "IT", "number": "3391234567"}"#, vec!["3391234567"]),
            (r#"{"0": {"value": "a"}, "1": "b"}"#, vec!["a", "b"]),
            (r#"{"label": "work"}"#, vec![]),
            ("true", vec![]),
        ] {
            let node = Node::parse(json).unwrap();
            assert_eq!(texts(&node), want, "{json}");
        }
    }
}
