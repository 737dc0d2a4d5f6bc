//! Two identities of one person are one contact, whichever came first.

use domain::{ContactId, PhoneNumber};
use queue::Queue;
use serde_json::{Value, json};

use super::Street;

#[tokio::test]
async fn a_stop_under_the_user_id_holds_for_the_phone() {
    let street = Street::new().await;
    let contact = street.contact(json!({"name": "Ugo", "phone": "+393473010001", "tags": ["u"]})).await;
    street.writes(Some("393473010001"), Some("IT.301"), "wamid.1", "ciao").await;
    street.writes(None, Some("IT.301"), "wamid.2", "STOP").await;
    assert!(street.is_opted_out("393473010001").await && street.is_opted_out("IT.301").await);
    let ugo = street.only("Ugo").await;
    assert_eq!((&ugo["id"], &ugo["consent"]["state"]), (&contact["id"], &json!("opted_out")));
    assert_eq!(ugo["consent"]["opt_out"]["detail"], "STOP");
    // Back under the phone, they are back under both.
    street.world.clock.advance_ms(5_000);
    street.writes(Some("393473010001"), None, "wamid.3", "START").await;
    assert!(!street.is_opted_out("393473010001").await && !street.is_opted_out("IT.301").await);
}

#[tokio::test]
async fn a_stop_said_before_the_two_were_known_to_be_one_holds_as_well() {
    let street = Street::new().await;
    street.writes(None, Some("IT.1"), "wamid.1", "STOP").await;
    let known = street.contact(json!({"name": "Eva", "phone": "+393473010002", "tags": ["v"]})).await;
    assert!(!street.is_opted_out("+393473010002").await);
    street.writes(Some("393473010002"), Some("IT.1"), "wamid.2", "sono io").await;
    assert!(street.is_opted_out("+393473010002").await);
    let eva = street.only("393473010002").await;
    assert_eq!((&eva["name"], &eva["phone"]), (&json!("Eva"), &known["phone"]));
    assert_eq!(street.world.audit().await.contacts, 1);
}

#[tokio::test]
async fn a_preference_under_the_user_id_holds_for_the_phone() {
    let street = Street::new().await;
    street.contact(json!({"name": "Eva", "phone": "+393473020001"})).await;
    street.writes(Some("393473020001"), Some("IT.302"), "wamid.1", "ciao").await;
    let seconds = street.world.clock.now_ms() / 1_000;
    let preference =
        json!({"user_id": "IT.302", "category": "marketing_messages", "value": "stop", "timestamp": seconds});
    street.meta("user_preferences", json!({"user_preferences": [preference]})).await;
    assert!(street.is_opted_out("393473020001").await);
}

#[tokio::test]
async fn an_opt_out_survives_the_contact_and_reaches_who_it_turns_out_to_be() {
    let street = Street::new().await;
    let contact = street.contact(json!({"name": "Ida", "phone": "+393473010009"})).await;
    street.writes(Some("393473010009"), Some("IT.9"), "wamid.1", "stop").await;
    let id = contact["id"].as_u64().unwrap();
    street.delete(id, 200).await;
    // The same person comes in under a number that nobody knew, with the known user id.
    street.writes(Some("393473010010"), Some("IT.9"), "wamid.2", "ciao").await;
    assert!(street.is_opted_out("393473010010").await);
}

