//! What a campaign gives for a template (`template_params`), in the forms that callers write it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Invalid;

/// A text before placeholders are filled in.
pub type Param = String;

const AT: &str = "template_params";
/// What makes an object one of parts, when all others of it are parts, too.
const FIRST_PARTS: [&str; 3] = ["header", "body", "buttons"];
/// What parts are called.
const PARTS: [&str; 22] = [
    "header",
    "body",
    "buttons",
    "location",
    "limited_time_offer",
    "offer",
    "expiration",
    "expiration_time_ms",
    "cards",
    "carousel",
    "media",
    "media_url",
    "image",
    "video",
    "document",
    "product",
    "product_retailer_id",
    "catalog_id",
    "catalog",
    "sections",
    "thumbnail_product_retailer_id",
    "coupon_code",
];

/// What a campaign gives for a template, or for a card of its carousel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params {
    /// The header's variable.
    pub header: Vec<Param>,
    /// The body's variables, in order.
    pub body: Vec<Param>,
    /// The variables by name, for templates with named parameters.
    pub named: BTreeMap<String, Param>,
    /// For each button that has to be given something, in order, unless one says which.
    pub buttons: Vec<ButtonParam>,
    /// The address of the header's file.
    pub media: Option<Param>,
    /// The header's location.
    pub location: Option<LocationParam>,
    /// The header's product.
    pub product: Option<ProductParam>,
    /// When the limited-time offer ends: RFC 3339, or milliseconds since 1970.
    pub offer: Option<Param>,
    /// The cards of the carousel, in order.
    pub cards: Vec<Params>,
    /// Fields that nobody reads, with their path. They are not kept.
    pub unread: Vec<String>,
}

/// What a button is given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ButtonParam {
    /// Which button, from 0; the next one that needs something, when absent.
    pub index: Option<usize>,
    /// The end of an address, a code, a token, or what comes back from a quick reply.
    pub text: Option<Param>,
    /// It is what comes back from a quick reply.
    pub is_payload: bool,
    /// The product whose picture is shown.
    pub thumbnail: Option<Param>,
    /// The products of a multi-product message.
    pub sections: Vec<SectionParam>,
    /// Data of a flow's first screen; its texts may have placeholders.
    pub data: Option<Value>,
}

/// Products under a title.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SectionParam {
    /// At most 24 characters; needed when there are several.
    pub title: Option<Param>,
    /// Ids of products in the catalog.
    pub products: Vec<Param>,
}

/// A point on the map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocationParam {
    /// Degrees, -90 to 90.
    pub latitude: Option<Param>,
    /// Degrees, -180 to 180.
    pub longitude: Option<Param>,
    /// What is there.
    pub name: Option<Param>,
    /// Where that is.
    pub address: Option<Param>,
}

/// A product of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductParam {
    /// Its id in the catalog.
    pub id: Option<Param>,
    /// Meta's id of the catalog.
    pub catalog: Option<Param>,
}

impl From<&str> for ButtonParam {
    fn from(text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..Self::default() }
    }
}

impl Params {
    /// Whether nothing was given, so that `{{1}}` is the name.
    pub fn is_empty(&self) -> bool {
        *self == Self { unread: self.unread.clone(), ..Self::default() }
    }

    /// Reads a list of texts for the body, an object of texts by name, or an object of parts.
    ///
    /// # Errors
    /// Names the field `template_params`, and in the message where in it.
    pub fn parse(given: &Value) -> Result<Self, Invalid> {
        match given {
            Value::Array(_) => {
                let mut params = Self::default();
                params.body(given, AT)?;
                Ok(params)
            }
            Value::Object(map) if by_part(map) => Self::parts(map, AT, true),
            Value::Object(map) => Ok(Self { named: named(map, AT)?, ..Self::default() }),
            Value::Null => Ok(Self::default()),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(wrong(AT)),
        }
    }

