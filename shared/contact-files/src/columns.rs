//! What the columns of a table hold: as the caller says, else by their names, else by what
//! is in them.

use std::collections::BTreeMap;

use domain::intake::{is_absent, is_yes_or_no};
use domain::{CallingCode, EmailAddress, Invalid, PhoneNumber};
use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::{header, label};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, or its place where the file has no names.
    pub name: String,
    /// What it holds.
    pub field: Field,
    /// Among several that hold the same, the least is taken first.
    pub rank: u8,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// Rows above the first one of the table: titles, reports.
    #[serde(default)]
    pub skipped: u64,
    /// The first row has their names.
    pub has_header: bool,
    /// All of them.
    pub all: Vec<Column>,
}

/// What stands before the place of a column without a name.
const PLACE: &str = "column ";
/// So many of the values have to look alike for a column to be taken for that.
const MOST: f64 = 0.8;
/// So many of them for a column to stay what its name says.
const HALF: f64 = 0.5;
/// Fewer digits are no phone number, nor a part of one.
const MIN_DIGITS: usize = 5;

impl Column {
    /// Its name in a file of failed rows, by which it is known again: where it has none, that of
    /// what it holds.
    pub(crate) fn header(&self) -> String {
        let is_nameless = self.name.starts_with(PLACE) && self.field != Field::Ignore;
        if is_nameless { self.field.header() } else { self.name.clone() }
    }
}

impl Columns {
    /// Records before the first row: those above the table, and its header.
    pub(crate) fn before(&self) -> u64 {
        self.skipped + u64::from(self.has_header)
    }

    /// What the columns of a table hold, by its first rows.
    ///
    /// # Errors
    /// Names `mapping` when it names a column that is not there, and `file` when no column
    /// tells who anybody is.
    pub fn of(
        sample: &[Vec<String>],
        mapping: &BTreeMap<String, String>,
        country: Option<CallingCode>,
    ) -> Result<Self, Invalid> {
        let skipped = header::place(sample, mapping);
        let sample = &sample[skipped..];
        let first = sample.first().map_or(&[][..], Vec::as_slice);
        let has_header = skipped > 0 || has_header(first, sample, mapping, country);
        let named = if has_header { 1 } else { sample.len() };
        let width = sample.iter().take(named).map(Vec::len).max().unwrap_or(0);
        if width > tables::MAX_COLUMNS {
            let message = format!("the table has {width} columns: at most {} are read", tables::MAX_COLUMNS);
            return Err(Invalid::new("file", message));
        }
        let names: Vec<String> = (0..width)
            .map(|at| match first.get(at).map(|name| tables::plain(name.trim())) {
                Some(name) if has_header && !name.is_empty() => name.to_owned(),
                Some(_) | None => format!("{PLACE}{}", at + 1),
            })
            .collect();
        let body = &sample[usize::from(has_header)..];
        let mut columns = Self { skipped: skipped as u64, has_header, all: proposed(&names, has_header) };
        columns.without_others(body, mapping);
        columns.with_countries(body, mapping);
        columns.by_content(body, country);
        columns.told(mapping)?;
        let is_one = matches!(&columns.all[..], [one] if has_header && names_several(&one.name));
        if is_one || !columns.all.iter().any(|column| column.field.identifies()) {
            let names: Vec<&str> = columns.all.iter().map(|column| column.name.as_str()).take(20).collect();
            let message = format!(
                "no column holds phone numbers or e-mail addresses (read as {} columns: {}): name one in mapping, \
                 or delimit values by a comma, a semicolon, a tab or |",
                columns.all.len(),
                names.join(" | ")
            );
            return Err(Invalid::new("file", message));
        }
        Ok(columns)
    }

    /// Columns whose names say more than is in them: of `Accepts WhatsApp` the values are no
    /// numbers. Where a name says nothing else, and no other column has them, they are wrong ones.
    fn without_others(&mut self, body: &[Vec<String>], mapping: &BTreeMap<String, String>) {
        let kinds = [(Field::Phone, is_like_phone as fn(&str) -> bool), (Field::Email, is_like_email)];
        for (field, is_like) in kinds {
            let mut others = Vec::new();
            let mut has_good = false;
            for (at, column) in self.all.iter().enumerate().filter(|(_, column)| column.field == field) {
                let is_there = |text: &&str| !field.is_empty_of(text) || is_yes_or_no(text);
                match share_of(body, at, is_there, is_like) {
                    Some(share) if share >= HALF => has_good = true,
                    Some(_) if !is_told(mapping, at, column) => others.push(at),
                    Some(_) | None => {}
                }
            }
            for at in others {
                let answers = share_of(body, at, |text| !is_absent(text), is_yes_or_no);
                let is_answer = answers.is_some_and(|share| share >= HALF);
                if has_good || is_answer || !label::is_plain_address(&self.all[at].name) {
                    self.all[at].field = own(&self.all[at].name, self.has_header);
                    self.all[at].rank = 0;
                }
            }
        }
    }

