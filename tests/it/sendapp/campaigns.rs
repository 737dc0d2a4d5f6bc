//! `/api/campaigns`, by the examples of the contract.

use domain::CampaignId;
use harness::{Api, World, person};
use serde_json::{Value, json};

const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1];
const DRAFT: &str = "/api/campaigns/draft";

async fn shop() -> (World, Api) {
    let world = World::new().await;
    world.template("promo_estate", "UTILITY", "Ciao {{1}}, a presto!").await;
    world.import([person(1), person(2), person(3)]).await;
    let api = Api::of(&world).await;
    (world, api)
}

fn template_draft() -> Value {
    json!({"name": "Promo estate", "channel": "whatsapp", "message_type": "template",
           "template_name": "promo_estate"})
}

#[tokio::test]
async fn upload_media_apikey_token_file() {
    let (world, api) = shop().await;
    let fields = [("apikey", api.key.as_str()), ("token", api.token.as_str())];
    let path = "/api/campaigns/upload_media";
    let done = api.upload(path, &fields, ("foto.jpg", "image/jpeg", JPEG)).await.expect(200);
    let url = done["url"].as_str().unwrap();
    let file = api.raw(http::Method::GET, url.strip_prefix("http://localhost:9000").unwrap(), "", "").await;
    assert_eq!(file.status, 302);
    assert_eq!(world.fetch(file.headers["location"].to_str().unwrap()).await, (200, JPEG.to_vec()));
    let text = api.upload(path, &fields, ("foto.jpg", "image/jpeg", b"not a picture")).await;
    assert_eq!(text.field(422), "file");
    let big = vec![0xff; 10_000_001];
    let refused = api.upload(path, &fields, ("foto.jpg", "image/jpeg", &big)).await;
    assert_eq!(refused.status, 413);
    let no_token = [("apikey", api.key.as_str())];
    assert_eq!(api.upload(path, &no_token, ("foto.jpg", "image/jpeg", JPEG)).await.field(422), "token");
    assert_eq!(api.post_as_documented(path, json!({})).await.field(422), "file");
}

#[tokio::test]
async fn draft_name_channel_message_type_template_name() {
    let (_world, api) = shop().await;
    let made = api.post_as_documented(DRAFT, template_draft()).await.expect(200);
    assert_eq!(made["status"], "success");
    assert!(made["campaign_id"].is_u64());
    for (field, value) in [
        ("name", json!("")),
        ("channel", json!("fax")),
        ("message_type", json!("poll")),
        ("template_name", Value::Null),
    ] {
        let mut bad = template_draft();
        bad[field] = value;
        assert_eq!(api.post_as_documented(DRAFT, bad).await.field(422), field);
    }
}

#[tokio::test]
async fn draft_message_media_url_media_type() {
    let (_world, api) = shop().await;
    let draft = |kind: &str, more: Value| {
        let mut draft = json!({"name": "x", "channel": "whatsapp", "message_type": kind});
        for (name, value) in more.as_object().unwrap() {
            draft[name] = value.clone();
        }
        draft
    };
    let url = "https://example.com/a.jpg";
    for good in [
        draft("text", json!({"message": "Ciao {{name}}"})),
        draft("text_media", json!({"message": "Ciao", "media_url": url, "media_type": "image"})),
        draft("media_only", json!({"media_url": url, "media_type": "document"})),
    ] {
        api.post_as_documented(DRAFT, good).await.expect(200);
    }
    for (bad, field) in [
        (draft("text", json!({})), "message"),
        (draft("text_media", json!({"message": "x", "media_type": "image"})), "media_url"),
        (draft("media_only", json!({"media_url": url})), "media_type"),
        (draft("media_only", json!({"media_url": url, "media_type": "hologram"})), "media_type"),
        (draft("text_media", json!({"message": "x", "media_url": url, "media_type": "audio"})), "message"),
    ] {
        assert_eq!(api.post_as_documented(DRAFT, bad.clone()).await.field(422), field, "{bad}");
    }
}

#[tokio::test]
async fn draft_template_language_and_template_params() {
    let (world, api) = shop().await;
    world.template("due", "UTILITY", "Ciao {{1}}, ecco il tuo codice personale: {{2}} da usare oggi").await;
    let mut draft = template_draft();
    draft["template_language"] = json!("de");
    let warned = api.post_as_documented(DRAFT, draft).await.expect(200);
    assert_eq!(warned["warnings"].as_array().unwrap().len(), 1);
    let mut draft = template_draft();
    draft["template_name"] = json!("due");
    let warned = api.post_as_documented(DRAFT, draft.clone()).await.expect(200);
    assert!(warned["warnings"][0].as_str().unwrap().contains("{{2}}"));
    let id = warned["campaign_id"].clone();
    let refused = api.post("/api/campaigns/launch", json!({"campaign_id": id})).await;
    assert!(refused.expect(422)["message"].as_str().unwrap().contains("{{2}}"));
    for params in
        [json!(["{{name}}", "X1"]), json!({"body": ["{{name}}", "X1"]}), json!({"1": "{{name}}", "2": "X1"})]
    {
        draft["template_params"] = params.clone();
        let made = api.post_as_documented(DRAFT, draft.clone()).await.expect(200);
        assert_eq!(made["warnings"], json!([]), "{params}");
    }
}

