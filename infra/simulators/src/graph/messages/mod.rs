//! `POST /{phone_number_id}/messages`: validation, limits, acceptance.

mod commerce;
mod content;
mod fields;
mod interactive;
mod medium;
mod template;

use std::sync::Arc;

use serde_json::{Value, json};

use self::fields::{Checked, invalid, need_object, need_text, wrong_type};
use super::{
    clock::mix,
    errors::GraphError,
    fields::field,
    hash,
    ids::{is_user_id, wamid},
    state::{
        accounts::{Number, Token},
        journal::Line,
        lifecycle::{self, Category, Message},
        limits::{self, pair},
        world::World,
    },
};

const CALLBACK_MOST: usize = 512;

/// A request that passed validation.
#[derive(Debug)]
pub(crate) enum MessageRequest {
    /// A read receipt, with or without a typing indicator.
    Read,
    Message(Draft),
}

/// A valid message that is not accepted yet.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The recipient as the caller wrote it.
    input: String,
    pub(crate) to: String,
    category: Category,
    callback: Option<String>,
    /// Hash of number, recipient and content.
    content: u64,
}

/// Validates a request against the protocol and what the simulator knows.
pub(crate) fn validate(
    world: &World,
    number: &Number,
    token: Token,
    body: &[u8],
    now_ms: u64,
) -> Checked<MessageRequest> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| GraphError::parameter("The request body is not valid JSON."))?;
    if need_text(&body, "", "messaging_product")? != "whatsapp" {
        return Err(GraphError::parameter("Param messaging_product must be one of {WHATSAPP}."));
    }
    if field(&body, "status").is_some() {
        return receipt(&body);
    }
    if field(&body, "recipient_type").is_some_and(|kind| kind != "individual") {
        return Err(GraphError::parameter("Param recipient_type must be one of {INDIVIDUAL}."));
    }
    let (input, to) = recipient(&body)?;
    let callback = callback(&body)?;
    if field(&body, "context").is_some() {
        need_text(need_object(&body, "", "context")?, "context", "message_id")?;
    }
    let kind = match field(&body, "type") {
        Some(_) => need_text(&body, "", "type")?.to_ascii_lowercase(),
        None => implied_kind(&body).to_owned(),
    };
    let category = if kind == "template" {
        template::check(world, token, &body, now_ms)?
    } else {
        content::check(&kind, &body, world, token)?;
        Category::Service
    };
    let content = field(&body, &kind).map(Value::to_string).unwrap_or_default();
    let content = hash::of(&[&number.id, &to, &content]);
    Ok(MessageRequest::Message(Draft { input, to, category, callback, content }))
}

fn receipt(body: &Value) -> Checked<MessageRequest> {
    if need_text(body, "", "status")? != "read" {
        return Err(GraphError::parameter("Param status must be one of {READ}."));
    }
    need_text(body, "", "message_id")?;
    if let Some(indicator) = field(body, "typing_indicator")
        && field(indicator, "type").is_none_or(|kind| kind != "text")
    {
        return Err(GraphError::parameter("Param typing_indicator['type'] must be one of {TEXT}."));
    }
    Ok(MessageRequest::Read)
}

/// Meta's own examples leave the type out of texts and of interactive messages.
fn implied_kind(body: &Value) -> &'static str {
    if field(body, "interactive").is_some() { "interactive" } else { "text" }
}

/// The recipient as written and as WhatsApp knows it: `to` is a phone number, `recipient` a
/// business-scoped user id.
fn recipient(body: &Value) -> Checked<(String, String)> {
    if field(body, "to").is_some() {
        let input = need_text(body, "", "to")?;
        let digits = input.strip_prefix('+').unwrap_or(input);
        let good = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !good {
            return Err(invalid("to: not a valid phone number"));
        }
        return Ok((input.to_owned(), digits.to_owned()));
    }
    if field(body, "recipient").is_none() {
        return Err(GraphError::parameter("The parameter to is required."));
    }
    let input = need_text(body, "", "recipient")?;
    if !is_user_id(input) {
        return Err(invalid("recipient: not a valid business-scoped user id"));
    }
    Ok((input.to_owned(), input.to_owned()))
}

fn callback(body: &Value) -> Checked<Option<String>> {
    let Some(value) = field(body, "biz_opaque_callback_data") else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| wrong_type("", "biz_opaque_callback_data", "a string"))?;
    if text.chars().count() > CALLBACK_MOST {
        let problem =
            format!("Param biz_opaque_callback_data must be at most {CALLBACK_MOST} characters long.");
        return Err(GraphError::parameter(problem));
    }
    Ok(Some(text.to_owned()))
}

/// Accepts a message unless a window or a limit refuses it.
///
/// `failed` lets it fail later with this code. The answer is Meta's.
pub(crate) fn accept(
    world: &mut World,
    number: &Number,
    draft: Draft,
    body: &[u8],
    failed: Option<u32>,
    now_ms: u64,
) -> Checked<Value> {
    check_limits(world, number, &draft, now_ms)?;
    let seq = world.next_seq();
    let plan = lifecycle::plan(&world.settings, &mut world.entropy, failed);
    let message = Message {
        seq,
        wamid: wamid(&draft.to, mix(world.id_key ^ seq)),
        number: number.id.clone(),
        wa_id: world.settings.wa_ids.get(&draft.to).cloned(),
        to: draft.to,
        callback: draft.callback,
        category: draft.category,
        accepted_ms: now_ms,
        plan,
    };
    if world.is_journaled() {
        let body = String::from_utf8_lossy(body).into_owned();
        world.remember(&Line::Message { message: message.clone(), content: draft.content, body });
    }
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": draft.input, "wa_id": message.wa_id() }],
        "messages": [{ "id": message.wamid, "message_status": "accepted" }],
    });
    let message = Arc::new(message);
    if world.webhook_url.is_some() {
        world.outbox.plan(&message, 0);
    }
    world.count(&message, draft.content, body);
    Ok(answer)
}

fn check_limits(world: &mut World, number: &Number, draft: &Draft, now_ms: u64) -> Checked {
    let pair = pair(&number.id, &draft.to);
    let free_form = draft.category == Category::Service;
    if free_form && world.settings.enforce_window && !world.windows.is_open(pair, now_ms) {
        return Err(GraphError::new(
            131_047,
            "Message failed to send because more than 24 hours have passed since the customer last replied \
             to this number.",
        ));
    }
    let recent = world.ledger.accepted_in_last_second(&number.id, now_ms);
    if !limits::within_throughput(world.settings.throughput_per_second, recent) {
        let problem = "Message failed to send because there were too many messages sent from this phone number \
                       in a short period of time";
        return Err(GraphError::new(130_429, problem));
    }
    if world.settings.pair_limit && !world.pairs.allows(pair, now_ms) {
        let problem = "Message failed to send because there were too many messages sent from this phone number \
                       to the same phone number in a short period of time";
        return Err(GraphError::new(131_056, problem));
    }
    Ok(())
}
