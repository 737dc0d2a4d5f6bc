//! What form builders post.

use super::{of_form, of_json, of_parts};

const SARA: &str = "webhook: Sara Conti | +393475550220 | sara@example.com";

const FLAT: [&[(&str, &str)]; 12] = [
    // Elementor, with labels and without
    &[
        ("Il tuo nome", "Sara Conti"),
        ("La tua email", "sara@example.com"),
        ("Il tuo numero di telefono", "+39 347 555 0220"),
    ],
    &[
        ("No Label name", "Sara Conti"),
        ("No Label email", "sara@example.com"),
        ("No Label phone", "+39 347 555 0220"),
        ("form_id", "5f3a"),
        ("form_name", "Contatti"),
    ],
    &[
        ("form_fields[name]", "Sara Conti"),
        ("form_fields[email]", "sara@example.com"),
        ("form_fields[field_tel]", "347 555 0220"),
        ("form_fields[message]", "Ciao"),
    ],
    &[
        ("fields[name][id]", "name"),
        ("fields[name][type]", "text"),
        ("fields[name][title]", "Nome"),
        ("fields[name][value]", "Sara Conti"),
        ("fields[email][title]", "Email"),
        ("fields[email][value]", "sara@example.com"),
        ("fields[field_9][title]", "Telefono (WhatsApp)"),
        ("fields[field_9][value]", "347 555 0220"),
        ("form[name]", "Contatti"),
        ("meta[remote_ip][value]", "192.0.2.1"),
        ("meta[page_url][title]", "Page URL"),
    ],
    // Contact Form 7
    &[
        ("your-name", "Sara Conti"),
        ("your-email", "sara@example.com"),
        ("tel-731", "347 555 0220"),
        ("text-12", "x"),
        ("your-subject", "Phone"),
        ("_wpcf7", "12"),
    ],
    // Gravity Forms through a feed, Ninja Forms, WS Form
    &[
        ("Name (First)", "Sara"),
        ("Name (Last)", "Conti"),
        ("Email Address", "sara@example.com"),
        ("Mobile Number", "347 555 0220"),
        ("Entry ID", "77"),
    ],
    &[
        ("firstname_1", "Sara"),
        ("lastname_2", "Conti"),
        ("email_3", "sara@example.com"),
        ("phone_4", "347 555 0220"),
    ],
    // Mailchimp, ActiveCampaign
    &[
        ("type", "subscribe"),
        ("data[id]", "8a25"),
        ("data[email]", "sara@example.com"),
        ("data[merges][EMAIL]", "sara@example.com"),
        ("data[merges][FNAME]", "Sara"),
        ("data[merges][LNAME]", "Conti"),
        ("data[merges][PHONE]", "+393475550220"),
    ],
    &[
        ("type", "subscribe"),
        ("initiated_by", "admin"),
        ("contact[id]", "4"),
        ("contact[email]", "sara@example.com"),
        ("contact[first_name]", "Sara"),
        ("contact[last_name]", "Conti"),
        ("contact[phone]", "+393475550220"),
        ("contact[orgname]", "Conti srl"),
    ],
    // Columns of a sheet
    &[
        ("Cliente", "Sara Conti"),
        ("Cellulare", "347 555 0220"),
        ("E-mail", "sara@example.com"),
        ("Numero di persone", "4"),
        ("Numero ordine", "100234567890"),
    ],
    &[
        ("Vorname", "Sara"),
        ("Name", "Conti"),
        ("E-Mail-Adresse", "sara@example.com"),
        ("Telefonnummer des Notfallkontakts", "+4915123456789"),
        ("Handynummer", "+393475550220"),
    ],
    &[
        ("Prénom", "Sara"),
        ("Nom", "Conti"),
        ("Courriel", "sara@example.com"),
        ("Nom de l'entreprise", "Conti SA"),
        ("Nº de fax", "+33140000000"),
        ("Téléphone", "+39 347 555 0220"),
    ],
];

