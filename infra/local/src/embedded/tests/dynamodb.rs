//! The embedded table answers as DynamoDB does.

use aws_sdk_dynamodb::types::{
    Delete, Get, KeysAndAttributes, Put, PutRequest, TimeToLiveSpecification, TimeToLiveStatus,
    TransactGetItem, TransactWriteItem, WriteRequest,
};

use super::*;

fn transact_put(item: Item, condition: Option<&str>) -> TransactWriteItem {
    let put = Put::builder().table_name(TABLE).set_item(Some(item));
    let put = put.set_condition_expression(condition.map(str::to_owned)).build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

#[tokio::test]
async fn tables_are_described_and_listed() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    let table = client.describe_table().table_name(TABLE).send().await.unwrap().table.unwrap();
    assert_eq!(table.table_status().unwrap().as_str(), "ACTIVE");
    assert_eq!(client.list_tables().send().await.unwrap().table_names(), [TABLE]);
    let unknown = client.describe_table().table_name("other").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn time_to_live_is_switched_on() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    let setting = TimeToLiveSpecification::builder().enabled(true).attribute_name("ttl").build().unwrap();
    client.update_time_to_live().table_name(TABLE).time_to_live_specification(setting).send().await.unwrap();
    let described = client.describe_time_to_live().table_name(TABLE).send().await.unwrap();
    let described = described.time_to_live_description.unwrap();
    assert_eq!(described.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));
    assert_eq!(described.attribute_name(), Some("ttl"));
}

#[tokio::test]
async fn a_failed_condition_is_a_modeled_error_with_the_item() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    put(&client, item("1", 7)).await;
    let refused = client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(item("1", 8)))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure("ALL_OLD".into())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) =
        refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(failed.item(), Some(&item("1", 7)));
    assert_eq!(get(&client, "1").await, Some(item("1", 7)));
}

#[tokio::test]
async fn items_are_updated_and_deleted() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    let update = || {
        client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(key("1")))
            .update_expression("ADD #c :one")
            .expression_attribute_names("#c", "count")
            .expression_attribute_values(":one", number(1))
            .return_values("ALL_NEW".into())
    };
    update().send().await.unwrap();
    assert_eq!(update().send().await.unwrap().attributes, Some(item("1", 2)));
    let refused = update().condition_expression("#c > :one AND #c < :one").send().await.unwrap_err();
    assert!(refused.into_service_error().is_conditional_check_failed_exception());
    let deleted = client.delete_item().table_name(TABLE).set_key(Some(key("1")));
    let deleted = deleted.return_values("ALL_OLD".into()).send().await.unwrap();
    assert_eq!(deleted.attributes, Some(item("1", 2)));
    assert_eq!(get(&client, "1").await, None);
}

#[tokio::test]
async fn batches_are_written_and_read() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    let writes: Vec<_> = (0..25)
        .map(|count| PutRequest::builder().set_item(Some(item(&count.to_string(), count))).build().unwrap())
        .map(|put| WriteRequest::builder().put_request(put).build())
        .collect();
    let written = client.batch_write_item().request_items(TABLE, writes).send().await.unwrap();
    assert!(written.unprocessed_items().unwrap().is_empty());
    let keys = KeysAndAttributes::builder().keys(key("3")).keys(key("24")).keys(key("25")).build().unwrap();
    let read = client.batch_get_item().request_items(TABLE, keys).send().await.unwrap();
    assert_eq!(read.responses().unwrap()[TABLE].len(), 2);
    let page = client.scan().table_name(TABLE).limit(10).send().await.unwrap();
    assert_eq!(page.count(), 10);
    assert!(page.last_evaluated_key().is_some());
}

#[tokio::test]
async fn a_cancelled_transaction_names_its_reasons_and_writes_nothing() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    put(&client, item("2", 0)).await;
    let refused = client
        .transact_write_items()
        .transact_items(transact_put(item("1", 1), None))
        .transact_items(transact_put(item("2", 1), Some("attribute_not_exists(pk)")))
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(refused.is_transaction_canceled_exception(), "{refused:?}");
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = refused
    else {
        panic!("{refused:?}");
    };
    let codes: Vec<_> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(get(&client, "1").await, None);
}

#[tokio::test]
async fn a_transaction_is_applied_once_per_token() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    let transaction = |sk: &str, token: &str| {
        client
            .transact_write_items()
            .transact_items(transact_put(item(sk, 1), Some("attribute_not_exists(pk)")))
            .client_request_token(token)
    };
    transaction("1", "once").send().await.unwrap();
    transaction("1", "once").send().await.unwrap();
    let other = transaction("2", "once").send().await.unwrap_err().into_service_error();
    assert!(other.is_idempotent_parameter_mismatch_exception(), "{other:?}");
    let delete = Delete::builder().table_name(TABLE).set_key(Some(key("1"))).build().unwrap();
    let delete = TransactWriteItem::builder().delete(delete).build();
    client.transact_write_items().transact_items(delete).send().await.unwrap();
    let read = Get::builder().table_name(TABLE).set_key(Some(key("1"))).build().unwrap();
    let read = TransactGetItem::builder().get(read).build();
    let read = client.transact_get_items().transact_items(read).send().await.unwrap();
    assert!(read.responses()[0].item().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_lose_nothing() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    let writers = (0..200).map(|writer: u32| {
        let update = client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(key(&(writer % 2).to_string())))
            .update_expression("ADD n :one")
            .expression_attribute_values(":one", number(1));
        async move { update.send().await.unwrap() }
    });
    futures::future::join_all(writers).await;
    for sk in ["0", "1"] {
        assert_eq!(get(&client, sk).await.unwrap()["n"], number(100));
    }
}

#[tokio::test]
async fn consumed_capacity_is_counted_without_being_asked_for() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    embedded.reset_capacity();
    let put = client.put_item().table_name(TABLE).set_item(Some(item("1", 1))).send().await.unwrap();
    assert!(put.consumed_capacity().is_none());
    get(&client, "1").await;
    let totals = embedded.capacity();
    assert_eq!((totals.requests(), totals.write_units(), totals.read_units()), (2, 1.0, 0.5));
    assert_eq!(totals.actions["PutItem"].requests, 1);
}
