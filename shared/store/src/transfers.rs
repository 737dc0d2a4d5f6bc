//! Files of contacts that come in and go out: `IMPORT#<tenant>` and `EXPORT#<tenant>` under
//! their ids, which are in the order of time.
//!
//! A file is worked off in legs, each a job of its own. Whoever takes a leg gets the next
//! number: only the one who took it last can write anything down. `IMPORT#upload#<id>` is
//! the pointer from what was uploaded to the tenant that announced it.

use domain::TenantId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::item::{Item, Key, Query, compose, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// How long it is known what became of a file, in seconds.
const KEEP_S: i64 = 30 * 86_400;
/// How long an upload may be on its way, in seconds.
const POINTER_S: i64 = 2 * 86_400;

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Its rows become contacts.
    Import,
    /// Contacts become its rows.
    Export,
}

impl Way {
    const fn kind(self) -> Kind {
        match self {
            Self::Import => Kind::Import,
            Self::Export => Kind::Export,
        }
    }
}

/// Which file.
#[derive(Debug, Clone, Copy)]
pub struct TransferKey<'a> {
    /// Which way it goes.
    pub way: Way,
    /// The tenant.
    pub tenant: &'a TenantId,
    /// Its id.
    pub id: &'a str,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer<T> {
    /// Its id.
    pub id: String,
    /// The leg that it is in; 0 before the first.
    pub leg: u64,
    /// Counts those who took a leg.
    pub take: u64,
    /// Somebody asked to stop.
    pub is_stopped: bool,
    /// How far it is.
    pub state: T,
}

fn key(of: TransferKey<'_>) -> Key {
    Key::new(of.way.kind().pk(of.tenant), of.id)
}

fn pointer(upload: &str) -> Key {
    Key::new(Kind::Import.pk(format_args!("upload#{upload}")), "upload")
}

fn from_item<T: DeserializeOwned>(item: &Item) -> Result<Transfer<T>> {
    let corrupt = || Error::Corrupt { kind: "transfer" };
    let json = text(item, "state").ok_or_else(corrupt)?;
    Ok(Transfer {
        id: text(item, "sk").ok_or_else(corrupt)?,
        leg: number(item, "leg").unwrap_or(0),
        take: number(item, "take").unwrap_or(0),
        is_stopped: item.contains_key("stop"),
        state: serde_json::from_str(&json).map_err(|_| corrupt())?,
    })
}

fn json(state: &impl Serialize) -> Result<String> {
    serde_json::to_string(state).map_err(|_| Error::Corrupt { kind: "transfer" })
}

impl Store {
    /// Writes a new file down.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is one with this id.
    pub async fn create_transfer(&self, of: TransferKey<'_>, state: &impl Serialize) -> Result<()> {
        #[derive(Serialize)]
        struct TransferItem {
            state: String,
            leg: u64,
            take: u64,
            ttl: i64,
        }
        let ttl = self.clock().now().as_second() + KEEP_S;
        let item = TransferItem { state: json(state)?, leg: 0, take: 0, ttl };
        self.create(compose(&key(of), "transfer", &item)?).await
    }

    /// One file.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn transfer<T: DeserializeOwned>(&self, of: TransferKey<'_>) -> Result<Option<Transfer<T>>> {
        self.get_item(&key(of)).await?.as_ref().map(from_item).transpose()
    }

    /// The newest files, at most `limit`; those before `before`, when that is given.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn transfers<T: DeserializeOwned>(
        &self,
        way: Way,
        tenant: &TenantId,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Transfer<T>>> {
        let query = Query {
            pk: way.kind().pk(tenant),
            until: before.map(str::to_owned),
            // The one that the page before ended with is among them.
            limit: Some(limit + usize::from(before.is_some())),
            descending: true,
            ..Query::default()
        };
        let all = self.query(&query).await?.iter().map(from_item).collect::<Result<Vec<Transfer<T>>>>()?;
        Ok(all.into_iter().filter(|one| before != Some(one.id.as_str())).take(limit).collect())
    }

    /// Takes a leg: the one that the file is in, from whoever had it, or the next.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the file is beyond it.
    pub async fn take_transfer<T: DeserializeOwned>(
        &self,
        of: TransferKey<'_>,
        leg: u64,
    ) -> Result<Transfer<T>> {
        let update = Update::of(key(of))
            .set("leg", n(leg))
            .add("take", n(1))
            .when(When::AtMost("leg", n(leg)))
            .when(When::Exists);
        from_item(&self.update_returning(update).await?)
    }

    /// Writes down how far a file is; answers what is known of it now.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else took it.
    pub async fn save_transfer<T: Serialize + DeserializeOwned>(
        &self,
        of: TransferKey<'_>,
        take: u64,
        state: &T,
    ) -> Result<Transfer<T>> {
        let update = Update::of(key(of)).set("state", s(json(state)?)).when(When::Is("take", n(take)));
        from_item(&self.update_returning(update).await?)
    }

    /// Asks whoever works at a file to stop; answers what is known of it now.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is none.
    pub async fn stop_transfer<T: DeserializeOwned>(&self, of: TransferKey<'_>) -> Result<Transfer<T>> {
        let update = Update::of(key(of)).set("stop", n(1)).when(When::Exists);
        from_item(&self.update_returning(update).await?)
    }

    /// Remembers who announced an upload.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn expect_import(&self, tenant: &TenantId, upload: &str, id: &str) -> Result<()> {
        let ttl = self.clock().now().as_second() + POINTER_S;
        let update = Update::of(pointer(upload)).set("tenant", s(tenant.to_string())).set("id", s(id));
        self.update(update.set("ttl", n(ttl))).await
    }

    /// Who announced an upload to be imported, and under which id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn expected_import(&self, upload: &str) -> Result<Option<(TenantId, String)>> {
        let Some(item) = self.get_item(&pointer(upload)).await? else { return Ok(None) };
        let found = || Some((text(&item, "tenant")?.parse().ok()?, text(&item, "id")?));
        found().map(Some).ok_or(Error::Corrupt { kind: "upload" })
    }
}
