//! Every kind of request that we send has the shape of Meta's own examples.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;

use channels::cloud::payload;
use domain::ContactId;
use domain::catalog::OrderStatus;
use domain::contact::Contact;
use domain::media::MediaKind;
use domain::message::{
    Address, Button, CallbackRef, Commerce, Content, Header, MediaSource, ProductSection, TemplateCall,
};
use domain::template::{Filling, Params, Template, TemplateStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

const EXAMPLES: &str = include_str!("../../../infra/simulators/fixtures/meta/messages_request_examples.json");

/// Fields of Meta's reference that no example of the kind happens to show:
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/message-api>.
const DOCUMENTED: [&str; 8] = [
    "biz_opaque_callback_data:string",
    "image.caption:string",
    "interactive.header.type:string",
    "interactive.header.text:string",
    "interactive.header:object",
    "interactive.footer.text:string",
    "interactive.footer:object",
    "document.filename:string",
];

fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Object(map) => {
            for (key, value) in map {
                shape(value, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, into);
            }
            "object"
        }
        Value::Array(items) => {
            for item in items {
                shape(item, &format!("{path}[]"), into);
            }
            "array"
        }
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Null => "null",
    };
    into.insert(format!("{path}:{kind}"));
}

fn assert_matches(content: &Content, examples: &[&str]) {
    let all: Value = serde_json::from_str(EXAMPLES).unwrap();
    let mut known: BTreeSet<String> = DOCUMENTED.map(String::from).into();
    for name in examples {
        let example = all.get(*name).unwrap_or_else(|| panic!("Meta has no example {name}"));
        shape(example.get("value").unwrap_or(example), "", &mut known);
    }
    let to = Address::Phone("+393391234567".parse().unwrap());
    let callback = CallbackRef::Message("01JXXXXXXXXXXXXXXXXXXXXXXX".parse().unwrap());
    let mut ours = BTreeSet::new();
    shape(&payload(&to, content, &callback.to_string()), "", &mut ours);
    let unknown: Vec<&String> = ours.difference(&known).collect();
    assert!(unknown.is_empty(), "{examples:?} do not show {unknown:?}");
}

#[test]
fn text() {
    let body = |body: &str| Content::Text { body: body.to_owned() };
    assert_matches(&body("Ciao"), &["Send Text Message"]);
    assert_matches(
        &body("Visit https://example.com"),
        &["Send Text Message", "Send Text Message with Preview URL"],
    );
}

#[test]
fn media() {
    let kinds = [
        (MediaKind::Image, "Image"),
        (MediaKind::Video, "Video"),
        (MediaKind::Audio, "Audio"),
        (MediaKind::Document, "Document"),
    ];
    for (kind, name) in kinds {
        let caption = (kind != MediaKind::Audio).then(|| "Ecco".to_owned());
        let content = |source| Content::Media {
            kind,
            source,
            caption: caption.clone(),
            file_name: Some("a.pdf".to_owned()),
        };
        let link = MediaSource::Link("https://example.com/a".to_owned());
        assert_matches(&content(link), &[&format!("Send {name} Message by URL")]);
        assert_matches(&content(MediaSource::Id("1".to_owned())), &[&format!("Send {name} Message by ID")]);
    }
}

#[test]
fn buttons() {
    let button = |n: u8| Button { id: format!("b{n}"), title: format!("Button {n}") };
    let content = Content::Buttons {
        header: Some(Header::Text("Header".to_owned())),
        body: "Body".to_owned(),
        footer: Some("Footer".to_owned()),
        buttons: vec![button(1), button(2), button(3)],
    };
    assert_matches(&content, &["Send Reply Button"]);
}

