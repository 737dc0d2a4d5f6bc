//! `/api/whatsapp-meta`, by the examples of the contract.

use harness::{Api, World};
use serde_json::{Value, json};

const SEND: &str = "/api/whatsapp-meta/send";

async fn open() -> (World, Api) {
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    let api = Api::of(&world).await;
    (world, api)
}

/// What Meta got for a message.
fn request(world: &World) -> Value {
    let messages = world.simulator.messages(None, 1);
    serde_json::to_value(&messages[0]).unwrap()["body"].clone()
}

#[tokio::test]
async fn send_number_type_message() {
    let (world, api) = open().await;
    for number in ["1234567890", "+1234567890", "001234567890"] {
        let body = json!({"number": number, "type": "freetext", "message": "Ciao!"});
        let sent = api.post_as_documented(SEND, body).await.expect(200);
        assert_eq!(sent["status"], "success");
        assert!(sent["message_id"].as_str().unwrap().starts_with("wamid."));
        assert!(sent["id"].is_string());
    }
    assert_eq!(request(&world)["to"], "1234567890");
    assert_eq!(request(&world)["text"]["body"], "Ciao!");
    for (body, field) in [
        (json!({"type": "freetext", "message": "x"}), "number"),
        (json!({"number": "12", "type": "freetext", "message": "x"}), "number"),
        (json!({"number": "1234567890", "message": "x"}), "type"),
        (json!({"number": "1234567890", "type": "fax", "message": "x"}), "type"),
        (json!({"number": "1234567890", "type": "freetext"}), "message"),
        (json!({"number": "1234567890", "type": "freetext", "message": "x".repeat(4097)}), "message"),
    ] {
        assert_eq!(api.post_as_documented(SEND, body.clone()).await.field(422), field, "{body}");
    }
}

#[tokio::test]
async fn send_token() {
    let (_world, api) = open().await;
    let body = json!({"apikey": api.key, "number": "1234567890", "type": "freetext", "message": "x"});
    assert_eq!(api.post(SEND, body.clone()).await.field(422), "token");
    let mut wrong = body;
    wrong["token"] = json!("nobody-has-this");
    assert_eq!(api.post(SEND, wrong).await.field(404), "token");
}

#[tokio::test]
async fn send_media_type_media_url_file_name() {
    let (world, api) = open().await;
    let document = json!({"number": "1234567890", "type": "freetext", "media_type": "document",
        "media_url": "https://example.com/a.pdf", "file_name": "listino.pdf", "message": "Ecco"});
    api.post_as_documented(SEND, document).await.expect(200);
    let got = request(&world)["document"].clone();
    assert_eq!(
        (&got["link"], &got["filename"]),
        (&json!("https://example.com/a.pdf"), &json!("listino.pdf"))
    );
    assert_eq!(got["caption"], "Ecco");
    let media = |kind: &str, url: &str| json!({"number": "1234567890", "type": "freetext", "media_type": kind, "media_url": url});
    for kind in ["image", "video", "audio"] {
        api.post_as_documented(SEND, media(kind, "https://example.com/x")).await.expect(200);
        assert_eq!(request(&world)["type"], kind);
    }
    assert_eq!(
        api.post_as_documented(SEND, media("gif", "https://example.com/x")).await.field(422),
        "media_type"
    );
    assert_eq!(
        api.post_as_documented(SEND, media("image", "ftp://example.com")).await.field(422),
        "media_url"
    );
    let mut audio = media("audio", "https://example.com/x");
    audio["message"] = json!("caption");
    assert_eq!(api.post_as_documented(SEND, audio).await.field(422), "message");
}