#[tokio::test]
async fn spellings_of_a_number_are_one_contact() {
    let street = Street::new().await;
    for (n, (told, wa_id, shown)) in [
        ("+5511991231234", "551191231234", "+5511991231234"),
        ("+55 21 98765-4321", "552187654321", "+5521987654321"),
        ("+52 1 664 123 4567", "5216641234567", "+526641234567"),
        ("+52 55 1234 5678", "5215512345678", "+525512345678"),
        ("+54 9 11 2345 6789", "541123456789", "+5491123456789"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("Bia{n}");
        street.contact(json!({"name": name, "phone": told})).await;
        street.writes(Some(wa_id), None, &format!("wamid.{n}"), "STOP").await;
        let bia = street.only(&name).await;
        assert_eq!(bia["phone"], shown, "{told}");
        assert!(street.is_opted_out(told).await && street.is_opted_out(wa_id).await, "{told}");
        assert_eq!(street.world.audit().await.contacts, n as u64 + 1);
    }
}

#[tokio::test]
async fn a_number_that_changes_takes_its_contact_along() {
    let street = Street::new().await;
    let vera = street.contact(json!({"name": "Vera", "phone": "+393473030001", "tags": ["clienti"]})).await;
    street.writes(Some("393473030001"), None, "wamid.1", "STOP").await;
    let system = json!({"body": "User Vera changed", "wa_id": "393473040001", "type": "user_changed_number"});
    let notice = json!({"from": "393473030001", "id": "wamid.2", "timestamp": "1782892900", "type": "system", "system": system});
    street.meta("messages", json!({"messages": [notice]})).await;
    street.writes(Some("393473040001"), None, "wamid.3", "sono io").await;
    let now = street.only("Vera").await;
    assert_eq!((&now["id"], &now["phone"]), (&vera["id"], &json!("+393473040001")));
    assert_eq!(now["tags"], json!(["clienti"]));
    assert!(street.found("393473030001").await.is_empty());
    assert!(street.is_opted_out("393473040001").await, "what they said is theirs");
    // The number is given to somebody else, and the notice comes once more.
    let next = street.contact(json!({"name": "Altra", "phone": "+393473030001"})).await;
    assert_ne!(next["id"], vera["id"]);
    street.meta("messages", json!({"messages": [notice]})).await;
    assert_eq!(street.only("Altra").await["phone"], "+393473030001");
    assert_eq!(street.only("Vera").await["phone"], "+393473040001");
}

#[tokio::test]
async fn a_change_to_a_number_that_is_a_contact_already_joins_the_two() {
    let street = Street::new().await;
    let old = street.contact(json!({"name": "Vera", "phone": "+393473030002", "tags": ["a"]})).await;
    let new =
        street.contact(json!({"email": "vera@example.com", "phone": "+393473040002", "tags": ["b"]})).await;
    let system = json!({"new_wa_id": "393473040002", "type": "customer_changed_number"});
    let notice = json!({"from": "393473030002", "id": "wamid.1", "timestamp": "1782892900", "type": "system", "system": system});
    street.meta("messages", json!({"messages": [notice]})).await;
    let vera = street.only("Vera").await;
    assert_eq!((&vera["id"], &vera["phone"]), (&old["id"], &json!("+393473040002")));
    assert_eq!((&vera["email"], &vera["tags"]), (&json!("vera@example.com"), &json!(["a", "b"])));
    street.delete(new["id"].as_u64().unwrap(), 404).await;
}

#[tokio::test]
async fn a_shared_number_and_a_user_id_that_changes() {
    let street = Street::new().await;
    let anna = street.contact(json!({"name": "Anna", "phone": "+393473050001"})).await;
    street.writes(None, Some("IT.50"), "wamid.1", "ciao").await;
    assert_eq!(street.world.audit().await.contacts, 2);
    let card = json!({"name": {"formatted_name": "Anna"}, "phones": [{"phone": "+39 347 305 0001"}]});
    let other = json!({"id": "wamid.2", "type": "contacts", "contacts": [card]});
    street.says(None, Some("IT.50"), other.clone()).await;
    assert_eq!(street.world.audit().await.contacts, 2, "somebody else's card proves nothing");
    let mut shared = other;
    shared["id"] = "wamid.3".into();
    shared["origin"] = "contact_request".into();
    street.says(None, Some("IT.50"), shared).await;
    assert_eq!(street.world.audit().await.contacts, 1);
    assert_eq!(identities(&street.only("Anna").await, "bsuid"), ["IT.50"]);

    let update = json!({"wa_id": "393473050001", "user_id": {"previous": "IT.50", "current": "IT.51"}});
    street.meta("user_id_update", json!({"user_id_update": [update]})).await;
    street.writes(None, Some("IT.51"), "wamid.4", "STOP").await;
    let anna_now = street.only("Anna").await;
    assert_eq!(anna_now["id"], anna["id"]);
    assert_eq!(identities(&anna_now, "bsuid"), ["IT.51", "IT.50"]);
    for address in ["+393473050001", "IT.50", "IT.51"] {
        assert!(street.is_opted_out(address).await, "{address}");
    }
}

fn identities(contact: &Value, kind: &str) -> Vec<String> {
    let all = contact["identities"].as_array().unwrap().iter();
    all.filter(|one| one["type"] == kind).map(|one| one["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_provider_teaches_how_it_knows_somebody() {
    let street = Street::new().await;
    street.contact(json!({"name": "Lea", "phone": "+22961234567"})).await;
    let (status, _) = street.send("+22961234567").await;
    assert_eq!(status, 200);
    street.world.drain().await;
    let sent = street.world.simulator.messages(None, 1)[0].biz_opaque_callback_data.clone();
    let status = json!({"id": "wamid.x", "status": "sent", "timestamp": "1782892900", "recipient_id": "2290161234567",
                        "recipient_user_id": "BJ.7", "biz_opaque_callback_data": sent});
    assert_eq!(identities(&street.only("Lea").await, "phone"), ["+22961234567", "+2290161234567"]);
    street.meta("messages", json!({"statuses": [status]})).await;
    street.writes(Some("2290161234567"), None, "wamid.5", "STOP").await;
    let lea = street.only("Lea").await;
    assert_eq!(lea["phone"], "+22961234567");
    assert_eq!(identities(&lea, "phone"), ["+22961234567", "+2290161234567"]);
    assert!(street.is_opted_out("+22961234567").await && street.is_opted_out("BJ.7").await);
    assert_eq!(street.world.audit().await.contacts, 1);
}

#[tokio::test]
async fn a_status_without_our_reference_finds_the_message_of_a_campaign() {
    let street = Street::new().await;
    street.contact(json!({"name": "Lea", "phone": "+393473030009"})).await;
    let campaign = street.world.launched().await;
    street.world.drain().await;
    let wamid = street.world.simulator.messages(None, 1)[0].wamid.clone();
    let status = |id: &str| json!({"id": id, "status": "read", "timestamp": "1782892900", "recipient_id": "393473030009"});
    street.meta("messages", json!({"statuses": [status("wamid.of_somebody_else"), status(&wamid)]})).await;
    let counts = street.world.counts(campaign).await;
    assert_eq!(counts.get("read"), Some(&1), "{counts:?}");
}

#[tokio::test]
async fn one_sender_that_cannot_be_read_stops_nobody() {
    let street = Street::new().await;
    street.contact(json!({"name": "Buono", "phone": "+393473050009"})).await;
    let message = |from: &str, id: &str, text: &str| json!({"from": from, "id": id, "timestamp": "1782892900", "type": "text", "text": {"body": text}});
    let value = json!({
        "contacts": [{"wa_id": "6831234", "profile": {"name": "Niue"}}, {"wa_id": "393473050009"}],
        "messages": [message("6831234", "wamid.1", "ciao"), message("393473050009", "wamid.2", "STOP"), message("99", "wamid.3", "x")],
    });
    street.parked.set(1);
    street.meta("messages", value).await;
    assert!(street.is_opted_out("393473050009").await);
    let reasons = street.world.reasons_in(Queue::Inbound).await;
    assert_eq!(reasons, ["phone must have 8 to 15 digits with its country code"]);
}

#[tokio::test]
async fn one_id_that_is_too_long_stops_nobody() {
    let street = Street::new().await;
    let long = "x".repeat(3_000);
    let message = |from: &str, id: &str, text: &str| json!({"from": from, "id": id, "timestamp": "1782892900", "type": "text", "text": {"body": text}});
    let stop = message("393473050010", "wamid.2", "STOP");
    for (nth, odd) in [
        message("393473050011", &long, "ciao"),
        json!({"from": "393473050011", "id": "wamid.3", "timestamp": "1782892900", "type": "revoke",
               "revoke": {"original_message_id": long}}),
        json!({"from_user_id": format!("IT.{long}"), "id": "wamid.4", "timestamp": "1782892900", "type": "text",
               "text": {"body": "ciao"}}),
    ]
    .into_iter()
    .enumerate()
    {
        street.parked.set(nth as u64 + 1);
        street.meta("messages", json!({"messages": [odd, stop]})).await;
    }
    assert!(street.is_opted_out("393473050010").await);
    let reasons = street.world.reasons_in(Queue::Inbound).await;
    assert!(reasons.iter().all(|reason| reason.contains("too long")), "{reasons:?}");
    let status =
        json!({"id": long, "status": "read", "timestamp": "1782892900", "recipient_id": "393473050010"});
    street.meta("messages", json!({"statuses": [status]})).await;
}

#[tokio::test]
async fn a_person_keeps_its_id_while_the_crm_changes_the_number() {
    let street = Street::new().await;
    let crm = |phone: &str, email: &str| json!({"name": "Sara", "phone": phone, "email": email, "external_id": "shopify:customer:123"});
    let first = street.contact(crm("+393473060001", "sara@example.com")).await;
    street.writes(Some("393473060001"), None, "wamid.1", "STOP").await;
    let moved = street.contact(crm("+393473060002", "sara@new.example.com")).await;
    assert_eq!((&moved["id"], &moved["phone"]), (&first["id"], &json!("+393473060002")));
    assert_eq!(identities(&moved, "external"), ["shopify:customer:123"]);
    assert!(street.is_opted_out("+393473060002").await);
    // A number that was somebody's already, whom the system does not know: they are one.
    street.writes(Some("393473060003"), None, "wamid.2", "ciao").await;
    let joined = street.contact(crm("+393473060003", "sara@new.example.com")).await;
    assert_eq!(joined["phone"], "+393473060003");
    assert_eq!(street.world.audit().await.contacts, 1);
    // Of somebody whom it knows as another, it stays theirs.
    let other = json!({"name": "Lia", "phone": "+393473060004", "external_id": "shopify:customer:9"});
    street.contact(other).await;
    let answer =
        street.api.post("/api/contacts", crm("+393473060004", "sara@new.example.com")).await.expect(201);
    assert_eq!(
        (&answer["warning"], &answer["contact"]["phone"]),
        (&json!("phone_taken"), &json!("+393473060003"))
    );
}

#[tokio::test]
async fn who_has_no_number_is_written_to_by_user_id() {
    let street = Street::new().await;
    street.writes(None, Some("IT.77"), "wamid.1", "ciao").await;
    assert_eq!(street.send("IT.77").await.0, 200);
    let contact = street.world.store().contact(street.world.tenant(), ContactId(1)).await.unwrap().unwrap();
    assert_eq!((contact.phone, contact.bsuid.as_deref()), (None::<PhoneNumber>, Some("IT.77")));
    let body = json!({"apiToken": street.api.key, "phoneNumberId": harness::PHONE_NUMBER_ID, "to": "IT.77", "message": "ciao"});
    let sent = street.api.post("/api/v1/whatsapp/send-text-message", body).await.expect(200);
    assert_eq!(sent["status"], "1");
    assert_eq!(street.send("IT.no way").await.0, 422);
}
