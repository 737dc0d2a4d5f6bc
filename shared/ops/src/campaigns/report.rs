use domain::message::Address;
use domain::{CampaignId, ContactId, TenantId};
use jiff::Timestamp;
use store::Store;
use store::ledger::Row;

use super::load;
use crate::{Code, Error, Result};

/// Recipients of one page.
const PAGE: usize = 1_000;

/// The report's columns.
const HEADER: [&str; 10] = [
    "contact_id",
    "phone",
    "state",
    "reason",
    "message_id",
    "accepted_at",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
];

/// One line per recipient, as CSV; exact at the moment it is read.
///
/// # Errors
/// [`Code::NotFound`]
pub async fn report(store: &Store, tenant: &TenantId, id: CampaignId) -> Result<Vec<u8>> {
    load(store, tenant, id).await?;
    let broken = |_| Error::new(Code::Internal, "internal error");
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(HEADER).map_err(broken)?;
    for head in store.heads_of(tenant, id).await? {
        let mut after = ContactId(0);
        loop {
            let rows = store.rows_after(tenant, id, head.block, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.contact;
            for row in &rows {
                csv.write_record(line(row)).map_err(broken)?;
            }
        }
    }
    csv.into_inner().map_err(|_| Error::new(Code::Internal, "internal error"))
}

fn line(row: &Row) -> [String; 10] {
    let progress = &row.progress;
    let (state, reason) = progress.shown();
    [
        row.contact.to_string(),
        row.address.as_ref().map(Address::as_str).unwrap_or_default().to_owned(),
        state.as_str().to_owned(),
        reason.unwrap_or_default().to_owned(),
        progress.provider_id.clone().unwrap_or_default(),
        time(progress.accepted_at),
        time(progress.sent_at),
        time(progress.delivered_at),
        time(progress.read_at),
        time(progress.failed_at),
    ]
}

fn time(ms: Option<i64>) -> String {
    ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(|t| format!("{t:.3}")).unwrap_or_default()
}
