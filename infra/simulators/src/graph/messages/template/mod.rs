//! Validation of template messages against the template they name.

mod buttons;
mod values;

use serde_json::Value;

use self::values::{check_value, count_mismatch, sole};
use super::{
    content,
    fields::{Checked, invalid, need, need_array, need_object, need_text, path, wrong_type},
    medium,
};
use crate::graph::{
    errors::GraphError,
    fields::field,
    state::{
        accounts::Token,
        lifecycle::Category,
        media::{MediaKind, MediaShelf},
        shape::{Header, Shape},
        templates::Template,
        variables::Variables,
        world::World,
    },
    templates,
};

/// The types of components of a message; a card of a carousel has the first three.
const KINDS: [&str; 7] = [
    "header",
    "body",
    "button",
    "limited_time_offer",
    "carousel",
    "order_status",
    "tap_target_configuration",
];
const CARD_KINDS: usize = 3;
const CARDS_MOST: usize = 10;

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
    let (shape, named, media) = (&template.shape, template.named, &world.media);
    let at = "template['components']".to_owned();
    Parts { shape, named, components, at, media, now_ms, is_card: false }.check()?;
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

/// The components of a message, or of a card of it, beside what they fill.
struct Parts<'a> {
    shape: &'a Shape,
    named: bool,
    components: &'a [Value],
    /// The path of the components.
    at: String,
    media: &'a MediaShelf,
    now_ms: u64,
    is_card: bool,
}

impl<'a> Parts<'a> {
    fn check(&self) -> Checked {
        let kinds = if self.is_card { &KINDS[..CARD_KINDS] } else { &KINDS[..] };
        for (index, component) in self.components.iter().enumerate() {
            let at = self.component_path(index);
            let kind = need_text(component, &at, "type")?;
            if !kinds.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
                return Err(invalid(format!("{} must be one of {}", path(&at, "type"), kinds.join(", "))));
            }
        }
        self.check_header()?;
        let (at, parameters) = self.parameters("body")?;
        self.check_texts("body", &at, parameters, &self.shape.body)?;
        self.check_offer()?;
        self.check_buttons()?;
        self.check_cards()
    }

    fn component_path(&self, index: usize) -> String {
        format!("{}[{index}]", self.at)
    }

    /// The component of this type, with its path.
    fn component(&self, wanted: &str) -> Option<(String, &'a Value)> {
        let found = self.components.iter().enumerate().find(|(_, component)| is_kind(component, wanted));
        found.map(|(index, component)| (self.component_path(index), component))
    }

    /// The parameters of the component of this type, with their path.
    fn parameters(&self, wanted: &str) -> Checked<(String, &'a [Value])> {
        let Some((at, component)) = self.component(wanted) else { return Ok((String::new(), &[])) };
        let parameters = match field(component, "parameters") {
            Some(_) => need_array(component, &at, "parameters")?,
            None => &[],
        };
        Ok((path(&at, "parameters"), parameters))
    }

    fn check_header(&self) -> Checked {
        let (at, parameters) = self.parameters("header")?;
        match &self.shape.header {
            Header::Fixed if parameters.is_empty() => Ok(()),
            Header::Fixed => Err(count_mismatch("header", parameters.len(), 0)),
            Header::Text(names) => self.check_texts("header", &at, parameters, names),
            Header::Media(kind) => {
                let value = sole(parameters, &at, kind.name())?;
                medium::check(value, &path(&format!("{at}[0]"), kind.name()), *kind, self.media)
            }
            Header::Gif => {
                let value = sole(parameters, &at, "gif")?;
                medium::check(value, &path(&format!("{at}[0]"), "gif"), MediaKind::Video, self.media)
            }
            Header::Location => {
                let value = sole(parameters, &at, "location")?;
                content::location(value, &path(&format!("{at}[0]"), "location"))
            }
            Header::Product => {
                let value = sole(parameters, &at, "product")?;
                let at = path(&format!("{at}[0]"), "product");
                need_text(value, &at, "product_retailer_id")?;
                need_text(value, &at, "catalog_id").map(drop)
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
        if !self.named {
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

    /// A limited-time offer that ends is told when, and that it is still to come.
    fn check_offer(&self) -> Checked {
        let (at, parameters) = self.parameters("limited_time_offer")?;
        let [parameter] = parameters else {
            let expected = usize::from(self.shape.offer);
            let fits = parameters.len() == expected;
            return if fits {
                Ok(())
            } else {
                Err(count_mismatch("limited_time_offer", parameters.len(), expected))
            };
        };
        if !self.shape.offer {
            return Err(count_mismatch("limited_time_offer", 1, 0));
        }
        let at = format!("{at}[0]");
        let kind = need_text(parameter, &at, "type")?;
        if !kind.eq_ignore_ascii_case("limited_time_offer") {
            let problem = format!(
                "limited_time_offer: Format mismatch, expected LIMITED_TIME_OFFER, received {}",
                kind.to_ascii_uppercase()
            );
            return Err(GraphError::new(132_012, problem));
        }
        let offer = need_object(parameter, &at, "limited_time_offer")?;
        let at = path(&at, "limited_time_offer");
        let ends = need(offer, &at, "expiration_time_ms")?;
        let ends = ends.as_u64().or_else(|| ends.as_str()?.parse().ok());
        let ends = ends.ok_or_else(|| wrong_type(&at, "expiration_time_ms", "an integer"))?;
        if ends <= self.now_ms {
            return Err(invalid(format!("{} must be in the future", path(&at, "expiration_time_ms"))));
        }
        Ok(())
    }

    /// Every card of the template is there, once; of products there may be more than the
    /// template has.
    fn check_cards(&self) -> Checked {
        let shapes = &self.shape.cards;
        let Some((at, component)) = self.component("carousel") else {
            return if shapes.is_empty() { Ok(()) } else { Err(count_mismatch("carousel", 0, shapes.len())) };
        };
        let cards = need_array(component, &at, "cards")?;
        let of_products = shapes.first().is_some_and(|card| matches!(card.header, Header::Product));
        let fits = cards.len() == shapes.len() || (of_products && (2..=CARDS_MOST).contains(&cards.len()));
        if !fits {
            return Err(count_mismatch("carousel", cards.len(), shapes.len()));
        }
        let mut seen = vec![false; cards.len()];
        for (position, card) in cards.iter().enumerate() {
            let at = format!("{}[{position}]", path(&at, "cards"));
            let index = need(card, &at, "card_index")?;
            let index = index.as_u64().or_else(|| index.as_str()?.parse().ok());
            let index = index.and_then(|index| usize::try_from(index).ok());
            let free = index.and_then(|index| seen.get_mut(index)).filter(|seen| !**seen);
            let (Some(index), Some(mark)) = (index, free) else {
                let problem =
                    format!("{} must be one of 0 to {}, once", path(&at, "card_index"), cards.len() - 1);
                return Err(invalid(problem));
            };
            *mark = true;
            let Some(shape) = shapes.get(index).or(shapes.last()) else { continue };
            let components = match field(card, "components") {
                Some(_) => need_array(card, &at, "components")?,
                None => &[],
            };
            let at = path(&at, "components");
            Parts { shape, components, at, is_card: true, ..*self }.check()?;
        }
        Ok(())
    }

    fn check_buttons(&self) -> Checked {
        let given = self.components.iter().enumerate().filter(|(_, component)| is_kind(component, "button"));
        let given = given.map(|(index, component)| (self.component_path(index), component));
        buttons::check(&self.shape.buttons, given)
    }
}

fn is_kind(component: &Value, wanted: &str) -> bool {
    field(component, "type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
}
