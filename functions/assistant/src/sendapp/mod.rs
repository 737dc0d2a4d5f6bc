//! `/api/flows` and `/api/conversation`

pub(crate) mod conversation;
pub(crate) mod flows;
pub(crate) mod runs;

use jiff::Timestamp;

fn time(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or_default())
}
