//! Templates with more than texts: what a draft says of them, what a launch refuses, what
//! Meta gets, and what can be created.

use std::time::Duration;

use domain::CampaignId;
use harness::faults::in_virtual_time;
use harness::{Api, Setup, World, named, person, phone};
use serde_json::{Value, json};
use simulators::graph::FaultRule;

const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1];
const CREATE: &str = "/api/whatsapp-meta/create_template";
const DRAFT: &str = "/api/campaigns/draft";
const LAUNCH: &str = "/api/campaigns/launch";
const FAR: &str = "2099-01-01T00:00:00Z";

async fn shop() -> (World, Api) {
    let world = World::new().await;
    world.import([person(1), person(2)]).await;
    let api = Api::of(&world).await;
    (world, api)
}

async fn create(api: &Api, name: &str, components: Value) {
    let new = json!({"name": name, "category": "MARKETING", "language": "it", "components": components});
    api.post_as_documented(CREATE, new).await.expect(200);
}

/// Drafts a campaign; answers its id and the warnings.
async fn draft(api: &Api, template: &str, more: Value) -> (u64, Vec<String>) {
    let mut draft =
        json!({"name": "x", "channel": "whatsapp", "message_type": "template", "template_name": template});
    draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = api.post_as_documented(DRAFT, draft).await.expect(200);
    let warnings = made["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
    (made["campaign_id"].as_u64().unwrap(), warnings.collect())
}

async fn launch(api: &Api, id: u64) {
    api.post_as_documented(LAUNCH, json!({"campaign_id": id})).await.expect(200);
}

/// Launches a campaign; answers what Meta got for one of the recipients.
async fn sent(world: &World, api: &Api, template: &str, params: Value) -> Value {
    let (id, warnings) = draft(api, template, json!({"template_params": params})).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    launch(api, id).await;
    world.drain().await;
    assert_eq!(world.counts(CampaignId(id)).await, [("delivered", 2)].into());
    world.simulator.messages(Some(&phone(1)), 1)[0].body["template"]["components"].clone()
}

fn body(text: &str) -> Value {
    json!({"type": "BODY", "text": text})
}

fn buttons(buttons: Value) -> Value {
    json!({"type": "BUTTONS", "buttons": buttons})
}

fn location() -> Value {
    json!([{"type": "HEADER", "format": "LOCATION"}, body("Ti aspettiamo qui domani.")])
}

fn offer() -> Value {
    json!([
        {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Scade presto", "has_expiration": true}},
        body("Sconto per te, solo oggi."),
        buttons(json!([{"type": "COPY_CODE", "example": "SALDI25"}, {"type": "URL", "text": "Vai", "url": "https://negozio.example/x"}])),
    ])
}

fn carousel() -> Value {
    let card = json!({"components": [
        {"type": "HEADER", "format": "IMAGE"},
        body("Da {{1}} euro, solo per te"),
        buttons(json!([{"type": "QUICK_REPLY", "text": "Mi piace"}, {"type": "URL", "text": "Vai", "url": "https://negozio.example/{{1}}"}])),
    ]});
    json!([body("Ciao {{1}}, guarda qui"), {"type": "CAROUSEL", "cards": [card, card]}])
}

#[tokio::test]
async fn what_a_campaign_was_not_given_is_named_and_nothing_is_sent() {
    let (world, api) = shop().await;
    let of = |button: Value| json!([body("Guarda qui"), buttons(json!([button]))]);
    let product =
        json!([{"type": "HEADER", "format": "PRODUCT"}, body("Eccolo"), buttons(json!([{"type": "SPM"}]))]);
    for (name, components, missing) in [
        ("luogo", location(), "header location (latitude, longitude)"),
        ("offerta", offer(), "limited_time_offer (expiration)"),
        (
            "giostra",
            carousel(),
            "carousel card 1 header image, carousel card 1 body {{1}}, carousel card 1 button 2, carousel card 2",
        ),
        ("prodotti", of(json!({"type": "MPM"})), "button 1 (sections)"),
        ("prodotto", product, "header product (product_retailer_id, catalog_id)"),
        ("modulo", of(json!({"type": "FLOW", "text": "Apri", "flow_id": "1"})), "button 1 (flow_token)"),
        ("codice", of(json!({"type": "COPY_CODE"})), "button 1 (coupon_code)"),
        ("film", json!([{"type": "HEADER", "format": "GIF"}, body("Guarda qui")]), "header GIF"),
        ("ordine", json!([body("Ecco il tuo ordine"), {"type": "ORDER_STATUS"}]), "component ORDER_STATUS"),
        ("conto", of(json!({"type": "ORDER_DETAILS", "text": "Paga"})), "button 1 ORDER_DETAILS"),
    ] {
        create(&api, name, components).await;
        let (id, warnings) = draft(&api, name, json!({})).await;
        assert!(warnings.len() == 1 && warnings[0].contains(missing), "{name} {warnings:?}");
        let refused = api.post_as_documented(LAUNCH, json!({"campaign_id": id})).await.expect(422);
        assert_eq!(refused["message"], json!(warnings[0]), "{name}");
        let looked = api.post(&format!("/api/campaigns/{id}/preflight"), json!({})).await.expect(200);
        assert_eq!(looked["preflight"]["problems"][0], json!(warnings[0]), "{name}");
    }
    world.drain().await;
    assert_eq!(world.simulator.stats().accepted, 0);
}

#[tokio::test]
async fn a_location_may_differ_for_each() {
    let (world, api) = shop().await;
    create(&api, "luogo", location()).await;
    let same = json!({"location": {"latitude": 45.4642, "longitude": "9.19", "name": "Da noi, {{name}}", "address": "Via Roma 1"}});
    let components = sent(&world, &api, "luogo", same).await;
    let want =
        json!({"latitude": 45.4642, "longitude": 9.19, "name": "Da noi, Persona 1", "address": "Via Roma 1"});
    assert_eq!(components[0]["parameters"][0], json!({"type": "location", "location": want}));
    let rows = world.rows(CampaignId(1)).await;
    assert_eq!(rows[0].params, ["Da noi, Persona 1"]);
    let (_, warnings) =
        draft(&api, "luogo", json!({"template_params": {"location": {"latitude": 200, "longitude": 9}}}))
            .await;
    assert!(warnings[0].contains("a number from -90 to 90"), "{warnings:?}");
}

#[tokio::test]
async fn an_offer_has_to_be_still_to_come() {
    let (world, api) = shop().await;
    create(&api, "offerta", offer()).await;
    let give = |ends: Value| json!({"limited_time_offer": {"expiration": ends}, "buttons": ["SALDI25"]});
    let components = sent(&world, &api, "offerta", give(json!(FAR))).await;
    let ends = &components[0]["parameters"][0]["limited_time_offer"]["expiration_time_ms"];
    assert_eq!(*ends, json!(4_070_908_800_000_i64));
    assert_eq!(components[1]["parameters"][0]["coupon_code"], "SALDI25");
    for over in [json!("2026-07-01T07:59:00Z"), json!(1_000_000_000_000_i64)] {
        let (id, warnings) = draft(&api, "offerta", json!({"template_params": give(over)})).await;
        assert!(warnings[0].contains("in the past"), "{warnings:?}");
        assert_eq!(
            api.post_as_documented(LAUNCH, json!({"campaign_id": id})).await.field(422),
            "template_params"
        );
    }
    let late = json!({"template_params": give(json!("2026-07-02T00:00:00Z")), "scheduled_at": "2026-07-03T00:00:00Z"});
    let (_, warnings) = draft(&api, "offerta", late).await;
    assert!(warnings[0].contains("before the campaign starts"), "{warnings:?}");
}

#[tokio::test]
async fn whose_offer_has_ended_is_skipped() {
    let (world, api) = shop().await;
    create(&api, "offerta", offer()).await;
    let mut late = named("+393331000009", "Tardi");
    late.metadata.insert("scade".to_owned(), "2026-07-01T00:00:00Z".into());
    world.import([late]).await;
    let give = |ends: &str| json!({"template_params": {"limited_time_offer": ends, "buttons": ["SALDI25"], "body": []}});
    let (id, warnings) = draft(&api, "offerta", give("{{metadata.scade|2099-01-01T00:00:00Z}}")).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    launch(&api, id).await;
    world.drain().await;
    assert_eq!(world.counts(CampaignId(id)).await, [("delivered", 2), ("skipped", 1)].into());
    assert_eq!(world.reasons(CampaignId(id)).await, [("offer_expired".to_owned(), 1)].into());
}

#[test]
fn an_offer_that_ends_while_a_recipient_waits_is_not_sent() {
    in_virtual_time(Setup::default(), async |world| {
        world.import([person(1), person(2)]).await;
        let api = Api::of(world).await;
        create(&api, "offerta", offer()).await;
        let ends =
            json!({"limited_time_offer": {"expiration": "2026-07-01T08:30:00Z"}, "buttons": ["SALDI25"]});
        let (id, _) = draft(&api, "offerta", json!({"template_params": ends})).await;
        let wait = FaultRule { code: Some(131_056), retry_after: Some(3_600), ..FaultRule::default() };
        world.fault(FaultRule { to: Some(phone(2)), next: Some(1), ..wait });
        launch(&api, id).await;
        tokio::time::sleep(Duration::from_secs(4_000)).await;
        assert_eq!(world.counts(CampaignId(id)).await, [("delivered", 1), ("skipped", 1)].into());
        assert_eq!(world.reasons(CampaignId(id)).await, [("offer_expired".to_owned(), 1)].into());
    });
}

#[tokio::test]
async fn a_carousel_is_filled_card_by_card() {
    let (world, api) = shop().await;
    create(&api, "giostra", carousel()).await;
    let fields = [("apikey", api.key.as_str()), ("token", api.token.as_str())];
    let url =
        api.upload("/api/campaigns/upload_media", &fields, ("a.jpg", "image/jpeg", JPEG)).await.expect(200);
    let cards = json!([
        {"media": url["url"], "body": ["10"], "buttons": ["uno"]},
        {"media": "https://example.com/2.jpg", "body": ["{{name}}"], "buttons": ["due", {"payload": "like"}]},
    ]);
    let components = sent(&world, &api, "giostra", json!({"body": ["{{name}}"], "cards": cards})).await;
    assert_eq!(components[0]["parameters"][0]["text"], "Persona 1");
    let cards = &components[1]["cards"];
    assert!(cards[0]["components"][0]["parameters"][0]["image"]["id"].is_string(), "{cards}");
    assert_eq!(
        cards[1]["components"],
        json!([
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/2.jpg"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Persona 1"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "like"}]},
            {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "due"}]},
        ])
    );
    let rows = world.rows(CampaignId(1)).await;
    assert_eq!(rows[0].params, ["Persona 1", "Persona 1"]);
    let foreign = json!({"body": ["x"], "cards": [
        {"media": "http://127.0.0.1/a.jpg", "body": ["1"], "buttons": ["a"]},
        {"media": "https://example.com/2.jpg", "body": ["1"], "buttons": ["a"]}]});
    let (_, warnings) = draft(&api, "giostra", json!({"template_params": foreign})).await;
    assert!(warnings[0].contains("carousel card 1 header image"), "{warnings:?}");
}

