//! Templates that a caller creates.

use serde_json::{Value, json};

use super::samples::{self, FileSample};
use super::slot::upper;
use super::{rules, variables};
use crate::Invalid;
use crate::message::Category;

/// What a caller gives to create a template.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TemplateRequest {
    /// Lower-case letters, digits and underscores.
    pub name: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// Language code; `it` when absent.
    pub language: Option<String>,
    /// Header text, at most 60 characters.
    pub header: Option<String>,
    /// Body text, at most 1,024 characters.
    pub body: Option<String>,
    /// Footer text, at most 60 characters.
    pub footer: Option<String>,
    /// Meta's own `components`, instead of the simple fields.
    pub components: Option<Vec<Value>>,
}

/// A template ready to be sent to Meta for approval.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTemplate {
    /// Its name.
    pub name: String,
    /// Its language code.
    pub language: String,
    /// Its category.
    pub category: Category,
    /// Whether the variables have names instead of numbers.
    pub named: bool,
    /// Meta's `components`, with a sample for every variable.
    pub components: Vec<Value>,
}

impl NewTemplate {
    /// The headers, of cards too, that have no handle of an uploaded sample yet.
    pub fn file_samples(&self) -> Vec<FileSample> {
        samples::files(&self.components)
    }

    /// Gives a header the handle of its sample.
    pub fn set_handle(&mut self, sample: &FileSample, handle: &str) {
        let mut components = Value::from(std::mem::take(&mut self.components));
        if let Some(header) = components.pointer_mut(&sample.at) {
            header["example"] = json!({"header_handle": [handle]});
        }
        if let Value::Array(components) = components {
            self.components = components;
        }
    }
}

impl TemplateRequest {
    /// Checks the request and builds what Meta wants. Meta refuses variables
    /// without samples, and the contract has no field for them: we make one up
    /// for each.
    ///
    /// # Errors
    /// Names the field.
    pub fn build(self) -> Result<NewTemplate, Invalid> {
        let name_fits = !self.name.is_empty()
            && self.name.len() <= 512
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !name_fits {
            return Err(Invalid::new(
                "name",
                "name may only have lower-case letters, digits and underscores",
            ));
        }
        let category = Category::parse(&self.category)?;
        let language = self.language.filter(|l| !l.is_empty()).unwrap_or_else(|| "it".to_owned());
        if language.len() > 10 || !language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Invalid::new("language", "language must be a code such as it or en_US"));
        }
        let mut components = match self.components.filter(|c| !c.is_empty()) {
            Some(components) => components,
            None if category == Category::Authentication => authentication(),
            None => simple(self.header.as_deref(), self.body.as_deref(), self.footer.as_deref())?,
        };
        rules::check(&components, category)?;
        components.sort_by_key(rank);
        let named = samples::add(&mut components);
        Ok(NewTemplate { name: self.name, language, category, named, components })
    }
}

/// The order in which Meta shows components.
fn rank(component: &Value) -> usize {
    const ORDER: [&str; 6] = ["HEADER", "LIMITED_TIME_OFFER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL"];
    let kind = upper(component, "type");
    ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len())
}

/// Meta's fixed authentication text: only its switches may be chosen.
fn authentication() -> Vec<Value> {
    vec![
        json!({"type": "BODY", "add_security_recommendation": true}),
        json!({"type": "FOOTER", "code_expiration_minutes": 10}),
        json!({"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copia codice"}]}),
    ]
}

fn simple(header: Option<&str>, body: Option<&str>, footer: Option<&str>) -> Result<Vec<Value>, Invalid> {
    let given = |text: Option<&str>| text.map(str::to_owned).filter(|t| !t.trim().is_empty());
    let Some(body) = given(body) else {
        return Err(Invalid::new("body", "body is required when components is not given"));
    };
    check_text("body", &body, 1_024)?;
    check_sequence("body", &body)?;
    let mut components = Vec::new();
    if let Some(header) = given(header) {
        check_text("header", &header, 60)?;
        if variables(&header).len() > 1 {
            return Err(Invalid::new("header", "header may have at most one variable"));
        }
        check_sequence("header", &header)?;
        components.push(json!({"type": "HEADER", "format": "TEXT", "text": header}));
    }
    components.push(json!({"type": "BODY", "text": body}));
    if let Some(footer) = given(footer) {
        check_text("footer", &footer, 60)?;
        if !variables(&footer).is_empty() {
            return Err(Invalid::new("footer", "footer may not have variables"));
        }
        components.push(json!({"type": "FOOTER", "text": footer}));
    }
    Ok(components)
}

fn check_text(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    if text.chars().count() > most {
        return Err(Invalid::new(field, format!("{field} may have at most {most} characters")));
    }
    Ok(())
}

