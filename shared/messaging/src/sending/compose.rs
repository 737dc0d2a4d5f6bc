//! The message of each recipient, from what was frozen at launch. Files of ours are uploaded
//! once; doing that again is harmless.

use domain::TenantId;
use domain::campaign::CampaignMessage;
use domain::media::MediaKind;
use domain::message::{Content, MediaSource, TemplateCall};
use domain::outcome::Reason;
use domain::template::Filling;
use store::campaigns::Stored;

use crate::Services;
use crate::campaigns::{OFFER_EXPIRED, unfilled};
use crate::routes::Route;
use ops::{Error, Result};

/// Builds the message of each recipient from what was frozen at launch.
#[derive(Debug, Clone)]
pub(crate) struct Composer {
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    Text,
    Media { kind: MediaKind, source: MediaSource },
    Template { name: String, language: String, filling: Filling, sources: Vec<MediaSource> },
}

impl Composer {
    /// Prepares a campaign's message; files of ours are uploaded to the provider.
    pub(crate) async fn of(
        services: &Services,
        tenant: &TenantId,
        route: &Route,
        stored: &Stored,
    ) -> Result<Self> {
        let source = async |url: &str| services.files.source(&services.store, tenant, route, url).await;
        let shape = match &stored.campaign.message {
            CampaignMessage::Text { .. } => Shape::Text,
            CampaignMessage::Media { kind, url, .. } => {
                Shape::Media { kind: *kind, source: source(url).await? }
            }
            CampaignMessage::Template { name, params, media_url, .. } => {
                let template = stored.template.as_ref();
                let template =
                    template.ok_or_else(|| Error::invalid("template_name", "the template is gone"))?;
                let filling = Filling::of(template, params, media_url.as_deref()).map_err(unfilled)?;
                let mut sources = Vec::with_capacity(filling.files().len());
                for file in filling.files() {
                    sources.push(source(&file.url).await?);
                }
                let (name, language) = (name.clone(), template.language.clone());
                Shape::Template { name, language, filling, sources }
            }
        };
        Ok(Self { shape })
    }

    /// The message for a recipient with these frozen texts.
    pub(crate) fn content(&self, params: &[String]) -> Content {
        match &self.shape {
            Shape::Text => Content::Text { body: params.first().cloned().unwrap_or_default() },
            Shape::Media { kind, source } => Content::Media {
                kind: *kind,
                source: source.clone(),
                caption: params.first().cloned(),
                file_name: None,
            },
            Shape::Template { name, language, filling, sources } => Content::Template(TemplateCall {
                name: name.clone(),
                language: language.clone(),
                components: filling.components(params, sources),
            }),
        }
    }

    /// Why the message for a recipient with these frozen texts says nothing any more.
    pub(crate) fn outdated(&self, params: &[String], now_ms: i64) -> Option<Reason> {
        let Shape::Template { filling, .. } = &self.shape else { return None };
        let is_over = filling.expires_ms(params).is_some_and(|ends| ends <= now_ms);
        is_over.then(|| Reason::word(OFFER_EXPIRED))
    }
}
