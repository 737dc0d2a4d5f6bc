//! Samples: Meta takes no variable and no file of a header into review without one.

use serde_json::{Value, json};

use super::slot::{media_kind, upper};
use super::variables;
use crate::media::MediaKind;

/// A header's file that Meta wants to see before it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSample {
    /// What kind of file.
    pub kind: MediaKind,
    /// The address that the caller gave instead of a handle of Meta's.
    pub url: Option<String>,
    /// Where its header is in the components, as a JSON pointer.
    pub(super) at: String,
}

/// Adds the samples that are missing; answers whether the variables have names.
pub(super) fn add(components: &mut [Value]) -> bool {
    let mut named = false;
    for component in components {
        named |= add_samples(component);
        for card in component.get_mut("cards").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(components) = card.get_mut("components").and_then(Value::as_array_mut) {
                named |= add(components);
            }
        }
    }
    named
}

fn add_samples(component: &mut Value) -> bool {
    let kind = component.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase();
    let text = component.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = variables(&text);
    let named = found.iter().any(|v| v.parse::<usize>().is_err());
    if kind == "BUTTONS" {
        add_button_samples(component);
    }
    if found.is_empty() || component.get("example").is_some() {
        return named;
    }
    let samples: Vec<String> = found.iter().enumerate().map(|(i, _)| sample(i)).collect();
    let example = match (kind.as_str(), named) {
        ("HEADER", false) => json!({"header_text": samples}),
        ("BODY", false) => json!({"body_text": [samples]}),
        ("HEADER" | "BODY", true) => {
            let params: Vec<Value> = found
                .iter()
                .zip(samples)
                .map(|(name, sample)| json!({"param_name": name, "example": sample}))
                .collect();
            let key = if kind == "HEADER" { "header_text_named_params" } else { "body_text_named_params" };
            json!({key: params})
        }
        _ => return named,
    };
    if let Some(component) = component.as_object_mut() {
        component.insert("example".to_owned(), example);
    }
    named
}

fn add_button_samples(component: &mut Value) {
    let Some(buttons) = component.get_mut("buttons").and_then(Value::as_array_mut) else { return };
    for button in buttons.iter_mut().filter_map(Value::as_object_mut) {
        let url = button.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !variables(&url).is_empty() && !button.contains_key("example") {
            let start = url.find("{{").unwrap_or(url.len());
            button.insert("example".to_owned(), json!([format!("{}{}", &url[..start], sample(0))]));
        }
        let kind = button.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase();
        match kind.as_str() {
            "COPY_CODE" if !button.contains_key("example") => {
                button.insert("example".to_owned(), json!("SALDI25"));
            }
            // Meta's fixed texts, which it wants nevertheless.
            "MPM" | "CATALOG" | "SPM" if !button.contains_key("text") => {
                let text = match kind.as_str() {
                    "MPM" => "View items",
                    "CATALOG" => "View catalog",
                    _ => "View",
                };
                button.insert("text".to_owned(), json!(text));
            }
            _ => {}
        }
    }
}

fn sample(index: usize) -> String {
    const WORDS: [&str; 5] = ["Mario", "20", "Roma", "lunedi", "ordine 42"];
    WORDS.get(index).map_or_else(|| format!("esempio {}", index + 1), |w| (*w).to_owned())
}

/// The headers with a file that have no handle of a sample yet.
pub(super) fn files(components: &[Value]) -> Vec<FileSample> {
    let mut found = Vec::new();
    collect(components, "", &mut found);
    found
}

fn collect(components: &[Value], under: &str, found: &mut Vec<FileSample>) {
    for (index, component) in components.iter().enumerate() {
        let at = format!("{under}/{index}");
        let cards = component.get("cards").and_then(Value::as_array);
        for (number, card) in cards.into_iter().flatten().enumerate() {
            if let Some(components) = card.get("components").and_then(Value::as_array) {
                collect(components, &format!("{at}/cards/{number}/components"), found);
            }
        }
        let format = upper(component, "format");
        let film = (format == "GIF").then_some(MediaKind::Video);
        let Some(kind) = media_kind(&format).or(film) else { continue };
        let given = component.pointer("/example/header_handle");
        let given =
            given.and_then(|given| given.get(0).unwrap_or(given).as_str()).filter(|given| !given.is_empty());
        let url = given.filter(|given| given.starts_with("http://") || given.starts_with("https://"));
        if given.is_none() || url.is_some() {
            found.push(FileSample { kind, url: url.map(str::to_owned), at });
        }
    }
}
