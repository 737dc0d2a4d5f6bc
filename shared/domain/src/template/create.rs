//! Templates that a caller creates.

use serde_json::{Value, json};

use super::variables;
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
        if components.iter().any(|c| c.get("type").and_then(Value::as_str).is_none()) {
            return Err(Invalid::new("components", "each component needs a type"));
        }
        let mut named = false;
        for component in &mut components {
            named |= add_samples(component);
        }
        Ok(NewTemplate { name: self.name, language, category, named, components })
    }
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

/// Adds the samples that are missing; answers whether the variables have names.
fn add_samples(component: &mut Value) -> bool {
    let kind = component.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase();
    let text = component.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = variables(&text);
    let named = found.iter().any(|v| v.parse::<usize>().is_err());
    if kind == "BUTTONS" {
        add_button_samples(component);
    }
    if found.is_empty() || component.get("example").is_some() {
        return named;
    }
    let samples: Vec<String> = found.iter().enumerate().map(|(i, _)| sample(i)).collect();
    let example = match (kind.as_str(), named) {
        ("HEADER", false) => json!({"header_text": samples}),
        ("BODY", false) => json!({"body_text": [samples]}),
        ("HEADER" | "BODY", true) => {
            let params: Vec<Value> = found
                .iter()
                .zip(samples)
                .map(|(name, sample)| json!({"param_name": name, "example": sample}))
                .collect();
            let key = if kind == "HEADER" { "header_text_named_params" } else { "body_text_named_params" };
            json!({key: params})
        }
        _ => return named,
    };
    if let Some(component) = component.as_object_mut() {
        component.insert("example".to_owned(), example);
    }
    named
}

fn add_button_samples(component: &mut Value) {
    let Some(buttons) = component.get_mut("buttons").and_then(Value::as_array_mut) else { return };
    for button in buttons.iter_mut().filter_map(Value::as_object_mut) {
        let url = button.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !variables(&url).is_empty() && !button.contains_key("example") {
            let start = url.find("{{").unwrap_or(url.len());
            button.insert("example".to_owned(), json!([format!("{}{}", &url[..start], sample(0))]));
        }
    }
}

fn sample(index: usize) -> String {
    const WORDS: [&str; 5] = ["Mario", "20", "Roma", "lunedi", "ordine 42"];
    WORDS.get(index).map_or_else(|| format!("esempio {}", index + 1), |w| (*w).to_owned())
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

    #[test]
    fn authentication_has_metas_own_text() {
        let mut code = request();
        code.category = "authentication".into();
        let built = code.build().unwrap();
        assert!(built.components[0].get("text").is_none());
    }
}
