//! What stands in a field that asks whether somebody agreed to be written to.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::text::fold;

/// What says yes, as [`fold`] leaves it.
const YES: [&str; 32] = [
    "1",
    "yes",
    "y",
    "true",
    "on",
    "x",
    "ok",
    "\u{2713}",
    "\u{2714}",
    "si",
    "vero",
    "oui",
    "vrai",
    "ja",
    "wahr",
    "sim",
    "verdadeiro",
    "verdadero",
    "opt in",
    "opted in",
    "optin",
    "opted_in",
    "opt-in",
    "opted-in",
    "agreed",
    "accepted",
    "granted",
    "confirmed",
    "subscribed",
    "iscritto",
    "iscritta",
    "suscrito",
];
/// What says no, or that nobody knows.
const NO: [&str; 36] = [
    "",
    "-",
    "0",
    "no",
    "n",
    "false",
    "off",
    "falso",
    "non",
    "faux",
    "nein",
    "falsch",
    "nao",
    "none",
    "null",
    "nil",
    "n/a",
    "na",
    "unknown",
    "not set",
    "pending",
    "never",
    "denied",
    "declined",
    "refused",
    "revoked",
    "withdrawn",
    "opt out",
    "opted out",
    "optout",
    "opted_out",
    "opt-out",
    "opted-out",
    "unsubscribed",
    "not subscribed",
    "never subscribed",
];

/// An answer to the question whether somebody agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// They agreed; when, if that is told.
    Yes(Option<Timestamp>),
    /// They did not, or nobody knows.
    No,
}

impl Answer {
    /// Reads a yes or a no in six languages, or the time or date of the agreement (of UTC, unless
    /// it tells its offset). Nothing when it could be either, as `04/05/2024` could be two dates.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(at) = time(text) {
            return Some(Self::Yes(Some(at)));
        }
        let word = fold(text);
        match word.trim_end_matches(['.', '!']) {
            word if YES.contains(&word) => Some(Self::Yes(None)),
            word if NO.contains(&word) => Some(Self::No),
            _ => None,
        }
    }
}

fn time(text: &str) -> Option<Timestamp> {
    let midnight = |date: Date| date.to_datetime(Time::midnight());
    let civil = || text.replacen(' ', "T", 1).parse::<DateTime>().ok();
    let date = || text.parse::<Date>().ok().or_else(|| day_of_people(text)).map(midnight);
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(|| utc(civil().or_else(date)?))
}

/// `31.12.2023`, `31/12/2023`, `12/31/2023`: the day is what can be no month. With full stops
/// it comes first.
fn day_of_people(text: &str) -> Option<Date> {
    let separator = ['/', '.', '-'].into_iter().find(|separator| text.contains(*separator))?;
    let parts: Vec<i16> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [first, second, year] = parts[..] else { return None };
    let date = |day: i16, month: i16| Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok();
    match (first > 12, second > 12) {
        _ if year < 1000 => None,
        (true, false) => date(first, second),
        (false, true) => date(second, first),
        (false, false) if separator == '.' || first == second => date(first, second),
        (false, false) | (true, true) => None,
    }
}
