//! Calls about message templates: creation, review and deletion.

mod authentication;
mod buttons;
mod carousel;
mod list;
mod offer;
mod refusals;
mod texts;
mod validate;
mod variables;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    errors::GraphError,
    ids::digits,
    state::{accounts::Token, journal::Line, shape::Shape, templates::Template, world::World},
    webhooks,
};

pub(crate) use list::{list, node};

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
        let body = webhooks::template_status(&template, "APPROVED", "NONE", now_ms);
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
        let body = webhooks::template_status(&template, status, reason, now_ms);
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
