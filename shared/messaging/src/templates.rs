//! Templates of a connected number.

use channels::cloud::Graph;
use domain::TenantId;
use domain::account::Number;
use domain::template::{NewTemplate, Template, TemplateStatus};
use store::Store;

use crate::error::of_provider;
use ops::{Error, Result};

/// How long a listing is good, in milliseconds; Meta allows 5,000 calls an hour.
const FRESH_MS: i64 = 60_000;
/// The same while a template waits for Meta's decision.
const FRESH_WHILE_PENDING_MS: i64 = 1_000;

/// The templates of a number's business account, from the cache or from Meta.
///
/// # Errors
/// The provider's refusal, when there is no listing that is fresh enough.
pub async fn list(store: &Store, graph: &Graph, tenant: &TenantId, number: &Number) -> Result<Vec<Template>> {
    if let Some(cached) = store.cached_templates(tenant, &number.waba_id).await? {
        let pending = cached.templates.iter().any(|t| t.status == TemplateStatus::Pending);
        let fresh = if pending { FRESH_WHILE_PENDING_MS } else { FRESH_MS };
        if store.clock().now_ms() - cached.at_ms < fresh {
            return Ok(cached.templates);
        }
    }
    refresh(store, graph, tenant, number).await
}

async fn refresh(store: &Store, graph: &Graph, tenant: &TenantId, number: &Number) -> Result<Vec<Template>> {
    let mut templates = graph.templates(number).await.map_err(of_provider)?;
    templates.sort_by(|a, b| (&a.name, &a.language).cmp(&(&b.name, &b.language)));
    store.cache_templates(tenant, &number.waba_id, &templates).await?;
    Ok(templates)
}

/// Finds an approved template; without a language, the only one of that name.
///
/// # Errors
/// Names `template_name` or `template_language`.
pub async fn approved(
    store: &Store,
    graph: &Graph,
    tenant: &TenantId,
    number: &Number,
    name: &str,
    language: Option<&str>,
) -> Result<Template> {
    let mut found = pick(list(store, graph, tenant, number).await?, name, language);
    if found.is_err() {
        found = pick(refresh(store, graph, tenant, number).await?, name, language);
    }
    found
}

fn pick(templates: Vec<Template>, name: &str, language: Option<&str>) -> Result<Template> {
    let mut named: Vec<Template> = templates.into_iter().filter(|t| t.name == name).collect();
    if named.is_empty() {
        return Err(Error::invalid("template_name", format!("there is no template named {name}")));
    }
    if let Some(language) = language {
        named.retain(|t| t.language == language);
        if named.is_empty() {
            let message = format!("the template {name} does not exist in {language}");
            return Err(Error::invalid("template_language", message));
        }
    }
    let status = named.first().map(|t| t.status.as_str().to_owned()).unwrap_or_default();
    named.retain(|t| t.status == TemplateStatus::Approved);
    match named.len() {
        0 => Err(Error::invalid("template_name", format!("the template {name} is {status}, not APPROVED"))),
        1 => Ok(named.remove(0)),
        _ => Err(Error::invalid(
            "template_language",
            format!("the template {name} exists in several languages: give template_language"),
        )),
    }
}

/// Submits a template to Meta; answers its id and status.
///
/// # Errors
/// The provider's refusal, with its explanation.
pub async fn create(
    store: &Store,
    graph: &Graph,
    tenant: &TenantId,
    number: &Number,
    new: &NewTemplate,
) -> Result<(String, String)> {
    let created = graph.create_template(number, new).await.map_err(of_provider)?;
    store.forget_templates(tenant, &number.waba_id).await?;
    Ok(created)
}
