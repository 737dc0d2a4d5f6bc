//! Message templates: the store, creation, review and deletion.

mod authentication;
mod buttons;
mod list;
mod refusals;
pub(crate) mod shape;
mod validate;
pub(crate) mod variables;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::shape::Shape;
use super::{
    errors::GraphError,
    ids::digits,
    state::{accounts::Token, journal::Line, lifecycle::Category, world::World},
    webhooks,
};

pub(crate) use list::{list, node};

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
    announced: bool,
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

    fn of_account<'a>(&'a self, account: &str) -> impl Iterator<Item = &'a Template> {
        self.by_id.values().filter(move |template| template.account == account)
    }

    fn check_free(&self, account: &str, name: &str, language: &str, now_ms: u64) -> Result<(), GraphError> {
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

/// `POST /{waba_id}/message_templates`
pub(crate) fn create(
    world: &mut World,
    account: &str,
    request: &Value,
    now_ms: u64,
) -> Result<Value, GraphError> {
    let accepted = validate::check(request)?;
    world.templates.check_free(account, &accepted.name, &accepted.language, now_ms)?;
    let seq = world.next_seq();
    let template = Template {
        seq,
        id: digits(world.id_key, seq),
        account: account.to_owned(),
        name: accepted.name,
        language: accepted.language,
        category: accepted.category,
        named: accepted.named,
        components: accepted.components,
        approve_at_ms: now_ms + world.settings.approve_after_ms,
        decided: None,
        shape: Shape::default(),
        announced: false,
    };
    let answer = json!({ "id": template.id, "status": "PENDING", "category": template.category.name() });
    if world.webhook_url.is_some() {
        world.outbox.plan_approval(template.id.clone(), template.approve_at_ms);
    }
    world.remember(&Line::Template(template.clone()));
    world.templates.insert(template);
    Ok(answer)
}

/// `DELETE /{waba_id}/message_templates?name=N[&hsm_id=I]`, or `hsm_ids=[...]`
pub(crate) fn delete(
    world: &mut World,
    account: &str,
    query: &BTreeMap<String, String>,
    now_ms: u64,
) -> Result<Value, GraphError> {
    let name = query.get("name");
    let wanted: Vec<String> = match (query.get("hsm_id"), query.get("hsm_ids")) {
        (Some(id), _) => vec![id.clone()],
        (None, Some(list)) => {
            list.split(['[', ']', ',', '"', ' ']).filter(|id| !id.is_empty()).map(str::to_owned).collect()
        }
        (None, None) => Vec::new(),
    };
    if name.is_none() && wanted.is_empty() {
        return Err(GraphError::parameter("The parameter name is required."));
    }
    let chosen = |template: &&Template| {
        name.is_none_or(|name| *name == template.name) && (wanted.is_empty() || wanted.contains(&template.id))
    };
    let ids: Vec<String> =
        world.templates.of_account(account).filter(chosen).map(|template| template.id.clone()).collect();
    if ids.is_empty() {
        let text = "The message template was not found.";
        return Err(GraphError::template(2_593_002, "Message Template Not Found", text));
    }
    for id in ids {
        world.templates.delete(&id, now_ms);
        world.remember(&Line::TemplateDeleted { id, at_ms: now_ms });
    }
    Ok(json!({ "success": true }))
}

/// Queues the webhooks of the templates that were approved meanwhile, and tells whether any was due.
pub(crate) fn announce_approved(world: &mut World, now_ms: u64) -> bool {
    let due = world.outbox.due_approvals(now_ms);
    let any = !due.is_empty();
    for id in due {
        let undecided = world.templates.get(&id).filter(|template| template.decided.is_none());
        let Some(template) = undecided.cloned() else { continue };
        let body = webhooks::template_status(&template, "APPROVED", "NONE");
        world.templates.announced(&id);
        world.push_hook(body, Some(id), now_ms);
    }
    any
}

/// Sets the status of all templates of a name by hand and announces it.
pub(crate) fn decide(world: &mut World, name: &str, status: &str, reason: &str, now_ms: u64) -> usize {
    let found: Vec<Template> = world.templates.named(name).cloned().collect();
    for template in &found {
        let mut template = template.clone();
        template.decided = Some(status.to_owned());
        let body = webhooks::template_status(&template, status, reason);
        world.remember(&Line::Template(template.clone()));
        world.templates.insert(template);
        world.push_hook(body, None, now_ms);
    }
    found.len()
}

/// The template a message may use: in an account of the token, in exactly this language.
pub(crate) fn find<'a>(world: &'a World, token: Token, name: &str, language: &str) -> Option<&'a Template> {
    world
        .templates
        .named(name)
        .find(|template| template.language == language && world.accounts.owns(token, &template.account))
}