/// Numbered variables run from {{1}} without gaps.
fn check_sequence(field: &str, text: &str) -> Result<(), Invalid> {
    let mut numbers: Vec<usize> = variables(text).iter().filter_map(|v| v.parse().ok()).collect();
    numbers.sort_unstable();
    if numbers.iter().enumerate().any(|(i, n)| *n != i + 1) {
        return Err(Invalid::new(
            field,
            format!("the variables of {field} must be {{{{1}}}}, {{{{2}}}}, ... without gaps"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> TemplateRequest {
        TemplateRequest {
            name: "promo_estate".into(),
            category: "MARKETING".into(),
            header: Some("Offerta speciale".into()),
            body: Some("Ciao {{1}}, sconto del {{2}}% solo per oggi!".into()),
            footer: Some("Rispondi STOP per disiscriverti".into()),
            ..TemplateRequest::default()
        }
    }

    #[test]
    fn simple_fields_become_components_with_samples() {
        let built = request().build().unwrap();
        assert_eq!(built.language, "it");
        assert_eq!(built.components.len(), 3);
        assert_eq!(built.components[1]["example"]["body_text"][0].as_array().unwrap().len(), 2);
    }

    #[test]
    fn each_field_has_its_rule() {
        let refused = |change: fn(&mut TemplateRequest)| {
            let mut bad = request();
            change(&mut bad);
            bad.build().unwrap_err().field
        };
        assert_eq!(refused(|r| r.name = "Promo".into()), "name");
        assert_eq!(refused(|r| r.category = "SPAM".into()), "category");
        assert_eq!(refused(|r| r.body = None), "body");
        assert_eq!(refused(|r| r.body = Some("Ciao {{2}}, a te".into())), "body");
        assert_eq!(refused(|r| r.header = Some("è".repeat(61))), "header");
        assert_eq!(refused(|r| r.footer = Some("x{{1}}".into())), "footer");
        assert_eq!(refused(|r| r.language = Some("it-IT!".into())), "language");
        let mut accents = request();
        accents.header = Some("è".repeat(60));
        assert!(accents.build().is_ok());
    }

    fn of(components: Value) -> NewTemplate {
        let components = components.as_array().unwrap().clone();
        TemplateRequest { components: Some(components), body: None, ..request() }.build().unwrap()
    }

    #[test]
    fn components_come_in_metas_order_with_what_it_wants_of_them() {
        let offer = json!({"type": "limited_time_offer", "limited_time_offer": {"text": "x", "has_expiration": true}});
        let buttons = json!({"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}, {"type": "URL", "text": "Vai", "url": "https://x.it/{{1}}"}]});
        let built = of(
            json!([buttons, {"type": "BODY", "text": "Ciao {{1}}, oggi sconti"}, offer, {"type": "HEADER", "format": "IMAGE"}]),
        );
        let kinds: Vec<String> = built.components.iter().map(|component| upper(component, "type")).collect();
        assert_eq!(kinds, ["HEADER", "LIMITED_TIME_OFFER", "BODY", "BUTTONS"]);
        assert_eq!(built.components[3]["buttons"][0]["example"], "SALDI25");
        let products =
            of(json!([{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [{"type": "MPM"}]}]));
        assert_eq!(products.components[1]["buttons"][0]["text"], "View items");
    }

    #[test]
    fn files_without_a_handle_are_found_in_cards_too() {
        let card = |example: Value| {
            json!({"components": [{"type": "header", "format": "image", "example": example},
            {"type": "BODY", "text": "Da {{1}} euro"}, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "x"}]}]})
        };
        let cards = json!([
            card(json!(null)),
            card(json!({"header_handle": ["4::x"]})),
            card(json!({"header_handle": ["https://x.it/a.jpg"]}))
        ]);
        let mut built = of(json!([{"type": "CAROUSEL", "cards": cards}, {"type": "BODY", "text": "x"}]));
        assert_eq!(built.components[1]["cards"][0]["components"][1]["example"]["body_text"][0][0], "Mario");
        let samples = built.file_samples();
        let urls: Vec<Option<&str>> = samples.iter().map(|sample| sample.url.as_deref()).collect();
        assert_eq!(urls, [None, Some("https://x.it/a.jpg")]);
        for sample in &samples {
            built.set_handle(sample, "4::y");
        }
        assert!(built.file_samples().is_empty());
        assert_eq!(built.components[1]["cards"][0]["components"][0]["example"]["header_handle"][0], "4::y");
    }

    #[test]
    fn authentication_has_metas_own_text() {
        let mut code = request();
        code.category = "authentication".into();
        let built = code.build().unwrap();
        assert!(built.components[0].get("text").is_none());
    }
}
