//! A sample of every sender, then bodies that are none.

mod bookings;
mod crms;
mod forms;
mod people;

use proptest::prelude::*;

use super::*;

const JSON: Option<&str> = Some("application/json");

fn italy() -> Option<CallingCode> {
    CallingCode::parse("39").ok()
}

fn payload<'a>(body: &'a [u8], headers: &'a [(&'a str, &'a str)]) -> Payload<'a> {
    Payload { body, content_type: JSON, source: None, headers, country: italy() }
}

/// The contacts of a reading as `name | phone | email`, with the tag before them.
fn shown(reading: &Reading) -> String {
    match reading {
        Reading::Ignored { source, reason, .. } => format!("{source}: ignored, {reason}"),
        Reading::Found { source, contacts, .. } => {
            let one = |c: &Found| {
                let phone = c.phone.as_ref().map_or("-", PhoneNumber::as_str);
                let email = c.email.as_ref().map_or("-", EmailAddress::as_str);
                format!("{} | {phone} | {email}", c.name.as_deref().unwrap_or("-"))
            };
            format!("{source}: {}", contacts.iter().map(one).collect::<Vec<_>>().join("; "))
        }
    }
}

/// What a JSON body holds for an account of Italy.
fn of_json(body: &str) -> String {
    shown(&read(&payload(body.as_bytes(), &[])))
}

/// What a form holds, of fields as they are typed.
fn of_form(fields: &[(&str, &str)]) -> String {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let content_type = Some("application/x-www-form-urlencoded");
    shown(&read(&Payload { content_type, ..payload(body.as_bytes(), &[]) }))
}

/// What a form in several parts holds.
fn of_parts(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!("{}--b--\r\n", fields.iter().map(part).collect::<String>());
    let content_type = Some("multipart/form-data; boundary=b");
    shown(&read(&Payload { content_type, ..payload(body.as_bytes(), &[]) }))
}

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("samples/", $name, ".json")).as_slice()
    };
}

