//! Puts what a campaign gives into the places of a template.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Expiry, FilledText, Filling, Node, TemplateFile, TextKind, object};
use crate::Invalid;
use crate::media::MediaKind;
use crate::placeholder::Pattern;
use crate::template::Template;
use crate::template::params::{ButtonParam, LocationParam, Param, Params, ProductParam};
use crate::template::slot::{ButtonKind, Place, Slot, all_slots};

const AT: &str = "template_params";
/// Meta: sections and products of a multi-product message.
const SECTIONS_MOST: usize = 10;
const PRODUCTS_MOST: usize = 30;
const TITLE_MOST: usize = 24;

/// Fits what was given to a template; see [`Filling::of`].
pub(super) fn fit(
    template: &Template,
    params: &Params,
    media_url: Option<&str>,
) -> Result<Filling, Vec<Invalid>> {
    let mut fit = Fit { media_url, ..Fit::new(params) };
    for slot in all_slots(template) {
        fit.slot(&slot);
    }
    fit.finish()
}

/// The parameters of a template or of one of its cards, as they come together.
#[derive(Debug, Default)]
struct Parts {
    header: Vec<Node>,
    body: Vec<Node>,
    offer: Vec<Node>,
    buttons: BTreeMap<usize, Node>,
}

impl Parts {
    fn components(self) -> Vec<Node> {
        let part = |kind: &str, parameters: Vec<Node>| {
            (!parameters.is_empty())
                .then(|| object([("type", Node::of(kind)), ("parameters", Node::List(parameters))]))
        };
        let texts =
            [part("header", self.header), part("body", self.body), part("limited_time_offer", self.offer)];
        texts.into_iter().flatten().chain(self.buttons.into_values()).collect()
    }
}

/// What is given on its way into the places of a template.
struct Fit<'a> {
    params: &'a Params,
    media_url: Option<&'a str>,
    filling: Filling,
    whole: Parts,
    cards: BTreeMap<usize, Parts>,
    missing: Vec<String>,
    unknown: Vec<String>,
    wrong: Vec<Invalid>,
    /// Places that were filled, of the template and of each card: texts of the header and of
    /// the body, and buttons that take the next one that was given.
    filled: BTreeMap<(Option<usize>, &'static str), usize>,
}

impl<'a> Fit<'a> {
    fn new(params: &'a Params) -> Self {
        let filling = Filling { texts: Vec::new(), files: Vec::new(), components: Vec::new(), expires: None };
        let (whole, cards, filled) = (Parts::default(), BTreeMap::new(), BTreeMap::new());
        let (missing, unknown, wrong) = (Vec::new(), Vec::new(), Vec::new());
        Self { params, media_url: None, filling, whole, cards, missing, unknown, wrong, filled }
    }

    fn finish(mut self) -> Result<Filling, Vec<Invalid>> {
        if !self.missing.is_empty() {
            let message = format!("template_params has no value for {}", self.missing.join(", "));
            self.wrong.insert(0, Invalid::new(AT, message));
        }
        if !self.unknown.is_empty() {
            let message = format!("a campaign cannot fill the template's {}", self.unknown.join(", "));
            self.wrong.insert(0, Invalid::new("template_name", message));
        }
        if !self.wrong.is_empty() {
            return Err(self.wrong);
        }
        self.filling.components = self.whole.components();
        if !self.cards.is_empty() {
            let cards = self.cards.into_iter().map(|(number, parts)| {
                let components = Node::List(parts.components());
                object([("card_index", Node::Fixed(number.into())), ("components", components)])
            });
            let cards = Node::List(cards.collect());
            self.filling.components.push(object([("type", Node::of("carousel")), ("cards", cards)]));
        }
        Ok(self.filling)
    }

