//! A row of a table as a contact.

use domain::consent::{Answer, ConsentProof};
use domain::contact::{NewContact, clean_tags};
use domain::identity::check_external_id;
use domain::intake::{Beside, read_beside};
use domain::phone::{LeftOut, Reading};
use domain::{AccountId, CallingCode, EmailAddress, EmailReading, Invalid};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::columns::{Column, Columns};
use crate::field::Field;
use crate::identities;
use crate::label::key_of;
use crate::options::ImportOptions;
use crate::reading::TableRow;

/// What holds for all rows of a file.
#[derive(Debug, Clone)]
pub(crate) struct Rows<'a> {
    pub(crate) columns: &'a Columns,
    /// Places of columns, those that are taken first before others.
    order: Vec<usize>,
    pub(crate) country: Option<CallingCode>,
    pub(crate) origin: Option<AccountId>,
    pub(crate) tags: &'a [String],
    pub(crate) file_name: &'a str,
    pub(crate) now: Timestamp,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        columns: &'a Columns,
        options: &'a ImportOptions,
        file_name: &'a str,
        now: Timestamp,
    ) -> Self {
        let mut order: Vec<usize> = (0..columns.all.len()).collect();
        order.sort_by_key(|at| columns.all[*at].rank);
        let country = options.calling_code();
        let origin = options.account.map(AccountId);
        Self { columns, order, country, origin, tags: &options.tags, file_name, now }
    }

    /// The contact that a row describes.
    ///
    /// # Errors
    /// Names the field that is wrong, with the reason.
    pub(crate) fn contact(&self, cells: &[String]) -> Result<NewContact, Invalid> {
        let width = self.columns.all.len();
        if cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            let message = format!("the row has {} values, and the table {width} columns", cells.len());
            return Err(Invalid::new("row", message));
        }
        let mut told = Told::default();
        for at in &self.order {
            let Some(cell) = cells.get(*at).map(|cell| tables::plain(cell.trim())) else { continue };
            let cell = cell.trim();
            if !cell.is_empty() {
                told.take(&self.columns.all[*at], cell)?;
            }
        }
        let beside = told.beside();
        let phone = first_of(&told.phones, LeftOut::NoNumber, |text| {
            read_beside(text, &beside, self.country).map(|Reading { number, left_out }| (number, left_out))
        })?;
        let email = first_of(&told.emails, LeftOut::NoEmail, |text| {
            EmailAddress::read(text).map(|EmailReading { address, left_out }| (address, left_out))
        })?;
        let left_out = [phone.as_ref().and_then(|found| found.1), email.as_ref().and_then(|found| found.1)];
        let mut new = NewContact {
            name: told.name.map(str::to_owned).or_else(|| full_name(told.first_name, told.last_name)),
            left_out: left_out.into_iter().flatten().next(),
            phone: phone.map(|(number, _)| number),
            email: email.map(|(address, _)| address),
            external_id: told.external_id.map(external_id).transpose()?,
            opt_in: told.opt_in.map(|text| self.opt_in(text)).transpose()?.flatten(),
            tags: clean_tags(
                told.tags.iter().map(String::as_str).chain(self.tags.iter().map(String::as_str)),
            ),
            metadata: told.metadata,
            origin: self.origin,
            ..NewContact::default()
        };
        if let Some(cell) = told.identities {
            identities::add(&mut new, cell)?;
        }
        new.check()
    }

    /// The proof of a yes; none of a no.
    fn opt_in(&self, text: &str) -> Result<Option<ConsentProof>, Invalid> {
        let at = match Answer::parse(text) {
            Some(Answer::Yes(at)) => at.unwrap_or(self.now),
            Some(Answer::No) => return Ok(None),
            None => {
                let message = "opt_in must be a yes, a no, or the date of the consent such as 2026-11-25";
                return Err(Invalid::new("opt_in", message));
            }
        };
        let detail = Some(self.file_name.chars().take(255).collect());
        Ok(Some(ConsentProof {
            at_ms: at.min(self.now).as_millisecond(),
            source: "import".to_owned(),
            detail,
        }))
    }
}

