//! Rows and facts, and the contacts that come of them.

use proptest::strategy::Strategy;

use super::*;

#[test]
fn two_people_of_one_channel_who_share_an_address_stay_two() {
    let now = Timestamp::UNIX_EPOCH;
    let on = |id: &str, email: &str| NewContact {
        custom: Some(("chat".to_owned(), id.to_owned())),
        email: email.parse().ok(),
        ..NewContact::default()
    };
    let mut book = Book::default();
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        Some(ContactId(next))
    };
    let rows = [on("a", "office@example.com"), on("b", "office@example.com"), on("b", "")];
    let applied = rows.map(|row| book.apply(0, &row, now, &mut fresh).unwrap());
    assert_eq!(applied.each_ref().map(|a| a.id.0), [1, 2, 2]);
    assert_eq!(applied[1].warning, Some(Warning::EmailTaken));
    book.apply(0, &on("c", ""), now, &mut fresh).unwrap();
    let joined = book.apply(0, &on("c", "office@example.com"), now, &mut fresh).unwrap();
    assert_eq!((joined.id.0, joined.warning), (3, Some(Warning::EmailTaken)));
}

fn row(phone: &str, email: &str, name: &str) -> NewContact {
    NewContact {
        name: (!name.is_empty()).then(|| name.to_owned()),
        phone: phone.parse().ok(),
        email: email.parse().ok(),
        ..NewContact::default()
    }
}

fn apply_all(book: &mut Book, rows: &[NewContact]) -> Vec<Applied> {
    let mut next = 100;
    rows.iter()
        .enumerate()
        .map(|(i, r)| {
            let mut fresh = || {
                next += 1;
                Some(ContactId(next))
            };
            book.apply(i, r, Timestamp::UNIX_EPOCH, &mut fresh).unwrap()
        })
        .collect()
}

#[test]
fn the_same_person_twice_is_one_contact() {
    let mut book = Book::default();
    let rows = [row("+393391234567", "", "Mario"), row("+393391234567", "Mario@example.com", "")];
    let applied = apply_all(&mut book, &rows);
    assert_eq!((applied[0].created, applied[1].created), (true, false));
    let contact = book.slot(applied[1].id).unwrap().after.clone().unwrap();
    assert_eq!(contact.name.as_deref(), Some("Mario"));
    assert_eq!(contact.identities().len(), 2);
}

#[test]
fn a_shared_email_stays_with_the_first() {
    let mut book = Book::default();
    let rows =
        [row("+393391234567", "office@example.com", "A"), row("+393391234568", "office@example.com", "B")];
    let applied = apply_all(&mut book, &rows);
    assert!(applied[1].created);
    assert_eq!(applied[1].warning, Some(Warning::EmailTaken));
    assert!(book.slot(applied[1].id).unwrap().after.as_ref().unwrap().email.is_none());
}

#[test]
fn phone_of_one_and_email_of_another_become_one_where_both_fit() {
    let mut book = Book::default();
    let rows = [
        row("+393391234567", "", "A"),
        row("", "b@example.com", "B"),
        row("+393391234567", "b@example.com", ""),
    ];
    let applied = apply_all(&mut book, &rows);
    assert_eq!(applied[2].id, applied[0].id);
    let lost = book.slot(applied[1].id).unwrap();
    assert!(lost.gone && lost.after.is_none());
    let one = book.slot(applied[0].id).unwrap().after.clone().unwrap();
    assert_eq!((one.name.as_deref(), one.absorbed), (Some("A"), vec![applied[1].id]));
}

#[test]
fn a_vacant_id_is_adopted_and_a_stale_pointer_is_not_followed() {
    let mut book = Book::default();
    let phone: crate::PhoneNumber = "+393391234567".parse().unwrap();
    book.load_pointer(Identity::from(&phone), ContactId(7));
    let applied = apply_all(&mut book, &[row("+393391234567", "", "A")]);
    assert_eq!((applied[0].id, applied[0].created), (ContactId(7), true));

    let mut book = Book::default();
    book.load_pointer(Identity::from(&phone), ContactId(7));
    book.load_contact(Contact::empty(ContactId(7), Timestamp::UNIX_EPOCH));
    let applied = apply_all(&mut book, &[row("+393391234567", "", "A")]);
    assert_ne!(applied[0].id, ContactId(7));
}

