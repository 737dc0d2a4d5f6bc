//! Texts that a program would take for a formula.
//!
//! Source: OWASP, «CSV Injection»: a value that begins with `=`, `+`, `-`, `@`, a tab or a
//! carriage return is run by spreadsheets. An apostrophe before it makes it a text.

use std::borrow::Cow;

/// Whether a text begins, behind apostrophes, as a formula does.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// A phone number as we write it: `+` and digits. It is a number for any program, and
/// whoever reads it back does without an apostrophe.
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// A text that no program takes for a formula.
pub fn neutral(text: &str) -> Cow<'_, str> {
    match is_formula(text) && !is_phone(text) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// What [`neutral`] was given.
pub fn plain(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts_and_come_back() {
        for text in ["=1+1", "+SUM(A1)", "-2", "@cmd", "\t=1", "\r=1", "'=1", "＝1"] {
            assert_eq!(neutral(text), format!("'{text}"));
            assert_eq!(plain(&neutral(text)), text);
        }
        for text in ["Ada", "+393391234567", "O'Neil", "'Ada'", "", "1-2", "a=b"] {
            assert_eq!(neutral(text), text);
            assert_eq!(plain(text), text);
        }
    }
}
