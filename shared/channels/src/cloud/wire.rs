//! Meta's answers.

use std::time::Duration;

use domain::PhoneNumber;
use domain::message::Category;
use domain::outcome::{Acceptance, Outcome};
use domain::template::{Template, TemplateStatus};
use domain::text::mend_surrogates;
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;

use super::MetaError;

/// How a send ended, by its answer.
pub(super) async fn outcome(response: Response) -> Outcome {
    let status = response.status();
    let retry_after = retry_after(&response);
    let Ok(body) = response.bytes().await else { return Outcome::Ambiguous };
    let answer: Option<Value> = serde_json::from_slice(&mend_surrogates(&body)).ok();
    if status.is_success() {
        return answer.as_ref().and_then(acceptance).map_or(Outcome::Ambiguous, Outcome::Accepted);
    }
    match answer.as_ref().and_then(|a| error(a, status.as_u16(), retry_after)) {
        Some(error) => Outcome::Refused(error.into()),
        // A bare 4xx comes from something that refused to take the request.
        None if status.is_client_error() => {
            let error = unreadable(status.as_u16(), "the provider refused without saying why");
            Outcome::Refused(MetaError { retry_after, ..error }.into())
        }
        None => Outcome::Ambiguous,
    }
}

fn acceptance(answer: &Value) -> Option<Acceptance> {
    let message = answer.get("messages")?.get(0)?;
    let held = message.get("message_status").and_then(Value::as_str) == Some("held_for_quality_assessment");
    let wa_id = answer.pointer("/contacts/0/wa_id").and_then(Value::as_str);
    let recipient = wa_id.and_then(|wa_id| PhoneNumber::from_wa_id(wa_id).ok());
    Some(Acceptance { provider_id: message.get("id")?.as_str()?.to_owned(), held, recipient })
}

/// Meta's error envelope.
pub(super) fn error(answer: &Value, status: u16, retry_after: Option<Duration>) -> Option<MetaError> {
    let error = answer.get("error")?;
    let text = |v: Option<&Value>| v.and_then(Value::as_str).map(str::to_owned);
    let details = text(error.pointer("/error_data/details"))
        .or_else(|| text(error.get("error_user_msg")))
        .or_else(|| text(error.get("message")));
    Some(MetaError {
        code: error.get("code")?.as_i64()?,
        http_status: status,
        details: details.unwrap_or_default(),
        is_transient: error.get("is_transient").and_then(Value::as_bool).unwrap_or(false),
        retry_after,
    })
}

/// A refusal that carries no code of Meta's.
pub(super) fn unreadable(status: u16, details: &str) -> MetaError {
    MetaError { http_status: status, details: details.to_owned(), ..MetaError::default() }
}

/// How long the answer asks us to wait.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A template of a list; one that cannot be read is left out.
pub(super) fn template(value: &Value) -> Option<Template> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    Some(Template {
        id: text("id").unwrap_or_default().to_owned(),
        name: text("name")?.to_owned(),
        language: text("language")?.to_owned(),
        category: text("category").and_then(|c| Category::parse(c).ok()),
        status: TemplateStatus::parse(text("status").unwrap_or_default()),
        components: value.get("components").and_then(Value::as_array).cloned().unwrap_or_default(),
    })
}
