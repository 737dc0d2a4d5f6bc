//! What kind of file it is, by its first bytes rather than its name.

use crate::Unreadable;

/// A kind of file that holds a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Values with a delimiter between them.
    Delimited,
    /// A workbook of Excel (ECMA-376).
    Xlsx,
    /// Address cards.
    VCard,
}

impl Format {
    /// The kind of a file by its beginning.
    ///
    /// # Errors
    /// [`Unreadable`] names what it is instead, where that is known.
    pub fn of(start: &[u8]) -> Result<Self, Unreadable> {
        let is = |magic: &[u8]| start.starts_with(magic);
        if is(b"\xD0\xCF\x11\xE0") {
            let what = compound(start);
            return Err(Unreadable::new(format!("the file is no table: it is {what}")));
        }
        let others: [(&[u8], &str); 8] = [
            (b"%PDF", "a PDF"),
            (b"\x89PNG", "a picture"),
            (b"\xFF\xD8\xFF", "a picture"),
            (b"GIF8", "a picture"),
            (b"\x1F\x8B", "compressed with gzip: upload what is in it"),
            (b"Rar!", "a RAR archive"),
            (b"7z\xBC\xAF", "a 7z archive"),
            (b"{\\rtf", "a text document"),
        ];
        if let Some((_, what)) = others.iter().find(|(magic, _)| is(magic)) {
            return Err(Unreadable::new(format!("the file is no table: it is {what}")));
        }
        if is(b"PK\x03\x04") || is(b"PK\x05\x06") {
            return Ok(Self::Xlsx);
        }
        let text = visible_start(start);
        if text.is_empty() {
            return Err(Unreadable::new("the file is empty"));
        }
        if text.starts_with("begin:vcard") {
            return Ok(Self::VCard);
        }
        let markup = ["<!doctype", "<html", "<?xml", "<table", "<body"];
        if markup.iter().any(|tag| text.starts_with(tag)) {
            return Err(Unreadable::new("the file is no table: it is a web page or XML"));
        }
        if text.starts_with('{') || text.starts_with("[{") {
            let why = "the file is no table: it is JSON, which POST /api/contacts/bulk takes";
            return Err(Unreadable::new(why));
        }
        Ok(Self::Delimited)
    }
}

/// What a compound file of Microsoft's is, by the names of its streams ([MS-CFB], [MS-OFFCRYPTO]).
fn compound(start: &[u8]) -> &'static str {
    let has = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        start.windows(name.len()).any(|bytes| bytes == name)
    };
    match () {
        () if has("EncryptedPackage") || has("EncryptionInfo") => {
            "a workbook with a password: save it without the password"
        }
        () if has("Workbook") || has("Book") => "a workbook of the old kind (.xls): save it as .xlsx or .csv",
        () if has("WordDocument") => "a text document",
        () => {
            "a workbook of the old kind (.xls), or one with a password: save it as .xlsx without it, or as .csv"
        }
    }
}

/// The first characters that can be seen, as far as ASCII tells, in lower case; those of
/// UTF-16, too.
fn visible_start(start: &[u8]) -> String {
    let bytes = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).iter().take(4_096).copied();
    let seen = bytes
        .filter(|byte| !matches!(byte, 0 | 0xFE | 0xFF))
        .map(|byte| char::from(byte.to_ascii_lowercase()));
    seen.skip_while(|c| c.is_ascii_whitespace()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_what_is_in_them() {
        for (start, want) in [
            (&b"name,phone\n"[..], Some(Format::Delimited)),
            (b"\xEF\xBB\xBFname;phone", Some(Format::Delimited)),
            (b"\xFF\xFEn\0a\0m\0e\0", Some(Format::Delimited)),
            (b"\n\r\nBEGIN:VCARD\r\n", Some(Format::VCard)),
            (b"\xEF\xBB\xBFbegin:vcard\n", Some(Format::VCard)),
            (b"PK\x03\x04....", Some(Format::Xlsx)),
            (b"", None),
            (b" \n ", None),
            (b"%PDF-1.7", None),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", None),
            (b"<!DOCTYPE html><html>", None),
            (b"[{\"a\": 1}]", None),
            (b"{\"contacts\": []}", None),
        ] {
            assert_eq!(Format::of(start).ok(), want, "{start:?}");
        }
    }

    #[test]
    fn a_workbook_with_a_password_is_called_that() {
        let names = |name: &str| {
            let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            [b"\xD0\xCF\x11\xE0", &[0; 600][..], &name].concat()
        };
        for (name, want) in [
            ("EncryptedPackage", "with a password"),
            ("Workbook", "(.xls)"),
            ("WordDocument", "text"),
            ("?", "password"),
        ] {
            assert!(Format::of(&names(name)).unwrap_err().0.contains(want), "{name}");
        }
    }
}
