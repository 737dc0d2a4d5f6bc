//! Templates as sister products list them.

use domain::template::{Place, Template, slots};
use serde::Serialize;
use serde_json::{Value, json};

/// Larger numbers lose digits in clients that keep them as floating-point ones.
const MAX_NUMBER: u64 = 1 << 53;

/// The answer of `get/template/list`.
#[derive(Serialize)]
pub(crate) struct Templates {
    status: &'static str,
    message: Vec<ListedTemplate>,
}

impl FromIterator<Template> for Templates {
    fn from_iter<T: IntoIterator<Item = Template>>(templates: T) -> Self {
        Self { status: "1", message: templates.into_iter().map(ListedTemplate::from).collect() }
    }
}

#[derive(Serialize)]
struct ListedTemplate {
    /// Meta's id, as a number while clients can keep it.
    id: Value,
    template_id: String,
    template_name: String,
    locale: String,
    category: Option<&'static str>,
    status: String,
    /// `text`, `media`, `location`, `product`, or `none`.
    header_type: &'static str,
    /// Of a media header: `image`, `video` or `document`.
    header_subtype: String,
    header_content: String,
    body_content: String,
    footer_content: String,
    /// JSON as text, as clients expect it.
    button_content: String,
    variable_map: String,
    template_json: String,
    /// Meta's, unchanged.
    components: Vec<Value>,
}

impl From<Template> for ListedTemplate {
    fn from(template: Template) -> Self {
        let number = template.id.parse().ok().filter(|number: &u64| *number < MAX_NUMBER);
        let category = template.category.map(|category| category.as_str());
        let (header_type, header_subtype) = header(&template);
        let whole = json!({
            "name": template.name,
            "language": template.language,
            "category": category,
            "components": template.components,
        });
        Self {
            id: number.map_or_else(|| template.id.clone().into(), Value::from),
            status: title(template.status.as_str()),
            category,
            header_type,
            header_subtype,
            header_content: text(&template, "HEADER"),
            body_content: text(&template, "BODY"),
            footer_content: text(&template, "FOOTER"),
            button_content: component(&template, "BUTTONS")
                .map_or_else(|| json!([]), |buttons| buttons["buttons"].clone())
                .to_string(),
            variable_map: variables(&template).to_string(),
            template_json: whole.to_string(),
            template_id: template.id,
            template_name: template.name,
            locale: template.language,
            components: template.components,
        }
    }
}

fn component<'a>(template: &'a Template, kind: &str) -> Option<&'a Value> {
    let is_it =
        |component: &&Value| component["type"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(kind));
    template.components.iter().find(is_it)
}

fn text(template: &Template, kind: &str) -> String {
    let text = component(template, kind).and_then(|component| component["text"].as_str());
    text.unwrap_or_default().to_owned()
}

fn header(template: &Template) -> (&'static str, String) {
    let format = component(template, "HEADER").and_then(|header| header["format"].as_str());
    match format.map(str::to_ascii_uppercase).as_deref() {
        None => ("none", String::new()),
        Some("TEXT") => ("text", String::new()),
        Some("LOCATION") => ("location", String::new()),
        Some("PRODUCT") => ("product", String::new()),
        Some(media) => ("media", media.to_ascii_lowercase()),
    }
}

/// The variables of header and body, by their names.
fn variables(template: &Template) -> Value {
    let (mut header, mut body) = (Vec::new(), Vec::new());
    for slot in slots(template).into_iter().filter(|slot| slot.card.is_none()) {
        match slot.place {
            Place::HeaderText(name) => header.push(name),
            Place::Body(name) => body.push(name),
            Place::HeaderMedia(_)
            | Place::HeaderLocation
            | Place::HeaderProduct
            | Place::Button(..)
            | Place::Offer
            | Place::Unknown(_) => {}
        }
    }
    json!({"header": header, "body": body})
}

/// `APPROVED` as `Approved`.
fn title(status: &str) -> String {
    let mut letters = status.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect()
}
