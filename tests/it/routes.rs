//! Every route, tried without credentials and against its document.

use domain::webhook::EventType;
use std::collections::BTreeSet;

use api_http::{Dialect, Route};
use axum::body::Body;
use harness::documented::{document, events, wrong_in_answer, wrong_in_post};
use harness::{Answer, Api, World};
use http::Request;
use serde_json::{Value, json};

/// Everything that is served, from the tables the routers are built from.
pub(crate) fn routes() -> Vec<Route> {
    let functions = [
        accounts::table().routes(),
        assistant::table().routes(),
        campaigns::table().routes(),
        catalog::table().routes(),
        contacts::table().routes(),
        inbound::table().routes(),
        messages::table().routes(),
        senders::table().routes(),
        webhooks::table().routes(),
    ];
    functions.into_iter().flatten().collect()
}

/// Files are public by their unguessable id, integrations' addresses by their token,
/// and tenants have their own key.
fn takes_keys(route: &Route) -> bool {
    let is_public = ["/media/", "/api/integrations/webhook/"].iter().any(|p| route.path.starts_with(p));
    // Of whoever runs the installation, who has a key of another kind.
    let is_admins = ["/api/tenants", "/api/plans"].iter().any(|p| route.path.starts_with(p));
    !is_public && !is_admins
}

/// A request with a key, carried as the route's dialect carries it.
async fn call(api: &Api, route: &Route, key: Option<&str>) -> Answer {
    let path = route.path.replace("{id}", "1").replace("{name}", "x");
    let query = match (route.dialect, key) {
        (Dialect::Sendwo, Some(key)) => format!("?apiToken={key}"),
        _ => String::new(),
    };
    let mut request = Request::builder().method(route.method).uri(format!("{path}{query}"));
    request = match (route.dialect, key) {
        (Dialect::SendApi, Some(key)) => request.header("authorization", format!("Bearer {key}")),
        (Dialect::SendApp | Dialect::DmChamp, Some(key)) => request.header("x-api-key", key),
        (_, _) => request,
    };
    let request = request.header("content-type", "application/json");
    let body = if route.method == "GET" { Body::empty() } else { Body::from("{}") };
    api.send(request.body(body).unwrap()).await
}

fn assert_unauthorized(route: &Route, answer: &Answer) {
    let body = answer.expect(401);
    let in_dialect = match route.dialect {
        Dialect::SendApp => body["status"] == "error" && body["message"].is_string(),
        Dialect::Sendwo => body["status"] == "0" && body["error"]["code"].is_string(),
        Dialect::SendApi | Dialect::DmChamp => body["error"]["code"].is_string(),
    };
    assert!(in_dialect, "{} {}: {body}", route.method, route.path);
}

#[tokio::test]
async fn every_route_refuses_no_key_a_wrong_key_and_a_revoked_key() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let revoked = api.key.clone();
    let new = api.post("/api/account/regenerate_key", json!({})).await.expect(200);
    let valid = new["apikey"].as_str().unwrap();
    for route in routes().iter().filter(|r| takes_keys(r)) {
        assert_unauthorized(route, &call(&api, route, None).await);
        assert_unauthorized(route, &call(&api, route, Some("sk_live_nobody")).await);
        assert_unauthorized(route, &call(&api, route, Some(&revoked)).await);
        // A new key would revoke the one that the others are tried with.
        if route.path != "/api/account/regenerate_key" {
            let known = call(&api, route, Some(valid)).await;
            assert_ne!(known.status, 401, "{} {}", route.method, route.path);
            assert!(!known.status.is_server_error(), "{} {}: {:?}", route.method, route.path, known.status);
        }
    }
}

