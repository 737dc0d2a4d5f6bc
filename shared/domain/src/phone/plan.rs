//! Calling codes and numbering plans. The plans are libphonenumber's.

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::country;
use crate::Invalid;

/// A country's calling code, for numbers written in national form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallingCode(u16);

impl CallingCode {
    /// `39`, `+39`, `IT` or `Italy`, as an account's setting carries it.
    ///
    /// # Errors
    /// Names the field `default_country`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let code =
            text.trim_start_matches('+').parse::<u16>().ok().filter(|code| is_assigned(*code)).map(Self);
        let wrong = || {
            Invalid::new(
                "default_country",
                "default_country must be a country such as IT, or its calling code such as 39",
            )
        };
        code.or_else(|| Self::of_country(text)).ok_or_else(wrong)
    }

    /// Of a country by its two or three letters (ISO 3166-1), or by its name in English,
    /// Italian, Spanish, Portuguese, French, German, Dutch or its own language.
    pub fn of_country(name: &str) -> Option<Self> {
        let code = |alpha2: &str| {
            let region: Region = alpha2.parse().ok()?;
            let code = u16::try_from(PHONE_NUMBER_UTIL.get_country_code_for_region(region)?).ok()?;
            is_assigned(code).then_some(Self(code))
        };
        code(&name.trim().to_ascii_uppercase()).or_else(|| code(country::alpha2_of(name)?))
    }

    /// The digits of the code.
    pub fn get(self) -> u16 {
        self.0
    }

    /// The country whose plan numbers of this code follow.
    fn region(self) -> Option<Region> {
        PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(self.0))
    }
}

/// A number in E.164 digits, and how well the plan of its country knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) digits: String,
    pub(super) standing: Standing,
}

/// How likely it is that there is such a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// The plan has no number of this length, or none that begins so.
    Impossible,
    /// The length fits.
    Possible,
    /// The plan gives out such numbers.
    Valid,
}

/// Calling codes in whose plans numbers begin with a zero.
const KEEP_ZEROS: [u16; 16] = [39, 225, 226, 227, 229, 241, 242, 247, 250, 378, 379, 687, 800, 881, 888, 992];

/// What people still write behind a calling code, where the plan has no such prefix any more or
/// never had one: Mexico's long distance and mobile calls (until 2019), Argentina's 0 behind the 9
/// of mobile numbers, a zero by habit elsewhere.
fn former_prefixes(code: u16) -> &'static [&'static str] {
    match code {
        code if KEEP_ZEROS.contains(&code) => &[],
        52 => &["1044", "1045", "101", "044", "045", "01", "02", "0", "1"],
        54 => &["90", "9", "0"],
        _ => &["0"],
    }
}

/// A number that begins with its calling code, without the trunk prefix that some write
/// behind it (`+44 0`, `+7 8`); countries whose numbers begin with a zero keep theirs.
pub(super) fn international(digits: &str) -> Planned {
    if is_valid(digits) {
        return Planned { digits: digits.to_owned(), standing: Standing::Valid };
    }
    let mut before = digits.to_owned();
    let mut number = planned(&format!("+{digits}"), None)
        .unwrap_or_else(|| Planned { digits: digits.to_owned(), standing: Standing::Impossible });
    // Of two prefixes one behind the other each is dropped.
    while number.digits != before
        && let Some(again) = planned(&format!("+{}", number.digits), None)
        && again.digits.len() < number.digits.len()
    {
        before = std::mem::replace(&mut number, again).digits;
    }
    without_former_prefix(number)
}

/// Whether a number is one of its country's plan as it stands, which most numbers are that
/// programs write: it saves them being taken apart.
fn is_valid(digits: &str) -> bool {
    let Some((code, national)) = split(digits).filter(|(_, national)| !national.starts_with('0')) else {
        return false;
    };
    national.parse().is_ok_and(|national_number| {
        let number = PhoneNumber { country_code: i32::from(code), national_number, ..PhoneNumber::default() };
        PHONE_NUMBER_UTIL.is_valid_number(&number)
    })
}

