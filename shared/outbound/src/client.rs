//! The client: resolves once, dials what was checked, reads what was allowed.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use environment::Env;
use reqwest::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, LOCATION, TRANSFER_ENCODING, UPGRADE,
};
use reqwest::{Certificate, ClientBuilder, Method, Request, RequestBuilder, Response};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::resolver::Guard;
use crate::{AllowList, Answer, Failure, Policy, Refused, Resolver, Target};

/// How many redirects a `get` follows.
pub const MAX_REDIRECTS: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_PER_HOST: usize = 64;
const USER_AGENT: &str = concat!("Staffetta/", env!("CARGO_PKG_VERSION"));

/// What one call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the lookup of the name to the last byte, redirects included.
    pub total: Duration,
    /// Bytes of the answer's body.
    pub body: usize,
}

impl Limits {
    /// 15 s (Standard Webhooks, 15 to 30 s), and the first 2 kB of the answer
    /// for the delivery log.
    pub const WEBHOOK: Self = Self { total: Duration::from_secs(15), body: 2048 };

    /// 25 s and `body` bytes.
    pub const fn fetch(body: usize) -> Self {
        Self { total: Duration::from_secs(25), body }
    }
}

/// Answers the calls of a [`Client`] that a test keeps off the network.
pub type Exchange = BoxCloneSyncService<Request, Response, Failure>;

/// Calls targets under one policy. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    policy: Policy,
    guard: Guard,
    /// Dials nothing but checked addresses.
    guarded: reqwest::Client,
    /// For hosts that the operator allows by name.
    trusted: reqwest::Client,
    /// Answers in place of the network.
    exchange: Option<Exchange>,
}

impl Client {
    /// A client for the URLs of one kind.
    ///
    /// # Errors
    /// [`Failure::Tls`] when the machine has no usable TLS set-up.
    pub fn new(policy: Policy, resolver: Resolver) -> Result<Self, Failure> {
        Self::built(policy, resolver, reqwest::Client::builder)
    }

    /// A client that trusts just these root certificates, DER: reading the machine's
    /// costs a cold start.
    ///
    /// # Errors
    /// [`Failure::Tls`] when one is no certificate.
    pub fn trusting<'a>(
        policy: Policy,
        resolver: Resolver,
        roots: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Self, Failure> {
        let roots: Result<Vec<_>, _> = roots.map(Certificate::from_der).collect();
        let roots = roots.map_err(|_| Failure::Tls)?;
        Self::built(policy, resolver, || reqwest::Client::builder().tls_certs_only(roots.clone()))
    }

    /// The one of a function, for endpoints of events and custom channels:
    /// `OUTBOUND_ALLOW`. It trusts Mozilla's roots.
    ///
    /// # Errors
    /// When an entry of the setting is none; when the machine has no usable TLS set-up.
    pub fn of(env: &Env) -> Result<Self, environment::Error> {
        let policy = Policy::webhooks(AllowList::of(env)?);
        let unusable = |error: Failure| environment::Error::Tls(error.to_string());
        Self::trusting(policy, Resolver::System, environment::roots()).map_err(unusable)
    }

    fn built(
        policy: Policy,
        resolver: Resolver,
        builder: impl Fn() -> ClientBuilder,
    ) -> Result<Self, Failure> {
        let guard = Guard::new(resolver.clone(), Some(policy.allow().clone()));
        let trusted = build(builder(), Guard::new(resolver, None))?;
        Ok(Self { guarded: build(builder(), guard.clone())?, trusted, policy, guard, exchange: None })
    }

    /// The same client, whose calls are answered by `exchange` and not by the network.
    #[must_use]
    pub fn through(self, exchange: Exchange) -> Self {
        Self { exchange: Some(exchange), ..self }
    }

    /// Reads a URL under this client's policy.
    ///
    /// # Errors
    /// The rule that the URL breaks.
    pub fn target(&self, url: &str) -> Result<Target, Refused> {
        Target::parse(url, &self.policy)
    }

