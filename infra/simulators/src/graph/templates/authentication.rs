//! AUTHENTICATION templates: Meta writes the texts, the caller chooses options.

use serde_json::{Value, json};

use super::refusals::{BODY, too_long};
use crate::graph::{
    errors::GraphError,
    fields::{by_kind, field, kind, text},
};

const OTP_URL: &str = "https://www.whatsapp.com/otp/code/?otp_type=";

fn refused(problem: &str) -> GraphError {
    GraphError::template(BODY, "Invalid authentication template", problem)
}

/// Checks the components and returns them as the template will show them.
pub(super) fn check(components: &[Value]) -> Result<Vec<Value>, GraphError> {
    if by_kind(components, "HEADER").is_some() {
        return Err(refused("an authentication template has no header"));
    }
    let body =
        by_kind(components, "BODY").ok_or_else(|| refused("an authentication template needs a body"))?;
    if text(body, "text").is_some() {
        return Err(refused("the body's text is fixed and must be absent"));
    }
    let footer = by_kind(components, "FOOTER").map(check_footer).transpose()?;
    let list = by_kind(components, "BUTTONS")
        .and_then(|component| field(component, "buttons"))
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let [button] = list else {
        return Err(refused("an authentication template has exactly one OTP button"));
    };
    let mut shown = vec![shown_body(body)];
    shown.extend(footer);
    shown.push(check_button(button)?);
    Ok(shown)
}

fn shown_body(body: &Value) -> Value {
    let recommended = field(body, "add_security_recommendation").and_then(Value::as_bool).unwrap_or(false);
    let advice = if recommended { " For your security, do not share this code." } else { "" };
    json!({
        "type": "BODY",
        "text": format!("*{{{{1}}}}* is your verification code.{advice}"),
        "add_security_recommendation": recommended,
        "example": { "body_text": [["123456"]] },
    })
}

fn check_footer(footer: &Value) -> Result<Value, GraphError> {
    if text(footer, "text").is_some() {
        return Err(refused("the footer's text is fixed and must be absent"));
    }
    let minutes = field(footer, "code_expiration_minutes").and_then(Value::as_u64);
    let minutes = minutes
        .filter(|minutes| (1..=90).contains(minutes))
        .ok_or_else(|| refused("code_expiration_minutes must be between 1 and 90"))?;
    Ok(json!({
        "type": "FOOTER",
        "text": format!("This code expires in {minutes} minutes."),
        "code_expiration_minutes": minutes,
    }))
}

fn check_button(button: &Value) -> Result<Value, GraphError> {
    if kind(button) != "OTP" {
        return Err(refused("an authentication template has exactly one OTP button"));
    }
    let otp_type = text(button, "otp_type").unwrap_or_default().to_ascii_uppercase();
    match otp_type.as_str() {
        "COPY_CODE" => {}
        "ONE_TAP" | "ZERO_TAP" => {
            let signed = text(button, "package_name").is_some() && text(button, "signature_hash").is_some();
            let listed = field(button, "supported_apps")
                .and_then(Value::as_array)
                .is_some_and(|apps| !apps.is_empty());
            if !signed && !listed {
                return Err(refused("a one-tap button needs package_name and signature_hash"));
            }
        }
        _ => return Err(refused("otp_type must be COPY_CODE, ONE_TAP or ZERO_TAP")),
    }
    let label = text(button, "text").unwrap_or("Copy code");
    if label.chars().count() > 25 {
        return Err(too_long("button", 25));
    }
    let url = format!("{OTP_URL}{otp_type}&code=otp{{{{1}}}}");
    let sample = url.replace("{{1}}", "123456");
    let shown = json!({ "type": "URL", "text": label, "url": url, "example": [sample] });
    Ok(json!({ "type": "BUTTONS", "buttons": [shown] }))
}
