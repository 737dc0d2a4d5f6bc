//! Calls about media: `POST /{phone_number_id}/media`, reading, download addresses, deletion, and the
//! resumable uploads that template samples need.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    clock::mix,
    errors::GraphError,
    hash,
    ids::digits,
    state::{
        journal::Line,
        media::{MediaInfo, MediaKind},
        world::World,
    },
};

/// Meta: a download address lives 5 minutes.
pub(crate) const ADDRESS_LIFE_MS: u64 = 5 * 60 * 1_000;

/// The parts of an upload's form.
#[derive(Debug, Default)]
pub(crate) struct Form {
    messaging_product: Option<String>,
    kind: Option<String>,
    file: Option<(Option<String>, Bytes)>,
}

/// Reads the multipart form of an upload.
pub(crate) async fn read_form(boundary: String, body: axum::body::Body) -> Result<Form, GraphError> {
    let unreadable = |_| GraphError::parameter("The multipart form cannot be read.");
    let mut parts = multer::Multipart::new(body.into_data_stream(), boundary);
    let mut form = Form::default();
    while let Some(mut part) = parts.next_field().await.map_err(unreadable)? {
        match part.name().unwrap_or_default() {
            "messaging_product" => form.messaging_product = Some(part.text().await.map_err(unreadable)?),
            "type" => form.kind = Some(part.text().await.map_err(unreadable)?),
            "file" => {
                let declared = part.content_type().map(ToString::to_string);
                let mut bytes = BytesMut::new();
                while let Some(chunk) = part.chunk().await.map_err(unreadable)? {
                    bytes.extend_from_slice(&chunk);
                }
                form.file = Some((declared, bytes.freeze()));
            }
            _ => {}
        }
    }
    Ok(form)
}

/// `POST /{phone_number_id}/media`
pub(crate) fn upload(world: &mut World, form: Form) -> Result<Value, GraphError> {
    if form.messaging_product.as_deref() != Some("whatsapp") {
        return Err(GraphError::parameter("Param messaging_product must be one of {WHATSAPP}."));
    }
    let (declared, bytes) =
        form.file.ok_or_else(|| GraphError::parameter("The parameter file is required."))?;
    let mime_type = form.kind.filter(|kind| kind.contains('/')).or(declared);
    let mime_type = mime_type.ok_or_else(|| GraphError::parameter("The parameter type is required."))?;
    let kind = MediaKind::of_type(&mime_type).ok_or_else(|| {
        GraphError::parameter(format!(
            "Param file must be a file with one of the supported types, given: {mime_type}."
        ))
    })?;
    if bytes.is_empty() || bytes.len() > kind.size_most() {
        let most = kind.size_most();
        return Err(GraphError::new(
            131_053,
            format!("The file has {} bytes; at most {most} are allowed", bytes.len()),
        ));
    }
    let seq = world.next_seq();
    let id = digits(world.id_key, seq);
    let sha256 = STANDARD.encode(Sha256::digest(&bytes));
    let info = MediaInfo { seq, id: id.clone(), mime_type, sha256, size: bytes.len() };
    if let Err(error) = world.media.write(&id, bytes) {
        tracing::error!(%error, "an upload cannot be stored");
        return Err(GraphError::new(131_000, "The file cannot be stored"));
    }
    world.remember(&Line::Media(info.clone()));
    world.media.restore(info);
    Ok(json!({ "id": id }))
}

/// `DELETE /{media_id}`
pub(crate) fn delete(world: &mut World, id: &str) -> Result<Value, GraphError> {
    if !world.media.delete(id) {
        return Err(GraphError::unknown_object(id));
    }
    world.remember(&Line::MediaDeleted { id: id.to_owned() });
    Ok(json!({ "success": true }))
}

/// `GET /{media_id}`; `host` is where the caller reached the simulator.
pub(crate) fn node(world: &World, info: &MediaInfo, host: &str, now_ms: u64) -> Value {
    let expires = now_ms + ADDRESS_LIFE_MS;
    let proof = address_proof(world, &info.id, expires);
    json!({
        "url": format!("http://{host}/whatsapp_business/attachments/?mid={}&ext={expires}&hash={proof:016x}", info.id),
        "mime_type": info.mime_type,
        "sha256": info.sha256,
        "file_size": info.size,
        "id": info.id,
        "messaging_product": "whatsapp",
    })
}

/// The upload behind a download address, unless the address is forged or too old.
pub(crate) fn download(
    world: &World,
    query: &BTreeMap<String, String>,
    now_ms: u64,
) -> Option<(String, Bytes)> {
    let id = query.get("mid")?;
    let expires: u64 = query.get("ext")?.parse().ok()?;
    let proof = u64::from_str_radix(query.get("hash")?, 16).ok()?;
    if now_ms >= expires || proof != address_proof(world, id, expires) {
        return None;
    }
    let info = world.media.get(id)?;
    Some((info.mime_type.clone(), world.media.read(id)?))
}

fn address_proof(world: &World, id: &str, expires: u64) -> u64 {
    hash::of(&[&world.id_key.to_string(), id, &expires.to_string()])
}

/// `POST /{app_id}/uploads`: opens a resumable upload.
pub(crate) fn open_upload(world: &mut World, query: &BTreeMap<String, String>) -> Result<Value, GraphError> {
    let length = query.get("file_length").and_then(|length| length.parse().ok());
    let length = length.ok_or_else(|| GraphError::parameter("The parameter file_length is required."))?;
    if !query.contains_key("file_type") {
        return Err(GraphError::parameter("The parameter file_type is required."));
    }
    let seq = world.next_seq();
    let id = format!("upload:{:016x}", mix(world.id_key ^ seq));
    world.media.uploads.insert(id.clone(), length);
    Ok(json!({ "id": id }))
}

/// `POST /upload:...`: takes the bytes and answers with the handle of a sample.
pub(crate) fn finish_upload(world: &mut World, id: &str, received: usize) -> Result<Value, GraphError> {
    let expected = world.media.uploads.get(id).copied().ok_or_else(|| GraphError::unknown_object(id))?;
    if u64::try_from(received) != Ok(expected) {
        let problem = format!("The upload has {received} bytes of {expected}.");
        return Err(GraphError::parameter(problem));
    }
    world.media.uploads.remove(id);
    let handle = format!("4::{}:e:{}", STANDARD.encode(id), world.next_seq());
    Ok(json!({ "h": handle }))
}
