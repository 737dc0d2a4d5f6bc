//! From bytes to a [`Node`].

use super::encoding::text_of;
use super::node::Node;
use super::{Ignored, form};

/// Largest body that is read, in bytes; above it a Lambda gets none.
pub const MAX_BODY: usize = 6_000_000;

/// Parameters of a form in which senders put a whole JSON document.
const ENVELOPES: [&str; 6] = ["payload", "data", "json", "body", "event", "rawRequest"];

/// Reads JSON or a form of either kind, whatever the content type says: senders get it wrong.
pub(super) fn decode(body: &[u8], content_type: Option<&str>) -> Result<Node, Ignored> {
    if body.len() > MAX_BODY {
        return Err(Ignored::TooLarge);
    }
    let text = text_of(body);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}');
    if text.is_empty() {
        return Err(Ignored::Empty);
    }
    let parts = boundary(content_type).filter(|_| text.starts_with("--"));
    let node = match parts {
        Some(boundary) => enveloped(form::parse_parts(body, &boundary)),
        None => parse(text, is_form(content_type)).ok_or(Ignored::Unreadable)?,
    };
    if is_ping(&node) {
        return Err(Ignored::Ping);
    }
    if node.is_blank() { Err(Ignored::Empty) } else { Ok(node) }
}

fn parse(text: &str, says_form: bool) -> Option<Node> {
    let looks_json = text.starts_with(['{', '[', '"']);
    if let Some(node) = Node::parse(text).filter(|_| looks_json || !says_form) {
        return match node {
            // JSON inside a JSON text.
            Node::Text(inner) => Node::parse(inner.trim()).filter(is_document),
            Node::List(_) => Some(node),
            Node::Map(entries) => Some(opened(entries)),
            Node::Null | Node::Bool(_) | Node::Number(_) => None,
        };
    }
    if looks_json || !(says_form || text.contains('=')) {
        return None;
    }
    Some(enveloped(form::parse(text)))
}

/// A map whose documents in texts are read.
fn opened(mut entries: Vec<(String, Node)>) -> Node {
    for (key, value) in &mut entries {
        let inner = match value {
            Node::Text(text) if ENVELOPES.contains(&key.as_str()) => {
                Node::parse(text.trim()).filter(is_document)
            }
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) | Node::Map(_) => {
                None
            }
        };
        *value = inner.unwrap_or(std::mem::replace(value, Node::Null));
    }
    Node::Map(entries)
}

/// A form, or the document that it carries.
fn enveloped(form: Node) -> Node {
    envelope(&form).or_else(|| listed(&form)).unwrap_or(form)
}

/// The fields that Jotform lists in a text for people to read: `Nome:Ada Neri, Email:...`.
fn listed(form: &Node) -> Option<Node> {
    const LONGEST: usize = 200;
    let text = form.text("pretty")?;
    let mut fields: Vec<(String, Node)> = Vec::new();
    for part in text.split(", ") {
        match (part.split_once(':').filter(|(label, _)| label.len() <= LONGEST), fields.last_mut()) {
            (Some((label, value)), _) => {
                fields.push((label.trim().to_owned(), Node::Text(value.trim().to_owned())))
            }
            // A comma inside a value.
            (None, Some((_, Node::Text(value)))) => value.extend([", ", part]),
            (None, _) => {}
        }
    }
    let others = form.entries().iter().filter(|(key, _)| key != "pretty").cloned();
    Some(Node::map(others.chain(fields).collect())).filter(|_| text.contains(':'))
}

/// A JSON document that a form carries in a parameter, or as its only key.
fn envelope(form: &Node) -> Option<Node> {
    let named = ENVELOPES.iter().filter_map(|key| form.text(key));
    let alone = form.entries().first().filter(|_| form.entries().len() == 1).map(|(key, _)| key.as_str());
    named.chain(alone).filter(|text| text.starts_with(['{', '['])).find_map(Node::parse)
}

