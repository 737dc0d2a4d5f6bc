//! What Meta takes as a text in a parameter.

use serde_json::Value;

use crate::placeholder::as_parameter;

/// Where texts stand in a parameter.
const TEXTS: [&str; 5] =
    ["/text", "/currency/fallback_value", "/date_time/fallback_value", "/location/name", "/location/address"];

/// Makes each text of Meta's `components` one line with single spaces; everything else stays
/// as it is. Meta refuses line breaks, tabs and more than four spaces in a row (132018).
pub fn tidy(components: &mut [Value]) {
    for component in components {
        for parameter in list(component, "parameters") {
            for text in TEXTS {
                if let Some(Value::String(text)) = parameter.pointer_mut(text) {
                    *text = as_parameter(text);
                }
            }
        }
        for card in list(component, "cards") {
            tidy(list(card, "components"));
        }
    }
}

fn list<'a>(value: &'a mut Value, name: &str) -> &'a mut [Value] {
    value.get_mut(name).and_then(Value::as_array_mut).map_or(&mut [], Vec::as_mut_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_become_one_line_and_nothing_else_changes() {
        let text = |text: &str| json!({"type": "text", "text": text});
        let components = |text: Value| {
            json!([
                {"type": "body", "parameters": [text, {"type": "currency", "currency": {"code": "EUR", "amount_1000": 1}}]},
                {"type": "header", "parameters": [{"type": "location", "location": {"name": text["text"], "latitude": "1"}}]},
                {"type": "button", "sub_type": "quick_reply", "index": 0, "parameters": [{"type": "text", "text": true}, {"payload": "a\nb"}]},
                {"type": "carousel", "cards": [{"card_index": 0, "components": [{"type": "body", "parameters": [text]}]}]},
                "odd",
            ])
        };
        let mut given = components(text("a\n\tb      c"));
        tidy(given.as_array_mut().unwrap());
        assert_eq!(given, components(text("a b c")));
    }
}
