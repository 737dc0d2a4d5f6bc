//! Workbooks of Excel (ECMA-376): the rows of the first sheet that shows any.
//!
//! What an archive unpacks to is counted before anything of it is kept: its headers may lie.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Reader, SheetType, SheetVisible, Xlsx, XlsxError, open_workbook_from_rs};
mod archive;
mod scan;
mod value;

use crate::{MAX_COLUMNS, MAX_RECORD, MAX_ROWS, Unreadable};
use value::text;

/// Empty rows that are handed over, so that those behind keep their numbers; more of them are
/// no table's.
const MAX_GAP: u32 = 10_000;

/// Calls `take` with each row, the empty ones between them, too.
pub(crate) fn rows(
    file: &[u8],
    take: impl FnMut(&[String]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    archive::check(file, archive::MAX_UNPACKED)?;
    // The reader trusts that a cell refers to a text that there is.
    catch_unwind(AssertUnwindSafe(|| of_book(file, take))).unwrap_or_else(|_| Err(no_workbook()))
}

fn of_book(file: &[u8], mut take: impl FnMut(&[String]) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(file)).map_err(|_: XlsxError| no_workbook())?;
    let sheets = book.sheets_metadata().to_vec();
    let shown = sheets.iter().filter(|s| s.typ == SheetType::WorkSheet && s.visible == SheetVisible::Visible);
    for sheet in shown {
        if of_sheet(&mut book, &sheet.name, &mut take)? {
            return Ok(());
        }
    }
    Err(Unreadable::new("the file is empty: no sheet of the workbook has values"))
}

/// The rows of one sheet; answers whether there are any.
fn of_sheet(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    take: &mut impl FnMut(&[String]) -> Result<(), Unreadable>,
) -> Result<bool, Unreadable> {
    let mut cells = book.worksheet_cells_reader(name).map_err(|_| no_workbook())?;
    let (mut row, mut at, mut count, mut size) = (Vec::new(), None, 0, 0);
    while let Some(cell) = cells.next_cell().map_err(|_| no_workbook())? {
        let (number, column) = cell.get_position();
        let value = text(cell.get_value());
        if value.is_empty() {
            continue;
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if at != Some(number) {
            if !row.is_empty() {
                take(&row)?;
                row.clear();
            }
            let gap = number.saturating_sub(at.map_or(0, |at: u32| at.saturating_add(1)));
            for _ in 0..if gap > MAX_GAP { 0 } else { gap } {
                take(&[String::new()])?;
                count += 1;
            }
            count += 1;
            if count > MAX_ROWS + 1 {
                return Err(Unreadable::too_many_rows());
            }
            if column >= MAX_COLUMNS && at.is_none() {
                return Err(Unreadable::too_many_columns(column.saturating_add(1)));
            }
            (at, size) = (Some(number), 0);
        }
        // A row of more columns, or more bytes, than are read is refused by itself.
        let column = column.min(MAX_COLUMNS);
        row.resize(row.len().max(column + 1), String::new());
        if size <= MAX_RECORD {
            size += value.len();
            row[column] = value;
        }
    }
    if !row.is_empty() {
        take(&row)?;
    }
    Ok(at.is_some())
}

fn no_workbook() -> Unreadable {
    Unreadable::new("the file is no table: it is a ZIP archive, but no workbook of Excel that can be read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Zip;
    use crate::{TableWriter, write};

    /// A workbook with this as its sheet.
    fn book(sheet: &str) -> Vec<u8> {
        let mut book = write::Xlsx::begin(&["x"], "Contacts");
        let _part = book.part();
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let mut zip = Zip::default();
        for (name, content) in [
            (
                "xl/worksheets/sheet1.xml",
                format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>"),
            ),
            (
                "xl/workbook.xml",
                format!(
                    "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
                ),
            ),
            (
                "xl/styles.xml",
                format!(
                    "<styleSheet xmlns=\"{main}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
                ),
            ),
        ] {
            zip.begin(name);
            zip.write(content.as_bytes());
        }
        zip.end()
    }

    fn read(sheet: &str) -> Result<Vec<Vec<String>>, Unreadable> {
        let mut all = Vec::new();
        rows(&book(sheet), |row| {
            all.push(row.to_vec());
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn numbers_are_exact_or_refused() {
        let cells = "<row r=\"1\"><c r=\"A1\"><v>393471234567</v></c><c r=\"B1\"><v>3.93471234567E11</v></c>\
            <c r=\"C1\"><v>123456789012345678</v></c><c r=\"D1\"><v>12.5</v></c>\
            <c r=\"E1\" s=\"1\"><v>45292</v></c><c r=\"F1\" t=\"b\"><v>1</v></c></row>";
        let row = &read(cells).unwrap()[0];
        assert_eq!(row[..2], ["393471234567", "393471234567"]);
        assert!(row[2].contains('E'), "{}", row[2]);
        assert_eq!(row[3..], ["12.5", "2024-01-01", "true"]);
    }

    #[test]
    fn rows_keep_their_columns() {
        let text = |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let sheet = format!(
            "<row r=\"1\">{}{}</row><row r=\"2\"></row><row r=\"4\">{}</row>",
            text("A1", "name"),
            text("C1", "phone"),
            text("C4", "+39 1")
        );
        let rows = read(&sheet).unwrap();
        assert_eq!(rows, [vec!["name", "", "phone"], vec![""], vec![""], vec!["", "", "+39 1"]]);
        // A stray cell in the last column, and one in the last row.
        let sheet = format!(
            "<row r=\"1\">{}</row><row r=\"2\">{}</row><row r=\"1048576\">{}</row>",
            text("A1", "phone"),
            text("XFD2", "x"),
            text("A1048576", "+39 1")
        );
        let rows = read(&sheet).unwrap();
        assert_eq!((rows.len(), rows[1].len(), &rows[2][0][..]), (3, MAX_COLUMNS + 1, "+39 1"));
        // A text that there is not.
        assert!(read("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>7</v></c></row>").is_err());
    }

    #[test]
    fn what_is_too_large_or_no_workbook_is_refused() {
        let far = "<row r=\"1\"><c r=\"CKR1\"><v>1</v></c></row>";
        assert!(read(far).unwrap_err().0.contains("columns"));
        assert!(read("").unwrap_err().0.contains("empty"));
        let mut zip = Zip::default();
        zip.begin("readme.txt");
        zip.write(b"hi");
        for (bytes, want) in [(zip.end(), "no workbook"), (b"PK\x03\x04broken".to_vec(), "broken")] {
            let error = rows(&bytes, |_| Ok(())).unwrap_err();
            assert!(error.0.contains(want), "{error}");
        }
    }
}
