//! The message of each recipient, from what was frozen at launch. Files of ours are uploaded
//! once; doing that again is harmless.

use domain::TenantId;
use domain::campaign::CampaignMessage;
use domain::media::MediaKind;
use domain::message::{Content, MediaSource, TemplateCall};
use domain::template::{Variable, fill, slots};
use store::campaigns::Stored;

use crate::Services;
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
    Template { name: String, language: String, slots: Vec<Variable>, media: Option<(MediaKind, MediaSource)> },
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
            CampaignMessage::Template { name, media_url, .. } => {
                let template = stored.template.as_ref();
                let template =
                    template.ok_or_else(|| Error::invalid("template_name", "the template is gone"))?;
                let media = match (template.header_media(), media_url) {
                    (Some(kind), Some(url)) => Some((kind, source(url).await?)),
                    _ => None,
                };
                let (name, language) = (name.clone(), template.language.clone());
                Shape::Template { name, language, slots: slots(template), media }
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
            Shape::Template { name, language, slots, media } => Content::Template(TemplateCall {
                name: name.clone(),
                language: language.clone(),
                components: fill(slots, params, media.as_ref().map(|(kind, source)| (*kind, source))),
            }),
        }
    }
}
