//! Custom channels: a tenant's own URL that takes messages, signed as Standard
//! Webhooks are.

use bytes::Bytes;
use domain::Clock;
use domain::channel::{Capabilities, Channel as Kind, CustomChannel, check_foreign_id};
use domain::message::{CallbackRef, Content, MediaSource};
use domain::outcome::{About, Acceptance, MAX_ATTEMPTS, Next, Outcome, Reason, Refusal, Scope, Wait};
use domain::text::mend_surrogates;
use domain::webhook::{ID_HEADER, SIGNATURE_HEADER, SigningKeys, SigningSecret, TIMESTAMP_HEADER};
use jiff::Timestamp;
use outbound::{Answer, Client, Failure, HeaderMap, HeaderName, HeaderValue, Limits};
use serde_json::{Map, Value};

use crate::{Channel, Error, MediaUpload, OutboundMessage, Regarding};

/// Under which names a platform answers its id of the message.
const IDS: [&str; 4] = ["id", "messageId", "message_id", "messageSid"];

/// A registered channel as a channel.
#[derive(Debug, Clone)]
pub struct Line {
    /// What calls it.
    pub client: Client,
    /// The channel.
    pub channel: CustomChannel,
    /// What signs its messages.
    pub secret: SigningSecret,
    /// Tells the time of a call.
    pub clock: Clock,
}

impl Channel for Line {
    fn capabilities(&self) -> Capabilities {
        Kind::Custom(self.channel.key.clone()).capabilities()
    }

    async fn upload(&self, _: MediaUpload) -> Result<String, Error> {
        Err(Error::Refused(refusal("no_uploads", "the channel takes files by their links only", Next::Never)))
    }

    /// Posts the message. Only a clear refusal, or a connection that never came about,
    /// says that it was not taken.
    async fn send(&self, message: &OutboundMessage<'_>) -> Outcome {
        let can = self.capabilities();
        if !can.reaches(message.to) {
            let details = "the address is on another channel";
            return Outcome::Refused(refusal("no_address", details, Next::Never));
        }
        if let Err(invalid) = can.check(message.content) {
            return Outcome::Refused(refusal("not_taken", &invalid.message, Next::Never));
        }
        let id = match message.reference {
            CallbackRef::Message(id) => id.to_string(),
            CallbackRef::Campaign(..) => message.reference.to_string(),
        };
        let now = self.clock.now();
        let body = self.body(&id, message, now).to_string();
        let target = match self.client.target(&self.channel.url) {
            Ok(target) => target,
            Err(refused) => return failed(refused.into()),
        };
        let headers = self.headers(&id, body.as_bytes(), now);
        match self.client.post(&target, headers, Bytes::from(body), Limits::WEBHOOK).await {
            Ok(answer) => outcome(&answer, &id, now),
            Err(failure) => failed(failure),
        }
    }
}

impl Line {
    fn body(&self, id: &str, message: &OutboundMessage<'_>, now: Timestamp) -> Value {
        let OutboundMessage { to, content, regarding, reference } = message;
        let Regarding { contact, first_name, last_name, email, campaign } = regarding;
        let (contact, campaign) = match reference {
            CallbackRef::Campaign(campaign, contact, _) => (Some(contact), Some(campaign)),
            CallbackRef::Message(_) => (contact.as_ref(), campaign.as_ref()),
        };
        let text = |text: &str| Some(Value::from(text));
        let (kind, file) = match content {
            Content::Media { kind, source, file_name, .. } => {
                let (MediaSource::Link(url) | MediaSource::Id(url)) = source;
                (kind.as_str(), Some((url.as_str(), file_name.as_deref())))
            }
            Content::Text { .. }
            | Content::Buttons { .. }
            | Content::List { .. }
            | Content::Commerce(_)
            | Content::Template(_) => ("text", None),
        };
        let members = [
            ("id", text(id)),
            ("channel", text(&self.channel.name)),
            ("to", text(to.id())),
            ("contact_id", contact.map(|contact| contact.to_string().into())),
            ("type", text(kind)),
            ("text", content.text().map(Value::from)),
            ("mediaUrl", file.map(|(url, _)| url.into())),
            ("fileName", file.and_then(|(_, name)| name).map(Value::from)),
            ("campaignId", campaign.map(|campaign| campaign.to_string().into())),
            ("firstName", first_name.as_deref().map(Value::from)),
            ("lastName", last_name.as_deref().map(Value::from)),
            ("email", email.as_ref().map(|email| email.as_str().into())),
            ("timestamp", text(&format!("{now:.3}"))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(members.collect::<Map<_, _>>())
    }

    fn headers(&self, id: &str, body: &[u8], now: Timestamp) -> HeaderMap {
        let keys = SigningKeys::new(self.secret.clone());
        let values = [
            ("content-type", "application/json".to_owned()),
            (ID_HEADER, id.to_owned()),
            (TIMESTAMP_HEADER, now.as_second().to_string()),
            (SIGNATURE_HEADER, keys.header(id, now, body)),
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
    let status = answer.status;
    let details = format!("the channel answered with status {status}");
    let refused = |next, about| {
        let refusal = refusal(format_args!("http_{status}"), &details, next);
        Outcome::Refused(Refusal { about, retry_after, ..refusal })
    };
    let again = |scope, growths, attempts| Next::Retry { scope, wait: Wait::growing(0, growths), attempts };
    match status {
        200..300 => {
            let provider_id = foreign_id(&answer.body).unwrap_or_else(|| id.to_owned());
            Outcome::Accepted(Acceptance { provider_id, held: false, recipient: None })
        }
        // It wants us to wait, whoever the message is for.
        429 => refused(again(Scope::Sender, 2, None), About::Throughput),
        503 if retry_after.is_some() => refused(again(Scope::Sender, 2, None), About::Rate),
        408 => refused(again(Scope::Message, 4, Some(MAX_ATTEMPTS)), About::Outage),
        // Nothing is taken until the owner mends the channel: its secret, its URL, or what
        // it understands.
        300..=401 | 403..=405 | 410 | 415 => refused(Next::Never, About::Campaign),
        402..500 => refused(Next::Never, About::Message),
        // It may have gone on before something behind it failed.
        _ => Outcome::Ambiguous,
    }
}

fn refusal(reason: impl std::fmt::Display, details: &str, next: Next) -> Refusal {
    let (reason, details) = (Reason::custom(reason), details.to_owned());
    Refusal { reason, details, about: About::Message, next, retry_after: None }
}

/// The platform's own id of the message, when it says one.
fn foreign_id(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(&mend_surrogates(body)).ok()?;
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
            let refusal = refusal("address_refused", &failure.to_string(), Next::Never);
            Outcome::Refused(Refusal { about: About::Campaign, ..refusal })
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
