//! The one number in a text.

use super::clean::{Cleaned, clean};
use super::plan::{self, Planned, Standing};
use super::{CallingCode, PhoneNumber};
use crate::Invalid;

/// Fewer digits than this are no number of their own, only a part or an ending of one.
const WHOLE: usize = 7;
/// Most digits of a number (ITU-T E.164).
const LONGEST: usize = 15;
/// From so many digits on a number without `+` has its country code, whoever wrote it.
const SURELY_INTERNATIONAL: usize = 11;
/// Most digits behind a stroke that stand for the last ones of a second number: `06 1234567/8`.
const ENDING: usize = 3;
/// Words before an extension.
const EXTENSIONS: [&str; 15] = [
    "ext",
    "extn",
    "extension",
    "estensione",
    "est",
    "x",
    "int",
    "interno",
    "poste",
    "durchwahl",
    "dw",
    "ramal",
    "anexo",
    "toestel",
    "klappe",
];
/// Words between two numbers.
const CONJUNCTIONS: [&str; 14] =
    ["e", "o", "od", "oppure", "and", "or", "y", "ou", "et", "u", "und", "oder", "en", "of"];

/// A number, and what else the text had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The number.
    pub number: PhoneNumber,
    /// What the text had besides.
    pub left_out: Option<LeftOut>,
}

/// What is left out of texts that have more than one number or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// Another number behind the first.
    OtherNumber,
    /// An extension, which no message reaches.
    Extension,
    /// A text that is no number, beside one that is.
    NoNumber,
    /// Another e-mail address behind the first.
    OtherEmail,
    /// A text that is no e-mail address, beside one that is.
    NoEmail,
}

impl LeftOut {
    /// As warnings say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherNumber => "other_number_left_out",
            Self::Extension => "extension_left_out",
            Self::NoNumber => "invalid_number_left_out",
            Self::OtherEmail => "other_email_left_out",
            Self::NoEmail => "invalid_email_left_out",
        }
    }
}

/// Who wrote a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// A program, which is to write numbers with their country code.
    Caller,
    /// Somebody who filled a form, and thinks of their own country.
    Person,
    /// The same, whose country is known.
    Resident,
}

/// Reads a text.
pub(super) fn read(text: &str, country: Option<CallingCode>, by: Writer) -> Result<Reading, Invalid> {
    let Cleaned { text, is_international, is_first } = clean(text)?;
    let (first, left_out) = first_number(&text)?;
    let left_out = if is_first { Some(LeftOut::OtherNumber) } else { left_out };
    let number = if is_international { international(&first) } else { number(&first, country, by) }?;
    Ok(Reading { number, left_out })
}

/// The first number of a text, as digits and the marks between them.
fn first_number(text: &str) -> Result<(String, Option<LeftOut>), Invalid> {
    let (text, mut left_out) = before_letters(text)?;
    let mut parts = text.split(['\n', ';', '|', ',', '&']).filter(|part| digits_of(part) > 0);
    let mut first = parts.next().unwrap_or_default().trim();
    let others: usize = parts.map(digits_of).sum();
    if others >= WHOLE && digits_of(first) >= WHOLE {
        left_out = Some(LeftOut::OtherNumber);
    } else if others > 0 {
        // `,,12` is dialled after the call is taken.
        let is_extension = digits_of(first) >= WHOLE && text.contains(",,");
        left_out = Some(if is_extension { LeftOut::Extension } else { return Err(no_number()) });
    }
    // A second number may follow without anything between but its `+`.
    if let Some((at, _)) = first.match_indices('+').find(|(at, _)| digits_of(&first[..*at]) > 0) {
        if digits_of(&first[..at]) < WHOLE {
            return Err(no_number());
        }
        first = &first[..at];
        left_out = Some(LeftOut::OtherNumber);
    }
    let (first, second) = split_numbers(first);
    Ok((first.to_owned(), if second { Some(LeftOut::OtherNumber) } else { left_out }))
}

/// What stands before a word: the word must announce an extension or another number.
fn before_letters(text: &str) -> Result<(&str, Option<LeftOut>), Invalid> {
    let is_letter = |c: char| c.is_alphabetic();
    let (at, word) = match (text.find(is_letter), text.find('#')) {
        (Some(letter), Some(hash)) if hash < letter => (hash, "x"),
        (Some(letter), _) => {
            let end = text[letter..].find(|c: char| !is_letter(c)).map_or(text.len(), |end| letter + end);
            (letter, &text[letter..end])
        }
        (None, Some(hash)) => (hash, "x"),
        (None, None) => return Ok((text, None)),
    };
    let (before, behind) = (&text[..at], &text[at + word.len().min(text.len() - at)..]);
    let word = word.to_lowercase();
    let is_whole = digits_of(before) >= WHOLE;
    if is_whole && EXTENSIONS.contains(&word.as_str()) && digits_of(&text[at..]) <= 6 {
        return Ok((before, Some(LeftOut::Extension)));
    }
    if is_whole && CONJUNCTIONS.contains(&word.as_str()) && digits_of(behind) >= WHOLE {
        return Ok((before, Some(LeftOut::OtherNumber)));
    }
    Err(Invalid::new("phone", "phone may only contain digits, spaces and + - . ( ) /"))
}

