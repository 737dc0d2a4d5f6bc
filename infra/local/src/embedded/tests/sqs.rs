//! Messages: visibility, redrive, delays, polling, batches and chaos.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};

use super::*;

async fn queue(client: &Client, name: &str) -> String {
    client.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

async fn send(client: &Client, url: &str, body: &str) {
    client.send_message().queue_url(url).message_body(body).send().await.unwrap();
}

async fn receive(client: &Client, url: &str) -> Vec<Message> {
    let receive = client.receive_message().queue_url(url).max_number_of_messages(10);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    receive.send().await.unwrap().messages.unwrap_or_default()
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().unwrap()).collect()
}

#[tokio::test]
async fn a_message_carries_its_digest_attributes_and_timestamps() {
    let (embedded, _clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let url = queue(&client, "work").await;
    let tenant = MessageAttributeValue::builder().data_type("String").string_value("t1").build().unwrap();
    let sent =
        client.send_message().queue_url(&url).message_body("hello").message_attributes("tenant", tenant);
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    let received = client.receive_message().queue_url(&url).message_attribute_names("ten.*");
    let received =
        received.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap();
    let message = &received.messages()[0];
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(message.message_attributes().unwrap()["tenant"].string_value(), Some("t1"));
    let system = message.attributes().unwrap();
    assert_eq!(system[&MessageSystemAttributeName::SentTimestamp], "1772366400000");
    assert_eq!(system[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
}

#[tokio::test]
async fn a_received_message_is_hidden_until_its_timeout_or_deleted() {
    let (embedded, clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let url = queue(&client, "work").await;
    send(&client, &url, "one").await;
    let first = receive(&client, &url).await;
    assert!(receive(&client, &url).await.is_empty());
    clock.advance_ms(30_000);
    let second = receive(&client, &url).await;
    assert_eq!(bodies(&second), ["one"]);
    let delete = |message: &Message| {
        client.delete_message().queue_url(&url).receipt_handle(message.receipt_handle().unwrap()).send()
    };
    delete(&first[0]).await.unwrap();
    clock.advance_ms(30_000);
    let third = receive(&client, &url).await;
    assert_eq!(bodies(&third), ["one"], "an old receipt deletes nothing");
    delete(&third[0]).await.unwrap();
    clock.advance_ms(30_000);
    assert!(receive(&client, &url).await.is_empty());
    let invalid = client.delete_message().queue_url(&url).receipt_handle("x").send().await.unwrap_err();
    assert!(invalid.into_service_error().is_receipt_handle_is_invalid());
}

#[tokio::test]
async fn visibility_can_be_extended_and_ended() {
    let (embedded, clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let url = queue(&client, "work").await;
    send(&client, &url, "one").await;
    let held = receive(&client, &url).await;
    let change = |seconds| {
        let receipt = held[0].receipt_handle().unwrap();
        client
            .change_message_visibility()
            .queue_url(&url)
            .receipt_handle(receipt)
            .visibility_timeout(seconds)
            .send()
    };
    change(60).await.unwrap();
    clock.advance_ms(59_000);
    assert!(receive(&client, &url).await.is_empty());
    change(0).await.unwrap();
    let ended = change(5).await.unwrap_err().into_service_error();
    assert!(ended.is_message_not_inflight(), "{ended:?}");
    assert_eq!(bodies(&receive(&client, &url).await), ["one"]);
}

#[tokio::test]
async fn a_message_received_too_often_is_set_aside_and_can_be_moved_back() {
    let (embedded, clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let dead = queue(&client, "work-dead").await;
    let policy =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:work-dead","maxReceiveCount":"2"}"#;
    let create = client.create_queue().queue_name("work");
    let create = create.attributes(QueueAttributeName::RedrivePolicy, policy).send().await.unwrap();
    let url = create.queue_url.unwrap();
    send(&client, &url, "poison").await;
    for _ in 0..2 {
        assert_eq!(receive(&client, &url).await.len(), 1);
        clock.advance_ms(30_000);
    }
    assert!(receive(&client, &url).await.is_empty());
    let set_aside = receive(&client, &dead).await;
    let attributes = set_aside[0].attributes().unwrap();
    let source = &attributes[&MessageSystemAttributeName::DeadLetterQueueSourceArn];
    assert_eq!(source, "arn:aws:sqs:us-east-1:000000000000:work");
    clock.advance_ms(30_000);
    let dead_arn = "arn:aws:sqs:us-east-1:000000000000:work-dead";
    client.start_message_move_task().source_arn(dead_arn).send().await.unwrap();
    assert!(receive(&client, &dead).await.is_empty());
    assert_eq!(bodies(&receive(&client, &url).await), ["poison"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_woken_by_a_message() {
    let (embedded, _clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let url = queue(&client, "work").await;
    let started = tokio::time::Instant::now();
    let poll = client.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let (received, ()) = tokio::join!(poll, async {
        tokio::time::advance(std::time::Duration::from_secs(3)).await;
        send(&client, &url, "now").await;
    });
    assert_eq!(bodies(received.unwrap().messages()), ["now"]);
    assert_eq!(started.elapsed().as_secs(), 3);
    let empty = client.receive_message().queue_url(&url).wait_time_seconds(20).send().await.unwrap();
    assert!(empty.messages().is_empty());
    assert!(started.elapsed().as_secs() >= 23);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_sees_a_delayed_message_when_it_is_due() {
    let (embedded, clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let url = queue(&client, "work").await;
    client.send_message().queue_url(&url).message_body("later").delay_seconds(5).send().await.unwrap();
    assert!(receive(&client, &url).await.is_empty());
    let started = tokio::time::Instant::now();
    let poll = client.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let (received, ()) = tokio::join!(poll, async {
        tokio::task::yield_now().await;
        clock.advance_ms(5_000);
    });
    assert_eq!(bodies(received.unwrap().messages()), ["later"]);
    assert!(started.elapsed().as_secs() <= 5);
}

#[tokio::test]
async fn a_batch_succeeds_entry_by_entry() {
    let (embedded, _clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let url = queue(&client, "work").await;
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
    };
    let sent = client.send_message_batch().queue_url(&url).entries(entry("1", "a")).entries(entry("2", ""));
    let sent = sent.entries(entry("3", "c")).send().await.unwrap();
    assert_eq!(sent.successful().len(), 2);
    assert_eq!(sent.failed()[0].id(), "2");
    let received = receive(&client, &url).await;
    let receipt = |index: usize| received[index].receipt_handle().unwrap();
    let change = ChangeMessageVisibilityBatchRequestEntry::builder();
    let change = change.id("1").receipt_handle(receipt(0)).visibility_timeout(0).build().unwrap();
    client.change_message_visibility_batch().queue_url(&url).entries(change).send().await.unwrap();
    let delete =
        DeleteMessageBatchRequestEntry::builder().id("1").receipt_handle(receipt(1)).build().unwrap();
    let invalid = DeleteMessageBatchRequestEntry::builder().id("2").receipt_handle("x").build().unwrap();
    let deleted = client.delete_message_batch().queue_url(&url).entries(delete).entries(invalid);
    let deleted = deleted.send().await.unwrap();
    assert_eq!(deleted.successful().len(), 1);
    assert_eq!(deleted.failed()[0].code(), "ReceiptHandleIsInvalid");
    assert_eq!(receive(&client, &url).await.len(), 1);
}

#[tokio::test]
async fn a_batch_has_limits() {
    let client = memory().sqs();
    let url = queue(&client, "work").await;
    let send = |entries: Vec<(String, String)>| {
        let entries = entries.into_iter().map(|(id, body)| {
            SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
        });
        client.send_message_batch().queue_url(&url).set_entries(Some(entries.collect())).send()
    };
    let many = (0..11).map(|id| (id.to_string(), "x".to_owned())).collect();
    assert!(send(many).await.unwrap_err().into_service_error().is_too_many_entries_in_batch_request());
    let same = vec![("1".to_owned(), "x".to_owned()); 2];
    assert!(send(same).await.unwrap_err().into_service_error().is_batch_entry_ids_not_distinct());
    let long = (0..2).map(|id| (id.to_string(), "x".repeat(600_000))).collect();
    assert!(send(long).await.unwrap_err().into_service_error().is_batch_request_too_long());
    let empty = send(Vec::new()).await.unwrap_err().into_service_error();
    assert!(empty.is_empty_batch_request(), "{empty:?}");
}

#[tokio::test]
async fn chaos_delivers_twice_and_late() {
    let (embedded, clock) = at_rest(Chaos { duplicate: true, delay: true });
    let client = embedded.sqs();
    let url = queue(&client, "work").await;
    for body in 0..5 {
        send(&client, &url, &body.to_string()).await;
    }
    assert!(receive(&client, &url).await.is_empty());
    clock.advance_ms(3_100);
    let received = receive(&client, &url).await;
    assert_eq!(received.len(), 10);
    let mut ids: Vec<_> = received.iter().map(|message| message.message_id().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}
