//! Meta's WhatsApp Cloud API.

mod catalogs;
mod commerce;
mod errors;
mod exchange;
mod payload;
mod wire;

pub use catalogs::ProductPage;
pub use errors::{MetaError, refusal_of};
pub use exchange::{Exchange, NoAnswer};
pub use payload::{content, payload};

use std::time::Duration;

use domain::channel::{Capabilities, Channel as Kind};
use domain::message::Address;
use domain::outcome::Outcome;
use domain::template::{NewTemplate, Template};
use domain::text::mend_surrogates;
use domain::{Secret, TenantId, account::Number};
use environment::Env;
use reqwest::header::AUTHORIZATION;
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Channel, Error, MediaUpload, OutboundMessage};

/// A send waits this long for Meta's answer; then its outcome is unknown.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of a template list; Meta allows at most 6,000 templates.
const MAX_PAGES: usize = 64;

/// A client of the Graph API.
#[derive(Debug, Clone)]
pub struct Graph {
    http: Client,
    exchange: Exchange,
    base: String,
}

/// A connected number as a channel.
#[derive(Debug, Clone)]
pub struct Line {
    /// Meta's API.
    pub graph: Graph,
    /// The number.
    pub number: Number,
    /// Whose it is: messages carry it, so that what is heard of them is theirs.
    pub tenant: TenantId,
}

impl Channel for Line {
    fn capabilities(&self) -> Capabilities {
        Kind::Whatsapp.capabilities()
    }

    async fn upload(&self, file: MediaUpload) -> Result<String, Error> {
        self.graph.upload(&self.number, file).await
    }

    async fn send(&self, message: &OutboundMessage<'_>) -> Outcome {
        self.graph.send(&self.number, &message.reference.marked(&self.tenant), message).await
    }
}

/// What Meta says about a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberInfo {
    /// The number as people read it.
    pub display_phone_number: String,
    /// The name that Meta verified.
    pub verified_name: String,
}

impl Graph {
    /// A client for `base`, such as `https://graph.facebook.com/v25.0`, that trusts
    /// what the machine trusts.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the machine has no usable TLS set-up.
    pub fn new(base: &str) -> Result<Self, Error> {
        Self::built(base, Client::builder())
    }

