//! `/api/whatsapp-meta/get_templates` and `create_template`

use api_http::{Caller, Input, Reply, Result, account_of_token};
use axum::extract::State;
use domain::template::{Slot, Template, TemplateRequest, TemplateStatus, slots};
use messaging::{Services, templates};
use ops::senders;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Serialize)]
struct Item {
    id: String,
    name: String,
    language: String,
    category: Option<&'static str>,
    status: String,
    components: Vec<Value>,
    variables: Vec<Value>,
}

impl From<Template> for Item {
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
    match slot {
        Slot::Header(name) => json!({"component": "header", "name": name}),
        Slot::Body(name) => json!({"component": "body", "name": name}),
        Slot::Button(index, kind) => json!({"component": "button", "index": index, "sub_type": kind}),
    }
}

#[derive(Serialize)]
pub(crate) struct List {
    status: &'static str,
    templates: Vec<Item>,
}

/// `GET /api/whatsapp-meta/get_templates`: approved ones, unless `status` asks for
/// `all` or for another status.
pub(crate) async fn list(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, List>> {
    let fields = input.fields();
    let account = account_of_token(&services.store, &caller, fields).await?;
    let number = senders::number(&account, fields.sender()?.as_ref())?;
    let wanted = fields.text("status")?.map(|status| status.trim().to_ascii_uppercase());
    let wanted = wanted.unwrap_or_else(|| TemplateStatus::Approved.as_str().to_owned());
    let found = templates::list(&services.store, &services.graph, caller.tenant_id(), number).await?;
    let shown = found.into_iter().filter(|t| wanted == "ALL" || t.status.as_str() == wanted);
    Ok(Reply(List { status: "success", templates: shown.map(Item::from).collect() }))
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

/// `POST /api/whatsapp-meta/create_template`
pub(crate) async fn create(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Created>> {
    let fields = input.fields();
    let account = account_of_token(&services.store, &caller, fields).await?;
    let number = senders::number(&account, fields.sender()?.as_ref())?;
    let request = TemplateRequest {
        name: fields.required("name")?,
        category: fields.required("category")?,
        language: fields.text("language")?,
        header: fields.text("header")?,
        body: fields.text("body")?,
        footer: fields.text("footer")?,
        components: fields.array("components")?,
    };
    let new = request.build()?;
    let (id, status) =
        templates::create(&services.store, &services.graph, caller.tenant_id(), number, &new).await?;
    let category = new.category.as_str();
    let template = CreatedTemplate { id, name: new.name, status, category, language: new.language };
    Ok(Reply(Created { status: "success", template }))
}
