//! What shops, advertisements, CRMs and automations post.

use super::of_json;

const LEA: &str = "webhook: Lea Galli | +393475550230 | lea@example.com";

#[test]
fn advertisements() {
    for body in [
        // Facebook, as Meta's API and as automations give it
        r#"{"id": "1", "created_time": "2026-05-01", "ad_name": "Spring", "form_name": "Contatti", "field_data": [{"name": "full_name", "values": ["Lea Galli"]},
            {"name": "il_tuo_numero_di_telefono", "values": ["+393475550230"]}, {"name": "email", "values": ["lea@example.com"]}]}"#,
        r#"{"leadgen_id": "1", "page_name": "Studio", "campaign_name": "Spring", "ad_name": "A", "first_name": "Lea", "last_name": "Galli", "phone_number": "p:+393475550230", "email": "lea@example.com"}"#,
        // Google
        r#"{"lead_id": "x", "user_column_data": [{"column_name": "Full Name", "string_value": "Lea Galli", "column_id": "FULL_NAME"},
            {"column_name": "User Email", "string_value": "lea@example.com", "column_id": "EMAIL"},
            {"column_name": "User Phone", "string_value": "+393475550230", "column_id": "PHONE_NUMBER"}], "api_version": "1.0", "form_id": 4, "google_key": "k", "is_test": true}"#,
        r#"{"user_column_data": [{"column_id": "FIRST_NAME", "string_value": "Lea"}, {"column_id": "LAST_NAME", "string_value": "Galli"},
            {"column_id": "WORK_EMAIL", "string_value": "lea@work.example"}, {"column_id": "EMAIL", "string_value": "lea@example.com"},
            {"column_id": "PHONE_NUMBER", "string_value": "+393475550230"}, {"column_id": "COMPANY_NAME", "string_value": "Galli"}]}"#,
        r#"{"user_column_data": [{"column_name": "User Email", "string_value": "lea@example.com"}, {"column_name": "Phone Number", "string_value": "+393475550230"}, {"column_name": "Full Name", "string_value": "Lea Galli"}]}"#,
        // TikTok
        r#"{"object": "LEAD", "entry": [{"id": "1", "lead_source": "INSTANT_FORM", "ad_name": "A", "changes": [{"field": "name", "value": "Lea Galli"},
            {"field": "phone_number", "value": "+393475550230"}, {"field": "email", "value": "lea@example.com"}]}]}"#,
    ] {
        assert_eq!(of_json(body), LEA, "{body}");
    }
}

#[test]
fn shops() {
    for body in [
        // PrestaShop
        r#"{"customer": {"id": "7", "firstname": "Lea", "lastname": "Galli", "email": "lea@example.com", "id_shop": "1"}, "addresses": [{"phone": "", "phone_mobile": "347 555 0230", "company": "Galli"}]}"#,
        // Magento
        r#"{"increment_id": "000000001", "store_name": "Main", "customer_firstname": "Lea", "customer_lastname": "Galli", "customer_email": "lea@example.com",
            "billing_address": {"firstname": "Lea", "lastname": "Galli", "telephone": "347 555 0230", "country_id": "IT"}, "items": [{"name": "Tazza", "email": "x@example.com"}]}"#,
        // BigCommerce
        r#"{"id": 100, "status": "Pending", "staff_notes": "x", "billing_address": {"first_name": "Lea", "last_name": "Galli", "phone": "347 555 0230", "email": "lea@example.com", "country_iso2": "IT"}}"#,
        // Squarespace
        r#"{"orderNumber": "393475550999", "customerEmail": "lea@example.com", "billingAddress": {"firstName": "Lea", "lastName": "Galli", "phone": "347 555 0230", "countryCode": "IT"}}"#,
        // A market place: the seller comes first
        r#"{"seller": {"name": "Bottega", "email": "bottega@example.com", "phone": "+390255500000"}, "merchant_email": "m@example.com", "buyer": {"full_name": "Lea Galli", "email": "lea@example.com", "mobile": "+393475550230"}}"#,
    ] {
        assert_eq!(of_json(body), LEA, "{body}");
    }
    let only_ids = r#"{"scope": "store/order/created", "store_id": "1", "data": {"type": "order", "id": 250}, "producer": "stores/x"}"#;
    assert_eq!(of_json(only_ids), "webhook: ignored, no phone number and no e-mail address was found");
}

