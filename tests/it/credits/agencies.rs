//! `/api/subaccounts`, and who may see which.

use axum::body::Body;
use harness::{ADMIN_KEY, Answer, Api, World};
use http::Request;
use serde_json::{Value, json};

use super::{send, shop};

async fn admin(api: &Api, path: &str, body: Value) -> Answer {
    let request = Request::post(path).header("x-admin-key", ADMIN_KEY);
    let request = request.header("content-type", "application/json");
    api.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// A second agency.
async fn agency(api: &Api, name: &str) -> Api {
    let new = json!({"name": name, "email": format!("{name}@example.com")});
    let made = admin(api, "/api/tenants", new).await.expect(201);
    let path = format!("/api/tenants/{}/agency", made["tenant"]["id"].as_str().unwrap());
    assert_eq!(admin(api, &path, json!({})).await.expect(200)["tenant"]["agency"], true);
    api.with_key(made["apikey"].as_str().unwrap())
}

#[tokio::test]
async fn an_agency_makes_sub_accounts_and_sees_its_own() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let (ours, theirs) = (agency(&api, "nostra").await, agency(&api, "loro").await);
    let new = json!({"name": "Panificio", "email": "Pane@example.com", "credits": 40, "recharge_threshold": 10,
                     "prices": {"whatsapp": {"marketing": 4}}});
    let made = ours.post("/api/subaccounts", new.clone()).await.expect(201);
    let (sub, id) = (&made["subaccount"], made["subaccount"]["id"].as_str().unwrap());
    assert_eq!((&sub["credits"]["balance"], &sub["disabled"]), (&json!(40), &json!(false)));
    assert_eq!(sub["prices"], json!({"default": 1, "whatsapp": {"marketing": 4}}));
    assert_eq!(sub["plan"]["name"], "Self-hosted");
    let key = api.with_key(made["apikey"].as_str().unwrap());
    assert_eq!(key.get("/api/credits").await.expect(200)["credits"]["balance"], 40);
    assert_eq!(key.get("/api/account").await.expect(200)["profile"]["username"], "Panificio");
    // Of one address there is one, in any case; another agency may have it, too.
    let again = json!({"name": "Altro", "email": "PANE@example.com"});
    assert_eq!(ours.post("/api/subaccounts", again.clone()).await.field(409), "email");
    theirs.post("/api/subaccounts", again).await.expect(201);
    for n in 0..4 {
        let new = json!({"name": format!("Negozio {n}"), "email": format!("n{n}@example.com")});
        ours.post("/api/subaccounts", new).await.expect(201);
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = ours.get(&format!("/api/subaccounts?limit=2{after}")).await.expect(200);
        seen.extend(page["subaccounts"].as_array().unwrap().iter().map(|sub| sub["name"].clone()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["Panificio", "Negozio 0", "Negozio 1", "Negozio 2", "Negozio 3"]);
    assert_eq!(theirs.get("/api/subaccounts").await.expect(200)["subaccounts"].as_array().unwrap().len(), 1);
    for (method, path) in [
        ("GET", ""),
        ("GET", "/history"),
        ("POST", "/disable"),
        ("POST", "/enable"),
        ("POST", "/settings"),
        ("POST", "/credits"),
    ] {
        let path = format!("/api/subaccounts/{id}{path}");
        for stranger in [&theirs, &api, &key] {
            let answer = match method {
                "GET" => stranger.get(&path).await,
                _ => stranger.post(&path, json!({"amount": 5, "prices": {"default": 9}})).await,
            };
            assert_eq!(answer.field(404), "id", "{path}");
        }
    }
    assert_eq!(key.get("/api/credits").await.expect(200)["credits"]["balance"], 40);
    // Who is none has no list, and no prices to set.
    for path in ["/api/subaccounts", "/api/subaccounts/prices"] {
        assert_eq!(api.get(path).await.expect(403)["code"], "forbidden");
        assert_eq!(key.get(path).await.expect(403)["code"], "forbidden");
    }
    assert_eq!(api.get("/api/credits").await.field(404), "credits");
    let operator = ours.post("/api/operators", json!({"name": "Bruno"})).await.expect(201);
    let operator = ours.with_key(operator["apikey"].as_str().unwrap());
    operator.get("/api/subaccounts").await.expect(403);
    operator.get(&format!("/api/subaccounts/{id}")).await.expect(403);
}

#[tokio::test]
async fn what_makes_no_sense_is_named() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let agency = agency(&api, "nostra").await;
    for (body, field) in [
        (json!({"email": "a@example.com"}), "name"),
        (json!({"name": "A"}), "email"),
        (json!({"name": "A", "email": "a"}), "email"),
        (json!({"name": "A", "email": "a@example.com", "timezone": "Roma"}), "timezone"),
        (json!({"name": "A", "email": "a@example.com", "credits": -1}), "credits"),
        (json!({"name": "A", "email": "a@example.com", "credits": 1.5}), "credits"),
        (json!({"name": "A", "email": "a@example.com", "credits": 1_000_000_001}), "credits"),
        (json!({"name": "A", "email": "a@example.com", "prices": [1]}), "prices"),
        (
            json!({"name": "A", "email": "a@example.com", "prices": {"whatsapp": {"news": 1}}}),
            "prices.whatsapp.news",
        ),
        (json!({"name": "A", "email": "a@example.com", "recharge_threshold": "soon"}), "recharge_threshold"),
        (json!({"name": "A", "email": "a@example.com", "recharge_amount": 1_000_000_001}), "recharge_amount"),
    ] {
        assert_eq!(agency.post("/api/subaccounts", body.clone()).await.field(422), field, "{body}");
    }
    let unknown = json!({"name": "A", "email": "a@example.com", "plan_id": 7});
    assert_eq!(agency.post("/api/subaccounts", unknown).await.field(404), "plan_id");
    let hidden = admin(&api, "/api/plans", json!({"name": "Segreto", "visible": false})).await.expect(200);
    let hidden = json!({"name": "A", "email": "a@example.com", "plan_id": hidden["plan"]["id"]});
    assert_eq!(agency.post("/api/subaccounts", hidden).await.field(404), "plan_id");
    assert_eq!(
        agency.post("/api/subaccounts/prices", json!({"prices": {"default": 0.5}})).await.field(422),
        "prices.default"
    );
    assert!(agency.get("/api/subaccounts").await.expect(200)["subaccounts"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn who_is_an_agency_the_operator_says() {
    let (world, api, agency) = shop(5).await;
    let of = |id: &str| format!("/api/tenants/{id}/agency");
    let sub = world.tenant().to_string();
    // A sub-account is none, and an agency with sub-accounts stays one.
    assert_eq!(admin(&api, &of(&sub), json!({})).await.status, 409);
    let id = world.agency.as_ref().unwrap().tenant_id().to_string();
    assert_eq!(admin(&api, &of(&id), json!({"agency": false})).await.status, 409);
    assert_eq!(admin(&api, &of("nobody"), json!({})).await.field(404), "id");
    assert_eq!(agency.post(&of(&id), json!({})).await.status, 401);
    let new = json!({"name": "Vuota", "email": "vuota@example.com"});
    let made = admin(&api, "/api/tenants", new).await.expect(201);
    let path = of(made["tenant"]["id"].as_str().unwrap());
    for (asked, is) in [(json!({}), true), (json!({}), true), (json!({"agency": false}), false)] {
        assert_eq!(admin(&api, &path, asked).await.expect(200)["tenant"]["agency"], is);
    }
    // A plan that is given changes nothing of it.
    let plan = admin(&api, "/api/plans", json!({"name": "Growth"})).await.expect(200)["plan"]["id"].clone();
    let path = format!("/api/tenants/{sub}/plan");
    admin(&api, &path, json!({"plan_id": plan})).await.expect(200);
    assert_eq!(api.get("/api/credits").await.expect(200)["credits"]["balance"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sub_account_that_is_switched_off_does_nothing() {
    let (world, api, agency) = shop(5).await;
    let path = |what: &str| format!("/api/subaccounts/{}/{what}", world.tenant());
    send(&api, 1).await.expect(200);
    assert_eq!(agency.post(&path("disable"), json!({})).await.expect(200)["subaccount"]["disabled"], true);
    let refused = send(&api, 1).await.expect(403);
    assert_eq!(refused["code"], "forbidden");
    assert_eq!(api.get("/api/contacts").await.status, 403);
    // What is granted meanwhile is there when it is on again.
    let body = json!({"sub_account_id": world.tenant().as_str(), "amount": 3});
    assert_eq!(agency.post("/v1/subaccounts/credits", body).await.expect(200)["new_balance"], 7);
    agency.post(&path("enable"), json!({})).await.expect(200);
    send(&api, 1).await.expect(200);
}

#[tokio::test]
async fn prices_are_the_agencys_or_its_own() {
    let (world, api, agency) = shop(100).await;
    let id = world.tenant();
    let prices = async || api.get("/api/credits").await.expect(200)["prices"].clone();
    assert_eq!(prices().await, json!({"default": 1}));
    let set = json!({"prices": {"default": 2, "whatsapp": {"service": 3}}});
    agency.post("/api/subaccounts/prices", set).await.expect(200);
    assert_eq!(prices().await, json!({"default": 2, "whatsapp": {"service": 3}}));
    send(&api, 1).await.expect(200);
    assert_eq!(super::purse(&world).await.balance, 97);
    let path = format!("/api/subaccounts/{id}/settings");
    let own = agency.post(&path, json!({"prices": {"whatsapp": 0}})).await.expect(200);
    assert_eq!(own["subaccount"]["own_prices"], true);
    agency.post("/api/subaccounts/prices", json!({"prices": {"default": 50}})).await.expect(200);
    send(&api, 2).await.expect(200);
    assert_eq!(super::purse(&world).await.balance, 97);
    let back = agency.post(&path, json!({"prices": {}})).await.expect(200);
    assert_eq!((&back["subaccount"]["own_prices"], prices().await), (&json!(false), json!({"default": 50})));
    send(&api, 3).await.expect(200);
    assert_eq!(super::purse(&world).await.balance, 47);
}