    /// A client for `base` that trusts these roots, DER, and no others.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when one of them is not a certificate.
    pub fn trusting<'a>(base: &str, roots: impl Iterator<Item = &'a [u8]>) -> Result<Self, Error> {
        let roots: Result<Vec<_>, _> = roots.map(Certificate::from_der).collect();
        let roots = roots.map_err(|_| Error::Unreachable)?;
        Self::built(base, Client::builder().tls_certs_only(roots))
    }

    /// The one of a function: `META_GRAPH_URL`. It trusts Mozilla's roots.
    ///
    /// # Errors
    /// When the setting is missing; when the machine has no usable TLS set-up.
    pub fn of(env: &Env) -> Result<Self, environment::Error> {
        let unusable = |error: Error| environment::Error::Tls(error.to_string());
        Self::trusting(&env.required("META_GRAPH_URL")?, environment::roots()).map_err(unusable)
    }

    fn built(base: &str, http: ClientBuilder) -> Result<Self, Error> {
        let http = http
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(SEND_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| Error::Unreachable)?;
        let exchange = exchange::network(http.clone());
        Ok(Self { http, exchange, base: base.trim_end_matches('/').to_owned() })
    }

    /// The same client, whose calls are answered by `exchange` and not by the network;
    /// how long an answer may take is then up to it.
    #[must_use]
    pub fn through(self, exchange: Exchange) -> Self {
        Self { exchange, ..self }
    }

    /// Sends one message with `callback` as its callback data. Whatever happens is an [`Outcome`]: only an answer in
    /// Meta's own format, or a connection that never came about, says that
    /// nothing was sent.
    pub async fn send(&self, number: &Number, callback: &str, message: &OutboundMessage<'_>) -> Outcome {
        let OutboundMessage { to, content, .. } = *message;
        if matches!(to, Address::Custom(_)) {
            return Outcome::Refused(wire::unreadable(400, "the address is on a custom channel").into());
        }
        let body = payload(to, content, callback);
        let url = format!("{}/{}/messages", self.base, number.id);
        let request = self.http.post(url).bearer_auth(number.access_token.expose()).json(&body).build();
        let Ok(request) = request else {
            return Outcome::Refused(wire::unreadable(400, "the request could not be built").into());
        };
        match self.exchange.clone().oneshot(request).await {
            Ok(response) => wire::outcome(response).await,
            Err(NoAnswer::NotSent) => Outcome::Unreachable,
            Err(NoAnswer::Lost) => Outcome::Ambiguous,
        }
    }

    /// All templates of the number's business account.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn templates(&self, number: &Number) -> Result<Vec<Template>, Error> {
        let url = format!("{}/{}/message_templates", self.base, number.waba_id);
        let mut templates = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut query = vec![("fields", "id,name,language,category,status,components"), ("limit", "100")];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page = self.answer(self.http.get(&url).query(&query), &number.access_token).await?;
            let data = page.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            templates.extend(data.iter().filter_map(wire::template));
            let more = page.pointer("/paging/next").is_some();
            after = page.pointer("/paging/cursors/after").and_then(Value::as_str).map(str::to_owned);
            if !more || after.is_none() {
                break;
            }
        }
        Ok(templates)
    }

    /// Submits a template for approval; answers its id and status.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn create_template(
        &self,
        number: &Number,
        new: &NewTemplate,
    ) -> Result<(String, String), Error> {
        let url = format!("{}/{}/message_templates", self.base, number.waba_id);
        let body = json!({
            "name": new.name,
            "language": new.language,
            "category": new.category.as_str(),
            "parameter_format": if new.named { "NAMED" } else { "POSITIONAL" },
            "components": new.components,
        });
        let answer = self.answer(self.http.post(url).json(&body), &number.access_token).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok((text("id"), text("status")))
    }

    /// Uploads a file; answers Meta's id of it, which is good for 30 days.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn upload(&self, number: &Number, file: MediaUpload) -> Result<String, Error> {
        let MediaUpload { name, mime, bytes } = file;
        let url = format!("{}/{}/media", self.base, number.id);
        let part = reqwest::multipart::Part::stream(bytes).file_name(name);
        let part = part.mime_str(&mime).map_err(|_| Error::Unreachable)?;
        let form = reqwest::multipart::Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", mime)
            .part("file", part);
        let answer = self.answer(self.http.post(url).multipart(form), &number.access_token).await?;
        answer.get("id").and_then(Value::as_str).map(str::to_owned).ok_or(Error::Unreachable)
    }

    /// Uploads a file that a new template shows as a sample; answers its handle. It is kept
    /// by the app that the number's token is of:
    /// <https://developers.facebook.com/docs/graph-api/guides/upload>.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn upload_sample(&self, number: &Number, file: MediaUpload) -> Result<String, Error> {
        let MediaUpload { name, mime, bytes } = file;
        let length = bytes.len().to_string();
        let query = [("file_name", name.as_str()), ("file_length", &length), ("file_type", &mime)];
        let opened = self.http.post(format!("{}/app/uploads", self.base)).query(&query);
        let opened = self.answer(opened, &number.access_token).await?;
        let session = opened.get("id").and_then(Value::as_str).ok_or(Error::Unreachable)?;
        let token = format!("OAuth {}", number.access_token.expose());
        let sent = self.http.post(format!("{}/{session}", self.base)).header(AUTHORIZATION, token);
        let answer = self.exchange(sent.header("file_offset", "0").body(bytes)).await?;
        answer.get("h").and_then(Value::as_str).map(str::to_owned).ok_or(Error::Unreachable)
    }

    /// Confirms that a token may use a number of a business account.
    ///
    /// # Errors
    /// [`Error::Refused`] when it may not.
    pub async fn number(
        &self,
        phone_number_id: &str,
        waba_id: &str,
        token: &Secret,
    ) -> Result<NumberInfo, Error> {
        let fields = [("fields", "id,display_phone_number,verified_name")];
        let url = format!("{}/{phone_number_id}", self.base);
        let info = self.answer(self.http.get(url).query(&fields), token).await?;
        let url = format!("{}/{waba_id}/phone_numbers", self.base);
        let query = [fields[0], ("limit", "100")];
        let answer = self.answer(self.http.get(url).query(&query), token).await?;
        let numbers = answer.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let text = |n: &Value, name: &str| n.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if !numbers.iter().any(|n| text(n, "id") == phone_number_id) {
            let details = "the number is not one of this business account";
            return Err(Error::Refused(wire::unreadable(400, details).into()));
        }
        Ok(NumberInfo {
            display_phone_number: text(&info, "display_phone_number"),
            verified_name: text(&info, "verified_name"),
        })
    }

    async fn answer(&self, request: RequestBuilder, token: &Secret) -> Result<Value, Error> {
        self.exchange(request.bearer_auth(token.expose())).await
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Value, Error> {
        let request = request.build().map_err(|_| Error::Unreachable)?;
        let response: Response =
            self.exchange.clone().oneshot(request).await.map_err(|_| Error::Unreachable)?;
        let status = response.status();
        let retry_after = wire::retry_after(&response);
        let body = response.bytes().await.map_err(|_| Error::Unreachable)?;
        match (status.is_success(), serde_json::from_slice::<Value>(&mend_surrogates(&body))) {
            (true, Ok(value)) => Ok(value),
            (false, Ok(value)) => match wire::error(&value, status.as_u16(), retry_after) {
                Some(error) => Err(Error::Refused(error.into())),
                None => Err(Error::Unreachable),
            },
            (_, Err(_)) => Err(Error::Unreachable),
        }
    }
}
