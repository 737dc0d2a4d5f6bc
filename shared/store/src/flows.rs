//! Bot flows: `FLOW#<tenant>` under their ids, which are in the order of time, and one item
//! with the triggers of all, so that whoever hears a message reads what may start in one
//! request.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, MutexGuard, PoisonError};

use domain::webhook::SigningSecret;
use domain::{AccountId, Secret, TenantId};
use flows::{Definition, Trigger};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Key, Query, compose, read};
use crate::update::When;
use crate::{Error, Kind, Result, Store};

/// Most flows of a tenant.
pub const MAX_FLOWS: usize = 100;
/// Most flows that a process remembers.
const REMEMBERED: usize = 128;
/// The sort key of the triggers; ids begin with a digit.
const TRIGGERS: &str = "triggers";

/// A flow.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFlow {
    /// Its id.
    pub id: String,
    /// How often it was saved.
    pub version: u32,
    /// The account whose contacts start it by what they do; any of the tenant otherwise.
    pub account: Option<AccountId>,
    /// What it is.
    pub definition: Definition,
    /// What its calls are signed with.
    pub secret: SealedSecret,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was saved last, in milliseconds since 1970.
    pub updated_ms: i64,
}

/// A secret as it lies in the table.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(String);

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedSecret(***)")
    }
}

/// What starts a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The flow.
    pub flow: String,
    /// The account whose contacts start it; any otherwise.
    pub account: Option<u64>,
    /// What they do.
    pub trigger: Trigger,
}

#[derive(Serialize, Deserialize)]
struct FlowItem {
    id: String,
    ver: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<u64>,
    definition: String,
    key: String,
    created: i64,
    updated: i64,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct TriggersItem {
    /// Counts changes.
    ver: u64,
    /// All flows with their versions, those without a trigger included.
    flows: BTreeMap<String, u32>,
    starts: String,
}

/// The triggers of all flows, as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Starts {
    version: u64,
    flows: BTreeMap<String, u32>,
    /// What starts which flow.
    pub all: Vec<Start>,
}

/// Flows of any tenant that were asked for of late, each in one version.
#[derive(Default)]
pub(crate) struct FlowMemory(HashMap<(TenantId, String), Arc<StoredFlow>>);

impl std::fmt::Debug for FlowMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowMemory").field("flows", &self.0.len()).finish_non_exhaustive()
    }
}

impl FlowMemory {
    fn of(&self, tenant: &TenantId, id: &str, version: u32) -> Option<Arc<StoredFlow>> {
        let found = self.0.get(&(tenant.clone(), id.to_owned()));
        found.filter(|flow| flow.version == version).cloned()
    }

    fn keep(&mut self, tenant: &TenantId, flow: Arc<StoredFlow>) {
        // Whoever asks for more begins anew: what is asked for often is there again at once.
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert((tenant.clone(), flow.id.clone()), flow);
    }
}

fn key(tenant: &TenantId, id: &str) -> Key {
    Key::new(Kind::Flow.pk(tenant), id)
}

/// Where the triggers of all flows are.
pub(crate) fn triggers_key(tenant: &TenantId) -> Key {
    key(tenant, TRIGGERS)
}

impl TryFrom<TriggersItem> for Starts {
    type Error = Error;

    fn try_from(item: TriggersItem) -> Result<Self> {
        let all = serde_json::from_str(&item.starts).map_err(|_| Error::Corrupt { kind: "triggers" })?;
        Ok(Self { version: item.ver, flows: item.flows, all })
    }
}

fn from_item(item: FlowItem) -> Result<StoredFlow> {
    let definition = serde_json::from_str(&item.definition).map_err(|_| Error::Corrupt { kind: "flow" })?;
    Ok(StoredFlow {
        id: item.id,
        version: item.ver,
        account: item.account.map(AccountId),
        definition,
        secret: SealedSecret(item.key),
        created_ms: item.created,
        updated_ms: item.updated,
    })
}

fn put(tenant: &TenantId, flow: &StoredFlow, when: When) -> Result<Action> {
    let definition = serde_json::to_string(&flow.definition).map_err(|_| Error::Corrupt { kind: "flow" })?;
    let item = FlowItem {
        id: flow.id.clone(),
        ver: flow.version,
        account: flow.account.map(|account| account.0),
        definition,
        key: flow.secret.0.clone(),
        created: flow.created_ms,
        updated: flow.updated_ms,
    };
    Ok(Action::Put(compose(&key(tenant, &flow.id), "flow", &item)?, vec![when]))
}

impl Starts {
    /// How many flows there are.
    pub fn flows(&self) -> usize {
        self.flows.len()
    }

