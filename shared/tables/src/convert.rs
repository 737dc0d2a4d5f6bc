//! Files that are not read forwards, as comma-separated values that are.

use csv::Writer;

use crate::text::Charset;
use crate::{Format, Unreadable, sheet, vcard};

/// Most bytes that a file may be once it is comma-separated values.
const MAX_TEXT: usize = 250_000_000;

/// Whether a file has to be converted: by its format and its beginning.
pub fn is_converted(format: Format, start: &[u8]) -> bool {
    match format {
        Format::Xlsx | Format::VCard => true,
        Format::Delimited => wide(start).is_some(),
    }
}

/// UTF-16, where a file is that.
fn wide(start: &[u8]) -> Option<Charset> {
    let marked = Charset::of_mark(start).map(|(charset, _)| charset);
    marked.or_else(|| Charset::of_nulls(start)).filter(|charset| !charset.is_plain())
}

/// A file as comma-separated values, in UTF-8; its text is in `charset`, if that is told.
///
/// # Errors
/// [`Unreadable`] when it is no such file, or too large a one.
pub fn to_csv(format: Format, file: &[u8], charset: Option<Charset>) -> Result<Vec<u8>, Unreadable> {
    match format {
        Format::Xlsx => {
            let mut csv = Lines::default();
            sheet::rows(file, |row| csv.write(row))?;
            csv.end()
        }
        Format::VCard => {
            let mut csv = Lines::default();
            csv.write(&vcard::HEADER.map(str::to_owned))?;
            vcard::cards(&unfolded(file, charset), |row| csv.write(row))?;
            csv.end()
        }
        Format::Delimited => Ok(text(file, charset).into_bytes()),
    }
}

/// The whole of a file as text. What its own mark says counts more than what is told.
fn text(file: &[u8], told: Option<Charset>) -> String {
    let mark = Charset::of_mark(file);
    let charset = mark.map(|(charset, _)| charset).or(told).or_else(|| wide(file)).unwrap_or_else(|| {
        let mut guess = crate::text::Guess::new();
        guess.feed(file);
        guess.finish()
    });
    charset.decode_lines(&file[mark.map_or(0, |(_, length)| length)..])
}

/// The lines of address cards as text.
fn unfolded(file: &[u8], told: Option<Charset>) -> String {
    match told.or_else(|| wide(file)).is_some_and(|charset| !charset.is_plain()) {
        true => text(&vcard::unfolded(text(file, told).as_bytes()), None),
        false => text(&vcard::unfolded(file), told),
    }
}

struct Lines(Writer<Vec<u8>>);

impl Default for Lines {
    fn default() -> Self {
        Self(csv::WriterBuilder::new().flexible(true).from_writer(Vec::new()))
    }
}

impl Lines {
    fn write(&mut self, row: &[String]) -> Result<(), Unreadable> {
        // Into memory: it cannot fail.
        let written = self.0.write_record(row).and_then(|()| Ok(self.0.flush()?));
        written.map_err(|_| Unreadable::new("a row cannot be read"))?;
        match self.0.get_ref().len() > MAX_TEXT {
            true => Err(Unreadable::new("the file has more than 250 MB of text: split it")),
            false => Ok(()),
        }
    }

    fn end(self) -> Result<Vec<u8>, Unreadable> {
        let csv = self.0.into_inner().map_err(|_| Unreadable::new("a row cannot be read"))?;
        if csv.is_empty() {
            return Err(Unreadable::new("the file is empty"));
        }
        Ok(csv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_unfolded_before_they_are_decoded() {
        let (lead, trail) = ("ü".as_bytes()[0], "ü".as_bytes()[1]);
        let folded = [b"BEGIN:VCARD\r\nFN:J", &[lead][..], b"\r\n ", &[trail][..], b"rgen\r\nNOTE:"].concat();
        let file =
            [&folded[..], "é à\r\nEND:VCARD\r\nBEGIN:VCARD\r\nFN:".as_bytes(), b"Andr\xE9\r\nEND:VCARD"]
                .concat();
        let csv = String::from_utf8(to_csv(Format::VCard, &file, None).unwrap()).unwrap();
        assert!(csv.contains("\nJürgen,") && csv.contains("\nAndré,"), "{csv}");
    }

    #[test]
    fn an_encoding_that_is_told_is_not_guessed() {
        let dos = Charset::named("ibm850");
        let csv = to_csv(Format::VCard, b"BEGIN:VCARD\nFN:\x82\nEND:VCARD", dos).unwrap();
        assert!(String::from_utf8(csv).unwrap().contains("\né,"));
        let marked = "\u{feff}Zoë".as_bytes();
        assert_eq!(to_csv(Format::Delimited, marked, dos).unwrap(), "Zoë".as_bytes());
    }
}
