//! Logging.

use tracing_subscriber::filter::{FilterFn, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

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
    let filter = EnvFilter::try_from_env("STAFFETTA_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let is_line = FilterFn::new(|metadata| metadata.target() != TARGET);
    let logs = fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        Format::Text => {
            registry().with(logs.with_target(false).with_filter(filter).with_filter(is_line)).try_init()
        }
        Format::Json => {
            let stage = std::env::var("STAFFETTA_STAGE").unwrap_or_default();
            let figures =
                Metrics::new(stage).with_filter(Targets::new().with_target(TARGET, tracing::Level::INFO));
            let lines = logs.json().flatten_event(true).with_filter(filter).with_filter(is_line);
            registry().with(lines).with(figures).try_init()
        }
    };
    drop(started);
}
