//! The stores of the process: embedded ones, or those at `AWS_ENDPOINT_URL`.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use aws_config::BehaviorVersion;
use aws_config::meta::region::RegionProviderChain;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    QueueConfiguration, S3KeyFilter,
};
use aws_sdk_sqs::types::QueueAttributeName;
use domain::{Clock, Entropy};
use media::Bucket;
use queue::{Queues, Urls};
use store::{Sealer, Store};

use crate::embedded::{Embedded, Options, REGION};
use crate::settings::Settings;

/// Name of the table.
pub const TABLE: &str = "staffetta";
/// Name of the bucket.
pub const BUCKET: &str = "staffetta-media";
/// Deliveries of a job before it is parked in the dead-letter queue.
const MAX_RECEIVES: u32 = 8;

/// Clients of the three stores.
#[derive(Debug, Clone)]
pub struct Aws {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// S3 at the address that the outside knows.
    pub outside: aws_sdk_s3::Client,
    /// The engines, when they are in this process.
    pub embedded: Option<Embedded>,
}

impl From<&Embedded> for Aws {
    fn from(embedded: &Embedded) -> Self {
        let (dynamodb, sqs, s3) = (embedded.dynamodb(), embedded.sqs(), embedded.s3());
        Self { dynamodb, sqs, outside: s3.clone(), s3, embedded: Some(embedded.clone()) }
    }
}

impl Aws {
    /// The stores that the settings ask for.
    ///
    /// # Errors
    /// When the embedded ones cannot be opened.
    pub async fn of(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        if settings.aws_endpoint.is_none() {
            let mut options = Options::new(settings.home.join("aws"));
            options.chaos = settings.chaos;
            let embedded = Embedded::open(options)?;
            let outside = embedded.s3_at(&settings.aws_url());
            return Ok(Self { outside, embedded: Some(embedded.clone()), ..Self::from(&embedded) });
        }
        let region = RegionProviderChain::default_provider().or_else(REGION);
        let config = aws_config::defaults(BehaviorVersion::latest()).region(region).load().await;
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            outside: aws_sdk_s3::Client::from_conf(s3.clone()),
            s3: aws_sdk_s3::Client::from_conf(s3),
            embedded: None,
        })
    }

    /// The table, created when it is not there.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn store(
        &self,
        sealer: Sealer,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Store, Box<dyn Error>> {
        let store = Store::new(self.dynamodb.clone(), TABLE, clock, entropy, sealer);
        store.create_table().await?;
        Ok(store)
    }

    /// The queues, created when they are not there, each with its dead-letter queue.
    ///
    /// # Errors
    /// When SQS refuses.
    pub async fn queues(&self) -> Result<(Queues, Urls), Box<dyn Error>> {
        let urls = Urls {
            campaign: self.queue("staffetta-campaign", 90).await?,
            send: self.queue("staffetta-send", 360).await?,
            inbound: self.queue("staffetta-inbound", 60).await?,
            media: self.queue("staffetta-media", 120).await?,
            webhook: self.queue("staffetta-webhook", 90).await?,
        };
        Ok((Queues::new(self.sqs.clone(), urls.clone()), urls))
    }

    async fn queue(&self, name: &str, visibility_s: u32) -> Result<String, Box<dyn Error>> {
        let parked = self.create_queue(&format!("{name}{}", queue::PARKED), HashMap::new()).await?;
        let policy = serde_json::json!({
            "deadLetterTargetArn": self.queue_arn(&parked).await?, "maxReceiveCount": MAX_RECEIVES.to_string(),
        });
        let attributes = HashMap::from([
            (QueueAttributeName::VisibilityTimeout, visibility_s.to_string()),
            (QueueAttributeName::RedrivePolicy, policy.to_string()),
        ]);
        self.create_queue(name, attributes).await
    }

    async fn queue_arn(&self, url: &str) -> Result<String, Box<dyn Error>> {
        let attributes = self.sqs.get_queue_attributes().queue_url(url);
        let attributes = attributes.attribute_names(QueueAttributeName::QueueArn).send().await?;
        let arn = attributes.attributes().and_then(|a| a.get(&QueueAttributeName::QueueArn));
        Ok(arn.cloned().unwrap_or_default())
    }

    /// Lets a bucket that is not ours to run report uploads.
    async fn report_uploads(&self, queue_url: &str) -> Result<(), Box<dyn Error>> {
        let prefix = FilterRule::builder().name(FilterRuleName::Prefix).value(media::UPLOADS).build();
        let filter = S3KeyFilter::builder().filter_rules(prefix).build();
        let to_queue = QueueConfiguration::builder()
            .queue_arn(self.queue_arn(queue_url).await?)
            .events(Event::S3ObjectCreated)
            .filter(NotificationConfigurationFilter::builder().key(filter).build())
            .build()?;
        let configuration = NotificationConfiguration::builder().queue_configurations(to_queue).build();
        let request = self.s3.put_bucket_notification_configuration().bucket(BUCKET);
        request.notification_configuration(configuration).send().await?;
        Ok(())
    }

    async fn create_queue(
        &self,
        name: &str,
        attributes: HashMap<QueueAttributeName, String>,
    ) -> Result<String, Box<dyn Error>> {
        let request = self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes));
        Ok(request.send().await?.queue_url.unwrap_or_default())
    }

    /// The bucket, created when it is not there. It reports uploads to the queue
    /// `media`.
    ///
    /// # Errors
    /// When S3 refuses.
    pub async fn bucket(&self, urls: &Urls) -> Result<Bucket, Box<dyn Error>> {
        if let Err(error) = self.s3.create_bucket().bucket(BUCKET).send().await {
            let there = error
                .as_service_error()
                .is_some_and(|e| e.is_bucket_already_exists() || e.is_bucket_already_owned_by_you());
            if !there {
                return Err(error.into());
            }
        }
        match &self.embedded {
            Some(embedded) => embedded.report_uploads(BUCKET, media::UPLOADS, &urls.media),
            None => self.report_uploads(&urls.media).await?,
        }
        Ok(Bucket::new(self.s3.clone(), BUCKET).signed_by(self.outside.clone()))
    }
}

/// The key that seals secrets in the table: made on first start, kept in a file
/// that only its owner may read.
///
/// # Errors
/// When the file cannot be written, or is not a key.
pub fn sealing_key(home: &Path, entropy: &Entropy) -> Result<[u8; 32], Box<dyn Error>> {
    let path = home.join("secret.key");
    match std::fs::read(&path) {
        Ok(bytes) => {
            bytes.try_into().map_err(|_| format!("{} is not a key of 32 bytes", path.display()).into())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key: [u8; 32] = entropy.bytes();
            write_private(&path, &key)?;
            Ok(key)
        }
        Err(error) => Err(error.into()),
    }
}

/// The secret of an installation with this key, as functions of other processes
/// read it.
pub fn secret(key: &[u8; 32]) -> String {
    let hex = key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    serde_json::json!({"root": store::sha256_hex(&hex), "sealing_key": hex}).to_string()
}

/// Writes a file that only its owner may read, all or nothing.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let part = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(part, path)
}
