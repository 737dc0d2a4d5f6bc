//! Figures, as log lines that CloudWatch reads.

use std::io::Write;

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// The target of events that are figures rather than log lines.
pub(crate) const TARGET: &str = "metric";
/// As the alarms of the template name it.
const NAMESPACE: &str = "Staffetta";

/// Writes events of the target `metric` (`name`, `value`, `unit`) to standard
/// output in CloudWatch's embedded metric format, from which CloudWatch makes
/// figures without a call.
///
/// Source: «Specification: Embedded metric format» of the CloudWatch User Guide.
#[derive(Debug)]
pub(crate) struct Metrics {
    stage: String,
}

impl Metrics {
    pub(crate) fn new(stage: String) -> Self {
        Self { stage }
    }
}

#[derive(Default)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

impl Visit for Figure {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "value" {
            self.value = value;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "figures of this size are exact enough")]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_f64(field, value as f64);
    }

    #[expect(clippy::cast_precision_loss, reason = "figures of this size are exact enough")]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_f64(field, value as f64);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "name" => value.clone_into(&mut self.name),
            "unit" => value.clone_into(&mut self.unit),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

fn line(figure: &Figure, stage: &str, at_ms: i64) -> Value {
    let mut line = json!({
        "_aws": {
            "Timestamp": at_ms,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Stage"]],
                "Metrics": [{"Name": figure.name, "Unit": figure.unit}],
            }],
        },
        "Stage": stage,
    });
    line[&figure.name] = json!(figure.value);
    line
}

impl<S: Subscriber> Layer<S> for Metrics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut figure = Figure::default();
        event.record(&mut figure);
        let line = line(&figure, &self.stage, domain::Clock::System.now_ms());
        // A figure that cannot be written must not fail what it measures.
        let _lost = writeln!(std::io::stdout(), "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_line_that_cloudwatch_reads() {
        let figure =
            Figure { name: "StartLateness".to_owned(), value: 312.0, unit: "Milliseconds".to_owned() };
        let line = line(&figure, "prod", 1_782_892_800_000);
        assert_eq!(line["StartLateness"], 312.0);
        assert_eq!(line["Stage"], "prod");
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Namespace"], "Staffetta");
        assert_eq!(metrics["Metrics"], json!([{"Name": "StartLateness", "Unit": "Milliseconds"}]));
    }
}
