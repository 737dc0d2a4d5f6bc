//! `/api/whatsapp-meta/get_templates` and `create_template`

use api_http::{Array, Caller, Given, Input, Reply, Required, Result, account_of_token, request};
use axum::extract::State;
use domain::sender::SenderId;
use domain::template::{Place, Slot, Template, TemplateRequest, TemplateStatus, slots};
use messaging::{Services, templates};
use ops::senders;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Serialize)]
struct ListedTemplate {
    id: String,
    name: String,
    language: String,
    category: Option<&'static str>,
    status: String,
    components: Vec<Value>,
    variables: Vec<Value>,
}

impl From<Template> for ListedTemplate {
    fn from(template: Template) -> Self {
        Self {
            variables: slots(&template).iter().map(variable).collect(),
            id: template.id,
            name: template.name,
            language: template.language,
            category: template.category.map(|category| category.as_str()),
            status: template.status.as_str().to_owned(),
            components: template.components,
        }
    }
}

fn variable(slot: &Slot) -> Value {
    let mut shown = match &slot.place {
        Place::HeaderText(name) => json!({"component": "header", "name": name}),
        Place::HeaderMedia(kind) => json!({"component": "header", "format": kind.as_str()}),
        Place::HeaderLocation => json!({"component": "header", "format": "location"}),
        Place::HeaderProduct => json!({"component": "header", "format": "product"}),
        Place::Body(name) => json!({"component": "body", "name": name}),
        Place::Button(index, kind) => {
            json!({"component": "button", "index": index, "sub_type": kind.sub_type()})
        }
        Place::Offer => json!({"component": "limited_time_offer", "name": "expiration"}),
        Place::Unknown(what) => json!({"component": "unknown", "name": what}),
    };
    if let Some(card) = slot.card {
        shown["card"] = card.into();
    }
    shown
}

#[derive(Serialize)]
pub(crate) struct TemplateList {
    status: &'static str,
    templates: Vec<ListedTemplate>,
}

request! {
    /// `GET /api/whatsapp-meta/get_templates`
    pub(crate) struct ListTemplates {
        token: Required<String> = named("token"),
        sender: Given<SenderId> = named("sender"),
        status: Given<String> = named("status"),
    }
}

/// `GET /api/whatsapp-meta/get_templates`: approved ones, unless `status` asks for
/// `all` or for another status.
pub(crate) async fn list(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<ListTemplates>,
) -> Result<Reply<200, TemplateList>> {
    let asked = input.read();
    let account = account_of_token(&services.store, &caller, asked.token).await?;
    let number = senders::number(&account, asked.sender.get()?.as_ref())?;
    let wanted = asked.status.get()?.map(|status| status.trim().to_ascii_uppercase());
    let wanted = wanted.unwrap_or_else(|| TemplateStatus::Approved.as_str().to_owned());
    let found = templates::list(&services.store, &services.graph, caller.tenant_id(), number).await?;
    let shown = found.into_iter().filter(|t| wanted == "ALL" || t.status.as_str() == wanted);
    Ok(Reply(TemplateList { status: "success", templates: shown.map(ListedTemplate::from).collect() }))
}

#[derive(Serialize)]
struct CreatedTemplate {
    id: String,
    name: String,
    status: String,
    category: &'static str,
    language: String,
}

#[derive(Serialize)]
pub(crate) struct Created {
    status: &'static str,
    template: CreatedTemplate,
}

request! {
    /// `POST /api/whatsapp-meta/create_template`
    pub(crate) struct CreateTemplate {
        token: Required<String> = named("token"),
        sender: Given<SenderId> = named("sender"),
        name: Required<String> = named("name"),
        category: Required<String> = named("category").one_of(&["MARKETING", "UTILITY", "AUTHENTICATION"]),
        language: Given<String> = named("language"),
        header: Given<String> = named("header").max_length(60),
        body: Given<String> = named("body"),
        footer: Given<String> = named("footer").max_length(60),
        components: Given<Array> = named("components"),
    }
}

/// `POST /api/whatsapp-meta/create_template`
pub(crate) async fn create(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<CreateTemplate>,
) -> Result<Reply<200, Created>> {
    let asked = input.read();
    let account = account_of_token(&services.store, &caller, asked.token).await?;
    let number = senders::number(&account, asked.sender.get()?.as_ref())?;
    let request = TemplateRequest {
        name: asked.name.get()?,
        category: asked.category.get()?,
        language: asked.language.get()?,
        header: asked.header.get()?,
        body: asked.body.get()?,
        footer: asked.footer.get()?,
        components: asked.components.get()?,
    };
    let new = request.build()?;
    let (name, language, category) = (new.name.clone(), new.language.clone(), new.category.as_str());
    let (id, status) = templates::create(&services, caller.tenant_id(), number, new).await?;
    let template = CreatedTemplate { id, name, status, category, language };
    Ok(Reply(Created { status: "success", template }))
}
