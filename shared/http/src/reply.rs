//! Answers.

use axum::response::{IntoResponse, Response};
use domain::weight;
use http::{StatusCode, header};
use ops::Code;
use serde::Serialize;

use crate::ApiError;

/// What an answer has beside the items of its list, at most, in bytes.
const REST: usize = 10_000;

/// A JSON answer whose type states its status.
#[derive(Debug, Clone, Copy)]
pub struct Reply<const STATUS: u16, T>(pub T);

impl<const STATUS: u16, T: Serialize> IntoResponse for Reply<STATUS, T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            // Lambda would answer for us, and not in dialect.
            Ok(body) if weight::of_json(&body) > weight::MOST => {
                tracing::error!(bytes = body.len(), "an answer is too large");
                let message = "the answer would have more than 6 MB: ask for less at once";
                ApiError(ops::Error::new(Code::TooLarge, message)).into_response()
            }
            Ok(body) => {
                let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
                (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Err(_) => ApiError(ops::Error::new(Code::Internal, "internal error")).into_response(),
        }
    }
}

/// What something weighs in an answer, in bytes.
pub fn weight_of(item: &impl Serialize) -> usize {
    serde_json::to_vec(item).map_or(0, |json| weight::of_json(&json))
}

/// Keeps as many items as one answer has room for, at least one; answers whether any
/// had to go. For lists that go on behind their last item.
pub fn cut_to_weight<T: Serialize>(items: &mut Vec<T>) -> bool {
    let mut weight = REST;
    let fits = items.iter().take_while(|item| {
        weight += weight_of(*item) + 1;
        weight <= weight::MOST
    });
    let keep = fits.count().max(1);
    let is_cut = keep < items.len();
    items.truncate(keep);
    is_cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_what_fits_and_at_least_one() {
        for (text, count, keep) in
            [("x", 0, 0), ("x", 3, 3), ("x", 7, 5), ("\"", 7, 1), ("\\", 7, 1), ("\u{1}", 2, 1)]
        {
            let mut items = vec![text.repeat(1_100_000); count];
            assert_eq!(cut_to_weight(&mut items), keep < count, "{text:?} {count}");
            assert_eq!(items.len(), keep, "{text:?} {count}");
        }
    }

    #[test]
    fn an_answer_that_is_too_large_is_refused() {
        let ok = Reply::<200, _>("x".repeat(5_900_000)).into_response();
        assert_eq!(ok.status(), 200);
        let refused = Reply::<200, _>("\"".repeat(1_600_000)).into_response();
        assert!(refused.extensions().get::<ApiError>().is_some());
    }
}
