//! The forms in which callers write `template_params`.

use serde_json::json;

use super::*;

fn parse(given: Value) -> Params {
    Params::parse(&given).unwrap()
}

#[test]
fn parts_are_read_in_the_forms_that_callers_write() {
    let location = json!({"latitude": 45.4, "longitude": "9.1", "name": "Duomo"});
    let want = parse(json!({"location": location}));
    assert_eq!(want.location.as_ref().unwrap().latitude.as_deref(), Some("45.4"));
    for same in [
        json!({"header": location}),
        json!({"header": {"location": location}}),
        json!({"header": [{"type": "location", "location": location}]}),
    ] {
        assert_eq!(parse(same.clone()), want, "{same}");
    }
    let card = json!({"media": "https://x.it/a.jpg", "body": ["x"], "buttons": ["b"]});
    let want = parse(json!({"cards": [card]}));
    assert_eq!(want.cards[0].media.as_deref(), Some("https://x.it/a.jpg"));
    for same in [
        json!({"carousel": [card]}),
        json!({"carousel": {"cards": [card]}}),
        json!({"cards": [{"header": {"image": {"link": "https://x.it/a.jpg"}}, "body": "x", "buttons": "b"}]}),
        json!({"cards": [{"media_url": "https://x.it/a.jpg", "body": [{"type": "text", "text": "x"}], "buttons": [{"text": "b"}]}]}),
    ] {
        assert_eq!(parse(same.clone()), want, "{same}");
    }
    for offer in [
        json!({"body": [], "limited_time_offer": {"expiration": 5}}),
        json!({"body": "x", "limited_time_offer": "5"}),
        json!({"limited_time_offer": {"expiration_time_ms": "5"}}),
    ] {
        assert_eq!(parse(offer.clone()).offer.as_deref(), Some("5"), "{offer}");
    }
}

#[test]
fn texts_by_name_stay_texts_by_name() {
    for (given, name) in [
        (json!({"product": "Scarpe"}), "product"),
        (json!({"location": "Roma"}), "location"),
        (json!({"header": "x", "first": "y"}), "header"),
        (json!({"location": "Roma", "body": ["x"]}), "location"),
    ] {
        assert!(parse(given.clone()).named.contains_key(name), "{given}");
    }
}

#[test]
fn what_is_not_read_is_told_with_its_path() {
    let given = json!({"body": ["x"], "footer": {"a": 1}, "location": {"latitude": 1, "longitude": 2, "lat": 3},
        "cards": [{"media": "https://x.it/a.jpg", "titolo": "x"}], "buttons": [{"flow_token": "t", "tokn": 1}]});
    let mut unread = parse(given).unread;
    unread.sort();
    assert_eq!(
        unread,
        [
            "template_params.buttons[0].tokn",
            "template_params.cards[0].titolo",
            "template_params.footer",
            "template_params.location.lat",
        ]
    );
}

#[test]
fn what_has_another_shape_is_refused() {
    for bad in [
        json!(true),
        json!({"cards": {"a": 1}}),
        json!({"cards": ["x"]}),
        json!({"body": [[1]]}),
        json!({"location": {"latitude": []}}),
        json!({"buttons": [{"flow_action_data": "x"}]}),
        json!({"a": {}}),
    ] {
        assert_eq!(Params::parse(&bad).unwrap_err().field, AT, "{bad}");
    }
}