#[test]
fn shops() {
    let shopify = |topic| [("User-Agent", "Shopify-Captain-Hook"), ("X-Shopify-Topic", topic)];
    let woo =
        |topic| [("user-agent", "WooCommerce/9.4.2 Hookshot (WordPress/6.7)"), ("x-wc-webhook-topic", topic)];
    for (body, headers, want) in [
        (
            sample!("shopify_customer"),
            shopify("customers/create"),
            "shopify: Giulia Ferrari | +393395550101 | giulia.ferrari@example.com",
        ),
        (
            sample!("shopify_order"),
            shopify("orders/create"),
            "shopify: John Smith | +15555550101 | john@example.com",
        ),
        (
            sample!("shopify_customer"),
            shopify("customers/redact"),
            "shopify: ignored, the record was deleted",
        ),
        (
            sample!("shopify_customer"),
            shopify("shop/update"),
            "shopify: ignored, `shop/update` is not about a customer",
        ),
        (
            sample!("woocommerce_order"),
            woo("order.created"),
            "woocommerce: Marco Bianchi | +393931234567 | marco.bianchi@example.com",
        ),
        (
            sample!("woocommerce_customer"),
            woo("customer.updated"),
            "woocommerce: Sofie Müller | +4915123456789 | sofie.mueller@example.com",
        ),
        (br#"{"id": 25}"#, woo("customer.deleted"), "woocommerce: ignored, the record was deleted"),
        (
            br#"{"id": 1, "name": "Mug"}"#,
            woo("product.updated"),
            "woocommerce: ignored, `product.updated` is not about a customer",
        ),
        (b"webhook_id=12", woo("order.created"), "woocommerce: ignored, a ping without data"),
    ] {
        assert_eq!(shown(&read(&payload(body, &headers))), want);
    }
}

#[test]
fn crms_and_forms_are_known_by_their_shape() {
    for (body, want) in [
        (sample!("shopify_order"), "shopify: John Smith | +15555550101 | john@example.com"),
        (
            sample!("hubspot_events"),
            "hubspot: Elena Conti | +393475550103 | elena.conti@example.com; - | - | paolo.verdi@example.com",
        ),
        (
            sample!("hubspot_creation"),
            "hubspot: ignored, the event carries the id of a record but none of its fields",
        ),
        (sample!("hubspot_workflow"), "hubspot: Davide Riva | +393485550104 | davide.riva@example.com"),
        (sample!("klaviyo_profile"), "klaviyo: Sara Galli | +393495550105 | sara.galli@example.com"),
        (
            sample!("klaviyo_events"),
            "klaviyo: Luca Moro | - | luca.moro@example.com; Irene | +393495550107 | irene.fontana@example.com",
        ),
        (sample!("pipedrive_v1"), "pipedrive: Federica Sala | +393475550106 | federica.sala@example.com"),
        (sample!("pipedrive_v2"), "pipedrive: Tommaso Greco | +393485550108 | tommaso.greco@example.com"),
        (sample!("pipedrive_deleted"), "pipedrive: ignored, the record was deleted"),
        (sample!("stripe_checkout"), "stripe: Anna Russo | +393335550109 | anna.russo@example.com"),
        (sample!("stripe_customer"), "stripe: Oliver Jones | +447700900123 | oliver.jones@example.com"),
        (sample!("stripe_charge"), "stripe: Chloé Martin | +33612345678 | chloe.martin@example.com"),
        (sample!("typeform"), "typeform: Chiara De Luca | +393475550110 | chiara.deluca@example.com"),
    ] {
        assert_eq!(shown(&read(&payload(body, &[]))), want);
        assert_eq!(shown(&read(&payload(body, &[("user-agent", "curl/8.5.0")]))), want);
    }
}

#[test]
fn unknown_senders_are_searched() {
    for (body, want) in [
        (sample!("unknown_nested"), "webhook: Roberto Fabbri | +393475550111 | roberto.fabbri@example.com"),
        (sample!("unknown_pairs"), "webhook: Valentina Neri | +393495550112 | valentina.neri@example.com"),
        (sample!("unknown_list"), "webhook: Aldo Serra | +393495550113 | -; Bea | +393495550114 | bea@example.com"),
        (
            br#"{"email": "jon@example.com", "customer": {"first_name": "Jon", "last_name": "Snow", "phone": "+391234567890"}}"#,
            "webhook: Jon Snow | +391234567890 | jon@example.com",
        ),
        (
            br#"{"name": "Order 12", "customer": {"name": "Ada Villa", "email": "ada@example.com"}}"#,
            "webhook: Ada Villa | - | ada@example.com",
        ),
        (
            br#"{"fields": {"name": {"id": "name", "value": "Ugo Pini"}, "tel": {"id": "tel", "value": "3475550115"}}}"#,
            "webhook: Ugo Pini | +393475550115 | -",
        ),
        (
            br#"{"first_name": "{{ first_name }}", "last_name": "Null", "email": "n@example.com", "phone": true}"#,
            "webhook: Null | - | n@example.com",
        ),
        (
            br#"{"email": "a@example.com", "email": null, "phone": "+393475550116", "phone": "", "phone": "NULL"}"#,
            "webhook: - | +393475550116 | a@example.com",
        ),
        (
            br#"{"phone": "+393475550117", "phone": "+393475550118", "name": "Ida"}"#,
            "webhook: Ida | +393475550118 | -",
        ),
        (br#"{"name": "Ivo", "surname": "Pace", "email": "i@example.com"}"#, "webhook: Ivo Pace | - | i@example.com"),
        (br#"{"phone": "12", "email": "e@example.com"}"#, "webhook: - | - | e@example.com"),
        (br#"{"phone": "12"}"#, "webhook: ignored, phone must have 8 to 15 digits with its country code"),
        (br#"{"email": "nobody"}"#, "webhook: ignored, email is not a valid e-mail address"),
        (br#"{"event": "ping", "zen": "hello"}"#, "webhook: ignored, no phone number and no e-mail address was found"),
        (br#"{"product": {"email": "shop@example.com"}}"#, "webhook: ignored, no phone number and no e-mail address was found"),
    ] {
        assert_eq!(shown(&read(&payload(body, &[]))), want);
    }
}

#[test]
fn forms() {
    let form = |body: &str| {
        let payload = Payload {
            body: body.as_bytes(),
            content_type: Some("application/x-www-form-urlencoded"),
            source: Some("landing"),
            headers: &[],
            country: italy(),
        };
        shown(&read(&payload))
    };
    for (body, want) in [
        (
            "billing_first_name=Ida&billing_last_name=Poli&billing_phone=347+555+0117&billing_email=ida%40example.com",
            "landing: Ida Poli | +393475550117 | ida@example.com",
        ),
        (
            "contact[name]=Ida+Poli&contact[phones][]=%2B393475550117&contact[email]=NULL",
            "landing: Ida Poli | +393475550117 | -",
        ),
        (
            "rawRequest=%7B%22q3_name%22%3A%7B%22first%22%3A%22Ida%22%2C%22last%22%3A%22Poli%22%7D%2C%22email%22%3A%22ida%40example.com%22%7D",
            "landing: Ida Poli | - | ida@example.com",
        ),
        ("{\"email\": \"ida@example.com\"}", "landing: - | - | ida@example.com"),
        ("{\"email\": \"ida@example.com\"", "landing: ignored, the body is neither json nor a form"),
        ("webhook_id=1", "landing: ignored, a ping without data"),
        ("a=b", "landing: ignored, no phone number and no e-mail address was found"),
    ] {
        assert_eq!(form(body), want);
    }
}

#[test]
fn local_numbers_need_a_country() {
    let body = br#"{"name": "Al", "phone": "555-555-5555", "email": "al@example.com"}"#;
    let mut payload = payload(body, &[]);
    assert_eq!(shown(&read(&payload)), "webhook: Al | +395555555555 | al@example.com");
    payload.country = None;
    let Reading::Found { contacts, .. } = read(&payload) else { panic!("ignored") };
    assert_eq!((&contacts[0].phone, contacts[0].notes.len()), (&None, 1));
    payload.body = br#"{"address": {"country": "US"}, "phone": "555-555-5555"}"#;
    assert_eq!(shown(&read(&payload)), "webhook: - | +15555555555 | -");
}

#[test]
fn a_contact_is_tagged_and_carries_what_else_was_said() {
    let Reading::Found { source, mut contacts, .. } = read(&payload(sample!("hubspot_workflow"), &[])) else {
        panic!("ignored")
    };
    let contact =
        contacts.remove(0).into_contact(&source, Some(AccountId(3)), Timestamp::UNIX_EPOCH).check().unwrap();
    assert_eq!((contact.tags, contact.origin), (vec!["hubspot".to_owned()], Some(AccountId(3))));
    assert_eq!(
        (&contact.metadata["company"], &contact.metadata["city"]),
        (&"Riva Arredi".into(), &"Milano".into())
    );
}

#[test]
fn three_megabytes_of_order_lines_do_not_hide_the_customer() {
    let line =
        r#"{"id": 866550311766439020, "name": "Sling Pouch", "price": "199.00", "properties": [1, 2]},"#;
    let lines = line.repeat(3_000_000 / line.len());
    let body = format!(r#"{{"line_items": [{lines}{{}}], "customer": {{"email": "big@example.com"}}}}"#);
    assert!(body.len() > 2_999_000);
    assert_eq!(shown(&read(&payload(body.as_bytes(), &[]))), "webhook: - | - | big@example.com");
    let deep = format!("{}{}", r#"{"a":"#.repeat(400_000), "1");
    assert_eq!(
        shown(&read(&payload(deep.as_bytes(), &[]))),
        "webhook: ignored, the body is neither json nor a form"
    );
    let long_list = format!("[{}]", vec![r#"{"email":"x@example.com"}"#; 100_000].join(","));
    assert_eq!(shown(&read(&payload(long_list.as_bytes(), &[]))), "webhook: - | - | x@example.com");
}

#[test]
fn a_consent_is_kept_with_its_proof() {
    let proof = |body: &str| {
        let Reading::Found { source, mut contacts, .. } = read(&payload(body.as_bytes(), &[])) else {
            panic!("{body}")
        };
        let now = "2026-11-26T12:00:00Z".parse().unwrap();
        let proof = contacts.remove(0).into_contact(&source, None, now).opt_in;
        proof.map(|proof| (proof.at_ms, proof.source, proof.detail))
    };
    let (now, before) = (1_795_694_400_000, 1_795_608_000_000);
    let plain = Some((now, "webhook".to_owned(), None));
    for yes in [
        r#""opt_in": true"#,
        r#""optIn": "yes""#,
        r#""WhatsApp opt-in": "Sì""#,
        r#""whatsapp_consent": 1"#,
        r#""fields": [{"title": "Consenso WhatsApp", "value": "on"}]"#,
    ] {
        assert_eq!(proof(&format!(r#"{{"email": "a@example.com", {yes}}}"#)), plain, "{yes}");
    }
    let dated = r#"{"email": "a@example.com", "opt_in_at": "2026-11-25T12:00:00Z"}"#;
    assert_eq!(proof(dated), Some((before, "webhook".to_owned(), None)));
    let told = r#"{"email": "a@example.com", "opt_in": {"source": "stand", "at": "2026-11-25T13:00:00+01:00", "detail": "foglio 7"}}"#;
    assert_eq!(proof(told), Some((before, "stand".to_owned(), Some("foglio 7".to_owned()))));
    for no in [
        r#""opt_in": false"#,
        r#""opt_in": "no""#,
        r#""opt_in": "declined""#,
        r#""opt_in": {"at": "yesterday", "source": "x"}"#,
        r#""opted_out": true"#,
        r#""email_opt_in": true"#,
        r#""consent": true"#,
        r#""privacy_consent": true"#,
    ] {
        assert_eq!(proof(&format!(r#"{{"email": "a@example.com", {no}}}"#)), None, "{no}");
    }
}

#[test]
fn half_a_character_hides_nobody() {
    for body in [
        r#"{"name":"Sur","phone":"+393485210001","note":"cut \ud83d"}"#,
        r#"{"name":"Sur","phone":"+393485210001","note":"\ude00 cut"}"#,
        r#"payload={"name":"Sur","phone":"+393485210001","note":"cut \ud83d"}"#,
    ] {
        let found = shown(&read(&payload(body.as_bytes(), &[])));
        assert_eq!(found, "webhook: Sur | +393485210001 | -", "{body}");
    }
}

#[test]
fn a_number_that_a_spreadsheet_rounded_is_nobodys() {
    for number in ["3.9348521E+11", "3.93E+11", "393480000000.0"] {
        let body = format!(r#"{{"name":"Sur","phone":{number},"email":"sur@example.com"}}"#);
        assert_eq!(shown(&read(&payload(body.as_bytes(), &[]))), "webhook: Sur | - | sur@example.com");
    }
}

#[test]
fn debug_shows_no_personal_data() {
    let reading = read(&payload(sample!("stripe_checkout"), &[]));
    let text = format!("{reading:?}");
    assert!(
        !text.contains("Anna") && !text.contains("example.com") && !text.contains("3335550109"),
        "{text}"
    );
}

/// Keys that mean something.
const KEYS: [&str; 44] = [
    "phone",
    "email",
    "name",
    "first_name",
    "customer",
    "data",
    "object",
    "properties",
    "value",
    "primary",
    "form_response",
    "answers",
    "type",
    "meta",
    "current",
    "previous",
    "billing",
    "objectId",
    "country",
    "organizer",
    "hosts",
    "user",
    "attendees",
    "contacts",
    "guests",
    "responses",
    "fields",
    "label",
    "title",
    "question",
    "answer",
    "id",
    "1",
    "input_1",
    "phone_country_code",
    "area",
    "number",
    "full",
    "role",
    "location",
    "1_question",
    "1_response",
    "pretty",
    "payload",
];

/// Texts that do.
const TEXTS: [&str; 15] = [
    "",
    "NULL",
    "a@b.it",
    "+393391234567",
    "339 1",
    "profile",
    "event",
    "IT",
    "39",
    "host",
    "1",
    "Telefono",
    "Nome e cognome",
    "outbound_call",
    "{\"email\": \"a@b.it\"}",
];

/// JSON of every shape, with keys that mean something.
fn json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(KEYS.as_slice());
    let text = prop::sample::select(TEXTS.as_slice());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&payload(&body, &[]));
    }

    #[test]
    fn what_is_found_is_a_contact_that_can_be_stored(value in json(), shop in any::<bool>()) {
        let headers = [("x-shopify-topic", "orders/create")];
        let body = value.to_string();
        let payload = payload(body.as_bytes(), if shop { &headers } else { &[] });
        let reading = read(&payload);
        let (Reading::Found { seen, .. } | Reading::Ignored { seen, .. }) = &reading;
        prop_assert!(seen.len() <= MAX_SEEN && seen.iter().all(|name| name.chars().count() <= MAX_SEEN_NAME));
        if let Reading::Found { source, contacts, .. } = reading {
            prop_assert!(!contacts.is_empty() && contacts.len() <= MAX_CONTACTS);
            for contact in contacts {
                prop_assert!(contact.into_contact(&source, None, Timestamp::UNIX_EPOCH).check().is_ok());
            }
        }
    }

    #[test]
    fn forms_never_panic(body in "[a-c\\[\\]=&%+0-9]{0,80}") {
        read(&Payload { content_type: Some("application/x-www-form-urlencoded"), ..payload(body.as_bytes(), &[]) });
    }
}
