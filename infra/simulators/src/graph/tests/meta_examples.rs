//! Meta's own examples, from its OpenAPI description.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ACCOUNT, Bench, PERSON};
use crate::graph::state::media::MediaInfo;

const MESSAGES: &str = include_str!("../../../fixtures/meta/messages_request_examples.json");
const TEMPLATES: &str = include_str!("../../../fixtures/meta/message_templates_create_examples.json");

/// Fills the placeholders of an example with things that exist.
fn filled(example: &Value) -> Value {
    let text = example.to_string();
    let text = [
        ("{{Recipient-Phone-Number}}", PERSON),
        ("{{Recipient-WA-Phone-Number}}", PERSON),
        ("http(s)://", "https://example.com/"),
        ("language-and-locale-code", "en_US"),
        ("<TEMPLATE_NAME>", "template_name"),
        ("template-name", "template_name"),
        ("<HEADER_TYPE>", "text"),
        ("unique-reference-id-from-order-details-msg", "order-1"),
    ]
    .iter()
    .fold(text, |text, (placeholder, value)| text.replace(placeholder, value));
    let mut filled: Value = serde_json::from_str(&text).unwrap();
    for (kind, id) in [("image", "1"), ("audio", "2"), ("video", "3"), ("document", "4"), ("sticker", "5")] {
        if filled[kind].get("id").is_some() {
            filled[kind]["id"] = json!(id);
        }
        if filled[kind].get("link").is_some() {
            filled[kind]["link"] = json!("https://example.com/medium");
        }
    }
    filled
}

/// A template that fits what the example sends.
fn fitting_template(example: &Value) -> Value {
    let mut components = vec![json!({ "type": "BODY", "text": "A text without variables" })];
    let mut buttons = Vec::new();
    for component in example["template"]["components"].as_array().into_iter().flatten() {
        match component["type"].as_str().unwrap() {
            "header" => components.push(json!({
                "type": "HEADER", "format": "IMAGE", "example": { "header_handle": ["4::x"] }
            })),
            "body" => {
                let count = component["parameters"].as_array().unwrap().len();
                let variables: String = (1..=count).map(|n| format!("word word word {{{{{n}}}}} ")).collect();
                let samples: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
                components[0] = json!({ "type": "BODY", "text": format!("Text {variables} and an end"),
                    "example": { "body_text": [samples] } });
            }
            _ => buttons.push(match component["sub_type"].as_str().unwrap() {
                "quick_reply" => json!({ "type": "QUICK_REPLY", "text": "Yes" }),
                "flow" => json!({ "type": "FLOW", "text": "Go", "flow_id": "1" }),
                other => json!({ "type": other.to_uppercase(), "text": "See" }),
            }),
        }
    }
    if !buttons.is_empty() {
        components.push(json!({ "type": "BUTTONS", "buttons": buttons }));
    }
    json!({ "name": example["template"]["name"], "language": example["template"]["language"]["code"],
        "category": "UTILITY", "components": components })
}

fn with_media() -> Bench {
    let bench = Bench::unlimited();
    let types = ["image/png", "audio/ogg", "video/mp4", "application/pdf", "image/webp"];
    for (mime_type, id) in types.into_iter().zip(1..) {
        let info = MediaInfo {
            seq: id,
            id: id.to_string(),
            mime_type: mime_type.to_owned(),
            sha256: String::new(),
            size: 1,
        };
        bench.simulator.world().media.restore(info);
    }
    bench
}

/// Connects the catalog that an example shows products of.
async fn stock(bench: &Bench, example: &Value) {
    let action = &example["interactive"]["action"];
    let mut ids: Vec<&Value> = vec![&action["product_retailer_id"]];
    ids.push(&action["parameters"]["thumbnail_product_retailer_id"]);
    let sections = action["sections"].as_array().into_iter().flatten();
    let items = sections.flat_map(|section| section["product_items"].as_array().into_iter().flatten());
    ids.extend(items.map(|item| &item["product_retailer_id"]));
    let products: Vec<Value> =
        ids.into_iter().filter(|id| id.is_string()).map(|id| json!({ "retailer_id": id })).collect();
    if !products.is_empty() {
        bench.get(&format!("/{ACCOUNT}/phone_numbers")).await;
        let id = action["catalog_id"].as_str().unwrap_or("1");
        let catalog = json!({ "id": id, "waba_id": ACCOUNT, "products": products });
        bench.simulator.put_catalog(serde_json::from_value(catalog).unwrap()).unwrap();
    }
}

#[tokio::test]
async fn every_message_is_accepted_when_its_references_exist() {
    let examples: BTreeMap<String, Value> = serde_json::from_str(MESSAGES).unwrap();
    assert_eq!(examples.len(), 50);
    for (name, example) in examples {
        let bench = with_media();
        let message = filled(&example);
        if message.get("template").is_some() {
            bench.approved(fitting_template(&message)).await;
        }
        stock(&bench, &message).await;
        let (status, answer) = bench.send(message.clone()).await;
        assert_eq!(status, 200, "{name}: {answer} for {message}");
    }
}

#[tokio::test]
async fn every_template_is_taken_into_review() {
    let examples: BTreeMap<String, Value> = serde_json::from_str(TEMPLATES).unwrap();
    for (name, example) in examples {
        let bench = Bench::new();
        let example = filled(&example);
        let (status, answer) = bench.create_template(example.clone()).await;
        assert_eq!(status, 200, "{name}: {answer}");
        assert_eq!(answer["status"], "PENDING");
        assert_eq!(answer["category"], example["category"]);
        let (_, list) = bench.get(&format!("/{ACCOUNT}/message_templates")).await;
        assert_eq!(list["data"][0]["id"], answer["id"]);
    }
}
