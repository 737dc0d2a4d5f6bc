//! `/api/v1`: every endpoint takes `GET` and `POST`.

use harness::{PHONE_NUMBER_ID, phone};
use http::Method;
use serde_json::json;

use super::compare;
use super::story::HOOK;

const ADA: &str = "393330000001";

#[test]
fn subscribers() {
    compare("sendwo-subscribers", async |story| {
        let ada =
            [("firstName", "Ada"), ("lastName", "Neri"), ("phoneNumber", ADA), ("label_names", "vip,news")];
        let bruno = [("name", "Bruno"), ("phoneNumber", "393330000002")];
        story.get_and_post("/api/v1/subscriber/create", &ada).await;
        story.get_and_post("/api/v1/whatsapp/subscriber/create", &bruno).await;
        story.post("/api/v1/subscriber/create", json!({"name": "Nessuno"})).await;
        story.get_and_post("/api/v1/subscriber/list", &[("limit", "1")]).await;
        story.get_and_post("/api/v1/whatsapp/subscriber/list", &[("search", "bruno")]).await;
        story.get_and_post("/api/v1/whatsapp/subscriber/get", &[("phone_number", ADA)]).await;
        story.get("/api/v1/whatsapp/subscriber/get?phone_number=393330000009").await;
        story.get("/api/v1/whatsapp/subscriber/get").await;
        story.keyless(Method::GET, "/api/v1/subscriber/list").await;
    });
}