#[tokio::test]
async fn another_tenants_things_are_not_found() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    api.post("/api/contacts", json!({"email": "a@example.com"})).await.expect(201);
    let draft =
        json!({"name": "x", "channel": "whatsapp", "message_type": "template", "template_name": "avviso"});
    api.post_as_documented("/api/campaigns/draft", draft).await.expect(200);
    let other = api.of_another_tenant().await;
    for route in routes().iter().filter(|r| takes_keys(r) && r.path.contains("{id}")) {
        let answer = call(&other, route, Some(&other.key)).await;
        assert_eq!(answer.status, 404, "{} {}", route.method, route.path);
    }
    let token = json!({"token": api.token, "number": "1234567890", "type": "freetext", "message": "x"});
    assert_eq!(other.post("/api/whatsapp-meta/send", token).await.field(404), "token");
    assert_eq!(
        other.post("/api/campaigns/launch", json!({"campaign_id": 1})).await.field(404),
        "campaign_id"
    );
    let ids = json!({"ids": [1]});
    let counted = other.json(http::Method::DELETE, "/api/contacts/bulk", &ids).await.expect(200);
    assert_eq!(counted["not_found"], 1);
    assert_eq!(other.get("/api/contacts").await.expect(200)["total"], 0);
    assert_eq!(api.get("/api/contacts").await.expect(200)["total"], 1);
}

/// Methods and paths of a dialect's document, with whether they are extensions.
fn documented(dialect: Dialect) -> BTreeSet<(String, String, bool)> {
    const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
    let operations = document(dialect)["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| Some((path, method, item.get(method)?)))
    });
    operations
        .map(|(path, method, operation)| {
            (method.to_uppercase(), path.clone(), operation["x-staffetta-extension"] == true)
        })
        .collect()
}

#[test]
fn the_documents_list_what_is_served() {
    for dialect in [Dialect::SendApp, Dialect::Sendwo, Dialect::SendApi, Dialect::DmChamp] {
        let served: BTreeSet<(String, String, bool)> = routes()
            .iter()
            .filter(|r| r.dialect == dialect)
            .map(|r| (r.method.to_owned(), r.path.to_owned(), r.extension))
            .collect();
        assert_eq!(documented(dialect), served, "{dialect:?}");
    }
}

#[test]
fn answers_are_held_to_the_documents() {
    for (method, path, status, body, as_described) in [
        ("GET", "/api/webhooks", 200, r#"{"status": "success", "webhooks": []}"#, true),
        ("GET", "/api/webhooks", 200, r#"{"status": "success"}"#, false),
        ("GET", "/api/webhooks", 200, "", false),
        ("GET", "/api/webhooks", 418, "{}", false),
        ("GET", "/api/webhooks/7", 404, r#"{"status": "error"}"#, false),
        ("GET", "/v1/whatsapp/messages/7", 200, "{}", false),
        ("GET", "/api/v1/subscriber/list", 200, "{}", false),
        ("POST", "/v1/contacts", 200, "{}", false),
    ] {
        let wrong = wrong_in_answer(method, path, status, body.as_bytes());
        assert_eq!(wrong.is_empty(), as_described, "{method} {path} {status} {body}: {wrong:?}");
    }
}

/// What the document says of the `data` of an event of ours.
fn documented_data(kind: &str) -> &'static Value {
    let post = &document(Dialect::SendApp)["webhooks"][kind]["post"];
    &post["requestBody"]["content"]["application/json"]["schema"]["allOf"][1]["properties"]["data"]
}

#[test]
fn every_event_is_documented() {
    let names: BTreeSet<&str> = events().collect();
    let kinds: BTreeSet<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names, kinds);
    // All that an event of ours says is in it, whatever happened.
    for kind in EventType::ALL {
        let Some(fields) = kind.fields() else { continue };
        let data = documented_data(kind.as_str());
        let named: BTreeSet<&str> =
            data["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let required: BTreeSet<&str> =
            data["required"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
        let listed: BTreeSet<&str> = fields.iter().copied().collect();
        assert_eq!((&named, &required), (&listed, &listed), "{kind}");
    }
    // What the receivers of the tests check is not satisfied with anything.
    for kind in EventType::ALL.iter().filter(|kind| kind.is_ours()) {
        assert!(!wrong_in_post(Some(kind.as_str()), None, b"{}").is_empty(), "{kind}");
    }
    assert!(!wrong_in_post(None, None, b"{}").is_empty());
    assert!(!wrong_in_post(None, Some("flow:1#1"), b"{}").is_empty());
}
