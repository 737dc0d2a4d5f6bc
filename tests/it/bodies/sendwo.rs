//! `/api/v1`: every endpoint takes `GET` and `POST`.

use harness::{PHONE_NUMBER_ID, phone};
use http::Method;
use serde_json::json;

use super::compare;
use super::story::{CATALOG, HOOK};

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
        let sisters = "/api/v1/whatsapp/get/message-status";
        story.get_and_post(sisters, &[("wa_message_id", sent["wa_message_id"].as_str().unwrap())]).await;
        story.keyless(Method::GET, status).await;
    });
}

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13];

#[test]
fn contents() {
    compare("sendwo-contents", async |story| {
        let (number, to) = (("phoneNumberId", PHONE_NUMBER_ID), ("to", ADA));
        let (sisters_number, sisters_to) = (("phone_number_id", PHONE_NUMBER_ID), ("phone_number", ADA));
        let path = |what: &str| format!("/api/v1/whatsapp/{what}");
        let message = ("message", "Scegli");
        let buttons = ("buttons", r#"[{"id":"book_demo","title":"Book Call"},"Prezzi"]"#);
        story.get_and_post(&path("send-interactive-buttons"), &[number, to, message, buttons]).await;
        let list = ("buttons", "Uno,Due,Tre,Quattro");
        story
            .get_and_post(&path("send/interactive-buttons"), &[sisters_number, sisters_to, message, list])
            .await;
        story
            .post(
                &path("send-interactive-buttons"),
                json!({"phoneNumberId": PHONE_NUMBER_ID, "to": ADA, "message": "x"}),
            )
            .await;
        let bad = json!({"phoneNumberId": PHONE_NUMBER_ID, "to": ADA, "message": "x", "buttons": {"a": {"b": "c"}}});
        story.post(&path("send-interactive-buttons"), bad).await;
        let url = ("mediaUrl", "https://example.com/product-image.jpg");
        story
            .get_and_post(
                &path("send-media"),
                &[number, to, url, ("mediaType", "image"), ("caption", "Ecco")],
            )
            .await;
        let pdf = [("media_url", "https://example.com/a.pdf"), ("media_name", "Listino.pdf")];
        story.get_and_post(&path("send/file"), &[sisters_number, sisters_to, pdf[0], pdf[1]]).await;
        story
            .post(
                &path("send-media"),
                json!({"phoneNumberId": PHONE_NUMBER_ID, "to": ADA, "mediaType": "image"}),
            )
            .await;
        let audio = json!({"phoneNumberId": PHONE_NUMBER_ID, "to": ADA, "mediaType": "audio", "caption": "x",
                           "mediaUrl": "https://example.com/a.mp3"});
        story.post(&path("send-media"), audio).await;
        story.keyless(Method::POST, &path("send-media")).await;
    });
}

#[test]
fn templates() {
    compare("sendwo-templates", async |story| {
        story.world.template("promo", "MARKETING", "Ciao {{1}}, hai uno sconto del {{2}} percento!").await;
        story.later().await;
        let (number, to) = (("phone_number_id", PHONE_NUMBER_ID), ("phone_number", ADA));
        let path = |what: &str| format!("/api/v1/whatsapp/{what}");
        let list = story.get_and_post(&path("get/template/list"), &[number]).await;
        story.get_and_post(&path("template/list"), &[number, ("status", "approved")]).await;
        let id = list["message"][0]["template_id"].as_str().unwrap().to_owned();
        let by_id = ("template_id", id.as_str());
        let single = [("templateVariable-nome-1", "Ada"), ("templateVariable-sconto-2", "20")];
        story.get_and_post(&path("send/template"), &[number, to, by_id, single[0], single[1]]).await;
        let by_name = ("template_name", "promo");
        story.get_and_post(&path("send"), &[number, to, by_name, ("variables", r#"["Ada","20"]"#)]).await;
        let of = |more: serde_json::Value| {
            let mut body = json!({"phone_number_id": PHONE_NUMBER_ID, "phone_number": ADA});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        story.post(&path("send/template"), of(json!({"template_id": id, "variables": ["Ada"]}))).await;
        story.post(&path("send/template"), of(json!({"template_id": "99", "variables": ["Ada"]}))).await;
        story.post(&path("send/template"), of(json!({}))).await;
        story.post(&path("send/template"), of(json!({"template_id": id, "templateVariable-x-3": "a"}))).await;
        let file = ("foto.png", "image/png", PNG);
        for (path, field) in
            [("/api/v1/whatsapp/upload/media", "media_file"), ("/api/v1/upload/media", "file")]
        {
            story.upload(path, &[number], (field, file)).await;
        }
        story
            .upload("/api/v1/whatsapp/upload/media", &[("phone_number_id", "9")], ("media_file", file))
            .await;
        story.upload("/api/v1/whatsapp/upload/media", &[], ("attachment", file)).await;
    });
}

#[test]
fn catalogs() {
    compare("sendwo-catalogs", async |story| {
        story.stock();
        let path = |what: &str| format!("/api/v1/catalog/{what}");
        let sister = |what: &str| format!("/api/v1/whatsapp/catalog/{what}");
        let catalog = ("catalogId", CATALOG);
        story.get_and_post(&path("list"), &[]).await;
        for path in [path("sync"), sister("sync")] {
            story.get(&format!("{path}?catalogId={CATALOG}")).await;
            story.later().await;
            story.post(&path, json!({"whatsapp_catalog_id": CATALOG})).await;
            story.later().await;
        }
        story.get_and_post(&sister("list"), &[]).await;
        story.get_and_post(&path("product/list"), &[catalog, ("limit", "1")]).await;
        story.post(&path("sync"), json!({})).await;
        story.post(&path("sync"), json!({"whatsapp_catalog_id": "999"})).await;
        story.post(&path("product/list"), json!({"catalog_id": "999"})).await;
        story.order();
        story.later().await;
        let orders = story.get_and_post(&path("order/list"), &[("limit", "1")]).await;
        story
            .get_and_post(&sister("order/list"), &[("whatsapp_catalog_id", CATALOG), ("status", "shipped")])
            .await;
        let id = orders["message"][0]["order_id"].as_str().unwrap();
        let order = ("orderId", id);
        story.get_and_post(&path("order/update"), &[order, ("status", "processing"), ("notify", "1")]).await;
        let sisters = [("order_unique_id", id), ("cart_status", "Shipped")];
        story.get_and_post(&sister("order/status-change"), &sisters).await;
        story.post(&path("order/update"), json!({"orderId": id, "status": "pending"})).await;
        story.post(&path("order/update"), json!({"order_unique_id": id, "cart_status": "lost"})).await;
        story.post(&path("order/update"), json!({"order_unique_id": "1", "cart_status": "Shipped"})).await;
        story.post(&path("order/update"), json!({"status": "shipped"})).await;
        story.keyless(Method::GET, &path("list")).await;
    });
}

#[test]
fn products() {
    compare("sendwo-products", async |story| {
        story.stock();
        let path = |what: &str| format!("/api/v1/whatsapp/{what}");
        let (number, to) = (("phoneNumberId", PHONE_NUMBER_ID), ("to", ADA));
        let message = ("message", "Scegli");
        story.get_and_post(&path("send-product"), &[number, to, ("productId", "pane"), message]).await;
        let ids = ("productIds", "pane,vino");
        story.get_and_post(&path("send-product-list"), &[number, to, message, ids]).await;
        story.get_and_post(&path("send-catalog"), &[number, to, message]).await;
        let of = |more: serde_json::Value| {
            let mut body = json!({"phoneNumberId": PHONE_NUMBER_ID, "to": ADA});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        story.post(&path("send-product"), of(json!({}))).await;
        story.post(&path("send-product"), of(json!({"productId": "olio"}))).await;
        story.post(&path("send-product"), of(json!({"product_id": "pane", "catalog_id": "999"}))).await;
        story
            .post(&path("send-product-list"), of(json!({"message": "x", "sections": [{"a": {"b": 1}}]})))
            .await;
        story.keyless(Method::POST, &path("send-catalog")).await;
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
