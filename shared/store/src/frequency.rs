//! How many marketing messages a contact got of late: `FREQ#<t>#<contact>`, an item for each
//! month with a counter for each day, of UTC. Only accounts with a cap have them counted.

use std::collections::{BTreeMap, HashMap};

use domain::{ContactId, TenantId};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::item::{Key, n, number};
use crate::update::Update;
use crate::{Kind, Result, Store};

/// How long a month is kept, in seconds: no cap looks back longer than 30 days.
const KEEP_S: i64 = 70 * 86_400;
/// Writes under way at once.
const CONCURRENCY: usize = 32;
/// The counters of a month.
const DAYS: [&str; 31] = [
    "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15", "d16",
    "d17", "d18", "d19", "d20", "d21", "d22", "d23", "d24", "d25", "d26", "d27", "d28", "d29", "d30", "d31",
];

fn key(tenant: &TenantId, contact: ContactId, day: Date) -> Key {
    let month = format!("{:04}-{:02}", day.year(), day.month());
    Key::new(Kind::Frequency.pk(format_args!("{tenant}#{contact}")), month)
}

fn counter(day: Date) -> &'static str {
    let at = usize::try_from(day.day() - 1).unwrap_or(0);
    DAYS.get(at).copied().unwrap_or(DAYS[0])
}

impl Store {
    /// Counts a marketing message to each of these contacts, or takes it back with `-1`.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn count_marketing(&self, tenant: &TenantId, contacts: &[ContactId], by: i64) -> Result<()> {
        let now = self.clock().now();
        let day = now.to_zoned(TimeZone::UTC).date();
        let updates = contacts.iter().map(|contact| {
            let update = Update::of(key(tenant, *contact, day)).add(counter(day), n(by));
            self.update(update.set("ttl", n(now.as_second() + KEEP_S)))
        });
        stream::iter(updates.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// How many marketing messages each contact got in so many days, today included; what
    /// contacts got that became part of one counts for it. Who got none is left out.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn marketing_of_days(
        &self,
        tenant: &TenantId,
        contacts: &[(ContactId, Vec<ContactId>)],
        days: u32,
    ) -> Result<HashMap<ContactId, u64>> {
        let today = self.clock().now().to_zoned(TimeZone::UTC).date();
        let back = (0..i64::from(days)).filter_map(|ago| today.checked_sub(Span::new().days(ago)).ok());
        let mut wanted: HashMap<Key, (ContactId, Vec<&'static str>)> = HashMap::new();
        let mut months: BTreeMap<(i16, i8), (Date, Vec<&'static str>)> = BTreeMap::new();
        for day in back {
            let month = months.entry((day.year(), day.month())).or_insert_with(|| (day, Vec::new()));
            month.1.push(counter(day));
        }
        for (contact, absorbed) in contacts {
            for id in std::iter::once(contact).chain(absorbed) {
                for (day, counters) in months.values() {
                    wanted.insert(key(tenant, *id, *day), (*contact, counters.clone()));
                }
            }
        }
        let mut counts: HashMap<ContactId, u64> = HashMap::new();
        for item in self.get_many(wanted.keys().cloned().collect()).await? {
            let Some((owner, counters)) = Key::of(&item).and_then(|key| wanted.get(&key)) else { continue };
            let sum: i64 = counters.iter().filter_map(|day| number::<i64>(&item, day)).sum();
            *counts.entry(*owner).or_default() += u64::try_from(sum).unwrap_or(0);
        }
        Ok(counts)
    }
}
