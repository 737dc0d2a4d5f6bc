//! The numbers of tags, as labels: `LABEL#<tenant>` holds each under its number and under what
//! is the same for all its spellings. A number is given once, and never to another tag.

use std::collections::{BTreeMap, BTreeSet};

use domain::contact::{same_tag, tag_key};
use domain::label::{Label, MAX_LABELS};
use domain::{LabelId, TenantId};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, number, read};
use crate::repeat::TRIES;
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "label";
/// Labels that one transaction makes: it takes 100 actions, two for each and the counter.
const AT_ONCE: usize = 49;
/// Most tags that are looked for at once: as many as there can be labels.
const MAX_AT_ONCE: usize = MAX_LABELS as usize;
/// Sort keys of labels by number.
const BY_ID: &str = "id#";

#[derive(Serialize, Deserialize)]
struct LabelItem {
    id: u64,
    name: String,
}

fn id_key(tenant: &TenantId, id: LabelId) -> Key {
    Key::new(Kind::Label.pk(tenant), format!("{BY_ID}{:010}", id.0))
}

fn name_key(tenant: &TenantId, tag: &str) -> Key {
    Key::new(Kind::Label.pk(tenant), format!("tag#{}", tag_key(tag)))
}

fn counter_key(tenant: &TenantId) -> Key {
    Key::new(Kind::Counter.pk(tenant), "labels")
}

/// Labels of tags that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Those that there were.
    pub known: Vec<Label>,
    /// Those that were made.
    pub made: Vec<Label>,
}

impl Labels {
    /// The label of a tag.
    pub fn of(&self, tag: &str) -> Option<&Label> {
        self.known.iter().chain(&self.made).find(|label| same_tag(&label.name, tag))
    }
}

/// The keys under which labels are found by numbers and by tags.
pub(crate) fn keys(tenant: &TenantId, ids: &[LabelId], tags: &[String]) -> Vec<Key> {
    let by_id = ids.iter().map(|id| id_key(tenant, *id));
    let keys: BTreeSet<(String, String)> =
        by_id.chain(tags.iter().map(|tag| name_key(tenant, tag))).map(|key| (key.pk, key.sk)).collect();
    keys.into_iter().map(|(pk, sk)| Key::new(pk, sk)).collect()
}

/// Whether an item is a label.
pub(crate) fn is_label(item: &Item) -> bool {
    Key::of(item).is_some_and(|key| Kind::of(&key.pk) == Some(Kind::Label))
}

/// Reads a label.
pub(crate) fn from_item(item: Item) -> Result<Label> {
    let item: LabelItem = read(item, KIND)?;
    Ok(Label { id: LabelId(item.id), name: item.name })
}

impl Store {
    /// The labels of a tenant, in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn labels(&self, tenant: &TenantId) -> Result<Vec<Label>> {
        let query = Query { pk: Kind::Label.pk(tenant), prefix: Some(BY_ID.to_owned()), ..Query::default() };
        self.query(&query).await?.into_iter().map(from_item).collect()
    }

    /// Gives each of these tags a number, unless it has one: of several who do so at once,
    /// all get the same. Answers the labels; tags for which there is no room are left out.
    ///
    /// # Errors
    /// [`Error::Contended`] when others keep making labels.
    pub async fn ensure_labels(&self, tenant: &TenantId, tags: &[String]) -> Result<Labels> {
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        // More than there can be are not even looked for: whoever tags each row of an import
        // differently waits for no more than that.
        for tag in tags.iter().take(MAX_AT_ONCE) {
            wanted.entry(tag_key(tag)).or_insert_with(|| tag.clone());
        }
        let mut found = Labels::default();
        for attempt in 0..TRIES {
            let names: Vec<String> = wanted.values().cloned().collect();
            for item in self.get_many(keys(tenant, &[], &names)).await? {
                let label = from_item(item)?;
                wanted.remove(&tag_key(&label.name));
                found.known.push(label);
            }
            if wanted.is_empty() {
                return Ok(found);
            }
            match self.make_labels(tenant, &mut wanted, &mut found.made).await {
                Ok(()) => return Ok(found),
                Err(Error::Conflict | Error::Contended) => self.back_off(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Makes labels of tags that have none. What is made is moved from `wanted` to `made`; a
    /// conflict leaves the rest.
    async fn make_labels(
        &self,
        tenant: &TenantId,
        wanted: &mut BTreeMap<String, String>,
        made: &mut Vec<Label>,
    ) -> Result<()> {
        let counter = self.get_item(&counter_key(tenant)).await?;
        let mut last: Option<u64> = counter.and_then(|item| number(&item, "next"));
        while let Some(room) = MAX_LABELS.checked_sub(last.unwrap_or(0)).filter(|room| *room > 0) {
            let room = AT_ONCE.min(usize::try_from(room).unwrap_or(AT_ONCE));
            let chunk: Vec<(String, String)> =
                wanted.iter().take(room).map(|(key, tag)| (key.clone(), tag.clone())).collect();
            if chunk.is_empty() {
                break;
            }
            let first = last.unwrap_or(0) + 1;
            let labels: Vec<Label> = (first..)
                .zip(&chunk)
                .map(|(id, (_, tag))| Label { id: LabelId(id), name: tag.clone() })
                .collect();
            self.transact(label_actions(tenant, last, &labels)?).await?;
            last = labels.last().map(|label| label.id.0);
            made.extend(labels);
            chunk.iter().for_each(|(key, _)| drop(wanted.remove(key)));
        }
        Ok(())
    }
}

fn label_actions(tenant: &TenantId, last: Option<u64>, labels: &[Label]) -> Result<Vec<Action>> {
    let next = labels.last().map_or(0, |label| label.id.0);
    let unchanged = last.map_or(When::Absent("next"), |last| When::Is("next", n(last)));
    let counter = Update::of(counter_key(tenant)).set("next", n(next)).when(unchanged);
    let mut actions = vec![Action::Update(counter)];
    for label in labels {
        let item = LabelItem { id: label.id.0, name: label.name.clone() };
        for key in [id_key(tenant, label.id), name_key(tenant, &label.name)] {
            actions.push(Action::Put(compose(&key, KIND, &item)?, vec![When::Absent("pk")]));
        }
    }
    Ok(actions)
}