    fn parts(map: &Map<String, Value>, at: &str, is_whole: bool) -> Result<Self, Invalid> {
        let mut params = Self::default();
        for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            params.part(name, value, &format!("{at}.{name}"), is_whole)?;
        }
        Ok(params)
    }

    fn part(&mut self, name: &str, value: &Value, at: &str, is_whole: bool) -> Result<(), Invalid> {
        match name {
            "header" => self.header(value, at)?,
            "body" => self.body(value, at)?,
            "buttons" => self.buttons(value, at)?,
            "location" if value.is_object() => self.location(value, at)?,
            "media" | "media_url" | "image" | "video" | "document" => {
                self.media = Some(self.link(value, at)?)
            }
            "product" => self.product(value, at)?,
            "product_retailer_id" => self.product_mut().id = Some(scalar(value, at)?),
            "catalog_id" => self.product_mut().catalog = Some(scalar(value, at)?),
            "limited_time_offer" | "offer" if is_whole => self.offer(value, at)?,
            "expiration" | "expiration_time_ms" if is_whole => self.offer = Some(scalar(value, at)?),
            "cards" | "carousel" if is_whole => self.cards(value, at)?,
            "coupon_code" => self.buttons.push(ButtonParam::from(scalar(value, at)?.as_str())),
            "catalog" => self.buttons(value, at)?,
            "sections" => {
                let sections = self.sections(value, at)?;
                self.products_mut().sections = sections;
            }
            "thumbnail_product_retailer_id" => self.products_mut().thumbnail = Some(scalar(value, at)?),
            _ if is_whole && text_of(value).is_some() => {
                self.named.insert(name.to_owned(), scalar(value, at)?);
            }
            _ => self.unread.push(at.to_owned()),
        }
        Ok(())
    }

    fn product_mut(&mut self) -> &mut ProductParam {
        self.product.get_or_insert_default()
    }

    /// The button of products that is told about outside of `buttons`.
    fn products_mut(&mut self) -> &mut ButtonParam {
        let is_open = |button: &ButtonParam| button.text.is_none() && button.index.is_none();
        let at = self.buttons.iter().position(is_open).unwrap_or_else(|| {
            self.buttons.push(ButtonParam::default());
            self.buttons.len() - 1
        });
        &mut self.buttons[at]
    }

    /// What was given by one of these names, where it could have been a variable.
    pub(super) fn by_name(&self, names: &[&str]) -> Option<&Param> {
        names.iter().find_map(|name| self.named.get(*name))
    }

    /// A text, several, or an object that says what the header is.
    fn header(&mut self, value: &Value, at: &str) -> Result<(), Invalid> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.header(item, at)),
            Value::Object(map) if map.contains_key("latitude") || map.contains_key("longitude") => {
                self.location(value, at)
            }
            Value::Object(map) => {
                for (name, value) in map.iter().filter(|(name, _)| *name != "type") {
                    let at = format!("{at}.{name}");
                    match name.as_str() {
                        "text" => self.header.push(scalar(value, &at)?),
                        "location"
                        | "product"
                        | "media"
                        | "media_url"
                        | "image"
                        | "video"
                        | "document"
                        | "product_retailer_id"
                        | "catalog_id" => self.part(name, value, &at, false)?,
                        "link" | "url" => self.media = Some(scalar(value, &at)?),
                        _ => self.unread.push(at),
                    }
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.header.push(scalar(value, at)?);
                Ok(())
            }
        }
    }

    /// Texts in order or by name, each as it is or as Meta writes a parameter.
    fn body(&mut self, value: &Value, at: &str) -> Result<(), Invalid> {
        let items = match value {
            Value::Object(map) => {
                self.named.append(&mut named(map, at)?);
                return Ok(());
            }
            Value::Array(items) => items.as_slice(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => std::slice::from_ref(value),
        };
        for item in items {
            let text = item.get("text").unwrap_or(item);
            let text = scalar(text, at)?;
            match item.get("parameter_name").and_then(Value::as_str) {
                Some(name) => drop(self.named.insert(name.to_owned(), text)),
                None => self.body.push(text),
            }
        }
        Ok(())
    }

    fn buttons(&mut self, value: &Value, at: &str) -> Result<(), Invalid> {
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for (number, item) in items.iter().enumerate() {
            let at = format!("{at}[{number}]");
            let button = match item.as_object() {
                Some(map) => self.button(map, &at)?,
                None => ButtonParam::from(scalar(item, &at)?.as_str()),
            };
            self.buttons.push(button);
        }
        Ok(())
    }

    fn button(&mut self, map: &Map<String, Value>, at: &str) -> Result<ButtonParam, Invalid> {
        let mut button = ButtonParam::default();
        for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let at = format!("{at}.{name}");
            match name.as_str() {
                "type" | "sub_type" => {}
                "index" => button.index = Some(scalar(value, &at)?.parse().map_err(|_| wrong(&at))?),
                "text" | "url" | "suffix" | "code" | "coupon_code" | "flow_token" => {
                    button.text = Some(scalar(value, &at)?);
                }
                "payload" => (button.text, button.is_payload) = (Some(scalar(value, &at)?), true),
                "thumbnail_product_retailer_id" => button.thumbnail = Some(scalar(value, &at)?),
                "sections" => button.sections = self.sections(value, &at)?,
                "flow_action_data" if value.is_object() => button.data = Some(value.clone()),
                "flow_action_data" => return Err(wrong(&at)),
                _ => self.unread.push(at),
            }
        }
        Ok(button)
    }

    fn sections(&mut self, value: &Value, at: &str) -> Result<Vec<SectionParam>, Invalid> {
        let sections = value.as_array().ok_or_else(|| wrong(at))?;
        let mut read = Vec::new();
        for (number, section) in sections.iter().enumerate() {
            let at = format!("{at}[{number}]");
            let mut of = SectionParam::default();
            for (name, value) in section.as_object().ok_or_else(|| wrong(&at))? {
                let at = format!("{at}.{name}");
                match name.as_str() {
                    "title" => of.title = Some(scalar(value, &at)?),
                    "product_items" | "products" => {
                        for item in value.as_array().ok_or_else(|| wrong(&at))? {
                            let id = item.get("product_retailer_id").unwrap_or(item);
                            of.products.push(scalar(id, &at)?);
                        }
                    }
                    _ => self.unread.push(at),
                }
            }
            read.push(of);
        }
        Ok(read)
    }

    fn location(&mut self, value: &Value, at: &str) -> Result<(), Invalid> {
        let mut location = LocationParam::default();
        for (name, value) in value.as_object().ok_or_else(|| wrong(at))? {
            let at = format!("{at}.{name}");
            let field = match name.as_str() {
                "latitude" => &mut location.latitude,
                "longitude" => &mut location.longitude,
                "name" => &mut location.name,
                "address" => &mut location.address,
                _ => {
                    self.unread.push(at);
                    continue;
                }
            };
            *field = if value.is_null() { None } else { Some(scalar(value, &at)?) };
        }
        self.location = Some(location);
        Ok(())
    }

    fn product(&mut self, value: &Value, at: &str) -> Result<(), Invalid> {
        let Value::Object(map) = value else {
            self.product_mut().id = Some(scalar(value, at)?);
            return Ok(());
        };
        for (name, value) in map {
            let at = format!("{at}.{name}");
            match name.as_str() {
                "product_retailer_id" | "id" => self.product_mut().id = Some(scalar(value, &at)?),
                "catalog_id" => self.product_mut().catalog = Some(scalar(value, &at)?),
                _ => self.unread.push(at),
            }
        }
        Ok(())
    }

    fn offer(&mut self, value: &Value, at: &str) -> Result<(), Invalid> {
        let Value::Object(map) = value else {
            self.offer = Some(scalar(value, at)?);
            return Ok(());
        };
        for (name, value) in map {
            let at = format!("{at}.{name}");
            match name.as_str() {
                "expiration" | "expires_at" | "expiration_time" | "expiration_time_ms" => {
                    self.offer = Some(scalar(value, &at)?);
                }
                _ => self.unread.push(at),
            }
        }
        Ok(())
    }

    fn cards(&mut self, value: &Value, at: &str) -> Result<(), Invalid> {
        let cards = value.get("cards").unwrap_or(value).as_array().ok_or_else(|| wrong(at))?;
        for (number, card) in cards.iter().enumerate() {
            let at = format!("{at}[{number}]");
            let mut card = Self::parts(card.as_object().ok_or_else(|| wrong(&at))?, &at, false)?;
            self.unread.append(&mut card.unread);
            self.cards.push(card);
        }
        Ok(())
    }

    /// An address, as it is or as Meta writes it.
    fn link(&mut self, value: &Value, at: &str) -> Result<Param, Invalid> {
        let link = ["link", "url", "media_url"].iter().find_map(|name| value.get(name));
        scalar(link.unwrap_or(value), at)
    }
}

