//! What a flow may ask of a contact, of what they said and of the hour.

use domain::contact::{Contact, same_tag};
use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StepId;
use crate::run::Run;
use crate::values::{plain, text_of};

/// One way of a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// When it is taken.
    pub when: When,
    /// Where it leads.
    pub to: StepId,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All of them hold.
    All(Vec<When>),
    /// One of them holds.
    Any(Vec<When>),
    /// It does not hold.
    Not(Box<When>),
    /// A field is as it should be.
    Field(Test),
    /// The contact has a tag, in any case.
    Tag(String),
    /// What the contact agreed to.
    Consent(Consent),
    /// It is one of these hours.
    Hours(Hours),
}

/// A test of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// `reply`, `reply_id`, `name`, `email`, `phone`, `metadata.KEY` or `vars.KEY`.
    pub name: String,
    /// How it is compared.
    pub op: Op,
    /// With what.
    #[serde(default)]
    pub value: Value,
}

/// How a field is compared. Texts are compared without case and accents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// The same.
    Is,
    /// Another one, or nothing.
    IsNot,
    /// Has the words.
    Contains,
    /// Begins so.
    Begins,
    /// Ends so.
    Ends,
    /// A larger number.
    Over,
    /// A smaller number.
    Under,
    /// Has a value.
    Exists,
    /// Has none.
    Missing,
}

/// What a contact agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// They agreed to be written to, and did not take it back.
    OptedIn,
    /// They want no messages.
    OptedOut,
    /// Nobody knows.
    Unknown,
}

/// Hours of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// From this time of the day on.
    pub from: Time,
    /// Up to this one; one before `from` is of the next day.
    pub to: Time,
    /// `mon` to `sun`; every day without any.
    #[serde(default)]
    pub days: Vec<Day>,
    /// The zone, such as `Europe/Rome`; UTC otherwise.
    #[serde(default)]
    pub timezone: Option<String>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Day> for Weekday {
    fn from(day: Day) -> Self {
        match day {
            Day::Mon => Self::Monday,
            Day::Tue => Self::Tuesday,
            Day::Wed => Self::Wednesday,
            Day::Thu => Self::Thursday,
            Day::Fri => Self::Friday,
            Day::Sat => Self::Saturday,
            Day::Sun => Self::Sunday,
        }
    }
}

/// What conditions look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Who it is about.
    pub contact: &'a Contact,
    /// Completes numbers without a country code.
    pub country: Option<domain::CallingCode>,
    /// Now.
    pub now: Timestamp,
}

impl When {
    /// Whether it holds.
    pub fn holds(&self, run: &Run, facts: &Facts<'_>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(run, facts)),
            Self::Any(any) => any.iter().any(|one| one.holds(run, facts)),
            Self::Not(one) => !one.holds(run, facts),
            Self::Field(test) => test.holds(run, facts.contact),
            Self::Tag(tag) => facts.contact.tags.iter().any(|own| same_tag(own, tag)),
            Self::Consent(consent) => {
                let known = &facts.contact.consent;
                match consent {
                    Consent::OptedOut => known.opt_out.is_some(),
                    Consent::OptedIn => known.opt_in.is_some() && known.opt_out.is_none(),
                    Consent::Unknown => known.opt_in.is_none() && known.opt_out.is_none(),
                }
            }
            Self::Hours(hours) => hours.include(facts.now),
        }
    }

    /// Every test of a field in it.
    pub(crate) fn tests(&self) -> Vec<&Test> {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().flat_map(Self::tests).collect(),
            Self::Not(one) => one.tests(),
            Self::Field(test) => vec![test],
            Self::Tag(_) | Self::Consent(_) | Self::Hours(_) => Vec::new(),
        }
    }

    /// Every span of hours in it.
    pub(crate) fn hours(&self) -> Vec<&Hours> {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().flat_map(Self::hours).collect(),
            Self::Not(one) => one.hours(),
            Self::Hours(hours) => vec![hours],
            Self::Tag(_) | Self::Consent(_) | Self::Field(_) => Vec::new(),
        }
    }
}

impl Test {
    /// Whether there may be such a field.
    pub(crate) fn is_known(&self) -> bool {
        let own = ["reply", "reply_id", "name", "email", "phone"].contains(&self.name.as_str());
        own || ["metadata.", "vars."]
            .iter()
            .any(|of| self.name.strip_prefix(of).is_some_and(|key| !key.is_empty()))
    }

    fn value(&self, run: &Run, contact: &Contact) -> Option<String> {
        let found = match self.name.as_str() {
            "reply" => run.reply.as_ref().map(|reply| reply.text.clone()),
            "reply_id" => run.reply.as_ref()?.id.clone(),
            "name" => contact.name.clone(),
            "email" => contact.email.as_ref().map(|email| email.as_str().to_owned()),
            "phone" => contact.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            other => match other.split_once('.') {
                Some(("vars", key)) => run.vars.get(key).and_then(text_of),
                Some(("metadata", key)) => contact.metadata.get(key).and_then(text_of),
                Some(_) | None => None,
            },
        };
        found.filter(|text| !text.trim().is_empty())
    }

