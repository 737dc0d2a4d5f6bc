//! What has to be looked at later: one item per campaign that is scheduled or
//! under way, in a global index by time.

use domain::{CampaignId, TenantId};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Key, Query, compose, read, text};
use crate::update::When;
use crate::{Error, Result, Store, sha256_hex};

/// Partitions of the index.
const SHARDS: u8 = 4;

/// A campaign that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its tenant.
    pub tenant: TenantId,
    /// The campaign.
    pub campaign: CampaignId,
    /// When it was due, in milliseconds since 1970.
    pub at_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct DueItem {
    tenant: String,
    campaign: u64,
    at: i64,
}

fn key(due: &Due) -> Key {
    let hash = sha256_hex(format!("{}#{}", due.tenant, due.campaign));
    let shard = u8::from_str_radix(&hash[..2], 16).unwrap_or(0) % SHARDS;
    Key::new(format!("DUE#{shard}"), format!("{:013}#{}#{}", due.at_ms, due.tenant, due.campaign))
}

pub(crate) fn put_action(due: &Due) -> Result<Action> {
    let item = DueItem { tenant: due.tenant.to_string(), campaign: due.campaign.0, at: due.at_ms };
    Ok(Action::Put(compose(&key(due), "due", &item)?, Vec::new()))
}

impl Store {
    /// Puts a campaign into the index.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn watch(&self, due: &Due) -> Result<()> {
        self.transact(vec![put_action(due)?]).await
    }

    /// Moves a campaign to a later time, or out of the index. Of two who try,
    /// one succeeds.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else moved it.
    pub async fn settle_due(&self, due: &Due, later_ms: Option<i64>) -> Result<()> {
        let mut actions = vec![Action::Delete(key(due), vec![When::Exists])];
        if let Some(at_ms) = later_ms {
            actions.push(put_action(&Due { at_ms, ..due.clone() })?);
        }
        self.transact(actions).await
    }

    /// What is due by now, at most `limit` of each shard.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn due(&self, limit: usize) -> Result<Vec<Due>> {
        let until = format!("{:013}~", self.clock().now_ms());
        let shards = (0..SHARDS).map(|shard| {
            let query = Query {
                pk: format!("DUE#{shard}"),
                until: Some(until.clone()),
                limit: Some(limit),
                ..Query::default()
            };
            async move { self.query(&query).await }
        });
        let mut due = Vec::new();
        for item in try_join_all(shards).await?.into_iter().flatten() {
            let known = text(&item, "type").as_deref() == Some("due");
            if known {
                let item: DueItem = read(item, "due")?;
                let tenant = item.tenant.parse().map_err(|_| Error::Corrupt { kind: "due" })?;
                due.push(Due { tenant, campaign: CampaignId(item.campaign), at_ms: item.at });
            }
        }
        Ok(due)
    }
}
