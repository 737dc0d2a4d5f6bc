//! Uploaded files and their stable public URLs.

use crate::error::of_provider;
use bodies::unavailable;
use std::time::Duration;

use bodies::Bodies;
use bytes::Bytes;
use channels::Channel;
use domain::channel::Media;
use domain::media::{MAX_UPLOAD, MediaKind, check_announced, check_content, check_upload, sniff};
use domain::message::MediaSource;
use domain::{Invalid, TenantId};
use environment::Env;
use media::{Bucket, Destination, ExpectedUpload, Presigned};
use outbound::{AllowList, Policy, Target};
use store::Store;
use store::media::{File, FileState};

use crate::routes::Route;
use ops::{Code, Error, Result};

/// How long a presigned upload may begin.
const UPLOAD_VALID: Duration = Duration::from_secs(15 * 60);
/// How long the address of a file can be read from: long enough to follow a redirect.
const READ_VALID: Duration = Duration::from_secs(5 * 60);
/// The bytes by which an upload is checked.
const CHECKED_BYTES: u64 = 64 * 1024;

/// A file that was announced, and how its content gets into the bucket.
#[derive(Debug, Clone)]
pub struct Announced {
    /// Its public URL, once its content was checked.
    pub url: String,
    /// The request that uploads it.
    pub upload: Presigned,
    /// How long that request may be made.
    pub valid: Duration,
}

/// A file as a sender names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRef {
    /// By an address, ours or another's.
    Link(String),
    /// By the id that the provider gave it.
    Provider(String),
}

impl FileRef {
    /// An address of it; that of a provider's file leads nowhere, and is not sent.
    pub fn link(&self) -> String {
        match self {
            Self::Link(url) => url.clone(),
            Self::Provider(id) => format!("https://graph.facebook.com/{id}"),
        }
    }
}

impl From<FileRef> for MediaSource {
    fn from(file: FileRef) -> Self {
        match file {
            FileRef::Link(url) => Self::Link(url),
            FileRef::Provider(id) => Self::Id(id),
        }
    }
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Names it in sends.
    pub id: String,
    /// Its public URL.
    pub url: String,
    /// Its name.
    pub name: String,
    /// What kind of file it is; `None` is one that no message takes.
    pub kind: Option<MediaKind>,
}

/// Where files are, and under which URL the world sees them.
#[derive(Debug, Clone)]
pub struct Files {
    bucket: Bucket,
    base_url: String,
    /// What links of users may look like.
    links: Policy,
}

impl Files {
    /// Files of a bucket, served below `base_url`.
    pub fn new(bucket: Bucket, base_url: impl Into<String>) -> Self {
        let base_url = base_url.into().trim_end_matches('/').to_owned();
        Self { bucket, base_url, links: Policy::default() }
    }

    /// With links of users that may look so.
    #[must_use]
    pub fn linking(self, links: Policy) -> Self {
        Self { links, ..self }
    }

    /// Where they are.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Those of a function: `MEDIA_BUCKET`, `BASE_URL`, `OUTBOUND_ALLOW`.
    ///
    /// # Errors
    /// When a setting is missing, or an entry of the last one is none.
    pub fn of(env: &Env) -> std::result::Result<Self, environment::Error> {
        let files = Self::new(Bucket::of(env)?, env.required("BASE_URL")?);
        Ok(files.linking(Policy::fetches(AllowList::of(env)?)))
    }

    /// The texts that are too long for a queue, in the same bucket.
    pub fn bodies(&self) -> Bodies {
        Bodies::new(self.bucket.clone())
    }

