//! What a send of a template has to give: every component and button of Meta's that takes a
//! parameter at send time is known here, and what is not known here is nowhere filled.
//!
//! Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>

use serde_json::Value;

use super::{Template, variables};
use crate::media::MediaKind;
use crate::message::Category;

/// A place of a template that a send fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The card of the carousel that it is in, from 0.
    pub card: Option<usize>,
    /// Where in the template, or in the card.
    pub place: Place,
}

/// Where a send puts something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The variable of a header's text.
    HeaderText(String),
    /// A header's file.
    HeaderMedia(MediaKind),
    /// A header's point on the map.
    HeaderLocation,
    /// A header's product of the catalog.
    HeaderProduct,
    /// A variable of the body.
    Body(String),
    /// A button, by its index.
    Button(usize, ButtonKind),
    /// When a limited-time offer ends.
    Offer,
    /// What Meta has and nobody here can fill, as Meta calls it.
    Unknown(String),
}

/// What a button takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonKind {
    /// The end of its address.
    Url,
    /// A code to copy, at most 15 characters.
    CopyCode,
    /// A one-time code, however it is filled in.
    OneTimeCode,
    /// A token, and data for its first screen.
    Flow,
    /// The product that is shown for the catalog.
    Catalog,
    /// The products of a multi-product message.
    Products,
    /// What comes back when it is tapped; its own text, when nothing is given.
    QuickReply,
}

impl ButtonKind {
    /// Meta's `sub_type`.
    pub fn sub_type(self) -> &'static str {
        match self {
            Self::Url | Self::OneTimeCode => "url",
            Self::CopyCode => "copy_code",
            Self::Flow => "flow",
            Self::Catalog => "catalog",
            Self::Products => "mpm",
            Self::QuickReply => "quick_reply",
        }
    }

    /// Whether it takes one text, as `{{1}}` of a body does.
    pub fn takes_text(self) -> bool {
        match self {
            Self::Url | Self::CopyCode | Self::OneTimeCode => true,
            Self::Flow | Self::Catalog | Self::Products | Self::QuickReply => false,
        }
    }

    /// The field that it cannot be sent without, where it has more than one.
    fn needs(self) -> Option<&'static str> {
        match self {
            Self::Url | Self::OneTimeCode => None,
            Self::CopyCode => Some("coupon_code"),
            Self::Flow => Some("flow_token"),
            Self::Catalog => Some("thumbnail_product_retailer_id"),
            Self::Products => Some("sections"),
            Self::QuickReply => Some("payload"),
        }
    }
}

impl Slot {
    /// Whether it takes a text of the template itself: those come first, in the order in
    /// which the rows of a campaign hold them.
    pub fn is_text(&self) -> bool {
        let takes_text = match &self.place {
            Place::HeaderText(_) | Place::Body(_) => true,
            Place::Button(_, kind) => kind.takes_text(),
            Place::HeaderMedia(_)
            | Place::HeaderLocation
            | Place::HeaderProduct
            | Place::Offer
            | Place::Unknown(_) => false,
        };
        takes_text && self.card.is_none()
    }

    /// Whether a send cannot be without it. Meta shows the first product of a catalog whose
    /// picture nobody chose, and sends the title of a quick reply back as its payload.
    pub(super) fn is_required(&self) -> bool {
        !matches!(self.place, Place::Button(_, ButtonKind::QuickReply | ButtonKind::Catalog))
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(card) = self.card {
            write!(f, "carousel card {} ", card + 1)?;
        }
        match &self.place {
            Place::HeaderText(variable) => write!(f, "header {{{{{variable}}}}}"),
            Place::HeaderMedia(kind) => write!(f, "header {}", kind.as_str()),
            Place::HeaderLocation => f.write_str("header location (latitude, longitude)"),
            Place::HeaderProduct => f.write_str("header product (product_retailer_id, catalog_id)"),
            Place::Body(variable) => write!(f, "body {{{{{variable}}}}}"),
            Place::Button(index, kind) => match kind.needs() {
                Some(field) => write!(f, "button {} ({field})", index + 1),
                None => write!(f, "button {}", index + 1),
            },
            Place::Offer => f.write_str("limited_time_offer (expiration)"),
            Place::Unknown(what) => f.write_str(what),
        }
    }
}

