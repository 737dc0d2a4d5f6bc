//! The names of keys in a body, for its owner to see why nobody was found in it:
//! never a value, and no name that is an address itself.

use std::collections::{HashSet, VecDeque};

use super::node::Node;

/// Most names that are shown.
pub const MAX_SEEN: usize = 30;
/// Longest name, in characters.
pub const MAX_SEEN_NAME: usize = 60;
const MAX_OBJECTS: usize = 5_000;
const MAX_DEPTH: usize = 12;
/// So many digits may be a phone number.
const MAX_DIGITS: usize = 6;
/// In the place of a key that is not shown.
const HIDDEN: &str = "*";

/// The paths of the values of a body, `payload.attendees.email`, the outer ones first
/// and each once.
pub(super) fn seen(root: &Node) -> Vec<String> {
    let mut names = Vec::new();
    let mut known = HashSet::new();
    let mut queue = VecDeque::from([(root, String::new(), 0)]);
    let mut looked = 0;
    while let Some((node, path, depth)) = queue.pop_front() {
        looked += 1;
        if looked > MAX_OBJECTS || names.len() == MAX_SEEN {
            break;
        }
        queue.extend(
            node.items().iter().filter(|item| !is_leaf(item)).map(|item| (item, path.clone(), depth + 1)),
        );
        for (key, value) in node.entries() {
            let inner = joined(&path, key);
            if !is_leaf(value) && depth < MAX_DEPTH {
                queue.push_back((value, inner, depth + 1));
            } else if names.len() < MAX_SEEN && known.insert(inner.clone()) {
                names.push(inner);
            }
        }
    }
    names
}

/// A text, or a list of them.
fn is_leaf(node: &Node) -> bool {
    match node {
        Node::Map(entries) => entries.is_empty(),
        Node::List(items) => items.iter().all(is_leaf),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => true,
    }
}

/// A path that stays within its length; what is beyond is cut.
fn joined(path: &str, key: &str) -> String {
    let key: String = key.chars().filter(|c| !c.is_control()).take(MAX_SEEN_NAME * 2).collect();
    let key = if is_address(key.trim()) { HIDDEN } else { key.trim() };
    let whole = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    // Parts of a number may come as keys in each other.
    let whole = if is_address(&whole) { format!("{path}.{HIDDEN}") } else { whole };
    if whole.chars().count() <= MAX_SEEN_NAME {
        return whole;
    }
    let cut: String = whole.chars().take(MAX_SEEN_NAME - 1).collect();
    format!("{cut}…")
}

fn is_address(text: &str) -> bool {
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    digits > MAX_DIGITS || text.contains(['@', '\u{ff20}', '\u{fe6b}']) || text.contains("%40")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Vec<String> {
        seen(&Node::parse(json).unwrap())
    }

    #[test]
    fn names_and_no_values() {
        for (json, want) in [
            (r#"{"a": 1, "b": {"c": "x", "d": null}, "e": []}"#, vec!["a", "e", "b.c", "b.d"]),
            (r#"[{"a": 1}, {"a": 2, "b": 3}]"#, vec!["a", "b"]),
            (
                r#"{"people": [{"name": "Ada"}, {"name": "Bea", "tags": ["x"]}]}"#,
                vec!["people.name", "people.tags"],
            ),
            (r#"{"ada@example.com": 1, "+39 339 1234567": {"x": 1}}"#, vec!["*", "*.x"]),
            (r#"{"39": {"339": {"123": 1}}}"#, vec!["39.339.*"]),
            ("1", vec![]),
        ] {
            assert_eq!(of(json), want, "{json}");
        }
    }

    #[test]
    fn they_are_few_and_short() {
        let keys: Vec<String> = (0..1_000).map(|n| format!("\"{}{n}\": 1", "è".repeat(100))).collect();
        let names = of(&format!("{{{}}}", keys.join(",")));
        assert!(
            names.len() <= MAX_SEEN && names.iter().all(|name| name.chars().count() == MAX_SEEN_NAME),
            "{names:?}"
        );
        let deep = format!("{}1{}", r#"{"abcdefgh":"#.repeat(40), "}".repeat(40));
        assert!(of(&deep).iter().all(|name| name.chars().count() <= MAX_SEEN_NAME));
    }
}
