//! What surrounds a number when it is pasted: invisible marks, quotes, links, labels.

use std::borrow::Cow;

use crate::Invalid;

/// Words that people put before or behind a number.
const LABELS: [&str; 42] = [
    "tel",
    "telefono",
    "teléfono",
    "telefone",
    "telefon",
    "telephone",
    "téléphone",
    "phone",
    "fon",
    "cell",
    "cellulare",
    "cel",
    "celular",
    "mobile",
    "mobil",
    "mobiltelefon",
    "móvil",
    "movil",
    "portable",
    "portatile",
    "handy",
    "telemóvel",
    "whatsapp",
    "wa",
    "numero",
    "número",
    "numéro",
    "nummer",
    "number",
    "num",
    "nr",
    "no",
    "n",
    "m",
    "t",
    // Facebook's lists of leads mark phone numbers so.
    "p",
    "c",
    "h",
    "w",
    "casa",
    "work",
    "home",
];
/// Words beside a number that is no phone's.
const OTHERS: [&str; 14] = [
    "fax", "telefax", "pager", "order", "ordine", "pedido", "id", "iva", "vat", "cf", "iban", "cap", "zip",
    "ref",
];
/// Longest name beside a number, in characters.
const MAX_NAME: usize = 60;
/// Fewer digits are no number of their own.
const WHOLE: usize = 7;
/// The zeros of the scripts whose digits people type (Unicode, category Nd).
const ZEROS: [char; 22] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{17e0}',
    '\u{1810}',
    '\u{ff10}',
    '\u{1d7ce}',
    '\u{1d7f6}',
];
/// What addresses of phones begin with (RFC 3966, WhatsApp's links).
const SCHEMES: [&str; 7] = ["tel:", "sms:", "smsto:", "callto:", "whatsapp:", "phone:", "facetime:"];
/// What WhatsApp's own ids of people end with.
const WHATSAPP_HOSTS: [&str; 2] = ["@s.whatsapp.net", "@c.us"];

/// What is left of a text: digits, `+`, separators, and letters that may be an extension's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cleaned {
    pub(super) text: String,
    /// It is surely with a country code, though it may lack the `+`.
    pub(super) is_international: bool,
    /// It is the first of a list, whose others were left out.
    pub(super) is_first: bool,
}

impl Cleaned {
    fn international(text: String) -> Self {
        Self { text, is_international: true, is_first: false }
    }
}

/// Cleans a text.
pub(super) fn clean(text: &str) -> Result<Cleaned, Invalid> {
    let text: String = text.chars().filter_map(plain).collect();
    let text = text.trim().trim_start_matches('=').trim_start();
    if let Some(number) = of_link(text) {
        return Ok(Cleaned::international(number));
    }
    let text = &*decoded(text);
    let lower = text.to_lowercase();
    if let Some(host) = WHATSAPP_HOSTS.into_iter().find(|host| lower.ends_with(host)) {
        let digits = &text[..text.len() - host.len()];
        // The part behind a colon is one of the person's devices.
        let digits = digits.split(':').next().unwrap_or_default();
        return Ok(Cleaned::international(digits.to_owned()));
    }
    let scheme = SCHEMES.into_iter().find(|scheme| lower.starts_with(scheme));
    let text = scheme.and_then(|scheme| text.get(scheme.len()..)).unwrap_or(text);
    let text = scheme.map_or(Cow::Borrowed(text), |_| in_context(text));
    if is_shortened(&text) {
        let message = "phone is a number as a spreadsheet rounds it: format the column as text";
        return Err(Invalid::new("phone", message));
    }
    let (text, is_first) = first_of_list(&text);
    let unnamed = without_names(text);
    let text = without_labels(&unnamed).trim();
    Ok(Cleaned { text: without_carrier(without_zeros_of_plus(text)), is_international: false, is_first })
}

/// Text whose escapes are read, as links have them: `tel:+39%20347`.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    // It is read as the name of a form's field, in which these three are something else.
    let name = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let plain = form_urlencoded::parse(name.as_bytes()).map(|(name, _)| name.into_owned());
    Cow::Owned(plain.collect::<String>().chars().filter_map(self::plain).collect())
}

