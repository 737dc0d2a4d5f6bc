//! One-time codes: `OTP#<t>#to#<number>` holds the newest code of a number, hashed, and how often
//! it was sent and tried; `OTP#<t>#<what>` counts codes by hours and minutes, to limit them.
//!
//! A code is kept as HMAC-SHA256 under a key of the installation, with a salt: who reads the
//! table cannot try a million codes.

use domain::verification::{LIFETIME_MS, OneTimeCode, SENDS, SENDS_PER_DAY, TRIES, WINDOW_MS};
use domain::{MessageId, PhoneKey, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::item::{Item, Key, compose, n, number, read, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store, repeat};

const KIND: &str = "one-time code";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long a counter is kept after its period, in seconds.
const KEEP_COUNTER_S: i64 = 60 * 60;

/// Whether a number gets a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// It is kept, and good until then.
    Until(Timestamp),
    /// It got as many as it may, or they were tried as often as they may be; seconds until it
    /// may get another.
    NotYet(u64),
}

/// What a try at a code was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// The code was right, and is used up.
    Right {
        /// When it was sent, in milliseconds since 1970.
        sent_ms: i64,
        /// How many were sent until one was right.
        codes: u64,
    },
    /// It was wrong; how many tries are left.
    Wrong(u64),
    /// It was tried too often; seconds until the number may get another.
    TooOften(u64),
    /// There is none that is still good.
    Nothing,
}

/// Something that codes are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLimit {
    /// What: `prefix:+39339123`, `ip:192.0.2.1`.
    pub scope: String,
    /// The most in one period.
    pub most: u64,
    /// The period, in seconds.
    pub period_s: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct CodeItem {
    salt: String,
    hash: String,
    /// The message that brings it.
    message: String,
    sent: i64,
    expires: i64,
    /// Until when tries and codes are counted together.
    until: i64,
    tries: u64,
    sends: u64,
    /// Codes of the window since the last that was right.
    #[serde(default)]
    open: u64,
    /// The day, and how many codes in it.
    day: i64,
    in_day: u64,
    /// Numbers the writes.
    rev: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<i64>,
    /// The request that had the right one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    ttl: i64,
}

fn key(tenant: &TenantId, to: &PhoneKey) -> Key {
    Key::new(Kind::OneTimeCode.pk(format_args!("{tenant}#to#{}", to.as_str())), "-")
}

fn seconds_until(ms: i64, now: i64) -> u64 {
    u64::try_from((ms - now).max(0)).unwrap_or(0).div_ceil(1_000).max(1)
}

impl CodeItem {
    /// The next code after this one, without its digest; or the time from which on there may be
    /// one, in milliseconds.
    fn next(before: Option<&Self>, message: MessageId, now: i64) -> std::result::Result<Self, i64> {
        let day = now.div_euclid(DAY_MS);
        let mut next = Self {
            salt: String::new(),
            hash: String::new(),
            message: message.to_string(),
            sent: now,
            expires: now + LIFETIME_MS,
            until: now + WINDOW_MS,
            tries: 0,
            sends: 1,
            open: 1,
            day,
            in_day: 1,
            rev: 1,
            used: None,
            by: None,
            ttl: (now + LIFETIME_MS.max(DAY_MS)) / 1_000,
        };
        let Some(before) = before else { return Ok(next) };
        // A request that is repeated has been counted.
        let more = u64::from(before.message != next.message);
        next.rev = before.rev + 1;
        if before.day == day {
            next.in_day = before.in_day + more;
            if next.in_day > SENDS_PER_DAY {
                return Err((day + 1) * DAY_MS);
            }
        }
        if before.until > now {
            next.until = before.until;
            next.sends = before.sends + more;
            // Whoever knew the code has the number.
            (next.tries, next.open) =
                if before.used.is_some() { (0, 1) } else { (before.tries, before.open + more) };
            if next.sends > SENDS || next.tries >= TRIES {
                return Err(before.until);
            }
        }
        Ok(next)
    }
}

