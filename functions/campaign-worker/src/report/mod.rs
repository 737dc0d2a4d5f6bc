//! The formats of reports. They are here, and not beside the rules, so that only
//! those who write files link what it takes.

mod csv;
mod xlsx;
mod zip;

use domain::ReportFormat;
use messaging::Services;
use messaging::campaigns::{ReportRun, build};
use ops::Result;

use self::csv::Csv;
use self::xlsx::Xlsx;

/// A run of the job that makes a report.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn make(services: &Services, run: ReportRun<'_>, out_of_time: impl Fn() -> bool) -> Result<()> {
    match run.of.format {
        ReportFormat::Csv => build::<Csv>(services, run, out_of_time).await,
        ReportFormat::Xlsx => build::<Xlsx>(services, run, out_of_time).await,
    }
}