#[test]
fn flat_forms() {
    for fields in FLAT {
        assert_eq!(of_form(fields), SARA, "{fields:?}");
        let body = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        if fields.iter().all(|(key, _)| !key.contains('[')) {
            assert_eq!(of_json(&serde_json::Value::Object(body).to_string()), SARA, "{fields:?}");
        }
    }
}

#[test]
fn jotform() {
    for raw in [
        r#"{"slug": "submit/1", "q3_name": {"first": "Sara", "last": "Conti"}, "q4_phoneNumber": {"full": "+39 347 555 0220"}, "q5_email": "sara@example.com"}"#,
        r#"{"q1_fullName1": {"prefix": "Dr", "first": "Sara", "last": "Conti"}, "q12_phoneNumber12": {"area": "347", "phone": "5550220"}, "q5_email5": "sara@example.com", "event_id": "1_2"}"#,
        r#"{"q2_ilTuoNome": "Sara Conti", "q3_ilTuoNumero": {"country": "39", "area": "347", "phone": "5550220"}, "q9_laTuaEmail": "sara@example.com"}"#,
        r#"{"q2_note": "x", "q3_name": {"first": "Sara", "last": "Conti"}, "q7_numeroDi": "3", "q8_telefono": "347-555-0220", "q9_eMail": "sara@example.com"}"#,
    ] {
        let fields =
            [("formID", "2411"), ("formTitle", "Contatti"), ("ip", "192.0.2.1"), ("rawRequest", raw)];
        assert_eq!(of_parts(&fields), SARA, "{raw}");
        assert_eq!(of_form(&fields), SARA, "{raw}");
        assert_eq!(of_json(raw), SARA, "{raw}");
    }
    let cut = r#"{"q3_nomeE": {"first": "Sara", "last": "Conti"}, "q4_numeroDi": {"full": "(347) 555-0220"}, "q5_laTua": "x", "q6_email": "sara@example.com"}"#;
    assert_eq!(of_json(cut), SARA, "titles that were cut");
    let in_text = serde_json::json!({"event": "submission", "payload": cut}).to_string();
    assert_eq!(of_json(&in_text), SARA, "a document in a text");
    let pretty = "Nome:Sara Conti, Telefono:+39 347 555 0220, Email:sara@example.com, Note:ciao, sono io";
    let fields = [("formTitle", "Contatti"), ("pretty", pretty)];
    assert_eq!(of_parts(&fields), SARA);
    assert_eq!(of_form(&fields), SARA);
    let with_broken = [("rawRequest", "{\"q3_name\": "), ("pretty", pretty)];
    assert_eq!(of_parts(&with_broken), SARA);
    let answers = r#"{"answers": {
        "3": {"name": "fullName", "text": "Full Name", "type": "control_fullname", "answer": {"first": "Sara", "last": "Conti"}, "prettyFormat": "Sara Conti"},
        "4": {"name": "phoneNumber", "text": "Phone Number", "type": "control_phone", "answer": {"full": "+39 347 555 0220"}},
        "5": {"name": "email", "text": "Email", "type": "control_email", "answer": "sara@example.com"}}}"#;
    assert_eq!(of_json(answers), SARA);
}

