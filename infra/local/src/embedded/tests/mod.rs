//! The engines through the SDK clients.

mod durability;
mod dynamodb;
mod expressions;
mod queues;
mod s3;
mod serving;
mod sqs;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use domain::Clock;

use super::{Chaos, Embedded};

const TABLE: &str = "main";

type Item = HashMap<String, AttributeValue>;

fn memory() -> Embedded {
    Embedded::memory(Chaos::default(), 1, Clock::System).unwrap()
}

/// An engine whose clock stands still until the test moves it.
fn at_rest(chaos: Chaos) -> (Embedded, Clock) {
    let clock = Clock::fixed("2026-03-01T12:00:00Z".parse().unwrap());
    (Embedded::memory(chaos, 1, clock.clone()).unwrap(), clock)
}

/// Creates a table with the keys `pk` and `sk`.
async fn create_table(embedded: &Embedded) -> aws_sdk_dynamodb::Client {
    let client = embedded.dynamodb();
    let definition = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    client
        .create_table()
        .table_name(TABLE)
        .attribute_definitions(definition("pk"))
        .attribute_definitions(definition("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
    client
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn key(sk: &str) -> Item {
    Item::from([("pk".to_owned(), text("a")), ("sk".to_owned(), text(sk))])
}

fn item(sk: &str, count: i64) -> Item {
    let mut item = key(sk);
    item.insert("count".to_owned(), number(count));
    item
}

async fn put(client: &aws_sdk_dynamodb::Client, item: Item) {
    client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
}

async fn get(client: &aws_sdk_dynamodb::Client, sk: &str) -> Option<Item> {
    client.get_item().table_name(TABLE).set_key(Some(key(sk))).send().await.unwrap().item
}
