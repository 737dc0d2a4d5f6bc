//! The settings of a function, and the parts that they describe.

use aws_types::SdkConfig;
use channels::cloud::Graph;
use domain::{Clock, Entropy};
use media::Bucket;
use ops::Services;
use ops::files::Files;
use ops::webhooks::{Pace, WebhookDispatcher};
use outbound::{AllowList, Client, Policy, Resolver};
use queue::{Queue, Queues, Schedules, Urls};
use store::{Sealer, Store};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::Error;
use crate::aws;
use crate::secret::Root;

/// The settings of a function, and the parts that they describe.
#[derive(Debug)]
pub struct Env {
    variables: fn(&str) -> Option<String>,
    config: SdkConfig,
}

/// A setting that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct Missing(&'static str);

impl Env {
    /// The settings of this process.
    ///
    /// # Errors
    /// [`Missing`] without `AWS_REGION`; when TLS cannot be set up.
    pub fn of_process() -> Result<Self, Error> {
        Self::new(|name| std::env::var(name).ok())
    }

    fn new(variables: fn(&str) -> Option<String>) -> Result<Self, Error> {
        let region = required(variables, "AWS_REGION")?;
        Ok(Self { config: aws::config(variables, region)?, variables })
    }

    fn get(&self, name: &'static str) -> Result<String, Missing> {
        required(self.variables, name)
    }

    /// The table, with secrets that are sealed: `TABLE_NAME`, `SECRET_ID`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn store(&self) -> Result<Store, Missing> {
        let root = self.root()?;
        let sealer = Sealer::lazy(move || root.sealing_key(), Entropy::system());
        self.table(sealer)
    }

    /// The table, for those who never look at an account: `TABLE_NAME`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn store_without_secrets(&self) -> Result<Store, Missing> {
        let closed = || -> futures::future::BoxFuture<'static, store::Result<[u8; 32]>> {
            Box::pin(std::future::ready(Err(store::Error::Sealed)))
        };
        self.table(Sealer::lazy(closed, Entropy::system()))
    }

    fn table(&self, sealer: Sealer) -> Result<Store, Missing> {
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        Ok(Store::new(client, self.get("TABLE_NAME")?, Clock::System, Entropy::system(), sealer))
    }

    fn root(&self) -> Result<Root, Missing> {
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        Ok(Root::new(client, self.get("SECRET_ID")?))
    }

    /// What may create tenants, as `infra/admin_key.py` prints it: `SECRET_ID`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn admin_key(&self) -> Result<ops::AdminKey, Missing> {
        let root = self.root()?;
        Ok(ops::AdminKey::lazy(move || root.admin_key()))
    }

    /// Meta's API: `META_GRAPH_URL`.
    ///
    /// # Errors
    /// [`Missing`]; when the machine has no usable TLS set-up.
    pub fn graph(&self) -> Result<Graph, Error> {
        let roots = TLS_SERVER_ROOT_CERTS.iter().map(|root| root.as_ref());
        Ok(Graph::trusting(&self.get("META_GRAPH_URL")?, roots)?)
    }

    /// Uploaded files, and links of users: `MEDIA_BUCKET`, `BASE_URL`; see
    /// [`Env::outbound`].
    ///
    /// # Errors
    /// [`Missing`]; when an entry of `OUTBOUND_ALLOW` is none.
    pub fn files(&self) -> Result<Files, Error> {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            // Emulators have no name for each bucket.
            .force_path_style(self.config.endpoint_url().is_some())
            .build();
        let client = aws_sdk_s3::Client::from_conf(config);
        let files = Files::new(Bucket::new(client, self.get("MEDIA_BUCKET")?), self.get("BASE_URL")?);
        Ok(files.linking(Policy::fetches(self.allowed()?)))
    }

    /// The queues that a function feeds, or parks jobs of: `CAMPAIGN_QUEUE_URL` and
    /// the like.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn queues(&self, used: &[Queue]) -> Result<Queues, Missing> {
        let mut urls = Urls::default();
        for queue in used {
            match queue {
                Queue::Campaign => urls.campaign = self.get("CAMPAIGN_QUEUE_URL")?,
                Queue::Send => urls.send = self.get("SEND_QUEUE_URL")?,
                Queue::Inbound => urls.inbound = self.get("INBOUND_QUEUE_URL")?,
                Queue::Media => urls.media = self.get("MEDIA_QUEUE_URL")?,
                Queue::Webhook => urls.webhook = self.get("WEBHOOK_QUEUE_URL")?,
            }
        }
        Ok(Queues::new(aws_sdk_sqs::Client::new(&self.config), urls))
    }

    /// One-time schedules: `SCHEDULE_GROUP`, `SCHEDULE_ROLE_ARN`,
    /// `CAMPAIGN_QUEUE_ARN`.
    ///
    /// # Errors
    /// [`Missing`]
    pub fn schedules(&self) -> Result<Schedules, Missing> {
        let client = aws_sdk_scheduler::Client::new(&self.config);
        let (group, role) = (self.get("SCHEDULE_GROUP")?, self.get("SCHEDULE_ROLE_ARN")?);
        Ok(Schedules::new(client, group, role, self.get("CAMPAIGN_QUEUE_ARN")?))
    }

    /// What sending takes, with the queues that the function uses.
    ///
    /// # Errors
    /// [`Missing`]; see [`Env::graph`] and [`Env::outbound`].
    pub fn services(&self, used: &[Queue]) -> Result<Services, Error> {
        let (store, files, queues) = (self.store()?, self.files()?, self.queues(used)?);
        Ok(Services { store, graph: self.graph()?, outbound: self.outbound()?, files, queues })
    }

    /// What calls addresses that users give: `OUTBOUND_ALLOW` names what may be called
    /// although it is private, and may be missing.
    ///
    /// # Errors
    /// When an entry of it is none; when the machine has no usable TLS set-up.
    pub fn outbound(&self) -> Result<Client, Error> {
        let roots = TLS_SERVER_ROOT_CERTS.iter().map(|root| root.as_ref());
        Ok(Client::trusting(Policy::webhooks(self.allowed()?), Resolver::System, roots)?)
    }

    fn allowed(&self) -> Result<AllowList, Error> {
        let allow = (self.variables)("OUTBOUND_ALLOW").unwrap_or_default();
        Ok(allow.parse().map_err(|error| format!("OUTBOUND_ALLOW: {error}"))?)
    }

    /// What sends events to the users' endpoints, with the queues that the function
    /// uses.
    ///
    /// # Errors
    /// [`Missing`]; see [`Env::outbound`].
    pub fn dispatcher(&self, used: &[Queue]) -> Result<WebhookDispatcher, Error> {
        let (store, queues, client) = (self.store()?, self.queues(used)?, self.outbound()?);
        Ok(WebhookDispatcher { store, bodies: self.files()?.bodies(), queues, client, pace: Pace::default() })
    }

    /// Whether the world reaches the API only by HTTPS: `BASE_URL`. Without one it
    /// does.
    pub(crate) fn is_https(&self) -> bool {
        !(self.variables)("BASE_URL").is_some_and(|url| url.starts_with("http://"))
    }
}