/// A number as it is dialled within a country; `None` when its plan cannot read it.
pub(super) fn national(digits: &str, country: CallingCode) -> Option<Planned> {
    planned(digits, Some(country.region()?)).map(without_former_prefix)
}

/// The number without a prefix of a former plan, when only so the plan can have it.
fn without_former_prefix(planned: Planned) -> Planned {
    if planned.standing > Standing::Impossible {
        return planned;
    }
    let Some((code, written)) = split(&planned.digits) else { return planned };
    let found = former_prefixes(code).iter().find_map(|prefix| {
        let rest = written.strip_prefix(prefix)?;
        let found = self::planned(&format!("+{code}{rest}"), None)?;
        // The 9 of an Argentinian mobile number stays.
        let lost = prefix.starts_with('9') && !found.digits.starts_with("549");
        let found =
            if lost { self::planned(&format!("+549{}", found.digits.get(2..)?), None)? } else { found };
        (found.standing > Standing::Impossible).then_some(found)
    });
    found.unwrap_or(planned)
}

fn planned(text: &str, region: Option<Region>) -> Option<Planned> {
    let util = &PHONE_NUMBER_UTIL;
    let number = util.parse(text, region).ok()?;
    let digits = util.format(&number, PhoneNumberFormat::E164).trim_start_matches('+').to_owned();
    // A valid number is a possible one.
    let standing = match util.is_valid_number(&number) {
        true => Standing::Valid,
        false => match util.is_possible_number_with_reason(&number) {
            Ok(NumberLengthType::IsPossible) if !starts_wrong(&digits) => Standing::Possible,
            Ok(NumberLengthType::IsPossible | NumberLengthType::IsPossibleLocalOnly) | Err(_) => {
                Standing::Impossible
            }
        },
    };
    Some(Planned { digits, standing })
}

/// Whether a number begins with a zero where none does, or in North America with no area code.
/// Nothing more is asked of it: the example numbers of the contracts would fail.
fn starts_wrong(digits: &str) -> bool {
    split(digits).is_some_and(|(code, number)| match code {
        1 => number.starts_with(['0', '1']),
        code => number.starts_with('0') && !KEEP_ZEROS.contains(&code),
    })
}

/// The calling code and what follows it.
pub(super) fn split(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|n| {
        let (code, rest) = digits.split_at_checked(n)?;
        let code = code.parse().ok().filter(|_| !code.starts_with('0'))?;
        is_assigned(code).then_some((code, rest))
    })
}

/// The country codes that ITU-T E.164 assigns (annex to the Operational Bulletin).
fn is_assigned(code: u16) -> bool {
    matches!(code,
        1 | 7 | 20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 86 | 90..=95 | 98
        | 211..=213 | 216 | 218 | 220..=258 | 260..=269 | 290 | 291 | 297..=299
        | 350..=359 | 370..=383 | 385..=387 | 389 | 420 | 421 | 423
        | 500..=509 | 590..=599 | 670 | 672..=683 | 685..=692
        | 800 | 808 | 850 | 852 | 853 | 855 | 856 | 870 | 878 | 880..=883 | 886 | 888
        | 960..=968 | 970..=977 | 979 | 992..=996 | 998)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes() -> Vec<u16> {
        // Belarus has numbers that begin with its trunk prefix.
        (1..=999).filter(|code| is_assigned(*code) && *code != 375).collect()
    }

    proptest! {
        #[test]
        fn a_valid_number_is_read_as_it_stands(
            code in prop::sample::select(codes()),
            national in "[1-9][0-9]{6,11}",
        ) {
            let digits = format!("{code}{national}");
            if is_valid(&digits) {
                let read = planned(&format!("+{digits}"), None).map(|read| read.digits);
                prop_assert_eq!(read, Some(digits));
            }
        }
    }
}
