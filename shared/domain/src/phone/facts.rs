//! What the numbering plan of its country says of a number. The plans are libphonenumber's.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};

use super::{PhoneNumber, plan};

/// How libphonenumber calls the country of networks that span several.
const NO_COUNTRY: &str = "001";

/// What a number is for, by its country's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A line of a house.
    FixedLine,
    /// A mobile phone.
    Mobile,
    /// One of the two: in North America numbers do not tell.
    FixedLineOrMobile,
    /// Free for whoever calls.
    TollFree,
    /// Dear for whoever calls, who pays the number's owner.
    PremiumRate,
    /// Paid by both.
    SharedCost,
    /// A phone on the Internet.
    Voip,
    /// Of a person, passed on to any phone of theirs.
    PersonalNumber,
    /// A pager.
    Pager,
    /// One number of a company for all of its places.
    UniversalAccess,
    /// A voice mailbox.
    Voicemail,
    /// The plan has no such number.
    Unknown,
}

impl LineKind {
    /// As callers read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FixedLine => "fixed_line",
            Self::Mobile => "mobile",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::PersonalNumber => "personal_number",
            Self::Pager => "pager",
            Self::UniversalAccess => "uan",
            Self::Voicemail => "voicemail",
            Self::Unknown => "unknown",
        }
    }
}

impl From<PhoneNumberType> for LineKind {
    fn from(kind: PhoneNumberType) -> Self {
        match kind {
            PhoneNumberType::FixedLine => Self::FixedLine,
            PhoneNumberType::Mobile => Self::Mobile,
            PhoneNumberType::FixedLineOrMobile => Self::FixedLineOrMobile,
            PhoneNumberType::TollFree => Self::TollFree,
            PhoneNumberType::PremiumRate => Self::PremiumRate,
            PhoneNumberType::SharedCost => Self::SharedCost,
            PhoneNumberType::VoIP => Self::Voip,
            PhoneNumberType::PersonalNumber => Self::PersonalNumber,
            PhoneNumberType::Pager => Self::Pager,
            PhoneNumberType::UAN => Self::UniversalAccess,
            PhoneNumberType::VoiceMail => Self::Voicemail,
            PhoneNumberType::Unknown => Self::Unknown,
        }
    }
}

/// What a plan says of a number.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneFacts {
    /// Whether the plan gives out such numbers.
    pub is_valid: bool,
    /// Two letters (ISO 3166-1), where the number is of one country.
    pub country: Option<String>,
    /// Its calling code.
    pub calling_code: u16,
    /// What it is for.
    pub kind: LineKind,
    /// As it is dialled within its country: `339 123 4567`.
    pub national: String,
    /// As it is dialled from elsewhere: `+39 339 123 4567`.
    pub international: String,
}

impl std::fmt::Debug for PhoneFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { is_valid, country, kind, .. } = self;
        let mut shown = f.debug_struct("PhoneFacts");
        shown.field("is_valid", is_valid).field("country", country).field("kind", kind);
        shown.finish_non_exhaustive()
    }
}

impl PhoneNumber {
    /// What the numbering plan of its country says of it.
    pub fn facts(&self) -> PhoneFacts {
        let util = &PHONE_NUMBER_UTIL;
        let (calling_code, rest) = plan::split(self.digits()).unwrap_or((0, self.digits()));
        match util.parse(self.as_str(), None) {
            Ok(number) => PhoneFacts {
                is_valid: util.is_valid_number(&number),
                country: util
                    .get_region_for_number(&number)
                    .map(|region| region.to_string())
                    .filter(|region| region != NO_COUNTRY),
                calling_code,
                kind: util.get_number_type(&number).into(),
                national: util.format(&number, PhoneNumberFormat::National).into_owned(),
                international: util.format(&number, PhoneNumberFormat::International).into_owned(),
            },
            Err(_) => PhoneFacts {
                is_valid: false,
                country: None,
                calling_code,
                kind: LineKind::Unknown,
                national: rest.to_owned(),
                international: self.as_str().to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_what_a_number_is() {
        for (number, want) in [
            ("+393391234567", (true, "IT", "mobile", "339 123 4567", "+39 339 123 4567")),
            ("+390612345678", (true, "IT", "fixed_line", "06 1234 5678", "+39 06 1234 5678")),
            ("+39800123456", (true, "IT", "toll_free", "800 123 456", "+39 800 123 456")),
            ("+39899123456", (true, "IT", "premium_rate", "899 123 456", "+39 899 123 456")),
            ("+12015550123", (true, "US", "fixed_line_or_mobile", "(201) 555-0123", "+1 201-555-0123")),
            ("+14165550123", (true, "CA", "fixed_line_or_mobile", "(416) 555-0123", "+1 416-555-0123")),
            ("+447400123456", (true, "GB", "mobile", "07400 123456", "+44 7400 123456")),
            ("+447012345678", (true, "GB", "personal_number", "070 1234 5678", "+44 70 1234 5678")),
            ("+4915123456789", (true, "DE", "mobile", "01512 3456789", "+49 1512 3456789")),
        ] {
            let facts = PhoneNumber::from_e164(number).unwrap().facts();
            let country = facts.country.as_deref().unwrap_or_default();
            let found =
                (facts.is_valid, country, facts.kind.as_str(), &*facts.national, &*facts.international);
            assert_eq!(found, want, "{number}");
        }
    }

    #[test]
    fn a_number_of_no_plan_has_a_calling_code_alone() {
        let facts = PhoneNumber::from_e164("+39333").unwrap_err();
        assert_eq!(facts.field, "phone");
        let facts = PhoneNumber::from_e164("+15551234567").unwrap().facts();
        assert_eq!((facts.is_valid, facts.calling_code, facts.kind), (false, 1, LineKind::Unknown));
        let facts = PhoneNumber::from_e164("+88213300655").unwrap().facts();
        assert_eq!((facts.calling_code, facts.country), (882, None));
    }
}
