//! Counting requests per key, and slots of a sender.

use domain::TenantId;
use domain::sender::SenderId;

use crate::item::{Item, Key, n, number};
use crate::repeat::TRIES;
use crate::runner::lease_key;
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// What is known of a sender's turns; nothing, by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderTurns {
    /// Campaigns send from it.
    pub is_leased: bool,
    /// Its slots are taken up to this time, in microseconds since 1970.
    taken_to: Option<i64>,
}

fn slot_key(tenant: &TenantId, sender: &SenderId) -> Key {
    Key::new(Kind::Slot.pk(format_args!("{tenant}#{sender}")), "-")
}

/// The keys of what a [`SenderTurns`] is read from.
pub(crate) fn turn_keys(tenant: &TenantId, sender: &SenderId) -> [Key; 2] {
    [lease_key(tenant, sender), slot_key(tenant, sender)]
}

impl Store {
    /// Counts a request of `key` in the current minute; answers how many there
    /// were, this one included, and the seconds until the next minute.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn count_request(&self, tenant: &TenantId, key: &str, lane: &str) -> Result<(u64, u64)> {
        let now = self.clock().now().as_second();
        let minute = now.div_euclid(60);
        let key = Key::new(Kind::Rate.pk(format_args!("{tenant}#{key}#{lane}")), minute.to_string());
        let update = Update::of(key).add("n", n(1)).set("ttl", n(now + 300));
        let item = self.update_returning(update).await?;
        let left = u64::try_from(60 - now.rem_euclid(60)).unwrap_or(60);
        Ok((number(&item, "n").unwrap_or(0), left))
    }

    /// Whether campaigns use a sender, and how far its slots are taken.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn turn(&self, tenant: &TenantId, sender: &SenderId) -> Result<SenderTurns> {
        let keys = turn_keys(tenant, sender);
        Ok(self.read_turn(&keys, &self.get_many(keys.to_vec()).await?))
    }

    pub(crate) fn read_turn(&self, keys: &[Key; 2], items: &[Item]) -> SenderTurns {
        let [runner, slot] =
            keys.each_ref().map(|key| items.iter().find(|i| Key::of(i).as_ref() == Some(key)));
        let until: Option<i64> = runner.and_then(|item| number(item, "until"));
        SenderTurns {
            is_leased: until.is_some_and(|until| until > self.clock().now_ms()),
            taken_to: slot.and_then(|item| number(item, "tat")),
        }
    }

    /// Takes the next slot of a sender that sends `per_second` messages; answers
    /// how many microseconds away it is, or `None` when it is beyond `horizon_us`.
    ///
    /// GCRA with reservations: slots are disjoint, whoever takes them. Kept in
    /// microseconds, because 12.5 ms (80 per second) is no whole millisecond. While
    /// slots are taken without a break, each is one atomic addition that nobody can
    /// lose against; only the first after a pause may find that another was first. What
    /// is `known` of the slots says which of the two to try first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn take_slot(
        &self,
        tenant: &TenantId,
        sender: &SenderId,
        (per_second, horizon_us): (f64, i64),
        known: SenderTurns,
    ) -> Result<Option<i64>> {
        let key = || slot_key(tenant, sender);
        let now = self.clock().now_us();
        let interval = (1_000_000.0 / per_second.max(0.01)) as i64;
        if known.taken_to.is_none_or(|tat| tat < now)
            && self.start_slots(key(), known.taken_to, now + interval).await?
        {
            return Ok(Some(0));
        }
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
            if self.start_slots(key(), found, now + interval).await? {
                return Ok(Some(0));
            }
        }
        Ok(None)
    }

    /// Takes the first slot after a pause; whether nobody was faster.
    async fn start_slots(&self, key: Key, found: Option<i64>, tat: i64) -> Result<bool> {
        let unused = found.map_or(When::Absent("tat"), |tat| When::Is("tat", n(tat)));
        match self.update(Update::of(key).set("tat", n(tat)).when(unused)).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
