//! Registering endpoints, testing them, and changing their secret.

use harness::{Api, Hook, World};
use serde_json::{Value, json};

use super::{DAY_MS, forwarding, post, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_tells_at_once_what_the_endpoint_answers() {
    let (_world, api, hook, made) = forwarding().await;
    let test = format!("/api/webhooks/{}/test", made["webhook"]["id"]);
    let tested = api.post(&test, json!({})).await.expect(200);
    assert_eq!((&tested["delivered"], &tested["attempt"]["status"]), (&json!(true), &json!(200)));
    let body = hook.received()[0].json();
    assert_eq!((&body["type"], &body["sequence"]), (&json!("webhook.test"), &json!(1)));
    hook.answer(418);
    let tested = api.post(&test, json!({})).await.expect(200);
    assert_eq!((&tested["delivered"], &tested["attempt"]["status"]), (&json!(false), &json!(418)));
    assert_eq!(tested["attempt"]["answer"], "the receiver's answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_secrets_sign_for_a_day_after_a_rotation() {
    let (world, api, hook, made) = forwarding().await;
    let old = made["secret"].as_str().unwrap();
    // The library compares with the machine's clock.
    world.clock.advance_ms(domain::Clock::System.now_ms() - world.clock.now_ms());
    let rotated = format!("/api/webhooks/{}/rotate_secret", made["webhook"]["id"]);
    let new = api.post(&rotated, json!({})).await.expect(200)["secret"].as_str().unwrap().to_owned();
    post(&world, &text(1, "ciao")).await;
    world.drain().await;
    world.clock.advance_ms(DAY_MS);
    post(&world, &text(2, "ciao")).await;
    world.drain().await;
    let received = hook.received();
    assert!(received[0].is_signed_with(old) && received[0].is_signed_with(&new));
    assert!(!received[1].is_signed_with(old) && received[1].is_signed_with(&new));
    // The library of the standard's authors is of the same opinion.
    for secret in [old, &new] {
        let library = standardwebhooks::Webhook::new(secret).unwrap();
        library.verify(&received[0].body, &received[0].headers).unwrap();
        let mut forged = received[0].body.to_vec();
        forged[0] = b'[';
        assert!(library.verify(&forged, &received[0].headers).is_err());
        let (id, timestamp) = (received[1].header("webhook-id"), received[1].header("webhook-timestamp"));
        let signature = library.sign(id, timestamp.parse().unwrap(), &received[1].body).unwrap();
        assert_eq!(received[1].header("webhook-signature") == signature, secret == new);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_that_lead_inside_are_refused_with_the_reason() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    for (url, why) in [
        ("http://example.com/hook", "https"),
        ("https://user:pass@example.com/", "user name"),
        ("https://0x7f000002/", "loopback"),
        ("https://[::ffff:10.0.0.1]/", "carries an ipv4 address"),
        ("https://169.254.169.254/latest", "link-local"),
        ("https://example.com:22/", "port"),
        ("ftp://example.com/", "http"),
        ("https://printer.local/", "public host name"),
        ("not a url", "spaces"),
    ] {
        let answer = api.post("/api/webhooks", json!({"url": url, "name": "x"})).await;
        let body = answer.expect(422);
        assert_eq!(body["field"], "url", "{body}");
        assert!(body["message"].as_str().unwrap().contains(why), "{url}: {body}");
        let workflow = json!({"apiToken": api.key, "workflowName": "x", "targetUrl": url}).to_string();
        let path = "/api/v1/webhook/workflow/create";
        let body = api.raw(http::Method::POST, path, "application/json", workflow).await.expect(200);
        assert_eq!((&body["status"], &body["error"]["field"]), (&json!("0"), &json!("targetUrl")), "{body}");
    }
    let answer = api.get("/api/webhooks").await.expect(200);
    assert_eq!(answer["webhooks"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_s_registrations_replace_and_remove() {
    let (world, api, hook, made) = forwarding().await;
    let second = Hook::new().await;
    let path = "/api/whatsapp-meta/set_webhook";
    let replaced = api.post_as_documented(path, json!({"url": second.url})).await.expect(200);
    assert_eq!(replaced["webhook"]["id"], made["webhook"]["id"]);
    assert_eq!(replaced["secret"], Value::Null, "a replaced one keeps its secret");
    post(&world, &text(1, "ciao")).await;
    world.drain().await;
    assert_eq!((hook.received().len(), second.received().len()), (0, 1));
    for removed in [true, false] {
        let body = json!({"apikey": api.key, "token": api.token});
        let answer = api.json(http::Method::DELETE, path, &body).await.expect(200);
        assert_eq!((&answer["status"], &answer["removed"]), (&json!("success"), &json!(removed)));
    }
    post(&world, &text(2, "ciao")).await;
    world.drain().await;
    assert_eq!(second.received().len(), 1);
    assert_eq!(api.post("/api/sms/set_webhook", json!({"token": api.token})).await.field(422), "url");
    let sms = api.post_as_documented("/api/sms/set_webhook", json!({"url": hook.url})).await.expect(200);
    let names = ["sms_received", "device.disconnected", "device.reconnected", "device.deleted"];
    assert_eq!(sms["webhook"]["events"], json!(names));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenant_s_endpoints_are_not_there() {
    let (_world, api, _, made) = forwarding().await;
    let other = api.of_another_tenant().await;
    let id = &made["webhook"]["id"];
    assert_eq!(other.get("/api/webhooks").await.expect(200)["webhooks"], json!([]));
    for (path, body) in [
        ("", json!({"name": "x"})),
        ("/replay", json!({"delivery_id": 1})),
        ("/test", json!({})),
        ("/rotate_secret", json!({})),
    ] {
        assert_eq!(other.post(&format!("/api/webhooks/{id}{path}"), body).await.field(404), "id");
    }
    assert_eq!(other.get(&format!("/api/webhooks/{id}/deliveries")).await.field(404), "id");
    let token = json!({"token": api.token, "url": "https://example.com/"});
    assert_eq!(other.post("/api/whatsapp-meta/set_webhook", token).await.field(404), "token");
}
