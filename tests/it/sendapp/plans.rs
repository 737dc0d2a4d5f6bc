//! Plans that the installation defines, and what they allow.

use domain::plan::{Module, Plan};
use futures::future::join_all;
use harness::{ADMIN_KEY, Answer, Api, PHONE_NUMBER_ID, Setup, World, phone};
use http::Request;
use serde_json::{Value, json};

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13];

async fn world(plan: Plan) -> (World, Api) {
    let world = World::with(Setup { plan, ..Setup::default() }).await;
    world.set(json!({"enforce_window": false}));
    let api = Api::of(&world).await;
    (world, api)
}

async fn admin(api: &Api, path: &str, body: &Value) -> Answer {
    let request = Request::post(path).header("x-admin-key", ADMIN_KEY);
    let request = request.header("content-type", "application/json");
    api.send(request.body(body.to_string().into()).unwrap()).await
}

async fn send(api: &Api) -> Answer {
    let body = json!({"token": api.token, "number": phone(1), "type": "freetext", "message": "Ciao"});
    api.post("/api/whatsapp-meta/send", body).await
}

#[tokio::test]
async fn a_tenant_has_a_copy_of_the_plan_that_it_was_given() {
    let (world, api) = world(Plan::default()).await;
    let plan = json!({"name": "Growth", "price": 4_900, "currency": "eur", "validity": 30, "contacts": 5_000,
                      "messages_per_minute": 60, "messages_per_day": 5_000, "modules": ["live_chat", "broadcast"]});
    let made = admin(&api, "/api/plans", &plan).await.expect(200);
    assert_eq!((&made["created"], &made["plan"]["id"]), (&json!(true), &json!(1)));
    let path = format!("/api/tenants/{}/plan", world.tenant());
    admin(&api, &path, &json!({"plan_id": 1})).await.expect(200);
    let account = api.get("/api/account").await.expect(200);
    assert_eq!(account["plan"]["prices"], json!({"amount": 4_900, "currency": "EUR"}));
    assert_eq!(account["plan"]["limits"]["messages_per_minute"], 60);
    assert!(account["subscription"]["renews_at"].as_str().unwrap().starts_with("2026-07-31T08:00:0"));
    // What is defined anew is for who gets it from then on.
    let changed = admin(&api, "/api/plans", &json!({"name": "Growth", "contacts": 1})).await.expect(200);
    assert_eq!((&changed["created"], &changed["plan"]["id"]), (&json!(false), &json!(1)));
    assert_eq!(api.get("/api/account").await.expect(200)["plan"]["limits"]["contacts"], 5_000);
    let new = json!({"name": "Altri", "email": "altri@example.com", "plan_id": 1});
    let other = admin(&api, "/api/tenants", &new).await.expect(201);
    assert_eq!(other["tenant"]["plan"]["limits"]["contacts"], 1);
    // A plan whose time is over is said to be, and goes on.
    world.clock.advance_ms(31 * 86_400_000);
    assert_eq!(api.get("/api/account").await.expect(200)["subscription"]["status"], "expired");
    let listed = api.sendwo("/api/v1/user/package/list", "").await.expect(200);
    assert_eq!(
        (&listed["message"][0]["package_name"], listed["message"].as_array().unwrap().len()),
        (&json!("Growth"), 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_name_there_is_one_plan_and_of_plans_a_hundred() {
    let (_world, api) = world(Plan::default()).await;
    let bodies: Vec<Value> = (0..8).map(|n| json!({"name": (["Base", "Pro"][n % 2])})).collect();
    let made = join_all(bodies.iter().map(|body| admin(&api, "/api/plans", body))).await;
    let created = made.iter().filter(|answer| answer.expect(200)["created"] == true).count();
    assert_eq!(created, 2);
    let renamed = json!({"id": 1, "name": made[1].json()["plan"]["name"]});
    let answer = admin(&api, "/api/plans", &renamed).await;
    assert!([200, 409].contains(&answer.status.as_u16()), "{answer:?}");
    for n in 2..100 {
        admin(&api, "/api/plans", &json!({"name": format!("Piano {n}")})).await.expect(200);
    }
    assert_eq!(admin(&api, "/api/plans", &json!({"name": "Uno di troppo"})).await.field(409), "name");
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "x", "validity": 0}), "validity"),
        (json!({"name": "x", "validity": 40_000}), "validity"),
        (json!({"name": "x", "price": 1, "currency": "EURO"}), "currency"),
        (json!({"name": "x", "price": -1}), "price"),
        (json!({"name": "x", "price": 9.5}), "price"),
        (json!({"name": "x", "modules": "fax"}), "modules"),
        (json!({"name": "x", "requests_per_minute": 0}), "requests_per_minute"),
        (json!({"name": "x", "messages_per_day": "many"}), "messages_per_day"),
    ] {
        assert_eq!(admin(&api, "/api/plans", &body).await.field(422), field, "{body}");
    }
    let unknown = json!({"name": "Altri", "email": "altri@example.com", "plan_id": 999});
    assert_eq!(admin(&api, "/api/tenants", &unknown).await.field(404), "plan_id");
    for path in ["/api/plans", "/api/tenants/x/plan"] {
        assert_eq!(api.post(path, json!({"name": "x", "plan_id": 1})).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn messages_of_a_minute_and_of_a_day_are_counted() {
    let plan = Plan { messages_per_minute: Some(2), messages_per_day: Some(3), ..Plan::default() };
    let (world, api) = world(plan).await;
    send(&api).await.expect(200);
    send(&api).await.expect(200);
    let refused = send(&api).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (429, &json!("rate_limited")));
    assert!(refused.headers.contains_key("retry-after"));
    let body =
        json!({"apiToken": api.key, "phoneNumberId": PHONE_NUMBER_ID, "to": phone(1), "message": "Ciao"});
    assert_eq!(api.post("/api/v1/whatsapp/send-text-message", body).await.status, 429);
    world.clock.advance_ms(60_000);
    send(&api).await.expect(200);
    assert_eq!(send(&api).await.expect(403)["code"], "plan_limit");
    let used = api.sendwo("/api/v1/user/usage/log", "").await.expect(200);
    assert_eq!(
        used["message"]["modules"][0],
        json!({"module_name": "Message Credit", "limit": 3, "used": 3, "period": "day"})
    );
    world.clock.advance_ms(86_400_000);
    world.writes(&phone(1), "Buongiorno");
    world.drain().await;
    send(&api).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_messages_at_once_no_more_go_than_the_minute_has() {
    let (world, api) = world(Plan { messages_per_minute: Some(3), ..Plan::default() }).await;
    let answers = join_all((0..8).map(|_| send(&api))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 3);
    assert_eq!(world.simulator.messages(None, usize::MAX).len(), 3);
}

#[tokio::test]
async fn campaigns_uploads_and_operators_are_counted() {
    let plan = Plan {
        campaigns: Some(1),
        media: Some(1),
        team_members: Some(1),
        contacts: Some(7),
        ..Plan::default()
    };
    let (world, api) = world(plan).await;
    let draft = || {
        let draft =
            json!({"name": "Promo", "channel": "whatsapp", "message_type": "text", "message": "Ciao"});
        api.post_as_documented("/api/campaigns/draft", draft)
    };
    draft().await.expect(200);
    assert_eq!(draft().await.expect(403)["code"], "plan_limit");
    let fields = [("apikey", api.key.as_str()), ("token", api.token.as_str())];
    let upload = || api.upload("/api/campaigns/upload_media", &fields, ("a.png", "image/png", PNG));
    upload().await.expect(200);
    assert_eq!(upload().await.expect(403)["code"], "plan_limit");
    api.post("/api/operators", json!({"name": "Bruno"})).await.expect(201);
    assert_eq!(api.post("/api/operators", json!({"name": "Carla"})).await.expect(403)["code"], "plan_limit");
    let used = api.sendwo("/api/v1/user/usage/log", "").await.expect(200);
    let of = |name: &str| {
        let modules = used["message"]["modules"].as_array().unwrap();
        modules.iter().find(|module| module["module_name"] == name).unwrap()["used"].clone()
    };
    let counted = ["Campaigns", "Media", "Team Members", "WhatsApp Accounts", "Subscribers"].map(of);
    assert_eq!(counted, [json!(1), json!(1), json!(1), json!(1), json!(0)]);
    // Another month, other counts.
    world.clock.advance_ms(31 * 86_400_000);
    draft().await.expect(200);
    upload().await.expect(200);
}

#[tokio::test]
async fn a_plan_without_broadcast_has_no_campaigns() {
    let modules = Some([Module::LiveChat].into());
    let (_world, api) = world(Plan { modules, ..Plan::default() }).await;
    let draft = json!({"name": "Promo", "channel": "whatsapp", "message_type": "text", "message": "Ciao"});
    assert_eq!(api.post_as_documented("/api/campaigns/draft", draft).await.expect(403)["code"], "plan_limit");
    let listed = api.sendwo("/api/v1/user/module/list", "").await.expect(200);
    let enabled = listed["message"].as_array().unwrap().iter().filter(|module| module["enabled"] == true);
    let enabled: Vec<&Value> = enabled.map(|module| &module["module"]).collect();
    assert_eq!(enabled, ["live_chat", "api"]);
}
