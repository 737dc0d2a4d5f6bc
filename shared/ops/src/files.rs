//! Uploaded files and their stable public URLs.

use bytes::Bytes;
use channels::cloud::Graph;
use domain::account::Number;
use domain::media::{MAX_UPLOAD, MediaKind, check_upload, sniff};
use domain::message::MediaSource;
use domain::{Invalid, TenantId};
use media::Bucket;
use store::Store;
use store::media::File;

use crate::{Code, Error, Result};

/// Where files are, and under which URL the world sees them.
#[derive(Debug, Clone)]
pub struct Files {
    bucket: Bucket,
    base_url: String,
}

impl Files {
    /// Files of a bucket, served below `base_url`.
    pub fn new(bucket: Bucket, base_url: impl Into<String>) -> Self {
        Self { bucket, base_url: base_url.into().trim_end_matches('/').to_owned() }
    }

    /// Stores an upload; answers its public URL. The file is stored before it is
    /// written down, so that a URL never leads nowhere.
    ///
    /// # Errors
    /// [`Code::TooLarge`] above 10 MB; [`Code::InvalidField`] for a type that
    /// WhatsApp does not take or that its content belies.
    pub async fn upload(
        &self,
        store: &Store,
        tenant: &TenantId,
        name: &str,
        claimed: Option<&str>,
        bytes: Bytes,
    ) -> Result<String> {
        if bytes.len() > MAX_UPLOAD {
            let message = format!("file may have at most {MAX_UPLOAD} bytes");
            return Err(Error { field: Some("file".to_owned()), ..Error::new(Code::TooLarge, message) });
        }
        let kind = sniff(&bytes).and_then(MediaKind::of_mime);
        if let Some(kind) = kind.filter(|kind| bytes.len() as u64 > kind.max_bytes()) {
            let message =
                format!("a file of type {} may have at most {} bytes", kind.as_str(), kind.max_bytes());
            return Err(Error { field: Some("file".to_owned()), ..Error::new(Code::TooLarge, message) });
        }
        let checked = check_upload(name, claimed, &bytes)?;
        let id = store.entropy().bytes::<16>().iter().fold(String::new(), |id, b| format!("{id}{b:02x}"));
        let size = bytes.len() as u64;
        self.bucket.put(&id, checked.mime, bytes).await?;
        let name = safe_name(name);
        let url = format!("{}/media/{id}/{name}", self.base_url);
        let file = File { tenant: tenant.clone(), id, name, mime: checked.mime.to_owned(), size };
        store.create_file(&file).await?;
        Ok(url)
    }

    /// Reads a file by its public id.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none.
    pub async fn read(&self, store: &Store, id: &str) -> Result<(File, Bytes)> {
        let unknown = || Error::not_found("id", "there is no such file");
        let file = store.file(id).await?.ok_or_else(unknown)?;
        let bytes = self.bucket.get(id).await?.ok_or_else(unknown)?;
        Ok((file, bytes))
    }

    /// The id of one of our own URLs.
    fn own_id<'a>(&self, url: &'a str) -> Option<&'a str> {
        let rest = url.strip_prefix(&self.base_url)?.strip_prefix("/media/")?;
        let id = rest.split('/').next()?;
        (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
    }

    /// Checks that a URL of ours leads to a file of the tenant's that fits `kind`.
    /// Foreign URLs are the provider's to fetch and to judge.
    ///
    /// # Errors
    /// Names `media_url` or `media_type`.
    pub async fn check(&self, store: &Store, tenant: &TenantId, url: &str, kind: MediaKind) -> Result<()> {
        let Some(id) = self.own_id(url) else { return Ok(()) };
        let file = store.file(id).await?.filter(|f| f.tenant == *tenant);
        let file = file.ok_or_else(|| Error::invalid("media_url", "media_url leads to no file of yours"))?;
        let found = MediaKind::of_mime(&file.mime);
        if found != Some(kind) {
            return Err(
                Invalid::new("media_type", format!("media_url is a file of type {}", file.mime)).into()
            );
        }
        if file.size > kind.max_bytes() {
            let message = format!("{} may have at most {} bytes", kind.as_str(), kind.max_bytes());
            return Err(Error::invalid("media_url", message));
        }
        store.keep_file(id).await?;
        Ok(())
    }

    /// What a message refers to: our own files by an id at the provider, to which
    /// they are uploaded once in 29 days; others by their URL.
    ///
    /// # Errors
    /// [`Code::InvalidField`] when a URL of ours leads nowhere; the provider's
    /// refusal of the upload.
    pub async fn source(
        &self,
        store: &Store,
        graph: &Graph,
        tenant: &TenantId,
        number: &Number,
        url: &str,
    ) -> Result<MediaSource> {
        let Some(id) = self.own_id(url) else { return Ok(MediaSource::Link(url.to_owned())) };
        if let Some(known) = store.provider_media_id(tenant, &number.phone_number_id, id).await? {
            return Ok(MediaSource::Id(known));
        }
        let (file, bytes) = self.read(store, id).await?;
        if file.tenant != *tenant {
            return Err(Error::invalid("media_url", "media_url leads to no file of yours"));
        }
        let uploaded = graph.upload(number, &file.name, &file.mime, bytes).await?;
        store.keep_provider_media_id(tenant, &number.phone_number_id, id, &uploaded).await?;
        Ok(MediaSource::Id(uploaded))
    }
}

/// The last part of a path, with nothing that a URL would have to escape.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .take(100)
        .collect();
    if safe.trim_matches(['.', '_']).is_empty() { "file".to_owned() } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        assert_eq!(safe_name("../../etc/foto estate.jpg"), "foto_estate.jpg");
        assert_eq!(safe_name("C:\\x\\è.png"), "_.png");
        assert_eq!(safe_name(".."), "file");
    }
}
