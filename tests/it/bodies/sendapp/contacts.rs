//! Contacts.

use harness::phone;
use http::Method;
use serde_json::json;

use crate::bodies::compare;
use crate::bodies::story::HOOK;

#[test]
fn lists() {
    compare("sendapp-lists", async |story| {
        story.given("/api/contacts", json!({"name": "Ada Neri", "phone": phone(1)})).await;
        story.post("/api/lists", json!({"name": "Clienti"})).await;
        story.post("/api/lists", json!({"name": "CLIENTI"})).await;
        story.post("/api/lists", json!({})).await;
        story
            .post("/api/lists/1/contacts", json!({"contacts": [{"phone": phone(1)}, {"contactId": 7}]}))
            .await;
        story.post("/api/lists/1/contacts", json!({"contact_id": 7})).await;
        story.post("/api/lists/7/contacts", json!({"contact_id": 1})).await;
        story.get("/api/lists").await;
        story.get("/api/lists/1").await;
        story.get("/api/lists/x").await;
        story.get("/api/contacts?list=1").await;
        story.delete("/api/lists/1/contacts", json!({"contact_id": 1})).await;
        story.delete("/api/lists/1", json!({})).await;
        story.delete("/api/lists/1", json!({})).await;
    });
}

#[test]
fn contacts() {
    compare("sendapp-contacts", async |story| {
        story.given("/api/channels", json!({"name": "LiveChat", "url": HOOK})).await;
        let ada = json!({"name": "Ada Neri", "phone": phone(1), "email": "ada@example.com", "tags": ["vip"],
                         "channels": {"LiveChat": "7"}, "metadata": {"city": "Torino"}});
        story.post("/api/contacts", ada).await;
        story.later().await;
        story.post("/api/contacts", json!({"name": "Ada", "phone": phone(1)})).await;
        story.post("/api/contacts", json!({"name": "Nessuno"})).await;
        let rows =
            json!([{"phone": phone(2)}, {"email": "b@example.com"}, {"phone": "12"}, {"phone": phone(1)}]);
        story.post("/api/contacts/bulk", json!({"contacts": rows})).await;
        story.post("/api/contacts/bulk", json!({})).await;
        story.get("/api/contacts").await;
        story.get("/api/contacts?page=two").await;
        story.keyless(Method::GET, "/api/contacts").await;
        story.delete("/api/contacts/1", json!({})).await;
        story.delete("/api/contacts/1", json!({})).await;
        story.delete("/api/contacts/bulk", json!({"ids": [1, 2]})).await;
        story.delete("/api/contacts/bulk", json!({"ids": []})).await;
    });
}
