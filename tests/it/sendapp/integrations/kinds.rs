//! Bodies that were once misread, each beside others of its kind.

use axum::body::Body;
use harness::{Answer, Api};
use http::Request;
use serde_json::{Value, json};

use super::{FORM, JSON, calls, ignored, italy, post};

async fn found(api: &Api, search: &str) -> Value {
    api.get(&format!("/api/contacts?search={search}")).await.expect(200)
}

/// There is one contact with that address, and it has these.
async fn assert_one(api: &Api, search: &str, name: &str, phone: &str) {
    let found = found(api, search).await;
    assert_eq!(found["total"], 1, "{search}: {found}");
    let contact = &found["contacts"][0];
    assert_eq!((&contact["name"], &contact["phone"]), (&json!(name), &json!(phone)), "{search}");
}

async fn post_json(api: &Api, body: Value) -> Answer {
    post(api, "?source=kinds", &[JSON], body.to_string()).await
}

async fn post_form(api: &Api, fields: &[(&str, &str)]) -> Answer {
    let form = reqwest::Url::parse_with_params("http://form.example", fields).unwrap();
    post(api, "?source=kinds", &[FORM], form.query().unwrap().to_owned()).await
}

async fn post_parts(api: &Api, fields: &[(&str, &str)]) -> Answer {
    let part = |(name, value): &(&str, &str)| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!("{}--edge--\r\n", fields.iter().map(part).collect::<String>());
    post(api, "?source=kinds", &[("content-type", "multipart/form-data; boundary=edge")], body).await
}

#[tokio::test]
async fn a_booking_names_the_guest_and_not_the_host() {
    let (_world, api) = italy().await;
    let studio = json!({"name": "Studio", "email": "studio@example.com"});
    for body in [
        json!({"triggerEvent": "BOOKING_CREATED", "payload": {"organizer": studio, "hosts": [studio],
            "attendees": [{"name": "Carla", "email": "carla@example.com", "phoneNumber": "+393473410001"}]}}),
        json!({"event": "invitee.created", "payload": {
            "scheduled_event": {"event_memberships": [{"user_email": "studio@example.com", "user_name": "Studio"}]},
            "email": "carla@example.com", "name": "Carla", "text_reminder_number": "+39 347 341 0001"}}),
        json!({"appointment": {"owner": studio, "assigned_to": studio, "data": {"user": studio,
            "customer": {"firstName": "Carla", "email": "carla@example.com", "mobile": "347 341 0001"}}}}),
    ] {
        assert_eq!(post_json(&api, body).await.expect(200)["status"], "ok");
        assert_one(&api, "carla@example.com", "Carla", "+393473410001").await;
        assert_eq!(found(&api, "studio@example.com").await["total"], 0);
    }
}

#[tokio::test]
async fn numbered_names_of_questions() {
    let (_world, api) = italy().await;
    for raw in [
        json!({"q3_name": {"first": "Ivo", "last": "Uno"}, "q4_phoneNumber": {"full": "+39 347 342 0001"},
            "q5_email": "ivo@example.com"}),
        json!({"q1_nomeE1": "Ivo Uno", "q14_phoneNumber14": {"area": "347", "phone": "3420001"},
            "q2_eMail": "ivo@example.com"}),
        json!({"slug": "submit/1", "q7_fullName": {"prefix": "Dr", "first": "Ivo", "last": "Uno"},
            "q8_telefono": "347 342 0001", "q9_indirizzoEmail": "ivo@example.com"}),
    ] {
        let raw = raw.to_string();
        let fields = [("formTitle", "Contatti"), ("rawRequest", raw.as_str())];
        assert_eq!(post_parts(&api, &fields).await.expect(200)["status"], "ok");
        assert_one(&api, "ivo@example.com", "Ivo Uno", "+393473420001").await;
    }
}

#[tokio::test]
async fn labels_and_fields_without_one() {
    let (_world, api) = italy().await;
    for fields in [
        [
            ("Il tuo nome", "Pia"),
            ("La tua email", "pia@example.com"),
            ("Il tuo numero di telefono", "+39 347 343 0001"),
        ],
        [("No Label name", "Pia"), ("No Label email", "pia@example.com"), ("No Label phone", "347 343 0001")],
        [
            ("Ihr Name *", "Pia"),
            ("Ihre E-Mail-Adresse:", "pia@example.com"),
            ("Telefon (WhatsApp)", "347 343 0001"),
        ],
        [
            ("Prénom", "Pia"),
            ("Votre courriel", "pia@example.com"),
            ("Nume\u{301}ro de te\u{301}le\u{301}phone", "347 343 0001"),
        ],
    ] {
        assert_eq!(post_form(&api, &fields).await.expect(200)["status"], "ok", "{fields:?}");
        assert_one(&api, "pia@example.com", "Pia", "+393473430001").await;
    }
}

