//! What booking tools post.

use super::{of_form, of_json};

#[test]
fn cal() {
    for (body, want) in [
        (
            r#"{"triggerEvent": "BOOKING_CREATED", "payload": {
                "organizer": {"name": "Studio", "email": "studio@example.com"},
                "hosts": [{"name": "Studio", "email": "studio@example.com"}],
                "attendees": [{"name": "Carla Neri", "email": "carla@example.com", "phoneNumber": "+393473410001"}]}}"#,
            "webhook: Carla Neri | +393473410001 | carla@example.com",
        ),
        (
            r#"{"triggerEvent": "BOOKING_RESCHEDULED", "createdAt": "2026-05-01T10:00:00Z", "payload": {
                "type": "30min", "title": "30min between Studio and Carla", "bookerUrl": "https://cal.example.com",
                "organizer": {"id": 1, "name": "Studio", "email": "studio@example.com", "username": "studio",
                    "phoneNumber": null, "language": {"locale": "it"}},
                "destinationCalendar": {"id": 1, "externalId": "studio@group.example.com", "primaryEmail": "studio@example.com"},
                "hideOrganizerEmail": false,
                "responses": {"name": {"label": "your_name", "value": "Carla Neri", "isHidden": false},
                    "email": {"label": "email_address", "value": "carla@example.com"},
                    "attendeePhoneNumber": {"label": "phone_number", "value": "+393473410001"},
                    "guests": {"label": "additional_guests", "value": ["dino@example.com"]}},
                "attendees": [{"name": "Carla Neri", "firstName": "", "lastName": "", "email": "carla@example.com",
                    "language": {"locale": "it"}, "timeZone": "Europe/Rome"}],
                "team": {"id": 2, "name": "Studio", "members": [{"name": "Luca", "email": "luca@studio.example"}]}}}"#,
            "webhook: Carla Neri | +393473410001 | carla@example.com",
        ),
        (
            r#"{"triggerEvent": "BOOKING_CREATED", "payload": {"user": {"email": "studio@example.com"},
                "attendees": [{"name": "Studio", "email": "studio@example.com"}, {"name": "Carla", "email": "carla@example.com"}],
                "smsReminderNumber": "+393473410001"}}"#,
            "webhook: Carla | +393473410001 | carla@example.com",
        ),
        (
            r#"{"triggerEvent": "BOOKING_CREATED", "payload": {"organizer": {"email": "studio@example.com"},
                "responses": {"name": {"label": "your_name", "value": {"firstName": "Carla", "lastName": "Neri"}},
                    "email": {"label": "email_address", "value": "carla@example.com"}}}}"#,
            "webhook: Carla Neri | - | carla@example.com",
        ),
    ] {
        assert_eq!(of_json(body), want, "{body}");
    }
}

#[test]
fn calendly() {
    for (contact, want) in [
        (r#""text_reminder_number": "+39 347 555 0210""#, "+393475550210"),
        (
            r#""text_reminder_number": null, "questions_and_answers": [
                {"question": "Cosa ti serve?", "answer": "Un preventivo", "position": 0},
                {"question": "Il tuo numero di telefono", "answer": "347 555 0210", "position": 1}]"#,
            "+393475550210",
        ),
        (
            r#""questions_and_responses": {"1_question": "Telefono", "1_response": "347 555 0210"}"#,
            "+393475550210",
        ),
        (
            r#""call": {"location": {"type": "outbound_call", "location": "+39 347 555 0210"}}"#,
            "+393475550210",
        ),
        (r#""questions_and_answers": [{"question": "Send text messages to", "answer": "no"}]"#, "-"),
    ] {
        let body = format!(
            r#"{{"event": "invitee.created", "created_by": "https://api.example.com/users/U1", "payload": {{
                "scheduled_event": {{"name": "Consulenza", "event_memberships": [{{"user": "https://api.example.com/users/U1",
                        "user_email": "studio@example.com", "user_name": "Studio"}}],
                    "event_guests": [{{"email": "dino@example.com"}}], "invitees_counter": {{"total": 1}}}},
                "email": "carla@example.com", "first_name": null, "last_name": null, "name": "Carla Neri", "status": "active",
                "timezone": "Europe/Rome", "tracking": {{"utm_source": "ig"}}, {contact}}}}}"#
        );
        assert_eq!(of_json(&body), format!("webhook: Carla Neri | {want} | carla@example.com"), "{body}");
    }
    // Version 1 puts the business first.
    let first = r#"{"event": "invitee.created", "payload": {"event": {"assigned_to": ["Studio"],
        "extended_assigned_to": [{"name": "Studio", "email": "studio@example.com", "primary": true}]},
        "event_type": {"owner": {"type": "users"}}, "invitee": {"name": "Carla Neri", "email": "carla@example.com",
        "text_reminder_number": "+39 347 555 0210"}}}"#;
    assert_eq!(of_json(first), "webhook: Carla Neri | +393475550210 | carla@example.com");
}

