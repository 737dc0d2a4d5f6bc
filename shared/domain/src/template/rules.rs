//! Rules for the parts of a new template that Meta would refuse, so that a caller learns
//! which field is wrong.
//!
//! Sources: <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/limited-time-offer-templates/>,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/media-card-carousel-templates/>,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>

use serde_json::Value;

use super::slot::{list, text, upper};
use crate::Invalid;
use crate::message::Category;

const OFFER_TEXT_MOST: usize = 16;
const OFFER_BODY_MOST: usize = 600;
const CARD_BODY_MOST: usize = 160;
const CODE_MOST: usize = 15;
const BUTTONS_MOST: usize = 10;

type Checked = Result<(), Invalid>;

/// Checks a template's `components`.
///
/// # Errors
/// Names the field by its path, such as `components[1].cards`.
pub(super) fn check(components: &[Value], category: Category) -> Checked {
    for (index, component) in components.iter().enumerate() {
        let at = format!("components[{index}]");
        match upper(component, "type").as_str() {
            "" => return Err(Invalid::new("components", "each component needs a type")),
            "BUTTONS" => buttons(list(component, "buttons"), &format!("{at}.buttons"))?,
            "LIMITED_TIME_OFFER" => offer(component, &at, components, category)?,
            "CAROUSEL" => carousel(component, &at, components, category)?,
            "HEADER" if upper(component, "format") == "LOCATION" && category == Category::Authentication => {
                return refuse(&format!("{at}.format"), "may not be LOCATION in an AUTHENTICATION template");
            }
            _ => {}
        }
    }
    Ok(())
}

fn refuse(field: &str, rule: &str) -> Checked {
    Err(Invalid::new(field, format!("{field} {rule}")))
}

fn within(field: &str, text: &str, most: usize) -> Checked {
    match text.chars().count() {
        0 => refuse(field, "is required"),
        count if count > most => refuse(field, &format!("may have at most {most} characters")),
        _ => Ok(()),
    }
}

/// The first component of a type, with its path.
fn find<'a>(components: &'a [Value], kind: &str) -> Option<(String, &'a Value)> {
    let found = components.iter().enumerate().find(|(_, component)| upper(component, "type") == kind);
    found.map(|(index, component)| (format!("components[{index}]"), component))
}

fn only_marketing(category: Category, what: &str) -> Checked {
    match category {
        Category::Marketing => Ok(()),
        Category::Utility | Category::Authentication => {
            Err(Invalid::new("category", format!("category must be MARKETING for a template with {what}")))
        }
    }
}

fn buttons(buttons: &[Value], at: &str) -> Checked {
    if buttons.is_empty() || buttons.len() > BUTTONS_MOST {
        return refuse(at, &format!("must be an array of 1 to {BUTTONS_MOST} buttons"));
    }
    let kinds: Vec<String> = buttons.iter().map(|button| upper(button, "type")).collect();
    let changes = kinds.windows(2).filter(|pair| (pair[0] == "QUICK_REPLY") != (pair[1] == "QUICK_REPLY"));
    if changes.count() > 1 {
        return refuse(at, "must have its QUICK_REPLY buttons together, before or after the others");
    }
    for (index, (button, kind)) in buttons.iter().zip(&kinds).enumerate() {
        let at = format!("{at}[{index}]");
        match kind.as_str() {
            "" => return refuse(&format!("{at}.type"), "is required"),
            "COPY_CODE" => {
                let code = button.get("example").map(|code| code.get(0).unwrap_or(code));
                let code = code.and_then(Value::as_str);
                code.map_or(Ok(()), |code| within(&format!("{at}.example"), code, CODE_MOST))?;
            }
            "FLOW"
                if !["flow_id", "flow_name", "flow_json"].iter().any(|name| button.get(*name).is_some()) =>
            {
                return refuse(&format!("{at}.flow_id"), "is required, or flow_name, or flow_json");
            }
            "URL" if text(button, "url").is_empty() => return refuse(&format!("{at}.url"), "is required"),
            "PHONE_NUMBER" if text(button, "phone_number").is_empty() => {
                return refuse(&format!("{at}.phone_number"), "is required");
            }
            _ => {}
        }
    }
    for (kind, most) in
        [("URL", 2), ("PHONE_NUMBER", 1), ("COPY_CODE", 1), ("FLOW", 1), ("CATALOG", 1), ("MPM", 1)]
    {
        if kinds.iter().filter(|known| *known == kind).count() > most {
            return refuse(at, &format!("may have at most {most} of type {kind}"));
        }
    }
    Ok(())
}

