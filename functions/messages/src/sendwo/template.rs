//! `send/template`, `get/template/list` and `send`, as sister products call them.

use api_http::{
    Array, Caller, FieldKind, FromParameter, Given, Input, Parameter, Reply, Required, Result,
    idempotent_send, request, text_of,
};
use axum::extract::State;
use axum::response::Response;
use domain::message::{Content, MAX_TEXT};
use domain::template::{Params, Place, Template, slots};
use domain::{Invalid, TenantId};
use messaging::files::FileRef;
use messaging::template_call::{TemplateValues, fill};
use messaging::{Services, templates};
use ops::senders;
use serde_json::{Map, Value};

use super::{Answer, Recipient, ToFields, account, called};

/// What the names of single variables begin with: `templateVariable-<name>-<position>`.
const VARIABLE: &str = "templateVariable-";

/// Single variables, whose names have a name and a position at their end.
pub(crate) struct Positional(Vec<(String, Value)>);

impl FromParameter for Positional {
    const KIND: FieldKind = FieldKind::Any;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let found: Vec<_> =
            parameter.with_prefix().map(|(rest, value)| (rest.to_owned(), value.clone())).collect();
        Ok((!found.is_empty()).then_some(Self(found)))
    }
}

request! {
    /// A template, and what fills it.
    pub(crate) struct TemplateFields {
        template: Given<String> = named(
            "template_id" | "templateId" | "template_name" | "templateName" | "botTemplateID" | "bot_template_id"
        ),
        language: Given<String> = named("language_code" | "languageCode" | "language" | "locale"),
        variables: Given<Value> =
            named("variables" | "parameters" | "template_params" | "template_data" | "template_variables"),
        positional: Given<Positional> = named("templateVariable-*"),
        media_url: Given<String> =
            named("template_header_media_url" | "header_media_url" | "media_url" | "mediaUrl"),
        media_id: Given<String> = named("media_id" | "mediaId"),
        payloads: Given<Array> = named("template_quick_reply_button_values"),
    }
}

impl TemplateFields {
    fn is_given(&self) -> Result<bool> {
        Ok(self.template.is_given()?)
    }

    /// How callers name what may be wrong.
    fn names(&self) -> [(&'static str, &'static str); 5] {
        [
            ("template_id", self.template.name()),
            ("template_name", self.template.name()),
            ("template_language", self.language.name()),
            ("template_params", self.variables.name()),
            ("media_url", self.media_url.name()),
        ]
    }

    /// The message to somebody.
    async fn content(
        self,
        services: &Services,
        tenant: &TenantId,
        Recipient { account, sender, to, .. }: &Recipient,
    ) -> Result<Content> {
        let names = self.names();
        let wanted = self.template.needed()?;
        let language = self.language.get()?.map(|code| code.trim().to_owned());
        let number = senders::number(account, Some(sender))?;
        let Services { store, graph, .. } = services;
        let found = templates::find(store, graph, tenant, number, wanted.trim(), language.as_deref()).await;
        let template = found.map_err(|error| called(error, &names))?;
        let by_variables = self.variables.name();
        let params = match self.variables.get()? {
            Some(given) => params(&given).map_err(|wrong| {
                let message = wrong.message.replacen("template_params", by_variables, 1);
                Invalid::new(by_variables, message)
            })?,
            None => Params::default(),
        };
        let Positional(single) = self.positional.get()?.unwrap_or(Positional(Vec::new()));
        let params = with_single(params, &single, &template)?;
        let payloads = self.payloads.get()?.unwrap_or_default();
        let payloads = payloads.iter().filter_map(text_of).collect();
        let file = file(services, tenant, self.media_url, self.media_id).await?;
        let values = TemplateValues { params, payloads, file };
        let filled = fill(services, tenant, account, sender, &template, (to, values)).await;
        filled.map_err(|error| called(error, &names))
    }
}

