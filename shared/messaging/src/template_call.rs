//! A template that one message calls, filled with what its sender gives for it.

use domain::contact::Contact;
use domain::identity::Identity;
use domain::message::{Address, Content, MediaSource, TemplateCall};
use domain::template::{ButtonKind, ButtonParam, Filling, Params, Place, Template, all_slots};
use domain::{ContactId, TenantId};
use jiff::Timestamp;
use store::Store;

use crate::campaigns::unfilled;
use crate::files::FileRef;
use crate::{Services, routes};
use ops::{Error, Result};

/// What the sender of a template gives for it.
#[derive(Debug, Clone, Default)]
pub struct TemplateValues {
    /// The values as they are: nothing in them is a placeholder.
    pub params: Params,
    /// What comes back from its quick replies, in order.
    pub payloads: Vec<String>,
    /// The file of its header.
    pub file: Option<FileRef>,
}

/// Fills a template for one recipient. Without any value, a first variable is the
/// recipient's name.
///
/// # Errors
/// Names `template_params` for what is missing, `media_url` for its file.
pub async fn fill(
    services: &Services,
    tenant: &TenantId,
    account: &domain::account::Account,
    sender: &domain::sender::SenderId,
    template: &Template,
    (to, values): (&Address, TemplateValues),
) -> Result<Content> {
    let store = &services.store;
    let TemplateValues { params, payloads, file } = values;
    let mut values = if params.is_empty() && payloads.is_empty() {
        recipient(store, tenant, to).await?
    } else {
        Contact::empty(ContactId(0), Timestamp::UNIX_EPOCH)
    };
    let mut params = literal(params, &mut values);
    let replies = all_slots(template).into_iter().filter_map(|slot| match (slot.card, slot.place) {
        (None, Place::Button(index, ButtonKind::QuickReply)) => Some(index),
        (_, _) => None,
    });
    params.buttons.extend(replies.zip(payloads).map(|(index, payload)| ButtonParam {
        index: Some(index),
        text: Some(hidden(payload, &mut values)),
        is_payload: true,
        ..ButtonParam::default()
    }));
    let link = file.as_ref().map(FileRef::link);
    let filling = Filling::of(template, &params, link.as_deref()).map_err(unfilled)?;
    let route =
        routes::choose(services, tenant, account, &domain::channel::Channel::Whatsapp, Some(sender)).await?;
    let mut sources = Vec::with_capacity(filling.files().len());
    for wanted in filling.files() {
        sources.push(match &file {
            Some(FileRef::Provider(id)) => MediaSource::Id(id.clone()),
            Some(FileRef::Link(_)) | None => {
                services.files.check(store, tenant, &wanted.url, wanted.kind).await?;
                services.files.source(store, tenant, &route, &wanted.url).await?
            }
        });
    }
    let mut texts = Vec::with_capacity(filling.texts().len());
    for text in filling.texts() {
        let frozen = text.freeze(&text.pattern.fill(&values));
        texts.push(frozen.map_err(|why| {
            let message = format!("template_params has a value that the template cannot take: {why}");
            Error::invalid("template_params", message)
        })?);
    }
    Ok(Content::Template(TemplateCall {
        name: template.name.clone(),
        language: template.language.clone(),
        components: filling.components(&texts, &sources),
    }))
}

/// The recipient, or nobody.
async fn recipient(store: &Store, tenant: &TenantId, to: &Address) -> Result<Contact> {
    let known = store.contact_by(tenant, &Identity::from(to)).await?;
    let name = known.and_then(|contact| contact.name);
    Ok(Contact { name, ..Contact::empty(ContactId(0), Timestamp::UNIX_EPOCH) })
}

/// The same parameters, with their values where placeholders find them: what looks like one
/// within a value is not filled in.
fn literal(mut params: Params, values: &mut Contact) -> Params {
    let texts = params.header.iter_mut().chain(&mut params.body).chain(params.named.values_mut());
    let buttons = params.buttons.iter_mut().filter_map(|button| button.text.as_mut());
    for text in texts.chain(buttons).chain(&mut params.offer) {
        *text = hidden(std::mem::take(text), values);
    }
    params
}

/// A placeholder that stands for a value.
fn hidden(value: String, values: &mut Contact) -> String {
    let name = format!("v{}", values.metadata.len());
    let placeholder = format!("{{{{metadata.{name}}}}}");
    values.metadata.insert(name, value.into());
    placeholder
}

#[cfg(test)]
mod tests {
    use domain::placeholder::Pattern;

    use super::*;

    #[test]
    fn a_value_is_sent_as_it_is() {
        let mut values = Contact::empty(ContactId(0), Timestamp::UNIX_EPOCH);
        values.name = Some("Ada".to_owned());
        let given =
            Params { body: vec!["{{name}} & {{metadata.v1}}".into(), "b".into()], ..Params::default() };
        let params = literal(given, &mut values);
        let filled: Vec<String> =
            params.body.iter().map(|text| Pattern::parse(text).fill(&values).text).collect();
        assert_eq!(filled, ["{{name}} & {{metadata.v1}}", "b"]);
    }
}
