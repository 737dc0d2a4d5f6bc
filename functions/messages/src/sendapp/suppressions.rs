//! `/api/suppressions`: who wants no more messages.

use api_http::{
    ApiError, Caller, Given, Input, PhoneText, Reply, Result, country_of, cut_to_weight, request,
};
use axum::extract::State;
use domain::{CallingCode, ContactId};
use messaging::Services;
use ops::Error;
use ops::events::EventPublisher;
use ops::suppression::{self, Suppression, Whom};
use serde::Serialize;
use store::Store;

const LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;

#[derive(Serialize)]
struct OptedOutContact {
    id: u64,
    name: Option<String>,
}

#[derive(Serialize)]
struct ListedOptOut {
    id: String,
    address: String,
    contact: Option<OptedOutContact>,
    source: &'static str,
    reason: Option<String>,
    since: String,
}

impl From<Suppression> for ListedOptOut {
    fn from(entry: Suppression) -> Self {
        let Suppression { opt_out, contact } = entry;
        Self {
            id: opt_out.id,
            address: opt_out.address,
            contact: contact.map(|contact| OptedOutContact { id: contact.id.0, name: contact.name }),
            source: opt_out.source.as_str(),
            reason: opt_out.reason,
            since: format!("{:.3}", opt_out.at),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct OptOutList {
    status: &'static str,
    suppressions: Vec<ListedOptOut>,
    /// Pass it as `cursor` to go on.
    next_cursor: Option<String>,
}

request! {
    /// `GET /api/suppressions`
    pub(crate) struct ListSuppressions {
        limit: Given<u64> = named("limit"),
        cursor: Given<String> = named("cursor"),
    }
}

/// `GET /api/suppressions`
pub(crate) async fn list(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ListSuppressions>,
) -> Result<Reply<200, OptOutList>> {
    let asked = input.read();
    let limit = usize::try_from(asked.limit.or(LIMIT)?.clamp(1, MAX_LIMIT)).unwrap_or(1);
    let cursor = asked.cursor.get()?;
    let (found, mut next_cursor) =
        suppression::list(&store, caller.tenant_id(), cursor.as_deref(), limit).await?;
    let mut suppressions: Vec<ListedOptOut> = found.into_iter().map(ListedOptOut::from).collect();
    if cut_to_weight(&mut suppressions) {
        next_cursor = suppressions.last().map(|last| last.id.clone());
    }
    Ok(Reply(OptOutList { status: "success", suppressions, next_cursor }))
}

#[derive(Serialize)]
pub(crate) struct Added {
    status: &'static str,
    /// Whether anything is new.
    changed: bool,
    suppressions: Vec<ListedOptOut>,
}

request! {
    /// Who is meant: a number or a contact.
    pub(crate) struct WhomFields {
        number: Given<PhoneText> = named("number"),
        country: Given<CallingCode> = named("country"),
        contact_id: Given<String> = named("contact_id"),
    }
}

request! {
    /// `POST /api/suppressions`
    pub(crate) struct AddSuppression(whom: WhomFields) {
        reason: Given<String> = named("reason").max_length(255),
    }
}

/// `POST /api/suppressions`: a second time changes nothing.
pub(crate) async fn add(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<AddSuppression>,
) -> Result<Reply<200, Added>> {
    let AddSuppression { whom, reason } = input.read();
    let (whom, reason) = (whom.get(&services.store, &caller).await?, reason.get()?);
    let (changed, entries) =
        suppression::add(&EventPublisher::from(&services), caller.tenant_id(), &whom, reason.as_deref())
            .await?;
    let suppressions = entries.into_iter().map(ListedOptOut::from).collect();
    Ok(Reply(Added { status: "success", changed, suppressions }))
}

#[derive(Serialize)]
pub(crate) struct Removed {
    status: &'static str,
    removed: u64,
}

request! {
    /// `DELETE /api/suppressions`
    pub(crate) struct RemoveSuppression(whom: WhomFields) {
        id: Given<String> = named("id"),
    }
}

/// `DELETE /api/suppressions`: of a number or contact that did not opt out there
/// is nothing to remove; an id must exist.
pub(crate) async fn remove(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<RemoveSuppression>,
) -> Result<Reply<200, Removed>> {
    let RemoveSuppression { whom, id } = input.read();
    let removed = match id.get()? {
        Some(id) => {
            suppression::remove_by_id(&EventPublisher::from(&services), caller.tenant_id(), id.trim())
                .await?;
            1
        }
        None => {
            suppression::remove(
                &EventPublisher::from(&services),
                caller.tenant_id(),
                &whom.get(&services.store, &caller).await?,
            )
            .await?
        }
    };
    Ok(Reply(Removed { status: "success", removed }))
}

impl WhomFields {
    async fn get(self, store: &Store, caller: &ops::Caller) -> Result<Whom> {
        if let Some(phone) = self.number.get()? {
            let country = match self.country.get()? {
                None => country_of(store, caller, Some(&phone)).await?,
                told => told,
            };
            return Ok(Whom::Address(phone.recipient(country)?.0));
        }
        let id = self.contact_id.get()?;
        let id = id.ok_or_else(|| Error::invalid("number", "number or contact_id is required"))?;
        let id: ContactId = id.parse().map_err(|wrong| ApiError::from(wrong).renamed("id", "contact_id"))?;
        Ok(Whom::Contact(id))
    }
}
