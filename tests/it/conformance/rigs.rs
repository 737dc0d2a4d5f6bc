//! Each channel with somebody at its far side who answers what a test wants; and that each
//! conforms.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channels::cloud::{Graph, NoAnswer};
use channels::{AnyChannel, Channel, cloud, custom};
use domain::account::Number;
use domain::channel::CustomChannel;
use domain::outcome::{About, Acceptance, Next, Outcome, Scope, Wait};
use domain::sender::SenderId;
use domain::webhook::SigningSecret;
use domain::{Clock, Entropy, Secret};
use harness::{Stub, stub_refused};
use outbound::{Failure, Policy, Resolver};
use serde_json::json;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::conforms;

/// How the far side answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Far {
    /// It takes everything.
    Takes,
    /// It refuses whom the message is for.
    RefusesPerson,
    /// It wants us to wait.
    Throttles,
    /// We may not send.
    Denies,
    /// Something broke, and nobody says whether before or after it was taken.
    Fails,
    /// It does not answer.
    Silent,
    /// There is no connection.
    Absent,
}

/// A channel and its far side.
pub(super) trait Rig {
    const NAME: &'static str;
    type Channel: Channel;
    fn new(far: Far) -> Self;
    fn channel(&self) -> &Self::Channel;
    /// How many messages came to the far side.
    fn asked(&self) -> usize;
}

impl Rig for Stub {
    const NAME: &'static str = "stub";
    type Channel = Self;

    fn new(far: Far) -> Self {
        let refused = |what, about, next| Outcome::Refused(stub_refused(what, about, next));
        let later = Next::Retry { scope: Scope::Sender, wait: Wait::fixed(1), attempts: None };
        Self::answering(match far {
            Far::Takes => {
                Outcome::Accepted(Acceptance { provider_id: "1".to_owned(), held: false, recipient: None })
            }
            Far::RefusesPerson => refused("unknown_person", About::Message, Next::Never),
            Far::Throttles => refused("busy", About::Rate, later),
            Far::Denies => refused("denied", About::Credentials, Next::StopSender),
            Far::Fails | Far::Silent => Outcome::Ambiguous,
            Far::Absent => Outcome::Unreachable,
        })
    }

    fn channel(&self) -> &Self {
        self
    }

    fn asked(&self) -> usize {
        Self::asked(self)
    }
}

/// A channel of ours whose calls are answered here.
pub(super) struct Behind<K> {
    channel: AnyChannel,
    asked: Arc<AtomicUsize>,
    kind: PhantomData<K>,
}

/// How a kind of channel is set up, and answered.
pub(super) trait Kind {
    const NAME: &'static str;
    fn channel(far: Far, asked: Arc<AtomicUsize>) -> AnyChannel;
}

impl<K: Kind> Rig for Behind<K> {
    const NAME: &'static str = K::NAME;
    type Channel = AnyChannel;

    fn new(far: Far) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        Self { channel: K::channel(far, asked.clone()), asked, kind: PhantomData }
    }

    fn channel(&self) -> &AnyChannel {
        &self.channel
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(status: u16, body: &str) -> reqwest::Response {
    http::Response::builder().status(status).body(body.to_owned()).unwrap().into()
}

/// An exchange that counts messages and answers them.
fn exchange<E: Send + 'static>(
    asked: Arc<AtomicUsize>,
    answers: impl Fn(&reqwest::Request) -> Result<reqwest::Response, E> + Clone + Send + Sync + 'static,
) -> BoxCloneSyncService<reqwest::Request, reqwest::Response, E> {
    BoxCloneSyncService::new(service_fn(move |request: reqwest::Request| -> std::pin::Pin<
        Box<dyn Future<Output = Result<reqwest::Response, E>> + Send>,
    > {
        if !request.url().path().ends_with("/media") {
            asked.fetch_add(1, Ordering::SeqCst);
        }
        let answered = answers(&request);
        Box::pin(async move { answered })
    }))
}

/// A number of Meta's.
pub(super) struct Cloud;

impl Kind for Cloud {
    const NAME: &'static str = "cloud";

    fn channel(far: Far, asked: Arc<AtomicUsize>) -> AnyChannel {
        let error = |status, code: i64| {
            let error = json!({"error": {"code": code, "message": "as Meta says it"}});
            Ok(answer(status, &error.to_string()))
        };
        let answers = move |request: &reqwest::Request| match far {
            Far::Takes if request.url().path().ends_with("/media") => Ok(answer(200, r#"{"id": "7"}"#)),
            Far::Takes => Ok(answer(200, r#"{"messages": [{"id": "wamid.1"}]}"#)),
            Far::RefusesPerson => error(400, 131_026),
            Far::Throttles => error(429, 130_429),
            Far::Denies => error(401, 190),
            Far::Fails => Ok(answer(502, "<html>Bad gateway</html>")),
            Far::Silent => Err(NoAnswer::Lost),
            Far::Absent => Err(NoAnswer::NotSent),
        };
        let number = Number {
            id: SenderId::number("106540352242922"),
            waba_id: "1".to_owned(),
            display_phone_number: "+1 555 078 3881".to_owned(),
            verified_name: "Bottega".to_owned(),
            access_token: Secret::new("EAA-test"),
            app_secret: Secret::new("app-secret"),
            per_second: 80,
            tier: None,
            connected_at: Clock::System.now(),
        };
        let graph = Graph::new("http://graph.invalid/v25.0").unwrap().through(exchange(asked, answers));
        AnyChannel::Cloud(cloud::Line { graph, number, tenant: "t1".parse().unwrap() })
    }
}

/// A custom channel.
pub(super) struct Custom;

impl Kind for Custom {
    const NAME: &'static str = "custom";

    fn channel(far: Far, asked: Arc<AtomicUsize>) -> AnyChannel {
        let answers = move |_: &reqwest::Request| match far {
            Far::Takes => Ok(answer(200, "")),
            Far::RefusesPerson => Ok(answer(422, "")),
            Far::Throttles => Ok(answer(429, "")),
            Far::Denies => Ok(answer(401, "")),
            Far::Fails => Ok(answer(500, "")),
            Far::Silent => Err(Failure::Timeout),
            Far::Absent => Err(Failure::Connect),
        };
        let policy = Policy::webhooks("localhost".parse().unwrap());
        let client =
            outbound::Client::new(policy, Resolver::System).unwrap().through(exchange(asked, answers));
        let channel = CustomChannel {
            key: "livechat".parse().unwrap(),
            name: "LiveChat".to_owned(),
            url: "http://localhost:9/chat".to_owned(),
            per_second: 5,
            created_at: Clock::System.now(),
        };
        let secret = SigningSecret::generate(&Entropy::seeded(1));
        AnyChannel::Custom(custom::Line { client, channel, secret, clock: Clock::System })
    }
}

#[tokio::test]
async fn the_cloud_api_conforms() {
    conforms::<Behind<Cloud>>().await;
}

#[tokio::test]
async fn a_custom_channel_conforms() {
    conforms::<Behind<Custom>>().await;
}

#[tokio::test]
async fn the_stub_conforms() {
    conforms::<Stub>().await;
}
