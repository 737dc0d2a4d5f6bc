//! Workbooks of Excel (ECMA-376): the rows of the first sheet that shows any.
//!
//! What an archive unpacks to is counted before anything of it is kept: its headers may lie.

use std::io::Cursor;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError, open_workbook_from_rs};
use flate2::{Decompress, FlushDecompress, Status};

use crate::{MAX_COLUMNS, MAX_ROWS, Unreadable};

/// Most bytes that all of a workbook unpacks to.
const MAX_UNPACKED: u64 = 500_000_000;
/// Most bytes of the texts that cells refer to: they are kept while the sheet is read.
const MAX_STRINGS: u64 = 100_000_000;
/// Most files of the archive.
const MAX_FILES: usize = 10_000;
/// From here on a number of a cell has lost digits.
const EXACT: f64 = 1e15;

/// Calls `take` with each row that has any value.
pub(crate) fn rows(
    file: &[u8],
    mut take: impl FnMut(&[String]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    check_size(file, MAX_UNPACKED)?;
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(file)).map_err(no_workbook)?;
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
    let mut cells = book.worksheet_cells_reader(name).map_err(no_workbook)?;
    let (mut row, mut at, mut count) = (Vec::new(), None, 0);
    while let Some(cell) = cells.next_cell().map_err(no_workbook)? {
        let (number, column) = cell.get_position();
        let value = text(cell.get_value());
        if value.is_empty() {
            continue;
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= MAX_COLUMNS {
            return Err(Unreadable::too_many_columns(column.saturating_add(1)));
        }
        if at != Some(number) && !row.is_empty() {
            take(&row)?;
            row.clear();
        }
        if row.is_empty() {
            count += 1;
            if count > MAX_ROWS + 1 {
                return Err(Unreadable::too_many_rows());
            }
        }
        at = Some(number);
        row.resize(row.len().max(column + 1), String::new());
        row[column] = value;
    }
    if !row.is_empty() {
        take(&row)?;
    }
    Ok(count > 0)
}

fn no_workbook(_: XlsxError) -> Unreadable {
    Unreadable::new("the file is no table: it is a ZIP archive, but no workbook of Excel that can be read")
}

/// A value as its owner would write it.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.trim().to_owned()
        }
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(time) => date_text(time.as_f64()),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// Whole numbers as such, exactly; those that have lost digits with an exponent, so that
/// nobody takes them for a phone number.
fn number_text(number: f64) -> String {
    match number.abs() {
        size if size >= EXACT => format!("{number:E}"),
        _ => format!("{number}"),
    }
}

/// A date by its number of days since 30 December 1899, with its time where it has one.
fn date_text(serial: f64) -> String {
    if !(1.0..3_000_000.0).contains(&serial) {
        return number_text(serial);
    }
    let seconds = (serial * 86_400.0).round() as i64;
    let (days, second) = (seconds.div_euclid(86_400) - 25_569, seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let date = format!("{year:04}-{month:02}-{day:02}");
    match second {
        0 => date,
        _ => format!("{date} {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60),
    }
}

/// Year, month and day of a number of days since 1970.
///
/// Source: Howard Hinnant, «chrono-Compatible Low-Level Date Algorithms», `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Unpacks everything once, and keeps nothing of it.
///
/// Source: PKWARE's APPNOTE.TXT 6.3.10, 4.3.7, 4.3.12 and 4.3.16.
fn check_size(file: &[u8], most: u64) -> Result<(), Unreadable> {
    let broken = || Unreadable::new("the file is no table: it is a broken ZIP archive");
    let bomb = || Unreadable::new("the workbook unpacks to more than 500 MB: split it");
    let tail = file.len().saturating_sub(66_000);
    let end = file[tail..].windows(4).rposition(|four| four == b"PK\x05\x06").ok_or_else(broken)? + tail;
    let (count, mut at) =
        (short(file, end + 10).ok_or_else(broken)?, long(file, end + 16).ok_or_else(broken)?);
    if count > MAX_FILES {
        return Err(bomb());
    }
    let mut unpacked = 0;
    for _ in 0..count {
        if file.get(at..at + 4) != Some(b"PK\x01\x02") {
            return Err(broken());
        }
        let field = |offset| short(file, at + offset).ok_or_else(broken);
        let (method, name, extra, comment) = (field(10)?, field(28)?, field(30)?, field(32)?);
        let (packed, offset) =
            (long(file, at + 20).ok_or_else(broken)?, long(file, at + 42).ok_or_else(broken)?);
        let called = file.get(at + 46..at + 46 + name).ok_or_else(broken)?;
        let start = offset
            + 30
            + short(file, offset + 26).ok_or_else(broken)?
            + short(file, offset + 28).ok_or_else(broken)?;
        let content = file.get(start..start.saturating_add(packed)).ok_or_else(broken)?;
        let size = if method == 8 { inflated(content, most - unpacked) } else { content.len() as u64 };
        unpacked += size;
        if unpacked >= most {
            return Err(bomb());
        }
        if called.to_ascii_lowercase().ends_with(b"sharedstrings.xml") && size > MAX_STRINGS {
            return Err(Unreadable::new("the workbook has more than 100 MB of texts: split it"));
        }
        at += 46 + name + extra + comment;
    }
    Ok(())
}

/// How much comes out of compressed bytes, up to `most`.
fn inflated(content: &[u8], most: u64) -> u64 {
    let mut inflate = Decompress::new(false);
    let mut out = vec![0; 64 * 1024];
    while inflate.total_out() < most {
        let read = usize::try_from(inflate.total_in()).unwrap_or(content.len());
        let before = (inflate.total_in(), inflate.total_out());
        let ended = inflate.decompress(&content[read..], &mut out, FlushDecompress::None);
        let is_stuck = before == (inflate.total_in(), inflate.total_out());
        if is_stuck || !matches!(ended, Ok(Status::Ok | Status::BufError)) {
            break;
        }
    }
    inflate.total_out()
}

fn short(file: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?)))
}

fn long(file: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(file.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok()
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
        assert_eq!(read(&sheet).unwrap(), [vec!["name", "", "phone"], vec!["", "", "+39 1"]]);
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

    #[test]
    fn a_bomb_is_not_unpacked() {
        let mut zip = Zip::default();
        zip.begin("xl/worksheets/sheet1.xml");
        zip.write(&vec![b' '; 4_000_000]);
        let mut bomb = zip.end();
        assert!(check_size(&bomb, 3_000_000).unwrap_err().0.contains("500 MB"));
        assert_eq!(check_size(&bomb, 5_000_000), Ok(()));
        // Its directory says that it is small.
        let directory = bomb.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
        bomb[directory + 24..directory + 28].fill(0);
        assert!(check_size(&bomb, 3_000_000).is_err());
    }
}
