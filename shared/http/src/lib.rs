//! Part of Staffetta.
/// Placeholder until the real one stands.
#[derive(Debug)]
pub struct ApiError;
impl From<ops::Error> for ApiError { fn from(_: ops::Error) -> Self { Self } }
impl axum::response::IntoResponse for ApiError { fn into_response(self) -> axum::response::Response { axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response() } }
