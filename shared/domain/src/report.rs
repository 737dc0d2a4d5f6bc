//! Reports of campaigns, as files.

use crate::Invalid;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportFormat {
    /// Comma-separated values, UTF-8.
    Csv,
    /// A workbook of Excel.
    Xlsx,
}

impl ReportFormat {
    /// Its word in requests, and the ending of its files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// Reads what a caller asks for.
    ///
    /// # Errors
    /// [`Invalid`] names `format`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let found =
            [Self::Csv, Self::Xlsx].into_iter().find(|format| format.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| Invalid::new("format", "format must be csv or xlsx"))
    }

    /// The type of its files.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_in_any_case() {
        assert_eq!(ReportFormat::parse(" XLSX "), Ok(ReportFormat::Xlsx));
        assert_eq!(ReportFormat::parse("csv"), Ok(ReportFormat::Csv));
        assert_eq!(ReportFormat::parse("pdf").unwrap_err().field, "format");
    }
}
