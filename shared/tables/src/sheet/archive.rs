//! The archive that a workbook is, looked through before anything of it is read.

use flate2::{Decompress, FlushDecompress, Status};

use super::scan::Scan;
use crate::Unreadable;

/// Most bytes that all of a workbook unpacks to.
pub(super) const MAX_UNPACKED: u64 = 500_000_000;
/// Most bytes of the texts that cells refer to: they are kept while the sheet is read.
const MAX_STRINGS: u64 = 100_000_000;
/// Most bytes of a part with styles, names or relations: they are kept, too.
const MAX_SETTINGS: u64 = 16_000_000;
/// Most files of the archive.
const MAX_FILES: usize = 10_000;

/// Unpacks everything once, and keeps nothing of it.
///
/// Source: PKWARE's APPNOTE.TXT 6.3.10, 4.3.7, 4.3.12 and 4.3.16.
pub(super) fn check(file: &[u8], most: u64) -> Result<(), Unreadable> {
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
        let called = called.to_ascii_lowercase();
        let mut scan = Scan::default();
        let is_xml = [&b".xml"[..], b".rels"].into_iter().any(|end| called.ends_with(end));
        let mut look = |bytes: &[u8]| if is_xml { scan.feed(bytes) } else { Ok(()) };
        let size = match method {
            8 => inflated(content, most - unpacked, &mut look)?,
            _ => {
                look(content)?;
                content.len() as u64
            }
        };
        unpacked += size;
        if unpacked >= most {
            return Err(bomb());
        }
        if called.ends_with(b"sharedstrings.xml") && size > MAX_STRINGS {
            return Err(Unreadable::new("the workbook has more than 100 MB of texts: split it"));
        }
        let is_kept =
            [&b"workbook.xml"[..], b"styles.xml", b".rels"].into_iter().any(|end| called.ends_with(end));
        if is_kept && size > MAX_SETTINGS {
            return Err(Unreadable::new(
                "the workbook has more than 16 MB of styles or names: save it without them",
            ));
        }
        at += 46 + name + extra + comment;
    }
    Ok(())
}

/// Calls `look` with what comes out of compressed bytes, up to `most`; answers how much it is.
fn inflated(
    content: &[u8],
    most: u64,
    look: &mut impl FnMut(&[u8]) -> Result<(), Unreadable>,
) -> Result<u64, Unreadable> {
    let mut inflate = Decompress::new(false);
    let mut out = vec![0; 64 * 1024];
    while inflate.total_out() < most {
        let read = usize::try_from(inflate.total_in()).unwrap_or(content.len());
        let before = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(&content[read..], &mut out, FlushDecompress::None);
        let written = usize::try_from(inflate.total_out() - before.1).unwrap_or(0);
        look(out.get(..written).unwrap_or_default())?;
        let is_stuck = before == (inflate.total_in(), inflate.total_out());
        if is_stuck || !matches!(status, Ok(Status::Ok | Status::BufError)) {
            break;
        }
    }
    Ok(inflate.total_out())
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

    #[test]
    fn a_bomb_is_not_unpacked() {
        let mut zip = Zip::default();
        zip.begin("xl/worksheets/sheet1.xml");
        zip.write(&b"<a>".repeat(1_333_334));
        let mut bomb = zip.end();
        assert!(check(&bomb, 3_000_000).unwrap_err().0.contains("500 MB"));
        assert_eq!(check(&bomb, 5_000_000), Ok(()));
        // Its directory says that it is small.
        let directory = bomb.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
        bomb[directory + 24..directory + 28].fill(0);
        assert!(check(&bomb, 3_000_000).is_err());
    }

    #[test]
    fn a_cell_without_end_is_not_read() {
        let long = "x".repeat(crate::MAX_RECORD);
        let many = "<r><t>xxxxxxxxxx</t></r>".repeat(crate::MAX_RECORD / 20);
        for (name, content, want) in [
            ("xl/worksheets/sheet1.xml", format!("<c t=\"inlineStr\"><is><t>{long}xx</t></is></c>"), false),
            ("xl/worksheets/a.xml", format!("<row><x:c><x:is>{many}</x:is></x:c></row>"), false),
            ("xl/sharedStrings.xml", format!("<sst><si>{many}</si></sst>"), false),
            (
                "xl/sharedStrings.xml",
                format!("<sst><si><t><![CDATA[{}]]></t></si></sst>", "</si><si>".repeat(150_000)),
                false,
            ),
            ("xl/styles.xml", format!("<styleSheet a='{}'/>", "<c></c>".repeat(200_000)), false),
            ("xl/styles.xml", format!("<!--{}-->", "<c></c>".repeat(200_000)), false),
            ("xl/worksheets/sheet1.xml", "<row><c r=\"A1\"/><c><v>1</v></c></row>".repeat(60_000), true),
            ("xl/media/image1.png", long.repeat(3), true),
        ] {
            let mut zip = Zip::default();
            zip.begin(name);
            zip.write(content.as_bytes());
            assert_eq!(check(&zip.end(), MAX_UNPACKED).is_ok(), want, "{name}: {}", &content[..40]);
        }
    }
}
