//! Validation of template messages against the template they name.

use serde_json::Value;

use super::{
    content,
    fields::{Checked, invalid, need_array, need_object, need_text, path},
    medium,
};
use crate::graph::{
    errors::GraphError,
    fields::field,
    state::{
        accounts::Token,
        lifecycle::Category,
        media::MediaShelf,
        shape::{Button, Header},
        templates::Template,
        variables::Variables,
        world::World,
    },
    templates,
};

/// Checks a template message and tells what it is charged as.
pub(super) fn check(world: &World, token: Token, body: &Value, now_ms: u64) -> Checked<Category> {
    let content = need_object(body, "", "template")?;
    let name = need_text(content, "template", "name")?;
    let language = need_object(content, "template", "language")?;
    let language = need_text(language, "template['language']", "code")?;
    let template = usable(world, token, name, language, now_ms)?;
    let components = match field(content, "components") {
        Some(_) => need_array(content, "template", "components")?,
        None => &[],
    };
    TemplateMessage { template, components, media: &world.media }.check()?;
    Ok(template.category)
}

fn usable<'a>(
    world: &'a World,
    token: Token,
    name: &str,
    language: &str,
    now_ms: u64,
) -> Checked<&'a Template> {
    let missing = || GraphError::new(132_001, format!("template name ({name}) does not exist in {language}"));
    let template = templates::find(world, token, name, language).ok_or_else(missing)?;
    match template.status(now_ms) {
        "APPROVED" => Ok(template),
        "PAUSED" => Err(GraphError::new(132_015, format!("template name ({name}) is paused"))),
        "DISABLED" => Err(GraphError::new(132_016, format!("template name ({name}) is disabled"))),
        _ => Err(missing()),
    }
}

/// The components of a message beside the template they fill.
struct TemplateMessage<'a> {
    template: &'a Template,
    components: &'a [Value],
    media: &'a MediaShelf,
}

impl TemplateMessage<'_> {
    fn check(&self) -> Checked {
        for (index, component) in self.components.iter().enumerate() {
            let at = component_path(index);
            let kind = need_text(component, &at, "type")?;
            if !["header", "body", "button"].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
                return Err(invalid(format!("{} must be one of header, body, button", path(&at, "type"))));
            }
        }
        self.check_header()?;
        let (at, parameters) = self.parameters("body")?;
        self.check_texts("body", &at, parameters, &self.template.shape.body)?;
        self.check_buttons()
    }

    /// The parameters of the component of this type, with their path.
    fn parameters(&self, wanted: &str) -> Checked<(String, &[Value])> {
        let found = self.components.iter().enumerate().find(|(_, component)| is_kind(component, wanted));
        let Some((index, component)) = found else { return Ok((String::new(), &[])) };
        let at = component_path(index);
        let parameters = match field(component, "parameters") {
            Some(_) => need_array(component, &at, "parameters")?,
            None => &[],
        };
        Ok((path(&at, "parameters"), parameters))
    }

    fn check_header(&self) -> Checked {
        let (at, parameters) = self.parameters("header")?;
        match &self.template.shape.header {
            Header::Fixed if parameters.is_empty() => Ok(()),
            Header::Fixed => Err(count_mismatch("header", parameters.len(), 0)),
            Header::Text(names) => self.check_texts("header", &at, parameters, names),
            Header::Media(kind) => {
                let value = sole(parameters, &at, kind.name())?;
                medium::check(value, &path(&format!("{at}[0]"), kind.name()), *kind, self.media)
            }
            Header::Location => {
                let value = sole(parameters, &at, "location")?;
                content::location(value, &path(&format!("{at}[0]"), "location"))
            }
        }
    }

    fn check_texts(&self, part: &str, at: &str, parameters: &[Value], names: &Variables) -> Checked {
        if parameters.len() != names.len() {
            return Err(count_mismatch(part, parameters.len(), names.len()));
        }
        for (index, parameter) in parameters.iter().enumerate() {
            check_value(parameter, part, &format!("{at}[{index}]"))?;
        }
        if !self.template.named {
            return Ok(());
        }
        for name in names {
            let given =
                |parameter: &Value| field(parameter, "parameter_name").and_then(Value::as_str) == Some(name);
            if !parameters.iter().any(given) {
                let problem = format!("{part}: Parameter name is missing or empty: {name}");
                return Err(GraphError::new(100, problem));
            }
        }
        Ok(())
    }

    fn check_buttons(&self) -> Checked {
        let buttons = &self.template.shape.buttons;
        let mut filled = vec![false; buttons.len()];
        for (position, component) in self.components.iter().enumerate() {
            if !is_kind(component, "button") {
                continue;
            }
            let at = component_path(position);
            let index = button_index(component, &at)?;
            let (Some(button), Some(mark)) = (buttons.get(index), filled.get_mut(index)) else {
                return Err(GraphError::new(
                    132_000,
                    format!("buttons: Template does not contain a button at index {index}"),
                ));
            };
            *mark = true;
            check_button(button, index, component, &at)?;
        }
        for (index, (button, filled)) in buttons.iter().zip(filled).enumerate() {
            let kind = match button {
                Button::Url { variable: true } => "Url",
                Button::CopyCode => "CopyCode",
                Button::Url { variable: false }
                | Button::QuickReply
                | Button::Flow
                | Button::Catalog
                | Button::Products
                | Button::Plain => continue,
            };
            if filled {
                continue;
            }
            let problem = format!("buttons: Button at index {index} of type {kind} requires a parameter");
            return Err(GraphError::new(131_008, problem));
        }
        Ok(())
    }
}