/// The first of two numbers that have a stroke, a dash or a space between them, and whether
/// there is a second one.
fn split_numbers(text: &str) -> (&str, bool) {
    // No number is longer, whatever prefixes somebody wrote.
    let all = digits_of(text) - if text.trim_start_matches(['(', '+']).starts_with("00") { 2 } else { 0 };
    let is_two = all > LONGEST;
    for (at, _) in text.match_indices('/') {
        let (left, right) = (digits_of(&text[..at]), digits_of(&text[at..]));
        let is_second = is_two && left >= WHOLE && right >= WHOLE - 1;
        let is_ending = left > WHOLE && (1..=ENDING).contains(&right) && text.matches('/').count() == 1;
        if is_second || is_ending {
            return (&text[..at], true);
        }
    }
    // Half of one with its country code is no number with it.
    let shortest = if text.trim_start_matches('(').starts_with(['+', '0']) { 2 + WHOLE } else { WHOLE };
    let is_middle = |at: usize| {
        let half = digits_of(&text[..at]);
        half > shortest && half * 2 == digits_of(text)
    };
    match text.match_indices([' ', '-']).find(|(at, _)| is_two && is_middle(*at)) {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}

/// The number of a text that has one.
fn number(text: &str, country: Option<CallingCode>, by: Writer) -> Result<PhoneNumber, Invalid> {
    let text = text.trim_start_matches([' ', '.', '-']);
    let has_area = text.starts_with('(') && !text.starts_with("(+");
    let text = text.trim_start_matches(['(', ' ']);
    let has_plus = text.starts_with('+');
    let text = text.trim_start_matches('+');
    let digits = digits(text)?;
    // Behind `+` as well: somebody put it before what had its prefix.
    if digits.starts_with("00") {
        let second = text.match_indices('0').nth(1).map_or(0, |(at, _)| at + 1);
        return international(&text[second..]);
    }
    if has_plus {
        return international(text);
    }
    let Some(country) = country else {
        if digits.starts_with('0') {
            return Err(Invalid::new("phone", "phone must start with a country code, such as +39 for Italy"));
        }
        if by == Writer::Person && (WHOLE..SURELY_INTERNATIONAL).contains(&digits.len()) {
            let message = "phone has no country code and the account has no default country: write it with + and its country code, or \
                           name its country";
            return Err(Invalid::new("phone", message));
        }
        return international(text);
    };
    let national = plan::national(&digits, country);
    // Nobody writes a country's code as `(555) 5555555`.
    if digits.starts_with('0') || has_area {
        let planned = national.ok_or_else(no_number)?;
        return possible(&planned, country);
    }
    let international = planned_of(text)?;
    // A short one that another country may have is as likely a national one with a slip.
    let is_foreign = international.standing == Standing::Valid
        || (international.standing == Standing::Possible && digits.len() >= SURELY_INTERNATIONAL);
    match &national {
        Some(national) if national.standing == Standing::Impossible && !is_foreign => {
            possible(national, country)
        }
        Some(_) | None => of_two(national, international, by),
    }
}

/// A number that was completed; one that the plan of the country cannot have is refused.
fn possible(planned: &Planned, country: CallingCode) -> Result<PhoneNumber, Invalid> {
    let number = whole(&planned.digits)?;
    if planned.standing > Standing::Impossible {
        return Ok(number);
    }
    let code = country.get();
    let message = format!("phone is no number that +{code} can have: write it with + and its country code");
    Err(Invalid::new("phone", message))
}

/// Which of two readings it is: the national one, or the one whose country code lacks its `+`.
fn of_two(national: Option<Planned>, international: Planned, by: Writer) -> Result<PhoneNumber, Invalid> {
    let has_code = plan::split(&international.digits).is_some();
    let Some(national) = national else { return whole(&international.digits) };
    let standing = if has_code { international.standing } else { Standing::Impossible };
    let (a, b) = (whole(&national.digits), whole(&international.digits));
    if national.digits == international.digits || national.standing > standing {
        return a;
    }
    if standing > national.standing {
        return b;
    }
    if by == Writer::Resident || (by == Writer::Person && standing < Standing::Valid) {
        return a;
    }
    match (a, b) {
        // What a form says is kept in a log, which has no numbers.
        (Ok(_), Ok(_)) if by == Writer::Person => {
            let message = "phone may be a number of two countries: it needs + and its country code";
            Err(Invalid::new("phone", message))
        }
        (Ok(a), Ok(b)) => {
            let message = format!(
                "phone may be {} or {}: write it with + and its country code",
                a.as_str(),
                b.as_str()
            );
            Err(Invalid::new("phone", message))
        }
        (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(one),
        (Err(wrong), Err(_)) => Err(wrong),
    }
}

fn international(text: &str) -> Result<PhoneNumber, Invalid> {
    whole(&planned_of(text)?.digits)
}

/// A number with its country code, the trunk zero of `+44 (0) 20` dropped where the country
/// has none.
fn planned_of(text: &str) -> Result<Planned, Invalid> {
    let with = plan::international(&digits(text)?);
    let Some((before, behind)) = text.split_once("(0)") else { return Ok(with) };
    let without = plan::international(&digits(&format!("{before}{behind}"))?);
    Ok(if with.standing > without.standing { with } else { without })
}

fn whole(digits: &str) -> Result<PhoneNumber, Invalid> {
    PhoneNumber::from_digits(digits).map(PhoneNumber::current)
}

fn no_number() -> Invalid {
    Invalid::new("phone", "phone is not a phone number")
}

fn digits_of(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// The digits alone; anything but marks between them is refused.
fn digits(text: &str) -> Result<String, Invalid> {
    let mut digits = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '.' | '(' | ')' | '/' => {}
            _ => return Err(Invalid::new("phone", "phone may only contain digits, spaces and + - . ( ) /")),
        }
    }
    Ok(digits)
}