    /// Stores an upload. The file is stored before it is
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
    ) -> Result<Uploaded> {
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
        let file = File {
            tenant: tenant.clone(),
            id: new_id(store),
            name: safe_name(name),
            mime: checked.mime.to_owned(),
            size: bytes.len() as u64,
            state: FileState::Ready,
        };
        self.bucket.put(&file.id, checked.mime, bytes).await.map_err(unavailable)?;
        store.create_file(&file).await?;
        Ok(self.uploaded(file))
    }

    fn uploaded(&self, file: File) -> Uploaded {
        let (url, kind) = (self.url(&file), MediaKind::of_mime(&file.mime));
        Uploaded { id: file.id, url, name: file.name, kind }
    }

    /// An upload of the tenant's by its id; `None` for an id that is not of our making, which
    /// may be the provider's.
    ///
    /// # Errors
    /// Names `media_id` when it leads to no file of the tenant's.
    pub async fn by_id(&self, store: &Store, tenant: &TenantId, id: &str) -> Result<Option<Uploaded>> {
        if !is_own_id(id) {
            return Ok(None);
        }
        let file = store.file(id).await?.filter(|file| file.tenant == *tenant);
        let file = file.ok_or_else(|| Error::invalid("media_id", "media_id leads to no file of yours"))?;
        Ok(Some(self.uploaded(file)))
    }

    /// Announces a file that its owner uploads to the bucket: by a `PUT` that takes
    /// just this size and type.
    ///
    /// # Errors
    /// [`Code::InvalidField`] for a type that WhatsApp does not take, or a size
    /// above what it takes of the type.
    pub async fn announce(
        &self,
        store: &Store,
        tenant: &TenantId,
        name: &str,
        content_type: &str,
        size: u64,
    ) -> Result<Announced> {
        let checked = check_announced(name, content_type, size)?;
        let file = File {
            tenant: tenant.clone(),
            id: new_id(store),
            name: safe_name(name),
            mime: checked.mime.to_owned(),
            size,
            state: FileState::Announced,
        };
        let upload = ExpectedUpload { id: &file.id, mime: checked.mime, size };
        let upload = self.bucket.presign_upload(upload, UPLOAD_VALID).await.map_err(unavailable)?;
        store.create_file(&file).await?;
        Ok(Announced { url: self.url(&file), upload, valid: UPLOAD_VALID })
    }

    /// Checks what was uploaded under an id that was announced: what is right is
    /// served from now on, what is not goes into quarantine. Of two who check the
    /// same upload, one settles it.
    ///
    /// # Errors
    /// [`Code::NotFound`] when nothing was announced under the id, or nothing came;
    /// [`Code::Unavailable`]: try again.
    pub async fn settle_upload(&self, store: &Store, id: &str) -> Result<FileState> {
        let unknown = || Error::not_found("id", "nothing was announced under the id of the upload");
        let file = store.file(id).await?.ok_or_else(unknown)?;
        if file.state != FileState::Announced {
            // What comes after the check is never looked at, nor served.
            self.bucket.drop_upload(id).await.map_err(unavailable)?;
            return Ok(file.state);
        }
        let gone = || Error::not_found("id", "the upload is gone");
        let start =
            self.bucket.start_of_upload(id, CHECKED_BYTES).await.map_err(unavailable)?.ok_or_else(gone)?;
        let checked = check_content(&file.name, Some(&file.mime), &start.bytes, start.size);
        let (place, state) = match checked {
            Ok(_) if start.size == file.size => (Destination::Files, FileState::Ready),
            Ok(_) | Err(_) => (Destination::Quarantine, FileState::Rejected),
        };
        self.bucket.move_upload(id, &start.etag, &file.mime, place).await.map_err(unavailable)?;
        match store.settle_file(id, state).await {
            Ok(()) | Err(store::Error::Conflict) => Ok(state),
            Err(error) => Err(error.into()),
        }
    }

    /// Where a file can be read for a short while, by its public id.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none, or its content was not checked yet.
    pub async fn read_url(&self, store: &Store, id: &str) -> Result<String> {
        let file = self.ready(store, id).await?;
        let disposition = format!("{}; filename=\"{}\"", disposition(&file.mime), file.name);
        self.bucket.presign_get(id, &file.mime, &disposition, READ_VALID).await.map_err(unavailable)
    }

    async fn ready(&self, store: &Store, id: &str) -> Result<File> {
        let file = store.file(id).await?.filter(|file| file.state == FileState::Ready);
        file.ok_or_else(|| Error::not_found("id", "there is no such file"))
    }

    async fn read(&self, store: &Store, id: &str) -> Result<(File, Bytes)> {
        let file = self.ready(store, id).await?;
        let bytes = self.bucket.get(id).await.map_err(unavailable)?;
        Ok((file, bytes.ok_or_else(|| Error::not_found("id", "there is no such file"))?))
    }

    fn url(&self, file: &File) -> String {
        format!("{}/media/{}/{}", self.base_url, file.id, file.name)
    }

    /// The id of one of our own URLs.
    fn own_id<'a>(&self, url: &'a str) -> Option<&'a str> {
        let rest = url.strip_prefix(&self.base_url)?.strip_prefix("/media/")?;
        rest.split('/').next().filter(|id| is_own_id(id))
    }

    /// Checks that a URL of ours leads to a file of the tenant's that fits `kind`.
    /// A foreign URL must be one that may be called; the provider fetches it.
    ///
    /// # Errors
    /// Names `media_url` or `media_type`.
    pub async fn check(&self, store: &Store, tenant: &TenantId, url: &str, kind: MediaKind) -> Result<()> {
        let Some(id) = self.own_id(url) else { return self.check_link(url) };
        let file = store.file(id).await?.filter(|f| f.tenant == *tenant);
        let file = file.ok_or_else(|| Error::invalid("media_url", "media_url leads to no file of yours"))?;
        match file.state {
            FileState::Ready => {}
            FileState::Announced => {
                return Err(Error::invalid("media_url", "the upload of media_url has not been checked yet"));
            }
            FileState::Rejected => {
                let message = "the upload of media_url was not what was announced";
                return Err(Error::invalid("media_url", message));
            }
        }
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

    fn check_link(&self, url: &str) -> Result<()> {
        let refused = |why| Error::invalid("media_url", format!("media_url {why}"));
        Target::parse(url, &self.links).map(|_| ()).map_err(refused)
    }

    /// What a message refers to: our own files by an id at a channel that takes uploads,
    /// to which they are uploaded once in 29 days; others by their URL.
    ///
    /// # Errors
    /// [`Code::InvalidField`] when a URL of ours leads nowhere; the provider's
    /// refusal of the upload.
    pub(crate) async fn source(
        &self,
        store: &Store,
        tenant: &TenantId,
        route: &Route,
        url: &str,
    ) -> Result<MediaSource> {
        let takes_uploads = route.channel.capabilities().media == Media::Uploads;
        let Some(id) = self.own_id(url).filter(|_| takes_uploads) else {
            return Ok(MediaSource::Link(url.to_owned()));
        };
        let sender = &route.sender.id;
        if let Some(known) = store.provider_media_id(tenant, sender, id).await? {
            return Ok(MediaSource::Id(known));
        }
        let (file, bytes) = self.read(store, id).await?;
        if file.tenant != *tenant {
            return Err(Error::invalid("media_url", "media_url leads to no file of yours"));
        }
        let uploaded = route
            .channel
            .upload(channels::MediaUpload { name: file.name, mime: file.mime, bytes })
            .await
            .map_err(of_provider)?;
        store.keep_provider_media_id(tenant, sender, id, &uploaded).await?;
        Ok(MediaSource::Id(uploaded))
    }
}

