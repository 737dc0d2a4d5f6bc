//! Queues themselves: creating, describing, purging.

use aws_sdk_sqs::types::QueueAttributeName;

use super::*;

#[tokio::test]
async fn a_queue_is_created_once_and_found_by_name() {
    let client = memory().sqs();
    let create =
        || client.create_queue().queue_name("work").attributes(QueueAttributeName::VisibilityTimeout, "45");
    let url = create().send().await.unwrap().queue_url.unwrap();
    assert_eq!(create().send().await.unwrap().queue_url.as_ref(), Some(&url));
    let other = create().attributes(QueueAttributeName::VisibilityTimeout, "46").send().await.unwrap_err();
    assert!(other.into_service_error().is_queue_name_exists());
    assert_eq!(client.get_queue_url().queue_name("work").send().await.unwrap().queue_url, Some(url.clone()));
    assert_eq!(client.list_queues().queue_name_prefix("wo").send().await.unwrap().queue_urls(), [url]);
}

#[tokio::test]
async fn an_unknown_queue_is_a_modeled_error() {
    let client = memory().sqs();
    let unknown = client.get_queue_url().queue_name("none").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_queue_does_not_exist());
    let unknown = client.send_message().queue_url("none").message_body("x").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_queue_does_not_exist());
    let unknown = client.receive_message().queue_url("none").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn unknown_and_invalid_attributes_are_refused() {
    let client = memory().sqs();
    let create = |name: &str, value: &str| {
        client.create_queue().queue_name("work").attributes(name.into(), value).send()
    };
    let unknown = create("Colour", "red").await.unwrap_err();
    assert!(unknown.into_service_error().is_invalid_attribute_name());
    for (name, value) in [("VisibilityTimeout", "43201"), ("RedrivePolicy", "{}"), ("DelaySeconds", "soon")] {
        let invalid = create(name, value).await.unwrap_err();
        assert!(invalid.into_service_error().is_invalid_attribute_value(), "{name}");
    }
}

#[tokio::test]
async fn attributes_count_messages_by_state() {
    let (embedded, _clock) = at_rest(Chaos::default());
    let client = embedded.sqs();
    let url = client.create_queue().queue_name("work").send().await.unwrap().queue_url.unwrap();
    for delay in [0, 0, 30] {
        let message = client.send_message().queue_url(&url).message_body("x").delay_seconds(delay);
        message.send().await.unwrap();
    }
    client.receive_message().queue_url(&url).send().await.unwrap();
    let all = client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All);
    let all = all.send().await.unwrap().attributes.unwrap();
    let count = |name: QueueAttributeName| all[&name].as_str();
    assert_eq!(count(QueueAttributeName::ApproximateNumberOfMessages), "1");
    assert_eq!(count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible), "1");
    assert_eq!(count(QueueAttributeName::ApproximateNumberOfMessagesDelayed), "1");
    assert_eq!(count(QueueAttributeName::QueueArn), "arn:aws:sqs:us-east-1:000000000000:work");
    client.purge_queue().queue_url(&url).send().await.unwrap();
    client
        .set_queue_attributes()
        .queue_url(&url)
        .attributes(QueueAttributeName::DelaySeconds, "7")
        .send()
        .await
        .unwrap();
    let some = client
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
        .attribute_names(QueueAttributeName::DelaySeconds)
        .send()
        .await
        .unwrap()
        .attributes
        .unwrap();
    assert_eq!(some.len(), 2);
    assert_eq!(some[&QueueAttributeName::ApproximateNumberOfMessagesDelayed], "0");
    assert_eq!(some[&QueueAttributeName::DelaySeconds], "7");
}
