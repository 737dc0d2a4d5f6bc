//! Forms and queries, with PHP's brackets for nested values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Deeper nesting than any contract has.
const MAX_DEPTH: usize = 16;

/// One step into a nested value. Numbers sort before names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(u64),
    Name(String),
}

#[derive(Debug)]
enum Node {
    Leaf(String),
    Branch(BTreeMap<Step, Node>),
}

/// Values under names such as `a`, `a[b]`, `a[0][b]` and `a[]`.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<Step, Node>);

impl Form {
    /// Reads `a=1&b=2`; `None` when it is not UTF-8 or nested too deeply.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut form = Self::default();
        for pair in text.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let equals = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (name, value) = (&pair[..equals], pair.get(equals + 1..).unwrap_or_default());
            if !name.is_empty() {
                form.insert(&decode(name)?, decode(value)?)?;
            }
        }
        Some(form)
    }

    /// Adds one value; a later one of the same name wins.
    pub(super) fn insert(&mut self, name: &str, value: String) -> Option<()> {
        let mut steps = steps(name);
        if steps.len() > MAX_DEPTH {
            return None;
        }
        let last = steps.pop()?;
        let mut at = &mut self.0;
        for step in steps {
            let step = settle(at, step);
            let node = at.entry(step).or_insert_with(|| Node::Branch(BTreeMap::new()));
            if matches!(node, Node::Leaf(_)) {
                *node = Node::Branch(BTreeMap::new());
            }
            let Node::Branch(inner) = node else { return None };
            at = inner;
        }
        let last = settle(at, last);
        at.insert(last, Node::Leaf(value));
        Some(())
    }

    /// The values as JSON.
    pub(super) fn into_map(self) -> Map<String, Value> {
        let name = |step| match step {
            Step::Index(index) => index.to_string(),
            Step::Name(name) => name,
        };
        self.0.into_iter().map(|(step, node)| (name(step), node.into_value())).collect()
    }
}

impl Node {
    fn into_value(self) -> Value {
        match self {
            Self::Leaf(text) => Value::String(text),
            Self::Branch(inner) if inner.keys().all(|step| matches!(step, Step::Index(_))) => {
                inner.into_values().map(Self::into_value).collect()
            }
            Self::Branch(inner) => Value::Object(Form(inner).into_map()),
        }
    }
}

/// `a[b][]` becomes `a`, `b` and an empty name.
fn steps(name: &str) -> Vec<Step> {
    let step = |text: &str| match text.parse() {
        Ok(index) if text.bytes().all(|b| b.is_ascii_digit()) => Step::Index(index),
        Ok(_) | Err(_) => Step::Name(text.to_owned()),
    };
    let bracketed = name.find('[').filter(|at| *at > 0 && name.ends_with(']'));
    let Some(at) = bracketed else { return vec![Step::Name(name.to_owned())] };
    let inner = &name[at + 1..name.len() - 1];
    std::iter::once(Step::Name(name[..at].to_owned())).chain(inner.split("][").map(step)).collect()
}

/// Gives an empty name the next free index.
fn settle(at: &BTreeMap<Step, Node>, step: Step) -> Step {
    match step {
        Step::Name(name) if name.is_empty() => {
            let last = at.range(..Step::Name(String::new())).next_back();
            Step::Index(match last {
                Some((Step::Index(last), _)) => last.saturating_add(1),
                Some((Step::Name(_), _)) | None => 0,
            })
        }
        Step::Name(_) | Step::Index(_) => step,
    }
}

fn decode(text: &[u8]) -> Option<String> {
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut i = 0;
    while let Some(byte) = text.get(i) {
        match (byte, hex(text.get(i + 1)), hex(text.get(i + 2))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high * 16 + low);
                i += 2;
            }
            (b'+', _, _) => bytes.push(b' '),
            (byte, _, _) => bytes.push(*byte),
        }
        i += 1;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn brackets_become_nested_values() {
        for (form, want) in [
            ("a=1&b=x+y%26", json!({"a": "1", "b": "x y&"})),
            ("a[b]=1&a[c][d]=2", json!({"a": {"b": "1", "c": {"d": "2"}}})),
            ("t[]=x&t[]=y", json!({"t": ["x", "y"]})),
            ("b[1][id]=q&b[0][id]=p&b[10][id]=z", json!({"b": [{"id": "p"}, {"id": "q"}, {"id": "z"}]})),
            ("a[5]=x&a[]=y", json!({"a": ["x", "y"]})),
            ("a[0]=x&a[k]=y", json!({"a": {"0": "x", "k": "y"}})),
            ("a=1&a[b]=2&c=1&c=2", json!({"a": {"b": "2"}, "c": "2"})),
            ("a%5Bb%5D=1&flag&=x", json!({"a": {"b": "1"}, "flag": ""})),
            ("a[=1&[b]=2", json!({"a[": "1", "[b]": "2"})),
            ("p=%2B39&q=%zz", json!({"p": "+39", "q": "%zz"})),
        ] {
            assert_eq!(Value::Object(Form::parse(form.as_bytes()).unwrap().into_map()), want, "{form}");
        }
    }

    #[test]
    fn what_is_not_text_is_refused() {
        assert!(Form::parse(b"a=%ff").is_none());
        assert!(Form::parse(b"a=\xff").is_none());
        let deep = format!("a{}=1", "[x]".repeat(17));
        assert!(Form::parse(deep.as_bytes()).is_none());
    }
}
