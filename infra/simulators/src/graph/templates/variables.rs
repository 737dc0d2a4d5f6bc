//! The rules for variables in a template's texts.

use super::refusals::BODY;
use crate::graph::{
    errors::GraphError,
    state::variables::{Variables, cut, names},
};

const TOO_DENSE: u32 = 2_388_293;
const AT_THE_EDGE: u32 = 2_388_299;

/// Checks the names of a text's variables and returns them.
pub(super) fn check_names(text: &str, named: bool, subcode: u32) -> Result<Variables, GraphError> {
    let variables = names(text);
    let problem = |text: String| Err(GraphError::template(subcode, "Invalid variable", text));
    for name in &variables {
        let good = if named { is_parameter_name(name) } else { is_position(name) };
        if !good {
            return problem(format!("{{{{{name}}}}} is not a variable of this parameter format"));
        }
    }
    if !named {
        let mut positions: Vec<usize> = variables.iter().filter_map(|name| name.parse().ok()).collect();
        positions.sort_unstable();
        if positions.iter().zip(1..).any(|(position, expected)| *position != expected) {
            return problem("variables must be numbered from {{1}} without gaps".to_owned());
        }
    }
    Ok(variables)
}

/// Checks where the variables of a body stand and how dense they are.
pub(super) fn check_placement(text: &str) -> Result<(), GraphError> {
    let cut = cut(text);
    let (Some(first), Some(last)) = (cut.texts.first(), cut.texts.last()) else { return Ok(()) };
    if cut.names.is_empty() {
        return Ok(());
    }
    if !has_text(first) || !has_text(last) {
        return Err(GraphError::template(
            AT_THE_EDGE,
            "Leading or trailing variable",
            "Variables can't be at the start or end of the template.",
        ));
    }
    let between = cut.texts.get(1..cut.texts.len() - 1).unwrap_or_default();
    if between.iter().any(|text| text.trim().is_empty()) {
        return Err(GraphError::template(BODY, "Adjacent variables", "Two variables can't be adjacent."));
    }
    let words = cut.texts.iter().flat_map(|text| text.split_whitespace()).filter(|word| has_text(word));
    if words.count() < 2 * cut.names.len() + 1 {
        return Err(GraphError::template(
            TOO_DENSE,
            "Too many variables",
            "This template has too many variables for its length. Reduce the number of variables or \
             increase the message length.",
        ));
    }
    Ok(())
}

fn is_position(name: &str) -> bool {
    name.len() <= 3
        && !name.starts_with('0')
        && name.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
}

fn is_parameter_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether anything but white space and punctuation is there.
fn has_text(text: &str) -> bool {
    text.chars().any(|char| !char.is_whitespace() && !is_punctuation(char))
}

fn is_punctuation(char: char) -> bool {
    char.is_ascii_punctuation()
        || ('\u{2000}'..='\u{206f}').contains(&char)
        || ('\u{3000}'..='\u{303f}').contains(&char)
        || "«»¿¡·".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placement_is_checked() {
        let refused = [
            ("{{1}} is your order, thank you", AT_THE_EDGE),
            ("Your order is {{1}}", AT_THE_EDGE),
            ("Your order with us is {{1}}.", AT_THE_EDGE),
            ("Il tuo ordine è {{1}} »!", AT_THE_EDGE),
            ("Hello {{1}} {{2}} and welcome to our wonderful shop", BODY),
            ("Hello {{1}} and {{2}} bye", TOO_DENSE),
        ];
        for (text, subcode) in refused {
            let error = check_placement(text).unwrap_err();
            assert_eq!(error.subcode(), Some(subcode), "{text}");
        }
        for text in
            ["No variables", "Hello {{1}}, welcome back", "Ciao {{1}}, il codice è {{2}} fino a domani"]
        {
            assert_eq!(check_placement(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn names_follow_the_parameter_format() {
        assert_eq!(check_names("a {{1}} b {{2}} c {{1}}", false, BODY), Ok(vec!["1".into(), "2".into()]));
        assert_eq!(check_names("a {{first_name}} b", true, BODY), Ok(vec!["first_name".into()]));
        for (text, named) in [
            ("{{ 1 }}", false),
            ("{{2}}", false),
            ("{{1}} {{3}}", false),
            ("{{name}}", false),
            ("{{1}}", true),
        ] {
            assert!(check_names(text, named, BODY).is_err(), "{text}");
        }
    }
}
