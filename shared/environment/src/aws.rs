//! What the clients of AWS share.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_types::SdkConfig;
use aws_types::region::Region;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::Error;

/// What the clients of AWS share. Lambda puts the role's credentials into the
/// environment for as long as the process lives, so that no chain of providers has
/// to be tried; `AWS_ENDPOINT_URL` leads to an emulator. The roots of trust are
/// Mozilla's and linked in: to read the machine's costs a cold start hundreds of
/// opened files.
///
/// # Errors
/// When the roots cannot be used.
pub(crate) fn config(variables: fn(&str) -> Option<String>, region: String) -> Result<SdkConfig, Error> {
    let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
    let mut config = SdkConfig::builder()
        .region(Region::new(region))
        .http_client(
            Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(tls()?)
                .build_https(),
        )
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest());
    if let (Some(key), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        let credentials = Credentials::new(key, secret, variable("AWS_SESSION_TOKEN"), None, "environment");
        config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
    }
    if let Some(url) = variable("AWS_ENDPOINT_URL") {
        config = config.endpoint_url(url);
    }
    Ok(config.build())
}

/// Mozilla's roots of trust, DER.
pub fn roots() -> impl Iterator<Item = &'static [u8]> {
    TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref)
}

fn tls() -> Result<TlsContext, Error> {
    let mut pem = String::new();
    for root in roots() {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        STANDARD.encode_string(root, &mut pem);
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    let store = TrustStore::empty().with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(store).build().map_err(|error| Error::Tls(error.to_string()))
}