#[test]
fn fields_with_a_title_and_a_value() {
    for body in [
        r#"{"fields": {"a1": {"title": "Nome", "value": "Sara Conti", "type": "text"}, "b2": {"title": "Email", "value": "sara@example.com", "type": "email"},
            "c3": {"title": "Phone number", "value": "393475550220", "type": "phone"}}}"#,
        // WS Form
        r#"{"1": {"label": "Nome e cognome", "type": "text", "value": ["Sara Conti"]}, "2": {"label": "Telefono", "type": "tel", "value": ["+39 347 555 0220"]},
            "3": {"label": "E-mail", "type": "email", "value": ["sara@example.com"]}}"#,
        // WPForms
        r#"{"fields": {"1": {"name": "Name", "value": "Sara Conti", "id": 1, "type": "name", "first": "Sara", "last": "Conti"},
            "2": {"name": "Cellulare", "value": "347 555 0220", "id": 2, "type": "phone"}, "3": {"name": "E-mail", "value": "sara@example.com", "id": 3, "type": "email"}}}"#,
        // Ninja Forms
        r#"{"form_id": 1, "fields": [{"id": 1, "key": "name_1", "label": "Name", "value": "Sara Conti"}, {"id": 2, "key": "phone_17", "label": "Recapito telefonico", "value": "347 555 0220"},
            {"id": 3, "key": "email_1", "label": "Email", "value": "sara@example.com"}, {"id": 4, "label": "Telefono di emergenza", "value": "+390255500003"}]}"#,
        // Tally
        r#"{"eventId": "e", "eventType": "FORM_RESPONSE", "data": {"formName": "Contatti", "fields": [
            {"key": "question_a1", "label": "Nome e cognome", "type": "INPUT_TEXT", "value": "Sara Conti"},
            {"key": "question_b2", "label": "Dove ti raggiungiamo?", "type": "INPUT_PHONE_NUMBER", "value": "+393475550220"},
            {"key": "question_c3", "label": "Email", "type": "INPUT_EMAIL", "value": "sara@example.com"}]}}"#,
        // Fillout
        r#"{"formId": "f", "submission": {"questions": [{"id": "a", "name": "What is your name?", "type": "ShortAnswer", "value": "Sara Conti"},
            {"id": "b", "name": "Tel.", "type": "PhoneNumber", "value": "+393475550220"}, {"id": "c", "name": "Your email", "type": "EmailInput", "value": "sara@example.com"}],
            "urlParameters": [{"id": "email", "name": "email", "value": null}]}}"#,
        // Google Forms, by a script
        r#"{"response": {"items": [1], "namedValues": {"Nome e cognome": ["Sara Conti"], "Indirizzo email": ["sara@example.com"], "Numero di cellulare": ["347 555 0220"], "Informazioni cronologiche": ["01/05/2026"]}}}"#,
        r#"{"form": "Contatti", "responses": [{"question": "Nome", "response": "Sara Conti"}, {"question": "Email", "response": "sara@example.com"}, {"question": "Numero WhatsApp", "response": "347 555 0220"}]}"#,
        // Webflow
        r#"{"triggerType": "form_submission", "payload": {"name": "Contact Form", "siteId": "s", "data": {"Name 2": "Sara Conti", "Email": "sara@example.com", "Phone 3": "347 555 0220"},
            "schema": [{"fieldName": "Name 2", "fieldType": "FormTextInput", "fieldElementId": "x"}], "formElementId": "y"}}"#,
        // Wix
        r#"{"data": {"formName": "Contatti", "field:first_name_ab12": "Sara", "field:last_name_cd34": "Conti", "field:email_c3d4": "sara@example.com", "field:phone_e5f6": "+393475550220",
            "submissions": [{"label": "Nome", "value": "Sara"}, {"label": "Cognome", "value": "Conti"}]}}"#,
        r#"{"data": {"contact": {"name": {"first": "Sara", "last": "Conti"}, "email": "sara@example.com", "phones": [{"countryCode": "IT", "e164Phone": "+393475550220", "phone": "3475550220", "primary": true}]}}}"#,
        // Gravity Forms, with its form beside it
        r#"{"form": {"id": 3, "title": "Contatti", "fields": [{"id": 1, "label": "Nome", "inputs": [{"id": "1.3", "label": "First"}, {"id": "1.6", "label": "Last"}]},
            {"id": 2, "label": "Cellulare"}, {"id": 3, "label": "Email"}, {"id": 4, "label": "Fax"}]}, "entry": {"id": "12", "1.3": "Sara", "1.6": "Conti", "2": "347 555 0220", "3": "sara@example.com", "4": "+390255500000"}}"#,
        r#"{"fields": [{"id": "1", "label": "Nome e cognome"}, {"id": "2", "label": "Telefono"}, {"id": "3", "label": "E-Mail"}], "input_1": "Sara Conti", "input_2": "347 555 0220", "input_3": "sara@example.com"}"#,
        r#"{"email": {"label": "Nome utente", "value": "no@example.com"}, "mail": {"label": "Lavoro", "value": "sara@example.com; due@example.com"}, "phone": {"label": "Azienda", "value": "347 555 0220"}, "name": "Sara Conti"}"#,
        // An object in parts
        r#"{"answers": [{"Nome": "Sara"}, {"Cognome": "Conti"}, {"Telefono": "347 555 0220"}, {"Email": "sara@example.com"}]}"#,
        r#"[{"label": "Nome e cognome", "value": "Sara Conti"}, {"label": "Telefono", "value": ["347 555 0220"]}, {"label": "E-mail", "value": "sara@example.com"}]"#,
        r#"{"answers": [{"question": {"title": "Nome e cognome"}, "answer": {"value": "Sara Conti"}}, {"question": {"title": "Tel"}, "answer": "347 555 0220"}, {"question": {"title": "Mail"}, "answer": "sara@example.com"}]}"#,
    ] {
        assert_eq!(of_json(body), SARA, "{body}");
    }
}

