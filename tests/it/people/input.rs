//! What comes in is read as it is meant.

use http::Method;
use serde_json::json;

use super::Street;

#[tokio::test]
async fn search_finds_what_people_type() {
    let street = Street::new().await;
    street.contact(json!({"name": "Núria Peña", "phone": "+393473710001"})).await;
    street.contact(json!({"name": "Caffè «All’Angolo»", "email": "Bar@Example.com"})).await;
    for search in [
        "nuria pena",
        "PEÑA",
        "nu\u{301}ria",
        "347 371 0001",
        "0039347371",
        "+39 347",
        "(347) 371-0001",
        "  núria   peña ",
    ] {
        assert_eq!(street.only(search).await["name"], "Núria Peña", "{search}");
    }
    for search in ["all'angolo", "\"all", "CAFFE", "bar@example"] {
        assert_eq!(street.only(search).await["email"], "Bar@Example.com", "{search}");
    }
    for search in ["%", "_", "348"] {
        assert!(street.found(search).await.is_empty(), "{search}");
    }
}

#[tokio::test]
async fn half_a_character_fails_nothing() {
    let street = Street::new().await;
    let body = r#"{"contacts":[{"name":"Intero","email":"k1@example.com"},{"name":"Tagliato \ud83d","email":"k2@example.com"},{"name":"\ude00 Coda","email":"k3@example.com"}]}"#;
    let body = format!("{{\"apikey\":\"{}\",{}", street.api.key, &body[1..]);
    let done = street.api.raw(Method::POST, "/api/contacts/bulk", "application/json", body).await.expect(200);
    assert_eq!(done["created"], 3);
    assert_eq!(street.only("tagliato").await["name"], "Tagliato \u{fffd}");
}

#[tokio::test]
async fn a_head_request_changes_nothing() {
    let street = Street::new().await;
    let path = format!("/api/v1/subscriber/create?apiToken={}&phoneNumber=393473720001", street.api.key);
    let answer = street.api.raw(Method::HEAD, &path, "text/plain", "").await;
    assert_eq!(answer.status.as_u16(), 405);
    assert!(street.found("393473720001").await.is_empty());
}

#[tokio::test]
async fn a_secret_that_fits_no_header_is_refused() {
    let street = Street::new().await;
    let with = |field: &str, value: &str| {
        let mut body = json!({"token": street.api.token, "phone_number_id": "1", "waba_id": "1", "access_token": "a", "app_secret": "x", "verify_token": "y"});
        body[field] = value.into();
        body
    };
    for (field, value) in
        [("access_token", "a\r\nb"), ("app_secret", "è"), ("verify_token", &*"x".repeat(3_000))]
    {
        let answer = street.api.post("/api/accounts/connect_meta", with(field, value)).await;
        assert_eq!(answer.field(422), field);
    }
}
