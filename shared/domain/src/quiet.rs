//! How often, and at what hours, marketing reaches somebody.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Invalid;
use crate::contact::Contact;
use crate::message::Address;
use crate::phone::zones;

/// Most days that a cap looks back.
pub const MAX_DAYS: u32 = 30;
/// Most messages of a cap.
const MAX_MESSAGES: u32 = 1_000;
/// Names under which tenants keep the zone of a contact.
const ZONE_FIELDS: [&str; 4] = ["timezone", "time_zone", "timeZone", "tz"];

/// Most marketing messages that a contact gets in some days, over all channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyCap {
    /// So many messages.
    pub messages: u32,
    /// In so many days, today included; days are those of UTC.
    pub days: u32,
}

impl FrequencyCap {
    /// Checks a cap.
    ///
    /// # Errors
    /// Names `frequency_cap`.
    pub fn new(messages: u32, days: u32) -> Result<Self, Invalid> {
        if (1..=MAX_MESSAGES).contains(&messages) && (1..=MAX_DAYS).contains(&days) {
            return Ok(Self { messages, days });
        }
        let message = format!("frequency_cap must be 1 to {MAX_MESSAGES} messages in 1 to {MAX_DAYS} days");
        Err(Invalid::new("frequency_cap", message))
    }

    /// Reads `3/7`: three messages in seven days.
    ///
    /// # Errors
    /// Names `frequency_cap`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let (messages, days) = text.split_once('/').unwrap_or_default();
        let number = |text: &str| text.trim().parse().unwrap_or(0);
        Self::new(number(messages), number(days))
    }
}

/// Hours of the day at which nobody is to be bothered with marketing, in their own zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// When they begin, in minutes of the day.
    from: u16,
    /// When they end, in minutes of the day; before `from` it is the next morning.
    to: u16,
    /// The zone of those whose own is not known.
    zone: String,
}

