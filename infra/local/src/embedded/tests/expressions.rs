//! PartiQL and queries.

use aws_sdk_dynamodb::types::{BatchStatementRequest, ReturnValuesOnConditionCheckFailure};

use super::*;

fn statement(text_: &str, parameters: &[AttributeValue]) -> BatchStatementRequest {
    BatchStatementRequest::builder()
        .statement(text_)
        .set_parameters(Some(parameters.to_vec()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap()
}

#[tokio::test]
async fn each_statement_of_a_batch_succeeds_or_fails_on_its_own() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    put(&client, item("2", 5)).await;
    let insert = r#"INSERT INTO "main" VALUE {'pk': ?, 'sk': ?, 'count': ?}"#;
    let update = r#"UPDATE "main" SET "count" = ? WHERE pk = ? AND sk = ? AND "count" < ?"#;
    put(&client, item("3", 9)).await;
    let answer = client
        .batch_execute_statement()
        .statements(statement(insert, &[text("a"), text("1"), number(1)]))
        .statements(statement(insert, &[text("a"), text("2"), number(1)]))
        .statements(statement(update, &[number(4), text("a"), text("3"), number(4)]))
        .send()
        .await
        .unwrap();
    let [inserted, duplicate, refused] = answer.responses() else { panic!("{answer:?}") };
    assert!(inserted.error().is_none());
    assert_eq!(duplicate.error().unwrap().code().unwrap().as_str(), "DuplicateItem");
    let refused = refused.error().unwrap();
    assert_eq!(refused.code().unwrap().as_str(), "ConditionalCheckFailed");
    assert_eq!(refused.item(), Some(&item("3", 9)));
    assert_eq!(get(&client, "1").await, Some(item("1", 1)));
    assert_eq!(get(&client, "2").await, Some(item("2", 5)));
}

#[tokio::test]
async fn statements_that_read_count_as_reads() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    put(&client, item("1", 1)).await;
    embedded.reset_capacity();
    let read = client
        .execute_statement()
        .statement(r#"SELECT * FROM "main" WHERE pk = ? AND sk = ?"#)
        .set_parameters(Some(vec![text("a"), text("1")]))
        .send()
        .await
        .unwrap();
    assert_eq!(read.items(), [item("1", 1)]);
    assert!(embedded.capacity().read_units() > 0.0);
    assert!(embedded.capacity().write_units() == 0.0);
}

#[tokio::test]
async fn queries_page_in_both_directions() {
    let embedded = memory();
    let client = create_table(&embedded).await;
    for count in 0..5 {
        put(&client, item(&count.to_string(), count)).await;
    }
    let query = || {
        client
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text("a"))
            .limit(3)
    };
    let first = query().send().await.unwrap();
    assert_eq!(first.items()[2], item("2", 2));
    let rest = query().set_exclusive_start_key(first.last_evaluated_key).send().await.unwrap();
    assert_eq!(rest.items(), [item("3", 3), item("4", 4)]);
    let last = query().scan_index_forward(false).send().await.unwrap();
    assert_eq!(last.items()[0], item("4", 4));
}
