//! Which campaigns are being counted by a worker.
//!
//! One item per campaign, beside its reports: `REPORT#<t>#<campaign>` under `counts`.
//! The worker's jobs follow each other; each takes the next run number, so that of
//! two copies one goes on. A chain that was silent for [`SILENCE_MS`] is taken for
//! dead.

use domain::{CampaignId, TenantId};

use crate::item::{Key, n, number};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// After this long without a word a chain is taken for dead, in milliseconds: longer
/// than from one run to the next.
pub const SILENCE_MS: i64 = 90_000;
/// How often it is written down that somebody asks, in milliseconds.
const ASKED_EVERY_MS: i64 = 60_000;
/// How long what was written down is kept, in seconds.
const KEEP_S: i64 = 86_400;

fn key(tenant: &TenantId, campaign: CampaignId) -> Key {
    Key::new(Kind::Report.pk(format_args!("{tenant}#{campaign}")), "counts")
}

impl Store {
    /// Asks for a campaign to be counted. `true` tells the one of several who ask to
    /// queue the first job, for run 0.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn want_recount(&self, tenant: &TenantId, campaign: CampaignId) -> Result<bool> {
        let now = self.clock().now();
        let (now_ms, ttl) = (now.as_millisecond(), now.as_second() + KEEP_S);
        let known = self.get_item(&key(tenant, campaign)).await?.unwrap_or_default();
        let since = |name| now_ms - number::<i64>(&known, name).unwrap_or(0);
        if since("beat") < SILENCE_MS && since("asked") < ASKED_EVERY_MS {
            return Ok(false);
        }
        let asked = Update::of(key(tenant, campaign)).set("asked", n(now_ms)).set("ttl", n(ttl));
        let begin = asked.clone().set("beat", n(now_ms)).set("run", n(0));
        match self.update(begin.when(When::AbsentOrAtMost("beat", n(now_ms - SILENCE_MS)))).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict) => self.update(asked).await.map(|()| false),
            Err(error) => Err(error),
        }
    }

    /// Begins the run behind `run`; answers when somebody last asked, in milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another run was faster.
    pub async fn take_recount(&self, tenant: &TenantId, campaign: CampaignId, run: u64) -> Result<i64> {
        let update = Update::of(key(tenant, campaign))
            .set("run", n(run + 1))
            .set("beat", n(self.clock().now_ms()))
            .when(When::Is("run", n(run)));
        Ok(number(&self.update_returning(update).await?, "asked").unwrap_or(0))
    }

    /// Says that a run is alive.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another chain was begun.
    pub async fn beat_recount(&self, tenant: &TenantId, campaign: CampaignId, run: u64) -> Result<()> {
        let update = Update::of(key(tenant, campaign)).set("beat", n(self.clock().now_ms()));
        self.update(update.when(When::Is("run", n(run)))).await
    }

    /// Ends the chain: everything is counted.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn end_recount(&self, tenant: &TenantId, campaign: CampaignId, run: u64) -> Result<()> {
        let update = Update::of(key(tenant, campaign)).remove("beat").remove("run").remove("asked");
        match self.update(update.when(When::Is("run", n(run)))).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