/// Values in order, by name, or by parts; also as JSON text. Any other text is one value.
fn params(given: &Value) -> std::result::Result<Params, Invalid> {
    let read = match given.as_str().map(str::trim) {
        Some("") => return Ok(Params::default()),
        Some(text) if text.starts_with(['[', '{']) => serde_json::from_str(text).ok(),
        Some(text) => Some(Value::from(vec![text])),
        None => None,
    };
    let read = read.as_ref().unwrap_or(given);
    let is_empty = read.as_array().is_some_and(Vec::is_empty) || read.as_object().is_some_and(Map::is_empty);
    if is_empty { Ok(Params::default()) } else { Params::parse(read) }
}

/// Adds single variables: by the name of one of the template's, else by the position, which counts
/// from 1 in the body, or in the header when the name says so.
fn with_single(
    mut params: Params,
    single: &[(String, Value)],
    template: &Template,
) -> std::result::Result<Params, Invalid> {
    let places: Vec<Place> =
        slots(template).into_iter().filter(|slot| slot.card.is_none()).map(|slot| slot.place).collect();
    let names = |is_header: bool| -> Vec<&String> {
        let of = places.iter().filter_map(|place| match place {
            Place::HeaderText(name) if is_header => Some(name),
            Place::Body(name) if !is_header => Some(name),
            Place::HeaderText(_)
            | Place::Body(_)
            | Place::HeaderMedia(_)
            | Place::HeaderLocation
            | Place::HeaderProduct
            | Place::Button(..)
            | Place::Offer
            | Place::Unknown(_) => None,
        });
        of.collect()
    };
    let (header, body) = (names(true), names(false));
    for (rest, value) in single {
        let field = format!("{VARIABLE}{rest}");
        let wrong = |why: &str| Invalid::new(field.clone(), format!("{field} {why}"));
        let value = text_of(value).ok_or_else(|| wrong("must be a text"))?;
        let (name, position) = rest.rsplit_once('-').unwrap_or((rest, ""));
        let nth = position.parse::<usize>().ok().and_then(|nth| nth.checked_sub(1));
        let is_called = |known: &&&String| known.eq_ignore_ascii_case(name) || known.as_str() == rest;
        let in_header = name.to_ascii_lowercase().starts_with("header") && !header.is_empty();
        if in_header && !body.iter().any(|known| is_called(&known)) {
            params.header.push(value);
            continue;
        }
        let found = body.iter().find(is_called).or_else(|| body.get(nth?));
        let found = found.or_else(|| header.iter().find(is_called));
        let found = found.ok_or_else(|| wrong("is no variable of the template"))?;
        params.named.insert((*found).clone(), value);
    }
    Ok(params)
}

/// The file of a header: an address, an upload of ours, or Meta's id.
async fn file(
    services: &Services,
    tenant: &TenantId,
    url: Given<String>,
    id: Given<String>,
) -> Result<Option<FileRef>> {
    let by_id = id.name();
    if let Some(url) = url.get()? {
        return Ok(Some(FileRef::Link(url.trim().to_owned())));
    }
    let Some(id) = id.get()?.map(|id| id.trim().to_owned()) else { return Ok(None) };
    let own = services.files.by_id(&services.store, tenant, &id).await;
    match own.map_err(|error| called(error, &[("media_id", by_id)]))? {
        Some(own) => Ok(Some(FileRef::Link(own.url))),
        None if id.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(FileRef::Provider(id))),
        None => Err(Invalid::new(by_id, format!("{by_id} must be the media_id of an upload")).into()),
    }
}

request! {
    /// `send/template`
    pub(crate) struct SendTemplate(recipient: ToFields, template: TemplateFields) {}
}