#[tokio::test]
async fn buttons_with_actions_are_filled() {
    let (world, api) = shop().await;
    let of = |button: Value| json!([body("Guarda qui"), buttons(json!([button]))]);
    let sections = json!([{"title": "Scarpe", "product_items": [{"product_retailer_id": "s1"}]}]);
    for (name, button, params, action) in [
        (
            "modulo",
            json!({"type": "FLOW", "text": "Apri", "flow_id": "1"}),
            json!({"buttons": [{"flow_token": "{{name}}", "flow_action_data": {"n": 1}}]}),
            json!({"flow_token": "Persona 1", "flow_action_data": {"n": 1}}),
        ),
        (
            "catalogo",
            json!({"type": "CATALOG"}),
            json!({"buttons": [{"thumbnail_product_retailer_id": "s1"}]}),
            json!({"thumbnail_product_retailer_id": "s1"}),
        ),
        (
            "prodotti",
            json!({"type": "MPM"}),
            json!({"buttons": [{"sections": sections}]}),
            json!({"thumbnail_product_retailer_id": "s1", "sections": sections}),
        ),
    ] {
        create(&api, name, of(button)).await;
        let components = sent(&world, &api, name, params).await;
        assert_eq!(components[0]["parameters"][0], json!({"type": "action", "action": action}), "{name}");
    }
}

