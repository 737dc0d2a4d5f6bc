//! Address cards: vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::Charset;
use crate::{MAX_ROWS, Unreadable};

/// What is read of a card, as the columns of a table. Every name has one meaning, so that
/// no language is guessed.
pub const HEADER: [&str; 7] = ["name", "phone", "email", "tags", "external_id", "company", "birthday"];

/// Longest property, in bytes: longer ones are pictures.
const MAX_PROPERTY: usize = 64 * 1024;

/// Calls `take` with a row for each card.
pub(crate) fn cards(
    text: &str,
    mut take: impl FnMut(&[String]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let (mut card, mut count) = (None::<Card>, 0);
    for line in unfolded(text) {
        let Some(property) = Property::read(&line) else { continue };
        match property.name.as_str() {
            "BEGIN" if property.raw.eq_ignore_ascii_case("vcard") => card = Some(Card::default()),
            "END" if property.raw.eq_ignore_ascii_case("vcard") => {
                let Some(card) = card.take() else { continue };
                count += 1;
                if count > MAX_ROWS {
                    return Err(Unreadable::too_many_rows());
                }
                take(&card.row())?;
            }
            _ => {
                if let Some(card) = &mut card {
                    card.add(&property);
                }
            }
        }
    }
    match count {
        0 => Err(Unreadable::new("the file has no card that is complete")),
        _ => Ok(()),
    }
}

/// Lines as they were before they were folded: one that begins with a space goes on the one
/// before, and one of quoted-printable that ends with `=` goes on in the next.
fn unfolded(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut lines = text.split(['\n', '\r']).filter(|line| !line.is_empty()).peekable();
    std::iter::from_fn(move || {
        let mut whole = lines.next()?.to_owned();
        loop {
            let is_soft = whole.ends_with('=') && is_quoted_printable(&whole);
            match lines.peek() {
                Some(next) if is_soft => {
                    whole.pop();
                    push(&mut whole, next.trim_start_matches([' ', '\t']));
                }
                Some(next) if next.starts_with([' ', '\t']) => push(&mut whole, &next[1..]),
                Some(_) | None => return Some(whole),
            }
            lines.next();
        }
    })
}

fn push(whole: &mut String, more: &str) {
    if whole.len() <= MAX_PROPERTY {
        whole.push_str(more);
    }
}

fn is_quoted_printable(line: &str) -> bool {
    let head = line.split(':').next().unwrap_or_default();
    head.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

/// A line of a card.
struct Property {
    name: String,
    /// Kinds and preferences, in upper case.
    types: Vec<String>,
    preference: u32,
    raw: String,
}

impl Property {
    fn read(line: &str) -> Option<Self> {
        let (head, value) = split_head(line)?;
        let mut parts = split_unquoted(head, ';');
        let name = parts.next()?.rsplit('.').next()?.trim().to_ascii_uppercase();
        let (mut types, mut encoding, mut charset) = (Vec::new(), String::new(), Charset::UTF_8);
        let mut preference = 100;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or(("TYPE", part));
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_uppercase().as_str() {
                "ENCODING" => encoding = value.to_ascii_uppercase(),
                "CHARSET" => charset = Charset::named(value).unwrap_or(Charset::UTF_8),
                "PREF" => preference = value.parse().unwrap_or(100),
                "TYPE" => types.extend(value.split(',').map(|kind| kind.trim().to_ascii_uppercase())),
                _ => {}
            }
        }
        // Version 2.1 writes the encoding without its name.
        let bare = |name: &str| types.iter().any(|kind| kind == name);
        if bare("PREF") {
            preference = 1;
        }
        let raw = match encoding.as_str() {
            "QUOTED-PRINTABLE" => charset.decode(&quoted_printable(value)),
            "B" | "BASE64" => STANDARD.decode(value).map(|bytes| charset.decode(&bytes)).unwrap_or_default(),
            _ if bare("QUOTED-PRINTABLE") => charset.decode(&quoted_printable(value)),
            _ => value.to_owned(),
        };
        Some(Self { name, types, preference, raw: raw.trim().to_owned() })
    }

    /// The parts of the value between delimiters that are not escaped.
    fn parts(&self, delimiter: char) -> Vec<String> {
        let (mut parts, mut part, mut escaped) = (Vec::new(), String::new(), false);
        for c in self.raw.chars() {
            match (escaped, c) {
                (true, 'n' | 'N') => part.push(' '),
                (true, c) => part.push(c),
                (false, '\\') => {}
                (false, c) if c == delimiter => parts.push(std::mem::take(&mut part)),
                (false, c) => part.push(c),
            }
            escaped = !escaped && c == '\\';
        }
        parts.push(part);
        parts.iter().map(|part| part.trim().to_owned()).collect()
    }

    fn text(&self) -> String {
        self.parts('\0').join("")
    }

    fn is(&self, kinds: &[&str]) -> bool {
        self.types.iter().any(|kind| kinds.contains(&kind.as_str()))
    }
}

/// What stands before the first colon that is not quoted, and what behind it.
fn split_head(line: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        *c == ':' && !is_quoted
    })?;
    Some((&line[..colon.0], &line[colon.0 + 1..]))
}

fn split_unquoted(text: &str, delimiter: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == delimiter && !is_quoted
    })
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let code = bytes.as_slice_hex(byte);
        match code {
            Some(code) => {
                bytes.nth(1);
                out.push(code);
            }
            None => out.push(byte),
        }
    }
    out
}

