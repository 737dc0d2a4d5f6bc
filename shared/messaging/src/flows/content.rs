//! What a step says, as a message of a channel.

use channels::Channel as _;
use domain::account::Account;
use domain::media::MediaKind;
use domain::message::{Address, Button, Content, ListRow, MediaSource, ProductSection};
use domain::template::Params;
use domain::{TenantId, channel::Capabilities};
use flows::Outgoing;
use ops::{Error, Result};
use serde_json::Value;

use crate::Services;
use crate::catalogs::{ShownProducts, show};
use crate::routes::Route;
use crate::template_call::{TemplateValues, fill};
use crate::templates::approved;

/// What `outgoing` is on the way that it takes. Where a channel has no buttons, choices are
/// numbered.
///
/// # Errors
/// Names what the channel, the account or Meta does not take.
pub(super) async fn content(
    services: &Services,
    tenant: &TenantId,
    (account, route): (Option<&Account>, &Route),
    (to, outgoing): (&Address, Outgoing),
) -> Result<Content> {
    let can = &route.channel.capabilities();
    match outgoing {
        Outgoing::Text { text } => Ok(Content::Text { body: text }),
        Outgoing::Buttons { text, buttons } => {
            let titles: Vec<String> = buttons.iter().map(|(_, title)| title.clone()).collect();
            let buttons = buttons.into_iter().map(|(id, title)| Button { id, title }).collect();
            let content = Content::Buttons { header: None, body: text.clone(), footer: None, buttons };
            Ok(as_taken(can, content, &text, &titles))
        }
        Outgoing::List { text, button, rows } => {
            let titles: Vec<String> = rows.iter().map(|(_, title, _)| title.clone()).collect();
            let rows = rows.into_iter().map(|(id, title, description)| ListRow { id, title, description });
            let rows = rows.collect();
            let content = Content::List { header: None, body: text.clone(), footer: None, button, rows };
            Ok(as_taken(can, content, &text, &titles))
        }
        Outgoing::Media { kind, url, caption, filename } => {
            let kind = match kind {
                flows::MediaKind::Image => MediaKind::Image,
                flows::MediaKind::Video => MediaKind::Video,
                flows::MediaKind::Audio => MediaKind::Audio,
                flows::MediaKind::Document => MediaKind::Document,
            };
            // WhatsApp takes no caption with audio.
            let caption = caption.filter(|_| kind != MediaKind::Audio);
            Ok(Content::Media { kind, source: MediaSource::Link(url), caption, file_name: filename })
        }
        Outgoing::Template { name, language, params } => {
            let (Some(account), Some(number)) = (account, route.number()) else {
                return Err(Error::invalid("template", "the channel has no templates"));
            };
            let (store, graph) = (&services.store, &services.graph);
            let template = approved(store, graph, tenant, number, &name, language.as_deref()).await?;
            let params = Params::parse(&Value::Object(params))?;
            let values = TemplateValues { params, ..TemplateValues::default() };
            fill(services, tenant, account, &route.sender.id, &template, (to, values)).await
        }
        Outgoing::Products { text, catalog, products } => {
            let Some(account) = account else {
                return Err(Error::invalid("product", "the channel has no catalog"));
            };
            let sections = vec![ProductSection { title: None, products }];
            let shown = ShownProducts { text, catalog, sections, ..ShownProducts::default() };
            show(services, tenant, account, shown).await
        }
    }
}

/// The content where the channel takes it; else a text that numbers the choices.
fn as_taken(can: &Capabilities, content: Content, text: &str, titles: &[String]) -> Content {
    if can.check(&content).is_ok() {
        return content;
    }
    let rows = titles.iter().enumerate().map(|(nth, title)| format!("\n{}. {title}", nth + 1));
    Content::Text { body: std::iter::once(text.to_owned()).chain(rows).collect() }
}
