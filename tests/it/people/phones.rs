//! One reader of phone numbers for every way in.

use http::Method;
use serde_json::{Value, json};

use super::Street;

async fn bulk(street: &Street, body: Value) -> Value {
    street.api.post("/api/contacts/bulk", body).await.expect(200)
}

#[tokio::test]
async fn what_people_paste() {
    let street = Street::new().await;
    let pasted = [
        "\u{202a}+393473110001\u{202c}",
        "\u{2068}+393473110002\u{2069}",
        "+39\u{200b}3473110003",
        "+39 347\u{2013}311\u{2013}0004",
        "+39\t3473110005",
        "'+393473110006",
        "tel:+393473110007",
        "\u{200e}+393473110008",
        "https://wa.me/393473110009",
        "=\"+39 347 3110010\"",
        "+39 347 3110011 int. 4",
        "+39 347 3110012 / +39 347 3110013",
    ];
    let rows: Vec<Value> = pasted.iter().map(|phone| json!({"phone": phone})).collect();
    let done = bulk(&street, json!({"contacts": rows})).await;
    assert_eq!((&done["created"], &done["failed"]), (&json!(12), &json!(0)), "{done}");
    let warnings = json!([{"index": 10, "warning": "extension_left_out"}, {"index": 11, "warning": "other_number_left_out"}]);
    assert_eq!(done["warnings"], warnings);
    for n in 1..=12 {
        street.only(&format!("+3934731100{n:02}")).await;
    }
    assert!(street.found("+393473110013").await.is_empty());
}

#[tokio::test]
async fn a_spreadsheets_number_is_refused_on_every_way_in() {
    let street = Street::new().await;
    for phone in ["393473210001.0", "3.93473E+11"] {
        let answer = street.api.post("/api/contacts", json!({"phone": phone})).await;
        assert_eq!(answer.field(422), "phone", "{phone}");
        assert!(answer.json()["message"].as_str().unwrap().contains("spreadsheet"));
        assert_eq!(street.send(phone).await.0, 422, "{phone}");
    }
    // As a number of JSON, too: nobody knows which digits it had.
    for number in ["3.93E+11", "393473210001.0", "3.9347321e+11"] {
        let contact = format!("{{\"apikey\":\"{}\",\"phone\":{number}}}", street.api.key);
        let answer = street.api.raw(Method::POST, "/api/contacts", "application/json", contact).await;
        assert_eq!(answer.field(422), "phone", "{number}");
        let (key, token) = (&street.api.key, &street.api.token);
        let send = format!(
            "{{\"apikey\":\"{key}\",\"token\":\"{token}\",\"number\":{number},\"type\":\"freetext\",\"message\":\"x\"}}"
        );
        let answer = street.api.raw(Method::POST, "/api/whatsapp-meta/send", "application/json", send).await;
        assert_eq!(answer.field(422), "number", "{number}");
    }
    let exact = street.contact(json!({"phone": 393_473_210_009_u64})).await;
    assert_eq!(exact["phone"], "+393473210009");
    assert!(street.world.simulator.messages(None, 1).is_empty());
    assert!(street.found("3473210001").await.is_empty());
}

#[tokio::test]
async fn national_numbers_take_the_country_of_the_call_or_the_account() {
    let street = Street::new().await;
    assert_eq!(street.api.post("/api/contacts", json!({"phone": "0471 930001"})).await.field(422), "phone");
    let token = street.api.token.clone();
    let settings = street.set(json!({"default_country": "IT"})).await.expect(200);
    assert_eq!(settings["account"]["default_country"], "39");
    let rows = json!([{"name": "N1", "phone": "347 331 0001"}, {"name": "N2", "phone": "338 331 0002"}, {"name": "N3", "phone": "0471 930001"}]);
    let done = bulk(&street, json!({"token": token, "contacts": rows})).await;
    assert_eq!(done["failed"], 0, "{done}");
    for (name, phone) in [("N1", "+393473310001"), ("N2", "+393383310002"), ("N3", "+390471930001")] {
        assert_eq!(street.only(name).await["phone"], phone);
    }
    // The call's country comes first, and holds without an account.
    for (country, phone, want) in
        [("DE", "0170 3331234", "+491703331234"), ("44", "07700 900123", "+447700900123")]
    {
        let made = street.contact(json!({"token": token, "country": country, "phone": phone})).await;
        assert_eq!(made["phone"], want);
    }
    let sent = json!({"token": token, "number": "347 331 0001", "type": "freetext", "message": "ciao"});
    street.api.post("/api/whatsapp-meta/send", sent).await.expect(200);
    assert_eq!(street.world.simulator.messages(None, 1)[0].to, "393473310001");
    let wrong =
        street.api.post("/api/contacts", json!({"phone": "+393473310009", "country": "Atlantide"})).await;
    assert_eq!(wrong.field(422), "country");
}