fn required(variables: fn(&str) -> Option<String>, name: &'static str) -> Result<String, Missing> {
    variables(name)
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .ok_or(Missing(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let none = Env::new(|_| None).unwrap_err();
        assert_eq!(none.to_string(), "the environment variable AWS_REGION is not set");
        let env = Env::new(|name| (name == "AWS_REGION").then(|| "eu-south-1".to_owned())).unwrap();
        assert_eq!(env.store().unwrap_err(), Missing("SECRET_ID"));
        assert_eq!(env.store_without_secrets().unwrap_err(), Missing("TABLE_NAME"));
        assert_eq!(env.files().unwrap_err().to_string(), Missing("MEDIA_BUCKET").to_string());
        assert_eq!(env.queues(&[Queue::Send]).unwrap_err(), Missing("SEND_QUEUE_URL"));
        assert!(env.queues(&[]).is_ok());
        assert_eq!(env.schedules().unwrap_err(), Missing("SCHEDULE_GROUP"));
        assert_eq!(
            env.graph().unwrap_err().to_string(),
            "the environment variable META_GRAPH_URL is not set"
        );
    }

    #[test]
    fn blank_is_as_good_as_missing() {
        let blank = Env::new(|_| Some("  ".to_owned())).unwrap_err();
        assert_eq!(blank.to_string(), Missing("AWS_REGION").to_string());
    }
}
