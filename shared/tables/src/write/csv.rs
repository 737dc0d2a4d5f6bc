//! Comma-separated values.

use csv::{Writer as Fields, WriterBuilder};

use super::TableWriter;

/// Comma-separated values as RFC 4180 has them, but for lines that end with a line
/// feed alone.
#[derive(Debug)]
pub struct Csv(Fields<Vec<u8>>);

impl Csv {
    fn field_line<T: AsRef<[u8]>>(&mut self, fields: impl IntoIterator<Item = T>) {
        // Into memory, however many fields a line has: it cannot fail.
        let _infallible = self.0.write_record(fields);
    }
}

fn fields() -> Fields<Vec<u8>> {
    WriterBuilder::new().flexible(true).from_writer(Vec::new())
}

impl TableWriter for Csv {
    fn begin(header: &[&str], _title: &str) -> Self {
        let mut file = Self(fields());
        file.field_line(header);
        file
    }

    fn resume(_state: &str) -> Option<Self> {
        Some(Self(fields()))
    }

    fn write<T: AsRef<str>>(&mut self, row: &[T]) {
        self.field_line(row.iter().map(|field| field.as_ref().as_bytes()));
    }

    fn bytes(&self) -> usize {
        self.0.get_ref().len()
    }

    fn part(&mut self) -> Vec<u8> {
        let written = std::mem::replace(&mut self.0, fields());
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
        let mut csv = Csv::begin(&["id", "phone", "reason"], "x");
        csv.write(&["1", "+393391234567", "a, \"b\""]);
        let mut all = csv.part();
        let mut csv = Csv::resume(&csv.state()).unwrap();
        csv.write(&["2", "+39", ""]);
        all.extend(csv.end());
        let want = "id,phone,reason\n1,+393391234567,\"a, \"\"b\"\"\"\n2,+39,\n";
        assert_eq!(String::from_utf8(all).unwrap(), want);
    }
}
