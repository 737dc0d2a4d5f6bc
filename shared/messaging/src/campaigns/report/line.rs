//! What a report says of one recipient.

use domain::message::Address;
use domain::recipient::State;
use jiff::Timestamp;
use store::ledger::Row;

/// The columns.
pub const HEADER: [&str; 11] = [
    "contact_id",
    "phone",
    "state",
    "reason",
    "message_id",
    "accepted_at",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "next_attempt_at",
];

/// The fields of one recipient, in the order of the columns.
pub type ReportLine = [String; HEADER.len()];

/// One recipient. Whoever has no address any more has an empty phone; times are
/// RFC 3339 with milliseconds, UTC.
pub(super) fn line(row: &Row) -> ReportLine {
    let progress = &row.progress;
    let (state, reason) = progress.shown();
    let next_attempt = row.retry_at.filter(|_| progress.state == State::Pending);
    let reason = reason.or_else(|| (row.is_quiet && next_attempt.is_some()).then_some("quiet_hours"));
    [
        row.contact.to_string(),
        row.address.as_ref().map(Address::id).unwrap_or_default().to_owned(),
        state.as_str().to_owned(),
        reason.unwrap_or_default().to_owned(),
        // Meta's ids contain the number: who was erased has none.
        progress.provider_id.clone().filter(|_| row.address.is_some()).unwrap_or_default(),
        time(progress.accepted_at),
        time(progress.sent_at),
        time(progress.delivered_at),
        time(progress.read_at),
        time(progress.failed_at),
        time(next_attempt),
    ]
}

fn time(ms: Option<i64>) -> String {
    ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(|t| format!("{t:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::ContactId;
    use domain::recipient::Progress;

    use super::*;

    #[test]
    fn only_whoever_waits_has_a_next_attempt() {
        let row = |state| Row {
            contact: ContactId(7),
            address: None,
            params: Vec::new(),
            attempt: 2,
            failures: 0,
            retry_at: Some(1_500),
            progress: Progress::new(state),
            is_refused: false,
            maybe_sent: false,
            is_quiet: false,
            cost: None,
            refunded: None,
        };
        let waiting = line(&row(State::Pending));
        assert_eq!(&waiting[..4], ["7", "", "pending", ""]);
        assert_eq!(waiting[10], "1970-01-01T00:00:01.500Z");
        let quiet = |state| line(&Row { is_quiet: true, ..row(state) });
        assert_eq!((&*quiet(State::Pending)[3], &*quiet(State::Failed)[3]), ("quiet_hours", ""));
        assert_eq!(line(&row(State::Failed))[10], "");
    }
}