#[tokio::test]
async fn generated_names_of_fields() {
    let (_world, api) = italy().await;
    for body in [
        json!({"your-name": "Teo", "your-email": "teo@example.com", "tel-731": "+39 347 345 0001"}),
        json!({"name-1": "Teo", "email-1": "teo@example.com", "phone-1": "347 345 0001", "text-1": "393470000000"}),
        json!({"et_pb_contact_name_0": "Teo", "et_pb_contact_email_0": "teo@example.com", "et_pb_contact_phone_0": "347 345 0001"}),
    ] {
        assert_eq!(post_json(&api, body).await.expect(200)["status"], "ok");
        assert_one(&api, "teo@example.com", "Teo", "+393473450001").await;
    }
}

#[tokio::test]
async fn fields_as_a_map_from_id_to_title_and_value() {
    let (_world, api) = italy().await;
    for body in [
        json!({"fields": {"a1": {"title": "Nome", "value": "Sara", "type": "text"},
            "b2": {"title": "Email", "value": "sara@example.com", "type": "email"},
            "c3": {"title": "Phone number", "value": "393473460001", "type": "phone"}}}),
        json!({"1": {"label": "Nome e cognome", "type": "text", "value": ["Sara"]},
            "2": {"label": "Telefono", "type": "tel", "value": ["+39 347 346 0001"]},
            "3": {"label": "E-mail", "type": "email", "value": ["sara@example.com"]}}),
        json!({"data": {"answers": {"x": {"question": "¿Cómo te llamas?", "answer": "Sara"},
            "y": {"question": "Celular", "answer": "347 346 0001"}, "z": {"question": "Correo", "answer": "sara@example.com"}}}}),
    ] {
        assert_eq!(post_json(&api, body).await.expect(200)["status"], "ok");
        assert_one(&api, "sara@example.com", "Sara", "+393473460001").await;
    }
    let advanced = [
        ("fields[name][id]", "name"),
        ("fields[name][title]", "Nome"),
        ("fields[name][value]", "Sara"),
        ("fields[field_2][title]", "Il tuo cellulare"),
        ("fields[field_2][value]", "347 346 0001"),
        ("fields[email][title]", "Contatto"),
        ("fields[email][value]", "sara@example.com"),
    ];
    assert_eq!(post_form(&api, &advanced).await.expect(200)["status"], "ok");
    assert_one(&api, "sara@example.com", "Sara", "+393473460001").await;
}

#[tokio::test]
async fn what_was_seen_is_shown_to_the_owner() {
    let (_world, api) = italy().await;
    let body = r#"{"payload": {"organizer": {"name": "Studio", "email": "studio@example.com"}, "title": "Visita",
        "+39 347 555 0199": {"ada@example.com": 1}}}"#;
    let reason = ignored(&api, "", &[JSON], body).await;
    assert!(reason.contains("business's own people") && !reason.contains("seen"), "{reason}");
    let names = ["payload.title", "payload.organizer.name", "payload.organizer.email", "payload.*.*"];
    let logged = calls(&api).await.remove(0);
    assert_eq!(logged["reason"], format!("{reason}; seen: {}", names.join(", ")));
    let request = Request::post(format!("/api/integrations/try?token={}", api.token));
    let request = request.header("x-api-key", &api.key).header(JSON.0, JSON.1);
    let tried = api.send(request.body(Body::from(body)).unwrap()).await.expect(200);
    assert_eq!((&tried["seen"], &tried["reason"]), (&json!(names), &json!(reason)));
    assert_eq!(calls(&api).await.len(), 1, "a trial is not listed");
    let without = r#"{"name": "Ada", "numero ordine": "100234567890"}"#;
    ignored(&api, "", &[JSON], without).await;
    let reasons: Vec<Value> = calls(&api).await.into_iter().map(|call| call["reason"].clone()).collect();
    let told = "no phone number and no e-mail address was found; seen: name, numero ordine";
    assert!(reasons.contains(&json!(told)), "{reasons:?}");
}