fn offer(component: &Value, at: &str, components: &[Value], category: Category) -> Checked {
    only_marketing(category, "a limited-time offer")?;
    let at = format!("{at}.limited_time_offer");
    let Some(offer) = component.get("limited_time_offer").filter(|offer| offer.is_object()) else {
        return refuse(&at, "must be an object with text and has_expiration");
    };
    within(&format!("{at}.text"), text(offer, "text").trim(), OFFER_TEXT_MOST)?;
    let ends = match offer.get("has_expiration") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(ends)) => *ends,
        Some(_) => return refuse(&format!("{at}.has_expiration"), "must be true or false"),
    };
    if let Some((footer, _)) = find(components, "FOOTER") {
        return refuse(&footer, "may not be a FOOTER in a template with a limited-time offer");
    }
    if let Some((header, component)) = find(components, "HEADER")
        && !matches!(upper(component, "format").as_str(), "IMAGE" | "VIDEO")
    {
        return refuse(
            &format!("{header}.format"),
            "must be IMAGE or VIDEO in a template with a limited-time offer",
        );
    }
    let Some((body, component)) = find(components, "BODY") else {
        return refuse("components", "must have a BODY beside a limited-time offer");
    };
    within(&format!("{body}.text"), text(component, "text"), OFFER_BODY_MOST)?;
    let (at, buttons) = match find(components, "BUTTONS") {
        Some((at, component)) => (format!("{at}.buttons"), list(component, "buttons")),
        None => ("components".to_owned(), &[][..]),
    };
    match buttons.iter().position(|button| upper(button, "type") == "COPY_CODE") {
        None if ends => refuse(&at, "must have a COPY_CODE button first: the offer has an expiration"),
        Some(1..) => refuse(&at, "must have its COPY_CODE button first, before URL"),
        Some(0) | None => Ok(()),
    }
}

fn carousel(component: &Value, at: &str, components: &[Value], category: Category) -> Checked {
    only_marketing(category, "a carousel")?;
    let cards = list(component, "cards");
    let at = format!("{at}.cards");
    if !(2..=10).contains(&cards.len()) {
        return refuse(&at, "must be an array of 2 to 10 cards");
    }
    for kind in ["HEADER", "FOOTER", "BUTTONS"] {
        if let Some((other, _)) = find(components, kind) {
            return refuse(&other, &format!("may not be a {kind} beside a carousel: its cards have them"));
        }
    }
    if find(components, "BODY").is_none() {
        return refuse("components", "must have a BODY beside a carousel");
    }
    let mut first: Option<Card> = None;
    for (number, card) in cards.iter().enumerate() {
        let at = format!("{at}[{number}]");
        let card = Card::check(list(card, "components"), &at)?;
        let Some(first) = first.as_ref() else {
            first = Some(card);
            continue;
        };
        if card.format != first.format {
            return refuse(
                &at,
                &format!("must have a header of format {} as the first card has", first.format),
            );
        }
        if card.has_body != first.has_body {
            return refuse(&at, "must have a BODY if, and only if, the first card has one");
        }
        if card.buttons != first.buttons {
            let buttons = first.buttons.join(", ");
            return refuse(&at, &format!("must have the same buttons as the first card: {buttons}"));
        }
    }
    Ok(())
}

/// What all cards of a carousel have in common.
struct Card {
    format: String,
    has_body: bool,
    buttons: Vec<String>,
}

