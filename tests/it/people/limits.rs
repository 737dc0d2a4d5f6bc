//! How much marketing somebody gets, and when.

use domain::CampaignId;
use serde_json::{Value, json};

use super::Street;

/// A street with people who may be sent a marketing template.
async fn street(settings: Value) -> Street {
    let street = Street::new().await;
    street.set(settings).await.expect(200);
    street.world.template("saldi", "MARKETING", "Saldi per tutti, solo oggi.").await;
    street.world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    street
}

async fn campaign(street: &Street, template: &str, tag: &str) -> CampaignId {
    let draft = json!({"token": street.api.token, "name": "c", "channel": "whatsapp", "message_type": "template",
                       "template_name": template, "recipient_type": "tags", "tags": [tag]});
    let drafted = street.api.post("/api/campaigns/draft", draft).await.expect(200);
    let id = drafted["campaign_id"].as_u64().unwrap();
    street.api.post("/api/campaigns/launch", json!({"campaign_id": id})).await.expect(200);
    CampaignId(id)
}

fn template(street: &Street, number: &str, name: &str) -> Value {
    let call = json!({"name": name, "language": "it", "components": if name == "avviso" {
        json!([{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}])
    } else {
        json!([])
    }});
    json!({"token": street.api.token, "number": number, "type": "template", "template": call})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_counts_over_campaigns_and_single_messages() {
    let street = street(json!({"frequency_cap": "2/7"})).await;
    street.contact(json!({"name": "Ada", "phone": "+393473800001", "tags": ["t"]})).await;
    let first = campaign(&street, "saldi", "t").await;
    street.world.drain().await;
    assert_eq!(street.world.counts(first).await, [("delivered", 1)].into());
    let send =
        |name: &str| street.api.post("/api/whatsapp-meta/send", template(&street, "393473800001", name));
    send("saldi").await.expect(200);
    let refused = send("saldi").await.expect(422);
    assert_eq!((&refused["reason"], &refused["field"]), (&json!("frequency_cap"), &json!("number")));
    send("avviso").await.expect(200);
    let third = campaign(&street, "saldi", "t").await;
    street.world.drain().await;
    assert_eq!(street.world.reasons(third).await, [("frequency_cap".to_owned(), 1)].into());
    let preflight = json!({"token": street.api.token, "name": "p", "channel": "whatsapp", "message_type": "template",
                           "template_name": "saldi"});
    let drafted = street.api.post("/api/campaigns/draft", preflight).await.expect(200);
    let path = format!("/api/campaigns/{}/preflight", drafted["campaign_id"]);
    let found = street.api.post(&path, json!({})).await.expect(200);
    assert_eq!(found["preflight"]["skipped"], json!({"frequency_cap": 1}));
    // A week later they may be written to again.
    street.world.clock.advance_ms(8 * 24 * 60 * 60 * 1_000);
    let later = campaign(&street, "saldi", "t").await;
    street.world.drain().await;
    assert_eq!(street.world.counts(later).await, [("delivered", 1)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipients_wait_for_the_morning_of_their_own_zone() {
    // It is 10:00 in Rome when the world begins, and 17:00 in Tokyo.
    let street = street(json!({"quiet_hours": {"from": "16:00", "to": "18:30", "timezone": "UTC"}})).await;
    street.contact(json!({"name": "Ada", "phone": "+393473810001", "tags": ["t"]})).await;
    street.contact(json!({"name": "Aiko", "phone": "+819012345678", "tags": ["t"]})).await;
    let id = campaign(&street, "saldi", "t").await;
    let started = street.world.clock.now_ms();
    street.world.drain().await;
    let rows = street.world.rows(id).await;
    let waited: Vec<i64> = rows.iter().map(|row| row.progress.accepted_at.unwrap() - started).collect();
    assert!(waited[0] < 60_000, "{waited:?}");
    assert!(waited[1] >= 90 * 60 * 1_000, "whoever waits is sent to when the hours end: {waited:?}");
    assert_eq!(street.world.counts(id).await, [("delivered", 2)].into());
}

#[tokio::test]
async fn single_marketing_is_refused_in_quiet_hours_and_utility_is_not() {
    let street = street(json!({"quiet_hours": "00:00-23:59"})).await;
    street.contact(json!({"phone": "+393473820001"})).await;
    let send =
        |name: &str| street.api.post("/api/whatsapp-meta/send", template(&street, "393473820001", name));
    let refused = send("saldi").await.expect(422);
    assert_eq!(refused["reason"], "quiet_hours");
    send("avviso").await.expect(200);
    let draft = json!({"token": street.api.token, "name": "p", "channel": "whatsapp", "message_type": "template",
                       "template_name": "saldi"});
    let drafted = street.api.post("/api/campaigns/draft", draft).await.expect(200);
    let path = format!("/api/campaigns/{}/preflight", drafted["campaign_id"]);
    assert_eq!(street.api.post(&path, json!({})).await.expect(200)["preflight"]["quiet"], 1);
    for (field, wrong) in [
        ("quiet_hours", json!("21-9")),
        ("quiet_hours", json!({"from": "21:00"})),
        ("frequency_cap", json!("0/7")),
        ("frequency_cap", json!([])),
    ] {
        assert_eq!(street.set(json!({field: wrong})).await.field(422), field);
    }
    let back = street.set(json!({"quiet_hours": ""})).await.expect(200);
    assert_eq!(back["account"]["quiet_hours"], json!(null));
    send("saldi").await.expect(200);
}

#[tokio::test]
async fn a_preflight_knows_the_zone_that_a_contact_has() {
    // It is 10:00 in Rome when the world begins, and 17:00 in Tokyo.
    let street = street(json!({"quiet_hours": {"from": "16:00", "to": "18:30", "timezone": "UTC"}})).await;
    let living = |phone: &str, zone: &str, tag: &str| json!({"phone": phone, "metadata": {"timezone": zone}, "tags": [tag]});
    street.contact(living("+393473830001", "Asia/Tokyo", "t")).await;
    street.contact(living("+819012345679", "Europe/Rome", "r")).await;
    for (tag, quiet) in [("t", 1), ("r", 0)] {
        let draft = json!({"token": street.api.token, "name": tag, "channel": "whatsapp", "message_type": "template",
                           "template_name": "saldi", "recipient_type": "tags", "tags": [tag]});
        let drafted = street.api.post("/api/campaigns/draft", draft).await.expect(200);
        let path = format!("/api/campaigns/{}/preflight", drafted["campaign_id"]);
        assert_eq!(street.api.post(&path, json!({})).await.expect(200)["preflight"]["quiet"], quiet, "{tag}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_says_who_waits_for_the_end_of_their_hours() {
    // It is 17:00 in Tokyo when the world begins, where somebody with an Italian number lives.
    let street = street(json!({"quiet_hours": {"from": "16:00", "to": "18:30", "timezone": "UTC"}})).await;
    let contact = json!({"phone": "+393473840002", "metadata": {"timezone": "Asia/Tokyo"}, "tags": ["t"]});
    street.contact(contact).await;
    let id = campaign(&street, "saldi", "t").await;
    let waits = async {
        while !street.world.rows(id).await.iter().any(|row| row.is_quiet) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = street.world.drain() => panic!("nobody waited"),
        () = waits => {}
    }
    street.world.drain().await;
    assert_eq!(street.world.counts(id).await, [("delivered", 1)].into());
    assert!(street.world.rows(id).await.iter().all(|row| !row.is_quiet));
}