impl Files {
    /// A file of ours as the sample of a template's header.
    ///
    /// # Errors
    /// [`Code::InvalidField`] when the address leads to no file of the tenant's of that kind.
    pub(crate) async fn sample(
        &self,
        store: &Store,
        tenant: &TenantId,
        url: &str,
        kind: MediaKind,
    ) -> Result<channels::MediaUpload> {
        let wrong = |why: &str| Error::invalid("components", format!("components: header_handle {why}"));
        let Some(id) = self.own_id(url) else {
            return Err(wrong("must be a handle of Meta's, or the URL of an upload of yours"));
        };
        self.check(store, tenant, url, kind).await.map_err(|error| {
            if error.code == Code::InvalidField { wrong(&format!("{url}: {}", error.message)) } else { error }
        })?;
        let (file, bytes) = self.read(store, id).await?;
        Ok(channels::MediaUpload { name: file.name, mime: file.mime, bytes })
    }
}

fn is_own_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// 128 random bits: the public URL cannot be guessed.
fn new_id(store: &Store) -> String {
    store.entropy().bytes::<16>().iter().fold(String::new(), |id, b| format!("{id}{b:02x}"))
}

/// Documents are downloaded: what a browser would run never runs under our name.
fn disposition(mime: &str) -> &'static str {
    match MediaKind::of_mime(mime) {
        Some(MediaKind::Image | MediaKind::Video | MediaKind::Audio) => "inline",
        Some(MediaKind::Document) | None => "attachment",
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