/// What a send of `template` has to fill: first the texts of its header, body and buttons,
/// then the rest in the order of its components.
pub fn slots(template: &Template) -> Vec<Slot> {
    let mut slots = all_slots(template);
    slots.retain(Slot::is_required);
    slots
}

/// The same, with what may be given and need not.
pub fn all_slots(template: &Template) -> Vec<Slot> {
    let mut places: Vec<Slot> = places(&template.components, None);
    // Authentication bodies are Meta's own text and always take the code.
    let is_authentication = matches!(template.category, Some(Category::Authentication));
    if is_authentication && !places.iter().any(|slot| matches!(slot.place, Place::Body(_))) {
        places.insert(0, Slot { card: None, place: Place::Body("1".to_owned()) });
    }
    let rank = |slot: &Slot| match (&slot.place, slot.is_text()) {
        (Place::HeaderText(_), true) => 0,
        (Place::Body(_), true) => 1,
        (_, true) => 2,
        (_, false) => 3,
    };
    places.sort_by_key(rank);
    places
}

fn places(components: &[Value], card: Option<usize>) -> Vec<Slot> {
    components.iter().flat_map(|component| places_of(component, card)).collect()
}

fn places_of(component: &Value, card: Option<usize>) -> Vec<Slot> {
    let slot = |place| Slot { card, place };
    let kind = upper(component, "type");
    match (kind.as_str(), card) {
        ("HEADER", _) => header(component).into_iter().map(slot).collect(),
        ("BODY", _) => variables(text(component, "text")).into_iter().map(Place::Body).map(slot).collect(),
        ("FOOTER" | "CALL_PERMISSION_REQUEST", _) => Vec::new(),
        ("BUTTONS", _) => {
            let buttons = list(component, "buttons").iter().enumerate();
            buttons.filter_map(|(index, of)| button(index, of)).map(slot).collect()
        }
        ("LIMITED_TIME_OFFER", None) => {
            let ends = component.pointer("/limited_time_offer/has_expiration").and_then(Value::as_bool);
            ends.unwrap_or(false).then(|| slot(Place::Offer)).into_iter().collect()
        }
        ("CAROUSEL", None) if !list(component, "cards").is_empty() => {
            let cards = list(component, "cards").iter().enumerate();
            cards.flat_map(|(number, of)| places(list(of, "components"), Some(number))).collect()
        }
        (_, _) => vec![slot(Place::Unknown(format!("component {kind}")))],
    }
}

fn header(component: &Value) -> Vec<Place> {
    let format = upper(component, "format");
    match format.as_str() {
        "TEXT" | "" => variables(text(component, "text")).into_iter().map(Place::HeaderText).collect(),
        "LOCATION" => vec![Place::HeaderLocation],
        "PRODUCT" => vec![Place::HeaderProduct],
        _ => vec![match media_kind(&format) {
            Some(kind) => Place::HeaderMedia(kind),
            None => Place::Unknown(format!("header {format}")),
        }],
    }
}

fn button(index: usize, button: &Value) -> Option<Place> {
    let kind = upper(button, "type");
    let takes = |kind| Some(Place::Button(index, kind));
    match kind.as_str() {
        "URL" if variables(text(button, "url")).is_empty() => None,
        "URL" => takes(ButtonKind::Url),
        "COPY_CODE" => takes(ButtonKind::CopyCode),
        "OTP" => takes(ButtonKind::OneTimeCode),
        "FLOW" => takes(ButtonKind::Flow),
        "CATALOG" => takes(ButtonKind::Catalog),
        "MPM" => takes(ButtonKind::Products),
        "QUICK_REPLY" => takes(ButtonKind::QuickReply),
        "PHONE_NUMBER" | "VOICE_CALL" | "SPM" => None,
        _ => Some(Place::Unknown(format!("button {} {kind}", index + 1))),
    }
}

/// The kind of file that a header of this format has.
pub(super) fn media_kind(format: &str) -> Option<MediaKind> {
    match format {
        "IMAGE" => Some(MediaKind::Image),
        "VIDEO" => Some(MediaKind::Video),
        "DOCUMENT" => Some(MediaKind::Document),
        _ => None,
    }
}

