//! Plans: those that the installation defines (`PLANS#-`, by number), and the copy that each
//! tenant has in its own item.

use std::collections::BTreeSet;

use domain::PlanId;
use domain::plan::{DefinedPlan, MAX_PLANS, Module, Plan, Price};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, read};
use crate::repeat::TRIES;
use crate::update::When;
use crate::{Error, Kind, Result, Store};

const KIND: &str = "plan";

/// A plan within another item: names are those of the tenant's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlanItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan_id: Option<u64>,
    plan_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validity: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modules: Option<BTreeSet<Module>>,
    api_access: bool,
    per_minute: u32,
    heavy_per_minute: u32,
    #[serde(default)]
    max_contacts: Option<u64>,
    #[serde(default)]
    max_messages_day: Option<u64>,
    #[serde(default)]
    max_messages_minute: Option<u64>,
    #[serde(default)]
    max_accounts: Option<u64>,
    #[serde(default)]
    max_team: Option<u64>,
    #[serde(default)]
    max_campaigns: Option<u64>,
    #[serde(default)]
    max_media: Option<u64>,
    #[serde(default)]
    max_tokens: Option<u64>,
}

impl From<&Plan> for PlanItem {
    fn from(plan: &Plan) -> Self {
        let plan = plan.clone();
        Self {
            plan_id: plan.id.map(|id| id.0),
            plan_name: plan.name,
            price: plan.price,
            validity: plan.validity_days,
            modules: plan.modules,
            api_access: plan.api_access,
            per_minute: plan.requests_per_minute,
            heavy_per_minute: plan.heavy_requests_per_minute,
            max_contacts: plan.contacts,
            max_messages_day: plan.messages_per_day,
            max_messages_minute: plan.messages_per_minute,
            max_accounts: plan.accounts,
            max_team: plan.team_members,
            max_campaigns: plan.campaigns,
            max_media: plan.media,
            max_tokens: plan.assistant_tokens,
        }
    }
}

impl From<PlanItem> for Plan {
    fn from(item: PlanItem) -> Self {
        Self {
            id: item.plan_id.map(PlanId),
            name: item.plan_name,
            price: item.price,
            validity_days: item.validity,
            modules: item.modules,
            api_access: item.api_access,
            requests_per_minute: item.per_minute,
            heavy_requests_per_minute: item.heavy_per_minute,
            contacts: item.max_contacts,
            messages_per_day: item.max_messages_day,
            messages_per_minute: item.max_messages_minute,
            accounts: item.max_accounts,
            team_members: item.max_team,
            campaigns: item.max_campaigns,
            media: item.max_media,
            assistant_tokens: item.max_tokens,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct DefinedItem {
    id: u64,
    ver: u64,
    visible: bool,
    #[serde(flatten)]
    plan: PlanItem,
}

fn key(id: PlanId) -> Key {
    Key::new(Kind::Plans.pk("-"), format!("{:010}", id.0))
}

fn from_item(item: Item) -> Result<(DefinedPlan, u64)> {
    let item: DefinedItem = read(item, KIND)?;
    let id = PlanId(item.id);
    let plan = Plan { id: Some(id), ..item.plan.into() };
    Ok((DefinedPlan { id, plan, is_visible: item.visible }, item.ver))
}

impl Store {
    /// The plans that the installation defines, in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn plans(&self) -> Result<Vec<DefinedPlan>> {
        Ok(self.versioned_plans().await?.into_iter().map(|(plan, _)| plan).collect())
    }

    async fn versioned_plans(&self) -> Result<Vec<(DefinedPlan, u64)>> {
        let query = Query { pk: Kind::Plans.pk("-"), ..Query::default() };
        self.query(&query).await?.into_iter().map(from_item).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn plan(&self, id: PlanId) -> Result<Option<DefinedPlan>> {
        let item = self.get_item(&key(id)).await?;
        Ok(item.map(from_item).transpose()?.map(|(plan, _)| plan))
    }

    /// Defines a plan: the one with the number, else the one of the same name, else a new one.
    /// Answers it, and whether it is new; `None` when no plan has the number.
    ///
    /// # Errors
    /// [`Error::Conflict`] when its name is another plan's, or there are as many as there may
    /// be; [`Error::Contended`] when others keep defining plans.
    pub async fn define_plan(
        &self,
        id: Option<PlanId>,
        plan: &Plan,
        is_visible: bool,
    ) -> Result<Option<(DefinedPlan, bool)>> {
        for attempt in 0..TRIES {
            let known = self.versioned_plans().await?;
            let same_name = known.iter().find(|(known, _)| known.plan.name == plan.name);
            let found = match id {
                Some(id) => {
                    let Some(found) = known.iter().find(|(known, _)| known.id == id) else { return Ok(None) };
                    if same_name.is_some_and(|(other, _)| other.id != id) {
                        return Err(Error::Conflict);
                    }
                    Some(found)
                }
                None => same_name,
            };
            if found.is_none() && known.len() >= MAX_PLANS {
                return Err(Error::Conflict);
            }
            let last = known.last().map_or(0, |(plan, _)| plan.id.0);
            let (id, version) = found.map_or((PlanId(last + 1), None), |(plan, ver)| (plan.id, Some(*ver)));
            let item = DefinedItem {
                id: id.0,
                ver: version.unwrap_or(0) + 1,
                visible: is_visible,
                plan: PlanItem::from(&Plan { id: Some(id), ..plan.clone() }),
            };
            let when = version.map_or(When::Absent("pk"), |version| When::Is("ver", n(version)));
            match self.transact(vec![Action::Put(compose(&key(id), KIND, &item)?, vec![when])]).await {
                Ok(()) => {
                    let plan = Plan { id: Some(id), ..plan.clone() };
                    return Ok(Some((DefinedPlan { id, plan, is_visible }, version.is_none())));
                }
                Err(Error::Conflict | Error::Contended) => self.back_off(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }
}
