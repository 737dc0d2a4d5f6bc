//! SDK clients whose HTTP connection is a function call.

use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;

use super::intercept::Attempt;
use super::{Embedded, intercept};

/// The region of everything embedded.
pub const REGION: &str = "us-east-1";
/// The access key the embedded S3 accepts; the other engines accept any.
pub const ACCESS_KEY_ID: &str = "AKIDSTAFFETTALOCAL";
/// The secret that belongs to [`ACCESS_KEY_ID`]; it opens nothing else.
pub const SECRET_ACCESS_KEY: &str = "not-a-secret-staffetta-local";
/// The host that signed requests name; nothing resolves it.
pub(super) const HOST: &str = "embedded.local";

/// The settings the three clients share; each SDK has its own types for them.
macro_rules! config {
    ($sdk:ident, $embedded:expr, $service:expr) => {
        $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new(REGION))
            .credentials_provider(
                $sdk::config::Credentials::builder()
                    .access_key_id(ACCESS_KEY_ID)
                    .secret_access_key(SECRET_ACCESS_KEY)
                    .provider_name("embedded")
                    .build(),
            )
            .endpoint_url(format!("http://{HOST}"))
            .retry_config(match $embedded.interceptor {
                Some(_) => intercept::without_waits(),
                None => $sdk::config::retry::RetryConfig::standard(),
            })
            .retry_partition(match $embedded.interceptor {
                // Failures of one run must not use up the retries of the next.
                Some(_) => {
                    let unlimited = $sdk::config::retry::TokenBucket::unlimited();
                    $sdk::config::retry::RetryPartition::custom("embedded").token_bucket(unlimited).build()
                }
                None => $sdk::config::retry::RetryPartition::new("embedded"),
            })
            .stalled_stream_protection($sdk::config::StalledStreamProtectionConfig::disabled())
            .http_client(InProcess { embedded: $embedded.clone(), service: $service })
    };
}

/// Without a signature: nobody looks at it, and whoever intercepts makes very many calls.
macro_rules! unsigned {
    ($config:expr) => {
        $config.allow_no_auth().auth_scheme_preference([AuthSchemeId::new("noAuth")])
    };
}

pub(super) fn dynamodb(embedded: &Embedded) -> aws_sdk_dynamodb::Client {
    let config = config!(aws_sdk_dynamodb, embedded, Service::DynamoDb);
    let config = if embedded.interceptor.is_some() { unsigned!(config) } else { config };
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

pub(super) fn sqs(embedded: &Embedded) -> aws_sdk_sqs::Client {
    let config = config!(aws_sdk_sqs, embedded, Service::Sqs);
    let config = if embedded.interceptor.is_some() { unsigned!(config) } else { config };
    aws_sdk_sqs::Client::from_conf(config.build())
}

pub(super) fn s3(embedded: &Embedded) -> aws_sdk_s3::Client {
    s3_at(embedded, &format!("http://{HOST}"))
}

pub(super) fn s3_at(embedded: &Embedded, url: &str) -> aws_sdk_s3::Client {
    let config = config!(aws_sdk_s3, embedded, Service::S3).endpoint_url(url).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The engine a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    Sqs,
    S3,
    SecretsManager,
}

/// The HTTP connection of a client, to one engine.
#[derive(Debug, Clone)]
struct InProcess {
    embedded: Embedded,
    service: Service,
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connection = self.clone();
        HttpConnectorFuture::new(async move {
            let mut request =
                request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            request.headers_mut().entry(header::HOST).or_insert(HeaderValue::from_static(HOST));
            let InProcess { embedded, service } = connection;
            let response = match &embedded.interceptor {
                Some(interceptor) => {
                    let request = whole(request).await?;
                    interceptor.answer(Attempt::new(embedded.clone(), service, request)).await?
                }
                None => embedded.reply(service, request).await?,
            };
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The request with its whole body read.
async fn whole(request: Request<SdkBody>) -> Result<Request<Bytes>, ConnectorError> {
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
        let reply = if service == Service::DynamoDb {
            match self.engines.uses.refused(&action, request.body()) {
                Some(refused) => refused,
                None => self.engines.dynamodb.call(action, request.into_body()).await,
            }
        } else if service == Service::SecretsManager {
            self.engines.secrets.call(&action, request.body())
        } else {
            let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
            let host = host.unwrap_or(HOST).to_owned();
            self.engines.sqs.call(&action, &host, request.into_body()).await
        };
        reply.into_response()
    }
}
