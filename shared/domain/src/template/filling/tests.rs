//! What comes of templates and of what campaigns give for them.

use serde_json::{Value, json};

use super::*;
use crate::ContactId;
use crate::contact::Contact;
use crate::template::{TemplateStatus, surplus};

fn template(components: Value) -> Template {
    Template {
        id: "1".to_owned(),
        name: "promo".to_owned(),
        language: "it".to_owned(),
        category: None,
        status: TemplateStatus::Approved,
        components: components.as_array().unwrap().clone(),
    }
}

fn anna() -> Contact {
    let mut contact = Contact::empty(ContactId(1), Timestamp::UNIX_EPOCH);
    contact.name = Some("Anna".to_owned());
    for (key, value) in [("lat", "45.5"), ("sku", "A 1"), ("ends", "2026-07-01T00:00:00Z")] {
        contact.metadata.insert(key.to_owned(), value.into());
    }
    contact
}

fn fitted(components: Value, params: Value) -> Result<Filling, Vec<Invalid>> {
    Filling::of(&template(components), &Params::parse(&params).unwrap(), None)
}

/// The texts of Anna's row, and Meta's components for her.
fn sent(components: Value, params: Value) -> (Vec<String>, Value) {
    let filling = fitted(components, params).unwrap();
    let texts: Vec<String> =
        filling.texts().iter().map(|t| t.freeze(&t.pattern.fill(&anna())).unwrap()).collect();
    let sources: Vec<MediaSource> =
        filling.files().iter().map(|file| MediaSource::Link(file.url.clone())).collect();
    let components = filling.components(&texts, &sources);
    (texts, Value::from(components))
}

fn refused(components: Value, params: Value) -> String {
    let problems = fitted(components, params).unwrap_err();
    problems.iter().map(|p| format!("{}: {}", p.field, p.message)).collect::<Vec<_>>().join(" | ")
}

