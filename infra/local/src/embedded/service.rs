//! The services, and which engine answers a request to one.

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::BodyExt;

use super::Embedded;

/// The host that signed requests name; nothing resolves it.
pub(super) const HOST: &str = "embedded.local";

/// The engine a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    Sqs,
    S3,
    SecretsManager,
}

/// The request with its whole body read.
pub(super) async fn whole(request: Request<SdkBody>) -> Result<Request<Bytes>, ConnectorError> {
    let (parts, body) = request.into_parts();
    let bytes = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => body.collect().await.map_err(ConnectorError::io)?.to_bytes(),
    };
    Ok(Request::from_parts(parts, bytes))
}

impl Embedded {
    /// Has the engine of a service answer.
    pub(super) async fn reply(
        &self,
        service: Service,
        request: Request<SdkBody>,
    ) -> Result<Response<SdkBody>, ConnectorError> {
        self.engines.requests.count(service);
        match service {
            Service::S3 => {
                let response = self.s3_call(request).await;
                response.map_err(|error| ConnectorError::other(error.into(), None))
            }
            service @ (Service::DynamoDb | Service::Sqs | Service::SecretsManager) => {
                let request = whole(request).await?;
                Ok(self.json_call(service, request).await.map(SdkBody::from))
            }
        }
    }

    /// Answers a request of one of the JSON protocols.
    pub(super) async fn json_call(&self, service: Service, request: Request<Bytes>) -> Response<Bytes> {
        let action = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok())
            .and_then(|target| target.split_once('.'))
            .map_or("", |(_, action)| action)
            .to_owned();
        if let Some(refused) = self.engines.uses.refused(service, &action, request.body()) {
            return refused.into_response();
        }
        let reply = match service {
            Service::DynamoDb => self.engines.dynamodb.call(action, request.into_body()).await,
            Service::SecretsManager => self.engines.secrets.call(&action, request.body()),
            Service::Sqs | Service::S3 => {
                let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
                let host = host.unwrap_or(HOST).to_owned();
                self.engines.sqs.call(&action, &host, request.into_body()).await
            }
        };
        reply.into_response()
    }
}
