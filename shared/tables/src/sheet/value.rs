//! Values of cells as texts.

use std::borrow::Cow;

use calamine::{DataRef, ExcelDateTime, ExcelDateTimeType};

/// From here on a number of a cell has lost digits.
const EXACT: f64 = 1e15;
/// Days between the first of the two calendars and the second, which begins in 1904.
const DAYS_1904: f64 = 1_462.0;
/// From here on a number is no day.
const LAST_DAY: f64 = 3_000_000.0;
/// The day that the first calendar has and there was not, 29 February 1900.
const NO_DAY: f64 = 60.0;

/// A value as its owner would write it.
pub(super) fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.trim().to_owned(),
        DataRef::String(text) => unescaped(text).trim().to_owned(),
        DataRef::SharedString(text) => unescaped(text).trim().to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(time) => time_text(time),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// A text whose characters that XML has not are read: `_x000D_` is one.
///
/// Source: ECMA-376, part 1, 22.9.2.19 (ST_Xstring).
fn unescaped(text: &str) -> Cow<'_, str> {
    let code = |at: usize| {
        let digits =
            text.get(at + 2..at + 6).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        text[at + 6..].starts_with('_').then(|| u16::from_str_radix(digits, 16).ok())?
    };
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let (mut units, mut from) = (Vec::with_capacity(text.len()), 0);
    while let Some(at) = text[from..].find("_x").map(|at| from + at) {
        units.extend(text[from..at].encode_utf16());
        match code(at) {
            Some(code) => {
                units.extend((code != 0).then_some(code));
                from = at + 7;
            }
            None => {
                units.push(u16::from(b'_'));
                from = at + 1;
            }
        }
    }
    units.extend(text[from..].encode_utf16());
    Cow::Owned(String::from_utf16_lossy(&units))
}

/// Whole numbers as such, exactly; those that have lost digits with an exponent, so that
/// nobody takes them for a phone number.
fn number_text(number: f64) -> String {
    match number.abs() {
        size if size >= EXACT => format!("{number:E}"),
        _ => format!("{number}"),
    }
}

/// A day, a time, both, or how long something takes.
fn time_text(time: &ExcelDateTime) -> String {
    let value = time.as_f64();
    let is = |kind, is_1904| *time == ExcelDateTime::new(value, kind, is_1904);
    let kinds = [ExcelDateTimeType::TimeDelta, ExcelDateTimeType::DateTime];
    let [is_duration, _] = kinds.map(|kind| is(kind, false) || is(kind, true));
    let is_1904 = kinds.into_iter().any(|kind| is(kind, true));
    match value {
        _ if is_duration && (0.0..LAST_DAY).contains(&value) => clock(seconds(value)),
        _ if (0.0..1.0).contains(&value) => clock(seconds(value)),
        _ if is_1904 => date_text(value + DAYS_1904),
        _ if value < NO_DAY => date_text(value + 1.0),
        _ => date_text(value),
    }
}

fn seconds(days: f64) -> i64 {
    (days * 86_400.0).round() as i64
}

/// `10:30`, `36:00`, `10:30:15`.
fn clock(seconds: i64) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match seconds % 60 {
        0 => format!("{hours:02}:{minutes:02}"),
        second => format!("{hours:02}:{minutes:02}:{second:02}"),
    }
}

/// A date by its number of days since 30 December 1899, with its time where it has one.
fn date_text(serial: f64) -> String {
    if !(1.0..LAST_DAY).contains(&serial) {
        return number_text(serial);
    }
    let seconds = seconds(serial);
    let (days, second) = (seconds.div_euclid(86_400) - 25_569, seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let date = format!("{year:04}-{month:02}-{day:02}");
    match second {
        0 => date,
        _ => format!("{date} {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60),
    }
}

/// Year, month and day of a number of days since 1970.
///
/// Source: Howard Hinnant, «chrono-Compatible Low-Level Date Algorithms», `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_read_them() {
        use ExcelDateTimeType::{DateTime, TimeDelta};
        for (value, kind, is_1904, want) in [
            (45_292.0, DateTime, false, "2024-01-01"),
            (45_292.437_5, DateTime, false, "2024-01-01 10:30:00"),
            (28_157.0, DateTime, true, "1981-02-02"),
            (0.4375, DateTime, false, "10:30"),
            (0.4375, DateTime, true, "10:30"),
            (0.0, DateTime, false, "00:00"),
            (1.5, TimeDelta, false, "36:00"),
            (0.000_011_574_1, TimeDelta, true, "00:00:01"),
            (15.0, DateTime, false, "1900-01-15"),
            (61.0, DateTime, false, "1900-03-01"),
            (393_475_550_251.0, DateTime, false, "393475550251"),
        ] {
            assert_eq!(time_text(&ExcelDateTime::new(value, kind, is_1904)), want, "{value} {is_1904}");
        }
    }

    #[test]
    fn escapes_are_read() {
        for (text, want) in [
            ("Ada_x000D_\nNeri", "Ada\r\nNeri"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xD83D__xDE00_", "\u{1f600}"),
            ("a_x0000_b", "ab"),
            ("max_x_value _x00_ _xé000_ _x", "max_x_value _x00_ _xé000_ _x"),
        ] {
            assert_eq!(unescaped(text), want, "{text}");
        }
    }
}
