//! The times of a message, as contracts print them.

use jiff::Timestamp;
use ops::history::HistoryEntry;
use serde::Serialize;
use store::messages::Rewritten;

/// When what happened to a message.
#[derive(Serialize)]
pub(crate) struct Times {
    created_at: String,
    sent_at: Option<String>,
    delivered_at: Option<String>,
    pub(crate) read_at: Option<String>,
    pub(crate) failed_at: Option<String>,
}

impl Times {
    /// When the message last changed its state.
    pub(crate) fn latest(&self) -> Option<String> {
        let times = [&self.sent_at, &self.delivered_at, &self.read_at, &self.failed_at];
        times.into_iter().flatten().max().cloned()
    }
}

impl From<&HistoryEntry> for Times {
    fn from(entry: &HistoryEntry) -> Self {
        let progress = &entry.progress;
        Self {
            created_at: format!("{:.3}", entry.created_at()),
            sent_at: time(progress.sent_at),
            delivered_at: time(progress.delivered_at),
            read_at: time(progress.read_at),
            failed_at: time(progress.failed_at),
        }
    }
}

fn time(ms: Option<i64>) -> Option<String> {
    ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(|time| format!("{time:.3}"))
}

/// When a message was edited or taken back by its writer, where it was.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RewrittenAt {
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

impl From<Option<Rewritten>> for RewrittenAt {
    fn from(rewritten: Option<Rewritten>) -> Self {
        match rewritten {
            Some(Rewritten::Edited(ms)) => Self { edited_at: time(Some(ms)), ..Self::default() },
            Some(Rewritten::Revoked(ms)) => Self { revoked_at: time(Some(ms)), ..Self::default() },
            None => Self::default(),
        }
    }
}
