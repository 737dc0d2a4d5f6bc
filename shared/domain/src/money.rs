//! Amounts of money, in the minor units of their currency: yen, cents, fils. Nothing is
//! computed with fractions.

use std::fmt;
use std::str::FromStr;

use crate::Invalid;

/// Currencies without minor units (ISO 4217, list one).
const WITHOUT: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
/// Currencies whose minor unit is a thousandth.
const THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// Units of account whose minor unit is a ten-thousandth.
const TEN_THOUSANDTHS: [&str; 2] = ["CLF", "UYW"];

/// A currency of ISO 4217: three capital letters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(String);

/// An amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Money {
    /// In minor units of the currency.
    pub minor: u64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// As it is written with a decimal point and without the currency: `19.90`.
    pub fn decimal(&self) -> String {
        self.currency.decimal(self.minor)
    }

    /// So many of it; `None` when that is more than can be counted.
    pub fn times(&self, count: u64) -> Option<Self> {
        Some(Self { minor: self.minor.checked_mul(count)?, currency: self.currency.clone() })
    }

    /// Both together; `None` of two currencies, or when that is more than can be counted.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor).filter(|_| self.currency == other.currency)?;
        Some(Self { minor, currency: self.currency.clone() })
    }
}

impl Currency {
    /// The three letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many decimals amounts have (ISO 4217): 2 of most, 0 of JPY, 3 of KWD.
    pub fn exponent(&self) -> u32 {
        match self.as_str() {
            code if WITHOUT.contains(&code) => 0,
            code if THOUSANDTHS.contains(&code) => 3,
            code if TEN_THOUSANDTHS.contains(&code) => 4,
            _ => 2,
        }
    }

    /// A decimal number, such as `19.9` or `2e3`, as an amount. Half a minor unit and more
    /// counts as one. `None` when it is no such number, or more than can be counted.
    pub fn amount(&self, decimal: &str) -> Option<Money> {
        let text = decimal.trim();
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u128 = digits.parse().ok()?;
        let decimals = i32::try_from(fraction.len()).ok()?;
        let shift = power.checked_sub(decimals)?.checked_add(i32::try_from(self.exponent()).ok()?)?;
        let factor = 10_u128.checked_pow(shift.unsigned_abs());
        let minor = match factor {
            Some(factor) if shift >= 0 => number.checked_mul(factor)?,
            Some(factor) => number.checked_add(factor / 2)? / factor,
            // A power that large: of nothing it is nothing, and its fraction is nothing.
            None if number == 0 || shift < 0 => 0,
            None => return None,
        };
        Some(Money { minor: u64::try_from(minor).ok()?, currency: self.clone() })
    }

    /// An amount as shops show it to people: `€ 1.234,50`, `$7.99`, `1'000 CHF`. `None` when
    /// there is no number in it.
    pub fn shown_amount(&self, text: &str) -> Option<Money> {
        let is_digit = |c: char| c.is_ascii_digit();
        let number = &text[text.find(is_digit)?..=text.rfind(is_digit)?];
        let number: String = number.chars().filter(|c| is_digit(*c) || matches!(c, '.' | ',')).collect();
        let Some(at) = number.rfind(['.', ',']) else { return self.amount(&number) };
        let (whole, fraction) = (&number[..at], &number[at + 1..]);
        let mark = &number[at..=at];
        let is_repeated = whole.contains(mark);
        let looks_grouped = fraction.len() == 3 && self.exponent() != 3 && whole != "0";
        let whole: String = whole.chars().filter(|c| is_digit(*c)).collect();
        match is_repeated || looks_grouped {
            true => self.amount(&format!("{whole}{fraction}")),
            false => self.amount(&format!("{whole}.{fraction}")),
        }
    }

