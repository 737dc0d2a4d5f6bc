//! What is known of message templates, and which names are taken.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{lifecycle::Category, shape::Shape};
use crate::graph::errors::GraphError;

/// Meta: templates per business account.
const ACCOUNT_CAP: usize = 250;
/// Meta: the name of a deleted approved template stays reserved.
const RESERVED_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: Category,
    pub(crate) named: bool,
    pub(crate) components: Vec<Value>,
    pub(crate) approve_at_ms: u64,
    /// A status that was set by hand and replaces the one that time would give.
    pub(crate) decided: Option<String>,
    #[serde(skip)]
    pub(crate) shape: Shape,
    /// Whether the webhook about the approval was made.
    #[serde(skip)]
    pub(crate) announced: bool,
}

impl Template {
    pub(crate) fn status(&self, now_ms: u64) -> &str {
        match &self.decided {
            Some(status) => status,
            None if now_ms >= self.approve_at_ms => "APPROVED",
            None => "PENDING",
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Templates {
    by_id: BTreeMap<String, Template>,
    ids_by_name: HashMap<String, Vec<String>>,
    /// Deleted approved templates: account, name and language, with the moment of the deletion.
    reserved: HashMap<(String, String, String), u64>,
}

impl Templates {
    pub(crate) fn insert(&mut self, mut template: Template) {
        template.shape = Shape::of(&template.components);
        let ids = self.ids_by_name.entry(template.name.clone()).or_default();
        if !ids.contains(&template.id) {
            ids.push(template.id.clone());
        }
        let announced = self.by_id.get(&template.id).is_some_and(|old| old.announced);
        template.announced |= announced || template.decided.is_some();
        self.by_id.insert(template.id.clone(), template);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Template> {
        self.by_id.get(id)
    }

    /// The templates of a name, in every account and language.
    pub(crate) fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Template> {
        let ids = self.ids_by_name.get(name).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.by_id.get(id))
    }

    pub(crate) fn delete(&mut self, id: &str, now_ms: u64) {
        let Some(template) = self.by_id.remove(id) else { return };
        if let Some(ids) = self.ids_by_name.get_mut(&template.name) {
            ids.retain(|known| known != id);
        }
        if template.status(now_ms) == "APPROVED" {
            self.reserved.insert((template.account, template.name, template.language), now_ms);
        }
    }

    /// Marks a template whose approval webhook was made.
    pub(crate) fn announced(&mut self, id: &str) {
        if let Some(template) = self.by_id.get_mut(id) {
            template.announced = true;
        }
    }

    /// Templates whose approval is still to be announced, with its moment.
    pub(crate) fn unannounced(&self) -> Vec<(String, u64)> {
        let waiting = self.by_id.values().filter(|template| !template.announced);
        waiting.map(|template| (template.id.clone(), template.approve_at_ms)).collect()
    }

    pub(crate) fn of_account<'a>(&'a self, account: &str) -> impl Iterator<Item = &'a Template> {
        self.by_id.values().filter(move |template| template.account == account)
    }

    /// Refuses a name and language that the account cannot give to a new template.
    pub(crate) fn check_free(
        &self,
        account: &str,
        name: &str,
        language: &str,
        now_ms: u64,
    ) -> Result<(), GraphError> {
        let duplicate = |template: &Template| template.account == account && template.language == language;
        if self.named(name).any(duplicate) {
            let text = format!("There is already {language} content for this template.");
            return Err(GraphError::template(2_388_024, "Content in this language already exists", text));
        }
        let key = (account.to_owned(), name.to_owned(), language.to_owned());
        if self.reserved.get(&key).is_some_and(|deleted| now_ms < deleted + RESERVED_MS) {
            let text = "The name of a deleted template can be used again after 30 days.";
            return Err(GraphError::template(2_388_023, "The template is being deleted", text));
        }
        if self.of_account(account).count() >= ACCOUNT_CAP {
            let text = format!("The account has reached its limit of {ACCOUNT_CAP} templates.");
            return Err(GraphError::template(2_388_019, "Template limit reached", text));
        }
        Ok(())
    }
}
