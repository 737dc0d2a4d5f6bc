//! Address cards: vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::Charset;
use crate::{MAX_ROWS, Unreadable};

/// What is read of a card, as the columns of a table. Every name has one meaning, so that
/// no language is guessed. Of several numbers and addresses any may be one that is none.
pub const HEADER: [&str; 13] = [
    "name",
    "phone",
    "phone 2",
    "phone 3",
    "email",
    "email 2",
    "email 3",
    "country",
    "tags",
    "external_id",
    "company",
    "birthday",
    ERROR,
];

/// The column that says why a card cannot be read whole; empty for others.
pub const ERROR: &str = "card_error";

/// Longest property, in bytes: longer ones are pictures.
const MAX_PROPERTY: usize = 64 * 1024;
/// Numbers, and addresses, of a card that are tried.
const MAX_TRIED: usize = 3;
/// Fewer letters and digits of an id may count the cards of one device.
const GLOBAL_ID: usize = 16;

const UNFINISHED: &str = "the card has no END:VCARD before the next card begins";
const TRUNCATED: &str = "the file ends before the card does";

/// Calls `take` with a row for each card of [`unfolded`] lines.
pub(crate) fn cards(
    text: &str,
    mut take: impl FnMut(&[String]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let (mut card, mut count, mut is_any_whole) = (None::<Card>, 0, false);
    // Cards inside the card that is read: version 2.1 has a person's agent so.
    let (mut is_agent_next, mut inner) = (false, 0_u32);
    let mut put = |card: Card, error: &str| {
        count += 1;
        match count > MAX_ROWS {
            true => Err(Unreadable::too_many_rows()),
            false => take(&card.row(error)),
        }
    };
    for line in text.lines() {
        let Some(property) = Property::read(line) else { continue };
        let is_agent = std::mem::take(&mut is_agent_next);
        let is_of_card = property.raw.eq_ignore_ascii_case("vcard");
        match property.name.as_str() {
            "BEGIN" if is_of_card && card.is_some() && (is_agent || inner > 0) => inner += 1,
            "BEGIN" if is_of_card => {
                if let Some(unfinished) = card.replace(Card::default()) {
                    put(unfinished, UNFINISHED)?;
                }
            }
            "END" if is_of_card && inner > 0 => inner -= 1,
            "END" if is_of_card => {
                let Some(card) = card.take() else { continue };
                is_any_whole = true;
                put(card, "")?;
            }
            _ if inner > 0 => {}
            "AGENT" if property.raw.is_empty() => is_agent_next = true,
            _ => {
                if let Some(card) = &mut card {
                    card.add(&property);
                }
            }
        }
    }
    if !is_any_whole {
        return Err(Unreadable::new("the file has no card that is complete"));
    }
    card.map_or(Ok(()), |truncated| put(truncated, TRUNCATED))
}

/// Lines as they were before they were folded: one that begins with a space goes on the one
/// before, and one of quoted-printable that ends with `=` goes on in the next. A line may be
/// folded inside a character, so that this comes before its bytes are decoded.
pub(crate) fn unfolded(file: &[u8]) -> Vec<u8> {
    let mut lines =
        file.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty()).peekable();
    let mut all = Vec::with_capacity(file.len());
    while let Some(line) = lines.next() {
        let start = all.len();
        all.extend_from_slice(line);
        let is_encoded = is_quoted_printable(line);
        loop {
            let is_soft = is_encoded && all.ends_with(b"=");
            let more = match lines.peek() {
                Some(next) if is_soft => {
                    all.pop();
                    next.trim_ascii_start()
                }
                Some(next) if matches!(next, [b' ' | b'\t', ..]) => &next[1..],
                Some(_) | None => break,
            };
            if all.len() - start <= MAX_PROPERTY {
                all.extend_from_slice(more);
            }
            lines.next();
        }
        all.push(b'\n');
    }
    all
}

fn is_quoted_printable(line: &[u8]) -> bool {
    let head = line.split(|byte| *byte == b':').next().unwrap_or_default();
    head.to_ascii_uppercase().windows(16).any(|name| name == b"QUOTED-PRINTABLE")
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
    /// The countries of addresses, ranked as numbers are.
    countries: Vec<(u32, String)>,
    tags: Vec<String>,
    /// Numbers and addresses, each with its rank: the least comes first.
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
            // Post office box, two of the street, town, region, code and country.
            "ADR" => {
                let kind = match () {
                    () if property.is(&["HOME"]) => 0,
                    () if property.is(&["WORK"]) => 2_000,
                    () => 1_000,
                };
                self.countries.extend(property.parts(';').into_iter().nth(6).map(|country| (kind, country)));
            }
            // Apple's: the country by which an address is laid out.
            "X-ABADR" => self.countries.push((3_000, property.text())),
            "EMAIL" => {
                let text = property.text();
                let address = text.strip_prefix("mailto:").unwrap_or(&text);
                self.emails.push((property.preference, address.to_owned()));
            }
            _ => {}
        }
    }

    fn row(self, error: &str) -> [String; HEADER.len()] {
        let ranked = |mut all: Vec<(u32, String)>| {
            all.retain(|(_, text)| !text.is_empty());
            all.sort_by_key(|(rank, _)| *rank);
            let mut texts: Vec<String> = all.into_iter().map(|(_, text)| text).collect();
            texts.dedup();
            texts.resize(texts.len().max(MAX_TRIED), String::new());
            texts.into_iter()
        };
        let (mut phones, mut emails) = (ranked(self.phones), ranked(self.emails));
        let (mut phone, mut email) =
            (|| phones.next().unwrap_or_default(), || emails.next().unwrap_or_default());
        let name = if self.full.is_empty() { self.structured } else { self.full };
        let has_separator = self.tags.iter().any(|tag| tag.contains([',', ';', '|', '[']));
        let tags = match has_separator {
            true => serde_json::to_string(&self.tags).unwrap_or_default(),
            false => self.tags.join(", "),
        };
        let id = if is_global(&self.uid) { self.uid } else { String::new() };
        [
            name,
            phone(),
            phone(),
            phone(),
            email(),
            email(),
            email(),
            ranked(self.countries).next().unwrap_or_default(),
            tags,
            id,
            self.organisation,
            self.birthday,
            error.to_owned(),
        ]
    }
}