/// The first of several numbers, each of which may have a label or a name, and whether there
/// are others. Google's contacts have ` ::: ` between them.
fn first_of_list(text: &str) -> (&str, bool) {
    for separator in [":::", "\n", ";", "|", ","] {
        let mut parts = text.split(separator).filter(|part| digits_of(part) > 0);
        let first = parts.next().filter(|first| digits_of(first) >= WHOLE);
        let has_others = parts.any(|part| digits_of(part) >= WHOLE);
        if let Some(first) =
            first.filter(|first| has_others || (separator == ":::" && first.len() < text.len()))
        {
            return (first, has_others);
        }
    }
    (text, false)
}

/// Without the name of whoever has the number: `Mario: 347 1234567`, `347 1234567 (Mario)`.
fn without_names(text: &str) -> String {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some(open) = text[from..].find('(').map(|at| from + at)
        && let Some(close) = text[open..].find(')').map(|at| open + at)
    {
        from = open + 1;
        // In the midst of a number it may stand for digits.
        let is_beside = digits_of(&text[..open]) == 0 || digits_of(&text[..open]) >= WHOLE;
        if is_beside && is_name(&text[from..close]) {
            text.replace_range(open..=close, " ");
        }
    }
    let starts = text.find(|c: char| c.is_ascii_digit() || c == '+').unwrap_or(0);
    let before = text[..starts].trim_end_matches([' ', '(']);
    let starts = match before.strip_suffix(':').or_else(|| before.strip_suffix(" -")) {
        Some(name) if is_name(name) => before.len(),
        Some(_) | None => 0,
    };
    let ends = text.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1);
    let behind = text[ends..].trim_start();
    let ends = match ["(", "- ", "/ ", ", "].iter().find_map(|mark| behind.strip_prefix(mark)) {
        Some(name) if is_name(name) => ends,
        Some(_) | None => text.len(),
    };
    text[starts..ends].to_owned()
}

/// Whether a text may be somebody's name, or a place's, and says of no number that it is another.
fn is_name(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some()
        && text.chars().count() <= MAX_NAME
        && !text.contains(|c: char| c.is_ascii_digit() || "+@/#*".contains(c))
        && words.all(|word| !OTHERS.contains(&word.to_lowercase().as_str()))
}

/// Without the zeros that somebody put before a `+`, as if it stood for one of two: `0+39`.
fn without_zeros_of_plus(text: &str) -> String {
    let (before, number) = text.split_at(text.find('+').unwrap_or(0));
    let is_prefix = digits_of(before) <= 2 && before.chars().all(|c| matches!(c, '0' | '(' | ' '));
    if is_prefix { format!("{}{number}", before.replace('0', "")) } else { text.to_owned() }
}

/// Without the place where a Brazilian caller dials a carrier's two digits: `(0xx11) 91234-5678`.
fn without_carrier(text: String) -> String {
    let lower = text.to_ascii_lowercase();
    let mark =
        ["0xx", "0 xx", "0**", "0 **"].into_iter().find_map(|mark| Some((lower.find(mark)?, mark.len())));
    match mark.map(|(at, len)| (&text[..=at], text[at + len..].trim_start())) {
        Some((before, behind)) if behind.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{before}{behind}")
        }
        Some(_) | None => text,
    }
}

