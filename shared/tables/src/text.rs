//! In which encoding a text is.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// An encoding of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

impl Charset {
    /// UTF-8.
    pub const UTF_8: Self = Self(UTF_8);

    /// One of its names on the web (WHATWG's Encoding Standard).
    pub fn named(name: &str) -> Option<Self> {
        Encoding::for_label(name.as_bytes()).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether delimiters, quotes and line ends are the bytes of ASCII, and nothing else
    /// has these bytes: then records can be told apart before they are decoded.
    pub fn is_plain(self) -> bool {
        self.0 == UTF_8 || self.0.is_single_byte()
    }

    /// The text of some bytes; what is no text becomes U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> String {
        self.0.decode_without_bom_handling(bytes).0.into_owned()
    }

    /// The mark in front of a text, if there is one: its encoding, and how long it is.
    pub fn of_mark(start: &[u8]) -> Option<(Self, usize)> {
        Encoding::for_bom(start).map(|(encoding, length)| (Self(encoding), length))
    }

    /// UTF-16 without a mark: every other byte of ASCII is null.
    pub fn of_nulls(start: &[u8]) -> Option<Self> {
        let start = &start[..start.len().min(1_024)];
        let nulls = |odd: usize| start.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
        let most = start.len() / 2;
        match (nulls(0), nulls(1)) {
            (0, high) if high * 3 > most && most > 3 => Some(Self(UTF_16LE)),
            (high, 0) if high * 3 > most && most > 3 => Some(Self(UTF_16BE)),
            _ => None,
        }
    }
}

/// Guesses the encoding of a text that is read a piece at a time.
pub(crate) struct Guess {
    detector: EncodingDetector,
    /// What of a character came at the end of the last piece.
    open: Vec<u8>,
    /// Characters of several bytes in UTF-8, and bytes that are none.
    good: u64,
    bad: u64,
}

impl std::fmt::Debug for Guess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guess").field("good", &self.good).field("bad", &self.bad).finish_non_exhaustive()
    }
}

impl Guess {
    pub(crate) fn new() -> Self {
        let detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        Self { detector, open: Vec::new(), good: 0, bad: 0 }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.open.is_empty() && bytes.is_ascii() {
            return;
        }
        self.detector.feed(bytes, false);
        let mut all = std::mem::take(&mut self.open);
        all.extend_from_slice(bytes);
        let mut rest = &all[..];
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.good += several(text.as_bytes());
                    return;
                }
                Err(error) => {
                    let (valid, wrong) = rest.split_at(error.valid_up_to());
                    self.good += several(valid);
                    let Some(length) = error.error_len() else {
                        self.open = wrong.to_vec();
                        return;
                    };
                    self.bad += 1;
                    rest = &wrong[length..];
                }
            }
        }
    }

    /// UTF-8, even where a few characters of it are broken; else what it looks like.
    pub(crate) fn finish(mut self) -> Charset {
        self.bad += u64::from(!self.open.is_empty());
        if self.bad == 0 || self.good > self.bad * 4 {
            return Charset::UTF_8;
        }
        self.detector.feed(&[], true);
        let guessed = self.detector.guess(None, Utf8Detection::Deny);
        // What looks like another alphabet for a handful of letters is mostly Western.
        let is_scarce = self.bad < 3 && !guessed.is_single_byte();
        Charset(if is_scarce { WINDOWS_1252 } else { guessed })
    }
}

/// How many characters have more than one byte.
fn several(valid: &[u8]) -> u64 {
    valid.iter().filter(|byte| **byte >= 0xC0).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(pieces: &[&[u8]]) -> Charset {
        let mut guess = Guess::new();
        pieces.iter().for_each(|piece| guess.feed(piece));
        guess.finish()
    }

    #[test]
    fn encodings_are_guessed() {
        assert_eq!(guess(&[b"name,phone\n"]), Charset::UTF_8);
        assert_eq!(guess(&["Niccolò,è\n".as_bytes()]), Charset::UTF_8);
        let split = "è".as_bytes();
        assert_eq!(guess(&[&split[..1], &split[1..]]), Charset::UTF_8, "a character in two pieces");
        let latin = b"nome,citt\xE0\nNiccol\xF2,Forl\xEC\nAndr\xE9,Orl\xE9ans\n";
        let found = guess(&[latin]);
        assert_eq!((found.name(), found.decode(&latin[11..18])), ("windows-1252", "Niccolò".to_owned()));
        let spoiled = ["àèìòù àèìòù".as_bytes(), b"\xE0"].concat();
        assert_eq!(guess(&[&spoiled]), Charset::UTF_8, "a few broken characters");
    }

    #[test]
    fn utf_16_is_known_with_and_without_its_mark() {
        assert_eq!(Charset::of_mark(b"\xFF\xFEn\0").unwrap().0.name(), "UTF-16LE");
        assert_eq!(Charset::of_mark(b"\xFE\xFF\0n").unwrap().0.name(), "UTF-16BE");
        assert_eq!(Charset::of_mark(b"\xEF\xBB\xBFn"), Some((Charset::UTF_8, 3)));
        assert_eq!(Charset::of_nulls(b"n\0a\0m\0e\0,\0").unwrap().name(), "UTF-16LE");
        assert_eq!(Charset::of_nulls(b"\0n\0a\0m\0e\0,").unwrap().name(), "UTF-16BE");
        assert_eq!(Charset::of_nulls(b"name,phone"), None);
        assert!(Charset::UTF_8.is_plain() && !Charset::named("utf-16le").unwrap().is_plain());
    }
}