#[tokio::test]
async fn what_could_be_two_numbers_is_refused_with_both() {
    let street = Street::new().await;
    let answer = street.api.post("/api/contacts", json!({"country": "DE", "phone": "17012345678"})).await;
    assert_eq!(answer.field(422), "phone");
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("+4917012345678") && message.contains("+17012345678"), "{message}");
}

#[tokio::test]
async fn without_an_account_numbers_are_of_the_country_of_all_accounts() {
    let street = Street::new().await;
    street.set(json!({"default_country": "IT"})).await.expect(200);
    let made = street.contact(json!({"name": "Uno", "phone": "347 331 0101"})).await;
    assert_eq!(made["phone"], "+393473310101");
    let rows = json!({"contacts": [{"name": "Due", "phone": "0471 930102"}]});
    assert_eq!(street.api.post("/api/contacts/bulk", rows).await.expect(200)["created"], 1);
    assert_eq!(street.only("Due").await["phone"], "+390471930102");
    let champ = json!({"phoneNumber": "347 331 0103", "firstName": "Tre"});
    street.api.post("/v1/contacts", champ).await.expect(201);
    assert_eq!(street.only("Tre").await["phone"], "+393473310103");
    street.api.get("/v1/contacts?phoneNumber=3473310103").await.expect(200);
    street.api.sendwo("/api/v1/whatsapp/subscriber/get", "phone_number=3473310101").await.expect(200);
    street.api.post("/api/suppressions", json!({"number": "347 331 0101"})).await.expect(200);
    assert!(street.is_opted_out("+393473310101").await);
    let german = json!({"number": "0170 3331234", "country": "DE"});
    street.api.post("/api/suppressions", german).await.expect(200);
    assert!(street.is_opted_out("+491703331234").await);
    // Two accounts at home in two countries: nobody guesses.
    let other = street.api.post("/api/create_accounts", json!({"name": "Zweite"})).await.expect(200);
    let settings = json!({"token": other["account"]["token"], "default_country": "DE"});
    street.api.post("/api/accounts/settings", settings).await.expect(200);
    assert_eq!(street.api.post("/api/contacts", json!({"phone": "0471 930001"})).await.field(422), "phone");
}

#[tokio::test]
async fn a_number_is_found_in_every_spelling_that_it_is_known_by() {
    let street = Street::new().await;
    for (name, phone, typed) in [
        (
            "Lupita",
            "+52 1 55 1777 6811",
            &["5215517776811", "+52 1 55 1777 6811", "+525517776811"] as &[&str],
        ),
        ("Bruno", "+55 11 9123-1234", &["551191231234", "+5511991231234", "55 11 9 9123 1234"]),
        ("Clara", "+54 9 11 1234 5678", &["541112345678", "+54 11 1234 5678", "5491112345678"]),
    ] {
        street.contact(json!({"name": name, "phone": phone})).await;
        for typed in typed {
            assert_eq!(street.only(typed).await["name"], name, "{typed}");
        }
    }
    street.contact(json!({"name": "Lea", "phone": "+22961234567"})).await;
    assert_eq!(street.send("+22961234567").await.0, 200);
    street.world.drain().await;
    assert_eq!(street.only("2290161234567").await["name"], "Lea");
}