fn digits_of(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// A character as it was meant; `None` for what nobody sees.
fn plain(c: char) -> Option<char> {
    match c {
        '\n' | '\r' => Some('\n'),
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => None,
        '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{20e3}'
        | '\u{e0000}'..='\u{e007f}' => None,
        '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}'
        | '_'
        | '~' => Some('-'),
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{2219}' | '\u{3002}' | '\u{ff0e}' => Some('.'),
        '\u{2044}' | '\u{2215}' | '\u{ff0f}' | '\\' => Some('/'),
        '\u{207a}' | '\u{2795}' | '\u{fe62}' | '\u{ff0b}' => Some('+'),
        '\u{ff08}' | '[' | '{' => Some('('),
        '\u{ff09}' | ']' | '}' => Some(')'),
        '\u{ff0c}' | '\u{3001}' => Some(','),
        '\u{ff1b}' => Some(';'),
        '\''
        | '"'
        | '`'
        | '\u{b4}'
        | '\u{2018}'..='\u{201f}'
        | '\u{2b9}'..='\u{2bc}'
        | '\u{2032}'
        | '\u{2033}' => None,
        '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' | '<' | '>' => None,
        c if c.is_ascii() && !c.is_control() => Some(c),
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => None,
        c if c.is_alphanumeric() => Some(digit(c).unwrap_or(c)),
        // A telephone's picture, for one.
        _ => Some(' '),
    }
}

/// The ASCII digit of a digit of another script.
fn digit(c: char) -> Option<char> {
    // The styles of mathematical digits follow each other.
    let styles = if ('\u{1d7ce}'..='\u{1d7ff}').contains(&c) { 50 } else { 10 };
    let from = ZEROS.iter().map(|zero| u32::from(*zero));
    let value = from.filter_map(|zero| u32::from(c).checked_sub(zero)).find(|value| *value < styles)?;
    char::from_digit(value % 10, 10)
}

/// The number in a link to a WhatsApp chat; it always has its country code.
fn of_link(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let from = match (lower.find("wa.me/"), lower.find("whatsapp")) {
        (Some(at), _) => at + "wa.me/".len(),
        (None, Some(at)) => at + lower[at..].find("phone=")? + "phone=".len(),
        (None, None) => return None,
    };
    let rest = text.get(from..)?;
    let end = rest.find(['/', '?', '&', '#', ' ', '\n']).unwrap_or(rest.len());
    Some(decoded(&rest[..end]).trim().trim_start_matches('+').replace('-', ""))
}

/// A number of RFC 3966 with the context that its parameters give, without those that say
/// nothing about it.
fn in_context(text: &str) -> Cow<'_, str> {
    let mut parts = text.split(';');
    let number = parts.next().unwrap_or_default();
    let number = number.split('?').next().unwrap_or_default().trim_start_matches("//");
    let (mut before, mut after) = ("", String::new());
    for part in parts {
        match part.split_once('=') {
            Some(("phone-context", context)) if context.starts_with('+') => before = context,
            Some(("ext", digits)) => after = format!(" ext {digits}"),
            Some(_) | None => {}
        }
    }
    match (before, after.as_str()) {
        ("", "") => Cow::Borrowed(number),
        _ if number.starts_with('+') => Cow::Owned(format!("{number}{after}")),
        _ => Cow::Owned(format!("{before}{number}{after}")),
    }
}

/// Whether a spreadsheet has made a number of it: `3.93E+11`, `393391234567.0`. Its digits
/// are not those that somebody typed.
fn is_shortened(text: &str) -> bool {
    let text = text.trim().trim_start_matches('+');
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if let Some((mantissa, exponent)) = text.split_once(['e', 'E']) {
        let exponent = exponent.trim_start_matches(['+', '-']);
        let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
        return is_digits(exponent) && is_digits(whole) && is_digits(fraction);
    }
    text.split_once(['.', ',']).is_some_and(|(whole, fraction)| {
        let is_rounded = fraction.len() <= 2 || (whole.len() > 10 && fraction.bytes().all(|b| b == b'0'));
        whole.len() >= 7 && is_digits(whole) && is_digits(fraction) && is_rounded
    })
}

/// Without words such as `Tel.:` before the number, or `(mobile)` behind it.
fn without_labels(text: &str) -> &str {
    let is_label = |words: &str| {
        let mut words = words.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).peekable();
        words.peek().is_some() && words.all(|word| LABELS.contains(&word.to_lowercase().as_str()))
    };
    let is_of_number = |c: char| c.is_ascii_digit() || c == '+';
    let text = match text.find(is_of_number) {
        // An open bracket belongs to the number.
        Some(at) if is_label(&text[..at]) => {
            let open = text[..at].ends_with('(') && text[at..].contains(')');
            &text[at - usize::from(open)..]
        }
        Some(_) | None => text,
    };
    match text.rfind(|c: char| c.is_ascii_digit()) {
        Some(at) if is_label(&text[at + 1..]) => &text[..=at],
        Some(_) | None => text,
    }
}
