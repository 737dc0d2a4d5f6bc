//! Text as people mean it: in one form, however it was typed.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Text for comparing: lower case, compatible characters (full width, ligatures, styled letters)
/// as plain ones, without accents and what nobody sees, letters with strokes and joined ones as
/// those type them who have no such keys. Marks of scripts that spell vowels with them stay.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut before = ' ';
    let letters = text.nfkd().filter(|c| !is_ornament(*c)).flat_map(char::to_lowercase);
    // Catalan's `l·l` is one sound, and often typed without its dot.
    let letters = letters.filter(|c| std::mem::replace(&mut before, *c) != 'l' || *c != '\u{b7}');
    letters
        .flat_map(|c| plain_letters(c).chars().chain(plain_letters(c).is_empty().then_some(c)))
        .nfkc()
        .collect()
}

/// What stands for a lower-case letter that no decomposition makes plain (Unicode has none);
/// empty for the others.
fn plain_letters(c: char) -> &'static str {
    match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ł' => "l",
        'ø' => "o",
        'ı' => "i",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ŋ' => "n",
        'ς' => "σ",
        _ => "",
    }
}

fn is_ornament(c: char) -> bool {
    match c {
        // Accents of Latin, Greek and Cyrillic; Arabic vowel signs, and the stroke that lengthens.
        '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' => true,
        _ => is_invisible(c),
    }
}

/// Whether nobody sees a character: marks of direction, joiners, variants, soft hyphens.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Text for searching: folded, with one space between words and one kind of quotes.
pub fn searchable(text: &str) -> String {
    let plain = |c| match c {
        '\u{2018}'..='\u{201b}' | '\u{2b9}'..='\u{2bc}' | '\u{2032}' | '\u{b4}' | '`' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => '"',
        c => c,
    };
    let plain: String = text.chars().map(plain).collect();
    fold(&plain).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The digits of a text that is written as a number is, with the `+` that it begins with, or
/// `00` for it; `None` when it is no number.
pub fn number_typed(text: &str) -> Option<String> {
    let text = searchable(text);
    let is_mark = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '+');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = !digits.is_empty() && text.chars().all(|c| c.is_ascii_digit() || is_mark(c));
    is_number.then(|| match digits.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None if text.starts_with('+') => format!("+{digits}"),
        None => digits,
    })
}

/// JSON in which half a character (a lone surrogate, as a text that was cut within an emoji
/// has) is the replacement character; it would be no JSON otherwise.
pub fn mend_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let unit = |at: usize| {
        let hex = json.get(at..at + 6).filter(|text| text.starts_with(b"\\u"))?;
        u16::from_str_radix(std::str::from_utf8(&hex[2..]).ok()?, 16).ok()
    };
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    while at < json.len() {
        if json[at] != b'\\' {
            at += 1;
            continue;
        }
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                mended.get_or_insert_with(|| json.to_vec())[at..at + 6].copy_from_slice(b"\\ufffd");
                6
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        at += length;
    }
    mended.map_or(Cow::Borrowed(json), Cow::Owned)
}

/// The words of a folded text: letters and digits of any script, without what stands between
/// them.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_all_ways_of_typing() {
        for (typed, want) in [
            ("Núria PEÑA", "nuria pena"),
            ("Nu\u{301}ria Pen\u{303}a", "nuria pena"),
            ("ＳＴＯＰ", "stop"),
            ("𝗦𝗧𝗢𝗣", "stop"),
            ("S\u{200b}top\u{fe0f}", "stop"),
            ("Ångström ﬁn", "angstrom fin"),
            ("إِلغَاء", "الغاء"),
            ("बंद करें", "बंद करें"),
            ("ΣΤΟΠ", "στοπ"),
            ("Col·lecció, coŀlecció", "colleccio, colleccio"),
            ("uno·due", "uno·due"),
        ] {
            assert_eq!(fold(typed), want, "{typed}");
        }
    }

    #[test]
    fn letters_without_an_accent_to_lose_are_found_too() {
        for (written, typed) in [
            ("Straße", "strasse"),
            ("STRAẞE", "Strasse"),
            ("Łukasz", "lukasz"),
            ("MICHAŁ", "michal"),
            ("Søren", "soren"),
            ("Ǿrsted", "orsted"),
            ("Işık", "isik"),
            ("IŞIK", "ışık"),
            ("İpek", "ipek"),
            ("DİYARBAKIR", "Diyarbakır"),
            ("Æther", "aether"),
            ("Ǽlfred", "aelfred"),
            ("Œuvre", "oeuvre"),
            ("Đorđe", "dorde"),
            ("Þór", "thor"),
            ("Sigurður", "sigurdur"),
            ("Ħamrun", "hamrun"),
            ("Máŧe", "mate"),
            ("Γιώργος", "ΓΙΩΡΓΟΣ"),
        ] {
            assert_eq!(searchable(written), searchable(typed), "{written}");
        }
        assert_eq!(searchable("Łódź"), "lodz");
    }

    #[test]
    fn what_is_searched_is_what_is_typed() {
        assert_eq!(searchable("Caffè  «All’Angolo»"), searchable("CAFFE \"all'angolo\""));
        for (typed, want) in [
            ("347 371 1234", Some("3473711234")),
            ("0039347", Some("+39347")),
            ("+39 (347)", Some("+39347")),
            ("347a", None),
            ("-", None),
        ] {
            assert_eq!(number_typed(typed).as_deref(), want, "{typed}");
        }
    }

    #[test]
    fn half_a_character_is_replaced() {
        for (cut, want) in [
            (r#""Tagliato \ud83d""#, Some("Tagliato \u{fffd}")),
            (r#""\ude00 x""#, Some("\u{fffd} x")),
            (r#""\ud83d\ude00""#, Some("\u{1f600}")),
            (r#""\ud83d\ud83d\ude00""#, Some("\u{fffd}\u{1f600}")),
            (r#""\\ud83d""#, Some("\\ud83d")),
            (r#""\ud83"#, None),
            ("\\", None),
        ] {
            let read = serde_json::from_slice::<String>(&mend_surrogates(cut.as_bytes())).ok();
            assert_eq!(read.as_deref(), want, "{cut}");
        }
    }

    #[test]
    fn words_stand_between_everything_else() {
        assert_eq!(words(&fold("*STOP*, 🛑 please!")).collect::<Vec<_>>(), ["stop", "please"]);
        assert_eq!(words("बंद करें।").collect::<Vec<_>>(), ["बंद", "करें"]);
    }
}
