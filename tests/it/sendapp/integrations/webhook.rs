//! The address itself: who it belongs to, and what becomes of the contacts.

use std::collections::HashSet;

use axum::body::Body;
use domain::account::Tenant;
use domain::plan::Plan;
use futures::future::join_all;
use harness::{Api, Audit, Setup, World};
use http::{Method, Request};
use local::embedded::hold;
use ops::accounts::{self, AccountSettings, NewTenant};
use registry::Function;
use serde_json::json;
use store::Kind;

use super::{JSON, calls, ignored, italy, post, request, tagged, total};

const MARIO: &str = r#"{"customer": {"first_name": "Mario", "phone": "+393391234567", "city": "Roma"}}"#;

#[tokio::test]
async fn the_example_of_the_contract() {
    let (world, api) = italy().await;
    let body = r#"{"email": "jon@example.com",
        "customer": {"first_name": "Jon", "last_name": "Snow", "phone": "+391234567890"}}"#;
    let answer = post(&api, "?source=shopify", &[JSON], body).await.expect(200);
    assert_eq!(answer, json!({"status": "ok", "contact": {"id": 1}}));
    assert_eq!(tagged(&api, "shopify").await, ["Jon Snow | +391234567890 | jon@example.com"]);
    world.drain().await;
    assert_eq!(world.simulator.stats().accepted, 0, "no message is ever sent");
}

#[tokio::test]
async fn token_names_the_account() {
    let (_world, api) = italy().await;
    let nobody = api.with_token("nobody");
    assert_eq!(post(&nobody, "", &[JSON], MARIO).await.field(404), "token");
    let probe = |token: &str| format!("/api/integrations/webhook/{token}");
    assert_eq!(api.raw(Method::GET, &probe("nobody"), "", "").await.field(404), "token");
    assert_eq!(api.raw(Method::GET, &probe(&api.token), "", "").await.expect(200), json!({"status": "ok"}));
    assert_eq!(total(&api).await, 0);
}

#[tokio::test]
async fn a_tenant_that_is_gone_or_has_no_access_is_unknown() {
    let (world, api) = italy().await;
    let store = world.store();
    let gone = Tenant { id: "gone".parse().unwrap(), ..world.caller.tenant.clone() };
    let plan = Plan { api_access: false, ..Plan::default() };
    let email = "chiuso@example.com".to_owned();
    let closed = NewTenant { name: "Chiuso".to_owned(), email, timezone: None, plan };
    let (closed, _) = accounts::create_tenant(store, closed).await.unwrap();
    for tenant in [gone, closed] {
        let new = AccountSettings::named("Negozio");
        let account = accounts::create_account(store, &tenant, new).await.unwrap();
        let address = api.with_token(account.token.expose());
        assert_eq!(post(&address, "", &[JSON], MARIO).await.field(404), "token");
    }
}

#[tokio::test]
async fn source_is_the_tag() {
    let (_world, api) = italy().await;
    for (query, agent, tag) in [
        ("?source=Black%20Friday", "Zapier", "Black%20Friday"),
        ("?source=", "Zapier", "zapier"),
        ("?source=%ff", "Zapier", "zapier"),
        ("", "Mailmill/3 (+https://example.com)", "mailmill"),
    ] {
        post(&api, query, &[JSON, ("user-agent", agent)], MARIO).await.expect(200);
        assert_eq!(tagged(&api, tag).await, ["Mario | +393391234567 | -"], "{query} {agent}");
    }
    assert_eq!(total(&api).await, 1);
}

#[tokio::test]
async fn a_contact_that_is_there_is_merged() {
    let (_world, api) = italy().await;
    let known = json!({"name": "M. Rossi", "phone": "+393391234567", "email": "mario@example.com",
                       "tags": ["vip"], "metadata": {"code": "M-1", "city": "Milano"}});
    api.post("/api/contacts", known).await.expect(201);
    let answer = post(&api, "?source=shopify", &[JSON], MARIO).await.expect(200);
    assert_eq!(answer["contact"]["id"], 1);
    let contact = &api.get("/api/contacts").await.expect(200)["contacts"][0];
    assert_eq!((&contact["name"], &contact["email"]), (&json!("Mario"), &json!("mario@example.com")));
    assert_eq!(contact["tags"], json!(["vip", "shopify"]));
    assert_eq!(contact["metadata"], json!({"code": "M-1", "city": "Roma"}));
    assert_eq!(total(&api).await, 1);
}

