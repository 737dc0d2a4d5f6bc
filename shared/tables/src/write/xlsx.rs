//! Workbooks of Excel (ECMA-376), forwards only: every cell is a text that stands in
//! the sheet itself, so that nothing has to be kept until the end.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::TableWriter;
use super::zip::Zip;

/// Rows of one sheet, the header included: Excel takes no more.
const SHEET_ROWS: u32 = 1_048_576;
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const OFFICE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// A workbook, behind what was written of it so far.
#[derive(Debug, Serialize, Deserialize)]
pub struct Xlsx {
    zip: Zip,
    /// The names of the columns, and what sheets are called.
    header: Vec<String>,
    title: String,
    /// Sheets that were begun.
    sheets: u32,
    /// Rows of the last one.
    rows: u32,
    sheet_rows: u32,
}

impl Xlsx {
    fn with_sheets_of(sheet_rows: u32, header: &[&str], title: &str) -> Self {
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        let title = title.to_owned();
        let mut book = Self { zip: Zip::default(), header, title, sheets: 0, rows: 0, sheet_rows };
        book.begin_sheet();
        book
    }

    fn begin_sheet(&mut self) {
        self.sheets += 1;
        self.rows = 0;
        self.zip.begin(&format!("xl/worksheets/sheet{}.xml", self.sheets));
        self.zip.write(format!("{DECLARATION}<worksheet xmlns=\"{MAIN}\"><sheetData>").as_bytes());
        let header = self.header.clone();
        self.row(header.iter().map(String::as_str));
    }

    fn end_sheet(&mut self) {
        self.zip.write(b"</sheetData></worksheet>");
    }

    fn row<'a>(&mut self, fields: impl IntoIterator<Item = &'a str>) {
        self.rows += 1;
        let mut xml = format!("<row r=\"{}\">", self.rows);
        for (column, field) in (b'A'..=b'Z').zip(fields).filter(|(_, field)| !field.is_empty()) {
            let _infallible =
                write!(xml, "<c r=\"{}{}\" t=\"inlineStr\"><is><t>", char::from(column), self.rows);
            escape(field, &mut xml);
            xml.push_str("</t></is></c>");
        }
        xml.push_str("</row>");
        self.zip.write(xml.as_bytes());
    }

    fn file(&mut self, name: &str, content: &str) {
        self.zip.begin(name);
        self.zip.write(DECLARATION.as_bytes());
        self.zip.write(content.as_bytes());
    }

    fn all(&self, each: impl Fn(u32) -> String) -> String {
        (1..=self.sheets).map(each).collect()
    }
}

/// A text as XML has it; without the control characters that it has not.
fn escape(text: &str, xml: &mut String) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\t' | '\n' => xml.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => xml.push(c),
        }
    }
}

impl TableWriter for Xlsx {
    fn begin(header: &[&str], title: &str) -> Self {
        Self::with_sheets_of(SHEET_ROWS, header, title)
    }

    fn resume(state: &str) -> Option<Self> {
        serde_json::from_str(state).ok()
    }

    fn write<T: AsRef<str>>(&mut self, row: &[T]) {
        if self.rows >= self.sheet_rows {
            self.end_sheet();
            self.begin_sheet();
        }
        self.row(row.iter().map(AsRef::as_ref));
    }

    fn bytes(&self) -> usize {
        self.zip.bytes()
    }

    fn part(&mut self) -> Vec<u8> {
        self.zip.take()
    }

