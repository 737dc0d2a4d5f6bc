//! Templates of a connected number.

use bytes::Bytes;
use channels::MediaUpload;
use channels::cloud::Graph;
use domain::TenantId;
use domain::account::Number;
use domain::media::MediaKind;
use domain::template::{FileSample, NewTemplate, Template, TemplateStatus};
use store::Store;

use crate::Services;
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

/// Finds an approved template by Meta's id of it, or by its name.
///
/// # Errors
/// [`ops::Code::NotFound`] names `template_id`; [`ops::Code::InvalidField`] names `template_name` when it is
/// not approved, or `template_language` when it exists in several and none is given.
pub async fn find(
    store: &Store,
    graph: &Graph,
    tenant: &TenantId,
    number: &Number,
    wanted: &str,
    language: Option<&str>,
) -> Result<Template> {
    let named = |templates: Vec<Template>| {
        let by_id = templates.iter().find(|t| t.id == wanted);
        let (name, language) = match by_id {
            Some(found) => (found.name.clone(), Some(found.language.clone())),
            None => (wanted.to_owned(), language.map(str::to_owned)),
        };
        let is_known = templates.iter().any(|t| t.name == name);
        (is_known, pick(templates, &name, language.as_deref()))
    };
    let (mut is_known, mut found) = named(list(store, graph, tenant, number).await?);
    if found.is_err() {
        (is_known, found) = named(refresh(store, graph, tenant, number).await?);
    }
    match is_known {
        true => found,
        // Clients look for these words.
        false => Err(Error::not_found("template_id", "Message template not found.")),
    }
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

/// Submits a template to Meta; answers its id and status. A header's file that the caller
/// gave by an address of ours, or not at all, is uploaded first: Meta wants to see one.
///
/// # Errors
/// [`ops::Code::InvalidField`] for an address that is not one of the tenant's files; the
/// provider's refusal, with its explanation.
pub async fn create(
    services: &Services,
    tenant: &TenantId,
    number: &Number,
    mut new: NewTemplate,
) -> Result<(String, String)> {
    let Services { store, graph, files, .. } = services;
    let mut handles: Vec<(FileSample, String)> = Vec::new();
    for sample in new.file_samples() {
        let same = |known: &&(FileSample, String)| known.0.kind == sample.kind && known.0.url == sample.url;
        let handle = match handles.iter().find(same) {
            Some((_, handle)) => handle.clone(),
            None => {
                let file = match &sample.url {
                    Some(url) => files.sample(store, tenant, url, sample.kind).await?,
                    None => made_up(sample.kind),
                };
                graph.upload_sample(number, file).await.map_err(of_provider)?
            }
        };
        new.set_handle(&sample, &handle);
        handles.push((sample, handle));
    }
    let created = graph.create_template(number, &new).await.map_err(of_provider)?;
    store.forget_templates(tenant, &number.waba_id).await?;
    Ok(created)
}

/// A file of a kind that shows nothing.
fn made_up(kind: MediaKind) -> MediaUpload {
    let (name, mime, bytes): (_, _, &'static [u8]) = match kind {
        MediaKind::Image => ("sample.png", "image/png", include_bytes!("samples/sample.png")),
        MediaKind::Video | MediaKind::Audio => {
            ("sample.mp4", "video/mp4", include_bytes!("samples/sample.mp4"))
        }
        MediaKind::Document => ("sample.pdf", "application/pdf", include_bytes!("samples/sample.pdf")),
    };
    MediaUpload { name: name.to_owned(), mime: mime.to_owned(), bytes: Bytes::from_static(bytes) }
}
