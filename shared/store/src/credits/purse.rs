//! A purse, and what a charge makes of it.

use domain::TenantId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::purse_key;
use crate::item::{Item, n, number, s, text};
use crate::outbox::LowCredits;
use crate::update::{Update, When};
use crate::usage::Allowance;

/// A purse as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purse {
    /// What is left.
    pub balance: u64,
    /// What was ever granted, in all.
    pub granted: u64,
    /// What was ever paid, in all, whether it was given back or not.
    pub debited: u64,
    /// What was ever given back, in all.
    pub refunded: u64,
    /// The agency.
    pub agency: String,
    /// The owner's e-mail address.
    pub email: String,
    /// The agency is told when the balance goes below this.
    pub threshold: Option<u64>,
    /// How many credits the agency wants to grant then.
    pub recharge: Option<u64>,
    /// The agency was told, and nothing was granted since that lifts the balance again.
    pub is_low: bool,
    /// How often the balance went below the threshold.
    pub crossings: u64,
    /// Nothing is paid from it.
    pub is_disabled: bool,
    /// The day that messages are counted of, `2026-07-01`, and how many.
    pub(crate) day: (String, u64),
    /// The month, `2026-07`, and how many.
    pub(crate) month: (String, u64),
    /// The minute since 1970, and how many single messages.
    pub(crate) minute: (i64, u64),
}

impl From<&Item> for Purse {
    fn from(item: &Item) -> Self {
        let of = |name| number(item, name).unwrap_or(0);
        // What was given back across midnight may leave less than nothing.
        let count = |name| u64::try_from(number::<i64>(item, name).unwrap_or(0)).unwrap_or(0);
        Self {
            balance: of("bal"),
            granted: of("granted"),
            debited: of("debited"),
            refunded: of("refunded"),
            agency: text(item, "agency").unwrap_or_default(),
            email: text(item, "email").unwrap_or_default(),
            threshold: number(item, "thr"),
            recharge: number(item, "rch"),
            is_low: item.contains_key("low"),
            crossings: of("nth"),
            is_disabled: item.contains_key("off"),
            day: (text(item, "day").unwrap_or_default(), count("day_n")),
            month: (text(item, "month").unwrap_or_default(), count("month_n")),
            minute: (number(item, "min").unwrap_or(0), count("min_n")),
        }
    }
}

/// What messages cost together, and what the plan allows of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Credits for all of them.
    pub credits: u64,
    /// How many messages.
    pub messages: u64,
    /// The plan's limits.
    pub limits: Allowance,
}

/// Why nothing is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// The balance is less than what it costs.
    Credits {
        /// What is left.
        balance: u64,
    },
    /// The sub-account is switched off.
    Disabled,
    /// The plan's messages of the day are used up, but for so many.
    Day {
        /// What is left of them.
        left: u64,
    },
    /// The plan's messages of the minute are used up; seconds until the next.
    Minute(u64),
}

impl Shortage {
    /// How many messages of one price there are credits, and a part of the plan, for.
    pub fn affordable(self, price: u64) -> u64 {
        match self {
            Self::Credits { balance } => balance.checked_div(price).unwrap_or(0),
            Self::Day { left } => left,
            Self::Disabled | Self::Minute(_) => 0,
        }
    }
}

/// What is written for a charge.
pub(super) struct Debit {
    pub(super) update: Update,
    /// With it the balance goes below the threshold.
    pub(super) crossing: Option<LowCredits>,
}

/// An equation that holds, whether the attribute was there or not.
fn still(name: &'static str, known: &str) -> When {
    if known.is_empty() { When::Absent(name) } else { When::Is(name, s(known)) }
}

impl Purse {
    /// Messages of this month and of today, as far as they were paid with credits.
    pub(crate) fn messages(&self, today: &str) -> (u64, u64) {
        let of = |(period, count): &(String, u64), wanted: &str| if period == wanted { *count } else { 0 };
        (of(&self.month, today.get(..7).unwrap_or_default()), of(&self.day, today))
    }

    /// What a charge makes of it now. Holds only while what it looked at is so.
    pub(super) fn debit(
        &self,
        tenant: &TenantId,
        charge: &Charge,
        now: Timestamp,
    ) -> Result<Debit, Shortage> {
        if self.is_disabled {
            return Err(Shortage::Disabled);
        }
        let Some(left) = self.balance.checked_sub(charge.credits) else {
            return Err(Shortage::Credits { balance: self.balance });
        };
        let update = Update::of(purse_key(tenant))
            .add("bal", n(-i128::from(charge.credits)))
            .add("debited", n(charge.credits))
            .when(When::Absent("off"));
        let update = self.count(update, charge, now)?;
        let (update, crossing) = self.watch(tenant, update, charge.credits, left, now);
        Ok(Debit { update, crossing })
    }

    /// Whether the balance goes below the threshold, of which the agency is told once.
    fn watch(
        &self,
        tenant: &TenantId,
        update: Update,
        credits: u64,
        left: u64,
        now: Timestamp,
    ) -> (Update, Option<LowCredits>) {
        let Some(threshold) = self.threshold else {
            return (update.when(When::Absent("thr")).when(When::AtLeast("bal", n(credits))), None);
        };
        let update = update.when(When::Is("thr", n(threshold)));
        if self.is_low {
            return (update.when(When::Is("low", n(1))).when(When::AtLeast("bal", n(credits))), None);
        }
        let update = update.when(When::Absent("low"));
        if left >= threshold {
            return (update.when(When::AtLeast("bal", n(threshold.saturating_add(credits)))), None);
        }
        let crossing = LowCredits {
            sub_account: tenant.to_string(),
            email: self.email.clone(),
            balance: left,
            threshold,
            amount: self.recharge,
            nth: self.crossings + 1,
            agency: self.agency.clone(),
            at_ms: now.as_millisecond(),
        };
        // Exactly this balance: it is told.
        let update = update.set("low", n(1)).add("nth", n(1)).when(When::Is("bal", n(self.balance)));
        (update, Some(crossing))
    }