impl Card {
    fn check(components: &[Value], at: &str) -> Result<Self, Invalid> {
        let inner = |path: &str| format!("{at}.{path}");
        let Some((header, component)) = find(components, "HEADER") else {
            return Err(missing(&inner("components"), "must have a HEADER"));
        };
        let format = upper(component, "format");
        if !matches!(format.as_str(), "IMAGE" | "VIDEO" | "PRODUCT") {
            return Err(missing(&inner(&format!("{header}.format")), "must be IMAGE, VIDEO or PRODUCT"));
        }
        let body = find(components, "BODY");
        if let Some((body, component)) = &body {
            within(&inner(&format!("{body}.text")), text(component, "text"), CARD_BODY_MOST)?;
        }
        let Some((of, component)) = find(components, "BUTTONS") else {
            return Err(missing(&inner("components"), "must have BUTTONS, one or two"));
        };
        let (at, list) = (inner(&format!("{of}.buttons")), list(component, "buttons"));
        if !(1..=2).contains(&list.len()) {
            return Err(missing(&at, "must be an array of 1 or 2 buttons"));
        }
        buttons(list, &at)?;
        let kinds: Vec<String> = list.iter().map(|button| upper(button, "type")).collect();
        let allowed: &[&str] =
            if format == "PRODUCT" { &["SPM", "URL"] } else { &["QUICK_REPLY", "URL", "PHONE_NUMBER"] };
        if !kinds.iter().all(|kind| allowed.contains(&kind.as_str())) {
            return Err(missing(&at, &format!("may only be of type {}", allowed.join(", "))));
        }
        Ok(Self { format, has_body: body.is_some(), buttons: kinds })
    }
}