#[tokio::test]
async fn send_header_footer_buttons() {
    let (world, api) = open().await;
    let with = |buttons: Value| {
        json!({"number": "1234567890", "type": "freetext", "message": "Scegli", "header": "Ciao",
               "footer": "Staffetta", "buttons": buttons})
    };
    for buttons in [
        json!(["Si", "No"]),
        json!([{"id": "y", "title": "Si"}, {"id": "n", "title": "No"}]),
        json!([{"type": "reply", "reply": {"id": "y", "title": "Si"}}, {"type": "reply", "reply": {"id": "n", "title": "No"}}]),
    ] {
        api.post_as_documented(SEND, with(buttons)).await.expect(200);
        let got = request(&world)["interactive"].clone();
        assert_eq!(got["action"]["buttons"][1]["reply"]["title"], "No");
        assert_eq!((&got["header"]["text"], &got["footer"]["text"]), (&json!("Ciao"), &json!("Staffetta")));
    }
    assert_eq!(api.post_as_documented(SEND, with(json!(["1", "2", "3", "4"]))).await.field(422), "buttons");
    assert_eq!(api.post_as_documented(SEND, with(json!(["x".repeat(21)]))).await.field(422), "buttons");
}

#[tokio::test]
async fn send_template() {
    let (world, api) = open().await;
    world.template("saluto", "UTILITY", "Ciao {{1}}, siamo felici di rivederti!").await;
    let components = json!([{"type": "body", "parameters": [{"type": "text", "text": "Mario"}]}]);
    for template in [
        json!({"name": "saluto", "language": "it", "components": components}),
        json!({"name": "saluto", "language": {"code": "it"}, "components": components}),
        json!({"name": "saluto", "language": "it", "components": components.to_string()}),
    ] {
        let body = json!({"number": "1234567890", "type": "template", "template": template});
        api.post_as_documented(SEND, body).await.expect(200);
        assert_eq!(request(&world)["template"]["language"]["code"], "it");
    }
    let missing = json!({"number": "1234567890", "type": "template"});
    assert_eq!(api.post_as_documented(SEND, missing).await.field(422), "template");
    let unknown =
        json!({"number": "1234567890", "type": "template", "template": {"name": "nope", "language": "it"}});
    let refused = api.post_as_documented(SEND, unknown).await.expect(422);
    assert_eq!(refused["error_code"], 132_001);
}

#[tokio::test]
async fn get_templates_apikey_token() {
    let (world, api) = open().await;
    world.template("saluto", "UTILITY", "Ciao {{1}}, siamo felici di rivederti!").await;
    let list = api.get(&format!("/api/whatsapp-meta/get_templates?token={}", api.token)).await.expect(200);
    let template = &list["templates"][0];
    assert_eq!((&template["name"], &template["language"]), (&json!("saluto"), &json!("it")));
    assert_eq!((&template["category"], &template["status"]), (&json!("UTILITY"), &json!("APPROVED")));
    assert!(template["components"].is_array() && template["variables"].is_array());
    assert_eq!(api.get("/api/whatsapp-meta/get_templates").await.field(422), "token");
}

#[tokio::test]
async fn create_template_name_category_language_header_body_footer() {
    let (_world, api) = open().await;
    let body = json!({"name": "promo_estate", "category": "MARKETING", "header": "Offerta speciale",
        "body": "Ciao {{1}}, sconto del {{2}}% solo per oggi!", "footer": "Rispondi STOP per disiscriverti"});
    let path = "/api/whatsapp-meta/create_template";
    let created = api.post_as_documented(path, body.clone()).await.expect(200);
    assert_eq!(created["template"]["status"], "PENDING");
    let list = format!("/api/whatsapp-meta/get_templates?status=all&token={}", api.token);
    let listed = api.get(&list).await.expect(200);
    assert_eq!(listed["templates"][0]["language"], "it");
    for (field, value) in [
        ("name", json!("Promo")),
        ("category", json!("SPAM")),
        ("body", Value::Null),
        ("header", json!("x".repeat(61))),
        ("footer", json!("è".repeat(61))),
        ("language", json!("it-IT!")),
    ] {
        let mut bad = body.clone();
        bad[field] = value;
        assert_eq!(api.post_as_documented(path, bad).await.field(422), field);
    }
}

#[tokio::test]
async fn create_template_components() {
    let (_world, api) = open().await;
    let components = json!([{"type": "BODY", "text": "Ordine {{1}} spedito oggi"}]);
    for (name, components) in [("a", components.clone()), ("b", json!(components.to_string()))] {
        let body = json!({"name": name, "category": "UTILITY", "language": "it", "components": components});
        api.post_as_documented("/api/whatsapp-meta/create_template", body).await.expect(200);
    }
}
