//! A parsed body, bounded in depth, width and size whatever was posted.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use crate::text::mend_surrogates;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Deeper values are skipped.
const MAX_DEPTH: usize = 48;
/// Values that are kept of one body; the rest is skipped.
const MAX_NODES: usize = 50_000;
/// Elements that are kept of one list: order lines come in thousands, people do not.
const MAX_LIST: usize = 200;
/// Bytes that are kept of a text; no name, number or address is longer.
const MAX_TEXT: usize = 4_096;

/// Numbers that are whole multiples of this, and come with a fraction or exponent, were rounded.
const ROUNDED: f64 = 1e4;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// As it would be printed, without a fraction where there is none.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// Keys in order, each once: see [`Node::map`].
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Parses JSON; `None` when it is none.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let left = Cell::new(MAX_NODES);
        let json = mend_surrogates(json.as_bytes());
        let mut parser = serde_json::Deserializer::from_slice(&json);
        let node = Build { left: &left, depth: 0 }.deserialize(&mut parser).ok()?;
        parser.end().ok().map(|()| node)
    }

    /// A map in which of a repeated key the last value counts that says anything.
    pub(super) fn map(entries: Vec<(String, Self)>) -> Self {
        let mut kept: HashMap<String, (usize, Self)> = HashMap::with_capacity(entries.len());
        for (at, (key, value)) in entries.into_iter().enumerate() {
            match kept.entry(key) {
                Entry::Occupied(mut before) if !value.is_blank() => before.get_mut().1 = value,
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => drop(free.insert((at, value))),
            }
        }
        let mut kept: Vec<(usize, (String, Self))> =
            kept.into_iter().map(|(key, (at, value))| (at, (key, value))).collect();
        kept.sort_unstable_by_key(|(at, _)| *at);
        Self::Map(kept.into_iter().map(|(_, entry)| entry).collect())
    }

    pub(super) fn entries(&self) -> &[(String, Self)] {
        if let Self::Map(entries) = self { entries } else { &[] }
    }

    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The value of a key, exactly so written, unless it says nothing.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(k, v)| k == key && !v.is_blank()).map(|(_, v)| v)
    }

    /// The value at a path of keys and indices: `data.object`, `addresses.0`;
    /// the empty path is the value itself.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').filter(|part| !part.is_empty()).try_fold(self, |node, part| match node {
            Self::List(items) => items.get(part.parse::<usize>().ok()?),
            Self::Map(_) => node.get(part),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => None,
        })
    }

    /// The text at a path, or the number as text; `None` for what means nothing.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        match self.at(path)? {
            Self::Text(text) | Self::Number(text) => Some(text.trim()).filter(|t| !is_null_word(t)),
            Self::Null | Self::Bool(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Whether it says nothing: null, an empty text, `"NULL"`.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => is_null_word(text.trim()),
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Bool(_) | Self::Number(_) => false,
        }
    }
}

/// What systems write for nothing. `Null` is somebody's name and stays.
fn is_null_word(text: &str) -> bool {
    matches!(text, "" | "NULL" | "null" | "undefined" | "nil" | "None" | "(null)" | "N/A" | "n/a" | "-")
}

/// Builds a node within what is left.
#[derive(Clone, Copy)]
struct Build<'b> {
    left: &'b Cell<usize>,
    depth: usize,
}

impl Build<'_> {
    /// A builder of a value inside this one, unless there are enough of them.
    fn inner(self) -> Option<Self> {
        let left = self.left.get().checked_sub(1)?;
        self.left.set(left);
        (self.depth < MAX_DEPTH).then_some(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    /// A phone number of a spreadsheet arrives as `3.93391234567E11`.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        // Of a number that a spreadsheet rounded nobody knows which digits it had: one that ends
        // in as many zeros is written so that no phone is read of it.
        let is_rounded = value.abs() >= ROUNDED && value % ROUNDED == 0.0;
        let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
        Ok(Node::Number(match (is_whole, is_rounded) {
            (true, true) => format!("{value:e}"),
            (true, false) => format!("{value:.0}"),
            (false, _) => value.to_string(),
        }))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value[..value.floor_char_boundary(MAX_TEXT)].to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX_LIST
            && let Some(inner) = self.inner()
        {
            let Some(item) = seq.next_element_seed(inner)? else { return Ok(Node::List(items)) };
            items.push(item);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(inner) = self.inner() {
            let Some(key) = map.next_key::<String>()? else { return Ok(Node::map(entries)) };
            entries.push((key, map.next_value_seed(inner)?));
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Node::map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_people_write_them() {
        let node =
            Node::parse(r#"{"a": 393391234567, "b": 3.93391234567E11, "c": -1.5, "d": 1e300}"#).unwrap();
        assert_eq!(node.text("a"), Some("393391234567"));
        assert_eq!(node.text("b"), Some("393391234567"));
        assert_eq!(node.text("c"), Some("-1.5"));
    }

    #[test]
    fn a_repeated_key_keeps_the_last_value_that_is_one() {
        let node = Node::parse(r#"{"a": "1", "a": "2", "a": null, "a": "NULL", "b": "Null"}"#).unwrap();
        assert_eq!((node.text("a"), node.text("b")), (Some("2"), Some("Null")));
    }

    #[test]
    fn depth_width_and_size_are_bounded() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Node::parse(&deep).is_some());
        let wide = format!("[{}1]", "1,".repeat(100_000));
        assert_eq!(Node::parse(&wide).unwrap().items().len(), MAX_LIST);
        let keys: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":{n}")).collect();
        assert_eq!(Node::parse(&format!("{{{}}}", keys.join(","))).unwrap().entries().len(), MAX_NODES);
        let long = format!("\"{}\"", "è".repeat(100_000));
        assert!(matches!(Node::parse(&long), Some(Node::Text(text)) if text.len() == MAX_TEXT));
    }

    #[test]
    fn paths() {
        let node = Node::parse(r#"{"a": [{"b": "x"}], "c": {"d": 5}}"#).unwrap();
        assert_eq!((node.text("a.0.b"), node.text("c.d"), node.text("a.1.b")), (Some("x"), Some("5"), None));
        assert!(node.at("").is_some_and(Node::is_map));
    }
}
