//! What fills a template's variables.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Template, variables};
use crate::media::MediaKind;
use crate::message::MediaSource;

/// One variable of a template that a send has to fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// A variable of the header's text.
    Header(String),
    /// A variable of the body.
    Body(String),
    /// The variable of a button: its index, and Meta's `sub_type`.
    Button(usize, &'static str),
}

impl std::fmt::Display for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(variable) => write!(f, "header {{{{{variable}}}}}"),
            Self::Body(variable) => write!(f, "body {{{{{variable}}}}}"),
            Self::Button(index, _) => write!(f, "button {}", index + 1),
        }
    }
}

/// The value of one variable before placeholders are filled in.
pub type Param = String;

/// What a campaign gives for a template's variables (`template_params`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params {
    /// The header's variable.
    pub header: Vec<Param>,
    /// The body's variables, in order.
    pub body: Vec<Param>,
    /// The variables by name, for templates with named parameters.
    pub named: BTreeMap<String, Param>,
    /// One for each button that has a variable.
    pub buttons: Vec<Param>,
}

impl Params {
    /// Whether nothing was given, so that `{{1}}` is the name.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The pattern for `slot`; `nth` counts the slots of the same part.
    pub fn get(&self, slot: &Variable, nth: usize) -> Option<&str> {
        let found = match slot {
            Variable::Header(variable) => self.header.get(nth).or_else(|| self.named.get(variable)),
            Variable::Body(variable) => self.named.get(variable).or_else(|| self.body.get(nth)),
            Variable::Button(..) => self.buttons.get(nth),
        };
        match found {
            Some(pattern) => Some(pattern),
            None if self.is_empty() && matches!(slot, Variable::Body(v) if v == "1" || v == "name") => {
                Some("{{name}}")
            }
            None => None,
        }
    }

    /// A pattern for every slot, or the slots that have none.
    ///
    /// # Errors
    /// The slots without a pattern, as people read them.
    pub fn patterns(&self, slots: &[Variable]) -> Result<Vec<Param>, Vec<String>> {
        let (mut patterns, mut missing) = (Vec::new(), Vec::new());
        for (i, slot) in slots.iter().enumerate() {
            let nth = slots[..i].iter().filter(|s| same_part(s, slot)).count();
            match self.get(slot, nth) {
                Some(pattern) => patterns.push(pattern.to_owned()),
                None => missing.push(slot.to_string()),
            }
        }
        if missing.is_empty() { Ok(patterns) } else { Err(missing) }
    }
}

fn same_part(a: &Variable, b: &Variable) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

/// The variables that a send of `template` has to fill, in the order of its parts.
pub fn slots(template: &Template) -> Vec<Variable> {
    let header = variables(template.text_of("HEADER")).into_iter().map(Variable::Header);
    let body = variables(template.text_of("BODY")).into_iter().map(Variable::Body);
    let buttons = template.buttons().iter().enumerate().filter_map(|(i, button)| {
        let kind = button.get("type").and_then(Value::as_str)?;
        let url = button.get("url").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "URL" if !variables(url).is_empty() => Some(Variable::Button(i, "url")),
            "COPY_CODE" => Some(Variable::Button(i, "copy_code")),
            "OTP" => Some(Variable::Button(i, "url")),
            _ => None,
        }
    });
    let mut slots: Vec<Variable> = header.chain(body).chain(buttons).collect();
    // Authentication bodies are Meta's own text and always take the code.
    let is_authentication = matches!(template.category, Some(crate::message::Category::Authentication));
    if is_authentication && !slots.iter().any(|s| matches!(s, Variable::Body(_))) {
        slots.insert(0, Variable::Body("1".to_owned()));
    }
    slots
}