    /// `CC` is a country where countries are in it, and none where anything else is.
    fn with_countries(&mut self, body: &[Vec<String>], mapping: &BTreeMap<String, String>) {
        for at in 0..self.all.len() {
            let column = &self.all[at];
            let is_open = column.field == Field::Country && column.rank == label::PERHAPS_COUNTRY;
            if is_open && !is_told(mapping, at, column) {
                let share = share_of(body, at, |_| true, |text| CallingCode::of_country(text).is_some());
                if share.is_none_or(|share| share < MOST) {
                    (self.all[at].field, self.all[at].rank) = (own(&column.name, self.has_header), 0);
                }
            }
        }
    }

    /// Columns whose names say nothing, by what is in them.
    fn by_content(&mut self, body: &[Vec<String>], country: Option<CallingCode>) {
        let has = |columns: &Self, field: &Field| columns.all.iter().any(|column| column.field == *field);
        let is_open = |column: &Column| matches!(column.field, Field::Metadata(_) | Field::Ignore);
        for (field, is) in
            [(Field::Email, is_email as fn(&str, Option<CallingCode>) -> bool), (Field::Phone, is_phone)]
        {
            if has(self, &field) {
                continue;
            }
            let share = |at: usize| share_of(body, at, |_| true, |text| is(text, country)).unwrap_or(0.0);
            let best = (0..self.all.len())
                .filter(|at| is_open(&self.all[*at]))
                .max_by(|a, b| share(*a).total_cmp(&share(*b)));
            if let Some(at) = best.filter(|at| share(*at) >= MOST) {
                self.all[at].field = field;
            }
        }
        // Without names: the first column of words is who they are.
        if !self.has_header && !has(self, &Field::Name) {
            let is_words = |text: &str| text.chars().any(char::is_alphabetic) && !text.contains('@');
            let at = (0..self.all.len()).find(|at| {
                let share = share_of(body, *at, |_| true, is_words);
                is_open(&self.all[*at]) && share.is_some_and(|share| share >= MOST)
            });
            if let Some(at) = at {
                self.all[at].field = Field::Name;
            }
        }
    }

    /// As the caller says: by name in any case, or by place, counted from 1.
    fn told(&mut self, mapping: &BTreeMap<String, String>) -> Result<(), Invalid> {
        for (name, field) in mapping {
            let field = Field::parse(field)?;
            let wanted = name.trim();
            let by_name = |column: &Column| column.name.trim().to_lowercase() == wanted.to_lowercase();
            let at: Vec<usize> =
                self.all.iter().enumerate().filter(|(_, column)| by_name(column)).map(|(at, _)| at).collect();
            let place = wanted.strip_prefix(PLACE).unwrap_or(wanted);
            let by_place = place.parse::<usize>().ok().filter(|place| (1..=self.all.len()).contains(place));
            let at =
                if at.is_empty() { by_place.map(|place| vec![place - 1]).unwrap_or_default() } else { at };
            if at.is_empty() {
                let names: Vec<&str> = self.all.iter().map(|column| column.name.as_str()).collect();
                let message =
                    format!("mapping: the file has no column {wanted}: it has {}", names.join(", "));
                return Err(Invalid::new("mapping", message));
            }
            // What the caller says takes the place of what was proposed.
            if !matches!(field, Field::Metadata(_) | Field::Ignore | Field::Tags | Field::AllMetadata) {
                let told: Vec<usize> = at.clone();
                for (other, column) in self.all.iter_mut().enumerate() {
                    if column.field == field && !told.contains(&other) && !is_told(mapping, other, column) {
                        column.rank = column.rank.saturating_add(10);
                    }
                }
            }
            for at in at {
                self.all[at] = Column { name: self.all[at].name.clone(), field: field.clone(), rank: 0 };
            }
        }
        Ok(())
    }
}

