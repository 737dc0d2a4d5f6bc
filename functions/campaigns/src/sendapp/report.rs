//! `/api/campaigns/{id}/report.csv`, `report.xlsx`

use api_http::{Caller, Given, Input, Reply, Result, request};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use domain::ReportFormat;
use messaging::campaigns::{self, ReportAnswer};
use serde::Serialize;

use super::named;
use crate::App;

/// When to come again, in seconds.
const AGAIN_S: u64 = 5;

#[derive(Serialize)]
struct Preparing {
    status: &'static str,
    campaign_id: u64,
    format: &'static str,
    /// Seconds.
    retry_after: u64,
}

request! {
    /// `GET /api/campaigns/{id}/report.csv`
    pub(crate) struct Report {
        format: Given<String> = named("format").one_of(&["csv", "xlsx"]),
    }
}

/// `GET /api/campaigns/{id}/report.csv`; with `format=xlsx` as the other.
pub(crate) async fn csv(
    State(app): State<App>,
    Caller(caller): Caller,
    input: Input<Report>,
) -> Result<Response> {
    let format = input.read().format.get()?.map(|text| ReportFormat::parse(&text)).transpose()?;
    answer(&app, &caller, &input, format.unwrap_or(ReportFormat::Csv)).await
}

/// `GET /api/campaigns/{id}/report.xlsx`
pub(crate) async fn xlsx(State(app): State<App>, Caller(caller): Caller, input: Input) -> Result<Response> {
    answer(&app, &caller, &input, ReportFormat::Xlsx).await
}

/// Leads to the file, or says when to come again.
async fn answer<R>(
    app: &App,
    caller: &ops::Caller,
    input: &Input<R>,
    format: ReportFormat,
) -> Result<Response> {
    let id = named(input)?;
    let found = campaigns::report(&app.services, caller.tenant_id(), id, format, app.patience).await?;
    let private = (CACHE_CONTROL, "private, no-store".to_owned());
    Ok(match found {
        ReportAnswer::At(url) => (StatusCode::FOUND, [(LOCATION, url), private]).into_response(),
        ReportAnswer::Preparing => {
            let (campaign_id, retry_after) = (id.0, AGAIN_S);
            let body = Preparing { status: "preparing", campaign_id, format: format.as_str(), retry_after };
            let headers = [(RETRY_AFTER, AGAIN_S.to_string()), private];
            (headers, Reply::<202, _>(body)).into_response()
        }
    })
}
