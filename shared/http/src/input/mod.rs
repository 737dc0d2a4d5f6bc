//! What a request carries, read once.

mod body;
mod form;

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde_json::{Map, Value};
use store::sha256_hex;

use crate::spec::Spec;
use crate::{ApiError, Dialect, Fields, Request, Result};

pub(crate) use body::{BodyAndQuery, read};

/// The key under which a request may be repeated, where it is no header.
pub const IDEMPOTENCY_KEY: &str = "idempotency_key";
/// Most unknown parameters that a request is told of.
const MAX_UNKNOWN: usize = 20;
/// Most characters of their names.
const MAX_NAME: usize = 64;
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

/// What a request carries: the parameters that `R` lists, body before query, whatever
/// form the body has; parts of the path, and headers. Comes last in a handler's signature.
pub struct Input<R = ()> {
    carried: Arc<Carried>,
    asks: PhantomData<fn() -> R>,
}

pub(crate) struct Carried {
    pub(crate) spec: Spec,
    pub(crate) content: BodyAndQuery,
    pub(crate) path: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// Who holds the connection, where the process sees it.
    pub(crate) peer: Option<IpAddr>,
}

impl<R> std::fmt::Debug for Input<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input(***)")
    }
}

impl<R: Request> Input<R> {
    /// The parameters.
    pub fn read(&self) -> R {
        R::read(Fields::new(&self.carried.content.params, &self.carried.content.files))
    }

    /// What else the request carries, in the words of a warning: nobody looks at it. A token
    /// is often sent where none is needed.
    pub fn unknown(&self) -> Vec<String> {
        let unknown = self.unknown_names().take(MAX_UNKNOWN);
        unknown.map(|name| format!("`{name}` is not known and was ignored")).collect()
    }

    /// A parameter that nobody looks at, where that must not be ignored.
    pub fn unknown_name(&self) -> Option<String> {
        self.unknown_names().next()
    }

    fn unknown_names(&self) -> impl Iterator<Item = String> {
        let dialect = self.carried.spec.dialect;
        let is_known = move |name: &str| {
            [IDEMPOTENCY_KEY, "token"].contains(&name)
                || dialect.key_parameter() == Some(name)
                || R::FIELDS.iter().any(|field| field.names.contains(&name))
        };
        self.carried.content.params.keys().filter(move |name| !is_known(name)).map(|name| shown(name))
    }
}

/// A parameter's name as it may be printed.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

impl<R> Input<R> {
    /// A part of the path; empty when the endpoint has no such part.
    pub fn path(&self, name: &str) -> &str {
        let found = self.carried.path.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as it came, for endpoints that ask for that. It is one byte longer
    /// than they take when there was more of it, and the rest is left out.
    pub fn body(&self) -> &[u8] {
        &self.carried.content.raw
    }

    /// A header's value, unless it is empty or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.carried.header(name)
    }

    /// The address that the request came from: of the connection, or what the gateway says of
    /// it. What stands before the last address of `X-Forwarded-For`, anybody may have written.
    pub fn from_address(&self) -> Option<IpAddr> {
        let forwarded = || self.header("x-forwarded-for")?.rsplit(',').next()?.trim().parse().ok();
        self.carried.peer.or_else(forwarded)
    }

    /// The idempotency keys of the request, for what keeps them itself: of the header, and of the
    /// parameter, which may be two.
    ///
    /// # Errors
    /// Names `idempotency_key`.
    pub fn idempotency_keys(&self) -> Result<Vec<String>> {
        self.carried.idempotency_keys()
    }

    pub(crate) fn carried(&self) -> &Carried {
        &self.carried
    }
}

impl Carried {
    /// The request that the edge read before the handler's extractors look at it.
    pub(crate) fn of(parts: &Parts) -> Result<Arc<Self>> {
        let carried = parts.extensions.get::<Arc<Self>>().cloned();
        carried.ok_or_else(|| ApiError(ops::Error::new(ops::Code::Internal, "internal error")))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// A parameter that the edge reads itself.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>> {
        Ok(Fields::from(&self.content.params).parameter_of(name).text()?)
    }

    /// The key under which the caller may repeat the request.
    pub(crate) fn idempotency_key(&self) -> Result<Option<String>> {
        let key = match self.header("idempotency-key") {
            Some(key) => Some(key.to_owned()),
            None => self.text(IDEMPOTENCY_KEY)?,
        };
        match key {
            Some(key) if key.len() > MAX_IDEMPOTENCY_KEY => {
                let message = "idempotency_key may have at most 255 characters";
                Err(ops::Error::invalid(IDEMPOTENCY_KEY, message).into())
            }
            key => Ok(key),
        }
    }

    /// The idempotency keys of the header and of the parameter: a caller who has one of its own
    /// may be called by somebody who has another.
    fn idempotency_keys(&self) -> Result<Vec<String>> {
        let header = self.idempotency_key()?;
        let parameter = self.text(IDEMPOTENCY_KEY)?.filter(|key| Some(key) != header.as_ref());
        match parameter.as_ref().is_some_and(|key| key.len() > MAX_IDEMPOTENCY_KEY) {
            true => {
                let message = "idempotency_key may have at most 255 characters";
                Err(ops::Error::invalid(IDEMPOTENCY_KEY, message).into())
            }
            false => Ok(header.into_iter().chain(parameter).filter(|key| !key.trim().is_empty()).collect()),
        }
    }

    /// A digest of what is asked for, without who asks.
    pub(crate) fn fingerprint(&self) -> String {
        let is_edge = |name: &str| {
            name == IDEMPOTENCY_KEY || Dialect::ALL.iter().any(|d| d.key_parameter() == Some(name))
        };
        let mut text = String::new();
        for (name, value) in &self.path {
            text.push_str(&format!("{}={};", Value::from(name.as_str()), Value::from(value.as_str())));
        }
        let asked = self.content.params.iter().filter(|(name, _)| !is_edge(name));
        let asked: Map<String, Value> = asked.map(|(name, value)| (name.clone(), value.clone())).collect();
        canonical(&Value::Object(asked), &mut text);
        for file in &self.content.files {
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

impl<S: Sync, R> FromRequestParts<S> for Input<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, ApiError> {
        Ok(Self { carried: Carried::of(parts)?, asks: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use ops::RateClass;
    use serde_json::json;

    use super::*;

    fn input(params: &str, header: Option<&'static str>) -> Carried {
        let spec = Spec {
            path: "/x",
            dialect: Dialect::SendApp,
            class: RateClass::Normal,
            max_body: 0,
            raw: false,
            header_key: false,
        };
        let mut headers = HeaderMap::new();
        if let Some(key) = header {
            headers.insert("idempotency-key", key.parse().unwrap());
        }
        let content =
            BodyAndQuery { params: serde_json::from_str(params).unwrap(), ..BodyAndQuery::default() };
        Carried { spec, content, path: Vec::new(), headers, peer: None }
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
