//! The CSV of a report.

use csv::Writer as Fields;
use messaging::campaigns::{HEADER, ReportLine, Writer};

/// Comma-separated values as RFC 4180 has them, but for lines that end with a line
/// feed alone.
pub(super) struct Csv(Fields<Vec<u8>>);

impl Csv {
    fn field_line<T: AsRef<[u8]>>(&mut self, fields: impl IntoIterator<Item = T>) {
        // Into memory, with the same number of fields in each line: it cannot fail.
        if let Err(error) = self.0.write_record(fields) {
            tracing::error!(%error, "a line of a report could not be written");
        }
    }
}

impl Writer for Csv {
    fn begin() -> Self {
        let mut file = Self(Fields::from_writer(Vec::new()));
        file.field_line(HEADER);
        file
    }

    fn resume(_state: &str) -> Option<Self> {
        Some(Self(Fields::from_writer(Vec::new())))
    }

    fn write(&mut self, line: &ReportLine) {
        self.field_line(line);
    }

    fn bytes(&self) -> usize {
        self.0.get_ref().len()
    }

    fn part(&mut self) -> Vec<u8> {
        let written = std::mem::replace(&mut self.0, Fields::from_writer(Vec::new()));
        written.into_inner().unwrap_or_default()
    }

    fn state(&self) -> String {
        String::new()
    }

    fn end(mut self) -> Vec<u8> {
        self.part()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_one_file() {
        let line = |id: u32| {
            let mut line = ReportLine::default();
            (line[0], line[1], line[3]) = (id.to_string(), "+393391234567".to_owned(), "a, \"b\"".to_owned());
            line
        };
        let mut csv = Csv::begin();
        csv.write(&line(1));
        let mut all = csv.part();
        let mut csv = Csv::resume(&csv.state()).unwrap();
        csv.write(&line(2));
        all.extend(csv.end());
        let text = String::from_utf8(all).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], HEADER.join(","));
        assert_eq!(lines[1], "1,+393391234567,,\"a, \"\"b\"\"\",,,,,,,");
        assert_eq!((lines.len(), lines[2].starts_with("2,+39")), (3, true));
    }
}
