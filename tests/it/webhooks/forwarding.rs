//! Meta's webhooks on their way to the account's endpoint.

use harness::{APP_SECRET, PHONE_NUMBER_ID, WABA_ID, sign, text_change, webhook};
use serde_json::json;

use super::{forwarding, post, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meta_s_bytes_arrive_unchanged_with_both_signatures() {
    let (world, _, hook, made) = forwarding().await;
    let bytes = post(&world, &text(1, "Perché no? \u{1f600}")).await;
    world.drain().await;
    let received = hook.received();
    assert_eq!(received.len(), 1);
    let first = &received[0];
    assert_eq!(first.body, bytes);
    assert_eq!(first.header("x-hub-signature-256"), sign(APP_SECRET, &bytes));
    assert!(first.is_signed_with(made["secret"].as_str().unwrap()));
    assert_eq!((first.header("webhook-sequence"), first.header("webhook-event")), ("1", "meta.change"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_is_forwarded_byte_by_byte_also_those_that_mean_nothing_to_us() {
    let (world, _, hook, _) = forwarding().await;
    for field in
        ["message_template_status_update", "account_update", "phone_number_quality_update", "flows", "new"]
    {
        // Written as no serializer of ours writes it.
        let body = format!(
            "{{ \"object\":\"whatsapp_business_account\",\r\n\t\"entry\": [ {{\"id\":\"{WABA_ID}\",\"time\":1.50e9, \
             \"changes\":[{{\"value\":{{\"event\":\"APPROVED\",\"name\":\"caff\\u00e8 \\/\",\"n\":1.0,\"n\":2}},\"field\":\"{field}\"}}]}}]}} \n"
        );
        let posted = world.meta_posts(body.as_bytes(), Some(&sign(APP_SECRET, body.as_bytes()))).await;
        assert_eq!(posted.unwrap(), 1, "{field}");
        world.drain().await;
        let last = hook.received().pop().unwrap();
        assert_eq!(last.body, body.as_bytes());
        assert_eq!(last.header("x-hub-signature-256"), sign(APP_SECRET, body.as_bytes()));
    }
    assert_eq!(hook.received().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_signature_tells_nobody() {
    let (world, _, hook, _) = forwarding().await;
    let body = text(1, "ciao").to_string().into_bytes();
    for signature in
        [None, Some(""), Some("sha256="), Some(&*sign("another", &body)), Some(&*sign(APP_SECRET, b"{}"))]
    {
        let refused = world.meta_posts(&body, signature).await.unwrap_err();
        assert_eq!(refused.code, ops::Code::Unauthorized, "{signature:?}");
    }
    world.drain().await;
    assert!(hook.received().is_empty());
    assert_eq!(world.audit().await.contacts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_webhook_many_times_at_once_is_one_event() {
    let (world, _, hook, _) = forwarding().await;
    let body = text(1, "ciao");
    futures::future::join_all((0..100).map(|_| post(&world, &body))).await;
    world.drain().await;
    assert_eq!(hook.received().len(), 1);
    let audit = world.audit().await;
    assert_eq!((audit.contacts, audit.problems), (1, vec![]));
    assert_eq!(world.conversation(world.account.id, domain::ContactId(1)).await, ["ciao"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_several_accounts_is_split_and_loses_meta_s_signature() {
    let (world, _, hook, made) = forwarding().await;
    let other = webhook(&[
        (WABA_ID, vec![text_change(PHONE_NUMBER_ID, "393330000001", "wamid.1", "mio")]),
        ("999", vec![text_change("998", "393330000002", "wamid.2", "altrui")]),
    ]);
    post(&world, &other).await;
    world.drain().await;
    let received = hook.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("x-hub-signature-256"), "");
    assert!(received[0].is_signed_with(made["secret"].as_str().unwrap()));
    let own = received[0].json();
    assert_eq!((own["entry"].as_array().unwrap().len(), &own["entry"][0]["id"]), (1, &json!(WABA_ID)));
    assert!(!String::from_utf8_lossy(&received[0].body).contains("altrui"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_no_queue_takes_arrives_whole() {
    let (world, api, hook, made) = forwarding().await;
    let changes = (0..300).map(|n| {
        text_change(PHONE_NUMBER_ID, "393330000001", &format!("wamid.{n}"), &"lungo ".repeat(1_500))
    });
    let bytes = post(&world, &webhook(&[(WABA_ID, changes.collect())])).await;
    assert!(bytes.len() > 2_700_000, "{}", bytes.len());
    world.drain().await;
    assert_eq!(hook.received().len(), 1);
    assert_eq!(hook.received()[0].body, bytes);
    let id = &made["webhook"]["id"];
    let shown = api.get(&format!("/api/webhooks/{id}/deliveries/1")).await.expect(200);
    assert_eq!(shown["body"].as_str().unwrap().len(), bytes.len());
}
