//! Sends one-time codes: by a template for authentication over WhatsApp.

use domain::account::{Account, Number};
use domain::channel::Channel;
use domain::message::{Address, Category, Content};
use domain::template::{ButtonParam, Params, Place, Template, TemplateStatus, all_slots};
use domain::verification::{LIFETIME_MS, OneTimeCode, check_number};
use domain::{MessageId, PhoneNumber};
use jiff::Timestamp;
use ops::verification::{AskedFrom, admit};
use ops::{Caller, Code, Error, Result, SendRequest, senders};
use store::verification::Granted;

use crate::messages::{self, Outgoing};
use crate::template_call::{TemplateValues, fill};
use crate::{Services, routes, templates};

/// How a code is to be sent.
#[derive(Debug, Clone, Default)]
pub struct CodeRequest {
    /// The account that sends it; without one, the first that can.
    pub account: Option<Account>,
    /// The only channel; without one, WhatsApp where there is a template for it, else SMS.
    pub channel: Option<Channel>,
    /// The name of the template; without one, the first that Meta approved.
    pub template: Option<String>,
    /// The language of the template, such as `it` or `pt_BR`.
    pub language: Option<String>,
    /// Where the request comes from.
    pub from: AskedFrom,
}

/// A code that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    /// Our id of its message.
    pub id: MessageId,
    /// The channel's.
    pub provider_id: String,
    /// How it was sent.
    pub channel: Channel,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Sends a new code to a number, in the place of the one before. The code itself is in no answer