    /// Counts the messages of a charge in day, month and minute.
    fn count(&self, update: Update, charge: &Charge, now: Timestamp) -> Result<Update, Shortage> {
        let date = now.to_zoned(TimeZone::UTC).date().to_string();
        // Clocks differ: no day begins twice.
        let day = date.max(self.day.0.clone());
        let month = day.get(..7).unwrap_or_default().to_owned();
        let is_today = self.day.0 == day;
        let used = if is_today { self.day.1 } else { 0 };
        if let Some(most) = charge.limits.per_day
            && used + charge.messages > most
        {
            return Err(Shortage::Day { left: most.saturating_sub(used) });
        }
        let mut update = update.when(still("day", &self.day.0));
        update = match (is_today, self.month.0 == month) {
            (true, _) => update.add("day_n", n(charge.messages)).add("month_n", n(charge.messages)),
            (false, true) => {
                update.set("day", s(&day)).set("day_n", n(charge.messages)).add("month_n", n(charge.messages))
            }
            (false, false) => update
                .set("day", s(&day))
                .set("day_n", n(charge.messages))
                .set("month", s(&month))
                .set("month_n", n(charge.messages)),
        };
        if let Some(most) = charge.limits.per_day.filter(|_| is_today) {
            update = update.when(When::AtMost("day_n", n(most.saturating_sub(charge.messages))));
        }
        let Some(most) = charge.limits.per_minute else { return Ok(update) };
        self.count_minute(update, charge.messages, most, now)
    }

    fn count_minute(
        &self,
        update: Update,
        messages: u64,
        most: u64,
        now: Timestamp,
    ) -> Result<Update, Shortage> {
        let second = now.as_second();
        let wait = u64::try_from(60 - second.rem_euclid(60)).unwrap_or(60);
        let minute = second.div_euclid(60).max(self.minute.0);
        let is_now = self.minute.0 == minute;
        let used = if is_now { self.minute.1 } else { 0 };
        if used + messages > most {
            return Err(Shortage::Minute(wait));
        }
        Ok(match is_now {
            true => update
                .add("min_n", n(messages))
                .when(When::Is("min", n(minute)))
                .when(When::AtMost("min_n", n(most.saturating_sub(messages)))),
            false => {
                let update = update.set("min", n(minute)).set("min_n", n(messages));
                match self.minute.0 {
                    0 => update.when(When::Absent("min")),
                    known => update.when(When::Is("min", n(known))),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = "2026-07-01T10:00:00Z";

    fn purse(balance: u64) -> Purse {
        Purse { balance, granted: balance, ..Purse::default() }
    }

    fn charge(credits: u64) -> Charge {
        Charge { credits, messages: 1, limits: Allowance::default() }
    }

    fn debit(purse: &Purse, charge: &Charge) -> Result<Option<u64>, Shortage> {
        let debit = purse.debit(&"acme".parse().unwrap(), charge, DAY.parse().unwrap())?;
        Ok(debit.crossing.map(|low| low.balance))
    }

    #[test]
    fn what_is_not_there_is_not_paid() {
        assert_eq!(debit(&purse(5), &charge(5)), Ok(None));
        assert_eq!(debit(&purse(5), &charge(6)), Err(Shortage::Credits { balance: 5 }));
        assert_eq!(debit(&purse(0), &charge(0)), Ok(None));
        let off = Purse { is_disabled: true, ..purse(9) };
        assert_eq!(debit(&off, &charge(1)), Err(Shortage::Disabled));
        assert_eq!(Shortage::Credits { balance: 9 }.affordable(4), 2);
        assert_eq!(Shortage::Disabled.affordable(1), 0);
    }

    #[test]
    fn the_threshold_is_crossed_once() {
        let known = Purse { threshold: Some(5), ..purse(6) };
        assert_eq!(debit(&known, &charge(1)), Ok(None));
        assert_eq!(debit(&known, &charge(2)), Ok(Some(4)));
        let told = Purse { is_low: true, balance: 4, ..known };
        assert_eq!(debit(&told, &charge(2)), Ok(None));
    }

    #[test]
    fn days_and_minutes_have_their_limits() {
        let limits = Allowance { per_day: Some(3), per_minute: Some(2) };
        let minute = DAY.parse::<Timestamp>().unwrap().as_second().div_euclid(60);
        let one = Charge { limits, ..charge(1) };
        let at = |day: &str, day_n, min: i64, min_n| Purse {
            day: (day.to_owned(), day_n),
            month: ("2026-07".to_owned(), 9),
            minute: (min, min_n),
            ..purse(9)
        };
        for (purse, want) in [
            (at("2026-07-01", 2, minute, 1), Ok(None)),
            (at("2026-07-01", 3, minute, 1), Err(Shortage::Day { left: 0 })),
            (at("2026-06-30", 3, minute - 1, 2), Ok(None)),
            (at("2026-07-01", 0, minute, 2), Err(Shortage::Minute(60))),
            // A clock that is ahead has begun tomorrow.
            (at("2026-07-02", 3, minute + 600, 0), Err(Shortage::Day { left: 0 })),
        ] {
            assert_eq!(debit(&purse, &one), want, "{purse:?}");
        }
        assert_eq!(at("2026-07-01", 2, 0, 0).messages("2026-07-01"), (9, 2));
        assert_eq!(at("2026-06-30", 2, 0, 0).messages("2026-07-01"), (9, 0));
        assert_eq!(at("2026-07-31", 2, 0, 0).messages("2026-08-01"), (0, 0));
    }
}