fn is_told(mapping: &BTreeMap<String, String>, at: usize, column: &Column) -> bool {
    let name = column.name.trim().to_lowercase();
    mapping.keys().any(|told| told.trim().to_lowercase() == name || told.trim() == (at + 1).to_string())
}

fn proposed(names: &[String], has_header: bool) -> Vec<Column> {
    let one = |name: &String| {
        let (field, rank) = match label::field_of(name) {
            Some(known) if has_header => known,
            Some(_) | None => (own(name, has_header), 0),
        };
        Column { name: name.clone(), field, rank }
    };
    names.iter().map(one).collect()
}

/// A field of the file's own becomes metadata, if it has a name.
fn own(name: &str, has_header: bool) -> Field {
    let key = label::key_of(name);
    let is_named = has_header && !key.is_empty() && !name.starts_with(PLACE);
    if is_named { Field::Metadata(key) } else { Field::Ignore }
}

/// Whether a name is that of several columns, with something between them that is no
/// delimiter.
fn names_several(name: &str) -> bool {
    let parts = name.split(|c: char| !c.is_alphanumeric() && !" -_'()".contains(c));
    parts.filter(|part| label::field_of(part).is_some()).count() > 1
}

/// Whether the first row has names: it holds nobody, and names something or stands above
/// something.
fn has_header(
    first: &[String],
    sample: &[Vec<String>],
    mapping: &BTreeMap<String, String>,
    country: Option<CallingCode>,
) -> bool {
    let is_somebody = |text: &String| is_email(text, country) || is_phone(text, country);
    if first.iter().any(is_somebody) {
        return false;
    }
    let told =
        |name: &String| mapping.keys().any(|told| told.trim().to_lowercase() == name.trim().to_lowercase());
    let is_named = first.iter().any(|name| label::field_of(name).is_some() || told(name));
    is_named || sample.iter().skip(1).flatten().any(is_somebody)
}

/// How many of the values that count are such ones; nothing when none counts.
fn share_of(
    body: &[Vec<String>],
    at: usize,
    counts: impl Fn(&&str) -> bool,
    is: impl Fn(&str) -> bool,
) -> Option<f64> {
    let values = body.iter().filter_map(|row| row.get(at)).map(|text| tables::plain(text.trim()));
    let (count, good) = values
        .filter(|text| !text.is_empty() && counts(text))
        .fold((0_u32, 0_u32), |(count, good), text| (count + 1, good + u32::from(is(text))));
    (count > 0).then(|| f64::from(good) / f64::from(count))
}

/// Whether a text is a phone number, or was meant as one.
fn is_like_phone(text: &str) -> bool {
    text.chars().filter(|c| c.is_numeric()).count() >= MIN_DIGITS && !text.contains('@')
}

/// Whether a text is an e-mail address, or was meant as one.
fn is_like_email(text: &str) -> bool {
    text.contains('@')
}

fn is_email(text: &str, _: Option<CallingCode>) -> bool {
    tables::plain(text.trim()).parse::<EmailAddress>().is_ok()
}

