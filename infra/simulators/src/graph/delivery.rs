//! The loop that delivers webhooks, and the verification of their receiver.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use http::{Request, header};

use super::{
    simulator::Simulator,
    state::{
        journal::Line,
        outbox::{Content, Post},
    },
    templates,
    webhooks::{body, signature},
};

/// A request with everything it needs outside the lock.
struct Delivery {
    post: Post,
    url: String,
    body: Bytes,
    timeout: Duration,
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
