//! In which encoding a text is.

mod code_page;
mod letters;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use code_page::CodePage;
use letters::Letters;

/// An encoding of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One of the web's.
    Web(&'static Encoding),
    /// One of a console of DOS.
    Dos(CodePage),
}

impl Charset {
    /// UTF-8.
    pub const UTF_8: Self = Self(Kind::Web(UTF_8));

    /// One of its names on the web (WHATWG's Encoding Standard), or `ibm850` or `ibm437`.
    pub fn named(name: &str) -> Option<Self> {
        let web = || Encoding::for_label_no_replacement(name.as_bytes()).map(Kind::Web);
        CodePage::named(name).map(Kind::Dos).or_else(web).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Web(encoding) => encoding.name(),
            Kind::Dos(page) => page.name(),
        }
    }

    /// Whether delimiters, quotes and line ends are the bytes of ASCII, and nothing else
    /// has these bytes: then records can be told apart before they are decoded.
    pub fn is_plain(self) -> bool {
        match self.0 {
            Kind::Web(encoding) => encoding == UTF_8 || encoding.is_single_byte(),
            Kind::Dos(_) => true,
        }
    }

    /// The text of some bytes, without nulls; what is no text becomes U+FFFD. What is no UTF-8
    /// in a file that otherwise is that was added by somebody else: it is read as Western.
    pub fn decode(self, bytes: &[u8]) -> String {
        let mut text = match self.0 {
            Kind::Web(encoding) if encoding == UTF_8 => match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
            },
            Kind::Web(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Kind::Dos(page) => page.decode(bytes),
        };
        if text.contains('\0') {
            text.retain(|c| c != '\0');
        }
        text
    }

    /// As [`Charset::decode`], a line at a time: each may be in an encoding of its own.
    pub(crate) fn decode_lines(self, bytes: &[u8]) -> String {
        match self.is_plain() {
            true => bytes.split_inclusive(|byte| *byte == b'\n').map(|line| self.decode(line)).collect(),
            false => self.decode(bytes),
        }
    }

    /// The mark in front of a text, if there is one: its encoding, and how long it is.
    pub fn of_mark(start: &[u8]) -> Option<(Self, usize)> {
        Encoding::for_bom(start).map(|(encoding, length)| (Self(Kind::Web(encoding)), length))
    }

    /// UTF-16 without a mark: every other byte of ASCII is null.
    pub fn of_nulls(start: &[u8]) -> Option<Self> {
        let start = &start[..start.len().min(1_024)];
        let nulls = |odd: usize| start.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
        let most = start.len() / 2;
        match (nulls(0), nulls(1)) {
            (0, high) if high * 3 > most && most > 3 => Some(Self(Kind::Web(UTF_16LE))),
            (high, 0) if high * 3 > most && most > 3 => Some(Self(Kind::Web(UTF_16BE))),
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
    letters: Letters,
}

impl std::fmt::Debug for Guess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guess").field("good", &self.good).field("bad", &self.bad).finish_non_exhaustive()
    }
}

impl Guess {
    pub(crate) fn new() -> Self {
        let detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        Self { detector, open: Vec::new(), good: 0, bad: 0, letters: Letters::default() }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.letters.feed(bytes);
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

    /// UTF-8, even where some of it is broken: nothing else looks like that by chance; else
    /// what it looks like.
    pub(crate) fn finish(mut self) -> Charset {
        self.bad += u64::from(!self.open.is_empty());
        if self.bad == 0 || self.good >= self.bad {
            return Charset::UTF_8;
        }
        self.detector.feed(&[], true);
        let guessed = self.detector.guess(None, Utf8Detection::Deny);
        // What looks like another alphabet for a handful of letters is mostly Western.
        let is_scarce = self.bad < 3 && !guessed.is_single_byte();
        let guessed = Charset(Kind::Web(if is_scarce { WINDOWS_1252 } else { guessed }));
        self.letters.better_than(guessed).unwrap_or(guessed)
    }
}

/// How many characters have more than one byte.
fn several(valid: &[u8]) -> u64 {
    valid.iter().filter(|byte| **byte >= 0xC0).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Charset {
        /// The byte of a character.
        fn byte(self, c: char) -> u8 {
            (0..=255).find(|byte| self.decode(&[*byte]) == c.to_string()).unwrap()
        }
    }

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
        let mixed = ["Zoë\n".as_bytes(), b"J\xFCrgen\n"].concat();
        let found = guess(&[&mixed]);
        assert_eq!((found, found.decode(b"J\xFCr\0gen")), (Charset::UTF_8, "Jürgen".to_owned()));
        assert_eq!(found.decode_lines(&mixed), "Zoë\nJürgen\n");
    }

    #[test]
    fn encodings_of_dos_and_of_old_macintoshes_are_guessed() {
        let italian = "Nome;Città\nNiccolò;Forlì\nLibertà;Cantù\nMosè;Però\n";
        let spanish = "Nombre;Ciudad\nJosé Núñez;Málaga\nMaría Peña;León\nÁngel;A Coruña\n";
        let german = "Name;Ort\nJürgen Groß;Köln\nJörg Weiß;Düsseldorf\nBärbel;Überlingen\n";
        let french = "Prénom;Ville\nÉlodie;Orléans\nFrançois;Besançon\nAnaïs;Nîmes\n";
        let (dos, mac) = (Charset::named("cp850").unwrap(), Charset::named("macintosh").unwrap());
        for text in [italian, spanish, german, french] {
            for charset in [dos, mac] {
                let bytes: Vec<u8> = text.chars().map(|c| charset.byte(c)).collect();
                let found = guess(&[&bytes[..30], &bytes[30..]]);
                assert_eq!((found, found.decode(&bytes)), (charset, text.to_owned()), "{text}");
            }
            let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            assert_eq!(guess(&[&latin]).name(), "windows-1252", "{text}");
        }
        for (name, want) in [
            ("IBM850", Some("ibm850")),
            ("437", Some("ibm437")),
            ("latin1", Some("windows-1252")),
            ("x", None),
        ] {
            assert_eq!(Charset::named(name).map(Charset::name), want);
        }
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
