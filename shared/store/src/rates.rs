//! Counting requests per key, and slots of a sender.

use domain::TenantId;
use domain::sender::SenderId;

use crate::batch::TRIES;
use crate::item::{Key, n, number};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

impl Store {
    /// Counts a request of `key` in the current minute; answers how many there
    /// were, this one included, and the seconds until the next minute.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn count_request(&self, tenant: &TenantId, key: &str, lane: &str) -> Result<(u64, u64)> {
        let now = self.clock().now().as_second();
        let minute = now.div_euclid(60);
        let key = Key::new(format!("RATE#{tenant}#{key}#{lane}"), minute.to_string());
        let update = Update::of(key).add("n", n(1)).set("ttl", n(now + 300));
        let item = self.update_returning(update).await?;
        let left = u64::try_from(60 - now.rem_euclid(60)).unwrap_or(60);
        Ok((number(&item, "n").unwrap_or(0), left))
    }

    /// Takes the next slot of a sender that sends `per_second` messages; answers
    /// how many microseconds away it is, or `None` when it is beyond `horizon_us`.
    ///
    /// GCRA with reservations: slots are disjoint, whoever takes them. Kept in
    /// microseconds, because 12.5 ms (80 per second) is no whole millisecond. While
    /// slots are taken without a break, each is one atomic addition that nobody can
    /// lose against; only the first after a pause may find that another was first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn take_slot(
        &self,
        tenant: &TenantId,
        sender: &SenderId,
        per_second: f64,
        horizon_us: i64,
    ) -> Result<Option<i64>> {
        let key = || Key::new(format!("SLOT#{tenant}#{sender}"), "-");
        let now = self.clock().now_us();
        let interval = (1_000_000.0 / per_second.max(0.01)) as i64;
        for _ in 0..TRIES {
            let next = Update::of(key())
                .add("tat", n(interval))
                .when(When::AtLeast("tat", n(now)))
                .when(When::AtMost("tat", n(now.saturating_add(horizon_us))));
            let found = match self.update_or_see(next).await? {
                Ok(item) => {
                    let taken: i64 = number(&item, "tat").ok_or(Error::Corrupt { kind: "slot" })?;
                    return Ok(Some(taken - interval - now));
                }
                Err(item) => number::<i64>(&item, "tat"),
            };
            if found.is_some_and(|tat| tat > now.saturating_add(horizon_us)) {
                return Ok(None);
            }
            // It was taken up since: the next one is an addition.
            if found.is_some_and(|tat| tat >= now) {
                continue;
            }
            let unused = found.map_or(When::Absent("tat"), |tat| When::Is("tat", n(tat)));
            match self.update(Update::of(key()).set("tat", n(now + interval)).when(unused)).await {
                Ok(()) => return Ok(Some(0)),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
