//! Names of keys and titles of questions, in all spellings and languages.

use super::*;

#[track_caller]
fn check(cases: &[(&str, Option<Field>)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(name, want)| meaning(name) != *want)
        .map(|(name, want)| format!("{name}: {:?}, not {want:?}", meaning(name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const FIRST: Option<Field> = Some(Field::FirstName);
const LAST: Option<Field> = Some(Field::LastName);
const FULL: Option<Field> = Some(Field::FullName);
const NAME: Option<Field> = Some(Field::Name);
const EMAIL: Option<Field> = Some(Field::Email(0));
const PHONE: Option<Field> = Some(Field::Phone(2));
const MOBILE: Option<Field> = Some(Field::Phone(1));
const WHATSAPP: Option<Field> = Some(Field::Phone(0));

#[test]
fn keys_in_all_spellings() {
    check(&[
        ("first_name", FIRST),
        ("firstName", FIRST),
        ("First Name", FIRST),
        ("FNAME", FIRST),
        ("LNAME", LAST),
        ("billing_first_name", FIRST),
        ("customer_lastname", LAST),
        ("Name (First)", FIRST),
        ("Cognome", LAST),
        ("your-name", FULL),
        ("name", NAME),
        ("name-1", NAME),
        ("q3_name", NAME),
        ("et_pb_contact_name_0", FULL),
        ("client_name", FULL),
        ("wpforms-name", NAME),
        ("Question 3: Name", NAME),
        ("form_fields[name]", NAME),
        ("field_name", NAME),
        ("e-mail", EMAIL),
        ("Email ID", EMAIL),
        ("customer_email", EMAIL),
        ("invitee_email", EMAIL),
        ("contact_email", EMAIL),
        ("q5_email", EMAIL),
        ("No Label email", EMAIL),
        ("field:email_c3d4", EMAIL),
        ("EMAIL", EMAIL),
        ("work_email", Some(Field::Email(1))),
        ("q4_phoneNumber", PHONE),
        ("q4_phoneNumber12", PHONE),
        ("No Label phone", PHONE),
        ("tel-731", PHONE),
        ("tel_2", PHONE),
        ("phone1", PHONE),
        ("01_telefono", PHONE),
        ("telephone", PHONE),
        ("PHONE_NUMBER", PHONE),
        ("field_phone", PHONE),
        ("phone_mobile", MOBILE),
        ("smsReminderNumber", MOBILE),
        ("text_reminder_number", Some(Field::Phone(LESSER))),
        ("contact_number", Some(Field::Phone(LESSER))),
        ("hs_whatsapp_phone_number", WHATSAPP),
        ("countryCode", Some(Field::Extra("country"))),
        ("phone_country_code", Some(Field::PhonePart(Beside::Country))),
        ("dial_code", Some(Field::PhonePart(Beside::Country))),
        ("phonePrefix", Some(Field::PhonePart(Beside::Prefix))),
        ("Prefisso", Some(Field::PhonePart(Beside::Prefix))),
        ("area_code", Some(Field::PhonePart(Beside::Area))),
        ("customer", Some(Field::Address)),
        ("user_email", Some(Field::Email(LAST_RESORT))),
    ]);
}

#[test]
fn titles_in_english_and_italian() {
    check(&[
        ("What is your first name?", FIRST),
        ("Your best email", EMAIL),
        ("Best phone number to reach you on", PHONE),
        ("First and last name", FULL),
        ("Mobile phone (with country code)", MOBILE),
        ("Phone or e-mail", Some(Field::Address)),
        ("Il tuo nome", FIRST),
        ("Nome *", FIRST),
        ("Nome <span class=\"req\">*</span>", FIRST),
        ("Nome (come da documento)", FIRST),
        ("nomeecognome", FULL),
        ("numeroditelefono", PHONE),
        ("Qual è il tuo cognome?", LAST),
        ("Nome e cognome", FULL),
        ("NOME E COGNOME (obbligatorio)", FULL),
        ("Come ti chiami?", FULL),
        ("La tua email", EMAIL),
        ("Indirizzo e-mail:", EMAIL),
        ("Posta elettronica", EMAIL),
        ("Il tuo numero di telefono", PHONE),
        ("il_tuo_numero_di_telefono?", PHONE),
        ("Recapito telefonico", PHONE),
        ("Il tuo numero", Some(Field::Phone(LESSER))),
        ("Telefono (WhatsApp)", WHATSAPP),
        ("Lasciaci il tuo numero WhatsApp", WHATSAPP),
        ("Numero di cellulare *", MOBILE),
    ]);
}

#[test]
fn titles_in_spanish_and_portuguese() {
    check(&[
        ("Nombre", FIRST),
        ("Nombre y apellidos", FULL),
        ("Nombre completo", FULL),
        ("¿Cómo te llamas?", FULL),
        ("Apellidos", LAST),
        ("Correo electrónico", EMAIL),
        ("Tu teléfono móvil", MOBILE),
        ("Tu tele\u{301}fono", PHONE),
        ("Número de teléfono", PHONE),
        ("Seu nome completo", FULL),
        ("Sobrenome", LAST),
        ("Endereço de e-mail", EMAIL),
        ("Celular / WhatsApp", WHATSAPP),
        ("Telefone celular com DDD", MOBILE),
        ("Tu número", Some(Field::Phone(LESSER))),
        ("Telemóvel", MOBILE),
        ("Número de telefone", PHONE),
    ]);
}

#[test]
fn titles_in_french_and_german() {
    check(&[
        ("Prénom", Some(Field::Vorname)),
        ("Pre\u{301}nom", Some(Field::Vorname)),
        ("Nom", LAST),
        ("Votre nom", LAST),
        ("Nom de famille", LAST),
        ("Nom et prénom", FULL),
        ("Prénom et nom", FULL),
        ("Nom complet", FULL),
        ("Adresse électronique", EMAIL),
        ("Courriel", EMAIL),
        ("Numéro de téléphone portable", MOBILE),
        ("Téléphone", PHONE),
        ("Vorname", Some(Field::Vorname)),
        ("Nachname", LAST),
        ("Vor- und Nachname", FULL),
        ("Vollständiger Name", FULL),
        ("Wie heißen Sie?", FULL),
        ("Ihr Name", FULL),
        ("E-Mail-Adresse", EMAIL),
        ("Telefonnummer", PHONE),
        ("Ihre Handynummer:", MOBILE),
        ("Rückrufnummer", Some(Field::Phone(LESSER))),
    ]);
}

#[test]
fn companies_and_places() {
    check(&[
        ("Telefono azienda", Some(Field::Phone(LESSER))),
        ("Nome azienda", Some(Field::Extra("company"))),
        ("Ragione sociale", Some(Field::Extra("company"))),
        ("Firmenname", Some(Field::Extra("company"))),
        ("Nom de l'entreprise", Some(Field::Extra("company"))),
        ("What is your company name?", Some(Field::Extra("company"))),
        ("Città", Some(Field::Extra("city"))),
    ]);
}

#[test]
fn false_friends() {
    let names = [
        "username",
        "user_name",
        "Nome utente",
        "file_name",
        "event_name",
        "Event Name",
        "product name",
        "form_name",
        "campaign_name",
        "ad_name",
        "nickname",
        "last_order_name",
        "email_verified",
        "phone_verified_at",
        "email_opt_in",
        "emailOptIn",
        "email_marketing_consent",
        "phone_type",
        "phone_id",
        "email_domain",
        "WhatsApp message",
        "How did you hear about us",
    ];
    check(&names.map(|name| (name, None)));
}

#[test]
fn numbers_and_addresses_of_others() {
    let names = [
        "Telefonnummer des Notfallkontakts",
        "emergency contact phone",
        "Emergency contact name",
        "Telefono di un amico",
        "ICE phone",
        "Next of kin phone",
        "Contact number in case of emergency",
        "Fax",
        "Phone/Fax",
        "Numero di fax",
        "Nome del cane",
        "Nome (del cane)",
        "Name Ihres Haustieres",
        "Nom du chien",
        "Nombre del evento",
        "Name der Veranstaltung",
        "Nom du produit",
        "Rechnungsnummer",
        "Número de huéspedes",
        "What is your dog's name?",
        "Numero di persone",
        "number of guests",
        "Number of people",
        "numero ordine",
        "Número de pedido",
        "Il tuo numero d'ordine",
        "Bestellnummer",
        "customer_number",
        "number",
        "Numero",
        "utm_source",
        "utm_email_campaign",
        "message",
        "Messaggio",
        "host_name",
        "organizer_email",
        "owner_phone",
        "contact_owner_email",
        "assigned_to_email",
        "agent_phone",
        "Data di nascita",
        "title",
        "",
        "1",
    ];
    check(&names.map(|name| (name, None)));
}

#[test]
fn roles_of_objects() {
    let role = |name: &str| role_of(&Words::of(name));
    for name in [
        "organizer",
        "hosts",
        "owner",
        "contactOwner",
        "assigned_to",
        "assignedTo",
        "assignees",
        "staff",
        "event_memberships",
        "members",
        "team",
        "teamMembers",
        "customer_agent",
        "company_rep",
        "salesRep",
        "organizzatore",
        "Verkäufer",
    ] {
        assert_eq!(role(name), Role::Staff, "{name}");
    }
    for name in [
        "attendees",
        "invitee",
        "event_guests",
        "participants",
        "customer",
        "customer_details",
        "client",
        "buyer",
        "lead",
        "respondent",
        "cliente",
        "Teilnehmer",
    ] {
        assert_eq!(role(name), Role::Customer, "{name}");
    }
    for name in ["contact", "contacts", "person_id", "people", "member"] {
        assert_eq!(role(name), Role::Contact, "{name}");
    }
    for name in ["responses", "billing_address", "properties", "profile"] {
        assert_eq!(role(name), Role::Holder, "{name}");
    }
    assert_eq!((role("user"), role("users"), role("user_data")), (Role::User, Role::User, Role::Unknown));
    assert_eq!((role("emergency_contact"), role("data")), (Role::Elsewhere, Role::Unknown));
}
