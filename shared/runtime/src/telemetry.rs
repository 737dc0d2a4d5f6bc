//! Logging.

use tracing::Level;
use tracing_subscriber::filter::{FilterFn, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use crate::metrics::{Metrics, TARGET};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, on a terminal.
    Text,
    /// One JSON object per line, for CloudWatch; figures beside it.
    Json,
}

/// Starts logging to standard error. `STAFFETTA_LOG` takes directives such as
/// `info` or `ops=debug`; warnings are the default. A second call does nothing.
pub fn init(format: Format) {
    let filter = wanted(&std::env::var("STAFFETTA_LOG").unwrap_or_default());
    let is_line = FilterFn::new(|metadata| metadata.target() != TARGET);
    let logs = fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        Format::Text => {
            registry().with(logs.with_target(false).with_filter(filter).with_filter(is_line)).try_init()
        }
        Format::Json => {
            let stage = std::env::var("STAFFETTA_STAGE").unwrap_or_default();
            let figures = Metrics::new(stage).with_filter(Targets::new().with_target(TARGET, Level::INFO));
            let lines = logs.json().flatten_event(true).with_filter(filter).with_filter(is_line);
            registry().with(lines).with(figures).try_init()
        }
    };
    drop(started);
}

/// Levels by target. Spans and fields cannot be named: what reads those brings an
/// engine for regular expressions into every function.
fn wanted(directives: &str) -> Targets {
    let named: Vec<_> = directives.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    let warnings = Targets::new().with_default(Level::WARN);
    if named.is_empty() { warnings } else { named.join(",").parse().unwrap_or(warnings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_name_levels_and_warnings_are_the_default() {
        let ops_and_rest = |directives: &str| {
            let wanted = wanted(directives);
            let level = |target| {
                let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
                levels.into_iter().rfind(|level| wanted.would_enable(target, level))
            };
            (level("ops::campaigns"), level("hyper"))
        };
        assert_eq!(ops_and_rest(""), (Some(Level::WARN), Some(Level::WARN)));
        assert_eq!(ops_and_rest("ops=loud"), (Some(Level::WARN), Some(Level::WARN)));
        assert_eq!(ops_and_rest("info"), (Some(Level::INFO), Some(Level::INFO)));
        assert_eq!(ops_and_rest("ops=debug, warn,"), (Some(Level::DEBUG), Some(Level::WARN)));
        assert_eq!(ops_and_rest("ops=debug"), (Some(Level::DEBUG), None));
        assert_eq!(ops_and_rest("off"), (None, None));
    }
}