    fn slot(&mut self, slot: &Slot) {
        // A card that is there is sent, also when nothing of it is filled.
        if let Some(card) = slot.card {
            self.cards.entry(card).or_default();
        }
        match &slot.place {
            Place::HeaderText(variable) => {
                let nth = self.next(slot, "header");
                let given = self.of(slot).and_then(|p| p.header.get(nth).or_else(|| p.named.get(variable)));
                let parameter = self.line(slot, given).map(|text| parameter(variable, text));
                self.parts(slot).header.extend(parameter);
            }
            Place::Body(variable) => {
                let nth = self.next(slot, "body");
                let given = self.of(slot).and_then(|p| p.named.get(variable).or_else(|| p.body.get(nth)));
                let is_name = self.params.is_empty() && matches!(variable.as_str(), "1" | "name");
                let name = "{{name}}".to_owned();
                let given = given.cloned().or_else(|| (is_name && slot.card.is_none()).then_some(name));
                let parameter = self.line(slot, given.as_ref()).map(|text| parameter(variable, text));
                self.parts(slot).body.extend(parameter);
            }
            Place::HeaderMedia(kind) => self.media(slot, *kind),
            Place::HeaderLocation => self.location(slot),
            Place::HeaderProduct => self.product(slot),
            Place::Button(index, kind) => self.button(slot, *index, *kind),
            Place::Offer => self.offer(slot),
            Place::Unknown(_) => self.unknown.push(slot.to_string()),
        }
    }

