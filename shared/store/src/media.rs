//! Uploaded files and the ids they have at the provider.

use domain::TenantId;
use domain::sender::SenderId;
use serde::{Deserialize, Serialize};

use crate::item::{Key, compose, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// How long a file is kept at least, in seconds: 90 days, from its last use.
const KEEP_S: i64 = 90 * 86_400;
/// How long an id of the provider is used, in milliseconds: Meta keeps uploads
/// for 30 days.
const PROVIDER_ID_MS: i64 = 29 * 86_400_000;

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Whose it is.
    pub tenant: TenantId,
    /// 128 random bits in hexadecimal: the public URL cannot be guessed.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its MIME type.
    pub mime: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it can be used.
    pub state: FileState,
}

/// How far an upload came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Its content was checked.
    #[default]
    Ready,
    /// It was announced; its content has not come, or has not been checked.
    Announced,
    /// Its content was not what was announced, and is in quarantine.
    Rejected,
}

impl FileState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Announced => "announced",
            Self::Rejected => "rejected",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct FileItem {
    tenant: String,
    id: String,
    name: String,
    mime: String,
    size: u64,
    #[serde(default)]
    state: FileState,
    ttl: i64,
}

/// Public: the URL carries no tenant, and its id is the secret.
fn key(id: &str) -> Key {
    Key::new(Kind::File.pk(id), "-")
}

fn provider_key(tenant: &TenantId, sender: &SenderId, id: &str) -> Key {
    Key::new(Kind::MediaId.pk(format_args!("{tenant}#{sender}")), id)
}

impl Store {
    /// Writes down an uploaded file.
    ///
    /// # Errors
    /// [`Error::Conflict`] when its id exists.
    pub async fn create_file(&self, file: &File) -> Result<()> {
        let item = FileItem {
            tenant: file.tenant.to_string(),
            id: file.id.clone(),
            name: file.name.clone(),
            mime: file.mime.clone(),
            size: file.size,
            state: file.state,
            ttl: self.clock().now().as_second() + KEEP_S,
        };
        self.create(compose(&key(&file.id), "file", &item)?).await
    }

    /// Finds an uploaded file by its public id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn file(&self, id: &str) -> Result<Option<File>> {
        let Some(item) = self.get::<FileItem>(&key(id), "file").await? else { return Ok(None) };
        let tenant = item.tenant.parse().map_err(|_| Error::Corrupt { kind: "file" })?;
        let FileItem { id, name, mime, size, state, .. } = item;
        Ok(Some(File { tenant, id, name, mime, size, state }))
    }

    /// Writes down what the content of an announced file turned out to be.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was written down before.
    pub async fn settle_file(&self, id: &str, state: FileState) -> Result<()> {
        let announced = When::Is("state", s(FileState::Announced.as_str()));
        self.update(Update::of(key(id)).set("state", s(state.as_str())).when(announced)).await
    }

    /// Keeps a file for another 90 days: a campaign uses it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn keep_file(&self, id: &str) -> Result<()> {
        let ttl = self.clock().now().as_second() + KEEP_S;
        self.update(Update::of(key(id)).set("ttl", n(ttl))).await
    }

    /// The id under which a sender's channel has a file.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn provider_media_id(
        &self,
        tenant: &TenantId,
        sender: &SenderId,
        id: &str,
    ) -> Result<Option<String>> {
        let item = self.get_item(&provider_key(tenant, sender, id)).await?.unwrap_or_default();
        let fresh = number::<i64>(&item, "at").is_some_and(|at| at + PROVIDER_ID_MS > self.clock().now_ms());
        Ok(text(&item, "provider").filter(|_| fresh))
    }

    /// Keeps the id under which a sender's channel has a file.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn keep_provider_media_id(
        &self,
        tenant: &TenantId,
        sender: &SenderId,
        id: &str,
        provider_id: &str,
    ) -> Result<()> {
        #[derive(Serialize)]
        struct IdItem<'a> {
            provider: &'a str,
            at: i64,
            ttl: i64,
        }
        let now = self.clock().now();
        let item =
            IdItem { provider: provider_id, at: now.as_millisecond(), ttl: now.as_second() + 30 * 86_400 };
        self.put(compose(&provider_key(tenant, sender, id), "provider media", &item)?).await
    }
}
