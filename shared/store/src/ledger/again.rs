//! Sending again what failed, or what nobody knows of, by the owner's word.

use std::time::Duration;

use domain::outcome::Reason;
use domain::recipient::State;
use domain::{CampaignId, TenantId};

use super::{MAYBE_SENT, REFUSED, Row, block_pk, from_item, row_key};
use crate::item::{Item, Query, n, number, s};
use crate::update::{Update, When};
use crate::{Result, Store};

/// A status may still settle what is unknown for less than this.
const GRACE: Duration = Duration::from_secs(60);
/// Meta's limit of marketing messages per person: not again within 24 hours
/// (<https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>).
const CAPPED: i64 = 131_049;
/// How long a person stays capped.
const CAP: Duration = Duration::from_secs(24 * 60 * 60);

/// Whom an order to send again is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Who was refused.
    Failed,
    /// Who may have been sent to, or not.
    Unknown,
}

impl Which {
    /// As APIs and items spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Reads what [`Which::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Failed, Self::Unknown].into_iter().find(|which| which.as_str() == text)
    }

    /// What stays true of a recipient who is put back.
    fn mark(self) -> &'static str {
        match self {
            Self::Failed => REFUSED,
            Self::Unknown => MAYBE_SENT,
        }
    }

    /// The state that the order takes recipients out of.
    pub fn state(self) -> State {
        match self {
            Self::Failed => State::Failed,
            Self::Unknown => State::Unknown,
        }
    }
}

/// A recipient of a block with what decides when it may be sent to again.
struct Candidate {
    row: Row,
    at_ms: i64,
}

impl Store {
    /// Puts the recipients of one block back that the order `again` is about, each at
    /// most once for an order; answers how many the order put back by now. An unknown one waits until a status
    /// could have settled it, one that reached Meta's cap until the cap is over.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer: do it again.
    pub async fn put_back(
        &self,
        tenant: &TenantId,
        campaign: CampaignId,
        block: u64,
        which: Which,
        again: u64,
    ) -> Result<u64> {
        let values =
            Item::from([(":rank".to_owned(), n(which.state().rank())), (":again".to_owned(), n(again))]);
        let filter = "rk = :rank OR again = :again".to_owned();
        let pk = block_pk(tenant, campaign, block);
        let query = Query { pk, filter: Some((filter, values)), ..Query::default() };
        let found = self.query(&query).await?;
        let is_done = |item: &&Item| number::<u64>(item, "again") == Some(again);
        let open = found.iter().filter(|item| !is_done(item));
        let candidates: Result<Vec<Candidate>> = open.map(|item| self.candidate(item, which)).collect();
        let statements: Result<Vec<_>> = candidates?
            .into_iter()
            .map(|Candidate { row, at_ms }| {
                let update = Update::of(row_key(tenant, campaign, row.contact))
                    .set("state", s(State::Pending.as_str()))
                    .set("rk", n(State::Pending.rank()))
                    .set("retry", n(at_ms))
                    .set("fails", n(0))
                    .set("again", n(again))
                    .set(which.mark(), n(1))
                    .when(When::Is("att", n(row.attempt)))
                    .when(When::Is("rk", n(which.state().rank())));
                // Nothing of the earlier attempt is true of the next one.
                let earlier = ["reason", "wamid", "held", "acc", "snt", "fld", "lost"];
                earlier.into_iter().fold(update, Update::remove).into_statement(self.table())
            })
            .collect();
        self.execute(statements?).await?;
        Ok(found.len() as u64)
    }

    fn candidate(&self, item: &Item, which: Which) -> Result<Candidate> {
        let (row, now) = (from_item(item)?, self.clock().now_ms());
        let after = |since: Option<i64>, pause: Duration| {
            let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            since.map_or(now, |since| since.saturating_add(pause)).max(now)
        };
        let at_ms = match which {
            Which::Unknown => after(number(item, "lost"), GRACE),
            Which::Failed if row.progress.reason.as_ref().and_then(Reason::meta_code) == Some(CAPPED) => {
                after(row.progress.failed_at, CAP)
            }
            Which::Failed => now,
        };
        Ok(Candidate { row, at_ms })
    }
}
