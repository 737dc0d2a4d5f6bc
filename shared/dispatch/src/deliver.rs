//! Events on their first way to an endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use domain::TenantId;
use domain::webhook::{EndpointHealth, EndpointId};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use queue::Text;
use store::webhooks::{Claimed, Delivery, DeliveryProgress, EndpointState, EventClaim};

use crate::WebhookDispatcher;
use crate::call::{AT_ONCE, Called, SigningEndpoint};
use crate::verdict::Verdict;
use ops::events::DeliveryJob;
use ops::{Code, Error, Result};

/// Results that are written together.
const WRITTEN_AT_ONCE: usize = 25;
/// Whoever took an event on this long ago did not come to an end. Longer than a call
/// may take.
const CLAIM_FOR: Duration = Duration::from_secs(60);
/// How long a slow endpoint is left alone, in times of what makes it slow.
const SLOW_FOR: u32 = 3;

/// A job of a batch of the queue `webhook`.
#[derive(Debug, Clone)]
pub struct BatchItem {
    /// Names it in the answer.
    pub index: usize,
    /// The event, and its endpoint.
    pub job: DeliveryJob,
}

/// A delivery of this batch, with what is sent.
struct Sending {
    delivery: Delivery,
    body: Bytes,
}

impl WebhookDispatcher {
    /// Sends events to endpoints, each at most once at a time. Answers which of
    /// them must come again, by index.
    pub async fn deliver(&self, items: Vec<BatchItem>) -> Vec<usize> {
        let mut groups: BTreeMap<(TenantId, EndpointId), Vec<BatchItem>> = BTreeMap::new();
        for item in items {
            groups.entry((item.job.tenant.clone(), item.job.endpoint)).or_default().push(item);
        }
        let deliveries = groups.into_iter().map(|((tenant, endpoint), items)| async move {
            let all: Vec<usize> = items.iter().map(|item| item.index).collect();
            match Box::pin(self.deliver_to(&tenant, endpoint, items)).await {
                Ok(again) => again,
                // Others are at the same endpoint; nothing is wrong with it or with us.
                Err(Error { code: Code::Conflict, .. }) => {
                    tracing::info!(%tenant, %endpoint, "events come again: their endpoint is busy");
                    all
                }
                Err(error) => {
                    tracing::error!(%tenant, %endpoint, code = error.code.as_str(), "events could not be sent");
                    all
                }
            }
        });
        join_all(deliveries).await.into_iter().flatten().collect()
    }

    async fn deliver_to(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        items: Vec<BatchItem>,
    ) -> Result<Vec<usize>> {
        let Some((endpoint, keys)) = self.store.endpoint_with_keys(tenant, id).await? else {
            return Ok(Vec::new());
        };
        if !endpoint.on {
            return Ok(Vec::new());
        }
        let target = SigningEndpoint { tenant: tenant.clone(), endpoint, keys };
        let (state, taken, again) = self.take(&target, items).await?;
        if taken.is_empty() {
            return Ok(again);
        }
        if state.holds(self.store.clock().now_ms()) {
            self.hold(&target, taken).await?;
        } else {
            self.send(&target, &state, taken).await?;
        }
        Ok(again)
    }

