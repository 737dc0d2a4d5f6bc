//! What opts out, and what does not.

use http::Method;
use serde_json::{Value, json};

use super::Street;

fn tap(id: &str, kind: &str, title: &str) -> Value {
    match kind {
        "button" => json!({"id": id, "type": kind, "button": {"payload": "x", "text": title}}),
        reply => {
            json!({"id": id, "type": "interactive", "interactive": {"type": reply, reply: {"id": "x", "title": title}}})
        }
    }
}

#[tokio::test]
async fn taps_say_what_their_button_does() {
    let street = Street::new().await;
    for (n, (kind, title)) in [
        ("button", "Stop promotions"),
        ("button", "Detener promociones"),
        ("button_reply", "STOP"),
        ("button_reply", "*Interrompi promozioni*"),
        ("list_reply", "Unsubscribe"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("3934736100{n:02}");
        street.says(Some(&number), None, tap(&format!("wamid.{n}"), kind, title)).await;
        assert!(street.is_opted_out(&number).await, "{kind} {title}");
    }
    street.says(Some("393473620001"), None, tap("wamid.9", "button", "Non fermarti")).await;
    assert!(!street.is_opted_out("393473620001").await);
}

#[tokio::test]
async fn a_stop_in_a_group_opts_nobody_out() {
    let street = Street::new().await;
    let said =
        json!({"id": "wamid.1", "type": "text", "text": {"body": "STOP"}, "group_id": "Y2FwaV9ncm91cDox"});
    street.says(Some("393473630001"), None, said).await;
    assert!(!street.is_opted_out("393473630001").await);
    street.writes(Some("393473630001"), None, "wamid.2", "ＳＴＯＰ 🛑").await;
    assert!(street.is_opted_out("393473630001").await);
}

#[tokio::test]
async fn an_account_has_its_own_words_and_confirms_once() {
    let street = Street::new().await;
    let settings = json!({"opt_out_words": ["basta così"], "opt_out_message": "Non ti scriveremo più"});
    let changed = street.set(settings).await.expect(200);
    let words = changed["account"]["opt_out_words"].as_array().unwrap();
    assert!(words.contains(&json!("basta così")) && words.contains(&json!("stop")), "{words:?}");
    assert!(!words.contains(&json!("cancel")));
    assert!(changed["account"]["opt_in_words"].as_array().unwrap().contains(&json!("start")));
    let number = Some("393473640001");
    street.writes(number, None, "wamid.1", "cancel").await;
    assert!(!street.is_opted_out("393473640001").await);
    let said = |world: &harness::World| {
        let sent = world.simulator.messages(None, 100);
        sent.iter().filter(|message| message.body["text"]["body"] == "Non ti scriveremo più").count()
    };
    street.writes(number, None, "wamid.2", "Basta cosi!").await;
    street.writes(number, None, "wamid.3", "STOP").await;
    assert_eq!(said(&street.world), 1, "one opt-out has one confirmation");
    street.world.clock.advance_ms(60_000);
    street.writes(number, None, "wamid.4", "start").await;
    street.world.clock.advance_ms(60_000);
    street.writes(number, None, "wamid.5", "stop").await;
    assert_eq!(said(&street.world), 2);
    let back = street.set(json!({"opt_out_words": []})).await.expect(200);
    assert!(back["account"]["opt_out_words"].as_array().unwrap().contains(&json!("cancel")));
    let wrong = street.set(json!({"help_words": ["!"]})).await;
    assert_eq!(wrong.field(422), "help_words");
}

#[tokio::test]
async fn an_older_stop_that_comes_late_does_not_undo_a_start() {
    let street = Street::new().await;
    let seconds = street.world.clock.now_ms() / 1_000;
    let at = |id: &str, text: &str, ago: i64| json!({"from": "393473650001", "id": id, "timestamp": (seconds - ago).to_string(), "type": "text", "text": {"body": text}});
    street.meta("messages", json!({"messages": [at("wamid.1", "START", 10)]})).await;
    street.meta("messages", json!({"messages": [at("wamid.2", "STOP", 20)]})).await;
    assert!(!street.is_opted_out("393473650001").await);
    street.meta("messages", json!({"messages": [at("wamid.3", "STOP", 5)]})).await;
    assert!(street.is_opted_out("393473650001").await);
}

#[tokio::test]
async fn a_proof_of_consent_is_kept_and_lifts_no_opt_out() {
    let street = Street::new().await;
    let opt_in = json!({"source": "checkout", "at": "2026-05-01T10:00:00Z", "detail": "newsletter"});
    let contact = street.contact(json!({"name": "Ada", "phone": "+393473660001", "opt_in": opt_in})).await;
    let proof = json!({"at": "2026-05-01T10:00:00.000Z", "source": "checkout", "detail": "newsletter"});
    assert_eq!(contact["consent"], json!({"state": "opted_in", "opt_in": proof}));
    street.writes(Some("393473660001"), None, "wamid.1", "stop").await;
    let again = street.contact(json!({"phone": "+393473660001", "opt_in": true})).await;
    assert_eq!(again["consent"]["state"], "opted_out");
    assert!(street.is_opted_out("393473660001").await);
    for wrong in [json!(7), json!([]), json!({"at": "ieri"})] {
        let answer =
            street.api.post("/api/contacts", json!({"phone": "+393473660001", "opt_in": wrong})).await;
        assert_eq!(answer.field(422), "opt_in");
    }
    let removed = json!({"number": "+393473660001"});
    street.api.json(Method::DELETE, "/api/suppressions", &removed).await.expect(200);
    assert_eq!(street.only("Ada").await["consent"]["state"], "opted_in");
}

#[tokio::test]
async fn the_owner_lifts_an_opt_out_and_proves_no_consent() {
    let street = Street::new().await;
    street.contact(json!({"name": "Ida", "phone": "+393473840001"})).await;
    let ida = json!({"number": "393473840001"});
    street.api.post("/api/suppressions", ida.clone()).await.expect(200);
    assert_eq!(street.only("Ida").await["consent"]["state"], "opted_out");
    street.api.json(Method::DELETE, "/api/suppressions", &ida).await.expect(200);
    let consent = street.only("Ida").await["consent"].clone();
    assert!(consent["opt_in"].is_null() && consent["state"] != "opted_out", "{consent}");
    assert!(!street.is_opted_out("393473840001").await);
}

#[tokio::test]
async fn who_has_no_number_yet_can_be_opted_out_for_the_one_to_come() {
    for known in [json!({"email": "sara@example.com"}), json!({"external_id": "crm:7"})] {
        let street = Street::new().await;
        let id = street.contact(known.clone()).await["id"].clone();
        let whom = json!({"contact_id": id});
        let added = street.api.post("/api/suppressions", whom.clone()).await.expect(200);
        assert_eq!((&added["changed"], &added["suppressions"]), (&json!(true), &json!([])));
        assert_eq!(street.api.post("/api/suppressions", whom.clone()).await.expect(200)["changed"], false);
        let mut row = known.clone();
        row["phone"] = "+393473850001".into();
        street.api.post("/api/contacts/bulk", json!({"contacts": [row]})).await.expect(200);
        assert!(street.is_opted_out("393473850001").await, "{known}");
        let lifted = street.api.json(Method::DELETE, "/api/suppressions", &whom).await.expect(200);
        assert_eq!(lifted["removed"], 1);
        assert!(!street.is_opted_out("393473850001").await);
    }
}