    fn holds(&self, run: &Run, contact: &Contact) -> bool {
        let found = self.value(run, contact);
        let wanted = text_of(&self.value).unwrap_or_default();
        let number = |text: &str| text.trim().replace(',', ".").parse::<f64>().ok();
        let (own, want) = (found.as_deref().map(plain), plain(&wanted));
        let is = || match (found.as_deref().and_then(number), number(&wanted)) {
            (Some(own), Some(want)) => own.total_cmp(&want).is_eq(),
            _ => own.as_ref() == Some(&want),
        };
        let compared = |wanted_order| {
            let order = found.as_deref().and_then(number).zip(number(&wanted));
            order.is_some_and(|(own, want)| own.total_cmp(&want) == wanted_order)
        };
        let has = |test: fn(&str, &str) -> bool| own.as_deref().is_some_and(|own| test(own, &want));
        match self.op {
            Op::Is => is(),
            Op::IsNot => !is(),
            Op::Contains => has(|own, want| format!(" {own} ").contains(&format!(" {want} "))),
            Op::Begins => has(|own, want| own.starts_with(want)),
            Op::Ends => has(|own, want| own.ends_with(want)),
            Op::Over => compared(std::cmp::Ordering::Greater),
            Op::Under => compared(std::cmp::Ordering::Less),
            Op::Exists => found.is_some(),
            Op::Missing => found.is_none(),
        }
    }
}

impl Hours {
    /// The zone.
    ///
    /// # Errors
    /// When there is no such zone.
    pub(crate) fn zone(&self) -> Result<TimeZone, jiff::Error> {
        self.timezone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get)
    }

    fn include(&self, now: Timestamp) -> bool {
        let Ok(zone) = self.zone() else { return false };
        let here = now.to_zoned(zone);
        let (time, today) = (here.time(), here.weekday());
        let is_day =
            |day: Weekday| self.days.is_empty() || self.days.iter().any(|one| Weekday::from(*one) == day);
        if self.from <= self.to {
            return is_day(today) && self.from <= time && time < self.to;
        }
        // After midnight it is still the day before's.
        (time >= self.from && is_day(today)) || (time < self.to && is_day(today.previous()))
    }
}

#[cfg(test)]
mod tests {
    use domain::ContactId;
    use serde_json::json;

    use super::*;
    use crate::Reply;

    fn holds(when: Value, now: &str) -> bool {
        let mut contact = Contact::empty(ContactId(1), Timestamp::UNIX_EPOCH);
        contact.tags = vec!["VIP Gold".to_owned()];
        contact.metadata.insert("city".to_owned(), "Forlì".into());
        let mut run = Run::new(1, "a", 0);
        run.vars.insert("people".to_owned(), 4.into());
        run.reply = Some(Reply { text: "Sì, grazie!".to_owned(), id: None, at_ms: 0 });
        let when: When = serde_json::from_value(when).unwrap();
        when.holds(&run, &Facts { contact: &contact, country: None, now: now.parse().unwrap() })
    }

    #[test]
    fn conditions_hold() {
        let field =
            |name: &str, op: &str, value: Value| json!({"field": {"name": name, "op": op, "value": value}});
        for (when, want) in [
            (field("reply", "contains", json!("si")), true),
            (field("reply", "is", json!("si grazie")), true),
            (field("reply", "begins", json!("no")), false),
            (field("reply_id", "exists", json!(null)), false),
            (field("metadata.city", "is", json!("FORLI")), true),
            (field("metadata.age", "missing", json!(null)), true),
            (field("metadata.age", "is_not", json!("3")), true),
            (field("vars.people", "over", json!(3)), true),
            (field("vars.people", "under", json!("3,5")), false),
            (field("vars.people", "is", json!("4.0")), true),
            (field("email", "over", json!(3)), false),
            (json!({"tag": "vip  gold"}), true),
            (json!({"consent": "unknown"}), true),
            (json!({"not": {"consent": "opted_out"}}), true),
            (json!({"all": [{"tag": "vip gold"}, {"consent": "opted_in"}]}), false),
            (json!({"any": [{"tag": "vip gold"}, {"consent": "opted_in"}]}), true),
        ] {
            assert_eq!(holds(when.clone(), "2026-11-26T10:00:00Z"), want, "{when}");
        }
    }

    #[test]
    fn hours_are_those_of_their_zone_and_of_their_day() {
        let rome = json!({"hours": {"from": "09:00", "to": "18:00", "days": ["mon", "thu"], "timezone": "Europe/Rome"}});
        // The 26th of November 2026 is a Thursday.
        for (now, want) in [
            ("2026-11-26T08:00:00Z", true),
            ("2026-11-26T07:59:00Z", false),
            ("2026-11-26T17:00:00Z", false),
            ("2026-11-27T10:00:00Z", false),
        ] {
            assert_eq!(holds(rome.clone(), now), want, "{now}");
        }
        let night = json!({"hours": {"from": "22:00", "to": "06:00", "days": ["thu"]}});
        for (now, want) in [
            ("2026-11-26T23:00:00Z", true),
            ("2026-11-27T05:00:00Z", true),
            ("2026-11-26T05:00:00Z", false),
            ("2026-11-27T23:00:00Z", false),
        ] {
            assert_eq!(holds(night.clone(), now), want, "{now}");
        }
    }
}
