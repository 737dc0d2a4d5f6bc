//! What fills a campaign's template, as items hold it.

use std::collections::BTreeMap;

use domain::template::{ButtonParam, LocationParam, Params, ProductParam, SectionParam};
use serde::{Deserialize, Serialize};

use super::KIND;
use crate::{Error, Result};

#[derive(Serialize, Deserialize)]
pub(super) struct ParamsItem {
    header: Vec<String>,
    body: Vec<String>,
    named: BTreeMap<String, String>,
    buttons: Vec<ButtonItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<LocationItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product: Option<ProductItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offer: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cards: Vec<ParamsItem>,
}

/// A text alone, as all buttons were written until 0.1, or what else a button is given.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ButtonItem {
    Text(String),
    Fields(ButtonFields),
}

#[derive(Serialize, Deserialize)]
struct ButtonFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default)]
    payload: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sections: Vec<SectionItem>,
    /// JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct SectionItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    products: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct LocationItem {
    latitude: Option<String>,
    longitude: Option<String>,
    name: Option<String>,
    address: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ProductItem {
    id: Option<String>,
    catalog: Option<String>,
}

impl From<Params> for ParamsItem {
    fn from(params: Params) -> Self {
        let Params { header, body, named, buttons, media, location, product, offer, cards, unread: _ } =
            params;
        let location = location.map(|LocationParam { latitude, longitude, name, address }| LocationItem {
            latitude,
            longitude,
            name,
            address,
        });
        Self {
            header,
            body,
            named,
            buttons: buttons.into_iter().map(ButtonItem::from).collect(),
            media,
            location,
            product: product.map(|ProductParam { id, catalog }| ProductItem { id, catalog }),
            offer,
            cards: cards.into_iter().map(Self::from).collect(),
        }
    }
}

impl ParamsItem {
    pub(super) fn into_params(self) -> Result<Params> {
        let location = self.location.map(|LocationItem { latitude, longitude, name, address }| {
            LocationParam { latitude, longitude, name, address }
        });
        Ok(Params {
            header: self.header,
            body: self.body,
            named: self.named,
            buttons: self.buttons.into_iter().map(ButtonItem::into_param).collect::<Result<_>>()?,
            media: self.media,
            location,
            product: self.product.map(|ProductItem { id, catalog }| ProductParam { id, catalog }),
            offer: self.offer,
            cards: self.cards.into_iter().map(Self::into_params).collect::<Result<_>>()?,
            unread: Vec::new(),
        })
    }
}

impl From<ButtonParam> for ButtonItem {
    fn from(button: ButtonParam) -> Self {
        let ButtonParam { index, text, is_payload, thumbnail, sections, data } = button;
        let is_text =
            index.is_none() && !is_payload && thumbnail.is_none() && sections.is_empty() && data.is_none();
        match text {
            Some(text) if is_text => Self::Text(text),
            text => Self::Fields(ButtonFields {
                index,
                text,
                payload: is_payload,
                thumbnail,
                sections: sections
                    .into_iter()
                    .map(|SectionParam { title, products }| SectionItem { title, products })
                    .collect(),
                data: data.map(|data| data.to_string()),
            }),
        }
    }
}

impl ButtonItem {
    fn into_param(self) -> Result<ButtonParam> {
        let fields = match self {
            Self::Text(text) => return Ok(ButtonParam { text: Some(text), ..ButtonParam::default() }),
            Self::Fields(fields) => fields,
        };
        let data = fields.data.map(|data| serde_json::from_str(&data)).transpose();
        let sections = fields.sections.into_iter();
        Ok(ButtonParam {
            index: fields.index,
            text: fields.text,
            is_payload: fields.payload,
            thumbnail: fields.thumbnail,
            sections: sections
                .map(|SectionItem { title, products }| SectionParam { title, products })
                .collect(),
            data: data.map_err(|_| Error::Corrupt { kind: KIND })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let given = json!({
            "header": "h", "body": {"first": "{{name}}"},
            "buttons": ["a", {"index": 2, "payload": "p"}, {"flow_token": "t", "flow_action_data": {"n": [1, "{{name}}"]}},
                {"thumbnail_product_retailer_id": "x", "sections": [{"title": "S", "product_items": ["1"]}]}],
            "location": {"latitude": 45.4, "longitude": "9.1", "name": "Duomo"},
            "limited_time_offer": {"expiration": 1_900_000_000_000_i64},
            "cards": [{"media": "https://x.it/a.jpg", "body": ["c"], "buttons": ["d"]}, {"product": {"id": "1", "catalog_id": "2"}}],
        });
        let params = Params::parse(&given).unwrap();
        let item: crate::item::Item = serde_dynamo::to_item(ParamsItem::from(params.clone())).unwrap();
        let read: ParamsItem = serde_dynamo::from_item(item).unwrap();
        assert_eq!(read.into_params().unwrap(), params);
    }

    #[test]
    fn what_was_kept_until_0_1_is_read() {
        let old = json!({"header": [], "body": ["x"], "named": {}, "buttons": ["y"]});
        let read: ParamsItem = serde_json::from_value(old).unwrap();
        let want = Params { body: vec!["x".into()], buttons: vec!["y".into()], ..Params::default() };
        assert_eq!(read.into_params().unwrap(), want);
    }
}
