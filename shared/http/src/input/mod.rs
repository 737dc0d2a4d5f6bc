//! What a request carries, read once.

mod body;
mod form;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde_json::{Map, Value};
use store::sha256_hex;

use crate::table::Spec;
use crate::{ApiError, Fields, Result};

pub(crate) use body::{Content, read};

/// Parameters that say who asks, not what for.
const CREDENTIALS: [&str; 4] = ["apikey", "apiToken", "apiKey", "idempotency_key"];
/// Longest idempotency key.
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// An uploaded file.
#[derive(Clone)]
pub struct Upload {
    /// The parameter that carries it.
    pub field: String,
    /// Its name, as the sender calls it.
    pub name: String,
    /// Its type, as the sender claims.
    pub content_type: Option<String>,
    /// What it holds.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("field", &self.field)
            .field("size", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// The parameters, files and headers of a request: body before query, whatever
/// form the body has.
#[derive(Clone)]
pub struct Input(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) spec: Spec,
    pub(crate) content: Content,
    pub(crate) path: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input(***)")
    }
}

impl From<Inner> for Input {
    fn from(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

impl Input {
    /// The parameters.
    pub fn fields(&self) -> Fields<'_> {
        Fields::from(&self.0.content.params)
    }

    pub(crate) fn params(&self) -> &Map<String, Value> {
        &self.0.content.params
    }

    /// A part of the path; empty when the endpoint has no such part.
    pub fn path(&self, name: &str) -> &str {
        let found = self.0.path.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    /// A file by the parameter that carries it.
    pub fn file(&self, field: &str) -> Option<&Upload> {
        self.0.content.files.iter().find(|file| file.field == field)
    }

    /// The body as it came, for endpoints that ask for that. It is one byte longer
    /// than they take when there was more of it, and the rest is left out.
    pub fn body(&self) -> &[u8] {
        &self.0.content.raw
    }

    /// A header's value, unless it is empty or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.0.headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    pub(crate) fn spec(&self) -> Spec {
        self.0.spec
    }

    /// The key under which the caller may repeat the request.
    pub(crate) fn idempotency_key(&self) -> Result<Option<String>> {
        let key = match self.header("idempotency-key") {
            Some(key) => Some(key.to_owned()),
            None => self.fields().text("idempotency_key")?,
        };
        match key {
            Some(key) if key.len() > MAX_IDEMPOTENCY_KEY => {
                let message = "idempotency_key may have at most 255 characters";
                Err(ops::Error::invalid("idempotency_key", message).into())
            }
            key => Ok(key),
        }
    }

    /// A digest of what is asked for, without who asks.
    pub(crate) fn fingerprint(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0.path {
            text.push_str(&format!("{}={};", Value::from(name.as_str()), Value::from(value.as_str())));
        }
        let asked = self.0.content.params.iter().filter(|(name, _)| !CREDENTIALS.contains(&name.as_str()));
        let asked: Map<String, Value> = asked.map(|(name, value)| (name.clone(), value.clone())).collect();
        canonical(&Value::Object(asked), &mut text);
        for file in &self.0.content.files {
            text.push_str(&format!("{}:{}:{};", file.field, file.name, sha256_hex(&file.bytes)));
        }
        sha256_hex(text)
    }
}

/// JSON with sorted keys.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string())
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            out.push('{');
            for (name, value) in members {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Input {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, ApiError> {
        let input = parts.extensions.get::<Self>().cloned();
        input.ok_or_else(|| ApiError(ops::Error::new(ops::Code::Internal, "internal error")))
    }
}

#[cfg(test)]
mod tests {
    use ops::RateClass;
    use serde_json::json;

    use super::*;
    use crate::Dialect;

    fn input(params: &str, header: Option<&'static str>) -> Input {
        let spec =
            Spec { path: "/x", dialect: Dialect::SendApp, class: RateClass::Normal, max_body: 0, raw: false };
        let mut headers = HeaderMap::new();
        if let Some(key) = header {
            headers.insert("idempotency-key", key.parse().unwrap());
        }
        let content = Content { params: serde_json::from_str(params).unwrap(), ..Content::default() };
        Inner { spec, content, path: Vec::new(), headers }.into()
    }

    #[test]
    fn a_fingerprint_is_of_what_is_asked_for() {
        let of = |params| input(params, None).fingerprint();
        let plain = of(r#"{"a": 1, "b": {"x": 1, "y": [2]}}"#);
        assert_eq!(plain, of(r#"{"b": {"y": [2], "x": 1}, "a": 1}"#));
        assert_eq!(plain, of(r#"{"a": 1, "b": {"x": 1, "y": [2]}, "apikey": "k", "idempotency_key": "i"}"#));
        for other in
            [r#"{"a": "1", "b": {"x": 1, "y": [2]}}"#, r#"{"a": 1, "b": {"x": 1, "y": [[2]]}}"#, "{}"]
        {
            assert_ne!(plain, of(other), "{other}");
        }
    }

    #[test]
    fn the_header_names_the_idempotency_key_first() {
        let params = r#"{"idempotency_key": "p"}"#;
        assert_eq!(input(params, Some("h")).idempotency_key().unwrap().as_deref(), Some("h"));
        assert_eq!(input(params, None).idempotency_key().unwrap().as_deref(), Some("p"));
        assert_eq!(input("{}", None).idempotency_key().unwrap(), None);
        let long = json!({"idempotency_key": "x".repeat(256)}).to_string();
        let error = input(&long, None).idempotency_key().unwrap_err().0;
        assert_eq!(error.field.as_deref(), Some("idempotency_key"));
    }
}
