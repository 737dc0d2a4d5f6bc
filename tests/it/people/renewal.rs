//! What versions before 2026-11 stored: it is found and obeyed at once, and written in the
//! form of today once somebody searches.

use serde_json::{Value, json};

use super::Street;

impl Street {
    /// A contact as it was written before: each spelling of a number was one of its own.
    async fn contact_of_before(&self, id: u64, name: &str, phone: &str, q: &str) {
        let tenant = self.world.tenant();
        let at = self.world.clock.now_ms() - 1_000;
        let contact = json!({"id": id, "ver": 1, "name": name, "phone": phone, "tags": ["Nuovi Clienti"],
                             "created": at, "updated": at, "q": q});
        self.world.left_before(&format!("CONTACTS#{tenant}#0000000"), &format!("{id:010}"), &contact).await;
        self.world.left_before(&format!("IDENT#{tenant}#phone#{phone}"), "-", &json!({"id": id})).await;
        let head = json!({"count": id, "ver": 1});
        self.world.left_before(&format!("BLOCKS#{tenant}"), "0000000", &head).await;
        let counter = json!({"next": id, "used": id, "at": at});
        self.world.left_before(&format!("COUNTER#{tenant}"), "contacts", &counter).await;
    }

    /// An opt-out as it was written before.
    async fn opt_out_of_before(&self, phone: &str) {
        let tenant = self.world.tenant();
        let id = store::sha256_hex(format!("{tenant}|{phone}"));
        let item = json!({"to": "+5***", "source": "keyword", "at": self.world.clock.now_ms() - 1_000});
        self.world.left_before(&format!("SUPPRESS#{tenant}#{}", &id[..1]), &id, &item).await;
    }

    async fn names(&self, search: &str) -> Vec<Value> {
        self.found(search).await.iter().map(|contact| contact["name"].clone()).collect()
    }
}

#[tokio::test]
async fn an_opt_out_of_before_holds_under_every_spelling() {
    let street = Street::new().await;
    for (before, now) in [
        ("+5215512345678", "+525512345678"),
        ("+551191231234", "+5511991231234"),
        ("+5491112345678", "+541112345678"),
    ] {
        street.opt_out_of_before(before).await;
        for spelling in [before, now] {
            assert_eq!(street.send(spelling).await, (422, "opted_out".into()), "{spelling}");
        }
        street.contact(json!({"phone": now})).await;
        assert!(street.is_opted_out(now).await, "{before}");
        // Whoever comes back is back under each.
        street.writes(Some(&before[1..]), None, &format!("wamid.{before}"), "START").await;
        assert!(!street.is_opted_out(before).await && !street.is_opted_out(now).await, "{before}");
    }
}

#[tokio::test]
async fn a_contact_of_before_is_found_by_every_spelling() {
    let street = Street::new().await;
    street.contact_of_before(1, "Ada", "+5215512345678", "ada\n+5215512345678").await;
    let again = json!({"phone": "+52 55 1234 5678", "email": "ada@example.com"});
    let answer = street.api.post("/api/contacts", again).await.expect(201);
    assert_eq!((&answer["contact"]["id"], &answer["created"]), (&json!(1), &json!(false)));
    street.writes(Some("5215512345678"), None, "wamid.1", "STOP").await;
    assert!(street.is_opted_out("525512345678").await);
    assert_eq!(street.world.audit().await.contacts, 1);
}

#[tokio::test]
async fn a_search_orders_that_contacts_of_before_are_written_anew() {
    let street = Street::new().await;
    street.contact_of_before(1, "Niccolò D’Amico", "+393471234567", "niccolò d’amico\n+393471234567").await;
    street.contact_of_before(2, "Raúl", "+5215512345678", "raúl\n+5215512345678").await;
    // What is typed as it is written is found already.
    assert_eq!(street.names("niccolò").await, ["Niccolò D’Amico"]);
    street.world.drain().await;
    assert_eq!(street.names("niccolo d'amico").await, ["Niccolò D’Amico"]);
    assert_eq!(street.names("raul").await, ["Raúl"]);
    assert_eq!(street.names("55 1234 5678").await, ["Raúl"]);
    let tagged = street.api.get("/api/contacts?tag=nuovi%20clienti").await.expect(200);
    assert_eq!(tagged["total"], 2);
    let keys = street.world.keys().await;
    assert!(keys.iter().any(|key| key.ends_with("phone#+525512345678 -")), "{keys:?}");
    assert!(!keys.iter().any(|key| key.contains("+5215512345678")), "{keys:?}");
    // Nobody is written twice.
    let tenant = street.world.tenant();
    ops::renewal::renew_block(&street.world.publisher(), tenant, 0).await.unwrap();
    let versions = street.world.store().contacts_from(tenant, domain::ContactId(1), 10).await.unwrap();
    assert_eq!(versions.iter().map(|contact| contact.version).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn two_contacts_of_one_number_become_one() {
    let street = Street::new().await;
    street.contact_of_before(1, "Raúl", "+5215512345678", "raúl").await;
    street.contact_of_before(2, "Raúl Gómez", "+525512345678", "raúl gómez").await;
    street.opt_out_of_before("+5215512345678").await;
    street.names("raúl").await;
    street.world.drain().await;
    let only = street.only("raul").await;
    assert_eq!((&only["id"], &only["phone"]), (&json!(1), &json!("+525512345678")));
    assert!(street.is_opted_out("525512345678").await);
    let audit = street.world.audit().await;
    assert_eq!((audit.contacts, audit.problems), (1, Vec::new()));
}
