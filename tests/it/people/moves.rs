//! A number or user id that changes, with its news in every order: the people are the same,
//! and what they agreed to.

use serde_json::{Value, json};

use super::Street;

/// When the first of the facts happened, in seconds since 1970.
const BEGAN: i64 = 1_782_892_000;

/// A fact, which happened so many minutes after the first.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Says(&'static str, &'static str, i64),
    NewNumber(&'static str, &'static str, i64),
    NewUserId(&'static str, &'static str, i64),
}

impl Street {
    async fn happens(&self, fact: Fact, nth: usize) {
        let (id, at) = (format!("wamid.{nth}"), |minutes: i64| (BEGAN + minutes * 60).to_string());
        match fact {
            Fact::Says(who, text, minutes) => {
                let name = if who.contains('.') { "from_user_id" } else { "from" };
                let message = json!({name: who, "id": id, "timestamp": at(minutes), "type": "text", "text": {"body": text}});
                self.meta("messages", json!({"messages": [message]})).await;
            }
            Fact::NewNumber(from, to, minutes) => {
                let system = json!({"body": "moved", "wa_id": to, "type": "user_changed_number"});
                let notice = json!({"from": from, "id": id, "timestamp": at(minutes), "type": "system", "system": system});
                self.meta("messages", json!({"messages": [notice]})).await;
            }
            Fact::NewUserId(from, to, minutes) => {
                let update = json!({"user_id": {"previous": from, "current": to}, "timestamp": at(minutes)});
                self.meta("user_id_update", json!({"user_id_update": [update]})).await;
            }
        }
    }
}

/// Every order of some facts.
fn orders(facts: &[Fact]) -> Vec<Vec<Fact>> {
    if facts.len() < 2 {
        return vec![facts.to_vec()];
    }
    let rest_after = |i: usize| [&facts[..i], &facts[i + 1..]].concat();
    let first = |i: usize| orders(&rest_after(i)).into_iter().map(move |rest| (i, rest));
    (0..facts.len()).flat_map(first).map(|(i, rest)| [vec![facts[i]], rest].concat()).collect()
}

/// Whether who opted out is the same in every order, for these addresses.
async fn all_opted_out(known: Option<Value>, facts: &[Fact], addresses: &[&str]) {
    for order in orders(facts) {
        let street = Street::new().await;
        if let Some(known) = &known {
            street.contact(known.clone()).await;
        }
        for (nth, fact) in order.iter().enumerate() {
            street.happens(*fact, nth).await;
        }
        for address in addresses {
            assert!(street.is_opted_out(address).await, "{address}: {order:?}");
        }
        assert_eq!(street.world.audit().await.contacts, 1, "{order:?}");
    }
}

#[tokio::test]
async fn a_stop_before_the_number_changed() {
    let facts = [
        Fact::Says("393487230001", "STOP", 0),
        Fact::NewNumber("393487230001", "393487240001", 5),
        Fact::Says("393487240001", "ciao", 9),
    ];
    let known = json!({"name": "La", "phone": "+393487230001"});
    all_opted_out(Some(known), &facts, &["393487240001"]).await;
    all_opted_out(None, &facts, &["393487240001"]).await;
}

#[tokio::test]
async fn a_number_that_changes_twice() {
    let facts = [
        Fact::Says("393487230001", "STOP", 0),
        Fact::NewNumber("393487230001", "393487240001", 5),
        Fact::NewNumber("393487240001", "393487250001", 7),
        Fact::Says("393487250001", "ciao", 9),
    ];
    all_opted_out(None, &facts, &["393487250001"]).await;
}

#[tokio::test]
async fn a_user_id_that_changes() {
    let facts = [
        Fact::Says("IT.LU1", "STOP", 0),
        Fact::NewUserId("IT.LU1", "IT.LV1", 5),
        Fact::Says("IT.LV1", "ciao", 9),
    ];
    all_opted_out(None, &facts, &["IT.LV1", "IT.LU1"]).await;
}

#[tokio::test]
async fn whoever_gets_the_number_next_is_somebody_else() {
    let street = Street::new().await;
    street.happens(Fact::NewNumber("393487230001", "393487240001", 5), 0).await;
    // Said after the number was given up, and by another than who had it.
    street.happens(Fact::Says("393487230001", "STOP", 30), 1).await;
    street.happens(Fact::Says("393487240001", "ciao", 31), 2).await;
    assert!(street.is_opted_out("393487230001").await);
    assert!(!street.is_opted_out("393487240001").await);
    assert_eq!(street.world.audit().await.contacts, 2);
    // Back again, in the wrong order: each is where it was last.
    let street = Street::new().await;
    street.contact(json!({"name": "Va e viene", "phone": "+393487230001"})).await;
    street.happens(Fact::NewNumber("393487240001", "393487230001", 20), 0).await;
    street.happens(Fact::NewNumber("393487230001", "393487240001", 5), 1).await;
    assert_eq!(street.only("Va e viene").await["phone"], "+393487230001");
}
