//! The engines over HTTP, as another process sees them.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::super::http_service;
use super::*;

async fn post(embedded: &Embedded, target: &str, body: &str) -> (StatusCode, serde_json::Value) {
    let request = Request::post("/")
        .header("host", "127.0.0.1:4566")
        .header("x-amz-target", target)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = http_service(embedded.clone()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn the_target_header_names_the_engine() {
    let embedded = memory();
    create_table(&embedded).await;
    let (status, tables) = post(&embedded, "DynamoDB_20120810.ListTables", "{}").await;
    assert_eq!((status, &tables["TableNames"][0]), (StatusCode::OK, &TABLE.into()));
    let (status, queue) = post(&embedded, "AmazonSQS.CreateQueue", r#"{"QueueName":"q"}"#).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(queue["QueueUrl"], "http://127.0.0.1:4566/000000000000/q");
    let (status, error) = post(&embedded, "AmazonSQS.Unknown", "{}").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(error["__type"], "com.amazonaws.sqs#UnsupportedOperation");
}

#[tokio::test]
async fn everything_else_is_s3_and_needs_a_signature() {
    let request = Request::get("/media").header("host", "127.0.0.1:4566").body(Body::empty()).unwrap();
    let response = http_service(memory()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}