#[test]
fn changes_of_a_subscriber() {
    compare("sendwo-subscriber", async |story| {
        let new = [("name", "Ada Neri"), ("phoneNumber", ADA), ("label_names", "vip")];
        story.given_sendwo("/api/v1/subscriber/create", &new).await;
        story.given_sendwo("/api/v1/subscriber/create", &[("phoneNumber", "393330000002")]).await;
        let path = |what: &str| format!("/api/v1/subscriber/{what}");
        let sister = |what: &str| format!("/api/v1/whatsapp/subscriber/{what}");
        let (id, phone) = (("subscriberId", "1"), ("phone_number", ADA));
        let fields = ("custom_fields[city]", "Roma");
        story.get_and_post(&path("update"), &[id, ("firstName", "Bice"), ("email", "ada@example.com")]).await;
        story.get_and_post(&sister("update"), &[phone, ("last_name", "Verdi"), ("gender", "female")]).await;
        story
            .get_and_post(
                &sister("chat/assign-custom-fields"),
                &[phone, ("custom_fields", r#"{"city":"Roma"}"#)],
            )
            .await;
        story.get(&format!("{}?subscriberId=1&{}={}", path("update"), fields.0, fields.1)).await;
        story.post(&path("update"), json!({"subscriberId": 9, "firstName": "x"})).await;
        story.post(&path("update"), json!({"subscriber_id": 1, "phone_number": "393330000002"})).await;
        story.post(&path("update"), json!({"subscriberId": 1, "custom_fields": "[1]"})).await;
        story.get_and_post(&path("assign-labels"), &[id, ("labelIds", "1,news")]).await;
        story.get_and_post(&sister("chat/assign-labels"), &[phone, ("label_ids", "2")]).await;
        story.post(&path("assign-labels"), json!({"subscriberId": 1, "labelIds": [7]})).await;
        story.post(&path("assign-labels"), json!({"subscriberId": 1})).await;
        story.get_and_post(&path("remove-labels"), &[id, ("label_names", "NEWS")]).await;
        story.get_and_post(&sister("chat/remove-labels"), &[phone, ("label_ids", "1")]).await;
        story.get_and_post(&path("add-note"), &[id, ("note", "Chiede i prezzi.")]).await;
        story.get_and_post(&sister("chat/add-notes"), &[phone, ("note_text", "Richiamare")]).await;
        story.post(&path("add-note"), json!({"phone": ADA, "note": " "})).await;
        story.get_and_post(&path("get"), &[id]).await;
        story.get("/api/contacts?search=bice").await;
        story.keyless(Method::POST, &path("update")).await;
    });
}

#[test]
fn users() {
    compare("sendwo-users", async |story| {
        story.given("/api/contacts", json!({"email": "ada@example.com"})).await;
        for path in ["myInfo", "usage/log", "package/list", "module/list"] {
            story.get_and_post(&format!("/api/v1/user/{path}"), &[]).await;
        }
        story.get_and_post("/api/v1/whatsapp/connect/account/list", &[]).await;
        story.get_and_post("/api/v1/whatsapp/account/connect", &[]).await;
        story.post("/api/v1/whatsapp/account/connect", json!({"access_token": "EAAx"})).await;
        story.keyless(Method::POST, "/api/v1/user/myInfo").await;
    });
}

#[test]
fn labels() {
    compare("sendwo-labels", async |story| {
        story.get_and_post("/api/v1/label/create", &[("labelName", "Vip")]).await;
        story.get_and_post("/api/v1/whatsapp/label/create", &[("label_name", "vip")]).await;
        story.given("/api/contacts", json!({"email": "ada@example.com", "tags": ["Nuovi clienti"]})).await;
        story.get_and_post("/api/v1/label/list", &[]).await;
        story.get_and_post("/api/v1/whatsapp/label/list", &[]).await;
        story.post("/api/v1/label/create", json!({})).await;
        story.post("/api/v1/label/create", json!({"name": "x".repeat(65)})).await;
        story.keyless(Method::GET, "/api/v1/label/list").await;
    });
}

#[test]
fn messages() {
    compare("sendwo-messages", async |story| {
        story.world.writes(&phone(1), "Buongiorno");
        story.later().await;
        let text = [("phoneNumberId", PHONE_NUMBER_ID), ("to", ADA), ("message", "Ciao!")];
        let sent = story.get_and_post("/api/v1/whatsapp/send-text-message", &text).await;
        story.later().await;
        story.get_and_post("/api/v1/whatsapp/conversation", &[("phoneNumber", ADA)]).await;
        story.get_and_post("/api/v1/whatsapp/send", &text).await;
        story.post("/api/v1/whatsapp/send", json!({"to": ADA, "message": "Ciao!"})).await;
        story.get(&format!("/api/v1/whatsapp/send?phoneNumberId=1&to={ADA}&message=x")).await;
        story
            .get_and_post("/api/v1/whatsapp/get/conversation", &[("subscriberId", "1"), ("limit", "1")])
            .await;
        story.get("/api/v1/whatsapp/conversation?subscriberId=9").await;
        let status = "/api/v1/whatsapp/message/delivery-status";
        story.get_and_post(status, &[("messageId", sent["id"].as_str().unwrap())]).await;
        story.get(&format!("{status}?wa_message_id=wamid.x")).await;
        story.keyless(Method::GET, status).await;
    });
}

#[test]
fn workflows() {
    compare("sendwo-workflows", async |story| {
        let path = |what: &str| format!("/api/v1/webhook/workflow/{what}");
        let new = [("workflowName", "crm"), ("targetUrl", HOOK), ("events", "message.status")];
        story.get_and_post(&path("create"), &new).await;
        story.post(&path("create"), json!({"workflowName": "crm"})).await;
        story.get_and_post(&path("update"), &[("workflowId", "1"), ("enabled", "0")]).await;
        story.get(&format!("{}?workflowId=9", path("update"))).await;
        story.get_and_post(&path("list"), &[]).await;
        story.get(&format!("{}?workflowId=1", path("delete"))).await;
        story.post(&path("create"), json!({"workflowName": "crm", "targetUrl": HOOK})).await;
        story.post(&path("delete"), json!({"workflowId": 2})).await;
        story.post(&path("delete"), json!({"workflowId": 9})).await;
    });
}
