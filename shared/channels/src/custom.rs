//! Custom channels: a tenant's own URL that takes messages, signed as Standard
//! Webhooks are.

use bytes::Bytes;
use domain::channel::{CustomChannel, check_foreign_id};
use domain::message::{Address, CallbackRef, Content};
use domain::provider::{Acceptance, Outcome, ProviderError};
use domain::webhook::{ID_HEADER, SIGNATURE_HEADER, SigningKeys, SigningSecret, TIMESTAMP_HEADER};
use domain::{CampaignId, ContactId, EmailAddress};
use jiff::Timestamp;
use outbound::{Answer, Client, Failure, HeaderMap, HeaderName, HeaderValue, Limits};
use serde_json::{Map, Value};

use crate::Channel;

/// Under which names a platform answers its id of the message.
const IDS: [&str; 4] = ["id", "messageId", "message_id", "messageSid"];
/// What stands in [`ProviderError::http_status`] when the address was not called.
pub const NOT_CALLED: u16 = 0;

/// A registered channel that is about to be called.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// What calls it.
    pub client: &'a Client,
    /// The channel.
    pub channel: &'a CustomChannel,
    /// What signs its messages.
    pub secret: &'a SigningSecret,
    /// The time of the call.
    pub now: Timestamp,
    /// What else the platform is told.
    pub regarding: Regarding,
}

/// What goes with a message.
#[derive(Clone, Default)]
pub struct Regarding {
    /// The contact that it is for.
    pub contact: Option<ContactId>,
    /// Their first name.
    pub first_name: Option<String>,
    /// Their last name.
    pub last_name: Option<String>,
    /// Their e-mail address.
    pub email: Option<EmailAddress>,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
}

impl std::fmt::Debug for Regarding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Regarding").field("contact", &self.contact).finish_non_exhaustive()
    }
}

impl Channel for Line<'_> {
    /// Posts the message. Only a clear refusal, or a connection that never came about,
    /// says that it was not taken.
    async fn send(&self, to: &Address, content: &Content, reference: CallbackRef) -> Outcome {
        let id = match reference {
            CallbackRef::Message(id) => id.to_string(),
            CallbackRef::Campaign(..) => reference.to_string(),
        };
        let body = self.body(&id, to, content).to_string();
        let target = match self.client.target(&self.channel.url) {
            Ok(target) => target,
            Err(refused) => return failed(refused.into()),
        };
        let headers = self.headers(&id, body.as_bytes());
        match self.client.post(&target, headers, Bytes::from(body), Limits::WEBHOOK).await {
            Ok(answer) => outcome(&answer, &id, self.now),
            Err(failure) => failed(failure),
        }
    }
}

impl Line<'_> {
    fn body(&self, id: &str, to: &Address, content: &Content) -> Value {
        let Regarding { contact, first_name, last_name, email, campaign } = &self.regarding;
        let text = |text: &str| Some(Value::from(text));
        let members = [
            ("id", text(id)),
            ("channel", text(&self.channel.name)),
            ("to", text(to.id())),
            ("contact_id", contact.map(|contact| contact.to_string().into())),
            ("type", text("text")),
            ("text", content.text().map(Value::from)),
            ("campaignId", campaign.map(|campaign| campaign.to_string().into())),
            ("firstName", first_name.as_deref().map(Value::from)),
            ("lastName", last_name.as_deref().map(Value::from)),
            ("email", email.as_ref().map(|email| email.as_str().into())),
            ("timestamp", text(&format!("{:.3}", self.now))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(members.collect::<Map<_, _>>())
    }

    fn headers(&self, id: &str, body: &[u8]) -> HeaderMap {
        let keys = SigningKeys::new(self.secret.clone());
        let values = [
            ("content-type", "application/json".to_owned()),
            (ID_HEADER, id.to_owned()),
            (TIMESTAMP_HEADER, self.now.as_second().to_string()),
            (SIGNATURE_HEADER, keys.header(id, self.now, body)),
        ];
        let header = |(name, value): (_, String)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
        };
        values.into_iter().filter_map(header).collect()
    }
}

/// What an answer says about the message.
fn outcome(answer: &Answer, id: &str, now: Timestamp) -> Outcome {
    let retry_after = answer.retry_after(now);
    let refused = |transient| {
        let details = format!("the channel answered with status {}", answer.status);
        let refusal = ProviderError::bare(0, answer.status, &details);
        Outcome::Refused(ProviderError { transient, retry_after, ..refusal })
    };
    match answer.status {
        200..300 => {
            let provider_id = foreign_id(&answer.body).unwrap_or_else(|| id.to_owned());
            Outcome::Accepted(Acceptance { provider_id, held: false })
        }
        408 | 429 => refused(true),
        503 if retry_after.is_some() => refused(true),
        300..500 => refused(false),
        // It may have gone on before something behind it failed.
        _ => Outcome::Ambiguous,
    }
}

/// The platform's own id of the message, when it says one.
fn foreign_id(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    IDS.into_iter().find_map(|name| match answer.get(name)? {
        Value::String(id) => check_foreign_id(name, id).ok(),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// What a call without an answer says about the message.
fn failed(failure: Failure) -> Outcome {
    match failure {
        Failure::Refused(_) | Failure::Request => {
            Outcome::Refused(ProviderError::bare(0, NOT_CALLED, &failure.to_string()))
        }
        Failure::Dns | Failure::Connect | Failure::Tls => Outcome::Unreachable,
        Failure::Timeout | Failure::Reset | Failure::TooLarge | Failure::Redirect => Outcome::Ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_id_has_several_names() {
        for (body, want) in [
            (r#"{"id": "a"}"#, Some("a")),
            (r#"{"id": null, "messageId": 7}"#, Some("7")),
            (r#"{"message_id": " b "}"#, Some("b")),
            (r#"{"messageSid": "c"}"#, Some("c")),
            (r#"{"id": ["a"]}"#, None),
            (r#"["a"]"#, None),
            ("OK", None),
            ("", None),
        ] {
            assert_eq!(foreign_id(body.as_bytes()).as_deref(), want, "{body}");
        }
    }

    #[test]
    fn only_what_was_surely_not_taken_is_a_refusal() {
        assert_eq!(failed(Failure::Connect), Outcome::Unreachable);
        assert_eq!(failed(Failure::Timeout), Outcome::Ambiguous);
        assert_eq!(failed(Failure::Reset), Outcome::Ambiguous);
        assert!(matches!(failed(Failure::Request), Outcome::Refused(_)));
    }
}
