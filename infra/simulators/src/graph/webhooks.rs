//! Webhooks: their bodies, their signature, and the loop that delivers them.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use hmac::{Hmac, Mac};
use http::{Request, header};
use serde_json::{Value, json};
use sha2::Sha256;
use tower::ServiceExt;

use super::{
    Simulator,
    errors::Error,
    state::{
        journal::Line,
        outbox::{Content, Post},
        templates::Template,
        world::World,
    },
    templates,
};

/// The envelope around every webhook.
pub(super) fn envelope(account: &str, field: &str, value: &Value) -> Bytes {
    encode(&json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": account, "changes": [{ "value": value, "field": field }] }],
    }))
}

/// JSON as Meta sends it: everything outside ASCII is escaped.
pub(super) fn encode(body: &Value) -> Bytes {
    let text = body.to_string();
    if text.is_ascii() {
        return Bytes::from(text);
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    let mut units = [0u16; 2];
    for char in text.chars() {
        if char.is_ascii() {
            escaped.push(char);
        } else {
            for unit in char.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    Bytes::from(escaped)
}

/// The value of `X-Hub-Signature-256`.
pub(super) fn signature(app_secret: &str, body: &[u8]) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()) else { return String::new() };
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().fold("sha256=".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The webhook about a template's new status.
pub(super) fn template_status(template: &Template, event: &str, reason: &str) -> Bytes {
    let id: Value = template.id.parse::<u64>().map_or_else(|_| json!(template.id), |id| json!(id));
    let value = json!({
        "event": event,
        "message_template_id": id,
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": template.category.name(),
        "reason": reason,
    });
    envelope(&template.account, "message_template_status_update", &value)
}

/// The body of a request; the same content always gives the same bytes.
pub(super) fn body(world: &World, content: &Content) -> Bytes {
    match content {
        Content::Hook { body, .. } => body.clone(),
        Content::Statuses { number, steps } => {
            let statuses: Vec<Value> = steps
                .iter()
                .filter_map(|(message, step)| Some(message.status(*message.plan.get(usize::from(*step))?)))
                .collect();
            let metadata = world.accounts.known_number(number).map(|number| number.metadata());
            let value =
                json!({ "messaging_product": "whatsapp", "metadata": metadata, "statuses": statuses });
            envelope(world.accounts.account_of(number), "messages", &value)
        }
    }
}

/// A request with everything it needs outside the lock.
struct Delivery {
    post: Post,
    url: String,
    body: Bytes,
    timeout: Duration,
}

/// The way to the receiver of webhooks.
pub(super) enum Receiver {
    /// The server at the webhook's URL.
    Server(reqwest::Client),
    /// A function of this process.
    Process(Router),
}

impl Receiver {
    pub(super) fn new(function: Option<Router>) -> Result<Self, Error> {
        if let Some(function) = function {
            return Ok(Self::Process(function));
        }
        // Webhooks go to the configured receiver and nowhere else.
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Ok(Self::Server(client.build().map_err(Error::Client)?))
    }

    /// Sends a request; its answer's body when that is 2xx.
    async fn ask(&self, request: Request<Bytes>, timeout: Duration) -> Option<Bytes> {
        let asked = async {
            match self {
                Self::Server(client) => {
                    let request = request.try_into().ok()?;
                    let response = client.execute(request).await.map_err(reqwest::Error::without_url);
                    let response = response.inspect_err(|error| {
                        tracing::debug!(%error, "a webhook was not answered");
                    });
                    let response = response.ok().filter(|response| response.status().is_success())?;
                    // The body is read so that the connection can be used again.
                    response.bytes().await.ok()
                }
                Self::Process(function) => {
                    let response = function.clone().oneshot(request.map(Body::from)).await.ok()?;
                    let is_success = response.status().is_success();
                    to_bytes(response.into_body(), usize::MAX).await.ok().filter(|_| is_success)
                }
            }
        };
        tokio::time::timeout(timeout, asked).await.ok().flatten()
    }
}

impl Simulator {
    /// Delivers webhooks until it is dropped. [`Simulator::serve`] runs it already.
    pub async fn run_webhooks(&self) {
        let mut in_flight = FuturesUnordered::new();
        loop {
            let (deliveries, wait) = self.due_webhooks();
            in_flight.extend(deliveries.into_iter().map(|delivery| self.deliver(delivery)));
            let timer = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(()) = in_flight.next() => {}
                () = self.shared.wake.notified() => {}
                () = timer => {}
            }
        }
    }

    /// Waits until every planned webhook is acknowledged.
    pub async fn webhooks_idle(&self) {
        loop {
            let settled = self.shared.settled.notified();
            if self.world().outbox.figures().pending == 0 {
                return;
            }
            settled.await;
        }
    }

    fn due_webhooks(&self) -> (Vec<Delivery>, Option<Duration>) {
        let now_ms = self.now_ms();
        let world = &mut *self.world();
        if templates::announce_approved(world, now_ms) {
            // A deleted template has nothing to announce, so that may have been the last event.
            self.shared.settled.notify_waiters();
        }
        let posts = world.outbox.take(now_ms, &world.settings);
        let timeout = Duration::from_millis(world.settings.webhook_timeout_ms);
        let url = world.webhook_url.clone().unwrap_or_default();
        let deliveries = posts.into_iter().map(|post| {
            let body = body(world, &post.content);
            Delivery { post, url: url.clone(), body, timeout }
        });
        let deliveries = deliveries.collect();
        let due = world.outbox.next_due(&world.settings);
        (deliveries, due.map(|due| Duration::from_millis(due.saturating_sub(now_ms))))
    }

    async fn deliver(&self, delivery: Delivery) {
        let Delivery { post, url, body, timeout } = delivery;
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "facebookexternalua")
            .header("X-Hub-Signature-256", signature(&self.shared.app_secret, &body))
            .body(body);
        let accepted = match request {
            Ok(request) => self.shared.receiver.ask(request, timeout).await.is_some(),
            Err(_) => false,
        };
        self.settle(post, accepted);
    }

    fn settle(&self, post: Post, accepted: bool) {
        let now_ms = self.now_ms();
        let world = &mut *self.world();
        if !accepted {
            world.outbox.failed(post, now_ms, &world.settings);
        } else {
            world.outbox.succeeded(&post);
            match post.content {
                Content::Hook { id, .. } => world.remember(&Line::HookAcknowledged { id }),
                Content::Statuses { steps, .. } => {
                    for (message, step) in &steps {
                        world.ledger.acknowledge(message.seq, *step, now_ms);
                    }
                    let acknowledged = steps.iter().map(|(message, step)| (message.seq, *step)).collect();
                    world.remember(&Line::Statuses { acknowledged, at_ms: now_ms });
                }
            }
        }
        self.shared.settled.notify_waiters();
    }

    /// Makes the verification request of a webhook subscription, and tells whether the receiver
    /// answered with the challenge.
    pub async fn verify_webhook(&self) -> bool {
        let url = self.world().webhook_url.clone().unwrap_or_default();
        let challenge = (self.world().entropy.next_u64() % 10_000_000_000).to_string();
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.challenge", &challenge),
            ("hub.verify_token", &self.shared.verify_token),
        ];
        let Ok(mut url) = url::Url::parse(&url) else { return false };
        url.query_pairs_mut().extend_pairs(query);
        let Ok(request) = Request::get(url.as_str()).body(Bytes::new()) else { return false };
        let timeout = Duration::from_millis(self.world().settings.webhook_timeout_ms);
        self.shared.receiver.ask(request, timeout).await.is_some_and(|answer| answer == challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_the_escaped_bytes() {
        let body = encode(&json!({ "a": "é" }));
        assert_eq!(&body[..], br#"{"a":"\u00e9"}"#);
        // From `openssl dgst -sha256 -hmac secret`.
        let expected = "c0b240d8a0eff6d060a852938278e6857d51c06d9a5be3160043a150e0f5e5b5";
        assert_eq!(signature("secret", &body), format!("sha256={expected}"));
        assert_eq!(&encode(&json!("👍"))[..], br#""\ud83d\udc4d""#);
    }
}