/// Whether an object is one of parts: only parts have a list or an object in them. A text
/// alone may as well be a variable of that name.
fn by_part(map: &Map<String, Value>) -> bool {
    let is_part = |name: &String| PARTS.contains(&name.as_str());
    let has_more = map.iter().any(|(name, value)| is_part(name) && (value.is_array() || value.is_object()));
    let is_first = |name: &String| FIRST_PARTS.contains(&name.as_str());
    has_more || (map.keys().all(is_part) && map.keys().any(is_first))
}

fn named(map: &Map<String, Value>, at: &str) -> Result<BTreeMap<String, Param>, Invalid> {
    map.iter().map(|(name, value)| Ok((name.clone(), scalar(value, &format!("{at}.{name}"))?))).collect()
}

fn scalar(value: &Value, at: &str) -> Result<Param, Invalid> {
    text_of(value).ok_or_else(|| wrong(at))
}

/// Texts and numbers; a number in the way it was written, without `.0`.
fn text_of(value: &Value) -> Option<Param> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            let text = number.to_string();
            Some(text.strip_suffix(".0").map_or(text.clone(), str::to_owned))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn wrong(at: &str) -> Invalid {
    let message = if at == AT {
        "template_params must be a list of texts, an object of texts by name, or an object of header, body, \
         buttons, location, limited_time_offer and cards"
            .to_owned()
    } else {
        format!("{at} is not what it should be: see template_params in the guide")
    };
    Invalid::new(AT, message)
}
