//! `/v1/verify`: one-time codes.

use std::net::IpAddr;

use api_http::{
    ApiError, Caller, FieldKind, FromParameter, Given, Input, Parameter, PhoneText, Reply, Required, Result,
    country_of, idempotent_make, idempotent_send, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::channel::Channel;
use domain::verification::{DIGITS, OneTimeCode};
use domain::{AccountId, CallingCode, Invalid, MessageId, PhoneNumber};
use messaging::Services;
use messaging::verification::{self, CodeRequest};
use ops::verification::{AskedFrom, Checked};
use ops::{callers, verification as codes};
use serde::Serialize;
use serde_json::Value;
use store::Store;
use store::idempotency::Claim;

request! {
    /// Whose code it is.
    struct ToFields {
        to: Required<PhoneText> = named("to" | "phone" | "number" | "phone_number"),
        country: Given<CallingCode> = named("country" | "country_code"),
    }
}

impl ToFields {
    /// The number, and how the caller names it.
    async fn get(self, store: &Store, caller: &ops::Caller) -> Result<(PhoneNumber, &'static str)> {
        let (name, phone) = (self.to.name(), self.to.get()?);
        let country = match self.country.get()? {
            Some(country) => Some(country),
            None => country_of(store, caller, Some(&phone)).await?,
        };
        Ok((phone.parse(country)?, name))
    }
}

request! {
    /// `POST /v1/verify/send`
    pub(crate) struct SendCode(whose: ToFields) {
        channel: Given<String> = named("channel").one_of(&["auto", "whatsapp", "sms"]),
        template: Given<String> = named("template" | "template_name" | "template_id").max_length(512),
        language: Given<String> = named("language" | "locale" | "language_code").max_length(16),
        session_id: Given<String> = named("session_id"),
        ip: Given<String> = named("ip" | "user_ip" | "client_ip"),
    }
}

#[derive(Serialize)]
struct Sent {
    id: String,
    message_id: String,
    to: String,
    channel: String,
    status: &'static str,
    expires_at: String,
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

/// The channel that is asked for; none leaves it to us.
fn channel(word: Option<String>) -> std::result::Result<Option<Channel>, Invalid> {
    match word.map(|word| word.trim().to_ascii_lowercase()).as_deref() {
        None | Some("auto") => Ok(None),
        Some("whatsapp") => Ok(Some(Channel::Whatsapp)),
        Some("sms") => Ok(Some(Channel::Sms)),
        Some(_) => Err(Invalid::new("channel", "channel must be auto, whatsapp or sms")),
    }
}

/// The end user's address.
fn address(ip: Given<String>) -> std::result::Result<Option<IpAddr>, Invalid> {
    let name = ip.name();
    let wrong = |_| Invalid::new(name, format!("{name} must be an IP address, such as 192.0.2.1"));
    ip.get()?.map(|ip| ip.trim().parse().map_err(wrong)).transpose()
}

/// `POST /v1/verify/send`
pub(crate) async fn send(
    State(services): State<Services>,
    Caller(caller): Caller,
    input: Input<SendCode>,
) -> Result<Response> {
    let store = &services.store;
    let work = async |send| {
        let SendCode { whose, channel: by, template, language, session_id, ip } = input.read();
        let (to, called) = whose.get(store, &caller).await?;
        let (by_template, by_language) = (template.name(), language.name());
        let asked = CodeRequest {
            channel: channel(by.get()?)?,
            template: template.get()?,
            language: language.get()?,
            from: AskedFrom { user: address(ip)?, host: input.from_address() },
            account: match session_id.get()? {
                Some(session) => Some(session_of(store, &caller, &session).await?),
                None => None,
            },
        };
        let sent = Box::pin(verification::send(&services, &caller, to.clone(), asked, send)).await;
        let sent = sent.map_err(|error| {
            let names = [("to", called), ("template", by_template), ("language", by_language)];
            names.iter().fold(ApiError(error), |error, (ours, theirs)| error.renamed(ours, theirs))
        })?;
        Ok(Reply::<200, Data<Sent>>(Data {
            data: Sent {
                id: sent.id.to_string(),
                message_id: sent.provider_id,
                to: to.as_str().to_owned(),
                channel: sent.channel.to_string(),
                status: "pending",
                expires_at: format!("{:.3}", sent.expires_at),
            },
        }))
    };
    idempotent_send(store, &caller, &input, work).await
}

async fn session_of(store: &Store, caller: &ops::Caller, session: &str) -> Result<domain::account::Account> {
    let id: AccountId =
        session.parse().map_err(|wrong| ApiError::from(wrong).renamed("account_id", "session_id"))?;
    Ok(callers::account_of_session(store, caller, id).await?)
}

/// A code as somebody typed it. One that a program made a number of has lost its zeros.
struct Typed(OneTimeCode);

impl FromParameter for Typed {
    const KIND: FieldKind = FieldKind::Text;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        let Some(text) = parameter.text()? else { return Ok(None) };
        let text = match parameter.value() {
            Some(Value::Number(_)) => format!("{text:0>DIGITS$}"),
            Some(_) | None => text,
        };
        let name = parameter.name();
        let called = |wrong: Invalid| Invalid::new(name, wrong.message.replacen("code", name, 1));
        OneTimeCode::parse(&text).map(|code| Some(Self(code))).map_err(called)
    }
}

request! {
    /// `POST /v1/verify/check`
    pub(crate) struct CheckCode(whose: ToFields) {
        code: Required<Typed> = named("code" | "otp"),
    }
}

#[derive(Serialize)]
struct Verified {
    to: String,
    valid: bool,
    status: &'static str,
    attempts_left: Option<u64>,
}

/// `POST /v1/verify/check`
pub(crate) async fn check(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<CheckCode>,
) -> Result<Response> {
    let work = async |claim: Option<Claim>| {
        // A code is used up by a request: whoever repeats it is told the same.
        let id = claim.map(|claim| claim.message);
        let id = id.unwrap_or_else(|| MessageId(store.entropy().ulid(store.clock().now())));
        let CheckCode { whose, code } = input.read();
        let (to, called) = whose.get(&store, &caller).await?;
        let Typed(code) = code.get()?;
        let checked = codes::check(&store, caller.tenant_id(), &to, &code, id).await;
        let checked = checked.map_err(|error| ApiError(error).renamed("to", called))?;
        let to = to.as_str().to_owned();
        let data = match checked {
            Checked::Approved => Verified { to, valid: true, status: "approved", attempts_left: None },
            Checked::Wrong(left) => {
                Verified { to, valid: false, status: "pending", attempts_left: Some(left) }
            }
        };
        Ok(Reply::<200, Data<Verified>>(Data { data }))
    };
    idempotent_make(&store, &caller, &input, work).await
}

#[cfg(test)]
mod tests {
    use api_http::{Fields, Request};
    use serde_json::json;

    use super::*;

    fn code(value: Value) -> std::result::Result<String, Invalid> {
        let params = json!({"to": "+393391234567", "code": value});
        let read = CheckCode::read(Fields::from(params.as_object().unwrap()));
        read.code.get().map(|Typed(code)| code.expose().to_owned())
    }

    #[test]
    fn a_code_is_a_text_or_a_number() {
        for value in [json!("012345"), json!("012 345"), json!(12345), json!(12345.0)] {
            assert_eq!(code(value).unwrap(), "012345");
        }
        for wrong in [json!("12345"), json!(1234567), json!([1]), json!("abcdef"), json!(""), json!(-12345)] {
            assert_eq!(code(wrong.clone()).unwrap_err().field, "code", "{wrong}");
        }
    }
}