#[test]
fn merging_the_same_row_again_changes_nothing() {
    let mut book = Book::default();
    let mut new = row("+393391234567", "a@example.com", "A");
    new.tags = vec!["vip".to_owned()];
    new.metadata.insert("k".to_owned(), 1.into());
    apply_all(&mut book, std::slice::from_ref(&new));
    let stored = book.slots().next().unwrap().1.after.clone().unwrap();
    let mut again = Book::default();
    for identity in stored.identities() {
        again.load_pointer(identity, stored.id);
    }
    again.load_contact(stored);
    apply_all(&mut again, &[new]);
    assert!(!again.slots().next().unwrap().1.changed());
}

/// Something that becomes known about people.
#[derive(Debug, Clone)]
enum Fact {
    /// A provider knows that these identities are one person's.
    Proof(Vec<usize>),
    /// Whoever has this identity says STOP, or START, at a time of its own.
    Word(usize, bool),
}

/// Identities that a provider may know somebody by.
fn identity_of(n: usize) -> Identity {
    match n % 3 {
        0 => Identity::from(&format!("+3934712345{n:02}").parse::<crate::PhoneNumber>().unwrap()),
        1 => Identity::Bsuid(format!("IT.{n}")),
        _ => Identity::Lid(format!("{n}@lid")),
    }
}

fn proof_of(identities: &[usize]) -> NewContact {
    NewContact::known_by(&identities.iter().map(|n| identity_of(*n)).collect::<Vec<_>>())
}

/// Who is one person with whom, and whether they want no messages, after these facts.
fn people(facts: &[(usize, Fact)]) -> std::collections::BTreeSet<(Vec<String>, bool)> {
    let mut book = Book::default();
    let mut next = 0;
    for (at, fact) in facts {
        let mut fresh = || {
            next += 1;
            Some(ContactId(next))
        };
        let (new, word) = match fact {
            Fact::Proof(identities) => (proof_of(identities), None),
            Fact::Word(whose, wanted) => (proof_of(&[*whose]), Some(*wanted)),
        };
        let id = book.apply(0, &new, Timestamp::UNIX_EPOCH, &mut fresh).unwrap().id;
        let consent = &mut book.contact_mut(id).unwrap().consent;
        let at_ms = i64::try_from(*at).unwrap();
        let proof = crate::consent::ConsentProof { at_ms, source: "keyword".to_owned(), detail: None };
        match word {
            Some(true) => drop(consent.resume(proof)),
            Some(false) => drop(consent.opt_out(proof)),
            None => {}
        }
    }
    let person = |(_, slot): (ContactId, &Slot)| {
        let contact = slot.after.as_ref()?;
        let mut identities: Vec<String> = contact.identities().iter().map(Identity::encode).collect();
        identities.sort();
        Some((identities, contact.consent.opt_out.is_some()))
    };
    book.slots().filter_map(person).collect()
}

proptest::proptest! {
    #[test]
    fn any_order_of_facts_gives_the_same_people_and_consents(
        facts in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::collection::vec(0usize..9, 1..4).prop_map(Fact::Proof),
                (0usize..9, proptest::prelude::any::<bool>()).prop_map(|(whose, wanted)| Fact::Word(whose, wanted)),
            ],
            1..10,
        ),
        order in proptest::prelude::any::<u64>(),
    ) {
        let facts: Vec<(usize, Fact)> = facts.into_iter().enumerate().collect();
        let mut mixed = facts.clone();
        mixed.sort_by_key(|(at, _)| order.rotate_left(u32::try_from(*at * 13 % 64).unwrap()) ^ (*at as u64));
        proptest::prop_assert_eq!(people(&facts), people(&mixed));
    }
}