#[test]
fn other_booking_tools() {
    for (body, want) in [
        (
            // Acuity
            r#"{"id": 54321, "firstName": "Carla", "lastName": "Neri", "phone": "347 555 0211", "email": "carla@example.com",
                "calendar": "Studio", "calendarID": 7, "type": "Taglio", "forms": [{"id": 1, "name": "Anamnesi",
                "values": [{"fieldID": 1, "name": "Telefono del medico", "value": "+390255500001"}]}]}"#,
            "webhook: Carla Neri | +393475550211 | carla@example.com",
        ),
        (
            // SimplyBook
            r#"{"booking_id": "5", "company": "studiouno", "unit_name": "Luca", "unit_email": "", "event_name": "Taglio",
                "client_name": "Carla Neri", "client_email": "carla@example.com", "client_phone": "+393475550211"}"#,
            "webhook: Carla Neri | +393475550211 | carla@example.com",
        ),
        (
            // HubSpot meetings, through a workflow that posts what it likes
            r#"{"meeting": {"organizer": {"email": "owner@example.com"}, "contactOwner": {"email": "owner@example.com"}},
                "attendees": [{"email": "owner@example.com"}, {"firstName": "Carla", "lastName": "Neri", "email": "carla@example.com",
                "mobilePhone": "+393475550211"}]}"#,
            "webhook: Carla Neri | +393475550211 | carla@example.com",
        ),
        (
            // Google Calendar
            r#"{"kind": "calendar#event", "summary": "Visita", "creator": {"email": "studio@example.com", "self": true},
                "organizer": {"email": "studio@example.com", "self": true}, "attendees": [
                {"email": "studio@example.com", "organizer": true, "self": true, "responseStatus": "accepted"},
                {"email": "carla@example.com", "displayName": "Carla Neri", "responseStatus": "needsAction"}]}"#,
            "webhook: Carla Neri | - | carla@example.com",
        ),
        (
            // A service with providers and resources
            r#"{"appointment": {"provider": {"firstName": "Luca", "email": "luca@studio.example"}, "bookings": [
                {"customer": {"firstName": "Carla", "lastName": "Neri", "email": "carla@example.com", "phone": "+393475550211"}}]}}"#,
            "webhook: Carla Neri | +393475550211 | carla@example.com",
        ),
        (
            // GoHighLevel
            r#"{"first_name": "Carla", "last_name": "Neri", "full_name": "Carla Neri", "email": "carla@example.com",
                "phone": "+393475550211", "contact_id": "x1", "location": {"name": "Studio", "address": "Via Roma 1"},
                "user": {"firstName": "Luca", "email": "luca@studio.example", "phone": "+390255500000"},
                "calendar": {"title": "Visita", "created_by": "Luca"}}"#,
            "webhook: Carla Neri | +393475550211 | carla@example.com",
        ),
    ] {
        assert_eq!(of_json(body), want, "{body}");
    }
    let form = [
        ("host[name]", "Studio"),
        ("host[email]", "studio@example.com"),
        ("attendees[0][name]", "Carla Neri"),
        ("attendees[0][email]", "carla@example.com"),
        ("attendees[1][name]", "Dino"),
        ("attendees[1][phone]", "+393475550212"),
    ];
    assert_eq!(of_form(&form), "webhook: Carla Neri | - | carla@example.com; Dino | +393475550212 | -");
}