impl Store {
    /// Keeps a code for a number in the place of the one before. Its tries stay counted.
    ///
    /// # Errors
    /// [`Error::Contended`] when others keep writing it.
    pub async fn put_code(
        &self,
        tenant: &TenantId,
        to: &PhoneKey,
        code: &OneTimeCode,
        message: MessageId,
    ) -> Result<Granted> {
        let (key, now) = (key(tenant, to), self.clock().now_ms());
        let salt: [u8; 16] = self.entropy().bytes();
        let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = self.digest_of_code(tenant, to, &salt, code).await?;
        for round in 0..repeat::TRIES {
            let before: Option<CodeItem> = self.get(&key, KIND).await?;
            let next = match CodeItem::next(before.as_ref(), message, now) {
                Ok(next) => CodeItem { salt: salt.clone(), hash: hash.clone(), ..next },
                Err(at) => return Ok(Granted::NotYet(seconds_until(at, now))),
            };
            let unchanged = before.map_or(When::Absent("pk"), |before| When::Is("rev", n(before.rev)));
            match self.replace(compose(&key, KIND, &next)?, vec![unchanged]).await {
                Ok(()) => {
                    let at = Timestamp::from_millisecond(next.expires).unwrap_or(Timestamp::UNIX_EPOCH);
                    return Ok(Granted::Until(at));
                }
                Err(Error::Conflict) => self.back_off(round).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Tries a code: the try is counted first, so that many at once are no more than one after
    /// the other. Of several who have the right one, one is told so; a request that is repeated
    /// has the same id, and is told the same.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn try_code(
        &self,
        tenant: &TenantId,
        to: &PhoneKey,
        code: &OneTimeCode,
        request: MessageId,
    ) -> Result<Tried> {
        let (key, now) = (key(tenant, to), self.clock().now_ms());
        let count = Update::of(key.clone())
            .add("tries", n(1))
            .add("rev", n(1))
            .when(When::AtMost("tries", n(TRIES - 1)))
            .when(When::AtLeast("expires", n(now + 1)))
            .when(When::Absent("used"));
        let known: CodeItem = match self.update_or_see(count).await? {
            Ok(item) => read(item, KIND)?,
            Err(item) if text(&item, "by") == Some(request.to_string()) => {
                return Ok(Tried::Right { sent_ms: number(&item, "sent").unwrap_or(now), codes: 0 });
            }
            Err(item) => return Ok(refused(&item, now)),
        };
        let given = self.digest_of_code(tenant, to, &known.salt, code).await?;
        if !bool::from(given.as_bytes().ct_eq(known.hash.as_bytes())) {
            return Ok(Tried::Wrong(TRIES.saturating_sub(known.tries)));
        }
        let used = Update::of(key)
            .set("used", n(now))
            .set("by", s(request.to_string()))
            .add("rev", n(1))
            .when(When::Is("hash", s(&known.hash)))
            .when(When::Absent("used"));
        match self.update(used).await {
            Ok(()) => Ok(Tried::Right { sent_ms: known.sent, codes: known.open }),
            Err(Error::Conflict) => Ok(Tried::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Counts a code by something; whether there was room for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn count_code(&self, tenant: &TenantId, limit: &CodeLimit, at_ms: i64) -> Result<bool> {
        let Some(most) = limit.most.checked_sub(1) else { return Ok(false) };
        let period = at_ms.div_euclid(1_000 * limit.period_s);
        let ttl = (period + 1) * limit.period_s + KEEP_COUNTER_S;
        let update = Update::of(counter_key(tenant, limit, at_ms))
            .add("n", n(1))
            .set("ttl", n(ttl))
            .when(When::AbsentOrAtMost("n", n(most)));
        match self.update(update).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes back that a code was counted.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn uncount_code(&self, tenant: &TenantId, limit: &CodeLimit, at_ms: i64) -> Result<()> {
        let update = Update::of(counter_key(tenant, limit, at_ms)).add("n", n(-1));
        match self.update(update.when(When::AtLeast("n", n(1)))).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn digest_of_code(
        &self,
        tenant: &TenantId,
        to: &PhoneKey,
        salt: &str,
        code: &OneTimeCode,
    ) -> Result<String> {
        self.sealer().digest(tenant, &format!("{}|{salt}|{}", to.as_str(), code.expose())).await
    }
}

fn counter_key(tenant: &TenantId, limit: &CodeLimit, at_ms: i64) -> Key {
    let period = at_ms.div_euclid(1_000 * limit.period_s);
    Key::new(Kind::OneTimeCode.pk(format_args!("{tenant}#{}", limit.scope)), period.to_string())
}

/// Why a try was not counted.
fn refused(item: &Item, now: i64) -> Tried {
    let (tries, expires): (Option<u64>, Option<i64>) = (number(item, "tries"), number(item, "expires"));
    let is_good = expires.is_some_and(|at| at > now) && !item.contains_key("used");
    match tries {
        Some(tries) if is_good && tries >= TRIES => {
            Tried::TooOften(seconds_until(number(item, "until").unwrap_or(now), now))
        }
        Some(_) | None => Tried::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> MessageId {
        MessageId(number.into())
    }

    #[test]
    fn a_new_code_keeps_the_tries_until_the_window_ends() {
        let first = CodeItem::next(None, id(1), 0).unwrap();
        assert_eq!((first.tries, first.sends, first.until), (0, 1, WINDOW_MS));
        let tried = CodeItem { tries: 3, ..first };
        let next = CodeItem::next(Some(&tried), id(2), 60_000).unwrap();
        assert_eq!((next.tries, next.sends, next.open, next.until, next.rev), (3, 2, 2, WINDOW_MS, 2));
        assert_eq!(next.expires, 60_000 + LIFETIME_MS);
        let later = CodeItem::next(Some(&tried), id(3), WINDOW_MS).unwrap();
        assert_eq!((later.tries, later.sends, later.until), (0, 1, 2 * WINDOW_MS));
        let spent = CodeItem { tries: TRIES, ..next };
        assert_eq!(CodeItem::next(Some(&spent), id(3), 61_000).unwrap_err(), WINDOW_MS);
        let used = CodeItem { used: Some(61_000), ..spent };
        let fresh = CodeItem::next(Some(&used), id(3), 62_000).unwrap();
        assert_eq!((fresh.tries, fresh.open, fresh.sends), (0, 1, 3));
    }

    #[test]
    fn a_number_gets_so_many_codes_and_no_more() {
        let mut code = CodeItem::next(None, id(1), 0).unwrap();
        for number in 2..=u128::from(SENDS) {
            code = CodeItem::next(Some(&code), id(number), 0).unwrap();
        }
        assert_eq!(CodeItem::next(Some(&code), id(9), 0).unwrap_err(), WINDOW_MS);
        // The same message is the same code, however often its request is repeated.
        assert_eq!(CodeItem::next(Some(&code), id(u128::from(SENDS)), 0).unwrap().sends, SENDS);
        let mut sent = SENDS;
        let mut now = WINDOW_MS;
        while sent < SENDS_PER_DAY {
            code = CodeItem::next(Some(&code), id(100 + u128::from(sent)), now).unwrap();
            (sent, now) = (sent + 1, now + WINDOW_MS);
        }
        assert_eq!(CodeItem::next(Some(&code), id(999), now).unwrap_err(), DAY_MS);
        assert_eq!(CodeItem::next(Some(&code), id(999), DAY_MS).unwrap().in_day, 1);
    }
}