#[test]
fn products_and_orders() {
    let footer = || Some("Footer".to_owned());
    let catalog = || "146265584024623".to_owned();
    let product = Commerce::Product {
        body: Some("Body".to_owned()),
        footer: footer(),
        catalog: catalog(),
        product: "sku-1".to_owned(),
    };
    let section = |title: &str| ProductSection {
        title: Some(title.to_owned()),
        products: vec!["sku-1".to_owned(), "sku-2".to_owned()],
    };
    let list = Commerce::ProductList {
        header: "Header".to_owned(),
        body: "Body".to_owned(),
        footer: footer(),
        catalog: catalog(),
        sections: vec![section("One"), section("Two")],
    };
    let all =
        Commerce::Catalog { body: "Body".to_owned(), footer: footer(), thumbnail: Some("sku-1".to_owned()) };
    let status = Commerce::OrderStatus {
        body: "Body".to_owned(),
        reference: "01JXXXXXXXXXXXXXXXXXXXXXXX".to_owned(),
        status: OrderStatus::Shipped,
        description: Some("Description".to_owned()),
    };
    for (commerce, example) in [
        (product, "Send Single Product Message"),
        (list, "Send Multi-Product Message"),
        (all, "Send Catalog Message"),
        (status, "Send Order Status Message"),
    ] {
        assert_matches(&Content::Commerce(commerce), &[example]);
    }
}

#[test]
fn templates() {
    let call = |components| {
        Content::Template(TemplateCall { name: "promo".to_owned(), language: "it".to_owned(), components })
    };
    assert_matches(&call(Vec::new()), &["Send Test Message", "Send Text Message"]);
    let body = json!({"type": "BODY", "text": "Ciao {{1}}, {{2}}% oggi"});
    let text = filled(json!([body]), json!(["Mario", "20"]), &[]);
    assert_matches(&call(text), &["Send Message Template Text"]);
    let image = [MediaSource::Link("https://example.com/a.jpg".to_owned())];
    let header = json!({"type": "HEADER", "format": "IMAGE"});
    let params = json!({"body": ["Mario", "20"], "media": "https://example.com/a.jpg"});
    assert_matches(&call(filled(json!([header, body]), params, &image)), &["Send Message Template Media"]);
    let buttons = json!({"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://x.it/{{1}}"}]});
    let interactive = [
        "Send Message Template Interactive",
        "Send Message Template Text",
        "Send Sample Issue Resolution Template",
    ];
    let params = json!({"body": ["Mario", "20"], "buttons": ["a"]});
    assert_matches(&call(filled(json!([body, buttons]), params, &[])), &interactive);
    let reply = json!({"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY"}]});
    let params = json!({"body": ["Mario", "20"], "buttons": [{"payload": "no"}]});
    assert_matches(&call(filled(json!([body, reply]), params, &[])), &["Send Message Template Interactive"]);
}

#[test]
fn templates_with_actions() {
    let button = |button: Value| json!([{"type": "BUTTONS", "buttons": [button]}]);
    let call = |components| {
        Content::Template(TemplateCall { name: "promo".to_owned(), language: "it".to_owned(), components })
    };
    let flow = json!({"buttons": [{"flow_token": "t", "flow_action_data": {"<CUSTOM_KEY>": "x"}}]});
    let flow = filled(button(json!({"type": "FLOW"})), flow, &[]);
    assert_matches(&call(flow), &["Send Flow Template Message", "Send Message Template Text"]);
    let catalog = filled(button(json!({"type": "CATALOG"})), json!({"buttons": ["2lc20305pt"]}), &[]);
    let shown = ["Send Catalog Template Message", "Send Flow Template Message", "Send Message Template Text"];
    assert_matches(&call(catalog), &shown);
}

/// What we make of a template and of what a campaign gives for it.
fn filled(components: Value, params: Value, sources: &[MediaSource]) -> Vec<Value> {
    let template = Template {
        id: "1".to_owned(),
        name: "promo".to_owned(),
        language: "it".to_owned(),
        category: None,
        status: TemplateStatus::Approved,
        components: components.as_array().unwrap().clone(),
    };
    let filling = Filling::of(&template, &Params::parse(&params).unwrap(), None).unwrap();
    let texts: Vec<String> = filling.texts().iter().map(|text| text.pattern.fill(&nobody()).text).collect();
    filling.components(&texts, sources)
}

fn nobody() -> Contact {
    Contact::empty(ContactId(1), Timestamp::UNIX_EPOCH)
}