/// and in no history.
///
/// # Errors
/// [`Code::InvalidField`] names `to` for numbers that get none, `template` or `language`;
/// [`Code::NoDevice`] when only an SMS would do; [`Code::RateLimited`] when there were too many;
/// and as [`messages::send`].
pub async fn send(
    services: &Services,
    caller: &Caller,
    to: PhoneNumber,
    asked: CodeRequest,
    request: SendRequest,
) -> Result<SentCode> {
    check_number(&to)?;
    let (store, tenant) = (&services.store, caller.tenant_id());
    let (account, number, template) = way_out(services, caller, &asked).await?;
    let channel = Channel::Whatsapp;
    // Of a request that broke off after it sent: another code would put that one out of use.
    if let Some(message) = request.earlier(store, tenant, account.id).await? {
        let expires_ms = message.id.timestamp_ms() + LIFETIME_MS;
        let expires_at = Timestamp::from_millisecond(expires_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let provider_id = message.progress.provider_id.unwrap_or_default();
        return Ok(SentCode { id: message.id, provider_id, channel, expires_at });
    }
    let admitted = admit(store, tenant, &to, asked.from).await?;
    let sent = Box::pin(deliver(services, caller, &to, (&account, &number, &template), request)).await;
    if sent.as_ref().is_err_and(|error| error.code != Code::ProviderTimeout) {
        admitted.withdraw(store, tenant).await;
    }
    sent
}

/// Draws a code, keeps it, and sends it.
async fn deliver(
    services: &Services,
    caller: &Caller,
    to: &PhoneNumber,
    (account, number, template): (&Account, &Number, &Template),
    request: SendRequest,
) -> Result<SentCode> {
    let (store, tenant) = (&services.store, caller.tenant_id());
    let code = OneTimeCode::draw(store.entropy());
    let address = Address::Phone(to.clone());
    let values = TemplateValues { params: params(template, &code), ..TemplateValues::default() };
    let filled = fill(services, tenant, account, &number.id, template, (&address, values)).await;
    let content = filled.map_err(|error| of_template(template, error))?;
    // Kept before it is sent: whoever has it can use it, whatever becomes of this request.
    let expires_at = match store.put_code(tenant, &to.key(), &code, request.id).await? {
        Granted::Until(at) => at,
        Granted::NotYet(seconds) => {
            let message = format!("this number got as many codes as it may: wait {seconds} seconds");
            return Err(Error::new(Code::RateLimited, message).after(seconds));
        }
    };
    let new = Outgoing { to: address, content, sender: Some(number.id.clone()), is_secret: true };
    let sent = Box::pin(messages::send(services, caller, account, new, request)).await?;
    Ok(SentCode { id: sent.id, provider_id: sent.provider_id, channel: Channel::Whatsapp, expires_at })
}

/// The account, the number and the template that a code goes out by.
async fn way_out(
    services: &Services,
    caller: &Caller,
    asked: &CodeRequest,
) -> Result<(Account, Number, Template)> {
    let (store, tenant) = (&services.store, caller.tenant_id());
    let accounts = match &asked.account {
        Some(account) => vec![account.clone()],
        None => store.accounts(tenant).await?,
    };
    let by_whatsapp = asked.channel != Some(Channel::Sms);
    let mut why = None;
    for account in accounts.iter().filter(|_| by_whatsapp) {
        let number = match senders::number(account, None) {
            Ok(number) => number,
            Err(error) => {
                why = why.or(Some(error));
                continue;
            }
        };
        let listed = templates::list(store, &services.graph, tenant, number).await?;
        match pick(listed, asked.template.as_deref(), asked.language.as_deref()) {
            Ok(template) => return Ok((account.clone(), number.clone(), template)),
            Err(error) => why = Some(error),
        }
    }
    match (&asked.channel, why) {
        // What was asked for by its name is not there.
        (_, Some(error)) if asked.template.is_some() && error.code == Code::InvalidField => Err(error),
        (None, _) => {
            let lacks = no_sms(services, caller, accounts.first()).await;
            let message =
                format!("{}, and no WhatsApp number has an approved AUTHENTICATION template", lacks.message);
            Err(Error { message, ..lacks })
        }
        (Some(Channel::Sms), _) => Err(no_sms(services, caller, accounts.first()).await),
        (Some(_), Some(error)) => Err(Error { field: None, ..error }),
        (Some(_), None) => {
            Err(Error::new(Code::NoNumber, "no WhatsApp number is connected to any of the accounts"))
        }
    }
}

/// Why no SMS is sent.
async fn no_sms(services: &Services, caller: &Caller, account: Option<&Account>) -> Error {
    match account {
        Some(account) => {
            let route = routes::choose(services, caller.tenant_id(), account, &Channel::Sms, None).await;
            route.err().unwrap_or_else(|| Error::new(Code::NoDevice, "no SMS phone sends codes"))
        }
        None => Error::new(Code::NoDevice, "no SMS phone is paired"),
    }
}

/// The template of a code: the one that is named, else the first.
fn pick(listed: Vec<Template>, name: Option<&str>, language: Option<&str>) -> Result<Template> {
    let name = name.map(str::trim);
    let mut found: Vec<Template> = listed
        .into_iter()
        .filter(|template| name.is_none_or(|name| [&template.name, &template.id].contains(&&name.to_owned())))
        .collect();
    let is_known = !found.is_empty();
    found.retain(|template| template.category == Some(Category::Authentication));
    found.retain(|template| template.status == TemplateStatus::Approved);
    if found.is_empty() {
        let message = match (name, is_known) {
            (Some(name), true) => format!("the template {name} is no approved AUTHENTICATION template"),
            (Some(name), false) => format!("there is no template named {name}"),
            (None, _) => "there is no approved AUTHENTICATION template".to_owned(),
        };
        return Err(Error::invalid("template", message));
    }
    let Some(language) = language.map(|language| language.trim().replace('-', "_")) else {
        return Ok(found.swap_remove(0));
    };
    let base = |language: &str| language.split('_').next().unwrap_or_default().to_ascii_lowercase();
    let exact = found.iter().position(|template| template.language.eq_ignore_ascii_case(&language));
    let nearest = || found.iter().position(|template| base(&template.language) == base(&language));
    match exact.or_else(nearest) {
        Some(at) => Ok(found.swap_remove(at)),
        None => {
            let known: Vec<&str> = found.iter().map(|template| template.language.as_str()).collect();
            let message =
                format!("there is no template for codes in {language}: there are {}", known.join(", "));
            Err(Error::invalid("language", message))
        }
    }
}

/// The code in the body, and in each button that takes one.
fn params(template: &Template, code: &OneTimeCode) -> Params {
    let buttons = all_slots(template).into_iter().filter(|slot| match slot.place {
        Place::Button(_, kind) => kind.takes_text() && slot.card.is_none(),
        Place::HeaderText(_)
        | Place::HeaderMedia(_)
        | Place::HeaderLocation
        | Place::HeaderProduct
        | Place::Body(_)
        | Place::Offer
        | Place::Unknown(_) => false,
    });
    let buttons = buttons.map(|_| ButtonParam::from(code.expose())).collect();
    Params { body: vec![code.expose().to_owned()], buttons, ..Params::default() }
}

/// A template for codes that wants more than a code.
fn of_template(template: &Template, error: Error) -> Error {
    match error.code == Code::InvalidField {
        true => Error::invalid("template", format!("the template {} takes more than a code", template.name)),
        false => error,
    }
}

/// A code's message as it is written down: what fills its template is left out.
pub(crate) fn concealed(content: &Content) -> Content {
    match content {
        Content::Template(call) => {
            let mut call = call.clone();
            call.components.clear();
            Content::Template(call)
        }
        Content::Text { .. }
        | Content::Media { .. }
        | Content::Buttons { .. }
        | Content::List { .. }
        | Content::Commerce(_) => Content::Text { body: String::new() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(name: &str, language: &str, category: Category, status: TemplateStatus) -> Template {
        let button = json!({"type": "URL", "url": "https://www.whatsapp.com/otp/code/?code=otp{{1}}"});
        Template {
            id: format!("id-{name}"),
            name: name.to_owned(),
            language: language.to_owned(),
            category: Some(category),
            status,
            components: vec![
                json!({"type": "BODY", "text": "*{{1}}* is your code."}),
                json!({"type": "BUTTONS", "buttons": [button]}),
            ],
        }
    }

    fn listed() -> Vec<Template> {
        let code = |language| template("code", language, Category::Authentication, TemplateStatus::Approved);
        vec![
            template("avviso", "it", Category::Utility, TemplateStatus::Approved),
            code("en"),
            code("pt_BR"),
            template("login", "it", Category::Authentication, TemplateStatus::Pending),
        ]
    }

    #[test]
    fn the_template_is_one_for_codes_in_the_language_that_is_asked_for() {
        let picked = |name, language| pick(listed(), name, language).map(|template| template.language);
        for (name, language, want) in [
            (None, None, "en"),
            (Some("code"), None, "en"),
            (Some("id-code"), Some("pt_BR"), "pt_BR"),
            (None, Some("pt-br"), "pt_BR"),
            (None, Some("pt"), "pt_BR"),
            (None, Some("en_GB"), "en"),
        ] {
            assert_eq!(picked(name, language).unwrap(), want);
        }
        for (name, language, field) in [
            (Some("avviso"), None, "template"),
            (Some("login"), None, "template"),
            (Some("nulla"), None, "template"),
            (None, Some("it"), "language"),
        ] {
            assert_eq!(picked(name, language).unwrap_err().field.as_deref(), Some(field));
        }
    }

    #[test]
    fn a_code_is_in_body_and_button_and_is_not_written_down() {
        let code = OneTimeCode::parse("012345").unwrap();
        let params = params(&listed()[1], &code);
        assert_eq!((params.body, params.buttons), (vec!["012345".to_owned()], vec!["012345".into()]));
        let call = domain::message::TemplateCall {
            name: "code".to_owned(),
            language: "en".to_owned(),
            components: vec![json!({"type": "body", "parameters": [{"type": "text", "text": "012345"}]})],
        };
        let (_, kept) = channels::cloud::content(&concealed(&Content::Template(call)));
        assert!(!kept.to_string().contains("012345"), "{kept}");
    }
}