#[test]
fn crms_and_automations() {
    for body in [
        // Brevo
        r#"{"event": "list_addition", "email": ["lea@example.com"], "key": "x", "contact": {"attributes": {"NOME": "Lea", "COGNOME": "Galli", "SMS": "393475550230"}}}"#,
        // Zapier: flat, as it is typed
        r#"{"Full Name": "Lea Galli", "Phone Number": "+39 347 555 0230", "Email": "lea@example.com", "Owner Email": "owner@example.com", "Created At": "2026-05-01"}"#,
        r#"{"contact__first_name": "Lea", "contact__last_name": "Galli", "contact__email": "lea@example.com", "contact__phone": "+393475550230", "owner__email": "owner@example.com"}"#,
        // Help desks
        r#"{"ticket": {"assignee": {"name": "Luca", "email": "luca@studio.example"}, "submitter_id": 1, "requester": {"name": "Lea Galli", "email": "lea@example.com", "phone": "+393475550230"}}}"#,
        // A property portal
        r#"{"agent": {"name": "Luca", "phone": "+390255500000", "email": "luca@studio.example"}, "property": {"ref": "A1"}, "enquiry": {"lead": {"firstName": "Lea", "surname": "Galli", "emailAddress": "lea@example.com", "mobileNumber": "+393475550230"}}}"#,
        // A deal, whose owner comes first
        r#"{"deal": {"owner": {"email": "owner@example.com"}, "title": "Phone call", "value": 300, "contacts": [{"name": "Lea Galli", "email": "lea@example.com", "phone": "+393475550230"}]}}"#,
        r#"{"data": {"attributes": {"first_name": "Lea", "last_name": "Galli", "e-mail": "lea@example.com", "Telefono": "347 555 0230", "Telefono azienda": "+390255500000"}}}"#,
    ] {
        assert_eq!(of_json(body), LEA, "{body}");
    }
}

