//! Opt-outs, by hash of the address, so that they survive the contact.
//!
//! One lives in `SUPPRESS#<t>#<first digit of the hash>` under the hash. The
//! address itself is not kept: the item has its mask, and the contact that
//! carried it at that time.

use std::collections::HashSet;

use domain::message::Address;
use domain::{ContactId, TenantId};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, number, read, text};
use crate::outbox::{Note, Written};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store, sha256_hex};

const KIND: &str = "opt-out";
/// The first digits of hashes.
const DIGITS: &str = "0123456789abcdef";
/// Tries against concurrent writers.
const TRIES: u32 = 10;
/// Partitions that are read at once.
const CONCURRENCY: usize = 4;

/// How an opt-out came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutSource {
    /// The recipient wrote one of the opt-out words.
    Keyword,
    /// Meta's `user_preferences` webhook.
    Preference,
    /// Meta's error 131050.
    Provider,
    /// The tenant said so.
    Owner,
}

impl OptOutSource {
    const ALL: [Self; 4] = [Self::Keyword, Self::Preference, Self::Provider, Self::Owner];

    /// As lists print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Preference => "user_preferences",
            Self::Provider => "131050",
            Self::Owner => "api",
        }
    }

    /// Reads what [`OptOutSource::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// An opt-out that is about to be written down.
#[derive(Debug, Clone, Copy)]
pub struct NewOptOut<'a> {
    /// How it came about.
    pub source: OptOutSource,
    /// The contact that carries the address.
    pub contact: Option<ContactId>,
    /// Why, in the tenant's words.
    pub reason: Option<&'a str>,
    /// When it was said, in milliseconds since 1970.
    pub said_ms: i64,
}

/// An opt-out as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct OptOut {
    /// The hash of the address.
    pub id: String,
    /// The masked address.
    pub address: String,
    /// The contact that carried the address when it opted out.
    pub contact: Option<ContactId>,
    /// How it came about.
    pub source: OptOutSource,
    /// Why, in the tenant's words.
    pub reason: Option<String>,
    /// Since when.
    pub at: Timestamp,
    /// When it was last said, in milliseconds since 1970.
    pub said_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct OptOutItem {
    sk: String,
    to: String,
    contact: Option<u64>,
    source: String,
    reason: Option<String>,
    at: i64,
    /// When it was last said, in seconds since 1970, which is what Meta counts in: an
    /// older word does not lift it, however late it comes.
    said: Option<i64>,
}

/// The id of an address's opt-out: its hash, salted with the tenant. All spellings of a
/// number have one.
fn suppression_id(tenant: &TenantId, address: &Address) -> String {
    match address {
        Address::Phone(phone) => hash(tenant, phone.key().as_str()),
        Address::Bsuid(_) | Address::Custom(_) => hash(tenant, address.as_str()),
    }
}

/// Every id under which an opt-out of the address may stand, the one of today first. Before
/// 2026-11 each spelling of a number had its own, and a hash does not tell which number it is
/// of: those of Brazil, Mexico and Argentina are looked up under all of theirs.
pub fn suppression_ids(tenant: &TenantId, address: &Address) -> Vec<String> {
    let spellings = match address {
        Address::Phone(phone) => phone.key().older_spellings(),
        Address::Bsuid(_) | Address::Custom(_) => Vec::new(),
    };
    let older = spellings.iter().map(|spelling| hash(tenant, spelling));
    std::iter::once(suppression_id(tenant, address)).chain(older).collect()
}

fn hash(tenant: &TenantId, address: &str) -> String {
    sha256_hex(format!("{tenant}|{address}"))
}

/// Whether a text can be the id of an opt-out.
pub fn is_suppression_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| DIGITS.as_bytes().contains(&b))
}

fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1_000)
}

fn pk(tenant: &TenantId, digit: &str) -> String {
    Kind::Suppression.pk(format_args!("{tenant}#{digit}"))
}

/// Where an opt-out of the address may stand.
/// That nobody opted out under an id.
pub(crate) fn check_absent(tenant: &TenantId, id: &str) -> Action {
    Action::Check(key(tenant, id), vec![When::Absent("pk")])
}

pub(crate) fn keys(tenant: &TenantId, address: &Address) -> Vec<Key> {
    suppression_ids(tenant, address).iter().map(|id| key(tenant, id)).collect()
}

fn key(tenant: &TenantId, id: &str) -> Key {
    Key::new(pk(tenant, id.get(..1).unwrap_or_default()), id)
}

fn from_item(item: Item) -> Result<OptOut> {
    let corrupt = || Error::Corrupt { kind: KIND };
    let item: OptOutItem = read(item, KIND)?;
    Ok(OptOut {
        id: item.sk,
        address: item.to,
        contact: item.contact.map(ContactId),
        source: OptOutSource::parse(&item.source).ok_or_else(corrupt)?,
        reason: item.reason,
        said_ms: item.said.map_or(item.at, |said| said * 1_000),
        at: Timestamp::from_millisecond(item.at).map_err(|_| corrupt())?,
    })
}