    /// What is given for the template, or for the card.
    fn of(&self, slot: &Slot) -> Option<&'a Params> {
        match slot.card {
            None => Some(self.params),
            Some(card) => self.params.cards.get(card),
        }
    }

    fn parts(&mut self, slot: &Slot) -> &mut Parts {
        match slot.card {
            None => &mut self.whole,
            Some(card) => self.cards.entry(card).or_default(),
        }
    }

    /// How many places of a kind were there before.
    fn next(&mut self, slot: &Slot, kind: &'static str) -> usize {
        let count = self.filled.entry((slot.card, kind)).or_default();
        *count += 1;
        *count - 1
    }

    fn miss(&mut self, slot: &Slot) {
        self.missing.push(slot.to_string());
    }

    /// A text of a template's own parts is kept for each recipient, whatever it is; others
    /// only where they differ.
    fn line(&mut self, slot: &Slot, given: Option<&Param>) -> Option<Node> {
        self.given(slot, given, TextKind::Line)
    }

    fn given(&mut self, slot: &Slot, given: Option<&Param>, kind: TextKind) -> Option<Node> {
        let Some(given) = given else {
            self.miss(slot);
            return None;
        };
        let pattern = Pattern::parse(given);
        let is_short = !pattern.is_constant() || kind != TextKind::Code || kind.freeze(given).is_ok();
        match slot.is_text() && is_short {
            true => Some(self.keep(pattern, kind)),
            false => self.text(slot, given, kind),
        }
    }

    fn keep(&mut self, pattern: Pattern, kind: TextKind) -> Node {
        let index = self.filling.texts.len();
        self.filling.texts.push(FilledText { pattern, kind });
        match kind {
            TextKind::Degrees(_) | TextKind::Time => Node::Number(index),
            TextKind::Line | TextKind::Code | TextKind::Any | TextKind::Link => Node::Text(index),
        }
    }

    fn text(&mut self, slot: &Slot, given: &str, kind: TextKind) -> Option<Node> {
        let pattern = Pattern::parse(given);
        if !pattern.is_constant() {
            return Some(self.keep(pattern, kind));
        }
        match kind.freeze(given) {
            Ok(text) if matches!(kind, TextKind::Degrees(_) | TextKind::Time) => {
                Some(Node::Fixed(serde_json::from_str(&text).unwrap_or_else(|_| text.into())))
            }
            Ok(text) => Some(Node::Fixed(text.into())),
            Err(wanted) => {
                self.wrong.push(Invalid::new(AT, format!("template_params: {slot} must be {wanted}")));
                None
            }
        }
    }

    fn media(&mut self, slot: &Slot, kind: MediaKind) {
        let is_whole = slot.card.is_none();
        let url = self.of(slot).and_then(|p| p.media.as_ref().or_else(|| p.by_name(&["media", "media_url"])));
        let url = self.media_url.filter(|_| is_whole).or(url.map(String::as_str));
        let Some(url) = url else {
            if is_whole {
                let message = format!("media_url is required: the template's header is a {}", kind.as_str());
                self.wrong.push(Invalid::new("media_url", message));
            } else {
                self.miss(slot);
            }
            return;
        };
        let node = if Pattern::parse(url).is_constant() {
            let Some(Node::Fixed(url)) = self.text(slot, url, TextKind::Link) else { return };
            let url = url.as_str().unwrap_or_default().to_owned();
            self.filling.files.push(TemplateFile { kind, url, of: slot.to_string() });
            Node::File(self.filling.files.len() - 1)
        } else {
            let Some(link) = self.text(slot, url, TextKind::Link) else { return };
            object([("link", link)])
        };
        let header = object([("type", Node::of(kind.as_str())), (kind.as_str(), node)]);
        self.parts(slot).header.push(header);
    }

    fn location(&mut self, slot: &Slot) {
        let Some(LocationParam { latitude: Some(latitude), longitude: Some(longitude), name, address }) =
            self.of(slot).and_then(|p| p.location.as_ref())
        else {
            return self.miss(slot);
        };
        let mut fields = Vec::new();
        for (field, given, kind) in [
            ("latitude", Some(latitude), TextKind::Degrees(90)),
            ("longitude", Some(longitude), TextKind::Degrees(180)),
            ("name", name.as_ref(), TextKind::Line),
            ("address", address.as_ref(), TextKind::Line),
        ] {
            let node = given.and_then(|given| self.text(slot, given, kind));
            fields.extend(node.map(|node| (field.to_owned(), node)));
        }
        let header = object([("type", Node::of("location")), ("location", Node::Object(fields))]);
        self.parts(slot).header.push(header);
    }

    fn product(&mut self, slot: &Slot) {
        let params = self.of(slot);
        let product = params.and_then(|p| p.product.clone()).unwrap_or_default();
        let by_name = |name: &str| params.and_then(|p| p.by_name(&[name]).cloned());
        let ProductParam { id, catalog } = product;
        let id = id.or_else(|| by_name("product_retailer_id")).or_else(|| by_name("product"));
        let (Some(id), Some(catalog)) = (id, catalog.or_else(|| by_name("catalog_id"))) else {
            return self.miss(slot);
        };
        let id = self.text(slot, &id, TextKind::Line);
        let catalog = self.text(slot, &catalog, TextKind::Line);
        if let (Some(id), Some(catalog)) = (id, catalog) {
            let product = object([("product_retailer_id", id), ("catalog_id", catalog)]);
            self.parts(slot).header.push(object([("type", Node::of("product")), ("product", product)]));
        }
    }

    fn offer(&mut self, slot: &Slot) {
        let names = ["limited_time_offer", "offer", "expiration", "expiration_time_ms", "expires_at"];
        let given = self.params.offer.as_ref().or_else(|| self.params.by_name(&names));
        let Some(given) = given else { return self.miss(slot) };
        let Some(node) = self.text(slot, given, TextKind::Time) else { return };
        self.filling.expires = match &node {
            Node::Fixed(ms) => ms.as_i64().map(Expiry::At),
            Node::Text(index) | Node::Number(index) => Some(Expiry::Text(*index)),
            Node::File(_) | Node::List(_) | Node::Object(_) => None,
        };
        let offer = object([("expiration_time_ms", node)]);
        self.whole.offer =
            vec![object([("type", Node::of("limited_time_offer")), ("limited_time_offer", offer)])];
    }

    fn button(&mut self, slot: &Slot, index: usize, kind: ButtonKind) {
        let given = self.of(slot).and_then(|params| self.button_param(slot, params, index, kind));
        let Some(given) = given else {
            if slot.is_required() {
                self.miss(slot);
            }
            return;
        };
        let Some(parameter) = self.button_parameter(slot, &given, kind) else { return };
        let button = object([
            ("type", Node::of("button")),
            ("sub_type", Node::of(kind.sub_type())),
            ("index", Node::of(&index.to_string())),
            ("parameters", Node::List(vec![parameter])),
        ]);
        self.parts(slot).buttons.insert(index, button);
    }

    /// What is given for a button: by its index, as the next of its kind, or by its name.
    fn button_param(
        &mut self,
        slot: &Slot,
        params: &Params,
        index: usize,
        kind: ButtonKind,
    ) -> Option<ButtonParam> {
        let is_quick = kind == ButtonKind::QuickReply;
        if let Some(told) = params.buttons.iter().find(|button| button.index == Some(index)) {
            return Some(told.clone());
        }
        let nth = self.next(slot, if is_quick { "payload" } else { "button" });
        let mut others = params.buttons.iter().filter(|b| b.index.is_none() && b.is_payload == is_quick);
        others.nth(nth).cloned().or_else(|| {
            let name = match kind {
                ButtonKind::CopyCode => "coupon_code",
                ButtonKind::Flow => "flow_token",
                ButtonKind::Catalog => "thumbnail_product_retailer_id",
                ButtonKind::Url | ButtonKind::OneTimeCode | ButtonKind::Products | ButtonKind::QuickReply => {
                    return None;
                }
            };
            params.by_name(&[name]).map(|text| ButtonParam::from(text.as_str()))
        })
    }

    fn button_parameter(&mut self, slot: &Slot, given: &ButtonParam, kind: ButtonKind) -> Option<Node> {
        let text = given.text.as_ref();
        let action = |action: Node| Some(object([("type", Node::of("action")), ("action", action)]));
        match kind {
            ButtonKind::Url | ButtonKind::OneTimeCode => {
                let text = self.line(slot, text)?;
                Some(object([("type", Node::of("text")), ("text", text)]))
            }
            ButtonKind::CopyCode => {
                let code = self.given(slot, text, TextKind::Code)?;
                Some(object([("type", Node::of("coupon_code")), ("coupon_code", code)]))
            }
            ButtonKind::QuickReply => {
                let payload = self.line(slot, text)?;
                Some(object([("type", Node::of("payload")), ("payload", payload)]))
            }
            ButtonKind::Flow => {
                let token = self.line(slot, text)?;
                let mut fields = vec![("flow_token".to_owned(), token)];
                if let Some(data) = &given.data {
                    fields.push(("flow_action_data".to_owned(), self.data(slot, data)?));
                }
                action(Node::Object(fields))
            }
            ButtonKind::Catalog => {
                let thumbnail = self.line(slot, given.thumbnail.as_ref().or(text))?;
                action(object([("thumbnail_product_retailer_id", thumbnail)]))
            }
            ButtonKind::Products => action(self.products(slot, given)?),
        }
    }

    /// The first product is shown when none is chosen.
    fn products(&mut self, slot: &Slot, given: &ButtonParam) -> Option<Node> {
        let sections = &given.sections;
        let products = sections.iter().map(|section| section.products.len()).sum::<usize>();
        if products == 0 {
            self.miss(slot);
            return None;
        }
        let needs_title = sections.len() > 1 && sections.iter().any(|section| section.title.is_none());
        let is_empty = sections.iter().any(|section| section.products.is_empty());
        if sections.len() > SECTIONS_MOST || products > PRODUCTS_MOST || needs_title || is_empty {
            let message = format!(
                "template_params: {slot} must be at most {SECTIONS_MOST} sections with {PRODUCTS_MOST} products, \
                 none of them empty, each with a title when there are several"
            );
            self.wrong.push(Invalid::new(AT, message));
            return None;
        }
        let first = sections.iter().flat_map(|section| &section.products).next();
        let thumbnail = self.line(slot, given.thumbnail.as_ref().or(given.text.as_ref()).or(first))?;
        let mut nodes = Vec::new();
        for section in sections {
            let mut fields = Vec::new();
            if let Some(title) = &section.title {
                if title.chars().count() > TITLE_MOST && Pattern::parse(title).is_constant() {
                    let message = format!(
                        "template_params: a title of {slot} may have at most {TITLE_MOST} characters"
                    );
                    self.wrong.push(Invalid::new(AT, message));
                }
                fields.push(("title".to_owned(), self.text(slot, title, TextKind::Line)?));
            }
            let mut items = Vec::new();
            for product in &section.products {
                let id = self.text(slot, product, TextKind::Line)?;
                items.push(object([("product_retailer_id", id)]));
            }
            fields.push(("product_items".to_owned(), Node::List(items)));
            nodes.push(Node::Object(fields));
        }
        Some(object([("thumbnail_product_retailer_id", thumbnail), ("sections", Node::List(nodes))]))
    }

    /// Data of a flow, with the placeholders in its texts found.
    fn data(&mut self, slot: &Slot, data: &Value) -> Option<Node> {
        match data {
            Value::String(text) => self.text(slot, text, TextKind::Any),
            Value::Array(items) => {
                let items: Option<Vec<Node>> = items.iter().map(|item| self.data(slot, item)).collect();
                items.map(Node::List)
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| Some((name.clone(), self.data(slot, value)?)));
                fields.collect::<Option<Vec<_>>>().map(Node::Object)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Some(Node::Fixed(data.clone())),
        }
    }
}

/// A parameter of a text; Meta's named ones carry their name.
fn parameter(variable: &str, text: Node) -> Node {
    let is_position = variable.bytes().all(|b| b.is_ascii_digit());
    match is_position {
        true => object([("type", Node::of("text")), ("text", text)]),
        false => object([("type", Node::of("text")), ("parameter_name", Node::of(variable)), ("text", text)]),
    }
}
