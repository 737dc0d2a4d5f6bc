use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// What the clients of AWS share. Lambda puts the role's credentials into the
/// environment for as long as the process lives, so that no chain of providers has
/// to be tried; `AWS_ENDPOINT_URL` leads to an emulator.
pub(crate) fn config(variables: fn(&str) -> Option<String>, region: String) -> SdkConfig {
    let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
    let mut config = SdkConfig::builder()
        .region(Region::new(region))
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest());
    if let (Some(key), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        let credentials = Credentials::new(key, secret, variable("AWS_SESSION_TOKEN"), None, "environment");
        config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
    }
    if let Some(url) = variable("AWS_ENDPOINT_URL") {
        config = config.endpoint_url(url);
    }
    config.build()
}
