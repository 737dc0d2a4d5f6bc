//! The three engines on a port, for other processes with `AWS_ENDPOINT_URL`.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tokio::net::TcpListener;

use super::service::Service;
use super::{Embedded, Error};

/// Serves the engines of `embedded` on `listener` until the process ends.
///
/// Requests need [`ACCESS_KEY_ID`](super::ACCESS_KEY_ID) and path-style bucket
/// addresses for S3; DynamoDB and SQS accept any signature.
pub async fn serve(embedded: Embedded, listener: TcpListener) -> Result<(), Error> {
    axum::serve(listener, http_service(embedded)).await?;
    Ok(())
}

/// The engines of `embedded` as one HTTP service: a JSON target header names
/// DynamoDB, SQS or Secrets Manager, everything else is S3.
pub fn http_service(embedded: Embedded) -> Router {
    Router::new().fallback(answer).with_state(embedded)
}

async fn answer(State(embedded): State<Embedded>, request: Request<Body>) -> Response {
    match service_of(&request) {
        Service::S3 => match embedded.s3_call_http(request).await {
            Ok(response) => response,
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")).into_response(),
        },
        service @ (Service::DynamoDb | Service::Sqs | Service::SecretsManager) => {
            let (parts, body) = request.into_parts();
            match body.collect().await {
                Ok(body) => {
                    let request = Request::from_parts(parts, body.to_bytes());
                    embedded.json_call(service, request).await.map(Body::from)
                }
                Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            }
        }
    }
}

fn service_of(request: &Request<Body>) -> Service {
    let target = request.headers().get("x-amz-target").map_or(&b""[..], |target| target.as_bytes());
    if target.starts_with(b"DynamoDB_") {
        Service::DynamoDb
    } else if target.starts_with(b"AmazonSQS.") {
        Service::Sqs
    } else if target.starts_with(b"secretsmanager.") {
        Service::SecretsManager
    } else {
        Service::S3
    }
}