#[tokio::test]
async fn what_fills_nothing_is_told() {
    let (world, api) = shop().await;
    world.template("saluto", "UTILITY", "Ciao {{1}}, a presto!").await;
    for (params, part) in [
        (json!(["{{name}}", "20"]), "2 body values for 1"),
        (
            json!({"body": ["x"], "location": {"latitude": 1, "longitude": 2}}),
            "template_params.location fills nothing",
        ),
        (
            json!({"body": ["x"], "buttons": [{"text": "a", "colour": "red"}]}),
            "template_params.buttons[0].colour is not known",
        ),
        (json!({"1": "x", "sconto": "20"}), "template_params.sconto fills nothing"),
    ] {
        let (id, warnings) = draft(&api, "saluto", json!({"template_params": params})).await;
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{params} {warnings:?}");
        launch(&api, id).await;
    }
    let (_, warnings) = draft(&api, "saluto", json!({"template_params": ["{{name}}"]})).await;
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn offers_carousels_and_locations_can_be_created() {
    let (_world, api) = shop().await;
    for (name, components) in [("luogo", location()), ("offerta", offer()), ("giostra", carousel())] {
        create(&api, name, components).await;
    }
    let list = format!("/api/whatsapp-meta/get_templates?token={}", api.token);
    let listed = api.get(&list).await.expect(200)["templates"].clone();
    let named = |name: &str| listed.as_array().unwrap().iter().find(|t| t["name"] == name).unwrap().clone();
    assert_eq!(named("luogo")["variables"], json!([{"component": "header", "format": "location"}]));
    let cards = &named("giostra")["components"][1]["cards"];
    assert!(cards[1]["components"][0]["example"]["header_handle"][0].as_str().unwrap().starts_with("4::"));
    assert_eq!(named("giostra")["variables"][2], json!({"component": "body", "name": "1", "card": 0}));
    assert_eq!(
        named("offerta")["variables"][1],
        json!({"component": "limited_time_offer", "name": "expiration"})
    );
    for (components, field) in [
        (
            json!([body("Ciao"), {"type": "CAROUSEL", "cards": [carousel()[1]["cards"][0]]}]),
            "components[1].cards",
        ),
        (
            json!([{"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "x".repeat(17)}}, body("Ciao")]),
            "components[0].limited_time_offer.text",
        ),
        (
            json!([body("Ciao"), {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://example.com/a.jpg"]}}]),
            "components",
        ),
    ] {
        let new = json!({"name": "no", "category": "MARKETING", "components": components});
        assert_eq!(api.post_as_documented(CREATE, new).await.field(422), field);
    }
}

#[tokio::test]
async fn a_header_shows_the_callers_own_file_as_its_sample() {
    let (_world, api) = shop().await;
    let fields = [("apikey", api.key.as_str()), ("token", api.token.as_str())];
    let url =
        api.upload("/api/campaigns/upload_media", &fields, ("a.jpg", "image/jpeg", JPEG)).await.expect(200);
    let header = |format: &str| json!({"type": "HEADER", "format": format, "example": {"header_handle": [url["url"]]}});
    create(&api, "foto", json!([header("IMAGE"), body("Ecco la foto")])).await;
    let new = json!({"name": "film", "category": "MARKETING", "components": [header("VIDEO"), body("Ecco il film")]});
    assert_eq!(api.post_as_documented(CREATE, new).await.field(422), "components");
}

#[tokio::test]
async fn single_sends_pass_metas_shapes_through() {
    let (world, api) = shop().await;
    create(&api, "giostra", carousel()).await;
    let card = |index: usize, text: &str| {
        json!({"card_index": index, "components": [
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/a.jpg"}}]},
        {"type": "body", "parameters": [{"type": "text", "text": text}]},
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "x"}]}]})
    };
    let of = |name: &str, text: &str| {
        json!([
        {"type": "body", "parameters": [{"type": "text", "text": name}]},
        {"type": "carousel", "cards": [card(0, text), card(1, "due")]}])
    };
    let send = |components: Value| {
        json!({"number": phone(1), "type": "template",
        "template": {"name": "giostra", "language": "it", "components": components}})
    };
    let given = of("Anna\n\tMaria", "10      euro\r\n");
    api.post_as_documented("/api/whatsapp-meta/send", send(given)).await.expect(200);
    let got = &world.simulator.messages(Some(&phone(1)), 1)[0].body["template"]["components"];
    assert_eq!(*got, of("Anna Maria", "10 euro"));
    let refused = api.post_as_documented("/api/whatsapp-meta/send", send(json!([]))).await.expect(422);
    assert_eq!(refused["error_code"], 132_000);
}
