//! `Retry-After`.

use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;

/// Longest wait that is read out of the header; callers bound it further.
const MOST: Duration = Duration::from_secs(366 * 86_400);

/// How long a receiver asks to be left alone: the value of `Retry-After`, in
/// seconds or as a date (RFC 9110, 10.2.3). A date that is past is no wait; a
/// wait of more than a year is a year.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse().map_or(MOST, Duration::from_secs).min(MOST));
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now.as_millisecond()).ok()?);
    Some(date.saturating_sub(now).min(MOST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "1994-11-06T08:49:37Z".parse().unwrap()
    }

    #[test]
    fn seconds_and_dates() {
        for (value, want) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("31536000", Some(31_536_000)),
            ("99999999999999999999999", Some(366 * 86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(366 * 86_400)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 99 Nov 1994 08:50:37 GMT", None),
        ] {
            assert_eq!(retry_after(value, now()), want.map(Duration::from_secs), "{value}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_is_bounded(value in "\\PC{0,40}") {
            prop_assert!(retry_after(&value, now()).is_none_or(|wait| wait <= MOST));
        }
    }
}
