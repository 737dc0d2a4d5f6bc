//! Contacts as tests write them.

use domain::contact::NewContact;

/// The nth person's phone number.
pub fn phone(n: usize) -> String {
    format!("+39333{n:07}")
}

/// The nth person: phone, e-mail and name.
pub fn person(n: usize) -> NewContact {
    row(&phone(n), &format!("p{n}@example.com"), &format!("Persona {n}"))
}

/// Somebody who is known by a phone number and a name.
pub fn named(phone: &str, name: &str) -> NewContact {
    row(phone, "", name)
}

/// A row of an import; empty texts are absent.
pub fn row(phone: &str, email: &str, name: &str) -> NewContact {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    NewContact {
        name: given(name),
        phone: given(phone).map(|p| p.parse().unwrap()),
        email: given(email).map(|e| e.parse().unwrap()),
        ..NewContact::default()
    }
}
