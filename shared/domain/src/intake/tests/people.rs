//! Who of the people in a body is the contact.

use super::of_json;

const ONLY_BUSINESS: &str = "webhook: ignored, the only addresses are those of the business's own people \
    (organizer, host, owner, user, staff), and no customer's";

#[test]
fn the_business_is_never_the_contact() {
    let staff = r#"{"name": "Studio Uno", "email": "studio@example.com", "phone": "+390255500000"}"#;
    let carla = r#"{"name": "Carla Neri", "email": "carla@example.com", "phone": "+393475550201"}"#;
    let pairs = [
        ("organizer", "attendee"),
        ("host", "guest"),
        ("owner", "contact"),
        ("user", "lead"),
        ("assignee", "requester"),
        ("assigned_to", "customer"),
        ("staff", "client"),
        ("agent", "buyer"),
        ("seller", "buyer"),
        ("companyRep", "respondent"),
        ("account", "person"),
        ("company", "subscriber"),
        ("salesOwner", "participant"),
        ("organizzatore", "cliente"),
        ("Mitarbeiter", "Kunde"),
    ];
    for (business, person) in pairs {
        for body in [
            format!(r#"{{"{business}": {staff}, "{person}": {carla}}}"#),
            format!(r#"{{"{person}": {carla}, "{business}": {staff}}}"#),
            format!(r#"{{"payload": {{"{business}": {staff}, "data": {{"{person}": {carla}}}}}}}"#),
            format!(
                r#"{{"{business}": {{"profile_data": {staff}}}, "a": {{"b": {{"c": {{"{person}": {carla}}}}}}}}}"#
            ),
            format!(r#"{{"{business}s": [{staff}], "{person}s": [{carla}]}}"#),
            format!(
                r#"{{"{business}": {{"email": "studio@example.com", "booking": {{"{person}": {carla}}}}}}}"#
            ),
            format!(
                r#"{{"event": {{"{business}": {staff}}}, "name": "Carla Neri", "email": "carla@example.com", "phone": "+393475550201"}}"#
            ),
        ] {
            assert_eq!(of_json(&body), "webhook: Carla Neri | +393475550201 | carla@example.com", "{body}");
        }
    }
}

#[test]
fn lists_of_the_business() {
    for body in [
        r#"{"hosts": [{"email": "a@studio.it"}, {"email": "b@studio.it"}], "attendees": [{"name": "Carla", "email": "carla@example.com"}]}"#,
        r#"{"members": [{"name": "A", "email": "a@studio.it"}], "responses": {"name": "Carla", "email": "carla@example.com"}}"#,
        r#"{"event_memberships": [{"user_email": "a@studio.it", "user_name": "A"}], "email": "carla@example.com", "name": "Carla"}"#,
        r#"{"team": {"members": [{"email": "a@studio.it"}]}, "invitee": {"name": "Carla", "email": "carla@example.com"}}"#,
        r#"{"participants": [{"role": "host", "name": "A", "email": "a@studio.it"}, {"role": "guest", "name": "Carla", "email": "carla@example.com"}]}"#,
        r#"{"attendees": [{"email": "a@studio.it", "organizer": true}, {"name": "Carla", "email": "carla@example.com"}]}"#,
        r#"{"organizer": {"email": "A@studio.it"}, "attendees": [{"email": "a@studio.it"}, {"name": "Carla", "email": "carla@example.com"}]}"#,
        r#"{"organizer": {"phone": "+39 02 55500000"}, "attendees": [{"name": "A", "phone": "+390255500000"}, {"name": "Carla", "email": "carla@example.com"}]}"#,
        r#"{"organizer": "a@studio.it", "attendees": ["carla@example.com"], "attendee_name": "Carla"}"#,
        r#"{"organizer_email": "a@studio.it", "owner_name": "A", "invitee_email": "carla@example.com", "invitee_name": "Carla"}"#,
        r#"{"user_email": "a@studio.it", "email": "carla@example.com", "name": "Carla"}"#,
    ] {
        assert_eq!(of_json(body), "webhook: Carla | - | carla@example.com", "{body}");
    }
}

#[test]
fn a_user_or_a_contact_is_whose_object_it_stands_in() {
    for body in [
        r#"{"participants": [{"user": {"name": "Carla", "email": "carla@example.com"}}], "host": {"email": "a@studio.it"}}"#,
        r#"{"attendees": [{"user": {"email": "a@studio.it"}}, {"user": {"name": "Carla", "email": "carla@example.com"}}], "organizer": {"email": "a@studio.it"}}"#,
        r#"{"owner": {"contact": {"email": "a@studio.it"}}, "customer": {"contact": {"first_name": "Carla", "email": "carla@example.com"}}}"#,
        r#"{"memberships": [{"member": {"email": "a@studio.it"}}], "lead": {"name": "Carla", "email": "carla@example.com"}}"#,
        r#"{"hosts": {"data": [{"person": {"email": "a@studio.it"}}]}, "invitees": {"data": [{"name": "Carla", "email": "carla@example.com"}]}}"#,
        r#"{"account": {"name": "ACME", "email": "a@studio.it", "contact": {"name": "Carla", "email": "carla@example.com"}}}"#,
        r#"{"event": {"organizer": {"emailAddress": {"name": "A", "address": "a@studio.it"}}, "attendees": [{"emailAddress": {"name": "Carla", "address": "carla@example.com"}}]}}"#,
        r#"{"type": "contact.owner_changed", "contact": {"name": "Carla", "email": "carla@example.com", "owner": {"email": "a@studio.it"}}}"#,
        r#"{"organizer": {"email": "a@studio.it"}, "invitee": "Carla <carla@example.com>"}"#,
    ] {
        assert_eq!(of_json(body), "webhook: Carla | - | carla@example.com", "{body}");
    }
}

#[test]
fn a_body_of_the_business_alone_says_so() {
    for body in [
        r#"{"organizer": {"name": "Studio", "email": "studio@example.com"}}"#,
        r#"{"payload": {"hosts": [{"email": "studio@example.com"}], "title": "30 min"}}"#,
        r#"{"owner": {"phone": "+390255500000"}, "deal": {"title": "Casa"}}"#,
        r#"{"user": {"name": "Studio", "email": "studio@example.com"}}"#,
        r#"{"owner_email": "studio@example.com", "title": "x"}"#,
        r#"{"members": [{"email": "studio@example.com"}, {"email": "due@example.com"}]}"#,
        r#"{"organizer": {"email": "studio@example.com"}, "attendees": [{"name": "Carla"}]}"#,
        r#"{"event_memberships": [{"user": "https://api.example.com/users/1", "user_email": "studio@example.com"}]}"#,
        r#"{"contact_person": {"name": "Carla"}, "host_phone": "+390255500000"}"#,
        r#"[{"role": "organizer", "email": "studio@example.com"}]"#,
    ] {
        assert_eq!(of_json(body), ONLY_BUSINESS, "{body}");
    }
}

#[test]
fn a_person_in_one_text() {
    for (body, want) in [
        (r#"{"Cliente": "Carla De Luca", "Telefono": "347 555 0206"}"#, "Carla De Luca | +393475550206 | -"),
        (r#"{"attendee": "Carla Neri <carla@example.com>"}"#, "Carla Neri | - | carla@example.com"),
        (r#"{"contatto": "347 555 0206", "nome": "Carla"}"#, "Carla | +393475550206 | -"),
        (r#"{"Phone or e-mail": "carla@example.com", "name": "Carla"}"#, "Carla | - | carla@example.com"),
        (
            r#"{"contact": "by phone please", "guests": "two adults", "tel": "347 555 0206"}"#,
            "- | +393475550206 | -",
        ),
        (r#"{"guests": 4, "customer": "cus_12345678", "tel": "347 555 0206"}"#, "- | +393475550206 | -"),
    ] {
        assert_eq!(of_json(body), format!("webhook: {want}"), "{body}");
    }
}

#[test]
fn a_user_that_was_made_is_who_the_body_is_about() {
    for event in ["user.created", "user_registered", "UserSignedUp"] {
        let body =
            format!(r#"{{"event": "{event}", "user": {{"name": "Ada", "email": "ada@example.com"}}}}"#);
        assert_eq!(of_json(&body), "webhook: Ada | - | ada@example.com", "{event}");
    }
}

#[test]
fn people_of_a_list_are_not_mixed() {
    for (body, want) in [
        (
            r#"{"attendees": [{"name": "Carla", "email": "carla@example.com"}, {"name": "Dino", "phone": "+393475550202"}]}"#,
            "webhook: Carla | - | carla@example.com; Dino | +393475550202 | -",
        ),
        (
            r#"{"contacts": [{"name": "Ada", "email": "ada@example.com"}, {"name": "Bea", "email": "bea@example.com"}]}"#,
            "webhook: Ada | - | ada@example.com; Bea | - | bea@example.com",
        ),
        (
            r#"{"data": [{"name": "Ada", "email": "ada@example.com"}, {"name": "Bea", "email": "bea@example.com", "phone": "+393475550203"}]}"#,
            "webhook: Ada | - | ada@example.com; Bea | +393475550203 | bea@example.com",
        ),
        (
            r#"{"name": "Ada", "email": "ada@example.com", "event_guests": [{"email": "bea@example.com"}, {"email": "ciro@example.com"}]}"#,
            "webhook: Ada | - | ada@example.com",
        ),
        (
            r#"{"email": "ada@example.com", "attendees": [{"name": "Ada", "email": "ada@example.com", "phone": "+393475550204"}]}"#,
            "webhook: Ada | +393475550204 | ada@example.com",
        ),
        (
            r#"{"emergency_contact": {"name": "Zio", "phone": "+393475550205"}, "referrer": {"email": "z@example.com"}, "email": "ada@example.com"}"#,
            "webhook: - | - | ada@example.com",
        ),
    ] {
        assert_eq!(of_json(body), want, "{body}");
    }
}