/// A text of a component; empty when it has none.
pub(super) fn text<'a>(component: &'a Value, name: &str) -> &'a str {
    component.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A word of Meta's, which callers may write in any case.
pub(super) fn upper(component: &Value, name: &str) -> String {
    text(component, name).to_ascii_uppercase()
}

/// A list of a component; empty when it has none.
pub(super) fn list<'a>(component: &'a Value, name: &str) -> &'a [Value] {
    component.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::template::TemplateStatus;

    fn names(category: Category, components: Value) -> Vec<String> {
        let template = Template {
            id: "1".to_owned(),
            name: "promo".to_owned(),
            language: "it".to_owned(),
            category: Some(category),
            status: TemplateStatus::Approved,
            components: components.as_array().unwrap().clone(),
        };
        slots(&template).iter().map(ToString::to_string).collect()
    }

    fn assert_slots(cases: &[(Value, &[&str])]) {
        for (components, want) in cases {
            assert_eq!(names(Category::Marketing, components.clone()), *want, "{components}");
        }
    }

    #[test]
    fn every_component_has_its_place() {
        let offer = |ends: bool| json!({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "x", "has_expiration": ends}});
        assert_slots(&[
            (json!([{"type": "HEADER", "format": "LOCATION"}]), &["header location (latitude, longitude)"]),
            (json!([{"type": "header", "format": "image"}]), &["header image"]),
            (
                json!([{"type": "HEADER", "format": "PRODUCT"}]),
                &["header product (product_retailer_id, catalog_id)"],
            ),
            (json!([{"type": "HEADER", "format": "GIF"}]), &["header GIF"]),
            (json!([{"type": "ORDER_STATUS"}]), &["component ORDER_STATUS"]),
            (json!([{"type": "CALL_PERMISSION_REQUEST"}, {"type": "FOOTER", "text": "x"}]), &[]),
            (json!([offer(true)]), &["limited_time_offer (expiration)"]),
            (json!([offer(false)]), &[]),
            (json!([{"type": "CAROUSEL", "cards": []}]), &["component CAROUSEL"]),
        ]);
    }

    #[test]
    fn every_button_has_its_place() {
        let buttons = |buttons: Value| json!([{"type": "BUTTONS", "buttons": buttons}]);
        let plain =
            ["QUICK_REPLY", "PHONE_NUMBER", "VOICE_CALL", "SPM", "URL"].map(|kind| json!({"type": kind}));
        let url = json!({"type": "URL", "url": "https://x.it/{{1}}"});
        assert_slots(&[
            (buttons(json!(plain)), &[]),
            (
                buttons(json!([{"type": "COPY_CODE"}, url, {"type": "OTP"}])),
                &["button 1 (coupon_code)", "button 2", "button 3"],
            ),
            (
                buttons(
                    json!([{"type": "FLOW"}, {"type": "CATALOG"}, {"type": "MPM"}, {"type": "ORDER_DETAILS"}]),
                ),
                &["button 1 (flow_token)", "button 3 (sections)", "button 4 ORDER_DETAILS"],
            ),
        ]);
    }

    #[test]
    fn cards_have_places_of_their_own() {
        let url = json!({"type": "URL", "url": "https://x.it/{{1}}"});
        let card = json!({"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "{{1}}"},
            {"type": "BUTTONS", "buttons": [url]}]});
        let carousel =
            json!([{"type": "CAROUSEL", "cards": [card]}, {"type": "BODY", "text": "{{1}} {{2}}"}]);
        let card = ["carousel card 1 header image", "carousel card 1 body {{1}}", "carousel card 1 button 1"];
        let want = [&["body {{1}}", "body {{2}}"], &card[..]].concat();
        assert_eq!(names(Category::Marketing, carousel), want);
    }

    #[test]
    fn a_code_is_in_body_and_button() {
        let code = json!([{"type": "BODY"}, {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "ZERO_TAP"}]}]);
        assert_eq!(names(Category::Authentication, code), ["body {{1}}", "button 1"]);
    }
}