#[test]
fn where_copies_of_mails_go_is_nobody() {
    let deal = |data: &str| {
        format!(
            r#"{{"meta": {{"action": "create", "entity": "deal"}}, "data": {{{data}}}, "previous": null}}"#
        )
    };
    let old = |current: &str| {
        format!(
            r#"{{"meta": {{"action": "updated", "object": "deal"}}, "current": {{{current}}}, "previous": {{}}}}"#
        )
    };
    let person = r#"{"value": 7, "name": "Lea Galli", "email": [{"value": "lea@example.com", "primary": true}], "phone": [{"value": "347 555 0230"}]}"#;
    for body in [
        deal(&format!(r#""id": 7, "title": "Acme", "cc_email": "acme+deal7@pipedrivemail.com", "person_id": {person}"#)),
        deal(&format!(r#""cc_email": "acme+deal7@pipedrivemail.com", "person": {}"#, person.replace("\"email\"", "\"emails\"").replace("\"phone\"", "\"phones\""))),
        old(&format!(r#""cc_email": "acme+deal7@pipedrivemail.com", "user_id": {{"name": "Luca", "email": "luca@studio.example"}}, "person_id": {person}"#)),
        // Without what tells the sender
        format!(r#"{{"event": "updated.deal", "data": {{"cc_email": "acme@pipedrivemail.com", "title": "Acme", "person_id": {person}}}}}"#),
        format!(r#"{{"current": {{"cc_email": "acme@pipedrivemail.com", "person": {person}, "user_id": {{"email": "luca@studio.example"}}}}}}"#),
        // Somebody of a deal beside it
        format!(r#"{{"meta": {{"action": "create", "entity": "deal"}}, "data": {{"person_id": 7, "cc_email": "a@pipedrivemail.com"}}, "previous": null, "contact": {person}}}"#),
        r#"{"bcc_dropbox": "in@crm.example", "email_bcc": "b@crm.example", "name": "Lea Galli", "phone": "347 555 0230", "Email": "lea@example.com"}"#.to_owned(),
        r#"{"cc": [{"name": "Ugo", "email": "ugo@example.com"}], "drop_box_email": "d@crm.example", "name": "Lea Galli", "phone": "347 555 0230", "Email": "lea@example.com"}"#.to_owned(),
    ] {
        let tag = if of_json(&body).starts_with("pipedrive") { "pipedrive" } else { "webhook" };
        assert_eq!(of_json(&body), LEA.replace("webhook", tag), "{body}");
    }
    for body in [
        deal(r#""cc_email": "acme+deal7@pipedrivemail.com", "person_id": 7"#),
        r#"{"data": {"cc_email": "acme@pipedrivemail.com", "title": "Acme"}}"#.to_owned(),
    ] {
        assert!(of_json(&body).ends_with("no phone number and no e-mail address was found"), "{body}");
    }
}

#[test]
fn of_several_addresses_the_persons() {
    let cust = "webhook: C | - | cust@example.com";
    for body in [
        r#"{"to_email": "biz@ex.com", "from_email": "cust@example.com", "reply_to": "cust@example.com", "name": "C"}"#,
        r#"{"toEmail": "biz@ex.com", "replyTo": "other@ex.com", "email": "cust@example.com", "name": "C"}"#,
        r#"{"email_to": "biz@ex.com", "reply_to_email": "cust@example.com", "name": "C"}"#,
        r#"{"reply-to": "cust@example.com", "to_email": "biz@ex.com", "name": "C"}"#,
        r#"{"reply_to": "cust@example.com", "name": "C"}"#,
        r#"{"to_email": "biz@ex.com", "to_name": "Biz", "from_email": "cust@example.com", "from_name": "C"}"#,
        r#"{"E-mail PEC": "c@pec.example", "E-mail": "cust@example.com", "name": "C"}"#,
        r#"{"E-mail": "cust@example.com", "E-mail PEC": "c@pec.example", "name": "C"}"#,
        r#"{"email_pec": "c@pec.example", "customer": {"email": "cust@example.com", "name": "C"}}"#,
        r#"{"indirizzo email certificata": "c@pec.example", "Indirizzo email": "cust@example.com", "name": "C"}"#,
    ] {
        assert_eq!(of_json(body), cust, "{body}");
    }
    assert_eq!(of_json(r#"{"E-mail PEC": "c@pec.example"}"#), "webhook: - | - | c@pec.example");
    // What is sent back is no address.
    assert_eq!(
        of_json(r#"{"reply": "yes", "reply_to": 12, "email": "cust@example.com", "name": "C"}"#),
        cust
    );
    let phones = r#"{"to_phone": "+390255500000", "phone": "347 555 0230", "name": "C"}"#;
    assert_eq!(of_json(phones), "webhook: C | +393475550230 | -");
    // A code of a country beside the number.
    assert_eq!(
        of_json(r#"{"name": "C", "phone_cc": "39", "phone": "347 555 0230"}"#),
        "webhook: C | +393475550230 | -"
    );
}

#[test]
fn what_a_known_sender_wraps_is_searched() {
    for (body, want) in [
        (
            r#"{"objectId": 1, "properties": {"hs_meeting_title": "D"}, "contact": {"email": "h@example.com"}}"#,
            "hubspot: - | - | h@example.com",
        ),
        (
            r#"{"objectId": 1, "properties": {"hs_meeting_title": "D"}, "owner": {"email": "luca@studio.example", "firstName": "Luca"},
                "associations": {"contacts": [{"id": "9", "properties": {"email": "lea@example.com", "firstname": "Lea", "lastname": "Galli", "mobilephone": "347 555 0230"}}]}}"#,
            "hubspot: Lea Galli | +393475550230 | lea@example.com",
        ),
        (
            r#"[{"objectId": 1, "properties": {"dealname": "D"}, "owner": {"email": "luca@studio.example"}, "associated_contact": {"email": "lea@example.com", "name": "Lea Galli", "phone": "+393475550230"}}]"#,
            "hubspot: Lea Galli | +393475550230 | lea@example.com",
        ),
        (
            r#"{"eventId": 1, "objectId": 5, "subscriptionType": "contact.creation", "contact": {"email": "h@example.com"}}"#,
            "hubspot: - | - | h@example.com",
        ),
        (
            r#"{"form_response": {"answers": []}, "respondent": {"email": "h@example.com"}}"#,
            "typeform: - | - | h@example.com",
        ),
        (
            r#"{"objectId": 1, "properties": {"hs_meeting_title": "D"}, "owner": {"email": "luca@studio.example"}}"#,
            "hubspot: ignored, the only addresses are those of the business's own people (organizer, host, owner, user, staff), and no customer's",
        ),
        (
            r#"{"meta": {"action": "delete", "entity": "person"}, "data": null, "previous": {"email": "x@example.com"}, "contact": {"email": "h@example.com"}}"#,
            "pipedrive: ignored, the record was deleted",
        ),
    ] {
        assert_eq!(of_json(body), want, "{body}");
    }
}
