//! One-time codes: how many there may be, and whether one is right.
//!
//! Who makes others send codes to numbers that earn by it (SMS pumping) uses many numbers of one
//! range, at which nobody repeats them. So codes that nobody repeated are counted by ranges and
//! by countries, and each that is repeated makes room for another.

use std::net::IpAddr;

use domain::verification::OneTimeCode;
use domain::{MessageId, PhoneNumber, TenantId};
use store::Store;
use store::verification::{CodeLimit, Tried};

use crate::{Code, Error, Result};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
/// Codes of a tenant in a minute.
const PER_MINUTE: u64 = 120;
/// Codes in an hour that one end user asked for, by the address that the caller tells.
const PER_USER: u64 = 10;
/// Codes in an hour that one address asked us for: mostly the caller's server.
const PER_HOST: u64 = 600;
/// Last digits that numbers of a range differ in, and codes in an hour that nobody there has
/// repeated.
const RANGES: [(usize, u64); 2] = [(4, 10), (6, 100)];
/// The same for a whole country.
const PER_COUNTRY: u64 = 500;

/// Where a request for a code comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AskedFrom {
    /// The address of the end user, where the caller tells it.
    pub user: Option<IpAddr>,
    /// The address that called us, where it is known.
    pub host: Option<IpAddr>,
}

/// An end user has a whole network of IPv6 addresses.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// What codes to a number are counted by that nobody repeated.
fn of_number(to: &PhoneNumber) -> Vec<CodeLimit> {
    let facts = to.facts();
    let limit = |scope: String, most| CodeLimit { scope, most, period_s: HOUR_S };
    let country = facts.country.unwrap_or_else(|| format!("+{}", facts.calling_code));
    let ranges = RANGES.iter().filter_map(|(digits, most)| {
        let range = &to.as_str()[..to.as_str().len().checked_sub(*digits)?];
        Some(limit(format!("range:{range}"), *most))
    });
    ranges.chain([limit(format!("country:{country}"), PER_COUNTRY)]).collect()
}

/// What requests are counted by.
fn of_request(from: AskedFrom) -> Vec<CodeLimit> {
    let limit = |scope: String, most, period_s| CodeLimit { scope, most, period_s };
    let user = from.user.map(|ip| limit(format!("user:{}", network(ip)), PER_USER, HOUR_S));
    let host = from.host.map(|ip| limit(format!("host:{}", network(ip)), PER_HOST, HOUR_S));
    let all = limit("all".to_owned(), PER_MINUTE, MINUTE_S);
    std::iter::once(all).chain(user).chain(host).collect()
}

/// A code that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    limits: Vec<CodeLimit>,
    at_ms: i64,
}

impl Admitted {
    /// It surely was not sent: it does not count.
    pub async fn withdraw(self, store: &Store, tenant: &TenantId) {
        for limit in &self.limits {
            give_back(store, tenant, limit, self.at_ms).await;
        }
    }
}

/// Counts a code that is about to be sent.
///
/// # Errors
/// [`Code::RateLimited`] when there were too many: of the caller, from where it comes, or to
/// numbers like this one that nobody repeated.
pub async fn admit(store: &Store, tenant: &TenantId, to: &PhoneNumber, from: AskedFrom) -> Result<Admitted> {
    let now = store.clock().now_ms();
    let mut admitted = Admitted { limits: Vec::new(), at_ms: now };
    for limit in of_request(from).into_iter().chain(of_number(to)) {
        if store.count_code(tenant, &limit, now).await? {
            admitted.limits.push(limit);
            continue;
        }
        admitted.withdraw(store, tenant).await;
        let seconds = limit.period_s - now.div_euclid(1_000).rem_euclid(limit.period_s);
        let whose = match limit.scope.split_once(':').map(|(what, _)| what) {
            Some("range" | "country") => "to numbers like this one, and few were repeated",
            Some(_) => "for this address",
            None => "in a minute",
        };
        let message = format!("too many codes were sent {whose}: wait {seconds} seconds");
        return Err(Error::new(Code::RateLimited, message).after(seconds.unsigned_abs()));
    }
    Ok(admitted)
}

/// What is not given back counts until its hour ends.
async fn give_back(store: &Store, tenant: &TenantId, limit: &CodeLimit, at_ms: i64) {
    if let Err(error) = store.uncount_code(tenant, limit, at_ms).await {
        tracing::debug!(%tenant, %error, "a code counts although it need not");
    }
}

/// What a check of a code answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It was right; it is used up.
    Approved,
    /// It was wrong; so many tries are left.
    Wrong(u64),
}

/// Checks a code that somebody typed. `request` is the same for a request that is repeated.
///
/// # Errors
/// [`Code::NotFound`] names `to` when there is no code for the number that is still good;
/// [`Code::RateLimited`] when it was tried too often.
pub async fn check(
    store: &Store,
    tenant: &TenantId,
    to: &PhoneNumber,
    code: &OneTimeCode,
    request: MessageId,
) -> Result<Checked> {
    match store.try_code(tenant, &to.key(), code, request).await? {
        Tried::Right { sent_ms, codes } => {
            for limit in of_number(to) {
                for _ in 0..codes {
                    give_back(store, tenant, &limit, sent_ms).await;
                }
            }
            Ok(Checked::Approved)
        }
        Tried::Wrong(left) => Ok(Checked::Wrong(left)),
        Tried::TooOften(seconds) => {
            let message = "the code was tried too often: send another one later";
            Err(Error::new(Code::RateLimited, message).after(seconds))
        }
        Tried::Nothing => {
            let message = "there is no code for this number: it was never sent, is used up, or is too old";
            Err(Error::not_found("to", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_user_is_a_network() {
        for (ip, want) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(ip.parse().unwrap()), want);
        }
    }

    #[test]
    fn numbers_are_counted_by_ranges_and_by_countries() {
        let scopes = |number: &str| -> Vec<String> {
            let limits = of_number(&PhoneNumber::from_e164(number).unwrap());
            limits.into_iter().map(|limit| limit.scope).collect()
        };
        assert_eq!(scopes("+393391234567"), ["range:+39339123", "range:+393391", "country:IT"]);
        assert_eq!(scopes("+14165550123"), ["range:+1416555", "range:+14165", "country:CA"]);
        assert_eq!(scopes("+15551234567")[2], "country:+1");
    }
}
