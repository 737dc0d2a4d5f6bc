//! Forms, with PHP's brackets: `billing[first_name]=Mario`.

use super::encoding::text_of;
use super::node::Node;

const MAX_FIELDS: usize = 2_000;
const MAX_DEPTH: usize = 8;

/// Reads a form.
pub(super) fn parse(text: &str) -> Node {
    let fields = form_urlencoded::parse(text.as_bytes());
    collect(fields.map(|(key, value)| (key.into_owned(), value.into_owned())))
}

/// Reads a form of several parts (RFC 7578); files in it are left out.
pub(super) fn parse_parts(body: &[u8], boundary: &str) -> Node {
    let delimiter = format!("--{boundary}");
    collect(split(body, delimiter.as_bytes()).skip(1).filter_map(part))
}

fn collect(fields: impl Iterator<Item = (String, String)>) -> Node {
    let mut root = Vec::new();
    for (key, value) in fields.take(MAX_FIELDS) {
        insert(&mut root, &path_of(&key), Node::Text(value));
    }
    Node::map(root)
}

/// A part's name and text. What follows the last delimiter has no headers.
fn part(part: &[u8]) -> Option<(String, String)> {
    let part = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n"))?;
    let (head, value) = once(part, b"\r\n\r\n").or_else(|| once(part, b"\n\n"))?;
    let head = text_of(head);
    let disposition =
        head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let is_file = parameter(disposition, "filename").is_some();
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    let name = parameter(disposition, "name").filter(|_| !is_file)?;
    Some((name, text_of(value).into_owned()))
}

/// A parameter of a header: `name="phone"`. Browsers write quotes in it as `%22`.
pub(super) fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let quoted = value.trim().strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.unwrap_or(value.trim());
        key.trim().eq_ignore_ascii_case(name).then(|| value.replace("%22", "\""))
    })
}

/// What stands before and after the first `at`.
fn once<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..found], &bytes[found + at.len()..]))
}

fn split<'a>(bytes: &'a [u8], at: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let (part, after) = once(bytes, at).map_or((bytes, None), |(part, after)| (part, Some(after)));
        rest = after;
        Some(part)
    })
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
        assert_eq!(parse("a=1&a=2&a=").text("a"), Some("2"));
    }

    #[test]
    fn parts_are_fields_and_files_are_not() {
        let body = "before\r\n--x\r\nContent-Disposition: form-data; name=\"billing[phone]\"\r\n\r\n+39 1\r\n\
            --x\r\nContent-Type: text/plain; charset=utf-8\r\ncontent-disposition: form-data; name=nome\r\n\r\nNicolò\r\nDue\r\n\
            --x\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n%PDF\r\n\
            --x\r\nno headers\r\n--x--\r\n";
        let node = parse_parts(body.as_bytes(), "x");
        assert_eq!(node.text("billing.phone"), Some("+39 1"));
        assert_eq!((node.text("nome"), node.entries().len()), (Some("Nicolò\r\nDue"), 2));
        for broken in ["", "--x", "--x\r\n\r\n", "--x--", "--x\nContent-Disposition: form-data\n\n1\n--x"] {
            assert_eq!(parse_parts(broken.as_bytes(), "x"), Node::Map(Vec::new()), "{broken:?}");
        }
    }
}
