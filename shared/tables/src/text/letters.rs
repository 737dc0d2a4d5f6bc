//! Bytes that stand within words, by which encodings are told apart whose letters are the
//! others' marks.

use super::Charset;

/// How often each byte beyond ASCII stands within a word.
pub(super) struct Letters {
    /// Behind a small letter.
    inside: [u32; 128],
    /// Behind anything else, and before a letter.
    first: [u32; 128],
    last: u8,
}

impl Default for Letters {
    fn default() -> Self {
        Self { inside: [0; 128], first: [0; 128], last: b' ' }
    }
}

/// Letters that are frequent where they are written at all.
const FREQUENT: &str = "éèàòùìñáíóúüöäßç";
/// From so many points a byte on, all of them are letters where letters are to be.
const LIKELY: f64 = 2.0;
/// Fewer points are marks and capitals within words.
const UNLIKELY: f64 = 1.0;

impl Letters {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        let before = std::mem::replace(&mut self.last, *last);
        if bytes.is_ascii() {
            return;
        }
        for (at, byte) in bytes.iter().enumerate() {
            let Some(code) = byte.checked_sub(0x80) else { continue };
            let previous = if at == 0 { before } else { bytes[at - 1] };
            let is_followed = bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic);
            let counts = match () {
                () if previous.is_ascii_lowercase() => &mut self.inside,
                () if previous.is_ascii_alphabetic() || is_followed => &mut self.first,
                () => continue,
            };
            let count = &mut counts[usize::from(code)];
            *count = count.saturating_add(1);
        }
    }

    /// An encoding in which these bytes are letters, where they are none in `guessed`.
    pub(super) fn better_than(&self, guessed: Charset) -> Option<Charset> {
        if !guessed.is_plain() || self.points(guessed)? >= UNLIKELY {
            return None;
        }
        let others = ["ibm850", "macintosh"].into_iter().filter_map(Charset::named);
        let rated = others.filter_map(|charset| Some((charset, self.points(charset)?)));
        let best = rated.max_by(|a, b| a.1.total_cmp(&b.1));
        best.filter(|(_, points)| *points >= LIKELY).map(|(charset, _)| charset)
    }

    /// How much these bytes are letters of Western languages: points a byte.
    fn points(&self, charset: Charset) -> Option<f64> {
        let (mut points, mut all) = (0.0, 0_u32);
        for (code, (inside, first)) in (0x80_u8..=0xFF).zip(self.inside.iter().zip(&self.first)) {
            if *inside == 0 && *first == 0 {
                continue;
            }
            let text = charset.decode(&[code]);
            let (in_word, at_start) = rate(text.chars().next());
            points += f64::from(*inside) * in_word + f64::from(*first) * at_start;
            all += inside + first;
        }
        (all > 0).then(|| points / f64::from(all))
    }
}

/// The points of a character behind a small letter, and elsewhere in a word.
fn rate(c: Option<char>) -> (f64, f64) {
    match c {
        Some('\u{2019}') => (2.0, 2.0),
        Some(c) if FREQUENT.contains(c) => (3.0, 3.0),
        Some(c) if c.is_lowercase() && !"ªºµƒı".contains(c) => (2.0, 2.0),
        // `GarcÍa` is nobody.
        Some(c) if c.is_uppercase() => (-2.0, 2.5),
        Some(_) | None => (-2.0, -2.0),
    }
}
