//! Variables in a template's texts: `{{1}}`, `{{2}}` or `{{first_name}}`.

/// Names of the variables in the order of their first appearance.
pub(crate) type Variables = Vec<String>;

/// A text cut at its variables: `texts` has one element more than `names`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut<'a> {
    pub(crate) texts: Vec<&'a str>,
    pub(crate) names: Vec<&'a str>,
}

pub(crate) fn cut(text: &str) -> Cut<'_> {
    let mut cut = Cut { texts: Vec::new(), names: Vec::new() };
    let mut rest = text;
    while let Some((before, name, after)) = next_variable(rest) {
        cut.texts.push(before);
        cut.names.push(name);
        rest = after;
    }
    cut.texts.push(rest);
    cut
}

fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = text.split_once("{{")?;
    let (name, after) = opened.split_once("}}")?;
    Some((before, name, after))
}

/// The variables of a text that was accepted before.
pub(crate) fn names(text: &str) -> Variables {
    let mut names = Variables::new();
    for name in cut(text).names {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
