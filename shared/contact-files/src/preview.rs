//! What an import would do, without doing it.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use domain::Invalid;
use domain::TenantId;
use domain::contact::{Contact, NewContact};
use domain::identity::Identity;
use domain::merge::Warning;
use ops::contacts::{self, Previewed};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::options::{ImportCounts, ImportOptions};
use crate::reading::{Table, TableRecords, look_at};
use crate::row::{Rows, contact, is_blank};
use crate::source::Source;
use crate::{ContactFiles, Stopped};

/// Rows that are shown.
const SHOWN: usize = 20;
/// Rows that are looked up at once.
const BLOCK: usize = 2_000;
/// The rows that are shown have at most so many bytes of JSON.
const MAX_SHOWN: usize = 150_000;

/// What an import would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// How many rows would become what.
    pub counts: ImportCounts,
    /// Every row was counted.
    pub is_complete: bool,
    /// The first rows.
    pub rows: Vec<PreviewedRow>,
}

/// What would become of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewedRow {
    /// Its number, counted from 1, the header not counted.
    pub row: u64,
    /// `created`, `updated` or `failed`.
    pub outcome: String,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why it would fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why only a part of it would be applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// The contact as it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<PreviewedContact>,
}

/// A contact as it would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewedContact {
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    metadata: Map<String, Value>,
    opt_in: bool,
}

impl From<&Contact> for PreviewedContact {
    fn from(contact: &Contact) -> Self {
        let external = |identity: &Identity| match identity {
            Identity::External(id) => Some(id.clone()),
            Identity::Phone(_)
            | Identity::Email(_)
            | Identity::Bsuid(_)
            | Identity::Lid(_)
            | Identity::Custom { .. } => None,
        };
        Self {
            name: contact.name.clone(),
            phone: contact.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            email: contact.email.as_ref().map(|email| email.as_str().to_owned()),
            tags: contact.tags.clone(),
            external_id: contact.aliases.iter().find_map(external),
            metadata: contact.metadata.clone(),
            opt_in: contact.consent.opt_in.is_some(),
        }
    }
}

/// Looks at a file that is here, and at what its import would do.
///
/// # Errors
/// [`ops::Code::InvalidField`] names `file` when it is no table;
/// [`ops::Code::Unavailable`] when a store does not answer.
pub async fn preview(
    files: &ContactFiles,
    tenant: &TenantId,
    options: &ImportOptions,
    file_name: &str,
    bytes: Bytes,
    out_of_time: impl Fn() -> bool,
) -> ops::Result<(Table, Preview)> {
    let wrong = |stopped| match stopped {
        Stopped::Wrong(why) => ops::Error::invalid("file", why),
        Stopped::Failed(error) => error,
        Stopped::Replaced | Stopped::Cancelled => store::Error::Conflict.into(),
    };
    let source = Source::Memory(bytes);
    let reading = look_at(&source, options).await.map_err(wrong)?;
    let source = reading.converted.map_or(source, Source::Memory);
    let of = Previewing { files, tenant, options, file_name, table: &reading.table };
    let preview = of.run(source, out_of_time).await.map_err(wrong)?;
    Ok((reading.table, preview))
}

/// What an import that a worker has would do.
pub(crate) async fn of_import(
    files: &ContactFiles,
    tenant: &TenantId,
    (options, file_name): (&ImportOptions, &str),
    table: &Table,
    source: Source,
    out_of_time: impl Fn() -> bool,
) -> Result<Preview, Stopped> {
    let of = Previewing { files, tenant, options, file_name, table };
    of.run(source, out_of_time).await
}

struct Previewing<'a> {
    files: &'a ContactFiles,
    tenant: &'a TenantId,
    options: &'a ImportOptions,
    file_name: &'a str,
    table: &'a Table,
}

impl Previewing<'_> {
    async fn run(&self, source: Source, out_of_time: impl Fn() -> bool) -> Result<Preview, Stopped> {
        let store = &self.files.store;
        let plan = store.tenant(self.tenant).await?;
        let limit = plan.and_then(|tenant| tenant.plan.contacts).unwrap_or(u64::MAX);
        let room = limit.saturating_sub(store.contact_total(self.tenant).await?);
        let rows = Rows::new(&self.table.columns, self.options, self.file_name, store.clock().now());
        let mut records = TableRecords::new(source, self.table, self.table.start);
        records.skip(self.table).await?;
        let (mut preview, mut made, mut number, mut shown) = (Preview::default(), HashSet::new(), 0, 0);
        loop {
            let block = records.block(BLOCK).await?;
            if block.is_empty() {
                preview.is_complete = true;
                return Ok(preview);
            }
            let first = number + 1;
            number += block.len() as u64;
            let numbered = (first..).zip(&block).filter(|(_, row)| !is_blank(row));
            let read: Vec<(u64, Result<NewContact, Invalid>)> =
                numbered.map(|(number, row)| (number, contact(&rows, row))).collect();
            let (numbers, read): (Vec<u64>, Vec<_>) = read.into_iter().unzip();
            let left = room.saturating_sub(preview.counts.created);
            let become_of = contacts::preview(store, self.tenant, left, &read).await?;
            for ((number, row), outcome) in numbers.iter().zip(&read).zip(become_of) {
                let one = told(*number, row, outcome, &mut made, &mut preview.counts);
                shown += serde_json::to_string(&one).map_or(0, |json| json.len());
                if preview.rows.len() < SHOWN && shown <= MAX_SHOWN {
                    preview.rows.push(one);
                }
            }
            if out_of_time() {
                return Ok(preview);
            }
        }
    }
}

/// What is told of a row. Of several that describe somebody new the first creates them.
fn told(
    row: u64,
    new: &Result<NewContact, Invalid>,
    outcome: Result<Previewed, Invalid>,
    made: &mut HashSet<u64>,
    counts: &mut ImportCounts,
) -> PreviewedRow {
    counts.read += 1;
    let mut one = PreviewedRow {
        row,
        outcome: "failed".to_owned(),
        field: None,
        reason: None,
        warning: None,
        contact: None,
    };
    match outcome {
        Ok(done) => {
            let identities = new.iter().flat_map(NewContact::identities).map(|identity| digest(&identity));
            let identities: Vec<u64> = identities.collect();
            let is_first = done.created && !identities.iter().any(|identity| made.contains(identity));
            if done.created {
                made.extend(identities);
            }
            let outcome = if is_first { &mut counts.created } else { &mut counts.updated };
            *outcome += 1;
            counts.warnings += u64::from(done.warning.is_some());
            one.outcome = if is_first { "created" } else { "updated" }.to_owned();
            one.warning = done.warning.map(|warning| Warning::as_str(warning).to_owned());
            one.contact = Some(PreviewedContact::from(&done.contact));
        }
        Err(invalid) => {
            counts.failed += 1;
            (one.field, one.reason) = (Some(invalid.field), Some(invalid.message));
        }
    }
    one
}

fn digest(identity: &Identity) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.encode().hash(&mut hasher);
    hasher.finish()
}
