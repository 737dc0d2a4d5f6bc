//! What has to be looked at later, in a global index by time: one item per
//! campaign that is scheduled or under way, one per endpoint that events wait for,
//! one per single message that is being sent, and one per run of a flow that waits.

use domain::webhook::EndpointId;
use domain::{AccountId, CampaignId, ContactId, MessageId, TenantId};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Key, Query, compose, read, text};
use crate::update::When;
use crate::{Error, Kind, Result, Store, sha256_hex};

/// Partitions of the index.
const SHARDS: u8 = 4;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// A campaign.
    Campaign(CampaignId),
    /// An endpoint that events wait for.
    Endpoint(EndpointId),
    /// A single message that is about to be sent.
    Message(AccountId, MessageId),
    /// A contact's run through a flow, that waits for a time or for an answer.
    Run(ContactId, MessageId),
    /// The credits of a sub-account: campaigns that wait for some may go on.
    Credits,
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its tenant.
    pub tenant: TenantId,
    /// What it is.
    pub what: Watched,
    /// When it was due, in milliseconds since 1970.
    pub at_ms: i64,
}

#[derive(Default, Serialize, Deserialize)]
struct DueItem {
    tenant: String,
    campaign: Option<u64>,
    endpoint: Option<u64>,
    #[serde(default)]
    account: Option<u64>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    contact: Option<u64>,
    #[serde(default)]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    credits: bool,
    at: i64,
}

impl Watched {
    /// Its part of a sort key.
    fn name(self) -> String {
        match self {
            Self::Campaign(id) => id.to_string(),
            Self::Endpoint(id) => format!("w{id}"),
            Self::Message(_, id) => format!("m{id}"),
            Self::Run(_, id) => format!("r{id}"),
            Self::Credits => "credits".to_owned(),
        }
    }
}

fn key(due: &Due) -> Key {
    let name = due.what.name();
    let hash = sha256_hex(format!("{}#{name}", due.tenant));
    let shard = u8::from_str_radix(&hash[..2], 16).unwrap_or(0) % SHARDS;
    Key::new(Kind::Due.pk(shard), format!("{:013}#{}#{name}", due.at_ms, due.tenant))
}

pub(crate) fn put_action(due: &Due) -> Result<Action> {
    let mut item = DueItem { tenant: due.tenant.to_string(), at: due.at_ms, ..DueItem::default() };
    match due.what {
        Watched::Campaign(id) => item.campaign = Some(id.0),
        Watched::Endpoint(id) => item.endpoint = Some(id.0),
        Watched::Message(account, id) => {
            (item.account, item.message) = (Some(account.0), Some(id.to_string()));
        }
        Watched::Run(contact, id) => (item.contact, item.run) = (Some(contact.0), Some(id.to_string())),
        Watched::Credits => item.credits = true,
    }
    Ok(Action::Put(compose(&key(due), "due", &item)?, Vec::new()))
}

/// Takes something out of the index, if it is there.
pub(crate) fn drop_action(due: &Due) -> Action {
    Action::Delete(key(due), Vec::new())
}

fn from_item(item: DueItem) -> Option<Due> {
    let campaign = item.campaign.map(|id| Watched::Campaign(CampaignId(id)));
    let endpoint = item.endpoint.map(|id| Watched::Endpoint(EndpointId(id)));
    let message = || Some(Watched::Message(AccountId(item.account?), item.message?.parse().ok()?));
    let run = || Some(Watched::Run(ContactId(item.contact?), item.run?.parse().ok()?));
    let credits = item.credits.then_some(Watched::Credits);
    let what = campaign.or(endpoint).or(credits).or_else(message).or_else(run)?;
    Some(Due { tenant: item.tenant.parse().ok()?, what, at_ms: item.at })
}

impl Store {
    /// Puts something into the index.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn watch(&self, due: &Due) -> Result<()> {
        self.transact(vec![put_action(due)?]).await
    }

    /// Moves something to a later time, or out of the index. Of two who try,
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

    /// Takes something out of the index, whether it is there or not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_due(&self, due: &Due) -> Result<()> {
        self.delete(&key(due)).await
    }

    /// What is due by now, at most `limit` of each shard.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn due(&self, limit: usize) -> Result<Vec<Due>> {
        let until = format!("{:013}~", self.clock().now_ms());
        let shards = (0..SHARDS).map(|shard| {
            let query = Query {
                pk: Kind::Due.pk(shard),
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
                due.push(from_item(read(item, "due")?).ok_or(Error::Corrupt { kind: "due" })?);
            }
        }
        Ok(due)
    }
}
