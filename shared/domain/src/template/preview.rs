//! A template as its recipient reads it.

use super::{Place, Slot, Template, slots};
use crate::message::Category;

/// The body of `template` as its recipient reads it: filled with what was sent, in
/// the order of [`slots`]. `None` when its text is Meta's own, or there is none.
pub fn preview(template: &Template, values: &[String]) -> Option<String> {
    let body = template.text_of("BODY");
    if body.is_empty() || matches!(template.category, Some(Category::Authentication)) {
        return None;
    }
    let mut slots = slots(template);
    slots.retain(Slot::is_text);
    let value = |variable: &str| {
        let mut pairs = slots.iter().zip(values);
        pairs
            .find_map(|(slot, value)| matches!(&slot.place, Place::Body(v) if v == variable).then_some(value))
    };
    let (mut text, mut rest) = (String::with_capacity(body.len()), body);
    while let Some((before, tail)) = rest.split_once("{{") {
        let Some((variable, after)) = tail.split_once("}}") else { break };
        text.push_str(before);
        match value(variable.trim()) {
            Some(value) => text.push_str(value),
            None => text.extend(["{{", variable, "}}"]),
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::template::TemplateStatus;

    fn template(body: &str) -> Template {
        Template {
            id: "1".into(),
            name: "promo".into(),
            language: "it".into(),
            category: Some(Category::Utility),
            status: TemplateStatus::Approved,
            components: vec![
                json!({"type": "HEADER", "format": "TEXT", "text": "Per {{1}}"}),
                json!({"type": "BODY", "text": body}),
            ],
        }
    }

    fn read(body: &str, values: &[&str]) -> Option<String> {
        let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
        preview(&template(body), &values)
    }

    #[test]
    fn the_body_is_filled_once_and_only_with_its_own_values() {
        for (body, values, want) in [
            ("Ciao {{1}}, {{ 2 }}% a {{1}}", vec!["testata", "Anna", "20"], "Ciao Anna, 20% a Anna"),
            ("Ciao {{1}}", vec!["testata", "{{2}}"], "Ciao {{2}}"),
            ("Ciao {{1}} {{2}}", vec!["testata", "Anna"], "Ciao Anna {{2}}"),
            ("Ciao {{1", vec!["testata"], "Ciao {{1"),
            ("Ciao", vec!["testata"], "Ciao"),
        ] {
            assert_eq!(read(body, &values).as_deref(), Some(want), "{body}");
        }
    }

    #[test]
    fn codes_are_not_shown() {
        let code = Template { category: Some(Category::Authentication), ..template("{{1}} è il codice") };
        assert_eq!(preview(&code, &["1234".to_owned()]), None);
        assert_eq!(read("", &[]), None);
    }
}
