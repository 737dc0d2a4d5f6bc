use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, on a terminal.
    Text,
    /// One JSON object per line, for CloudWatch.
    Json,
}

/// Starts logging to standard error. `STAFFETTA_LOG` takes directives such as
/// `info` or `ops=debug`; warnings are the default. A second call does nothing.
pub fn init(format: Format) {
    let filter = EnvFilter::try_from_env("STAFFETTA_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        Format::Text => logs.with_target(false).try_init(),
        Format::Json => logs.json().flatten_event(true).try_init(),
    };
    drop(started);
}
