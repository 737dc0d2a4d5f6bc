//! Secrets Manager with the one secret of the product, for functions that run
//! beside this process.

use std::sync::{PoisonError, RwLock};

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::clients::REGION;
use super::reply::JsonReply;

/// What the secret is called.
pub(super) const NAME: &str = "staffetta";

/// The secret, once it was set.
#[derive(Default)]
pub(super) struct Secrets(RwLock<Option<String>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

impl Secrets {
    pub(super) fn set(&self, value: String) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    /// Answers an action.
    pub(super) fn call(&self, action: &str, body: &[u8]) -> JsonReply {
        if action != "GetSecretValue" {
            let message = "only GetSecretValue is there";
            return JsonReply::error(StatusCode::BAD_REQUEST, "UnknownOperationException", message);
        }
        let asked = serde_json::from_slice::<GetSecretValue>(body).ok().map(|request| request.secret_id);
        let value = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        match value.filter(|_| asked.as_deref() == Some(NAME)) {
            Some(value) => JsonReply::ok(
                json!({
                    "ARN": format!("arn:aws:secretsmanager:{REGION}:000000000000:secret:{NAME}"),
                    "Name": NAME,
                    "SecretString": value,
                    "VersionId": "00000000-0000-0000-0000-000000000001",
                })
                .to_string()
                .into_bytes(),
            ),
            None => {
                let message = "Secrets Manager can't find the specified secret.";
                JsonReply::error(StatusCode::BAD_REQUEST, "ResourceNotFoundException", message)
            }
        }
    }
}
