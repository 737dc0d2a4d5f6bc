//! A webhook of every sender that is known, and of one that is not: the contact is
//! there, with its tag.

use super::{FORM, JSON, italy, post, tagged};

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../../shared/domain/src/intake/samples/", $name, ".json")).to_vec()
    };
}

/// Posts a body; the contacts with `tag` are then those of the answer and `want`.
async fn assert_received(headers: &[(&str, &str)], body: Vec<u8>, tag: &str, want: &[&str]) {
    let (_world, api) = italy().await;
    let answer = post(&api, "", headers, body).await.expect(200);
    assert_eq!(answer["status"], "ok");
    let list = api.get(&format!("/api/contacts?tag={tag}")).await.expect(200);
    let mut ids: Vec<u64> =
        list["contacts"].as_array().unwrap().iter().map(|c| c["id"].as_u64().unwrap()).collect();
    let first = answer["contact"]["id"].as_u64().unwrap();
    match answer["contacts"].as_array() {
        None => assert_eq!(ids, [first]),
        Some(all) => {
            let mut all: Vec<u64> = all.iter().map(|c| c["id"].as_u64().unwrap()).collect();
            assert_eq!(all[0], first);
            all.sort_unstable();
            ids.sort_unstable();
            assert_eq!(all, ids);
        }
    }
    let mut found = tagged(&api, tag).await;
    found.sort_unstable();
    assert_eq!(found, want);
}

#[tokio::test]
async fn shopify() {
    let headers = [JSON, ("user-agent", "Shopify-Captain-Hook"), ("x-shopify-topic", "customers/create")];
    let want = ["Giulia Ferrari | +393395550101 | giulia.ferrari@example.com"];
    assert_received(&headers, sample!("shopify_customer"), "shopify", &want).await;
}

#[tokio::test]
async fn woocommerce() {
    let headers = [
        JSON,
        ("user-agent", "WooCommerce/9.4.2 Hookshot (WordPress/6.7)"),
        ("x-wc-webhook-topic", "order.created"),
    ];
    let want = ["Marco Bianchi | +393931234567 | marco.bianchi@example.com"];
    assert_received(&headers, sample!("woocommerce_order"), "woocommerce", &want).await;
}

#[tokio::test]
async fn hubspot() {
    let headers = [JSON, ("user-agent", "HubSpot Connect 2.0 (http://dev.hubspot.com/)")];
    let want = ["- | - | paolo.verdi@example.com", "Elena Conti | +393475550103 | elena.conti@example.com"];
    assert_received(&headers, sample!("hubspot_events"), "hubspot", &want).await;
}

#[tokio::test]
async fn klaviyo() {
    let want = ["Sara Galli | +393495550105 | sara.galli@example.com"];
    assert_received(&[JSON], sample!("klaviyo_profile"), "klaviyo", &want).await;
}

#[tokio::test]
async fn pipedrive() {
    let want = ["Tommaso Greco | +393485550108 | tommaso.greco@example.com"];
    assert_received(&[JSON], sample!("pipedrive_v2"), "pipedrive", &want).await;
}

#[tokio::test]
async fn stripe() {
    let headers = [JSON, ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")];
    let want = ["Anna Russo | +393335550109 | anna.russo@example.com"];
    assert_received(&headers, sample!("stripe_checkout"), "stripe", &want).await;
}

#[tokio::test]
async fn typeform() {
    let headers = [JSON, ("typeform-signature", "sha256=x")];
    let want = ["Chiara De Luca | +393475550110 | chiara.deluca@example.com"];
    assert_received(&headers, sample!("typeform"), "typeform", &want).await;
}

#[tokio::test]
async fn an_unknown_sender() {
    let headers = [JSON, ("user-agent", "Bakery-CRM/2.1")];
    let want = ["Roberto Fabbri | +393475550111 | roberto.fabbri@example.com"];
    assert_received(&headers, sample!("unknown_nested"), "bakery-crm", &want).await;
}

#[tokio::test]
async fn an_unknown_senders_form() {
    let headers = [FORM, ("user-agent", "FormMill/1.0")];
    let body = b"fields[nome]=Ada&fields[cognome]=Neri&fields[cellulare]=347+555+0120&submit=Invia".to_vec();
    assert_received(&headers, body, "formmill", &["Ada Neri | +393475550120 | -"]).await;
}