    fn state(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn end(mut self) -> Vec<u8> {
        self.end_sheet();
        let title = self.title.clone();
        let name = |i: u32| if i == 1 { title.clone() } else { format!("{title} {i}") };
        let sheets = self.all(|i| format!("<sheet name=\"{}\" sheetId=\"{i}\" r:id=\"rId{i}\"/>", name(i)));
        let book = format!(
            "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>{sheets}</sheets></workbook>"
        );
        let targets = self.all(|i| {
            format!("<Relationship Id=\"rId{i}\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet{i}.xml\"/>")
        });
        let of_book = format!("<Relationships xmlns=\"{PACKAGE}/relationships\">{targets}</Relationships>");
        let of_package = format!(
            "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
             Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        let typed = |part: &str, kind: &str| {
            format!("<Override PartName=\"/xl/{part}\" ContentType=\"{OFFICE}.{kind}+xml\"/>")
        };
        let types = typed("workbook.xml", "sheet.main")
            + &self.all(|i| typed(&format!("worksheets/sheet{i}.xml"), "worksheet"));
        let types = format!(
            "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
             ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
             <Default Extension=\"xml\" ContentType=\"application/xml\"/>{types}</Types>"
        );
        self.file("xl/workbook.xml", &book);
        self.file("xl/_rels/workbook.xml.rels", &of_book);
        self.file("_rels/.rels", &of_package);
        self.file("[Content_Types].xml", &types);
        self.zip.end()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Reader, open_workbook_from_rs};

    use super::*;

    const HEADER: [&str; 4] = ["id", "phone", "state", "reason"];

    fn line(id: u32, reason: &str) -> [String; 4] {
        [id.to_string(), format!("+39333{id:07}"), String::new(), reason.to_owned()]
    }

    /// The sheets of a workbook as another library reads them.
    fn read(bytes: Vec<u8>) -> Vec<(String, Vec<Vec<String>>)> {
        let mut book: calamine::Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let names = book.sheet_names();
        let rows = |range: calamine::Range<calamine::Data>| {
            range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
        };
        names.into_iter().map(|name| (name.clone(), rows(book.worksheet_range(&name).unwrap()))).collect()
    }

    #[test]
    fn texts_come_back_as_they_were_written() {
        let mut book = Xlsx::begin(&HEADER, "Recipients");
        book.write(&line(1, "<a> & \"b\" 'c' \u{1} è €"));
        book.write(&line(2, "=1+1"));
        let sheets = read(book.end());
        assert_eq!(sheets.len(), 1);
        let (name, rows) = &sheets[0];
        assert_eq!((name.as_str(), rows.len()), ("Recipients", 3));
        assert_eq!(rows[0], HEADER);
        assert_eq!(rows[1], ["1", "+393330000001", "", "<a> & \"b\" 'c'  è €"]);
        assert_eq!(rows[2][3], "=1+1");
    }

    #[test]
    fn parts_of_several_processes_make_one_workbook_with_as_many_sheets_as_it_takes() {
        for part in [1, 3, 4, 1_000] {
            let (mut book, mut bytes) = (Xlsx::with_sheets_of(401, &HEADER, "Recipients"), Vec::new());
            for id in 1..=1_000 {
                book.write(&line(id, "reason"));
                if id % part == 0 {
                    bytes.extend(book.part());
                    book = Xlsx::resume(&book.state()).unwrap();
                }
            }
            bytes.extend(book.end());
            let sheets = read(bytes);
            let rows: Vec<usize> = sheets.iter().map(|(_, rows)| rows.len()).collect();
            assert_eq!(rows, [401, 401, 201], "parts of {part}");
            assert_eq!(sheets[2].0, "Recipients 3");
            let ids = sheets.iter().flat_map(|(_, rows)| rows[1..].iter().map(|row| row[0].clone()));
            assert!(ids.eq((1..=1_000).map(|id| id.to_string())), "parts of {part}");
        }
    }

    #[test]
    fn nothing_is_kept_but_what_is_not_taken_away() {
        let mut book = Xlsx::begin(&HEADER, "Recipients");
        for id in 0..20_000 {
            book.write(&line(id, ""));
        }
        assert!(book.bytes() > 50_000, "{}", book.bytes());
        book.part();
        assert_eq!(book.bytes(), 0);
        assert!(book.state().len() < 1_000);
    }
}
