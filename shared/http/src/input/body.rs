//! Bodies, in each form that real clients send.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use domain::text::mend_surrogates;
use futures::stream;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use ops::Code;
use serde_json::{Map, Value};

use super::Upload;
use super::form::Form;
use crate::spec::Spec;
use crate::{ApiError, Result};

/// A body that is too large is read to here before it is refused: clients that
/// are cut off while they send never see the answer.
const DRAIN: usize = 32 * 1024 * 1024;

/// What a request carries, other than headers and path.
#[derive(Default)]
pub(crate) struct BodyAndQuery {
    pub(crate) params: Map<String, Value>,
    pub(crate) files: Vec<Upload>,
    pub(crate) raw: Bytes,
}

/// Parameters and files.
type Parsed = (Map<String, Value>, Vec<Upload>);

/// Reads a body and the query below it.
pub(crate) async fn read(
    headers: &HeaderMap,
    query: Option<&str>,
    body: Body,
    spec: Spec,
) -> Result<BodyAndQuery> {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    if spec.raw {
        // Whoever posts anything may also have any query.
        let params = query.unwrap_or_default().into_map();
        let (raw, _) = collect(body, spec.max_body.saturating_add(1)).await?;
        return Ok(BodyAndQuery { params, raw, ..BodyAndQuery::default() });
    }
    let (bytes, size) = collect(body, spec.max_body).await?;
    if size > spec.max_body {
        let message = format!("the body may have at most {} bytes", spec.max_body);
        return Err(ops::Error::new(Code::TooLarge, message).into());
    }
    let query = query.ok_or_else(|| ApiError::malformed("the query is not valid UTF-8"))?;
    let (body, files) = parse(content_type(headers).as_str(), bytes).await?;
    let mut params = query.into_map();
    params.extend(body.into_iter().filter(|(_, value)| !value.is_null()));
    Ok(BodyAndQuery { params, files, raw: Bytes::new() })
}

/// The first `limit` bytes of a body, and how many it has or, when it is by far too
/// large, how many were seen.
async fn collect(mut body: Body, limit: usize) -> Result<(Bytes, usize)> {
    let (mut bytes, mut seen) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::malformed("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        let room = limit.saturating_sub(bytes.len()).min(data.len());
        bytes.extend_from_slice(&data[..room]);
        if seen > limit.max(DRAIN) {
            break;
        }
    }
    Ok((bytes.into(), seen))
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    value.unwrap_or_default().trim().to_owned()
}

async fn parse(content_type: &str, bytes: Bytes) -> Result<Parsed> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&bytes).trim_ascii();
    if text.is_empty() {
        return Ok(Parsed::default());
    }
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => match json(text) {
            // What `curl -d '{...}'` sends when nobody says what it is.
            Ok(object) if text.starts_with(b"{") => Ok((object, Vec::new())),
            Ok(_) | Err(_) => {
                let form = Form::parse(text);
                let form = form.ok_or_else(|| ApiError::malformed("the form is not valid UTF-8"))?;
                Ok((form.into_map(), Vec::new()))
            }
        },
        "multipart/form-data" => multipart(content_type, bytes).await,
        // What a browser's fetch() sends when nobody says what it is.
        "" | "text/plain" => Ok((json(text)?, Vec::new())),
        json_type if json_type == "application/json" || json_type.ends_with("+json") => {
            Ok((json(text)?, Vec::new()))
        }
        _ => Err(ApiError::malformed(
            "the content type must be application/json, application/x-www-form-urlencoded or multipart/form-data",
        )),
    }
}

fn json(text: &[u8]) -> Result<Map<String, Value>> {
    match serde_json::from_slice(&mend_surrogates(text)) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::malformed("the body must be a JSON object")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(ApiError::malformed(format!("the body is not valid JSON: see line {line}, column {column}")))
        }
    }
}

async fn multipart(content_type: &str, bytes: Bytes) -> Result<Parsed> {
    let wrong = |_| ApiError::malformed("the body is not valid multipart/form-data");
    let boundary = multer::parse_boundary(content_type).map_err(wrong)?;
    let body = stream::iter([Ok::<_, Infallible>(bytes)]);
    let mut parts = multer::Multipart::new(body, boundary);
    let (mut form, mut files) = (Form::default(), Vec::new());
    while let Some(part) = parts.next_field().await.map_err(wrong)? {
        let Some(field) = part.name().map(str::to_owned) else {
            return Err(ApiError::malformed("a part of the body has no name"));
        };
        let file_name = part.file_name().map(str::to_owned);
        let content_type = part.content_type().map(|mime| mime.essence_str().to_owned());
        let bytes = part.bytes().await.map_err(wrong)?;
        match file_name {
            Some(name) => files.push(Upload { field, name, content_type, bytes }),
            None => {
                let text = String::from_utf8(bytes.into());
                let text = text.map_err(|_| ApiError::malformed(format!("{field} is not valid UTF-8")))?;
                let inserted = form.insert(&field, text);
                inserted.ok_or_else(|| ApiError::malformed(format!("{field} is nested too deeply")))?;
            }
        }
    }
    Ok((form.into_map(), files))
}