#[tokio::test]
async fn draft_recipient_type_tags() {
    let (world, api) = shop().await;
    api.post("/api/contacts", json!({"name": "Dora", "phone": "+393330000009", "tags": ["shopify"]}))
        .await
        .expect(201);
    let mut draft = template_draft();
    draft["recipient_type"] = json!("tags");
    assert_eq!(api.post_as_documented(DRAFT, draft.clone()).await.field(422), "tags");
    draft["tags"] = json!(["shopify", "other"]);
    let made = api.post_as_documented(DRAFT, draft.clone()).await.expect(200);
    api.post("/api/campaigns/launch", json!({"campaign_id": made["campaign_id"]})).await.expect(200);
    world.drain().await;
    let seen = api.get(&format!("/api/campaigns/{}", made["campaign_id"])).await.expect(200);
    assert_eq!(seen["campaign"]["counts"]["total"], 1);
    draft["recipient_type"] = json!("some");
    assert_eq!(api.post_as_documented(DRAFT, draft).await.field(422), "recipient_type");
}

#[tokio::test]
async fn draft_scheduled_at() {
    let (world, api) = shop().await;
    let mut draft = template_draft();
    draft["scheduled_at"] = json!("2026-07-01T07:00:00Z");
    assert_eq!(api.post_as_documented(DRAFT, draft.clone()).await.field(422), "scheduled_at");
    draft["scheduled_at"] = json!("soon");
    assert_eq!(api.post_as_documented(DRAFT, draft.clone()).await.field(422), "scheduled_at");
    draft["scheduled_at"] = json!("2026-07-01 12:00:00");
    let made = api.post_as_documented(DRAFT, draft).await.expect(200);
    let path = format!("/api/campaigns/{}", made["campaign_id"]);
    assert_eq!(api.get(&path).await.expect(200)["campaign"]["state"], "scheduled");
    world.clock.advance_ms(2 * 3_600_000);
    schedule_tick::handle(&world.services.store, &world.services.queues).await.unwrap();
    world.drain().await;
    assert_eq!(api.get(&path).await.expect(200)["campaign"]["state"], "finished");
}

#[tokio::test]
async fn launch_campaign_id_then_status_and_report() {
    let (world, api) = shop().await;
    let made = api.post_as_documented(DRAFT, template_draft()).await.expect(200);
    let id = made["campaign_id"].clone();
    let launched = api.post("/api/campaigns/launch", json!({"campaign_id": id})).await.expect(200);
    assert_eq!((&launched["status"], &launched["campaign_id"]), (&json!("success"), &id));
    assert_eq!(api.post("/api/campaigns/launch", json!({"campaign_id": id})).await.status, 409);
    assert_eq!(
        api.post("/api/campaigns/launch", json!({"campaign_id": 999})).await.field(404),
        "campaign_id"
    );
    assert_eq!(api.post("/api/campaigns/launch", json!({})).await.field(422), "campaign_id");
    world.drain().await;
    let seen = api.get(&format!("/api/campaigns/{id}")).await.expect(200);
    let counts = &seen["campaign"]["counts"];
    assert_eq!(
        (&counts["total"], &counts["delivered"], &counts["pending"]),
        (&json!(3), &json!(3), &json!(0))
    );
    assert_eq!(seen["campaign"]["state"], "finished");
    let report = api.report(&world, CampaignId(id.as_u64().unwrap()), "csv").await;
    let lines: Vec<&str> = std::str::from_utf8(&report).unwrap().lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("contact_id,phone,state,reason"));
    assert!(lines[1].contains("delivered") && lines[1].contains("wamid."));
    assert_eq!(api.get("/api/campaigns").await.expect(200)["campaigns"][0]["id"], id);
}

#[tokio::test]
async fn pause_resume_cancel_preflight() {
    let (world, api) = shop().await;
    let id = api.post_as_documented(DRAFT, template_draft()).await.expect(200)["campaign_id"].clone();
    let at = |what: &str| format!("/api/campaigns/{id}/{what}");
    let flight = api.post(&at("preflight"), json!({})).await.expect(200);
    assert_eq!(flight["preflight"]["sendable"], 3);
    assert_eq!(api.post(&at("pause"), json!({})).await.status, 409);
    api.post("/api/campaigns/launch", json!({"campaign_id": id})).await.expect(200);
    assert_eq!(api.post(&at("pause"), json!({})).await.expect(200)["state"], "paused");
    world.drain().await;
    assert_eq!(world.simulator.stats().accepted, 0);
    api.post(&at("resume"), json!({})).await.expect(200);
    world.drain().await;
    assert_eq!(world.simulator.stats().accepted, 3);
    assert_eq!(api.post(&at("cancel"), json!({})).await.status, 409);
    api.post(&at("resume"), json!({"only": "failed"})).await.expect(200);
    assert_eq!(api.post(&at("resume"), json!({"only": "some"})).await.field(422), "only");
}
