//! Measures the embedded engines through the SDK clients.
//!
//! `cargo run --example engine_bench [items]`; a folder in the temporary
//! directory holds the files meanwhile.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BatchStatementRequest, BillingMode, GlobalSecondaryIndex,
    KeySchemaElement, KeyType, Projection, ProjectionType, PutRequest, ScalarAttributeType, WriteRequest,
};
use futures::{StreamExt, stream};
use local::embedded::{Embedded, Options};

type Outcome = Result<(), Box<dyn Error>>;
type Item = HashMap<String, AttributeValue>;

const TABLE: &str = "bench";
const BATCH: usize = 25;

#[tokio::main]
async fn main() -> Outcome {
    let items: usize = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(5_000);
    let folder = tempfile::tempdir()?;
    let embedded = Embedded::open(Options::new(folder.path()))?;
    create_table(&embedded).await?;
    for concurrency in [1, 16, 64] {
        puts(&embedded, items / 2, concurrency).await?;
    }
    for concurrency in [1, 4, 16] {
        statements(&embedded, items, concurrency).await?;
    }
    for concurrency in [1, 4, 16] {
        batch_writes(&embedded, items, concurrency).await?;
    }
    query(&embedded).await?;
    println!("{:?}", embedded.capacity());
    queue(&embedded, items / 2).await
}

/// Runs `calls`, `concurrency` at a time, each standing for `weight` operations.
#[expect(clippy::disallowed_methods, reason = "this is no Lambda, and the calls should use both cores")]
async fn run<T, E>(
    what: &str,
    concurrency: usize,
    weight: usize,
    calls: impl Iterator<Item: Future<Output = Result<T, E>> + Send + 'static>,
) -> Outcome
where
    T: Send + 'static,
    E: Error + Send + 'static,
{
    let started = Instant::now();
    let mut count = 0;
    let mut running = stream::iter(calls).map(tokio::spawn).buffer_unordered(concurrency);
    while let Some(answer) = running.next().await {
        answer??;
        count += weight;
    }
    report(&format!("{what}, {concurrency} at a time"), count, started.elapsed());
    Ok(())
}

fn report(what: &str, count: usize, took: Duration) {
    let rate = count as f64 / took.as_secs_f64();
    println!("{what:<55} {count:>7} in {:>7.2} s {rate:>9.0}/s", took.as_secs_f64());
}

async fn create_table(embedded: &Embedded) -> Outcome {
    let text = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("gsi1")
        .key_schema(key("gsi1pk", KeyType::Hash)?)
        .key_schema(key("gsi1sk", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    embedded
        .dynamodb()
        .create_table()
        .table_name(TABLE)
        .attribute_definitions(text("pk")?)
        .attribute_definitions(text("sk")?)
        .attribute_definitions(text("gsi1pk")?)
        .attribute_definitions(text("gsi1sk")?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .global_secondary_indexes(index)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    Ok(())
}

fn attributes(kind: &str, number: usize) -> [(&'static str, String); 5] {
    [
        ("pk", format!("TENANT#1#{kind}#{}", number % 64)),
        ("sk", format!("{kind}#{number:012}")),
        ("name", format!("Person number {number}")),
        ("phone", format!("+4915{number:09}")),
        ("state", "subscribed".to_owned()),
    ]
}

fn item(kind: &str, number: usize) -> Item {
    attributes(kind, number).map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).into()
}

async fn puts(embedded: &Embedded, count: usize, concurrency: usize) -> Outcome {
    let client = embedded.dynamodb();
    let calls = (0..count).map(|number| {
        client
            .put_item()
            .table_name(TABLE)
            .set_item(Some(item(&format!("PUT{concurrency}"), number)))
            .condition_expression("attribute_not_exists(pk)")
            .send()
    });
    run("conditional PutItem", concurrency, 1, calls).await
}

fn insert(kind: &str, number: usize) -> Option<BatchStatementRequest> {
    let values = attributes(kind, number).map(|(_, value)| AttributeValue::S(value));
    let statement =
        format!("INSERT INTO \"{TABLE}\" VALUE {{'pk': ?, 'sk': ?, 'name': ?, 'phone': ?, 'state': ?}}");
    BatchStatementRequest::builder().statement(statement).set_parameters(Some(values.into())).build().ok()
}

async fn statements(embedded: &Embedded, count: usize, concurrency: usize) -> Outcome {
    let client = embedded.dynamodb();
    let kind = format!("INS{concurrency}");
    let calls = (0..count).step_by(BATCH).map(|first| {
        let batch = (first..first + BATCH).filter_map(|number| insert(&kind, number)).collect();
        client.batch_execute_statement().set_statements(Some(batch)).send()
    });
    run("BatchExecuteStatement of 25 INSERTs", concurrency, BATCH, calls).await
}

fn writes(kind: &str, numbers: impl Iterator<Item = usize>) -> Vec<WriteRequest> {
    numbers
        .filter_map(|number| PutRequest::builder().set_item(Some(item(kind, number))).build().ok())
        .map(|put| WriteRequest::builder().put_request(put).build())
        .collect()
}

async fn batch_writes(embedded: &Embedded, count: usize, concurrency: usize) -> Outcome {
    let client = embedded.dynamodb();
    let kind = format!("BAT{concurrency}");
    let calls = (0..count).step_by(BATCH).map(|first| {
        client.batch_write_item().request_items(TABLE, writes(&kind, first..first + BATCH)).send()
    });
    run("BatchWriteItem of 25 puts", concurrency, BATCH, calls).await
}

async fn query(embedded: &Embedded) -> Outcome {
    const ITEMS: usize = 1_000;
    let client = embedded.dynamodb();
    for first in (0..ITEMS).step_by(BATCH) {
        // Numbers that share a partition.
        let numbers = (first..first + BATCH).map(|number| number * 64);
        client.batch_write_item().request_items(TABLE, writes("QUERY", numbers)).send().await?;
    }
    let calls = (0..10).map(|_| {
        client
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S("TENANT#1#QUERY#0".to_owned()))
            .send()
    });
    run("Query of 1,000 items", 1, 1, calls).await
}

async fn queue(embedded: &Embedded, count: usize) -> Outcome {
    let client = embedded.sqs();
    let url = client.create_queue().queue_name("bench").send().await?.queue_url.unwrap_or_default();
    for concurrency in [1, 16] {
        let calls = (0..count).map(|number| {
            client.send_message().queue_url(&url).message_body(format!("message {number}")).send()
        });
        run("SendMessage", concurrency, 1, calls).await?;
    }
    let started = Instant::now();
    let mut received = 0;
    while received < count * 2 {
        let page = client.receive_message().queue_url(&url).max_number_of_messages(10).send().await?;
        let receipts = page.messages().iter().filter_map(|message| message.receipt_handle());
        let deletes =
            receipts.map(|receipt| client.delete_message().queue_url(&url).receipt_handle(receipt).send());
        received += futures::future::try_join_all(deletes).await?.len();
    }
    report("ReceiveMessage (10), then 10 DeleteMessage together", received, started.elapsed());
    Ok(())
}
