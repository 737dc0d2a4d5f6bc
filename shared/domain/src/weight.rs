//! How large an answer is where it is limited: a Lambda hands it over as JSON, the
//! body as a text in it, and may hand over 6 MB
//! (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).

/// The most that an answer may weigh, in bytes: what its headers and the gateway add is
/// left out.
pub const MOST: usize = 6_000_000;

/// What a body of JSON weighs: its quotes and backslashes are escaped once more.
pub fn of_json(body: &[u8]) -> usize {
    body.len() + body.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// What a text weighs in a body of JSON.
pub fn of_text(text: &str) -> usize {
    let each = text.bytes().map(|byte| match byte {
        b'"' | b'\\' => 4,
        b'\n' | b'\r' | b'\t' | 8 | 12 => 3,
        0..32 => 7,
        _ => 1,
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_weighs_what_it_takes_in_the_answer() {
        for text in ["", "Ciao", "è €", "say \"hi\"", "a\\b", "a\nb\t\u{8}\u{c}", "\u{1}\u{1f}"] {
            let body = serde_json::to_string(text).unwrap();
            let answer = serde_json::to_string(&body).unwrap();
            assert_eq!(of_json(body.as_bytes()), answer.len() - 2, "{text:?}");
            assert_eq!(of_text(text), answer.len() - 2 - 4, "{text:?}");
        }
    }
}
