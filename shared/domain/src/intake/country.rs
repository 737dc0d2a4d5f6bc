//! The country that a sender of contacts names.

use crate::CallingCode;

/// The calling code of a country that an address names by its two letters.
pub(super) fn calling_code(alpha2: &str) -> Option<CallingCode> {
    CallingCode::of_country(alpha2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_name_a_country() {
        assert_eq!(calling_code("it").map(CallingCode::get), Some(39));
        assert_eq!(calling_code("US").map(CallingCode::get), Some(1));
        assert!(["", "I", "ITA", "ZZ", "È", "39"].iter().all(|text| calling_code(text).is_none()));
    }
}