fn is_document(node: &Node) -> bool {
    matches!(node, Node::List(_) | Node::Map(_))
}

fn is_form(content_type: Option<&str>) -> bool {
    content_type
        .is_some_and(|t| t.trim().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"))
}

/// What separates the parts of a form.
fn boundary(content_type: Option<&str>) -> Option<String> {
    let parts = |t: &&str| t.trim().to_ascii_lowercase().starts_with("multipart/form-data");
    form::parameter(content_type.filter(parts)?, "boundary").filter(|boundary| !boundary.is_empty())
}

/// WooCommerce posts `webhook_id=1` when a webhook is saved
/// (`WC_Webhook::deliver_ping`).
fn is_ping(node: &Node) -> bool {
    matches!(node.entries(), [(key, _)] if key == "webhook_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=utf-8");
    const PARTS: Option<&str> = Some("multipart/form-data; charset=utf-8; boundary=\"b\"");
    const JSON: Option<&str> = Some("application/json");

    fn email(body: &[u8], content_type: Option<&str>) -> Result<Option<String>, Ignored> {
        decode(body, content_type).map(|node| node.text("email").map(str::to_owned))
    }

    #[test]
    fn what_is_sent_counts_and_not_what_is_said() {
        let utf16: Vec<u8> =
            "\u{feff}{\"email\":\"a@b.it\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (body, content_type) in [
            (&b"{\"email\":\"a@b.it\"}"[..], JSON),
            (b"{\"email\":\"a@b.it\"}", FORM),
            (b"{\"email\":\"a@b.it\"}", None),
            (b"\xef\xbb\xbf {\"email\":\"a@b.it\"}\r\n\0", JSON),
            (b"\"{\\\"email\\\":\\\"a@b.it\\\"}\"", JSON),
            (b"email=a%40b.it", FORM),
            (b"email=a%40b.it", JSON),
            (b"payload=%7B%22email%22%3A%22a%40b.it%22%7D&x=1", FORM),
            (b"%7B%22email%22%3A%22a%40b.it%22%7D", FORM),
            (b"--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.it\r\n--b--\r\n", PARTS),
            (b"--b\r\nContent-Disposition: form-data; name=\"rawRequest\"\r\n\r\n{\"email\":\"a@b.it\"}\r\n--b--", PARTS),
            (b"{\"email\":\"a@b.it\"}", PARTS),
            (b"{\"email\":\"b@b.it\",\"email\":\"a@b.it\",\"email\":null}", JSON),
            (&utf16, JSON),
        ] {
            let text = String::from_utf8_lossy(body);
            assert_eq!(email(body, content_type), Ok(Some("a@b.it".to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_nothing_has_its_reason() {
        for (body, content_type, want) in [
            (&b""[..], JSON, Ignored::Empty),
            (b" \r\n", None, Ignored::Empty),
            (b"{}", JSON, Ignored::Empty),
            (b"[]", JSON, Ignored::Empty),
            (b"{\"email\":", FORM, Ignored::Unreadable),
            (b"{\"email\":\"a@b.it\"} trailing", FORM, Ignored::Unreadable),
            (b"{email: 'a@b.it'}", JSON, Ignored::Unreadable),
            (b"null", JSON, Ignored::Unreadable),
            (b"42", JSON, Ignored::Unreadable),
            (b"hello", JSON, Ignored::Unreadable),
            (b"<xml/>", Some("text/xml"), Ignored::Unreadable),
            (b"webhook_id=1", FORM, Ignored::Ping),
            (b"webhook_id=1", JSON, Ignored::Ping),
            (b"{\"webhook_id\": 1}", JSON, Ignored::Ping),
        ] {
            let text = String::from_utf8_lossy(body);
            assert_eq!(decode(body, content_type), Err(want), "{text}");
        }
        assert_eq!(decode(&vec![b' '; MAX_BODY + 1], None), Err(Ignored::TooLarge));
    }
}
