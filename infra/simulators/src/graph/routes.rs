//! The protocol's calls: which address means what.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Extension, Json, Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, DefaultBodyLimit, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{
    admin, catalogs,
    connection::Cutter,
    errors::{GraphError, Refusal},
    media,
    messages::{self, MessageRequest},
    simulator::Simulator,
    state::{
        accounts::{Number, Token},
        faults::{Effect, FaultTarget},
    },
    templates,
};

/// Largest JSON body.
const JSON_MOST: usize = 1024 * 1024;
/// Largest upload, with the form around it.
const UPLOAD_MOST: usize = 101 * 1024 * 1024;

pub(super) fn router(simulator: Simulator) -> Router {
    admin::router().fallback(graph).layer(DefaultBodyLimit::max(4 * JSON_MOST)).with_state(simulator)
}

/// A call with its address taken apart.
struct Call {
    method: Method,
    segments: Vec<String>,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    path: String,
}

type Answered = Result<Response, Refusal>;

async fn graph(
    State(simulator): State<Simulator>,
    cutter: Option<Extension<ConnectInfo<Cutter>>>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let call = Call {
        segments: segments(parts.uri.path()),
        query: query.into_owned().collect(),
        path: parts.uri.path().to_owned(),
        method: parts.method,
        headers: parts.headers,
    };
    let answered = simulator.answer(&call, body).await;
    let refusal = match answered {
        Ok(response) => return response,
        Err(refusal) => refusal,
    };
    let trace = simulator.count_refusal(&refusal);
    match refusal {
        Refusal::Graph(error) => error.respond(trace),
        Refusal::Bare(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "the upstream server did not answer").into_response()
        }
        Refusal::Silence { hang_ms } => {
            simulator.hang(Duration::from_millis(hang_ms)).await;
            if let Some(Extension(ConnectInfo(cutter))) = cutter {
                cutter.cut();
            }
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The path without a leading version such as `v23.0`.
fn segments(path: &str) -> Vec<String> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    segments.next_if(|first| is_version(first));
    segments.map(str::to_owned).collect()
}

fn is_version(segment: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let version = segment.strip_prefix('v').and_then(|version| version.split_once('.'));
    version.is_some_and(|(major, minor)| number(major) && number(minor))
}

impl Simulator {
    async fn answer(&self, call: &Call, body: Body) -> Answered {
        let token = {
            let mut world = self.world();
            world.ledger.count_call();
            world.accounts.authorize(&call.headers, call.query.get("access_token").map(String::as_str))?
        };
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        if let (&Method::POST, [number, "messages"]) = (&call.method, segments.as_slice()) {
            return self.send(number, token, read(body, JSON_MOST).await?).await;
        }
        let target = match segments.as_slice() {
            [_, "message_templates"] => FaultTarget::Templates,
            [_, "product_catalogs" | "products"] => FaultTarget::Catalogs,
            [_, "media"] | ["whatsapp_business", "attachments"] => FaultTarget::Media,
            _ => FaultTarget::Other,
        };
        self.inject(target).await?;
        match (&call.method, segments.as_slice()) {
            (_, [account, "message_templates"]) => self.message_templates(call, account, token, body).await,
            (&Method::POST, [number, "media"]) => self.upload(call, number, token, body).await,
            (&Method::GET, ["whatsapp_business", "attachments"]) => self.download(call),
            (&Method::GET, [account, "product_catalogs"]) => {
                self.confirm_account(account, token)?;
                let address = address(call);
                Ok(Json(catalogs::of_account(&self.world(), account, &call.query, &address)?).into_response())
            }
            (&Method::GET, [catalog, "products"]) => {
                let of = (*catalog, token);
                Ok(Json(catalogs::products(&self.world(), of, &call.query, &address(call))?).into_response())
            }
            (&Method::GET, [account, "phone_numbers"]) => self.phone_numbers(call, account, token),
            (&Method::POST | &Method::DELETE, [account, "subscribed_apps"]) => {
                self.confirm_account(account, token)?;
                Ok(Json(json!({ "success": true })).into_response())
            }
            (&Method::GET, [account, "subscribed_apps"]) => {
                self.confirm_account(account, token)?;
                Ok(Json(json!({ "data": [] })).into_response())
            }
            (&Method::POST, [_, "uploads"]) => {
                Ok(Json(media::open_upload(&mut self.world(), &call.query)?).into_response())
            }
            (&Method::POST, [upload]) if upload.starts_with("upload:") => {
                let received = read(body, UPLOAD_MOST).await?.len();
                Ok(Json(media::finish_upload(&mut self.world(), upload, received)?).into_response())
            }
            (&Method::DELETE, [id]) => Ok(Json(media::delete(&mut self.world(), id)?).into_response()),
            (&Method::GET, [id]) => Ok(Json(self.node(call, id, token)?).into_response()),
            (_, [id, ..]) => Err(GraphError::unknown_object(id).into()),
            (_, []) => Err(GraphError::unknown_object("").into()),
        }
    }

    /// `POST /{phone_number_id}/messages`
    async fn send(&self, number: &str, token: Token, body: Bytes) -> Answered {
        let now_ms = self.now_ms();
        let (number, draft, injected) = {
            let world = &mut *self.world();
            let (number, line) = world.accounts.number(number, token)?;
            if let Some(line) = line {
                world.remember(&line);
            }
            match messages::validate(world, &number, token, &body, now_ms)? {
                MessageRequest::Read => return Ok(Json(json!({ "success": true })).into_response()),
                MessageRequest::Message(draft) => {
                    let injected = world.faults.decide(FaultTarget::Messages, Some(&draft.to));
                    (number, draft, injected)
                }
            }
        };
        let mut failed = None;
        let mut hang = None;
        if let Some(injected) = injected {
            self.hang(Duration::from_millis(injected.delay_ms)).await;
            match injected.effect {
                Effect::Refuse(refusal) => return Err(refusal),
                Effect::AcceptThenHang { hang_ms } => hang = Some(hang_ms),
                Effect::FailLater(code) => failed = Some(code),
                Effect::Nothing => {}
            }
        }
        // The clock is read inside the lock, so that acceptances are in the order of their time.
        let answer = {
            let world = &mut *self.world();
            messages::accept(world, &number, draft, &body, failed, self.now_ms())?
        };
        self.shared.wake.notify_one();
        match hang {
            Some(hang_ms) => Err(Refusal::Silence { hang_ms }),
            None => Ok(Json(answer).into_response()),
        }
    }

    /// Applies the fault rules for calls that are no messages.
    async fn inject(&self, target: FaultTarget) -> Result<(), Refusal> {
        let Some(injected) = self.world().faults.decide(target, None) else { return Ok(()) };
        self.hang(Duration::from_millis(injected.delay_ms)).await;
        match injected.effect {
            Effect::Refuse(refusal) => Err(refusal),
            Effect::AcceptThenHang { hang_ms } => Err(Refusal::Silence { hang_ms }),
            Effect::FailLater(_) | Effect::Nothing => Ok(()),
        }
    }

    async fn message_templates(&self, call: &Call, account: &str, token: Token, body: Body) -> Answered {
        self.confirm_account(account, token)?;
        let body = read(body, JSON_MOST).await?;
        let now_ms = self.now_ms();
        let answer = {
            let world = &mut *self.world();
            match call.method {
                Method::GET => templates::list(world, account, &call.query, &address(call), now_ms)?,
                Method::POST => {
                    let request = serde_json::from_slice(&body)
                        .map_err(|_| GraphError::parameter("The request body is not valid JSON."))?;
                    templates::create(world, account, &request, now_ms)?
                }
                Method::DELETE => templates::delete(world, account, &call.query, now_ms)?,
                _ => return Err(GraphError::unknown_object(account).into()),
            }
        };
        self.shared.wake.notify_one();
        Ok(Json(answer).into_response())
    }

    async fn upload(&self, call: &Call, number: &str, token: Token, body: Body) -> Answered {
        self.confirm_number(number, token)?;
        let content_type = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = content_type.and_then(|value| multer::parse_boundary(value).ok());
        let boundary = boundary.ok_or_else(|| GraphError::parameter("The parameter file is required."))?;
        let body = Body::from(read(body, UPLOAD_MOST).await?);
        let form = media::read_form(boundary, body).await?;
        Ok(Json(media::upload(&mut self.world(), form)?).into_response())
    }

    fn download(&self, call: &Call) -> Answered {
        let found = media::download(&self.world(), &call.query, self.now_ms());
        match found {
            Some((mime_type, bytes)) => Ok(([(header::CONTENT_TYPE, mime_type)], bytes).into_response()),
            None => Ok((StatusCode::NOT_FOUND, "URL signature expired").into_response()),
        }
    }

    fn phone_numbers(&self, call: &Call, account: &str, token: Token) -> Answered {
        self.confirm_account(account, token)?;
        let world = self.world();
        let nodes: Vec<Value> =
            world.accounts.numbers_of(token).map(|number| chosen(number.node(), &call.query)).collect();
        let mut answer = json!({ "data": nodes });
        if !nodes.is_empty() {
            answer["paging"] = json!({ "cursors": { "before": "MAZDZD", "after": "MAZDZD" } });
        }
        Ok(Json(answer).into_response())
    }

    /// `GET /{id}`: a medium, a template, a catalog, a business account or a phone number.
    fn node(&self, call: &Call, id: &str, token: Token) -> Result<Value, GraphError> {
        let now_ms = self.now_ms();
        let world = self.world();
        if let Some(info) = world.media.get(id) {
            return Ok(media::node(&world, info, host(&call.headers), now_ms));
        }
        if let Some(template) = world.templates.get(id) {
            return Ok(templates::node(template, None, now_ms));
        }
        if let Some(catalog) = world.catalogs.get(id).filter(|one| world.accounts.owns(token, &one.account)) {
            return Ok(catalogs::node(catalog, &call.query));
        }
        if world.accounts.knows_account(id) {
            return Ok(json!({ "id": id, "name": "Test Account" }));
        }
        // A question about a number's fields registers it; anything else may be a deleted medium.
        let fields = call.query.get("fields").map(String::as_str).unwrap_or_default();
        let about_a_number = ["display_phone_number", "verified_name", "quality_rating", "throughput"];
        let about_a_number = about_a_number.iter().any(|field| fields.contains(field));
        let registers = about_a_number && world.accounts.registers_numbers();
        if !registers && world.accounts.known_number(id).is_none() {
            return Err(GraphError::unknown_object(id));
        }
        drop(world);
        let number = self.confirm_number(id, token)?;
        Ok(chosen(number.node(), &call.query))
    }

    fn confirm_number(&self, id: &str, token: Token) -> Result<Number, GraphError> {
        let mut world = self.world();
        let (number, line) = world.accounts.number(id, token)?;
        if let Some(line) = line {
            world.remember(&line);
        }
        Ok(number)
    }

    fn confirm_account(&self, id: &str, token: Token) -> Result<(), GraphError> {
        let mut world = self.world();
        if let Some(line) = world.accounts.account(id, token)? {
            world.remember(&line);
        }
        Ok(())
    }

    /// Waits, or returns at once when the simulator stops.
    async fn hang(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        let mut closing = self.shared.closing.subscribe();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    /// Counts a refusal and returns the number its trace id is made of.
    fn count_refusal(&self, refusal: &Refusal) -> u64 {
        let kind = match refusal {
            Refusal::Graph(error) => error.code.to_string(),
            Refusal::Bare(status) => format!("http_{status}"),
            Refusal::Silence { .. } => "silence".to_owned(),
        };
        let mut world = self.world();
        world.ledger.count_error(kind);
        world.entropy.next_u64()
    }
}

/// The node reduced to the wanted `fields`; the id is always there.
fn chosen(node: Map<String, Value>, query: &BTreeMap<String, String>) -> Value {
    let Some(fields) = query.get("fields") else { return Value::Object(node) };
    // `throughput{level}` asks for the whole object.
    let wanted: Vec<&str> = fields.split(',').filter_map(|field| field.trim().split('{').next()).collect();
    node.into_iter().filter(|(name, _)| name == "id" || wanted.contains(&name.as_str())).collect()
}

/// The request without its query.
fn address(call: &Call) -> String {
    format!("http://{}{}", host(&call.headers), call.path)
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1")
}

async fn read(body: Body, most: usize) -> Result<Bytes, GraphError> {
    let too_large = |_| GraphError::parameter(format!("The request body is larger than {most} bytes."));
    to_bytes(body, most).await.map_err(too_large)
}