fn buttons(buttons: Value) -> Value {
    json!([{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": buttons}])
}

#[test]
fn texts_come_first_in_the_order_of_the_rows() {
    let promo = json!([
        {"type": "HEADER", "format": "TEXT", "text": "Per {{1}}"},
        {"type": "BODY", "text": "Ciao {{1}}, sconto del {{2}}% oggi"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY"}, {"type": "URL", "url": "https://x.it/{{1}}"}]},
    ]);
    let (texts, components) =
        sent(promo.clone(), json!({"header": "h", "body": ["{{name}}", "20"], "buttons": ["p"]}));
    assert_eq!(texts, ["h", "Anna", "20", "p"]);
    assert_eq!(components[1]["parameters"][1]["text"], "20");
    assert_eq!((&components[2]["index"], &components[2]["sub_type"]), (&json!("1"), &json!("url")));
    let missing = refused(promo, json!(["{{name}}"]));
    assert_eq!(
        missing,
        "template_params: template_params has no value for header {{1}}, body {{2}}, button 2"
    );
}

#[test]
fn without_params_the_first_variable_is_the_name() {
    let hello = json!([{"type": "BODY", "text": "Ciao {{1}}!"}]);
    assert_eq!(sent(hello, json!({})).0, ["Anna"]);
}

#[test]
fn named_parameters_carry_their_name() {
    let named = json!([{"type": "BODY", "text": "Ciao {{first}} {{city}}"}]);
    let (_, components) = sent(named, json!({"first": "{{name}}", "city": "Roma"}));
    assert_eq!(
        components[0]["parameters"][0],
        json!({"type": "text", "parameter_name": "first", "text": "Anna"})
    );
}

#[test]
fn a_location_is_written_once_where_it_is_the_same_for_all() {
    let here = json!([{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "x"}]);
    let (texts, components) =
        sent(here.clone(), json!({"location": {"latitude": 45.4642, "longitude": "9.19", "name": "Duomo"}}));
    assert!(texts.is_empty());
    assert_eq!(
        components[0]["parameters"][0]["location"],
        json!({"latitude": 45.4642, "longitude": 9.19, "name": "Duomo"})
    );
    let (texts, components) = sent(
        here.clone(),
        json!({"location": {"latitude": "{{metadata.lat}}", "longitude": 9, "address": "Da {{name}}"}}),
    );
    assert_eq!(texts, ["45.5", "Da Anna"]);
    assert_eq!(
        components[0]["parameters"][0]["location"],
        json!({"latitude": 45.5, "longitude": 9, "address": "Da Anna"})
    );
    assert!(refused(here.clone(), json!({})).contains("header location"));
    assert!(refused(here.clone(), json!({"location": {"latitude": 1}})).contains("header location"));
    assert!(
        refused(here, json!({"location": {"latitude": 91, "longitude": 0}}))
            .contains("a number from -90 to 90")
    );
}

#[test]
fn an_offer_ends_for_all_or_for_each() {
    let offer = json!([{"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "x", "has_expiration": true}},
        {"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}]}]);
    let give = |ends: &str| json!({"limited_time_offer": {"expiration": ends}, "buttons": [{"coupon_code": "SALDI25"}]});
    for ends in ["2026-07-01T02:00:00+02:00", "1782864000000"] {
        let filling = fitted(offer.clone(), give(ends)).unwrap();
        assert_eq!(filling.expires_for_all_ms(), Some(1_782_864_000_000), "{ends}");
    }
    let (texts, components) = sent(offer.clone(), give("{{metadata.ends}}"));
    assert_eq!(texts, ["SALDI25", "1782864000000"]);
    assert_eq!(
        components[0],
        json!({"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer",
        "limited_time_offer": {"expiration_time_ms": 1_782_864_000_000_i64}}]})
    );
    assert_eq!(components[1]["parameters"][0], json!({"type": "coupon_code", "coupon_code": "SALDI25"}));
    assert!(refused(offer.clone(), json!({"buttons": ["A"]})).contains("limited_time_offer (expiration)"));
    assert!(refused(offer.clone(), give("soon")).contains("a time"));
    let by_name = json!({"expiration": "2026-07-01T00:00:00Z", "coupon_code": "A"});
    assert_eq!(fitted(offer, by_name).unwrap().expires_for_all_ms(), Some(1_782_864_000_000));
}

#[test]
fn a_carousel_has_all_its_cards() {
    let card = |url: &str| {
        json!({"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Da {{1}}"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY"}, {"type": "URL", "url": url}]}]})
    };
    let carousel = json!([{"type": "BODY", "text": "Ciao {{1}}"},
        {"type": "CAROUSEL", "cards": [card("https://x.it/{{1}}"), card("https://x.it/{{1}}")]}]);
    let given = json!({"body": ["{{name}}"], "cards": [
        {"media": "https://x.it/1.jpg", "body": ["10 euro"], "buttons": ["a", {"payload": "p"}]},
        {"media": "https://x.it/{{metadata.sku}}.jpg", "body": ["{{name}}"], "buttons": ["b"]}]});
    let filling = fitted(carousel.clone(), given.clone()).unwrap();
    assert_eq!(filling.files().len(), 1);
    let texts = ["Anna", "https://x.it/2.jpg", "Anna"].map(String::from);
    let sources = [MediaSource::Id("7".to_owned())];
    let cards = &Value::from(filling.components(&texts, &sources))[1];
    assert_eq!(
        cards["cards"][0]["components"],
        json!([
        {"type": "header", "parameters": [{"type": "image", "image": {"id": "7"}}]},
        {"type": "body", "parameters": [{"type": "text", "text": "10 euro"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "p"}]},
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "a"}]}])
    );
    assert_eq!(cards["cards"][1]["card_index"], 1);
    assert_eq!(
        cards["cards"][1]["components"][0]["parameters"][0]["image"],
        json!({"link": "https://x.it/2.jpg"})
    );
    let one = json!({"body": ["x"], "cards": [given["cards"][0]]});
    assert_eq!(
        refused(carousel, one),
        "template_params: template_params has no value for carousel card 2 header image, carousel card 2 body {{1}}, carousel card 2 button 2"
    );
}

#[test]
fn cards_of_products_have_nothing_else() {
    let card = json!({"components": [{"type": "HEADER", "format": "PRODUCT"}, {"type": "BUTTONS", "buttons": [{"type": "SPM"}]}]});
    let (_, components) = sent(
        json!([{"type": "CAROUSEL", "cards": [card]}]),
        json!({"cards": [{"product_retailer_id": "a", "catalog_id": 7}]}),
    );
    assert_eq!(
        components[0]["cards"][0]["components"][0]["parameters"][0],
        json!({"type": "product", "product": {"product_retailer_id": "a", "catalog_id": "7"}})
    );
}

#[test]
fn buttons_with_actions_are_filled_or_missing() {
    let flow = buttons(json!([{"type": "FLOW"}]));
    let (texts, components) = sent(
        flow.clone(),
        json!({"buttons": [{"flow_token": "t", "flow_action_data": {"who": "{{name}}", "n": 1}}]}),
    );
    assert_eq!(texts, ["Anna"]);
    assert_eq!(
        components[0]["parameters"][0]["action"],
        json!({"flow_token": "t", "flow_action_data": {"who": "Anna", "n": 1}})
    );
    let products = buttons(json!([{"type": "MPM"}]));
    let given = json!({"sections": [{"title": "Scarpe", "product_items": [{"product_retailer_id": "{{metadata.sku}}"}, {"product_retailer_id": "b"}]}]});
    let (_, components) = sent(products.clone(), given);
    assert_eq!(
        components[0]["parameters"][0]["action"],
        json!({"thumbnail_product_retailer_id": "A 1", "sections": [
        {"title": "Scarpe", "product_items": [{"product_retailer_id": "A 1"}, {"product_retailer_id": "b"}]}]})
    );
    let (_, components) =
        sent(buttons(json!([{"type": "CATALOG"}])), json!({"thumbnail_product_retailer_id": "x"}));
    assert_eq!(components[0]["parameters"][0]["action"], json!({"thumbnail_product_retailer_id": "x"}));
    let (_, components) = sent(buttons(json!([{"type": "CATALOG"}])), json!({}));
    assert_eq!(components, json!([]), "Meta shows the first product");
    for (template, what) in [
        (flow, "button 1 (flow_token)"),
        (products, "button 1 (sections)"),
        (buttons(json!([{"type": "COPY_CODE"}])), "button 1 (coupon_code)"),
    ] {
        assert_eq!(
            refused(template, json!({})),
            format!("template_params: template_params has no value for {what}")
        );
    }
    let two = json!({"sections": [{"product_items": ["a"]}, {"product_items": ["b"]}]});
    assert!(refused(buttons(json!([{"type": "MPM"}])), two).contains("a title when there are several"));
}

#[test]
fn what_nobody_can_fill_is_named() {
    for (components, what) in [
        (json!([{"type": "ORDER_STATUS"}]), "component ORDER_STATUS"),
        (json!([{"type": "HEADER", "format": "GIF"}]), "header GIF"),
        (buttons(json!([{"type": "ORDER_DETAILS", "text": "Paga"}])), "button 1 ORDER_DETAILS"),
    ] {
        let want = format!("template_name: a campaign cannot fill the template's {what}");
        assert_eq!(refused(components, json!({"body": ["x"]})), want);
    }
    let plain = json!([{"type": "BODY", "text": "x"}, {"type": "CALL_PERMISSION_REQUEST"}]);
    assert!(fitted(plain, json!({})).is_ok());
}

#[test]
fn values_of_one_recipient_may_be_none() {
    let here = json!([{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "x"}]);
    for (latitude, why) in [("{{email}}", "missing_parameter"), ("{{name}}", "invalid_parameter")] {
        let filling =
            fitted(here.clone(), json!({"location": {"latitude": latitude, "longitude": 1}})).unwrap();
        let text = &filling.texts()[0];
        assert_eq!(text.freeze(&text.pattern.fill(&anna())), Err(why), "{latitude}");
    }
}

#[test]
fn a_code_of_a_coupon_is_short() {
    let coupon =
        json!([{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}]}]);
    assert!(fitted(coupon.clone(), json!({"coupon_code": "ESTATE-2027-ABC"})).is_ok());
    let wrong = refused(coupon.clone(), json!({"coupon_code": "ESTATE-2027-ABCD"}));
    assert!(wrong.contains("15"), "{wrong}");
    let filling = fitted(coupon, json!({"coupon_code": "{{email}}{{name}}-2027-ESTATE"})).unwrap();
    let text = &filling.texts()[0];
    assert!(text.freeze(&text.pattern.fill(&anna())).is_err());
}

#[test]
fn what_is_too_much_is_told() {
    let told = |components: Value, params: Value| {
        surplus(&template(components), &Params::parse(&params).unwrap(), None)
    };
    let hello = json!([{"type": "BODY", "text": "Ciao {{1}}"}]);
    assert!(told(hello.clone(), json!(["a"])).is_empty());
    let with_file = surplus(&template(hello.clone()), &Params::default(), Some("https://x.it/a.jpg"));
    assert_eq!(with_file, ["media_url fills nothing: the template has no header with a file"]);
    for (params, part) in [
        (json!(["a", "b"]), "2 body values for 1"),
        (json!({"header": "h", "body": ["a"]}), "1 header values for 0"),
        (json!({"body": ["a"], "buttons": ["b"]}), "1 button values for 0"),
        (json!({"body": ["a"], "buttons": [{"index": 3, "text": "b"}]}), "button 4, which takes nothing"),
        (json!({"1": "a", "altro": "b"}), "template_params.altro fills nothing"),
        (json!({"body": ["a"], "location": {"latitude": 1, "longitude": 1}}), "location fills nothing"),
        (json!({"body": ["a"], "cards": [{"body": ["x"]}]}), "1 cards for 0"),
        (
            json!({"body": ["a"], "limited_time_offer": {"expiration": 1, "txt": 2}}),
            "limited_time_offer.txt is not known",
        ),
    ] {
        let told = told(hello.clone(), params.clone());
        assert!(told.iter().any(|text| text.contains(part)), "{params} {told:?}");
    }
}