#[tokio::test]
async fn local_numbers_take_the_accounts_country() {
    let (world, api) = italy().await;
    let body = r#"{"name": "Mario", "phone": "339 1234567"}"#;
    post(&api, "?source=crm", &[JSON], body).await.expect(200);
    assert_eq!(tagged(&api, "crm").await, ["Mario | +393391234567 | -"]);
    let at_home = r#"{"name": "Ann", "phone": "07700 900123", "country": "GB"}"#;
    post(&api, "?source=uk", &[JSON], at_home).await.expect(200);
    assert_eq!(tagged(&api, "uk").await, ["Ann | +447700900123 | -"], "its address goes first");
    let anywhere = api.with_token(world.account.token.expose());
    assert!(ignored(&anywhere, "", &[JSON], body).await.contains("no default country"));
}

#[tokio::test]
async fn several_contacts_come_in_their_order() {
    let (_world, api) = italy().await;
    let shared = r#"[{"name": "Ada", "phone": "+393475550121", "email": "ufficio@example.com"},
        {"name": "Bea", "phone": "+393475550122", "email": "ufficio@example.com"},
        {"name": "Ada", "phone": "+393475550121"}]"#;
    let answer = post(&api, "?source=list", &[JSON], shared).await.expect(200);
    assert_eq!(answer, json!({"status": "ok", "contact": {"id": 1}, "contacts": [{"id": 1}, {"id": 2}]}));
    assert_eq!(
        tagged(&api, "list").await,
        ["Ada | +393475550121 | ufficio@example.com", "Bea | +393475550122 | -"]
    );
    assert_eq!(calls(&api).await[0]["reason"], "the e-mail address stays with another contact");
}

#[tokio::test]
async fn a_full_plan_is_no_error() {
    let plan = Plan { contacts: Some(2), ..Plan::default() };
    let world = World::with(Setup { plan, ..Setup::default() }).await;
    let api = Api::of(&world).await;
    let both = r#"[{"phone": "+393475550121"}, {"phone": "+393475550122"}]"#;
    let ada = post(&api, "", &[JSON], both).await.expect(200)["contact"]["id"].clone();
    let third = r#"{"name": "Ciro", "phone": "+393475550123"}"#;
    assert_eq!(ignored(&api, "?source=crm", &[JSON], third).await, "the plan's contact limit is reached");
    let merge = r#"{"name": "Ada", "phone": "+393475550121"}"#;
    assert_eq!(post(&api, "?source=crm", &[JSON], merge).await.expect(200)["contact"]["id"], ada);
    let mixed = format!("[{third}, {merge}]");
    assert_eq!(post(&api, "?source=crm", &[JSON], mixed).await.expect(200)["contact"]["id"], ada);
    let log = calls(&api).await;
    let full: Vec<_> =
        log.iter().filter(|call| call["reason"] == "the plan's contact limit is reached").collect();
    assert_eq!(full.len(), 2, "{log:?}");
    assert_eq!(total(&api).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_copies_at_once_make_one_contact() {
    let (world, api) = italy().await;
    let answers = join_all((0..100).map(|_| post(&api, "?source=shopify", &[JSON], MARIO))).await;
    let ids: HashSet<u64> =
        answers.iter().map(|answer| answer.expect(200)["contact"]["id"].as_u64().unwrap()).collect();
    assert_eq!((ids.len(), total(&api).await), (1, 1));
    assert_eq!(world.audit().await, Audit { contacts: 1, used: 1, ..Audit::default() });
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_worth_repeating() {
    let (_world, api) = italy().await;
    const KINDS: &[Kind] = &[
        Kind::Token,
        Kind::Tenant,
        Kind::Accounts,
        Kind::Hook,
        Kind::Identity,
        Kind::Counter,
        Kind::Blocks,
        Kind::Label,
        // Flows may wait for its tags.
        Kind::Flow,
        Kind::Contacts,
    ];
    for (kinds, status) in
        [(&KINDS[..1], 503), (&KINDS[..3], 503), (&KINDS[..4], 503), (&KINDS[..7], 503), (KINDS, 200)]
    {
        let lacking: &Function =
            Box::leak(Box::new(Function { reads: &[], writes: kinds, ..registry::INBOUND }));
        let answer =
            hold(lacking, api.send_together(request(&api.token, "?source=crm", &[JSON], MARIO))).await;
        assert_eq!(answer.status.as_u16(), status, "{kinds:?}");
    }
    assert_eq!(total(&api).await, 1, "what is taken is taken, also when it cannot be listed");
}

#[tokio::test]
async fn other_methods_are_refused() {
    let (_world, api) = italy().await;
    let path = format!("/api/integrations/webhook/{}", api.token);
    let put = Request::put(path).body(Body::from(MARIO)).unwrap();
    assert_eq!(api.send(put).await.status, 405);
}