    fn without(mut self, id: &str) -> Self {
        self.flows.remove(id);
        self.all.retain(|start| start.flow != id);
        self
    }

    fn with(self, flow: &StoredFlow) -> Self {
        let mut starts = self.without(&flow.id);
        starts.flows.insert(flow.id.clone(), flow.version);
        starts.all.extend(flow.definition.triggers.iter().map(|trigger| Start {
            flow: flow.id.clone(),
            account: flow.account.map(|account| account.0),
            trigger: trigger.clone(),
        }));
        starts
    }

    /// Written in the place of those that were read.
    fn put(self, tenant: &TenantId) -> Result<Action> {
        let starts = serde_json::to_string(&self.all).map_err(|_| Error::Corrupt { kind: "triggers" })?;
        let item = TriggersItem { ver: self.version + 1, flows: self.flows, starts };
        let when = match self.version {
            0 => When::Absent("pk"),
            version => When::Is("ver", crate::item::n(version)),
        };
        Ok(Action::Put(compose(&triggers_key(tenant), "triggers", &item)?, vec![when]))
    }
}

impl Store {
    /// Writes a new flow down, beside the triggers of the others.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the flows changed since `starts` were read.
    pub async fn create_flow(&self, tenant: &TenantId, flow: &StoredFlow, starts: Starts) -> Result<()> {
        let actions = vec![put(tenant, flow, When::Absent("pk"))?, starts.with(flow).put(tenant)?];
        self.transact(actions).await
    }

    /// Writes a flow in the place of the version before it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the flows changed since they were read.
    pub async fn replace_flow(&self, tenant: &TenantId, flow: &StoredFlow, starts: Starts) -> Result<()> {
        let before = When::Is("ver", crate::item::n(flow.version.saturating_sub(1)));
        let actions = vec![put(tenant, flow, before)?, starts.with(flow).put(tenant)?];
        self.transact(actions).await
    }

    /// Deletes a flow. Runs of it end when they are looked at next.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the flows changed since they were read, or it is gone.
    pub async fn delete_flow(&self, tenant: &TenantId, id: &str, starts: Starts) -> Result<()> {
        let delete = Action::Delete(key(tenant, id), vec![When::Exists]);
        self.transact(vec![delete, starts.without(id).put(tenant)?]).await
    }

    /// One flow.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn flow(&self, tenant: &TenantId, id: &str) -> Result<Option<StoredFlow>> {
        if id == TRIGGERS {
            return Ok(None);
        }
        self.get::<FlowItem>(&key(tenant, id), "flow").await?.map(from_item).transpose()
    }

    /// One flow in the version that `starts` know of. Versions never change, and are remembered
    /// in memory: a flow may be large, and is asked for with every message.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn known_flow(
        &self,
        tenant: &TenantId,
        id: &str,
        starts: &Starts,
    ) -> Result<Option<Arc<StoredFlow>>> {
        let Some(version) = starts.flows.get(id) else { return Ok(None) };
        if let Some(found) = self.remembered().of(tenant, id, *version) {
            return Ok(Some(found));
        }
        let Some(flow) = self.flow(tenant, id).await?.map(Arc::new) else { return Ok(None) };
        self.remembered().keep(tenant, flow.clone());
        Ok(Some(flow))
    }

    fn remembered(&self) -> MutexGuard<'_, FlowMemory> {
        self.flow_memory().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All flows of a tenant, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn flows(&self, tenant: &TenantId) -> Result<Vec<StoredFlow>> {
        // Ids are in upper case, and the triggers stand behind them.
        let query = Query { pk: Kind::Flow.pk(tenant), until: Some("Z".to_owned()), ..Query::default() };
        let items = self.query(&query).await?;
        items.into_iter().map(|item| from_item(read(item, "flow")?)).collect()
    }

    /// What starts which flow.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn starts(&self, tenant: &TenantId) -> Result<Starts> {
        self.get::<TriggersItem>(&triggers_key(tenant), "triggers")
            .await?
            .map_or_else(|| Ok(Starts::default()), Starts::try_from)
    }

    /// Seals what the calls of a flow are signed with.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the installation's key cannot be had.
    pub async fn seal_flow_secret(&self, tenant: &TenantId, secret: &SigningSecret) -> Result<SealedSecret> {
        Ok(SealedSecret(self.sealer().seal(tenant, &secret.reveal()).await?))
    }

    /// Opens it again.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the installation's key is another one.
    pub async fn open_flow_secret(&self, tenant: &TenantId, secret: &SealedSecret) -> Result<SigningSecret> {
        let text: Secret = self.sealer().open(tenant, &secret.0).await?;
        text.expose().parse().map_err(|_| Error::Sealed)
    }
}
