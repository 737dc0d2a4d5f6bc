//! SDK clients whose HTTP connection is a function call.

use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use http::{HeaderValue, header};

use super::intercept::SdkAttempt;
use super::service::{HOST, Service, whole};
use super::{Embedded, intercept};

/// The region of everything embedded.
pub const REGION: &str = "us-east-1";
/// The access key the embedded S3 accepts; the other engines accept any.
pub const ACCESS_KEY_ID: &str = "AKIDSTAFFETTALOCAL";
/// The secret that belongs to [`ACCESS_KEY_ID`]; it opens nothing else.
pub const SECRET_ACCESS_KEY: &str = "not-a-secret-staffetta-local";

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
                    interceptor.answer(SdkAttempt::new(embedded.clone(), service, request)).await?
                }
                None => embedded.reply(service, request).await?,
            };
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
