//! Objects that are a field in disguise, `{"label": "Telefono", "value": "..."}`, and
//! the titles that a body gives apart, by the ids of its fields.

use std::collections::HashMap;

use super::fields::{Field, LAST_RESORT, LESSER, Meaning, meaning_of};
use super::node::Node;
use super::words::Words;

/// Keys of an object's label, the ones that people read first.
const LABELS: [&str; 21] = [
    "label",
    "title",
    "question",
    "questiontitle",
    "questiontext",
    "fieldlabel",
    "name",
    "fieldname",
    "columnid",
    "columnname",
    "caption",
    "q",
    "prompt",
    "key",
    "field",
    "text",
    "ref",
    "slug",
    "id",
    "fieldid",
    "questionid",
];
/// Keys of its value.
const VALUES: [&str; 12] = [
    "value",
    "values",
    "answer",
    "answers",
    "stringvalue",
    "response",
    "rawvalue",
    "fieldvalue",
    "submittedvalue",
    "content",
    "a",
    "text",
];
/// Keys of lists that define the fields of a form.
const DEFINITIONS: [&str; 9] = [
    "fields",
    "questions",
    "inputs",
    "schema",
    "definition",
    "formfields",
    "elements",
    "columns",
    "components",
];
/// An object with more keys is no pair.
const MAX_KEYS: usize = 40;
const MAX_TITLES: usize = 2_000;
const MAX_OBJECTS: usize = 5_000;

/// What the fields of a form mean, by their ids.
#[derive(Debug, Default)]
pub(super) struct Titles(HashMap<String, Meaning>);

impl Titles {
    /// The titles in the definitions of a body: `{"fields": [{"id": "3.6", "label": "Cognome"}]}`.
    pub(super) fn of(root: &Node) -> Self {
        let mut titles = Self::default();
        let mut stack = vec![(root, false)];
        let mut seen = 0;
        while let Some((node, defines)) = stack.pop() {
            seen += 1;
            if seen > MAX_OBJECTS || titles.0.len() >= MAX_TITLES {
                break;
            }
            if defines && node.is_map() {
                titles.learn(node);
            }
            stack.extend(node.items().iter().filter(|item| is_container(item)).map(|item| (item, defines)));
            let inner = node.entries().iter().filter(|(_, value)| is_container(value));
            stack.extend(inner.map(|(key, value)| (value, DEFINITIONS.iter().any(|name| is_key(key, name)))));
        }
        titles
    }

    fn learn(&mut self, field: &Node) {
        let find = |keys: &[&str]| keys.iter().find_map(|key| find(field, key)?.text(""));
        let Some(id) = find(&["id", "fieldid", "questionid", "key", "ref"]) else { return };
        let titles = LABELS[..12].iter().filter_map(|key| find(&[*key]));
        let known = titles.map(|title| meaning_of(&Words::of(title))).find(|m| *m != Meaning::Nothing);
        if let Some(known) = known.filter(|_| id.len() <= 100) {
            self.0.insert(id.to_owned(), known);
        }
    }

    /// What the field of that key means: `input_3_6` is the field `3.6`.
    pub(super) fn meaning(&self, key: &str, words: &Words) -> Meaning {
        if self.0.is_empty() {
            return Meaning::Nothing;
        }
        let by_number = || self.0.get(&words.id()?);
        self.0.get(key).or_else(by_number).copied().unwrap_or(Meaning::Nothing)
    }

    fn named(&self, text: &str) -> Meaning {
        let words = Words::of(text);
        let known = meaning_of(&words);
        if known == Meaning::Nothing { self.meaning(text, &words) } else { known }
    }
}

/// What an object with a label and a value means, and the value; an object that has
/// an address of its own is none.
pub(super) fn pair<'n>(item: &'n Node, titles: &Titles) -> Option<(Meaning, &'n Node)> {
    if item.entries().len() > MAX_KEYS {
        return None;
    }
    let (value_key, value) = VALUES.iter().find_map(|key| Some((*key, find(item, key)?)))?;
    let label = |key: &&str| label(find(item, key).filter(|_| *key != value_key)?);
    let meanings = LABELS.iter().filter_map(label).map(|text| titles.named(text));
    let by_kind = || {
        let kind = item.text("type").or_else(|| item.text("fieldType"))?;
        match meaning_of(&Words::of(kind)) {
            field @ Meaning::Field(_) => Some(field),
            Meaning::Other | Meaning::Nothing => None,
        }
    };
    let known = meanings.into_iter().find(|meaning| *meaning != Meaning::Nothing);
    // The user of a form is who fills it in.
    let known = known.map(|meaning| match meaning {
        Meaning::Field(Field::Email(LAST_RESORT)) => Meaning::Field(Field::Email(LESSER)),
        Meaning::Field(Field::Phone(LAST_RESORT)) => Meaning::Field(Field::Phone(LESSER)),
        Meaning::Field(_) | Meaning::Other | Meaning::Nothing => meaning,
    });
    Some((known.or_else(by_kind).unwrap_or(Meaning::Nothing), value))
}

/// The fields of an object that numbers its questions and answers:
/// `{"1_question": "Telefono", "1_response": "..."}`.
pub(super) fn numbered<'n>(object: &'n Node, titles: &Titles) -> Vec<(Field, &'n Node)> {
    const QUESTIONS: [&str; 4] = ["question", "label", "title", "fieldname"];
    const ANSWERS: [&str; 4] = ["answer", "response", "value", "fieldvalue"];
    let parts = |key: &str| -> (String, String) {
        let letters = key.chars().take(40).filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase);
        (letters.collect(), key.chars().take(40).filter(char::is_ascii_digit).collect())
    };
    let mut answers: HashMap<String, &Node> = HashMap::new();
    let mut questions: Vec<(String, &str)> = Vec::new();
    for (key, value) in object.entries().iter().filter(|(key, _)| key.bytes().any(|b| b.is_ascii_digit())) {
        match (parts(key), value.text("")) {
            ((word, number), Some(text)) if QUESTIONS.contains(&word.as_str()) => {
                questions.push((number, text))
            }
            ((word, number), _) if ANSWERS.contains(&word.as_str()) => drop(answers.insert(number, value)),
            _ => {}
        }
    }
    let field = |(number, text): (String, &str)| match titles.named(text) {
        Meaning::Field(field) => Some((field, *answers.get(&number)?)),
        Meaning::Other | Meaning::Nothing => None,
    };
    questions.into_iter().filter_map(field).collect()
}

/// A label, which may be an object with a title of its own.
fn label(node: &Node) -> Option<&str> {
    const TITLES: [&str; 5] = ["title", "label", "name", "text", "question"];
    node.text("").or_else(|| TITLES.iter().find_map(|key| node.text(key)))
}

/// The value of a key, however it is written: `stringValue`, `string_value`.
fn find<'n>(node: &'n Node, wanted: &str) -> Option<&'n Node> {
    node.entries()
        .iter()
        .find(|(key, value)| is_key(key, wanted) && !value.is_blank())
        .map(|(_, value)| value)
}

/// Whether a key is `wanted` but for capitals and punctuation.
pub(super) fn is_key(key: &str, wanted: &str) -> bool {
    let letters = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.eq(wanted.chars())
}

pub(super) fn is_container(node: &Node) -> bool {
    matches!(node, Node::Map(_) | Node::List(_))
}