/// Whether an id is one everywhere: a small number counts the cards of one device, and another
/// device gives it to somebody else.
fn is_global(id: &str) -> bool {
    let significant = id.trim_start_matches('0').chars().filter(|c| c.is_alphanumeric()).count();
    id.contains('@') || id.to_ascii_lowercase().starts_with("urn:uuid:") || significant >= GLOBAL_ID
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "550E8400-E29B-41D4-A716-446655440000";

    fn read(text: &str) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        cards(std::str::from_utf8(&unfolded(text.as_bytes())).unwrap(), |row| {
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
            EMAIL;TYPE=INTERNET:ada@exam\r\n ple.com\r\nCATEGORIES:vip,news\r\nORG:Bottega;Vendite\r\nUID:550E8400-E29B-\r\n 41D4-A716-446655440000\r\nADR;TYPE=HOME:;;Via Roma 1;Milano;MI;20100;Italia\r\n\
            PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n\
            BEGIN:VCARD\nVERSION:4.0\nFN:Bob\nTEL;VALUE=uri;PREF=2;TYPE=\"voice,home\":tel:+39-06-1\n\
            TEL;VALUE=uri;TYPE=\"cell\":tel:+39-333-0000003\nEMAIL;PREF=1:bob@example.com\nEMAIL:b@example.com\n\
            BDAY:19850412\nEND:VCARD\n";
        let rows = read(text);
        assert_eq!(rows[0][..4], ["Niccolò Rossi", "+39 333 000 0001", "06 123456", ""]);
        assert_eq!(rows[1][..5], ["Ada, Contessa", "+393330000002", "", "", "ada@example.com"]);
        assert_eq!(rows[1][7..], ["Italia", "vip, news", UID, "Bottega, Vendite", "", ""]);
        assert_eq!(rows[2][..3], ["Bob", "+39-333-0000003", "+39-06-1"]);
        assert_eq!(rows[2][4..6], ["bob@example.com", "b@example.com"]);
        assert_eq!(rows[2][11], "19850412");
    }

    #[test]
    fn only_ids_that_are_one_everywhere_are_kept() {
        for (uid, is_kept) in [
            ("5", false),
            ("00000000000000017", false),
            ("abc-12", false),
            (UID, true),
            ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true),
            ("19950401-080045-40000F192713-0052", true),
            ("7@phone.example.com", true),
            ("4A2F9C0B7D1E4A2F", true),
        ] {
            let rows = read(&format!("BEGIN:VCARD\nUID:{uid}\nTEL:+393330000001\nEND:VCARD\n"));
            assert_eq!(rows[0][9], if is_kept { uid } else { "" }, "{uid}");
        }
    }

    #[test]
    fn cards_without_end_are_told() {
        let text = "BEGIN:VCARD\nFN:Open\nTEL:1\nBEGIN:VCARD\nFN:Ada\nTEL:2\nAGENT:\nBEGIN:VCARD\nFN:Agent\nTEL:3\nEND:VCARD\n\
            NOTE:x\nEND:VCARD\nBEGIN:VCARD\nFN:Half\nTEL:4\n";
        let rows: Vec<[String; 3]> =
            read(text).into_iter().map(|row| [row[0].clone(), row[1].clone(), row[12].clone()]).collect();
        assert_eq!(rows, [["Open", "1", UNFINISHED], ["Ada", "2", ""], ["Half", "4", TRUNCATED]]);
    }

    #[test]
    fn soft_line_breaks_and_stray_lines_do_no_harm() {
        let text = "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Jos=E9=\n  Garc=EDa\nno colon\n\
            TEL:+34600000001\nEND:VCARD\nEND:VCARD\nBEGIN:VCARD\nFN:half";
        let rows = read(text);
        assert_eq!((rows.len(), &rows[1][0][..]), (2, "half"));
        assert!(rows[0][0].starts_with("José"), "{}", rows[0][0]);
        assert!(cards("BEGIN:VCARD\nFN:x", |_| Ok(())).is_err());
    }
}