fn component_path(index: usize) -> String {
    format!("template['components'][{index}]")
}

fn is_kind(component: &Value, wanted: &str) -> bool {
    field(component, "type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
}

/// The index of a button, which may be a string or a number.
fn button_index(component: &Value, at: &str) -> Checked<usize> {
    let index = field(component, "index");
    let number = index.and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok()));
    let index = number.and_then(|number| usize::try_from(number).ok()).filter(|index| *index < 10);
    index.ok_or_else(|| invalid(format!("{} must be between 0 and 9", path(at, "index"))))
}

fn check_button(button: &Button, index: usize, component: &Value, at: &str) -> Checked {
    let sub_type = need_text(component, at, "sub_type")?.to_ascii_lowercase();
    let expected = match button {
        Button::QuickReply => "quick_reply",
        Button::Url { .. } => "url",
        Button::CopyCode => "copy_code",
        Button::Flow => "flow",
        Button::Catalog => "catalog",
        Button::Products => "mpm",
        Button::Plain => "",
    };
    if sub_type != expected {
        let problem = format!("buttons: Button at index {index} is not of type {sub_type}");
        return Err(GraphError::new(132_012, problem));
    }
    let parameters = match field(component, "parameters") {
        Some(_) => need_array(component, at, "parameters")?,
        None => &[],
    };
    let first_at = format!("{}[0]", path(at, "parameters"));
    match (button, parameters) {
        (Button::Url { variable: false }, [_, ..]) => {
            let problem = format!("buttons: Button at index {index} of type Url does not require parameters");
            Err(GraphError::new(132_018, problem))
        }
        (Button::Url { variable: true }, [parameter]) => check_value(parameter, "buttons", &first_at),
        (Button::CopyCode, [parameter]) => need_text(parameter, &first_at, "coupon_code").map(drop),
        (Button::Url { variable: true } | Button::CopyCode, _) => {
            Err(count_mismatch("buttons", parameters.len(), 1))
        }
        (_, [] | [_]) => Ok(()),
        (_, _) => Err(count_mismatch("buttons", parameters.len(), 1)),
    }
}

/// One value of a text: text, or a localisable currency or date.
fn check_value(parameter: &Value, part: &str, at: &str) -> Checked {
    let kind = need_text(parameter, at, "type")?;
    let text = match kind {
        "text" => field(parameter, "text").and_then(Value::as_str).unwrap_or_default(),
        "currency" | "date_time" => {
            let value = need_object(parameter, at, kind)?;
            need_text(value, &path(at, kind), "fallback_value")?
        }
        other => {
            let problem =
                format!("{part}: Format mismatch, expected TEXT, received {}", other.to_ascii_uppercase());
            return Err(GraphError::new(132_012, problem));
        }
    };
    if text.trim().is_empty() {
        return Err(GraphError::new(131_008, "Parameter of type text is missing text value"));
    }
    if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
        let problem = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(GraphError::new(132_018, problem));
    }
    Ok(())
}

/// The only parameter of a media or location header.
fn sole<'a>(parameters: &'a [Value], at: &str, kind: &str) -> Checked<&'a Value> {
    let mismatch = |received: &str| {
        let (expected, received) = (kind.to_ascii_uppercase(), received.to_ascii_uppercase());
        let problem = format!("header: Format mismatch, expected {expected}, received {received}");
        GraphError::new(132_012, problem)
    };
    match parameters {
        [] => Err(mismatch("unknown")),
        [parameter] => {
            let given = need_text(parameter, &format!("{at}[0]"), "type")?;
            if given == kind {
                need_object(parameter, &format!("{at}[0]"), kind)
            } else {
                Err(mismatch(given))
            }
        }
        more => Err(count_mismatch("header", more.len(), 1)),
    }
}

fn count_mismatch(part: &str, given: usize, expected: usize) -> GraphError {
    let problem = format!(
        "{part}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
    );
    GraphError::new(132_000, problem)
}