impl Store {
    /// Records that an address wants no more messages, with a note in the outbox; `None`
    /// when that is not new. One that opted out before keeps its first date and source,
    /// and remembers when it was last said.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer, [`Error::Conflict`]
    /// when it keeps changing under us.
    pub async fn opt_out(
        &self,
        tenant: &TenantId,
        address: &Address,
        new: NewOptOut<'_>,
        note: Note,
    ) -> Result<Option<Written>> {
        let key = key(tenant, &suppression_id(tenant, address));
        let item = OptOutItem {
            sk: key.sk.clone(),
            to: address.masked(),
            contact: new.contact.map(|c| c.0),
            source: new.source.as_str().to_owned(),
            reason: new.reason.map(str::to_owned),
            at: self.clock().now_ms(),
            said: Some(seconds(new.said_ms)),
        };
        let item = compose(&key, KIND, &item)?;
        for attempt in 0..TRIES {
            let created = match note.is_empty() {
                false => {
                    let put = Action::Put(item.clone(), vec![When::Absent("pk")]);
                    self.transact([put].into_iter().chain(note.actions()?).collect()).await
                }
                true => self.create(item.clone()).await,
            };
            match created {
                Ok(()) => return Ok(Some(note.written())),
                Err(Error::Conflict) if self.remembers(&key, seconds(new.said_ms)).await? => {
                    return Ok(None);
                }
                // What stood there was lifted at this moment.
                Err(Error::Conflict | Error::Contended) => self.back_off(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Lets the opt-out that is there remember that it was said again; answers whether
    /// it is, and does.
    async fn remembers(&self, key: &Key, said: i64) -> Result<bool> {
        let later = Update::of(key.clone()).set("said", n(said)).when(When::Exists);
        match self.update(later.when(When::AbsentOrAtMost("said", n(said)))).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict) => {
                let found = self.get_item(key).await?;
                Ok(found.is_some_and(|item| number(&item, "said").is_some_and(|known: i64| known >= said)))
            }
            Err(error) => Err(error),
        }
    }

    /// Records that whoever has this opt-out wants messages again, with a note in the
    /// outbox; `None` when there was none. What was said at `said_ms` lifts nothing that
    /// was said later.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn opt_in(
        &self,
        tenant: &TenantId,
        id: &str,
        said_ms: i64,
        note: Note,
    ) -> Result<Option<Written>> {
        let not_later = When::AbsentOrAtMost("said", n(seconds(said_ms)));
        let delete = Action::Delete(key(tenant, id), vec![When::Exists, not_later]);
        match self.transact([delete].into_iter().chain(note.actions()?).collect()).await {
            Ok(()) => Ok(Some(note.written())),
            Err(Error::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Which of these addresses opted out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn opted_out(&self, tenant: &TenantId, addresses: &[Address]) -> Result<HashSet<Address>> {
        let ids: HashSet<String> = addresses.iter().flat_map(|a| suppression_ids(tenant, a)).collect();
        let items = self.get_many(ids.iter().map(|id| key(tenant, id)).collect()).await?;
        let found: HashSet<String> = items.iter().filter_map(|item| text(item, "sk")).collect();
        let is_out =
            |address: &&Address| suppression_ids(tenant, address).iter().any(|id| found.contains(id));
        Ok(addresses.iter().filter(is_out).cloned().collect())
    }

    /// The opt-outs with these ids, as far as there are any, in ascending order of id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn opt_outs_of(&self, tenant: &TenantId, ids: &HashSet<String>) -> Result<Vec<OptOut>> {
        let items = self.get_many(ids.iter().map(|id| key(tenant, id)).collect()).await?;
        let mut found: Vec<OptOut> = items.into_iter().map(from_item).collect::<Result<_>>()?;
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Opt-outs in ascending order of id, at most `limit`, from the one after `after`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn opt_outs(
        &self,
        tenant: &TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<OptOut>> {
        let from = after.and_then(|id| id.get(..1)).unwrap_or_default();
        let digits = DIGITS.chars().map(String::from).filter(|digit| digit.as_str() >= from);
        let queries = digits.map(|digit| {
            let after = after.filter(|_| digit == from).map(str::to_owned);
            Query { pk: pk(tenant, &digit), after, limit: Some(limit), ..Query::default() }
        });
        let queries: Vec<Query> = queries.collect();
        let mut pages =
            stream::iter(queries).map(|q| async move { self.query(&q).await }).buffered(CONCURRENCY);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let left = limit - found.len();
            let page = page?.into_iter().take(left).map(from_item);
            found.extend(page.collect::<Result<Vec<_>>>()?);
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }
}
