//! The tag that says where a contact came from.

use super::Payload;
use super::node::Node;
use super::senders::Platform;
use crate::contact::MAX_TAG;

/// The headers that reading a body may look at.
pub const HEADERS: [&str; 11] = [
    "user-agent",
    "x-shopify-topic",
    "x-shopify-hmac-sha256",
    "x-wc-webhook-topic",
    "x-wc-webhook-source",
    "x-wc-webhook-signature",
    "x-hubspot-signature",
    "x-hubspot-signature-v3",
    "klaviyo-webhook-id",
    "stripe-signature",
    "typeform-signature",
];

/// Programs that anybody calls with: they say nothing about the sender.
const LIBRARIES: [&str; 18] = [
    "apache-httpclient",
    "axios",
    "curl",
    "go-http-client",
    "guzzlehttp",
    "httpie",
    "java",
    "libwww-perl",
    "mozilla",
    "node",
    "node-fetch",
    "okhttp",
    "postmanruntime",
    "python-requests",
    "python-urllib",
    "ruby",
    "undici",
    "wget",
];

/// `source` as it was given; else the sender that the headers name, the
/// User-Agent's first word, or the sender whose shape the body has.
pub(super) fn tag(payload: &Payload<'_>, root: Option<&Node>) -> String {
    if let Some(source) = payload.source.and_then(given) {
        return source;
    }
    if let Some(sender) = Platform::by_headers(payload) {
        return sender.as_str().to_owned();
    }
    let agent = payload.header("user-agent").and_then(product);
    let shape = || root.and_then(Platform::by_shape).map(|sender| sender.as_str().to_owned());
    match agent {
        Some(agent) if LIBRARIES.contains(&agent.as_str()) => shape().unwrap_or(agent),
        Some(agent) => agent,
        None => shape().unwrap_or_else(|| "webhook".to_owned()),
    }
}

fn given(source: &str) -> Option<String> {
    let clean: String = source.trim().chars().filter(|c| !c.is_control()).take(MAX_TAG).collect();
    Some(clean.trim().to_owned()).filter(|source| !source.is_empty())
}

/// `Zapier/1.0 (+https://...)` as `zapier`.
fn product(agent: &str) -> Option<String> {
    let word = agent.split(['/', ' ', '(', ';', ',']).next()?;
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let tag: String = word.chars().filter(allowed).take(MAX_TAG).collect();
    Some(tag.to_ascii_lowercase()).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag_of(source: Option<&str>, agent: &str, json: &str) -> String {
        let payload = Payload {
            body: b"",
            content_type: None,
            source,
            headers: &[("User-Agent", agent)],
            country: None,
        };
        tag(&payload, Node::parse(json).as_ref())
    }

    #[test]
    fn source_then_agent_then_shape() {
        let stripe = r#"{"object": "event", "data": {"object": {"object": "customer"}}}"#;
        for (source, agent, json, want) in [
            (Some("Black Friday"), "Shopify-Captain-Hook", "{}", "Black Friday"),
            (Some(" "), "Shopify-Captain-Hook", "{}", "shopify"),
            (None, "WooCommerce/9.4.2 Hookshot (WordPress/6.7)", "{}", "woocommerce"),
            (None, "HubSpot Connect 2.0 (http://dev.hubspot.com/)", "{}", "hubspot"),
            (None, "Zapier", stripe, "zapier"),
            (None, "Make/production", "{}", "make"),
            (None, "curl/8.5.0", stripe, "stripe"),
            (None, "curl/8.5.0", "{}", "curl"),
            (None, "", stripe, "stripe"),
            (None, "(;)", "{}", "webhook"),
        ] {
            assert_eq!(tag_of(source, agent, json), want, "{source:?} {agent}");
        }
        assert_eq!(tag_of(Some(&"è".repeat(100)), "", "{}").chars().count(), MAX_TAG);
    }
}
