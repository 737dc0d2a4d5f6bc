//! What a step says, filled in, within what WhatsApp takes (Meta, «Interactive messages»).

use domain::contact::Contact;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::definition::{Ask, Choice, MediaKind, Message, Product};
use crate::run::Run;
use crate::values::{fill, fill_map, fill_url};

/// Most buttons; more become a list.
pub(crate) const MAX_BUTTONS: usize = 3;
/// Most rows of a list.
pub(crate) const MAX_ROWS: usize = 10;
/// Longest title of a button, and what opens a list.
pub(crate) const MAX_BUTTON: usize = 20;
/// Longest title of a row.
pub(crate) const MAX_ROW: usize = 24;
/// Longest second line of a row.
pub(crate) const MAX_DESCRIPTION: usize = 72;
/// Longest id of a button; rows may have 200.
pub(crate) const MAX_ID: usize = 200;
/// Longest text, and that of a message with buttons or a caption.
pub(crate) const MAX_TEXT: usize = 4_096;
pub(crate) const MAX_BODY: usize = 1_024;

/// A message that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outgoing {
    /// A text.
    Text {
        /// It.
        text: String,
    },
    /// A text with one to three buttons.
    Buttons {
        /// The text.
        text: String,
        /// Ids and titles.
        buttons: Vec<(String, String)>,
    },
    /// A text with a list of one to ten rows.
    List {
        /// The text.
        text: String,
        /// What opens the list.
        button: String,
        /// Ids, titles and second lines.
        rows: Vec<(String, String, Option<String>)>,
    },
    /// A file.
    Media {
        /// What it is.
        kind: MediaKind,
        /// Where it is.
        url: String,
        /// What is said with it.
        caption: Option<String>,
        /// What a document is called.
        filename: Option<String>,
    },
    /// An approved template.
    Template {
        /// Its name.
        name: String,
        /// Its language, if one is chosen.
        language: Option<String>,
        /// What it is filled with.
        params: Map<String, Value>,
    },
    /// Products of a catalog.
    Products {
        /// What is said with them.
        text: Option<String>,
        /// The catalog; that of the account otherwise.
        catalog: Option<String>,
        /// Which.
        products: Vec<String>,
    },
}

impl Outgoing {
    /// What a message says. Its content was checked when the flow was saved.
    pub(crate) fn of_message(message: &Message, run: &Run, contact: &Contact) -> Self {
        let text = message.text.as_ref().map(|text| fill(text, run, contact));
        if let Some(template) = &message.template {
            return Self::Template {
                name: template.name.clone(),
                language: template.language.clone(),
                params: fill_map(&template.params, run, contact),
            };
        }
        if let Some(media) = &message.media {
            return Self::Media {
                kind: media.kind,
                url: fill_url(&media.url, run, contact),
                caption: text.map(|text| cut(&text, MAX_BODY)),
                filename: media.filename.as_ref().map(|name| fill(name, run, contact)),
            };
        }
        if let Some(Product { catalog_id, ids }) = &message.product {
            let text = text.map(|text| cut(&text, MAX_BODY));
            return Self::Products { text, catalog: catalog_id.clone(), products: ids.clone() };
        }
        let choices = if message.rows.is_empty() { &message.buttons } else { &message.rows };
        let as_list = !message.rows.is_empty();
        with_choices(text.unwrap_or_default(), choices, message.button.as_deref(), as_list)
    }

    /// A question; once more, in other words, after an answer that was none.
    pub(crate) fn of_ask(ask: &Ask, again: bool, run: &Run, contact: &Contact) -> Self {
        let text = ask.invalid.as_ref().filter(|_| again).unwrap_or(&ask.text);
        with_choices(fill(text, run, contact), &ask.choices, ask.button.as_deref(), false)
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Text { text: cut(text, MAX_TEXT) }
    }
}

fn with_choices(text: String, choices: &[Choice], button: Option<&str>, as_list: bool) -> Outgoing {
    if choices.is_empty() {
        return Outgoing::text(&text);
    }
    let text = cut(&text, MAX_BODY);
    if choices.len() <= MAX_BUTTONS && !as_list {
        let buttons = choices.iter().map(|choice| (choice.id().to_owned(), choice.title.clone()));
        return Outgoing::Buttons { text, buttons: buttons.collect() };
    }
    let row = |choice: &Choice| (choice.id().to_owned(), choice.title.clone(), choice.description.clone());
    Outgoing::List {
        text,
        button: button.unwrap_or("\u{2630}").to_owned(),
        rows: choices.iter().map(row).collect(),
    }
}

/// What was filled in may be longer than what was checked.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most - 1).chain(['\u{2026}']).collect(),
        None => text.to_owned(),
    }
}
