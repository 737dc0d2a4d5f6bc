//! The rules for a template's buttons.

use serde_json::Value;

use super::refusals::{missing_sample, too_long};
use crate::graph::{
    errors::GraphError,
    fields::{field, kind, text},
    state::variables,
};

const MOST: usize = 10;
const TEXT_MOST: usize = 25;
const URL_MOST: usize = 2_000;
const PHONE_MOST: usize = 20;
const CODE_MOST: usize = 15;

fn refused(problem: impl Into<String>) -> GraphError {
    GraphError::template(2_388_000, "Invalid buttons", problem)
}

pub(super) fn check(component: &Value) -> Result<(), GraphError> {
    let buttons = field(component, "buttons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if buttons.is_empty() || buttons.len() > MOST {
        return Err(refused(format!("a template has 1 to {MOST} buttons")));
    }
    let kinds: Vec<String> = buttons.iter().map(kind).collect();
    for (button, kind) in buttons.iter().zip(&kinds) {
        check_one(button, kind)?;
    }
    for (kind, most) in [
        ("URL", 2),
        ("PHONE_NUMBER", 1),
        ("COPY_CODE", 1),
        ("FLOW", 1),
        ("CATALOG", 1),
        ("MPM", 1),
        ("SPM", 1),
        ("ORDER_DETAILS", 1),
    ] {
        if kinds.iter().filter(|known| *known == kind).count() > most {
            return Err(refused(format!("at most {most} buttons may be of type {kind}")));
        }
    }
    let quick = |kind: &String| kind == "QUICK_REPLY";
    let changes = kinds.windows(2).filter(|pair| quick(&pair[0]) != quick(&pair[1])).count();
    if changes > 1 {
        return Err(refused("quick reply buttons must stand together"));
    }
    Ok(())
}

fn check_one(button: &Value, kind: &str) -> Result<(), GraphError> {
    if kind != "COPY_CODE" {
        let label = text(button, "text").filter(|label| !label.trim().is_empty());
        let label = label.ok_or_else(|| refused("a button needs a text"))?;
        if label.chars().count() > TEXT_MOST {
            return Err(too_long("button", TEXT_MOST));
        }
        if label.contains("{{") {
            return Err(refused("a button's text has no variables"));
        }
    }
    match kind {
        "QUICK_REPLY" | "CATALOG" | "MPM" | "SPM" | "VOICE_CALL" | "ORDER_DETAILS" => Ok(()),
        "URL" => check_url(button),
        "PHONE_NUMBER" => check_phone(button),
        "COPY_CODE" => check_code(button),
        "FLOW" => {
            let flow = ["flow_id", "flow_name", "flow_json"].iter().any(|name| field(button, name).is_some());
            if flow { Ok(()) } else { Err(refused("a flow button needs flow_id, flow_name or flow_json")) }
        }
        "OTP" => Err(refused("an OTP button belongs to an AUTHENTICATION template")),
        other => Err(refused(format!("unknown button type {other}"))),
    }
}

fn check_url(button: &Value) -> Result<(), GraphError> {
    let url = text(button, "url").ok_or_else(|| refused("a URL button needs a url"))?;
    if url.chars().count() > URL_MOST {
        return Err(too_long("url", URL_MOST));
    }
    let names = variables::names(url);
    let fixed = url.replace("{{1}}", "");
    if fixed.contains("{{") || names.len() > 1 || (names.len() == 1 && !url.ends_with("{{1}}")) {
        return Err(refused("a url has one variable, {{1}}, at its end"));
    }
    if !url::Url::parse(&fixed).is_ok_and(|parsed| matches!(parsed.scheme(), "http" | "https")) {
        return Err(refused("the url is not valid"));
    }
    let samples = field(button, "example").and_then(Value::as_array).map_or(0, Vec::len);
    if names.len() == 1 && samples != 1 { Err(missing_sample("BUTTONS")) } else { Ok(()) }
}

fn check_phone(button: &Value) -> Result<(), GraphError> {
    let phone = text(button, "phone_number").unwrap_or_default();
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    let good =
        !digits.is_empty() && phone.len() <= PHONE_MOST && digits.bytes().all(|byte| byte.is_ascii_digit());
    if good {
        Ok(())
    } else {
        Err(refused("a phone number button needs a phone_number of at most 20 digits"))
    }
}

fn check_code(button: &Value) -> Result<(), GraphError> {
    let sample = match field(button, "example") {
        Some(Value::String(sample)) => Some(sample.as_str()),
        Some(Value::Array(samples)) => samples.first().and_then(Value::as_str),
        _ => None,
    };
    match sample {
        None => Err(missing_sample("BUTTONS")),
        Some(sample) if sample.chars().count() > CODE_MOST => Err(too_long("code", CODE_MOST)),
        Some(_) => Ok(()),
    }
}
