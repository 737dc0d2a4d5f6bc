use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ops::Code;
use serde::Serialize;

use crate::ApiError;

/// A JSON answer whose type states its status.
#[derive(Debug, Clone, Copy)]
pub struct Reply<const STATUS: u16, T>(pub T);

impl<const STATUS: u16, T: Serialize> IntoResponse for Reply<STATUS, T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
                (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Err(_) => ApiError(ops::Error::new(Code::Internal, "internal error")).into_response(),
        }
    }
}
