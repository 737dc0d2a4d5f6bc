//! Forms, with PHP's brackets: `billing[first_name]=Mario`.

use super::node::Node;

const MAX_FIELDS: usize = 2_000;
const MAX_DEPTH: usize = 8;

/// Reads a form.
pub(super) fn parse(text: &str) -> Node {
    let mut root = Vec::new();
    for (key, value) in form_urlencoded::parse(text.as_bytes()).take(MAX_FIELDS) {
        let path = path_of(&key);
        insert(&mut root, &path, Node::Text(value.into_owned()));
    }
    Node::Map(root)
}

/// `a[b][]` as `a`, `b` and an empty part, which adds to a list.
fn path_of(key: &str) -> Vec<&str> {
    let Some((head, rest)) = key.split_once('[').filter(|(head, _)| !head.is_empty()) else {
        return vec![key];
    };
    let inner = rest.split('[').map(|part| part.strip_suffix(']').unwrap_or(part));
    std::iter::once(head).chain(inner).take(MAX_DEPTH).collect()
}

fn insert(entries: &mut Vec<(String, Node)>, path: &[&str], value: Node) {
    let Some((key, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        return entries.push(((*key).to_owned(), value));
    }
    let index = entries.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
        let empty = if rest == [""] { Node::List(Vec::new()) } else { Node::Map(Vec::new()) };
        entries.push(((*key).to_owned(), empty));
        entries.len() - 1
    });
    match &mut entries[index].1 {
        Node::List(items) => items.push(value),
        Node::Map(inner) => insert(inner, rest, value),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest() {
        let node = parse(
            "billing[first_name]=Anna+Maria&billing[phones][]=1&billing[phones][]=2&a=b&x[0][v]=3&[z]=4",
        );
        assert_eq!(node.text("billing.first_name"), Some("Anna Maria"));
        assert_eq!(node.text("billing.phones.1"), Some("2"));
        assert_eq!((node.text("a"), node.text("x.0.v"), node.text("[z]")), (Some("b"), Some("3"), Some("4")));
        assert!(parse("a=1&a[b]=2&a[b][c]=3&a[[[[=5&]=6&%FF=%zz").is_map());
    }
}