/// Whether nothing but a phone number would be written so: with its code, or as its country
/// writes it.
fn is_phone(text: &str, country: Option<CallingCode>) -> bool {
    let text = tables::plain(text.trim());
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let is_written = text.chars().all(|c| c.is_ascii_digit() || " +-()./\u{a0}".contains(c));
    (8..=17).contains(&digits) && is_written && PhoneNumber::read(text, country).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Vec<Vec<String>> {
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }

    fn fields(text: &str, mapping: &[(&str, &str)]) -> Result<Vec<String>, Invalid> {
        let mapping = mapping.iter().map(|(name, field)| ((*name).to_owned(), (*field).to_owned())).collect();
        let columns = Columns::of(&table(text), &mapping, CallingCode::parse("IT").ok())?;
        Ok(columns.all.iter().map(|column| column.field.word()).collect())
    }

    #[test]
    fn columns_are_proposed_by_name_and_by_content() {
        for (text, want) in [
            (
                "Nome,Cognome,Cellulare,Città\nAda,Neri,3331234567,Roma",
                vec!["first_name", "last_name", "phone", "metadata.città"],
            ),
            ("x,y\nAda,ada@example.com\nBob,bob@example.com", vec!["metadata.x", "email"]),
            ("a,b,c\nAda,+393331234567,1\nBob,+393331234568,2", vec!["metadata.a", "phone", "metadata.c"]),
            ("Ada,+393331234567\nBob,+393331234568", vec!["name", "phone"]),
            ("+393331234567\n+393331234568", vec!["phone"]),
            ("phone\n12", vec!["phone"]),
        ] {
            assert_eq!(fields(text, &[]).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn the_caller_overrides() {
        let text = "Nome,Cellulare,Ufficio,Note\nAda,3331234567,0612345678,x";
        let told = [("ufficio", "phone"), ("4", "ignore"), ("Nome", "metadata.soprannome")];
        let mapping = told.iter().map(|(name, field)| ((*name).to_owned(), (*field).to_owned())).collect();
        let columns = Columns::of(&table(text), &mapping, None).unwrap();
        let ranks: Vec<u8> = columns.all.iter().map(|column| column.rank).collect();
        assert!(ranks[2] < ranks[1], "what the caller says comes first: {ranks:?}");
        assert_eq!(fields(text, &told).unwrap(), ["metadata.soprannome", "phone", "phone", "ignore"]);
        for (mapping, want) in [(("Fax", "phone"), "no column Fax"), (("Nome", "fon"), "no field")] {
            let error = fields(text, &[mapping]).unwrap_err();
            assert!(error.field == "mapping" && error.message.contains(want), "{error:?}");
        }
    }

    #[test]
    fn a_column_is_not_believed_by_its_name_alone() {
        for (name, one, two) in [
            ("Acepta WhatsApp", "sí", "no"),
            ("Vuoi essere contattato su WhatsApp?", "Sì", "No"),
            ("SMS", "yes", "no"),
            ("On WhatsApp?", "yes", "no"),
            ("WhatsApp group", "G1", "G2"),
            ("Phone calls", "3", "4"),
            ("Phone 1 - Label", "Mobile", "Home"),
            ("Phone carrier", "TIM", "-"),
            ("Telefono verificato", "1", "0"),
            ("Mail merge", "x", "y"),
            ("Email client", "gmail", "outlook"),
            ("E-mail 1 - Label", "* Home", "Work"),
            ("Newsletter email", "TRUE", "FALSE"),
            ("Email Display Name", "Ada", "Bob"),
        ] {
            let text = format!(
                "Name,{name},Phone,Email\nAda,{one},+393331234567,a@x.it\nBob,{two},+393331234568,b@x.it"
            );
            let found = fields(&text, &[]).unwrap();
            assert!(found[1].starts_with("metadata."), "{name}: {found:?}");
            assert_eq!((&found[2][..], &found[3][..]), ("phone", "email"), "{name}");
            let told = fields(&text, &[(name, "phone")]).unwrap();
            assert_eq!(told[1], "phone", "{name}");
        }
        // The only column of its kind.
        let answers = "Name,Email,Recevoir des SMS\nAda,a@x.it,oui\nBob,b@x.it,non";
        assert_eq!(fields(answers, &[]).unwrap()[2], "metadata.recevoir_des_sms");
        for text in ["Name,Phone,Email\nAda,12,a@x.it", "Name,Telefono,Email\nAda,boh,\nBob,,b@x.it"] {
            assert_eq!(fields(text, &[]).unwrap()[1], "phone", "{text}");
        }
        for (cc, want) in [("IT,DE", "country"), ("boss@x.it,boss@x.it", "metadata.cc"), (",", "metadata.cc")]
        {
            let (one, two) = cc.split_once(',').unwrap();
            let text = format!("Name,Phone,Email,CC\nAda,333 1234567,,{one}\nBob,0151 23456789,b@x.it,{two}");
            assert_eq!(fields(&text, &[]).unwrap()[3], want, "{cc}");
        }
        // One that is empty so far, and one whose numbers lack their country.
        let text = "Name,Mobile,Phone\nAda,,347 555 0120\nBob,,3.93E+11";
        assert_eq!(fields(text, &[]).unwrap()[1..], ["phone", "phone"]);
    }

    #[test]
    fn a_table_of_nobody_is_refused() {
        for text in ["Nome#Telefono\nAda#3331234567", "Dear all,\nthis is a letter,\nyours", "a,b\n1,2"] {
            assert_eq!(fields(text, &[]).unwrap_err().field, "file", "{text}");
        }
    }
}
