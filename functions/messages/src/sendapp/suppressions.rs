//! `/api/suppressions`: who wants no more messages.

use api_http::{ApiError, Caller, Fields, Input, Reply, Result, cut_to_weight};
use axum::extract::State;
use domain::ContactId;
use messaging::Services;
use ops::Error;
use ops::events::EventPublisher;
use ops::suppression::{self, Entry, Whom};
use serde::Serialize;
use store::Store;

const LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;

#[derive(Serialize)]
struct Contact {
    id: u64,
    name: Option<String>,
}

#[derive(Serialize)]
struct Item {
    id: String,
    address: String,
    contact: Option<Contact>,
    source: &'static str,
    reason: Option<String>,
    since: String,
}

impl From<Entry> for Item {
    fn from(entry: Entry) -> Self {
        let Entry { opt_out, contact } = entry;
        Self {
            id: opt_out.id,
            address: opt_out.address,
            contact: contact.map(|contact| Contact { id: contact.id.0, name: contact.name }),
            source: opt_out.source.as_str(),
            reason: opt_out.reason,
            since: format!("{:.3}", opt_out.at),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct List {
    status: &'static str,
    suppressions: Vec<Item>,
    /// Pass it as `cursor` to go on.
    next_cursor: Option<String>,
}

/// `GET /api/suppressions`
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, List>> {
    let fields = input.fields();
    let limit = usize::try_from(fields.integer("limit")?.unwrap_or(LIMIT).clamp(1, MAX_LIMIT)).unwrap_or(1);
    let cursor = fields.text("cursor")?;
    let (found, mut next_cursor) =
        suppression::list(&store, caller.tenant_id(), cursor.as_deref(), limit).await?;
    let mut suppressions: Vec<Item> = found.into_iter().map(Item::from).collect();
    if cut_to_weight(&mut suppressions) {
        next_cursor = suppressions.last().map(|last| last.id.clone());
    }
    Ok(Reply(List { status: "success", suppressions, next_cursor }))
}

#[derive(Serialize)]
pub(crate) struct Added {
    status: &'static str,
    /// Whether anything is new.
    changed: bool,
    suppressions: Vec<Item>,
}

/// `POST /api/suppressions`: a second time changes nothing.
pub(crate) async fn add(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Added>> {
    let fields = input.fields();
    let (whom, reason) = (whom(fields)?, fields.text("reason")?);
    let (changed, entries) =
        suppression::add(&EventPublisher::from(&services), caller.tenant_id(), &whom, reason.as_deref())
            .await?;
    let suppressions = entries.into_iter().map(Item::from).collect();
    Ok(Reply(Added { status: "success", changed, suppressions }))
}

#[derive(Serialize)]
pub(crate) struct Removed {
    status: &'static str,
    removed: u64,
}

/// `DELETE /api/suppressions`: of a number or contact that did not opt out there
/// is nothing to remove; an id must exist.
pub(crate) async fn remove(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Removed>> {
    let fields = input.fields();
    let removed = match fields.text("id")? {
        Some(id) => {
            suppression::remove_by_id(&EventPublisher::from(&services), caller.tenant_id(), id.trim())
                .await?;
            1
        }
        None => {
            suppression::remove(&EventPublisher::from(&services), caller.tenant_id(), &whom(fields)?).await?
        }
    };
    Ok(Reply(Removed { status: "success", removed }))
}

fn whom(fields: Fields<'_>) -> Result<Whom> {
    if let Some(phone) = fields.phone("number", None)? {
        return Ok(Whom::Number(phone));
    }
    let id = fields.text("contact_id")?;
    let id = id.ok_or_else(|| Error::invalid("number", "number or contact_id is required"))?;
    let id: ContactId = id.parse().map_err(|wrong| ApiError::from(wrong).renamed("id", "contact_id"))?;
    Ok(Whom::Contact(id))
}