#[cfg(test)]
mod tests {
    use ops::RateClass;
    use serde_json::json;

    use super::*;
    use crate::Dialect;

    async fn read_as(content_type: &str, query: &str, body: impl Into<Body>) -> Result<Parsed> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        let content = read(&headers, Some(query), body.into(), spec(false)).await?;
        Ok((content.params, content.files))
    }

    fn spec(raw: bool) -> Spec {
        Spec {
            path: "/x",
            dialect: Dialect::SendApp,
            class: RateClass::Normal,
            max_body: 1_000,
            raw,
            header_key: false,
        }
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";

    #[tokio::test]
    async fn every_form_of_body_gives_the_same_parameters() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
        for (content_type, query, body) in [
            (JSON, "", r#"{"a": "1"}"#),
            ("application/vnd.api+json", "", r#"{"a": "1", "b": null}"#),
            ("", "", r#"{"a": "1"}"#),
            ("text/plain;charset=UTF-8", "", "\u{feff}{\"a\": \"1\"}"),
            (FORM, "", r#"{"a": "1"}"#),
            (FORM, "", "a=1"),
            (FORM, "a=2", "a=1"),
            (JSON, "a=1", r#"{"a": null}"#),
            (JSON, "a=1", ""),
            ("", "a=1", ""),
            ("multipart/form-data; boundary=x", "", multipart),
        ] {
            let (params, _) = read_as(content_type, query, body).await.unwrap();
            assert_eq!(Value::Object(params), json!({"a": "1"}), "{content_type} {query} {body}");
        }
    }

    #[tokio::test]
    async fn bodies_that_are_not_what_they_say_are_malformed() {
        let deep = "[".repeat(300);
        for (content_type, body) in [
            (JSON, b"{".as_slice()),
            (JSON, b"[1]"),
            (JSON, b"\"x\""),
            (JSON, b"a=1"),
            (JSON, b"{\"a\": \"\xff\"}"),
            (JSON, deep.as_bytes()),
            (FORM, b"a=%ff"),
            ("", b"a=1"),
            ("text/xml", b"<a/>"),
            ("multipart/form-data", b"--x"),
            ("multipart/form-data; boundary=x", b"a=1"),
        ] {
            let error = read_as(content_type, "", body.to_vec()).await.unwrap_err();
            assert_eq!(error.code(), Code::MalformedBody, "{content_type}");
        }
    }

    #[tokio::test]
    async fn files_come_with_name_and_type() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\
                    Content-Type: image/jpeg\r\n\r\nJPEG\r\n\
                    --x\r\nContent-Disposition: form-data; name=\"m[k]\"\r\n\r\nv\r\n--x--\r\n";
        let (params, files) = read_as("multipart/form-data; boundary=x", "", body).await.unwrap();
        assert_eq!(Value::Object(params), json!({"m": {"k": "v"}}));
        assert_eq!(files[0].name, "a.jpg");
        assert_eq!(
            (files[0].content_type.as_deref(), &files[0].bytes[..]),
            (Some("image/jpeg"), b"JPEG".as_slice())
        );
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_names_the_limit() {
        let error = read_as(JSON, "", vec![b' '; 1_001]).await.unwrap_err();
        assert_eq!(error.code(), Code::TooLarge);
        assert!(error.0.message.contains("1000"));
    }

    #[tokio::test]
    async fn a_raw_body_comes_as_it_is_and_never_without_an_answer() {
        let all = vec![b'{'; 2_000];
        for (size, want) in [(0, 0), (999, 999), (1_000, 1_000), (1_001, 1_001), (2_000, 1_001)] {
            let body = Body::from(all[..size].to_vec());
            let content = read(&HeaderMap::new(), Some("source=a&b=%ff"), body, spec(true)).await.unwrap();
            assert_eq!((content.raw.len(), content.params.len()), (want, 0), "{size}");
        }
        let content = read(&HeaderMap::new(), Some("source=a"), Body::empty(), spec(true)).await.unwrap();
        assert_eq!(content.params["source"], "a");
    }
}