/// The first of some texts that can be read, and what was left out to come to it.
///
/// # Errors
/// Why the first cannot be read, when none can.
fn first_of<T>(
    texts: &[&str],
    unread: LeftOut,
    read: impl Fn(&str) -> Result<(T, Option<LeftOut>), Invalid>,
) -> Result<Option<(T, Option<LeftOut>)>, Invalid> {
    let mut refused = None;
    for text in texts {
        match read(text) {
            Ok((found, left_out)) => {
                return Ok(Some((found, refused.map(|_: Invalid| unread).or(left_out))));
            }
            Err(invalid) => refused = refused.or(Some(invalid)),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// The values of a row, the first of each field; of numbers and addresses all, as any may be
/// one that cannot be read.
#[derive(Default)]
struct Told<'a> {
    name: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    phones: Vec<&'a str>,
    emails: Vec<&'a str>,
    external_id: Option<&'a str>,
    identities: Option<&'a str>,
    opt_in: Option<&'a str>,
    country: Option<&'a str>,
    parts: Vec<(Beside, &'a str)>,
    tags: Vec<String>,
    metadata: Map<String, Value>,
}

impl<'a> Told<'a> {
    fn take(&mut self, column: &Column, cell: &'a str) -> Result<(), Invalid> {
        let field = &column.field;
        if field.is_empty_of(cell) {
            return Ok(());
        }
        let place = match field {
            // The number of an order, which Shopify calls its name.
            Field::Name if cell.starts_with('#') && !cell.chars().any(char::is_alphabetic) => return Ok(()),
            Field::Name => &mut self.name,
            Field::FirstName => &mut self.first_name,
            Field::LastName => &mut self.last_name,
            Field::Phone => {
                self.phones.push(cell);
                return Ok(());
            }
            Field::Email => {
                self.emails.push(cell);
                return Ok(());
            }
            Field::ExternalId => &mut self.external_id,
            Field::Identities => &mut self.identities,
            Field::OptIn => &mut self.opt_in,
            Field::Country => {
                let key = if self.country.is_some() { key_of(&column.name) } else { "country".to_owned() };
                self.metadata.entry(key).or_insert_with(|| Value::from(cell));
                &mut self.country
            }
            Field::PhonePart(part) => {
                self.parts.push((part.beside(), cell));
                return Ok(());
            }
            Field::Tags => {
                self.tags.extend(tags(cell));
                return Ok(());
            }
            Field::Metadata(key) => {
                self.metadata.entry(key.clone()).or_insert_with(|| Value::from(cell));
                return Ok(());
            }
            Field::AllMetadata => {
                let object = serde_json::from_str::<Map<String, Value>>(cell);
                let wrong = |_| Invalid::new("metadata", "metadata must be an object of JSON");
                self.metadata.extend(object.map_err(wrong)?);
                return Ok(());
            }
            Field::Unreadable => return Err(Invalid::new("row", cell)),
            Field::Ignore => return Ok(()),
        };
        place.get_or_insert(cell);
        Ok(())
    }
}

impl<'a> Told<'a> {
    /// What was said beside the number, its own code before the country where they live.
    fn beside(&self) -> Vec<(Beside, &'a str)> {
        let own = self.parts.iter().any(|(beside, _)| *beside == Beside::Country);
        let country = self.country.filter(|_| !own).map(|country| (Beside::Country, country));
        self.parts.iter().copied().chain(country).collect()
    }
}

/// Tags of one cell: an array of JSON, or with commas, semicolons or bars, each in quotes or
/// not; Google's contacts have ` ::: ` between them, and a star before groups of its own.
fn tags(cell: &str) -> Vec<String> {
    if let Ok(tags) = serde_json::from_str::<Vec<String>>(cell) {
        return tags;
    }
    // A quote alone is an inch.
    let has_quotes = cell.matches('"').count().is_multiple_of(2);
    let mut is_quoted = false;
    let parts = cell.split(|c: char| {
        is_quoted ^= has_quotes && c == '"';
        !is_quoted && matches!(c, ',' | ';' | '|')
    });
    let tags = parts.flat_map(|part| part.split(" ::: ")).map(str::trim).filter(|tag| !tag.starts_with("* "));
    let unquoted = |tag: &str| match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => tag.to_owned(),
    };
    tags.map(unquoted).collect()
}

/// An id in another system; one that names no system is one of files.
fn external_id(text: &str) -> Result<String, Invalid> {
    check_external_id(text).or_else(|_| check_external_id(&format!("file:{text}")))
}

fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [first, last].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Whether a row has nothing in it.
pub(crate) fn is_blank(row: &TableRow) -> bool {
    row.broken.is_none() && row.cells.iter().all(|cell| cell.trim().is_empty())
}

/// The contact of a row.
pub(crate) fn contact(rows: &Rows<'_>, row: &TableRow) -> std::result::Result<NewContact, Invalid> {
    match row.broken {
        Some(why) => Err(Invalid::new("row", why)),
        None => rows.contact(&row.cells),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ImportOptions;

    fn read(text: &str) -> Vec<Result<NewContact, Invalid>> {
        read_in(text, ',', Some("39"))
    }

    fn read_in(text: &str, delimiter: char, country: Option<&str>) -> Vec<Result<NewContact, Invalid>> {
        let table: Vec<Vec<String>> =
            text.lines().map(|line| line.split(delimiter).map(str::to_owned).collect()).collect();
        let columns = Columns::of(&table, &BTreeMap::new(), None).unwrap();
        let options = ImportOptions {
            tags: vec!["lista".to_owned()],
            country: country.map(str::to_owned),
            ..ImportOptions::default()
        };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let rows = Rows::new(&columns, &options, "clienti.csv", now);
        table[1..].iter().map(|cells| rows.contact(cells)).collect()
    }

    #[test]
    fn a_row_becomes_a_contact() {
        let text = "Nome,Cognome,Ufficio telefono,Cellulare,Tags,Consenso,Città,metadata\n\
            Ada,Neri,0612345678,333 123 4567,vip;news,2024-05-01,Roma,{\"a\": 1}\n\
            '=Bob,,+390612345678,,,no,,\n\
            Carla,,3.93E+11,,,,,\n";
        let rows = read(&text.replace("{\"a\": 1}", "{\"a\":1}"));
        let ada = rows[0].as_ref().unwrap();
        assert_eq!(ada.name.as_deref(), Some("Ada Neri"));
        assert_eq!(ada.phone.as_ref().unwrap().as_str(), "+393331234567");
        assert_eq!(ada.tags, ["vip", "news", "lista"]);
        assert_eq!((&ada.metadata["città"], &ada.metadata["a"]), (&Value::from("Roma"), &Value::from(1)));
        let proof = ada.opt_in.as_ref().unwrap();
        assert_eq!((proof.at_ms, proof.source.as_str()), (1_714_521_600_000, "import"));
        let bob = rows[1].as_ref().unwrap();
        assert_eq!((bob.name.as_deref(), bob.opt_in.is_some()), (Some("=Bob"), false));
        assert_eq!(rows[2].as_ref().unwrap_err().field, "phone");
    }

    #[test]
    fn a_number_is_of_the_country_beside_it() {
        let text = "Name,Phone,Country\nA,0151 23456789,Germany\nB,07700 900123,UK\nC,333 123 4567,\n\
            D,+1 212 555 0123,Italia\nE,0151 23456789,Wonderland\nF,+4915123456789,Wonderland\nG,2125550123,Stati Uniti\n";
        let rows = read(text);
        for (at, want) in [
            (0, "+4915123456789"),
            (1, "+447700900123"),
            (2, "+393331234567"),
            (3, "+12125550123"),
            (5, "+4915123456789"),
            (6, "+12125550123"),
        ] {
            assert_eq!(rows[at].as_ref().unwrap().phone.as_ref().unwrap().as_str(), want, "{at}");
        }
        assert_eq!(rows[4].as_ref().unwrap_err().field, "country");
        assert_eq!(rows[0].as_ref().unwrap().metadata["country"], "Germany");
        let rows = read(
            "Name,Prefisso,Cellulare,Paese\nA,+49,151 23456789,Italia\nB,0049,15123456789,\nC,347,5550123,\n",
        );
        for (at, want) in [(0, "+4915123456789"), (1, "+4915123456789"), (2, "+393475550123")] {
            assert_eq!(rows[at].as_ref().unwrap().phone.as_ref().unwrap().as_str(), want, "{at}");
        }
    }

    #[test]
    fn the_country_of_the_bill_comes_before_that_of_the_parcel() {
        let text = "Name,shipping_country,billing_country,Phone\nA,DE,IT,333 123 4567\nB,DE,,0151 23456789\n\
            C,,n/a,+12125550123\n";
        let rows = read_in(text, ',', None);
        for (at, want) in [(0, "+393331234567"), (1, "+4915123456789"), (2, "+12125550123")] {
            assert_eq!(rows[at].as_ref().unwrap().phone.as_ref().unwrap().as_str(), want, "{at}");
        }
        let metadata = &rows[0].as_ref().unwrap().metadata;
        assert_eq!((&metadata["country"], &metadata["shipping_country"]), (&"IT".into(), &"DE".into()));
    }

    #[test]
    fn a_number_of_nobody_knows_where_is_refused() {
        let text = "Name,Phone\nA,347 555 0120\nB,55512345\nC,0347 5550120\nD,39 347 555 0120\nE,+34 612 345 678\nF,12\n";
        let rows = read_in(text, ',', None);
        for (at, row) in rows.iter().enumerate().take(3) {
            let error = row.as_ref().unwrap_err();
            assert!(error.field == "phone" && error.message.contains("country"), "{at}: {error:?}");
        }
        assert!(rows[5].as_ref().unwrap_err().message.contains("8 to 15 digits"));
        for (at, want) in [(3, "+393475550120"), (4, "+34612345678")] {
            assert_eq!(rows[at].as_ref().unwrap().phone.as_ref().unwrap().as_str(), want, "{at}");
        }
    }

    #[test]
    fn only_a_yes_or_a_time_is_a_consent() {
        let agreed = |word: &str| {
            let row = read(&format!("name,phone,opt_in\nAda,+393331234567,{word}\n")).remove(0);
            row.map(|new| new.opt_in.map(|proof| proof.at_ms)).map_err(|invalid| invalid.field)
        };
        let now = 1_800_000_000_000;
        for word in ["yes", "Sì", "TRUE", "VERO", "WAHR", "1", "x", "✓", "subscribed", "Opted in", "oui"] {
            assert_eq!(agreed(word), Ok(Some(now)), "{word}");
        }
        for word in ["", "no", "FALSE", "0", "unsubscribed", "Opted out", "pending", "never", "n/a", "null"] {
            assert_eq!(agreed(word), Ok(None), "{word}");
        }
        for word in ["2024-05-01", "01.05.2024", "2024-05-01T00:00:00Z", "2024-05-01 00:00:00"] {
            assert_eq!(agreed(word), Ok(Some(1_714_521_600_000)), "{word}");
        }
        assert_eq!(agreed("31/12/2023"), Ok(Some(1_703_980_800_000)));
        assert_eq!(agreed("12/31/2023"), Ok(Some(1_703_980_800_000)));
        for word in ["04/05/2024", "perhaps", "newsletter"] {
            assert_eq!(agreed(word), Err("opt_in".to_owned()), "{word}");
        }
    }

    #[test]
    fn the_first_number_and_address_that_can_be_read_are_taken() {
        let text = "Nome;Cellulare;Telefono;Email;E-mail 2\n\
            A;n/a;+390612345678;;\nB;NULL;;b@x.it;\nC;0;--;-;c@x.it\nD;12;+390612345679;;\n\
            E;;+390612345670;ada@;e@x.it\nF;+393331234567, +393331234568;;f@x.it, g@x.it;\nG;;;Ada Neri <h@x.it>;\n\
            H;12;;h@x.it;\nI;+393331234569;;ada@;\nL;null;null;null;\n";
        let rows = read_in(text, ';', Some("39"));
        for (at, phone, email, left_out) in [
            (0, Some("+390612345678"), None, None),
            (1, None, Some("b@x.it"), None),
            (2, None, Some("c@x.it"), None),
            (3, Some("+390612345679"), None, Some(LeftOut::NoNumber)),
            (4, Some("+390612345670"), Some("e@x.it"), Some(LeftOut::NoEmail)),
            (5, Some("+393331234567"), Some("f@x.it"), Some(LeftOut::OtherNumber)),
            (6, None, Some("h@x.it"), None),
        ] {
            let row = rows[at].as_ref().unwrap();
            assert_eq!(row.phone.as_ref().map(|phone| phone.as_str()), phone, "{at}");
            assert_eq!(row.email.as_ref().map(|email| email.as_str()), email, "{at}");
            assert_eq!(row.left_out, left_out, "{at}");
        }
        for (at, field) in [(7, "phone"), (8, "email"), (9, "phone")] {
            assert_eq!(rows[at].as_ref().unwrap_err().field, field, "{at}");
        }
    }

    #[test]
    fn an_order_is_no_person() {
        let rows = read(
            "Name,Email,Phone,Billing Name,Shipping Name,Accepts Marketing\n#1001,a@x.it,,Ada Neri,Zia Pina,yes\n\
            #1002,b@x.it,,,Bob,no\n#1003,c@x.it,,,,\n",
        );
        let names: Vec<Option<&str>> = rows.iter().map(|row| row.as_ref().unwrap().name.as_deref()).collect();
        assert_eq!(names, [Some("Ada Neri"), Some("Bob"), None]);
        let ada = rows[0].as_ref().unwrap();
        assert_eq!((&ada.opt_in, &ada.metadata["accepts_marketing"]), (&None, &"yes".into()));
    }

    #[test]
    fn tags_of_a_cell() {
        for (cell, want) in [
            ("vip, news; old|x", vec!["vip", " news", " old", "x"]),
            (r#""vip","news letter""#, vec!["vip", "news letter"]),
            (r#""a, b","5"" disk""#, vec!["a, b", "5\" disk"]),
            (r#"["a,b","c"]"#, vec!["a,b", "c"]),
            ("* myContacts ::: vip ::: news", vec!["vip", "news"]),
            (r#"19" rack, b"#, vec![r#"19" rack"#, "b"]),
        ] {
            let want: Vec<&str> = want.into_iter().map(str::trim).collect();
            assert_eq!(tags(cell), want, "{cell}");
        }
    }

    #[test]
    fn values_that_no_column_has_are_refused() {
        let rows = read("name,phone\nAda,+393331234567,x\nBob,+393331234568,,\nCarla\n");
        assert_eq!(rows[0].as_ref().unwrap_err().field, "row");
        assert!(rows[1].is_ok());
        assert_eq!(rows[2].as_ref().unwrap_err().field, "phone");
    }
}
