//! Imports beside deletes.

use serde_json::{Value, json};

use super::{Stage, person, phone};
use crate::faults::stage::Ask;

pub(super) async fn prepare(stage: &Stage) {
    stage.world.import((0..6).map(person)).await;
}

fn row(n: usize) -> Value {
    json!({"name": format!("Persona {n}"), "phone": phone(n), "email": format!("p{n}@example.com")})
}

pub(super) async fn beside_deletes(stage: &Stage) {
    let rows: Vec<Value> = (4..10).map(row).collect();
    let import = async {
        let body = json!({"contacts": rows});
        let ask = Ask { key: Some("import-1"), ..Ask::post("/api/contacts/bulk", body) };
        stage.served("import", &stage.insist("contacts", &ask).await, &[200]);
    };
    let delete = async {
        let body = json!({"ids": [1, 2]});
        let ask = Ask { method: "DELETE", ..Ask::post("/api/contacts/bulk", body) };
        stage.served("delete many", &stage.insist("contacts", &ask).await, &[200]);
        stage.delete_contact(domain::ContactId(3)).await;
    };
    let create = async {
        let ask = Ask { key: Some("create-1"), ..Ask::post("/api/contacts", row(20)) };
        stage.served("create", &stage.insist("contacts", &ask).await, &[201]);
    };
    tokio::join!(import, delete, create);
    let mut expected = stage.expected();
    expected.contacts.extend([3, 4, 5, 6, 7, 8, 9, 20].map(phone));
    expected.no_contacts.extend([0, 1, 2].map(phone));
}
