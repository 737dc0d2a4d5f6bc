//! What a column can hold.

use domain::Invalid;
use domain::consent::Answer;
use domain::intake::{Beside, is_absent, is_yes_or_no};
use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// The whole name.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// A phone number.
    Phone,
    /// The country where they live, and of a number that does not say its own: its name, its
    /// letters or its calling code.
    Country,
    /// What stands beside a phone number.
    PhonePart(PhonePart),
    /// An e-mail address.
    Email,
    /// Tags, with commas or semicolons.
    Tags,
    /// The id in the system that the file comes from.
    ExternalId,
    /// What else they are known by, as an export writes it.
    Identities,
    /// Whether they agreed to be written to, and since when or how.
    OptIn,
    /// A field of the caller's own.
    Metadata(String),
    /// All of these, as an object of JSON.
    AllMetadata,
    /// Why the row cannot be read, as what made a table of the file says.
    Unreadable,
    /// Nothing that we want.
    Ignore,
}

/// What a phone number is short of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PhonePart {
    /// Its calling code, or its country.
    CountryCode,
    /// Its area code.
    AreaCode,
    /// Either, as people say prefix to both.
    Prefix,
}

impl From<Beside> for PhonePart {
    fn from(beside: Beside) -> Self {
        match beside {
            Beside::Country => Self::CountryCode,
            Beside::Area => Self::AreaCode,
            Beside::Prefix => Self::Prefix,
        }
    }
}

impl PhonePart {
    pub(crate) fn beside(self) -> Beside {
        match self {
            Self::CountryCode => Beside::Country,
            Self::AreaCode => Beside::Area,
            Self::Prefix => Beside::Prefix,
        }
    }
}

impl Field {
    /// Reads its word in requests.
    ///
    /// # Errors
    /// Names `mapping`, with the words that there are.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        Ok(match text.to_ascii_lowercase().as_str() {
            "name" | "full_name" => Self::Name,
            "first_name" | "firstname" => Self::FirstName,
            "last_name" | "lastname" => Self::LastName,
            "phone" => Self::Phone,
            "country" => Self::Country,
            "country_code" => Self::PhonePart(PhonePart::CountryCode),
            "area_code" => Self::PhonePart(PhonePart::AreaCode),
            "phone_prefix" => Self::PhonePart(PhonePart::Prefix),
            "email" => Self::Email,
            "tags" => Self::Tags,
            "external_id" => Self::ExternalId,
            "identities" => Self::Identities,
            "opt_in" => Self::OptIn,
            "metadata" => Self::AllMetadata,
            "ignore" | "" => Self::Ignore,
            _ => match text.split_once('.').filter(|(own, key)| *own == "metadata" && !key.trim().is_empty())
            {
                Some((_, key)) if key.chars().count() <= 64 => Self::Metadata(key.trim().to_owned()),
                Some(_) | None => {
                    let message = format!(
                        "mapping: {text} is no field: use name, first_name, last_name, phone, country, \
                         country_code, area_code, phone_prefix, email, tags, external_id, identities, opt_in, metadata.key \
                         or ignore"
                    );
                    return Err(Invalid::new("mapping", message));
                }
            },
        })
    }

    /// Its word in answers.
    pub fn word(&self) -> String {
        match self {
            Self::Name => "name".to_owned(),
            Self::FirstName => "first_name".to_owned(),
            Self::LastName => "last_name".to_owned(),
            Self::Phone => "phone".to_owned(),
            Self::Country => "country".to_owned(),
            Self::PhonePart(PhonePart::CountryCode) => "country_code".to_owned(),
            Self::PhonePart(PhonePart::AreaCode) => "area_code".to_owned(),
            Self::PhonePart(PhonePart::Prefix) => "phone_prefix".to_owned(),
            Self::Email => "email".to_owned(),
            Self::Tags => "tags".to_owned(),
            Self::ExternalId => "external_id".to_owned(),
            Self::Identities => "identities".to_owned(),
            Self::OptIn => "opt_in".to_owned(),
            Self::Metadata(key) => format!("metadata.{key}"),
            Self::AllMetadata => "metadata".to_owned(),
            Self::Unreadable | Self::Ignore => "ignore".to_owned(),
        }
    }

    /// The name of a column that holds it, by which any file is read.
    pub(crate) fn header(&self) -> String {
        match self {
            // A country's code is taken for the country where they live.
            Self::PhonePart(PhonePart::CountryCode) => "phone_country_code".to_owned(),
            Self::Name
            | Self::FirstName
            | Self::LastName
            | Self::Phone
            | Self::Country
            | Self::PhonePart(PhonePart::AreaCode | PhonePart::Prefix)
            | Self::Email
            | Self::Tags
            | Self::ExternalId
            | Self::Identities
            | Self::OptIn
            | Self::Metadata(_)
            | Self::AllMetadata
            | Self::Unreadable
            | Self::Ignore => self.word(),
        }
    }

    /// Whether a text in a column of it stands for nothing, as `n/a` does for a number.
    pub(crate) fn is_empty_of(&self, text: &str) -> bool {
        match self {
            Self::Phone | Self::Email => is_absent(text) || is_yes_or_no(text),
            Self::ExternalId | Self::Identities => is_absent(text),
            // A tick is a yes.
            Self::OptIn => is_absent(text) && Answer::parse(text).is_none(),
            // `NA` is Namibia.
            Self::Country | Self::PhonePart(_) => is_absent(text) && !text.eq_ignore_ascii_case("na"),
            Self::Name
            | Self::FirstName
            | Self::LastName
            | Self::Tags
            | Self::Metadata(_)
            | Self::AllMetadata
            | Self::Unreadable
            | Self::Ignore => text.is_empty(),
        }
    }

    /// Whether a contact is found by it.
    pub(crate) fn identifies(&self) -> bool {
        matches!(self, Self::Phone | Self::Email | Self::ExternalId | Self::Identities)
    }
}