#[test]
fn area_and_phone_apart() {
    for body in [
        r#"{"name": "Sara Conti", "email": "sara@example.com", "phone": {"area": "347", "phone": "5550220"}}"#,
        r#"{"name": "Sara Conti", "email": "sara@example.com", "phone": {"country_code": "39", "number": "3475550220"}}"#,
        r#"{"name": "Sara Conti", "email": "sara@example.com", "mobile": {"prefix": "+39", "number": "347 5550220"}}"#,
        r#"{"name": "Sara Conti", "email": "sara@example.com", "phone_country_code": "+39", "phone": "347 5550220"}"#,
        r#"{"name": "Sara Conti", "email": "sara@example.com", "Prefisso": "0039", "Telefono": "347 5550220"}"#,
        r#"{"name": "Sara Conti", "email": "sara@example.com", "country_code": "IT", "phone": "347 5550220"}"#,
        r#"{"name": "Sara Conti", "email": "sara@example.com", "area_code": "347", "phone": "5550220"}"#,
        r#"{"name": "Sara Conti", "email": "sara@example.com", "phones": [{"dialCode": "39", "phoneNumber": "3475550220"}]}"#,
    ] {
        assert_eq!(of_json(body), SARA, "{body}");
    }
    let abroad = r#"{"name": "Ann", "phone": {"country_code": "44", "number": "07700 900123"}}"#;
    assert_eq!(of_json(abroad), "webhook: Ann | +447700900123 | -");
    let abroad = r#"{"name": "Ann", "phone_prefix": "44", "phone_number": "7700 900123"}"#;
    assert_eq!(of_json(abroad), "webhook: Ann | +447700900123 | -");
}

#[test]
fn false_friends_bring_nothing() {
    let nothing = "webhook: ignored, no phone number and no e-mail address was found";
    for body in [
        r#"{"name": "Ada", "numero ordine": "100234567890"}"#,
        r#"{"Nome": "Ada", "Numero di persone": "393475550220"}"#,
        r#"{"Número de pedido": "393475550220", "nombre": "Ada"}"#,
        r#"{"Telefonnummer des Notfallkontakts": "+4915123456789"}"#,
        r#"{"emergency contact phone": "+393475550220", "emergency_contact": {"phone": "+393475550220"}}"#,
        r#"{"fax": "+390255500000"}"#,
        r#"{"fields": {"x": {"label": "Fax", "value": "+390255500000"}}}"#,
        r#"{"utm_source": "a@b.it", "phone_verified_at": "2026-05-01", "email_verified": true}"#,
        r#"{"message": "call me at +393475550220 or ada@example.com"}"#,
        r#"{"How did you hear about us": "ada@example.com"}"#,
    ] {
        assert_eq!(of_json(body), nothing, "{body}");
    }
}