    /// Takes on what nobody else has. Answers also the indexes of what somebody
    /// else is at, which must come again.
    async fn take(
        &self,
        target: &SigningEndpoint,
        items: Vec<BatchItem>,
    ) -> Result<(EndpointState, Vec<(u64, BatchItem)>, Vec<usize>)> {
        let (store, tenant, id) = (&self.store, &target.tenant, target.endpoint.id);
        let mut seen = BTreeMap::new();
        let mut unique = Vec::new();
        let mut twins = Vec::new();
        for item in items {
            match seen.get(&item.job.event) {
                Some(first) => twins.push((*first, item.index)),
                None => {
                    seen.insert(item.job.event.clone(), item.index);
                    unique.push(item);
                }
            }
        }
        let (first, state) = store.take_sequence(tenant, id, unique.len() as u64).await?;
        let claims: Vec<EventClaim> = (first..)
            .zip(&unique)
            .map(|(sequence, item)| EventClaim { event: item.job.event.clone(), sequence })
            .collect();
        let claimed = store.claim_events(tenant, id, &claims).await?;
        let (mut taken, mut known) = (Vec::new(), Vec::new());
        for ((claim, claimed), item) in claims.into_iter().zip(claimed).zip(unique) {
            match claimed {
                Claimed::New => taken.push((claim.sequence, item)),
                Claimed::Known { sequence, at_ms } => known.push((sequence, at_ms, item)),
            }
        }
        let mut again = self.take_known(target, known, &mut taken).await?;
        again.extend(
            twins
                .iter()
                .filter(|(first, _)| again.contains(first))
                .map(|(_, twin)| *twin)
                .collect::<Vec<_>>(),
        );
        Ok((state, taken, again))
    }