    /// Writes minor units with a decimal point.
    fn decimal(&self, minor: u64) -> String {
        let places = usize::try_from(self.exponent()).unwrap_or(0);
        if places == 0 {
            return minor.to_string();
        }
        let digits = format!("{minor:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        format!("{whole}.{fraction}")
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let code = text.trim().to_ascii_uppercase();
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(Invalid::new("currency", "currency must have three letters, such as EUR"));
        }
        Ok(Self(code))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn minor(code: &str, decimal: &str) -> Option<u64> {
        currency(code).amount(decimal).map(|money| money.minor)
    }

    #[test]
    fn decimals_are_counted_in_minor_units() {
        for (code, decimal, want) in [
            ("EUR", "19.9", 1_990),
            ("EUR", "0.1", 10),
            ("EUR", "30", 3_000),
            ("USD", "1.005", 101),
            ("USD", "1.0049", 100),
            ("EUR", "8.29", 829),
            ("EUR", "1.15", 115),
            ("JPY", "500", 500),
            ("JPY", "500.0", 500),
            ("KRW", "1e3", 1_000),
            ("KWD", "1.234", 1_234),
            ("BHD", "0.001", 1),
            ("CLF", "1.2345", 12_345),
            ("EUR", "1E-2", 1),
            ("EUR", "1e-9", 0),
            ("EUR", "0e999999999", 0),
            ("EUR", "1e-999999999", 0),
            ("EUR", "184467440737095516.15", u64::MAX),
        ] {
            assert_eq!(minor(code, decimal), Some(want), "{code} {decimal}");
        }
        for bad in ["", ".", "-1", "+1", "1,5", "1.5.0", "NaN", "1e", "12x", "1e40", "184467440737095516.16"]
        {
            assert_eq!(minor("EUR", bad), None, "{bad}");
        }
    }

    #[test]
    fn amounts_are_written_as_they_are_read() {
        for (code, amount, text) in
            [("EUR", 1_990, "19.90"), ("EUR", 5, "0.05"), ("JPY", 500, "500"), ("KWD", 1_234, "1.234")]
        {
            let money = Money { minor: amount, currency: currency(code) };
            assert_eq!(money.decimal(), text);
            assert_eq!(currency(code).amount(text), Some(money));
        }
    }

    #[test]
    fn prices_are_read_as_shops_show_them() {
        for (code, shown, want) in [
            ("EUR", "€9.99", 999),
            ("EUR", "9,99 €", 999),
            ("EUR", "1.234,50 €", 123_450),
            ("USD", "$1,234.50", 123_450),
            ("USD", "USD 7", 700),
            ("USD", "$1,000", 100_000),
            ("EUR", "1.000", 100_000),
            ("EUR", "0.500", 50),
            ("INR", "₹1,00,000", 10_000_000),
            ("INR", "₹1,00,000.00", 10_000_000),
            ("CHF", "1'000.50", 100_050),
            ("DKK", "kr. 99,50", 9_950),
            ("PLN", "1 234,00 zł", 123_400),
            ("JPY", "¥1,000", 1_000),
            ("JPY", "¥500.00", 500),
            ("KWD", "KWD 1.234", 1_234),
            ("EUR", "10.5", 1_050),
        ] {
            assert_eq!(currency(code).shown_amount(shown).map(|m| m.minor), Some(want), "{code} {shown}");
        }
        assert_eq!(currency("EUR").shown_amount("gratis"), None);
    }

    #[test]
    fn sums_are_of_one_currency_and_never_too_large() {
        let of = |minor, code| Money { minor, currency: currency(code) };
        assert_eq!(of(1_050, "EUR").times(3).unwrap().plus(&of(5, "EUR")), Some(of(3_155, "EUR")));
        assert_eq!(of(1, "EUR").plus(&of(1, "USD")), None);
        assert_eq!(of(u64::MAX, "EUR").times(2), None);
        assert_eq!(of(u64::MAX, "EUR").plus(&of(1, "EUR")), None);
    }

    #[test]
    fn a_currency_has_three_letters() {
        assert_eq!(currency(" eur ").as_str(), "EUR");
        for bad in ["", "EURO", "€", "E1R"] {
            assert_eq!(bad.parse::<Currency>().unwrap_err().field, "currency", "{bad}");
        }
    }
}