    /// Resolves the target's name and checks its addresses, without a call: for
    /// an early answer when a URL is registered. Every call checks again.
    ///
    /// # Errors
    /// [`Failure::Refused`], [`Failure::Dns`].
    pub async fn check(&self, target: &Target) -> Result<(), Failure> {
        let target = target.admit(&self.policy)?;
        match target.url().domain() {
            Some(name) if !target.is_trusted() => self.guard.addresses(name).await.map(drop),
            Some(_) | None => Ok(()),
        }
    }

    /// Reads a URL that a user gave, and looks where its name leads today. A name that
    /// leads nowhere is taken: it may tomorrow, and every call checks again.
    ///
    /// # Errors
    /// The rule that the URL breaks.
    pub async fn accept(&self, url: &str) -> Result<String, Refused> {
        let target = self.target(url)?;
        match self.check(&target).await {
            Err(Failure::Refused(refused)) => Err(refused),
            Ok(()) | Err(_) => Ok(target.as_str().to_owned()),
        }
    }

    /// Sends `body` and reads the beginning of the answer. A redirect is an
    /// answer like any other and is not followed.
    ///
    /// # Errors
    /// [`Failure`]; a body above the limit is cut, not a failure.
    pub async fn post(
        &self,
        target: &Target,
        headers: HeaderMap,
        body: Bytes,
        limits: Limits,
    ) -> Result<Answer, Failure> {
        within(limits.total, async {
            let target = target.admit(&self.policy)?;
            let request = self.request(Method::POST, &target, headers).body(body);
            Answer::read(self.send(request).await?, limits.body).await
        })
        .await
    }

    /// Reads a document, following at most [`MAX_REDIRECTS`] redirects. Each hop
    /// passes the policy anew; another origin gets none of `headers` but Accept.
    ///
    /// # Errors
    /// [`Failure`]; a 2xx body above the limit is [`Failure::TooLarge`].
    pub async fn get(&self, target: &Target, headers: HeaderMap, limits: Limits) -> Result<Answer, Failure> {
        within(limits.total, self.follow(target, headers, limits)).await
    }

    async fn follow(
        &self,
        target: &Target,
        mut headers: HeaderMap,
        limits: Limits,
    ) -> Result<Answer, Failure> {
        let mut target = target.admit(&self.policy)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(self.request(Method::GET, &target, headers.clone())).await?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return read_document(response, limits.body).await;
            }
            let next = self.next_hop(&target, &response)?;
            if !next.same_origin(&target) {
                headers = headers.remove(ACCEPT).map(|accept| (ACCEPT, accept)).into_iter().collect();
            }
            target = next;
        }
        Err(Failure::Redirect)
    }

    fn next_hop(&self, from: &Target, response: &Response) -> Result<Target, Failure> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        match Target::redirected(from, location.ok_or(Failure::Redirect)?, &self.policy) {
            Err(Refused::Malformed) => Err(Failure::Redirect),
            judged => Ok(judged?),
        }
    }

    fn request(&self, method: Method, target: &Target, mut headers: HeaderMap) -> RequestBuilder {
        for framing in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE] {
            headers.remove(framing);
        }
        let client = if target.is_trusted() { &self.trusted } else { &self.guarded };
        client.request(method, target.url().clone()).headers(headers)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        match &self.exchange {
            Some(exchange) => {
                let request = request.build().map_err(|error| Failure::of(&error))?;
                exchange.clone().oneshot(request).await
            }
            None => request.send().await.map_err(|error| Failure::of(&error)),
        }
    }
}

/// Every setting that could widen what a URL reaches is stated, so that no
/// default and no feature that another crate enables changes it.
fn build(builder: ClientBuilder, guard: Guard) -> Result<reqwest::Client, Failure> {
    builder
        .dns_resolver(guard)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .referer(false)
        .http1_only()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .build()
        .map_err(|_| Failure::Tls)
}

async fn within<T>(total: Duration, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(total, call).await.unwrap_or(Err(Failure::Timeout))
}

async fn read_document(response: Response, limit: usize) -> Result<Answer, Failure> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if response.status().is_success() && announced.is_some_and(|length| length > limit) {
        return Err(Failure::TooLarge);
    }
    let answer = Answer::read(response, limit).await?;
    if answer.truncated && answer.is_success() { Err(Failure::TooLarge) } else { Ok(answer) }
}