/// `send/template`
pub(crate) async fn send_template(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendTemplate>,
) -> Result<Response> {
    let work = async |send| {
        let SendTemplate { recipient, template } = input.read();
        deliver(&services, &caller, recipient, Said::Template(Box::new(template)), send).await
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

request! {
    /// `send`
    pub(crate) struct SendAny(recipient: ToFields, template: TemplateFields) {
        message: Given<String> = named("message").max_length(MAX_TEXT),
    }
}

/// `send`: a text, or a template where one is named.
pub(crate) async fn send(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendAny>,
) -> Result<Response> {
    let work = async |send| {
        let SendAny { recipient, template, message } = input.read();
        let said = match template.is_given()? {
            true => Said::Template(Box::new(template)),
            false => Said::Text(message.needed()?),
        };
        deliver(&services, &caller, recipient, said, send).await
    };
    idempotent_send(&services.store, &caller, &input, work).await
}

enum Said {
    Text(String),
    Template(Box<TemplateFields>),
}

async fn deliver(
    services: &Services,
    caller: &ops::Caller,
    recipient: ToFields,
    said: Said,
    send: ops::SendRequest,
) -> Result<Reply<200, Answer>> {
    let recipient = recipient.get(services, caller).await?;
    let content = match said {
        Said::Text(body) => Content::Text { body },
        Said::Template(fields) => fields.content(services, caller.tenant_id(), &recipient).await?,
    };
    recipient.send(services, caller, content, (&[], send)).await
}

request! {
    /// `get/template/list`
    pub(crate) struct ListTemplates {
        number: Required<String> = named("phoneNumberId" | "phone_number_id" | "phoneNumberID"),
        status: Given<String> = named("status"),
    }
}

/// `get/template/list`: all of them, or those of a status.
pub(crate) async fn list(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ListTemplates>,
) -> Result<Reply<200, super::listed::Templates>> {
    let asked = input.read();
    let by_number = asked.number.name();
    let (account, sender) = account(&services, &caller, by_number, &asked.number.get()?).await?;
    let number = senders::number(&account, Some(&sender))?;
    let found = templates::list(&services.store, &services.graph, caller.tenant_id(), number).await?;
    let wanted = asked.status.get()?.map(|status| status.trim().to_ascii_uppercase());
    let fits =
        |template: &Template| wanted.as_deref().is_none_or(|status| template.status.as_str() == status);
    Ok(Reply(found.into_iter().filter(fits).collect()))
}

#[cfg(test)]
mod tests {
    use domain::template::TemplateStatus;
    use serde_json::json;

    use super::*;

    fn template(header: &str, body: &str) -> Template {
        Template {
            id: "1".into(),
            name: "promo".into(),
            language: "it".into(),
            category: None,
            status: TemplateStatus::Approved,
            components: vec![
                json!({"type": "HEADER", "format": "TEXT", "text": header}),
                json!({"type": "BODY", "text": body}),
            ],
        }
    }

    fn single(template: &Template, given: &[(&str, &str)]) -> std::result::Result<Value, Invalid> {
        let given: Vec<(String, Value)> =
            given.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let params = with_single(Params::default(), &given, template)?;
        Ok(json!({"header": params.header, "named": params.named}))
    }

    #[test]
    fn single_variables_are_named_or_counted() {
        let counted = template("Per te", "Ciao {{1}}, hai il {{2}}");
        let want = json!({"header": [], "named": {"1": "Ada", "2": "20%"}});
        for given in
            [[("var-1", "Ada"), ("var-2", "20%")], [("product-list-2", "20%"), ("User-Name-1", "Ada")]]
        {
            assert_eq!(single(&counted, &given).unwrap(), want);
        }
        let named = template("Per {{chi}}", "Ciao {{nome}}, hai il {{sconto}}");
        let want = json!({"header": ["te"], "named": {"nome": "Ada", "sconto": "20%"}});
        let given = [("NOME-1", "Ada"), ("x-2", "20%"), ("header-1", "te")];
        assert_eq!(single(&named, &given).unwrap(), want);
        for bad in [("x-3", "a"), ("x-0", "a"), ("x", "a"), ("", "a")] {
            assert!(single(&counted, &[bad]).unwrap_err().field.starts_with("templateVariable-"), "{bad:?}");
        }
    }

    #[test]
    fn variables_come_in_several_forms() {
        for given in [json!(["a", 2]), json!("[\"a\", 2]")] {
            assert_eq!(params(&given).unwrap().body, ["a", "2"]);
        }
        assert_eq!(params(&json!("Ada")).unwrap().body, ["Ada"]);
        assert_eq!(params(&json!({"1": "a"})).unwrap().named["1"], "a");
        for nothing in [json!(""), json!([]), json!({}), json!("[]")] {
            assert_eq!(params(&nothing).unwrap(), Params::default());
        }
        assert!(params(&json!([["a"]])).is_err());
    }
}