/// Meta's `components` for values in the order of `slots`, with the header's
/// media when the template has one.
pub fn fill(slots: &[Variable], values: &[String], media: Option<(MediaKind, &MediaSource)>) -> Vec<Value> {
    let named = |variable: &str, value: &str| {
        if variable.bytes().all(|b| b.is_ascii_digit()) {
            json!({"type": "text", "text": value})
        } else {
            json!({"type": "text", "parameter_name": variable, "text": value})
        }
    };
    let (mut header, mut body, mut buttons) = (Vec::new(), Vec::new(), Vec::new());
    if let Some((kind, source)) = media {
        let kind = kind.as_str();
        let file = match source {
            MediaSource::Link(url) => json!({"link": url}),
            MediaSource::Id(id) => json!({"id": id}),
        };
        header.push(json!({"type": kind, kind: file}));
    }
    for (slot, value) in slots.iter().zip(values) {
        match slot {
            Variable::Header(variable) => header.push(named(variable, value)),
            Variable::Body(variable) => body.push(named(variable, value)),
            Variable::Button(index, sub_type) => {
                let parameter = if *sub_type == "copy_code" {
                    json!({"type": "coupon_code", "coupon_code": value})
                } else {
                    json!({"type": "text", "text": value})
                };
                buttons.push(json!({
                    "type": "button", "sub_type": sub_type, "index": index.to_string(), "parameters": [parameter],
                }));
            }
        }
    }
    let part = |kind: &str, parameters: Vec<Value>| {
        (!parameters.is_empty()).then(|| json!({"type": kind, "parameters": parameters}))
    };
    part("header", header).into_iter().chain(part("body", body)).chain(buttons).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Category;
    use crate::template::TemplateStatus;

    fn template(components: Value) -> Template {
        Template {
            id: "1".to_owned(),
            name: "promo".to_owned(),
            language: "it".to_owned(),
            category: Some(Category::Marketing),
            status: TemplateStatus::Approved,
            components: components.as_array().unwrap().clone(),
        }
    }

    #[test]
    fn slots_follow_the_parts_and_values_fill_them() {
        let promo = template(json!([
            {"type": "HEADER", "format": "TEXT", "text": "Per {{1}}"},
            {"type": "BODY", "text": "Ciao {{1}}, sconto del {{2}}% oggi"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "No"}, {"type": "URL", "url": "https://x.it/{{1}}"}]},
        ]));
        let slots = slots(&promo);
        assert_eq!(
            slots.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["header {{1}}", "body {{1}}", "body {{2}}", "button 2"]
        );
        let params = Params { body: vec!["{{name}}".into()], ..Params::default() };
        assert_eq!(params.patterns(&slots).unwrap_err(), ["header {{1}}", "body {{2}}", "button 2"]);
        let values: Vec<String> = ["h", "a", "b", "p"].map(String::from).to_vec();
        let filled = Value::from(fill(&slots, &values, None));
        assert_eq!(filled[1]["parameters"][1]["text"], "b");
        assert_eq!((&filled[2]["index"], &filled[2]["sub_type"]), (&json!("1"), &json!("url")));
    }

    #[test]
    fn without_params_the_first_variable_is_the_name() {
        let hello = template(json!([{"type": "BODY", "text": "Ciao {{1}}!"}]));
        assert_eq!(Params::default().patterns(&slots(&hello)).unwrap(), ["{{name}}"]);
        let media = template(json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "x"}]));
        assert_eq!(media.header_media(), Some(MediaKind::Image));
        assert!(slots(&media).is_empty());
    }

    #[test]
    fn named_parameters_carry_their_name() {
        let named = template(json!([{"type": "BODY", "text": "Ciao {{first}} {{city}}"}]));
        let params = Params {
            named: [
                ("first".to_owned(), "{{first_name}}".to_owned()),
                ("city".to_owned(), "Roma".to_owned()),
            ]
            .into(),
            ..Params::default()
        };
        let slots = slots(&named);
        assert_eq!(params.patterns(&slots).unwrap(), ["{{first_name}}", "Roma"]);
        let filled = fill(&slots, &["A".to_owned(), "B".to_owned()], None);
        assert_eq!(filled[0]["parameters"][0]["parameter_name"], "first");
    }
}