    /// What came before: done, under way, or left behind by somebody who is gone.
    async fn take_known(
        &self,
        target: &SigningEndpoint,
        known: Vec<(u64, i64, BatchItem)>,
        taken: &mut Vec<(u64, BatchItem)>,
    ) -> Result<Vec<usize>> {
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let (store, tenant, id) = (&self.store, &target.tenant, target.endpoint.id);
        let rows = store.deliveries_of(tenant, id, known.iter().map(|(sequence, ..)| *sequence)).await?;
        let there: BTreeSet<u64> = rows.iter().map(|row| row.sequence).collect();
        if rows.iter().any(|row| row.progress == DeliveryProgress::Waiting) {
            // Whoever let it wait may have gone before it was to be looked at.
            self.look_at(tenant, id, self.store.clock().now_ms() + 5_000).await?;
        }
        let mut again = Vec::new();
        for (sequence, at_ms, item) in known {
            if there.contains(&sequence) {
                continue;
            }
            let held = i64::try_from(CLAIM_FOR.as_millis()).unwrap_or(i64::MAX);
            let left_behind = store.clock().now_ms() - at_ms >= held;
            let ours = match left_behind {
                true => store.take_over(tenant, id, &item.job.event, at_ms).await,
                false => Err(store::Error::Conflict),
            };
            match ours {
                Ok(()) => taken.push((sequence, item)),
                // A copy of the job comes when the other had its time: coming again as the
                // same job, it would be given up after some times.
                Err(store::Error::Conflict) => {
                    if self.queues.later(item.job.into(), 0, CLAIM_FOR).await.is_err() {
                        again.push(item.index);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(again)
    }

    /// Lets events wait: the endpoint is down, slow or disabled.
    async fn hold(&self, target: &SigningEndpoint, taken: Vec<(u64, BatchItem)>) -> Result<()> {
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        let mut rows: Vec<Delivery> = self.rows(taken).await?.into_iter().map(|s| s.delivery).collect();
        for row in &mut rows {
            row.progress = DeliveryProgress::Waiting;
        }
        let waiting = rows.iter().map(|row| store::webhooks::Waiting {
            sequence: row.sequence,
            failures: 0,
            next_ms: 0,
        });
        self.store.set_waiting(tenant, id, &waiting.collect::<Vec<_>>()).await?;
        self.store.write_deliveries(tenant, id, &rows).await?;
        self.look_at(tenant, id, self.store.clock().now_ms() + 5_000).await
    }

    /// Deliveries of what was taken on. An event of ours gets its number into its
    /// body; a forwarded body stays as it came.
    async fn rows(&self, taken: Vec<(u64, BatchItem)>) -> Result<Vec<Sending>> {
        let at_ms = self.store.clock().now_ms();
        let mut texts = Vec::with_capacity(taken.len());
        let mut bytes = Vec::with_capacity(taken.len());
        for (sequence, item) in &taken {
            let text = match &item.job.body {
                Text::Inline(text) if item.job.kind.is_ours() => Text::Inline(numbered(text, *sequence)),
                text @ (Text::Inline(_) | Text::Stored { .. }) => text.clone(),
            };
            bytes.push(self.bodies.text(&text).await?);
            texts.push(text);
        }
        let bodies = self.bodies.keep(&self.store, texts).await?;
        let rows =
            taken.into_iter().zip(bodies).zip(bytes).map(|(((sequence, item), body), bytes)| Sending {
                body: bytes,
                delivery: Delivery {
                    sequence,
                    event: item.job.event,
                    kind: item.job.kind,
                    at_ms,
                    body,
                    signature: item.job.signature,
                    progress: DeliveryProgress::Delivered,
                    attempts: 0,
                    last: None,
                },
            });
        Ok(rows.collect())
    }

    /// Calls the endpoint with each, and writes down what came of it as it comes.
    async fn send(
        &self,
        target: &SigningEndpoint,
        state: &EndpointState,
        taken: Vec<(u64, BatchItem)>,
    ) -> Result<()> {
        let rows = self.rows(taken).await?;
        let calls = stream::iter(rows).map(|row| async move {
            let called = self.call(target, &row.delivery, row.body.clone()).await;
            (row.delivery, called)
        });
        let written = calls
            .buffer_unordered(AT_ONCE)
            .ready_chunks(WRITTEN_AT_ONCE)
            .map(|results| self.write_first(target, results))
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<Result<Verdict>>>();
        let verdicts = self.watched(target, written).await;
        let mut sum = Verdict::default();
        let mut failure = None;
        for verdict in verdicts {
            match verdict {
                Ok(verdict) => sum = sum.and(verdict),
                Err(error) => failure = Some(error),
            }
        }
        if sum.failed > 0 || state.health != EndpointHealth::default() {
            self.settle(target, &sum).await?;
        }
        failure.map_or(Ok(()), Err)
    }

    /// Marks the endpoint as slow for as long as it lets us wait: what comes in
    /// meanwhile is not sent, so that it does not hold up others.
    async fn watched<T>(&self, target: &SigningEndpoint, work: impl Future<Output = T>) -> T {
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(self.pace.slow_after) => {}
            }
            let slow = i64::try_from((self.pace.slow_after * SLOW_FOR).as_millis()).unwrap_or(0);
            let until = self.store.clock().now_ms() + slow;
            let marked = self.store.change_state(tenant, id, |state| {
                (state.slow_until_ms < until - slow / 2)
                    .then_some(EndpointState { slow_until_ms: until, ..*state })
            });
            // The work goes on while the mark is written.
            tokio::select! {
                done = &mut work => return done,
                marked = marked => if let Err(error) = marked {
                    tracing::warn!(%error, "a slow endpoint could not be marked");
                },
            }
        }
    }

    async fn write_first(
        &self,
        target: &SigningEndpoint,
        results: Vec<(Delivery, Called)>,
    ) -> Result<Verdict> {
        let (tenant, id) = (&target.tenant, target.endpoint.id);
        let (rows, noted) = self.judge(results.into_iter().map(|(delivery, called)| (delivery, 0, called)));
        self.store.write_attempts(tenant, id, &noted.attempts).await?;
        self.store.set_waiting(tenant, id, &noted.waiting).await?;
        self.store.write_deliveries(tenant, id, &rows).await?;
        Ok(noted.verdict)
    }
}

/// Puts the number into the body of an event, as its first field.
pub(crate) fn numbered(body: &str, sequence: u64) -> String {
    match body.strip_prefix('{') {
        Some(rest) => format!("{{\"sequence\":{sequence},{rest}"),
        None => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_a_field_of_the_body() {
        let body = numbered(r#"{"id":"evt_1","data":{}}"#, 7);
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&read["sequence"], &read["id"]), (&7.into(), &"evt_1".into()));
    }
}