trait AsHex {
    /// The byte that `=` and the next two digits stand for.
    fn as_slice_hex(&self, byte: u8) -> Option<u8>;
}

impl AsHex for std::str::Bytes<'_> {
    fn as_slice_hex(&self, byte: u8) -> Option<u8> {
        let mut next = self.clone();
        let digit =
            |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        (byte == b'=').then_some(())?;
        Some(digit(next.next())? * 16 + digit(next.next())?)
    }
}

/// What was read of a card.
#[derive(Default)]
struct Card {
    full: String,
    structured: String,
    organisation: String,
    uid: String,
    birthday: String,
    tags: Vec<String>,
    /// Numbers and addresses, each with its rank: the least is taken.
    phones: Vec<(u32, String)>,
    emails: Vec<(u32, String)>,
}

impl Card {
    fn add(&mut self, property: &Property) {
        match property.name.as_str() {
            "FN" => self.full = property.text(),
            "N" => {
                let parts = property.parts(';');
                let order = [3, 1, 2, 0, 4];
                let names = order.iter().filter_map(|at| parts.get(*at)).filter(|part| !part.is_empty());
                self.structured = names.map(String::as_str).collect::<Vec<_>>().join(" ");
            }
            "ORG" => {
                let parts: Vec<String> =
                    property.parts(';').into_iter().filter(|part| !part.is_empty()).collect();
                self.organisation = parts.join(", ");
            }
            "UID" => self.uid = property.text().split_whitespace().collect(),
            "BDAY" => self.birthday = property.text(),
            "CATEGORIES" => self.tags.extend(property.parts(',').into_iter().filter(|tag| !tag.is_empty())),
            "TEL" if !property.is(&["FAX", "PAGER", "MODEM"]) => {
                let kind = match () {
                    () if property.is(&["CELL", "MOBILE", "IPHONE", "WHATSAPP"]) => 0,
                    () if property.is(&["HOME", "WORK", "MAIN"]) => 2_000,
                    () => 1_000,
                };
                let text = property.text();
                let number = text.strip_prefix("tel:").unwrap_or(&text);
                self.phones.push((kind + property.preference, number.to_owned()));
            }
            "EMAIL" => {
                let text = property.text();
                let address = text.strip_prefix("mailto:").unwrap_or(&text);
                self.emails.push((property.preference, address.to_owned()));
            }
            _ => {}
        }
    }

    fn row(self) -> [String; HEADER.len()] {
        let first = |mut ranked: Vec<(u32, String)>| {
            ranked.retain(|(_, text)| !text.is_empty());
            ranked.sort_by_key(|(rank, _)| *rank);
            ranked.into_iter().next().map(|(_, text)| text).unwrap_or_default()
        };
        let name = if self.full.is_empty() { self.structured } else { self.full };
        let has_separator = self.tags.iter().any(|tag| tag.contains([',', ';', '|', '[']));
        let tags = match has_separator {
            true => serde_json::to_string(&self.tags).unwrap_or_default(),
            false => self.tags.join(", "),
        };
        [name, first(self.phones), first(self.emails), tags, self.uid, self.organisation, self.birthday]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        cards(text, |row| {
            all.push(row.to_vec());
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn cards_of_all_versions_are_read() {
        let text = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Rossi;Niccol=C3=B2;;;\r\n\
            TEL;HOME:06 123456\r\nTEL;CELL;PREF:+39 333 000 0001\r\nEND:VCARD\r\n\
            BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\\, Contessa\r\nN:Neri;Ada;;;\r\nitem1.TEL;type=pref:+393330000002\r\n\
            EMAIL;TYPE=INTERNET:ada@exam\r\n ple.com\r\nCATEGORIES:vip,news\r\nORG:Bottega;Vendite\r\nUID:a-1\r\n\
            PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n\
            BEGIN:VCARD\nVERSION:4.0\nFN:Bob\nTEL;VALUE=uri;PREF=2;TYPE=\"voice,home\":tel:+39-06-1\n\
            TEL;VALUE=uri;TYPE=\"cell\":tel:+39-333-0000003\nEMAIL;PREF=1:bob@example.com\nEMAIL:b@example.com\n\
            BDAY:19850412\nEND:VCARD\n";
        let rows = read(text);
        assert_eq!(rows[0][..2], ["Niccolò Rossi", "+39 333 000 0001"]);
        assert_eq!(
            rows[1],
            ["Ada, Contessa", "+393330000002", "ada@example.com", "vip, news", "a-1", "Bottega, Vendite", ""]
        );
        assert_eq!(rows[2], ["Bob", "+39-333-0000003", "bob@example.com", "", "", "", "19850412"]);
    }

    #[test]
    fn soft_line_breaks_and_stray_lines_do_no_harm() {
        let text = "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Jos=E9=\n  Garc=EDa\nno colon\n\
            TEL:+34600000001\nEND:VCARD\nEND:VCARD\nBEGIN:VCARD\nFN:half";
        let rows = read(text);
        assert_eq!((rows.len(), &rows[0][0][..2]), (1, "Jo"));
        assert!(rows[0][0].starts_with("José"), "{}", rows[0][0]);
        assert!(cards("BEGIN:VCARD\nFN:x", |_| Ok(())).is_err());
    }
}