fn missing(field: &str, rule: &str) -> Invalid {
    Invalid::new(field, format!("{field} {rule}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(components: Value) -> String {
        match check(components.as_array().unwrap(), Category::Marketing) {
            Ok(()) => String::new(),
            Err(invalid) => invalid.field,
        }
    }

    fn body(count: usize) -> Value {
        json!({"type": "BODY", "text": "x".repeat(count)})
    }

    #[test]
    fn an_offer_has_its_rules() {
        let offer = |text: &str, ends: Value| json!({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": text, "has_expiration": ends}});
        let url = json!({"type": "URL", "text": "Vai", "url": "https://x.it"});
        let code = json!({"type": "COPY_CODE", "example": "SALDI25"});
        let buttons = |list: Value| json!({"type": "BUTTONS", "buttons": list});
        let good = || (offer("Scade presto", json!(true)), buttons(json!([code, url])));
        for (components, field) in [
            (json!([good().0, body(600), good().1]), ""),
            (json!([offer("x", json!(false)), body(1), buttons(json!([url]))]), ""),
            (
                json!([offer("x".repeat(17).as_str(), json!(true)), body(1), good().1]),
                "components[0].limited_time_offer.text",
            ),
            (json!([offer("", json!(true)), body(1), good().1]), "components[0].limited_time_offer.text"),
            (
                json!([offer("x", json!("yes")), body(1), good().1]),
                "components[0].limited_time_offer.has_expiration",
            ),
            (json!([{"type": "limited_time_offer"}, body(1)]), "components[0].limited_time_offer"),
            (json!([good().0, body(601), good().1]), "components[1].text"),
            (json!([good().0, body(1), {"type": "FOOTER", "text": "x"}, good().1]), "components[2]"),
            (
                json!([good().0, {"type": "HEADER", "format": "TEXT", "text": "x"}, body(1), good().1]),
                "components[1].format",
            ),
            (json!([good().0, body(1), buttons(json!([url, code]))]), "components[2].buttons"),
            (json!([good().0, body(1), buttons(json!([url]))]), "components[2].buttons"),
            (json!([good().0, body(1)]), "components"),
            (json!([good().0, good().1]), "components"),
        ] {
            assert_eq!(refused(components.clone()), field, "{components}");
        }
        let utility = check(json!([good().0, body(1), good().1]).as_array().unwrap(), Category::Utility);
        assert_eq!(utility.unwrap_err().field, "category");
    }

    #[test]
    fn a_carousel_has_its_rules() {
        let quick = json!({"type": "QUICK_REPLY", "text": "Sì"});
        let url = json!({"type": "URL", "text": "Vai", "url": "https://x.it/{{1}}"});
        let card = |format: &str, body: Option<usize>, buttons: Value| {
            let mut components = vec![json!({"type": "HEADER", "format": format})];
            components.extend(body.map(|count| json!({"type": "BODY", "text": "x".repeat(count)})));
            components.push(json!({"type": "BUTTONS", "buttons": buttons}));
            json!({"components": components})
        };
        let image = |buttons: Value| card("IMAGE", Some(160), buttons);
        let both = || image(json!([quick, url]));
        let of = |cards: Value| json!([body(1), {"type": "CAROUSEL", "cards": cards}]);
        for (components, field) in [
            (of(json!([both(), both()])), ""),
            (of(json!(vec![both(); 10])), ""),
            (of(json!(vec![card("PRODUCT", None, json!([{"type": "SPM"}])); 2])), ""),
            (of(json!([both()])), "components[1].cards"),
            (of(json!(vec![both(); 11])), "components[1].cards"),
            (json!([body(1), {"type": "CAROUSEL"}]), "components[1].cards"),
            (of(json!([both(), card("VIDEO", Some(1), json!([quick, url]))])), "components[1].cards[1]"),
            (of(json!([both(), card("IMAGE", None, json!([quick, url]))])), "components[1].cards[1]"),
            (of(json!([both(), image(json!([url, quick]))])), "components[1].cards[1]"),
            (of(json!([both(), image(json!([quick]))])), "components[1].cards[1]"),
            (
                of(json!([card("TEXT", None, json!([quick])), both()])),
                "components[1].cards[0].components[0].format",
            ),
            (
                of(json!([card("IMAGE", Some(161), json!([quick])), both()])),
                "components[1].cards[0].components[1].text",
            ),
            (
                of(json!([image(json!([quick, quick, quick])), both()])),
                "components[1].cards[0].components[2].buttons",
            ),
            (
                of(json!([image(json!([{"type": "MPM", "text": "x"}])), both()])),
                "components[1].cards[0].components[2].buttons",
            ),
            (
                of(json!([{"components": [{"type": "HEADER", "format": "IMAGE"}]}, both()])),
                "components[1].cards[0].components",
            ),
            (json!([{"type": "CAROUSEL", "cards": [both(), both()]}]), "components"),
            (
                json!([body(1), {"type": "CAROUSEL", "cards": [both(), both()]}, {"type": "FOOTER", "text": "x"}]),
                "components[2]",
            ),
        ] {
            assert_eq!(refused(components.clone()), field, "{components}");
        }
    }

    #[test]
    fn buttons_have_their_rules() {
        let quick = json!({"type": "QUICK_REPLY", "text": "x"});
        let url = json!({"type": "URL", "text": "x", "url": "https://x.it"});
        let of = |buttons: Value| json!([body(1), {"type": "BUTTONS", "buttons": buttons}]);
        for (components, field) in [
            (of(json!([quick, quick, url])), ""),
            (of(json!([quick, url, quick])), "components[1].buttons"),
            (of(json!([])), "components[1].buttons"),
            (of(json!([url, url, url])), "components[1].buttons"),
            (of(json!([{"type": "FLOW", "text": "x"}])), "components[1].buttons[0].flow_id"),
            (
                of(json!([{"type": "COPY_CODE", "example": "x".repeat(16)}])),
                "components[1].buttons[0].example",
            ),
            (of(json!([{"type": "COPY_CODE"}])), ""),
            (of(json!([{"type": "URL", "text": "x"}])), "components[1].buttons[0].url"),
            (of(json!([{"text": "x"}])), "components[1].buttons[0].type"),
            (json!([{"text": "x"}]), "components"),
        ] {
            assert_eq!(refused(components.clone()), field, "{components}");
        }
    }
}
