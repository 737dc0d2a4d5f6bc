//! `/api/v1/whatsapp`: buttons, lists, files and templates, as real clients send them.

use harness::{Api, PHONE_NUMBER_ID, World, person, phone};
use http::{Method, Request};
use serde_json::{Value, json};

use super::{is, post};

const BUTTONS: &str = "/api/v1/whatsapp/send-interactive-buttons";
const MEDIA: &str = "/api/v1/whatsapp/send-media";
const FILE: &str = "/api/v1/whatsapp/send/file";
const TEMPLATE: &str = "/api/v1/whatsapp/send/template";
const FORM: &str = "application/x-www-form-urlencoded";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.import((1..4).map(person)).await;
    world.writes(&phone(1), "Buongiorno");
    world.drain().await;
    let api = Api::of(&world).await;
    (world, api)
}

fn to_one(more: &Value) -> Value {
    let mut body = json!({"phone_number_id": PHONE_NUMBER_ID, "phone_number": &phone(1)[1..]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// What the provider took of a message that was sent.
async fn sent(world: &World, api: &Api, path: &str, more: Value) -> Value {
    let answer = post(api, path, to_one(&more)).await;
    assert_eq!(answer["status"], "1", "{path} {more}: {answer}");
    assert_eq!(answer["wa_message_id"], answer["data"]["message_id"]);
    last(world)
}

fn last(world: &World) -> Value {
    world.simulator.messages(None, usize::MAX).pop().unwrap().body
}

/// The code and the field of a message's refusal.
async fn refused(api: &Api, path: &str, more: Value) -> (String, String) {
    super::refused(api, path, to_one(&more)).await
}

async fn upload(api: &Api, field: &str, name: &str, mime: &str, bytes: &[u8]) -> Value {
    let mut body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"phone_number_id\"\r\n\r\n{PHONE_NUMBER_ID}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = Request::post("/api/v1/whatsapp/upload/media");
    let request = request.header("authorization", format!("Bearer {}", api.key));
    let request = request.header("content-type", "multipart/form-data; boundary=x");
    api.send(request.body(body.into()).unwrap()).await.expect(200)
}

#[tokio::test]
async fn buttons_of_a_form_are_buttons_and_more_than_three_are_a_list() {
    let (world, api) = world().await;
    // The contract's own example.
    let form = format!(
        "apiToken={}&phoneNumberId={PHONE_NUMBER_ID}&to={}&message=Choose an option&buttons[0][id]=book_demo\
         &buttons[0][title]=Book Call&buttons[1][id]=pricing&buttons[1][title]=View Pricing",
        api.key,
        &phone(1)[1..]
    );
    let answer = api.raw(Method::POST, BUTTONS, FORM, form.clone()).await.expect(200);
    assert_eq!(answer["status"], "1", "{answer}");
    let body = last(&world);
    assert_eq!(body["interactive"]["type"], "button");
    let reply = |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
    assert_eq!(
        body["interactive"]["action"]["buttons"],
        json!([reply("book_demo", "Book Call"), reply("pricing", "View Pricing")])
    );
    let answer =
        api.raw(Method::GET, &format!("{BUTTONS}?{}", form.replace(' ', "+")), "", "").await.expect(200);
    assert_eq!(answer["status"], "1", "{answer}");
    for count in [1, 3, 4, 10] {
        let buttons: Vec<Value> =
            (0..count).map(|n| json!({"id": format!("b{n}"), "title": format!("Voce {n}")})).collect();
        let more = json!({"message": "Scegli", "buttons": buttons, "button_header_text": "Menù", "footer": "Grazie"});
        let interactive = sent(&world, &api, BUTTONS, more).await["interactive"].clone();
        assert_eq!(interactive["type"], if count > 3 { "list" } else { "button" });
        assert_eq!(
            (&interactive["header"]["text"], &interactive["footer"]["text"]),
            (&json!("Menù"), &json!("Grazie"))
        );
        let rows = &interactive["action"][if count > 3 { "sections" } else { "buttons" }];
        let rows = if count > 3 { rows[0]["rows"].clone() } else { rows.clone() };
        assert_eq!(rows.as_array().unwrap().len(), count);
    }
    let long = "x".repeat(24);
    let described = json!([{"id": 1, "title": long, "description": "d"}, "b", "c", "d"]);
    let list =
        sent(&world, &api, BUTTONS, json!({"message": "x", "buttons": described, "list_button": "Apri"}))
            .await;
    assert_eq!(list["interactive"]["action"]["button"], "Apri");
    assert_eq!(
        list["interactive"]["action"]["sections"][0]["rows"][0],
        json!({"id": "1", "title": long, "description": "d"})
    );
}

#[tokio::test]
async fn buttons_that_whatsapp_would_refuse_are_named_before() {
    let (world, api) = world().await;
    let long = "x".repeat(24);
    let before = world.simulator.messages(None, usize::MAX).len();
    let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    for (more, field) in [
        (json!({"buttons": ["a"]}), "message"),
        (json!({"message": "x"}), "buttons"),
        (json!({"message": "x", "buttons": []}), "buttons"),
        (json!({"message": "x", "buttons": eleven}), "buttons"),
        (json!({"message": "x", "buttons": [long]}), "buttons"),
        (json!({"message": "x", "buttons": ["x".repeat(25), "b", "c", "d"]}), "buttons"),
        (json!({"message": "x", "buttons": ["a", "a"]}), "buttons"),
        (json!({"message": "x", "buttons": [{"id": "x".repeat(257), "title": "a"}]}), "buttons"),
        (json!({"message": "x", "buttons": {"a": {"b": {"c": "1"}}}}), "buttons"),
        (json!({"message": "x".repeat(1_025), "buttons": ["a"]}), "message"),
        (
            json!({"message": "x", "buttons": ["a"], "button_header_text": "x".repeat(61)}),
            "button_header_text",
        ),
        (json!({"message": "x", "buttons": ["a"], "media_url": "https://x.it/a.mp3"}), "media_type"),
        (
            json!({"message": "x", "buttons": ["a", "b", "c", "d"], "media_url": "https://x.it/a.jpg"}),
            "buttons",
        ),
    ] {
        let (code, found) = refused(&api, BUTTONS, more.clone()).await;
        assert_eq!(
            (code.as_str(), found.as_str().replace("mediaType", "media_type").as_str()),
            ("invalid_field", field),
            "{more}"
        );
    }
    assert_eq!(world.simulator.messages(None, usize::MAX).len(), before);
}

#[tokio::test]
async fn files_go_by_address_by_upload_and_by_metas_id() {
    let (world, api) = world().await;
    for (kind, url) in [
        ("image", "https://example.com/product-image.jpg"),
        ("video", "https://example.com/a"),
        ("document", "https://example.com/a.pdf?v=1"),
    ] {
        let more = json!({"mediaType": kind, "mediaUrl": url, "caption": "Ecco", "fileName": "Listino.pdf"});
        let body = sent(&world, &api, MEDIA, more).await;
        assert_eq!(
            (&body["type"], &body[kind]["link"], &body[kind]["caption"]),
            (&json!(kind), &json!(url), &json!("Ecco"))
        );
        assert_eq!(body[kind].get("filename").is_some(), kind == "document", "{body}");
    }
    let audio =
        sent(&world, &api, FILE, json!({"media_type": "audio", "media_url": "https://example.com/a.mp3"}))
            .await;
    assert_eq!(audio["audio"]["link"], "https://example.com/a.mp3");
    // A type that is not said is that of the ending.
    let guessed =
        sent(&world, &api, FILE, json!({"media_url": "https://example.com/a.png", "message": "Sotto"})).await;
    assert_eq!((&guessed["type"], &guessed["image"]["caption"]), (&json!("image"), &json!("Sotto")));
    let file = upload(&api, "media_file", "foto.png", "image/png", PNG).await;
    assert_eq!((&file["media_type"], &file["media_name"]), (&json!("image"), &json!("foto.png")));
    let id = &file["media_id"];
    let by_id = sent(&world, &api, FILE, json!({"media_id": id, "media_caption_text": "Mia"})).await;
    assert!(by_id["image"]["id"].is_string() && by_id["image"]["caption"] == "Mia", "{by_id}");
    let by_url = sent(&world, &api, MEDIA, json!({"mediaUrl": file["media_url"]})).await;
    assert_eq!(by_url["image"]["id"], by_id["image"]["id"]);
    let again = json!({"media_id": by_id["image"]["id"], "media_type": "image"});
    assert_eq!(sent(&world, &api, FILE, again).await["image"]["id"], by_id["image"]["id"]);
    let header = json!({"message": "Guarda", "buttons": "Sì,No", "media_id": id});
    let header = sent(&world, &api, "/api/v1/whatsapp/send/interactive-buttons", header).await;
    assert_eq!(header["interactive"]["header"]["image"]["id"], by_id["image"]["id"]);
}

#[tokio::test]
async fn files_that_cannot_go_are_named() {
    let (_world, api) = world().await;
    let id = &upload(&api, "media_file", "foto.png", "image/png", PNG).await["media_id"];
    let other = api.of_another_tenant().await;
    let theirs = upload(&api, "file", "altra.png", "image/png", PNG).await;
    for (more, want) in [
        (json!({}), is("invalid_field", "mediaUrl")),
        (json!({"media_type": "gif", "media_url": "https://x.it/a"}), is("invalid_field", "media_type")),
        (json!({"media_url": "https://x.it/a"}), is("invalid_field", "mediaType")),
        (json!({"media_url": "ftp://x.it/a.png"}), is("invalid_field", "media_url")),
        (json!({"mediaUrl": "http://127.0.0.2/a.png"}), is("invalid_field", "mediaUrl")),
        (json!({"media_id": "0".repeat(32), "media_type": "image"}), is("invalid_field", "media_id")),
        (json!({"media_id": "../x", "media_type": "image"}), is("invalid_field", "media_id")),
        (json!({"media_id": "1234567"}), is("invalid_field", "mediaType")),
        (json!({"media_id": id, "media_type": "video"}), is("invalid_field", "media_type")),
        (
            json!({"media_type": "audio", "media_url": "https://x.it/a.mp3", "caption": "x"}),
            is("invalid_field", "caption"),
        ),
        (
            json!({"media_url": "https://x.it/a.png", "caption": "x".repeat(1_025)}),
            is("invalid_field", "caption"),
        ),
    ] {
        assert_eq!(refused(&api, FILE, more.clone()).await, want, "{more}");
    }
    let stolen =
        json!({"media_id": theirs["media_id"], "phone_number_id": PHONE_NUMBER_ID, "phone_number": phone(1)});
    assert_eq!(post(&other, FILE, stolen).await["error"]["field"], "phone_number_id");
    let text = upload(&api, "media_file", "a.exe", "application/x-msdownload", b"MZ").await;
    assert_eq!((&text["status"], &text["error"]["field"]), (&json!("0"), &json!("media_file")));
}

#[tokio::test]
async fn outside_the_window_every_free_form_says_24_hour() {
    let (world, api) = world().await;
    world.clock.advance_ms(25 * 60 * 60 * 1_000);
    world.template("avviso", "UTILITY", "Ciao {{1}}, ecco un avviso per te!").await;
    for (path, more) in [
        (BUTTONS, json!({"message": "x", "buttons": ["a"]})),
        (BUTTONS, json!({"message": "x", "buttons": "a,b,c,d"})),
        (MEDIA, json!({"mediaUrl": "https://example.com/a.png"})),
        (FILE, json!({"media_url": "https://example.com/a.png"})),
        ("/api/v1/whatsapp/send", json!({"message": "x"})),
    ] {
        let answer = post(&api, path, to_one(&more)).await;
        assert_eq!(
            (&answer["status"], &answer["error"]["code"]),
            (&json!("0"), &json!("outside_window")),
            "{path}"
        );
        assert!(answer["message"].as_str().unwrap().contains("24 hour"), "{answer}");
    }
    sent(&world, &api, TEMPLATE, json!({"template_name": "avviso", "variables": ["Ada"]})).await;
}

#[tokio::test]
async fn a_template_is_filled_in_every_way_that_clients_know() {
    let (world, api) = world().await;
    world.template("promo", "MARKETING", "Ciao {{1}}, hai uno sconto del {{2}} percento!").await;
    let query = format!("phone_number_id={PHONE_NUMBER_ID}");
    let listed =
        api.sendwo("/api/v1/whatsapp/get/template/list", &query).await.expect(200)["message"][0].clone();
    assert_eq!((&listed["template_name"], &listed["status"]), (&json!("promo"), &json!("Approved")));
    assert_eq!(listed["variable_map"], r#"{"body":["1","2"],"header":[]}"#);
    let id = &listed["id"];
    let body = |body: &Value| {
        let parameters = body["template"]["components"][0]["parameters"].as_array().unwrap().clone();
        parameters.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for more in [
        json!({"template_id": id, "templateVariable-nome-1": "{{name}}", "templateVariable-product-list-2": 20}),
        json!({"template_id": listed["template_id"], "variables": ["{{name}}", 20]}),
        json!({"template_name": "promo", "language_code": "it", "parameters": r#"["{{name}}","20"]"#}),
        json!({"templateName": "promo", "template_data": {"1": "{{name}}", "2": "20"}}),
        json!({"botTemplateID": id, "template_params": {"body": ["{{name}}", "20"]}}),
    ] {
        // What somebody gives is never a placeholder.
        let taken = sent(&world, &api, TEMPLATE, more.clone()).await;
        assert_eq!(body(&taken), ["{{name}}", "20"], "{more}");
        assert_eq!(taken["template"]["language"]["code"], "it");
    }
    let form = format!(
        "apiToken={}&phoneNumberID={PHONE_NUMBER_ID}&to={}&botTemplateID={id}&templateVariable-variable1-1=Ada&templateVariable-variable2-2=20",
        api.key,
        &phone(1)[1..]
    );
    assert_eq!(api.raw(Method::POST, TEMPLATE, FORM, form).await.expect(200)["status"], "1");
    assert_eq!(body(&last(&world)), ["Ada", "20"]);
    // Without any value the first is the name.
    world.template("saluto", "UTILITY", "Ciao {{1}}, a presto da noi!").await;
    assert_eq!(
        body(&sent(&world, &api, "/api/v1/whatsapp/send", json!({"template_name": "saluto"})).await).len(),
        1
    );
    for (more, want) in [
        (json!({"template_id": id}), is("invalid_field", "variables")),
        (json!({"template_id": id, "parameters": ["a"]}), is("invalid_field", "parameters")),
        (json!({"template_id": id, "variables": ["a", ""]}), is("invalid_field", "variables")),
        (json!({"template_id": id, "variables": [["a"]]}), is("invalid_field", "variables")),
        (
            json!({"template_id": id, "templateVariable-a-9": "a"}),
            is("invalid_field", "templateVariable-a-9"),
        ),
        (json!({"template_id": "99999"}), is("not_found", "template_id")),
        (json!({"template_name": "manca"}), is("not_found", "template_name")),
        (
            json!({"template_name": "promo", "locale": "fr", "variables": ["a", "b"]}),
            is("invalid_field", "locale"),
        ),
        (json!({}), is("invalid_field", "template_id")),
    ] {
        assert_eq!(refused(&api, TEMPLATE, more.clone()).await, want, "{more}");
    }
}

#[tokio::test]
async fn a_templates_header_and_quick_replies_are_given_too() {
    let (world, api) = world().await;
    let header = json!({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}});
    let text = json!({"type": "BODY", "text": "Ecco la foto che volevi"});
    let replies = json!([{"type": "QUICK_REPLY", "text": "Sì"}, {"type": "QUICK_REPLY", "text": "No"}]);
    let components = json!([header, text, {"type": "BUTTONS", "buttons": replies}]);
    let new = json!({"token": api.token, "name": "foto", "category": "UTILITY", "language": "it", "components": components});
    api.post("/api/whatsapp-meta/create_template", new).await.expect(200);
    world.clock.advance_ms(5_000);
    let file = upload(&api, "media_file", "foto.png", "image/png", PNG).await;
    for more in [
        json!({"media_id": file["media_id"]}),
        json!({"template_header_media_url": file["media_url"]}),
        json!({"template_header_media_url": "https://example.com/a.png"}),
    ] {
        let mut more = more;
        more["template_name"] = json!("foto");
        more["template_quick_reply_button_values"] = json!(r#"["YES_1","NO_1"]"#);
        let components = sent(&world, &api, TEMPLATE, more.clone()).await["template"]["components"].clone();
        let image = &components[0]["parameters"][0]["image"];
        assert!(
            image["id"].is_string() || image["link"] == "https://example.com/a.png",
            "{more}: {components}"
        );
        let payloads: Vec<&Value> = components
            .as_array()
            .unwrap()
            .iter()
            .filter(|component| component["type"] == "button")
            .map(|component| &component["parameters"][0]["payload"])
            .collect();
        assert_eq!(payloads, ["YES_1", "NO_1"], "{components}");
    }
    let missing = refused(&api, TEMPLATE, json!({"template_name": "foto"})).await;
    assert_eq!(missing.0, "invalid_field");
    let query = format!("phoneNumberId={PHONE_NUMBER_ID}");
    let listed = api.sendwo("/api/v1/whatsapp/template/list", &query).await.expect(200)["message"][0].clone();
    assert_eq!((&listed["header_type"], &listed["header_subtype"]), (&json!("media"), &json!("image")));
    assert!(listed["button_content"].as_str().unwrap().contains("QUICK_REPLY"));
    assert!(!listed.to_string().contains("access_token"));
}

#[tokio::test]
async fn a_send_under_a_key_goes_once_and_tells_where_it_stands() {
    let (world, api) = world().await;
    for (path, more) in [
        (BUTTONS, json!({"message": "Scegli", "buttons": ["a", "b"], "idempotency_key": "b-1"})),
        (MEDIA, json!({"mediaUrl": "https://example.com/a.png", "idempotency_key": "m-1"})),
    ] {
        let before = world.simulator.messages(None, usize::MAX).len();
        let first = post(&api, path, to_one(&more)).await;
        assert_eq!(post(&api, path, to_one(&more)).await, first);
        assert_eq!(world.simulator.messages(None, usize::MAX).len(), before + 1);
        world.drain().await;
        let query = format!("wa_message_id={}", first["wa_message_id"].as_str().unwrap());
        let status = api.sendwo("/api/v1/whatsapp/get/message-status", &query).await.expect(200);
        assert_eq!(status["message"]["message_status"], "delivered");
        assert!(status["message"]["delivery_status_updated_at"].is_string());
    }
    let shown = api.sendwo("/api/v1/whatsapp/conversation", "subscriberId=1").await.expect(200);
    assert_eq!(shown["message"].as_array().unwrap().len(), 3);
}
