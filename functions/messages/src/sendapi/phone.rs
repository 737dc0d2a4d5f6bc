//! `/v1/phone/validate`

use api_http::{Caller, Given, Input, PhoneText, Reply, Required, Result, country_of, request};
use axum::extract::State;
use domain::CallingCode;
use ops::reachability::on_whatsapp;
use serde::Serialize;
use store::Store;

request! {
    /// `POST /v1/phone/validate`
    pub(crate) struct ValidatePhone {
        phone: Required<PhoneText> = named("phone" | "to" | "number" | "phone_number"),
        country: Given<CallingCode> = named("country" | "country_code"),
    }
}

/// What is known of a number; of one that cannot be read, why.
#[derive(Serialize, Default)]
struct Shown {
    valid: bool,
    phone: Option<String>,
    e164: Option<String>,
    country: Option<String>,
    calling_code: Option<String>,
    r#type: &'static str,
    national_format: Option<String>,
    international_format: Option<String>,
    on_whatsapp: Option<bool>,
    reason: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Validated {
    data: Shown,
}

/// `POST /v1/phone/validate`: looks a number up, and makes nothing.
pub(crate) async fn validate(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input<ValidatePhone>,
) -> Result<Reply<200, Validated>> {
    let asked = input.read();
    let phone = asked.phone.get()?;
    let country = match asked.country.get()? {
        Some(country) => Some(country),
        None => country_of(&store, &caller, Some(&phone)).await?,
    };
    let number = match phone.parse(country) {
        Ok(number) => number,
        Err(wrong) => {
            let data = Shown { r#type: "unknown", reason: Some(wrong.message), ..Shown::default() };
            return Ok(Reply(Validated { data }));
        }
    };
    let facts = number.facts();
    let why = || "the numbering plan of its country has no such number".to_owned();
    let data = Shown {
        valid: facts.is_valid,
        phone: Some(number.as_str().to_owned()),
        e164: Some(number.as_str().to_owned()),
        country: facts.country,
        calling_code: Some(facts.calling_code.to_string()),
        r#type: facts.kind.as_str(),
        national_format: Some(facts.national),
        international_format: Some(facts.international),
        on_whatsapp: on_whatsapp(&store, caller.tenant_id(), &number).await?,
        reason: (!facts.is_valid).then(why),
    };
    Ok(Reply(Validated { data }))
}
