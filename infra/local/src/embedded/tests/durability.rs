//! What was answered with success is there after the process is gone.

use aws_sdk_s3::primitives::ByteStream;

use super::super::Options;
use super::*;

#[tokio::test]
async fn everything_survives_without_being_closed() {
    let folder = tempfile::tempdir().unwrap();
    let before = Embedded::open(Options::new(folder.path())).unwrap();
    put(&create_table(&before).await, item("1", 1)).await;
    let queue = before.sqs().create_queue().queue_name("work").send().await.unwrap().queue_url.unwrap();
    before.sqs().send_message().queue_url(&queue).message_body("kept").send().await.unwrap();
    before.s3().create_bucket().bucket("media").send().await.unwrap();
    let object = before.s3().put_object().bucket("media").key("k").content_type("text/plain");
    object.body(ByteStream::from_static(b"kept")).send().await.unwrap();
    std::mem::forget(before);

    let after = Embedded::open(Options::new(folder.path())).unwrap();
    assert_eq!(get(&after.dynamodb(), "1").await, Some(item("1", 1)));
    let received = after.sqs().receive_message().queue_url(&queue).send().await.unwrap();
    assert_eq!(received.messages()[0].body(), Some("kept"));
    let object = after.s3().get_object().bucket("media").key("k").send().await.unwrap();
    assert_eq!(object.content_type(), Some("text/plain"));
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"kept");
}

#[tokio::test]
async fn messages_in_flight_are_visible_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let before = Embedded::open(Options::new(folder.path())).unwrap();
    let queue = before.sqs().create_queue().queue_name("work").send().await.unwrap().queue_url.unwrap();
    before.sqs().send_message().queue_url(&queue).message_body("held").send().await.unwrap();
    let held = before.sqs().receive_message().queue_url(&queue).send().await.unwrap();
    let receipt = held.messages()[0].receipt_handle().unwrap();
    std::mem::forget(before);

    let after = Embedded::open(Options::new(folder.path())).unwrap().sqs();
    after.delete_message().queue_url(&queue).receipt_handle(receipt).send().await.unwrap();
    let received = after
        .receive_message()
        .queue_url(&queue)
        .message_system_attribute_names("ApproximateReceiveCount".into())
        .send()
        .await
        .unwrap();
    let attributes = received.messages()[0].attributes().unwrap();
    assert_eq!(attributes[&"ApproximateReceiveCount".into()], "2");
}
