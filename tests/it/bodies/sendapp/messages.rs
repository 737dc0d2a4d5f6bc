//! Messages, templates and who opted out.

use harness::phone;
use serde_json::json;

use crate::bodies::compare;

const SEND: &str = "/api/whatsapp-meta/send";

#[test]
fn messages() {
    compare("sendapp-messages", async |story| {
        let text = json!({"number": phone(1), "type": "freetext", "message": "Ciao!"});
        story.post(SEND, text.clone()).await;
        story.post(SEND, json!({"number": phone(1), "type": "freetext"})).await;
        story.post(SEND, json!({"number": phone(1), "type": "fax", "message": "Ciao!"})).await;
        story.given("/api/suppressions", json!({"number": phone(1)})).await;
        story.post(SEND, text.clone()).await;
        // Who has not written is not written to.
        story.world.set(json!({"enforce_window": true}));
        story.post(SEND, json!({"number": phone(2), "type": "freetext", "message": "Ciao!"})).await;
        let mut wrong = text;
        wrong["token"] = json!("nobody-has-this");
        story.post(SEND, wrong).await;
    });
}

#[test]
fn templates() {
    compare("sendapp-templates", async |story| {
        let new = json!({"name": "avviso", "category": "UTILITY", "header": "Avviso",
                         "body": "Ciao {{1}}, ecco un avviso per te!", "footer": "Bottega"});
        story.post("/api/whatsapp-meta/create_template", new).await;
        story.post("/api/whatsapp-meta/create_template", json!({"name": "avviso"})).await;
        story.later().await;
        let token = story.api.token.clone();
        story.get(&format!("/api/whatsapp-meta/get_templates?token={token}")).await;
        story.get("/api/whatsapp-meta/get_templates").await;
        story.post("/api/whatsapp-meta/get_templates", json!({"status": "all"})).await;
    });
}

#[test]
fn templates_with_more_than_texts() {
    compare("sendapp-templates-more", async |story| {
        let card = json!({"components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Vai", "url": "https://example.com/{{1}}"}]}]});
        let new = |name: &str, components: serde_json::Value| json!({"name": name, "category": "MARKETING", "components": components});
        let carousel =
            json!([{"type": "BODY", "text": "Guarda qui"}, {"type": "CAROUSEL", "cards": [card, card]}]);
        let offer = json!([{"type": "BODY", "text": "Solo oggi"},
            {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Scade presto", "has_expiration": true}},
            {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}]}]);
        let alone = json!([{"type": "BODY", "text": "Guarda qui"}, {"type": "CAROUSEL", "cards": [card]}]);
        for (name, components) in [("giostra", carousel), ("offerta", offer), ("sola", alone)] {
            story.post("/api/whatsapp-meta/create_template", new(name, components)).await;
        }
        story.later().await;
        let token = story.api.token.clone();
        story.get(&format!("/api/whatsapp-meta/get_templates?token={token}")).await;
        let draft = |name: &str, params: serde_json::Value| {
            json!({"name": "Novità", "channel": "whatsapp", "message_type": "template", "template_name": name,
                   "template_params": params})
        };
        let cards = json!({"body": ["x"], "cards": [{"media": "https://example.com/1.jpg", "button": "a"}]});
        story.post("/api/campaigns/draft", draft("giostra", cards)).await;
        let over = json!({"limited_time_offer": {"expiration": "2020-01-01T00:00:00Z"}, "buttons": ["A"]});
        story.post("/api/campaigns/draft", draft("offerta", over)).await;
        story.post("/api/campaigns/launch", json!({"campaign_id": 1})).await;
        story.post("/api/campaigns/launch", json!({"campaign_id": 2})).await;
    });
}

#[test]
fn suppressions() {
    compare("sendapp-suppressions", async |story| {
        story.post("/api/suppressions", json!({"number": phone(1), "reason": "per posta"})).await;
        story.post("/api/suppressions", json!({"number": phone(1)})).await;
        story.post("/api/suppressions", json!({"contact_id": 9})).await;
        story.post("/api/suppressions", json!({})).await;
        story.get("/api/suppressions").await;
        story.delete("/api/suppressions", json!({"number": phone(1)})).await;
        story.delete("/api/suppressions", json!({"id": "nothing"})).await;
    });
}