impl QuietHours {
    /// Quiet hours from and to a time such as `21:00`; `zone` is that of people whose own
    /// nobody knows.
    ///
    /// # Errors
    /// Names `quiet_hours`.
    pub fn new(from: &str, to: &str, zone: &str) -> Result<Self, Invalid> {
        let wrong = |what: &str| Invalid::new("quiet_hours", format!("quiet_hours {what}"));
        let minutes = |text: &str| {
            let time: Time = text.trim().parse().ok()?;
            u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).ok()
        };
        let (Some(from), Some(to)) = (minutes(from), minutes(to)) else {
            return Err(wrong("must have times such as 21:00 in from and to"));
        };
        if from == to {
            return Err(wrong("must not begin when they end"));
        }
        if TimeZone::get(zone).is_err() {
            return Err(wrong("must have an IANA name such as Europe/Rome in timezone"));
        }
        Ok(Self { from, to, zone: zone.to_owned() })
    }

    /// Reads `21:00-09:00`.
    ///
    /// # Errors
    /// Names `quiet_hours`.
    pub fn parse(text: &str, zone: &str) -> Result<Self, Invalid> {
        let (from, to) = text.split_once('-').unwrap_or_default();
        Self::new(from, to, zone)
    }

    /// When they begin and end, and the zone of those whose own is not known.
    pub fn shown(&self) -> (String, String, &str) {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        (time(self.from), time(self.to), &self.zone)
    }

    /// When somebody may be written to again, if it is not now. Of a country with several
    /// zones it must be allowed in each of them.
    pub fn until(&self, contact: Option<&Contact>, address: &Address, now: Timestamp) -> Option<Timestamp> {
        let zones = self.zones(contact, address);
        let mut at = now;
        // Each round moves on to a morning; more than the zones of one country there are not.
        for _ in 0..8 {
            match zones.iter().filter_map(|zone| self.end_of(at, zone)).max() {
                Some(end) => at = end,
                None => break,
            }
        }
        (at > now).then_some(at)
    }

    fn zones(&self, contact: Option<&Contact>, address: &Address) -> Vec<TimeZone> {
        let own = contact.and_then(|contact| {
            let named = ZONE_FIELDS.iter().filter_map(|field| contact.metadata.get(*field)?.as_str());
            named.filter_map(|name| TimeZone::get(name.trim()).ok()).next()
        });
        if let Some(own) = own {
            return vec![own];
        }
        let known: Vec<TimeZone> =
            zones::of(address).iter().filter_map(|name| TimeZone::get(name).ok()).collect();
        if known.is_empty() { TimeZone::get(&self.zone).into_iter().collect() } else { known }
    }

    /// When the quiet hours end that a time lies in.
    fn end_of(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = at.to_zoned(zone.clone());
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
        let is_quiet = match self.from < self.to {
            true => (self.from..self.to).contains(&minute),
            false => minute >= self.from || minute < self.to,
        };
        if !is_quiet {
            return None;
        }
        let day = match minute < self.to {
            true => local.date(),
            false => local.date().checked_add(Span::new().days(1)).ok()?,
        };
        let end = day.at(i8::try_from(self.to / 60).ok()?, i8::try_from(self.to % 60).ok()?, 0, 0);
        Some(end.to_zoned(zone.clone()).ok()?.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(hours: &str, number: &str, now: &str) -> Option<String> {
        let quiet = QuietHours::parse(hours, "Europe/Rome").unwrap();
        let address = Address::parse(number).unwrap();
        quiet.until(None, &address, now.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn everybody_has_their_own_night() {
        for (hours, number, now, want) in [
            ("21:00-09:00", "+393471234567", "2026-07-01T12:00:00Z", None),
            ("21:00-09:00", "+393471234567", "2026-07-01T19:00:00Z", Some("2026-07-02T07:00:00Z")),
            ("21:00-09:00", "+393471234567", "2026-07-02T06:59:00Z", Some("2026-07-02T07:00:00Z")),
            ("21:00-09:00", "+393471234567", "2026-07-02T07:00:00Z", None),
            ("12:00-14:30", "+447700900123", "2026-01-15T13:00:00Z", Some("2026-01-15T14:30:00Z")),
            ("21:00-09:00", "+819012345678", "2026-07-01T12:00:00Z", Some("2026-07-02T00:00:00Z")),
            ("21:00-09:00", "IT.1349", "2026-07-01T19:30:00Z", Some("2026-07-02T07:00:00Z")),
            ("21:00-09:00", "custom:livechat#7", "2026-07-01T19:30:00Z", Some("2026-07-02T07:00:00Z")),
            // New York by its area code; Russia wherever it may be.
            ("21:00-09:00", "+12125550123", "2026-07-01T12:30:00Z", Some("2026-07-01T13:00:00Z")),
            ("21:00-09:00", "+79123456789", "2026-07-01T05:00:00Z", Some("2026-07-01T07:00:00Z")),
        ] {
            assert_eq!(until(hours, number, now).as_deref(), want, "{number} at {now}");
        }
    }

    #[test]
    fn a_field_of_the_contact_tells_its_zone() {
        let quiet = QuietHours::parse("21:00-09:00", "UTC").unwrap();
        let mut contact = Contact::empty(crate::ContactId(1), Timestamp::UNIX_EPOCH);
        contact.metadata.insert("timezone".to_owned(), "America/New_York".into());
        let address = Address::parse("+393471234567").unwrap();
        let now: Timestamp = "2026-07-01T12:30:00Z".parse().unwrap();
        let end = quiet.until(Some(&contact), &address, now).map(|at| at.to_string());
        assert_eq!(end.as_deref(), Some("2026-07-01T13:00:00Z"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in ["", "21:00", "25:00-09:00", "9-9", "09:00-09:00"] {
            assert_eq!(QuietHours::parse(bad, "UTC").unwrap_err().field, "quiet_hours", "{bad}");
        }
        assert!(QuietHours::new("21:00", "09:00", "Roma").is_err());
        for bad in ["", "3", "0/7", "3/0", "3/31", "1001/7", "x/y"] {
            assert_eq!(FrequencyCap::parse(bad).unwrap_err().field, "frequency_cap", "{bad}");
        }
        assert_eq!(FrequencyCap::parse("3/7").unwrap(), FrequencyCap { messages: 3, days: 7 });
    }
}
