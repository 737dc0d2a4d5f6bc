//! The formats of reports. They are here, and not beside the rules, so that only
//! those who write files link what it takes.

use domain::ReportFormat;
use messaging::Services;
use messaging::campaigns::{HEADER, ReportLine, ReportRun, Writer, build};
use ops::Result;
use tables::{Csv, TableWriter, Xlsx};

/// A report as a table.
struct Lines<W>(W);

impl<W: TableWriter> Writer for Lines<W> {
    fn begin() -> Self {
        Self(W::begin(&HEADER, "Recipients"))
    }

    fn resume(state: &str) -> Option<Self> {
        W::resume(state).map(Self)
    }

    fn write(&mut self, line: &ReportLine) {
        self.0.write(line);
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn part(&mut self) -> Vec<u8> {
        self.0.part()
    }

    fn state(&self) -> String {
        self.0.state()
    }

    fn end(self) -> Vec<u8> {
        self.0.end()
    }
}

/// A run of the job that makes a report.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn make(services: &Services, run: ReportRun<'_>, out_of_time: impl Fn() -> bool) -> Result<()> {
    match run.of.format {
        ReportFormat::Csv => build::<Lines<Csv>>(services, run, out_of_time).await,
        ReportFormat::Xlsx => build::<Lines<Xlsx>>(services, run, out_of_time).await,
    }
}
