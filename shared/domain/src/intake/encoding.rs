//! The encodings that senders write in: most do not say which.

use std::borrow::Cow;

/// UTF-8, with or without its mark; UTF-16 with one; else Latin-1, in which
/// every byte is a character.
pub(super) fn text_of(body: &[u8]) -> Cow<'_, str> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match body {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(body) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => body.iter().map(|byte| char::from(*byte)).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_1_is_read_as_such() {
        assert_eq!(text_of(b"{\"name\":\"Nicol\xf2\"}"), "{\"name\":\"Nicolò\"}");
    }
}
