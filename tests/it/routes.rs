//! Every route, tried without credentials and against its document.

use domain::webhook::EventType;
use std::collections::BTreeSet;

use api_http::{Dialect, Route};
use axum::body::Body;
use harness::{Answer, Api, World};
use http::Request;
use serde_json::json;

/// Everything that is served, from the tables the routers are built from.
fn routes() -> Vec<Route> {
    let functions = [
        accounts::table().routes(),
        campaigns::table().routes(),
        contacts::table().routes(),
        inbound::table().routes(),
        messages::table().routes(),
        webhooks::table().routes(),
    ];
    functions.into_iter().flatten().collect()
}

/// Files are public by their unguessable id, integrations' addresses by their token,
/// and tenants have their own key.
fn takes_keys(route: &Route) -> bool {
    let is_public = ["/media/", "/api/integrations/webhook/"].iter().any(|p| route.path.starts_with(p));
    !is_public && route.path != "/api/tenants"
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

/// Methods and paths of an OpenAPI document, with whether they are extensions.
fn documented(document: &str) -> BTreeSet<(String, String, bool)> {
    let mut found: Vec<(String, String, bool)> = Vec::new();
    let mut path = String::new();
    let mut inside = false;
    for line in document.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        let name = line.trim().trim_end_matches(':').trim_matches(['\'', '"']);
        match indent {
            0 => inside = line.starts_with("paths:"),
            2 if inside && name.starts_with('/') => path = name.to_owned(),
            4 if inside && ["get", "post", "put", "delete"].contains(&name) => {
                found.push((name.to_uppercase(), path.clone(), false));
            }
            6 if inside && line.trim() == "x-staffetta-extension: true" => {
                if let Some(last) = found.last_mut() {
                    last.2 = true;
                }
            }
            _ => {}
        }
    }
    found.into_iter().collect()
}

#[test]
fn the_documents_list_what_is_served() {
    let documents = [
        (Dialect::SendApp, include_str!("../../infra/openapi/sendapp.yaml")),
        (Dialect::Sendwo, include_str!("../../infra/openapi/sendwo.yaml")),
        (Dialect::SendApi, include_str!("../../infra/openapi/sendapi.yaml")),
        (Dialect::DmChamp, include_str!("../../infra/openapi/dmchamp.yaml")),
    ];
    for (dialect, document) in documents {
        let served: BTreeSet<(String, String, bool)> = routes()
            .iter()
            .filter(|r| r.dialect == dialect)
            .map(|r| (r.method.to_owned(), r.path.to_owned(), r.extension))
            .collect();
        assert_eq!(documented(document), served, "{dialect:?}");
    }
}

#[test]
fn every_event_is_documented() {
    let document = include_str!("../../infra/openapi/sendapp.yaml");
    let (_, section) = document.split_once("\nwebhooks:\n").unwrap();
    let (section, _) = section.split_once("\ncomponents:\n").unwrap();
    let names = section.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: BTreeSet<&str> = names.map(|line| line.trim().trim_end_matches(':')).collect();
    let kinds: BTreeSet<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names, kinds);
}
