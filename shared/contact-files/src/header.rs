//! Where a table begins: reports have rows above it.

use std::collections::{BTreeMap, BTreeSet};

use domain::EmailAddress;

use crate::field::Field;
use crate::label;

/// So many of the first rows may be above a table.
const MOST: usize = 20;
/// So many rows of people may stand above a table.
const HOSTS: usize = 2;
/// Fewer names of nobody's address are a title.
const NAMES: usize = 2;

/// The row with the names of columns, counted from 0: the first that names something and is as
/// wide as most rows below. Where there is none, the table begins at once.
pub(crate) fn place(sample: &[Vec<String>], mapping: &BTreeMap<String, String>) -> usize {
    let told: BTreeSet<String> = mapping.keys().map(|name| name.trim().to_lowercase()).collect();
    let named: Vec<usize> =
        (0..sample.len().min(MOST)).filter(|at| names_columns(&sample[*at], &told)).collect();
    // Rows of a sheet end with their last value.
    let is_wide = |at: usize, is_same: bool| {
        let below = usual_width(&sample[at + 1..]);
        let width = sample[at].len();
        below.is_none_or(|below| width == below || (!is_same && width > below))
            && (below.is_none_or(|below| below < NAMES) || filled(&sample[at]).count() >= NAMES)
    };
    // A table of people has begun where people are, but for the hosts that reports name first.
    let is_begun = |at: usize| {
        let people = sample[..at].iter().filter(|row| holds_somebody(row)).count();
        people > HOSTS || (people > 0 && known(&sample[at]).len() < NAMES)
    };
    let named: Vec<usize> = named.into_iter().filter(|at| !is_begun(*at)).collect();
    let found = [true, false].into_iter().find_map(|same| named.iter().find(|at| is_wide(**at, same)));
    found.copied().filter(|at| at + 1 < sample.len()).unwrap_or(0)
}

fn filled(row: &[String]) -> impl Iterator<Item = &str> {
    row.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
}

/// The width that most rows have, the larger one of two.
fn usual_width(rows: &[Vec<String>]) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| filled(row).next().is_some()) {
        *counts.entry(row.len()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(width, count)| (*count, *width)).map(|(width, _)| width)
}

/// Whether the cells of a row are names of columns: of addresses, of several other fields, or
/// those that the caller tells. One that holds somebody has none.
fn names_columns(row: &[String], told: &BTreeSet<String>) -> bool {
    if holds_somebody(row) {
        return false;
    }
    let known = known(row);
    known.iter().any(Field::identifies)
        || known.len() >= NAMES
        || filled(row).any(|name| told.contains(&name.to_lowercase()))
}

fn holds_somebody(row: &[String]) -> bool {
    filled(row).any(|cell| {
        EmailAddress::read(cell).is_ok() || cell.chars().filter(char::is_ascii_digit).count() >= 8
    })
}

/// What the cells of a row name.
fn known(row: &[String]) -> Vec<Field> {
    filled(row).filter_map(|name| Some(label::field_of(tables::plain(name))?.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(text: &str) -> usize {
        let sample: Vec<Vec<String>> =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        place(&sample, &BTreeMap::from([("Cod. cliente".to_owned(), "external_id".to_owned())]))
    }

    #[test]
    fn a_table_begins_at_its_header() {
        for (text, want) in [
            ("Nome,Telefono\nAda,1\n", 0),
            ("Ada,+393331234567\nBob,+393331234568", 0),
            ("Elenco clienti 2026\n\nNome,Telefono\nAda,+393331234567", 2),
            ("Elenco telefonico,,\nNome,Telefono,Note\nAda,1,\nBob,2,x", 1),
            ("Rubrica telefonica\nNome,Telefono,Note\nAda,1\nBob,2", 1),
            (
                "Notes:\nWhen exporting your data\nFirst Name,Last Name,URL,Email Address,Company\nAda,Neri,u,a@x.it,c\n\
                 Bob,Gray,u,b@x.it,c",
                2,
            ),
            (
                "Meeting ID,Topic,Start,End,User Email,Minutes\n123,Demo,1,2,host@x.it,5\nName,User Email,Total,Guest\n\
                 Ada,a@x.it,1,No\nBob,b@x.it,2,No",
                2,
            ),
            ("Report\nCod. cliente,Altro\nC-1,x", 1),
            ("Nome,Telefono,Canale\nAda,12,Email\nBob,,Telefono", 0),
            // Rows that are wider than their header, and one that has words of headers in it.
            ("Nome,Telefono\nAda,+393331234567,Phone\nBob,,Email\nEva,+393331234568,", 0),
            (
                "Nome,Telefono\nAda,+393331234567,x,\nBob,+393331234568,x,\nEva,+393331234569,x,\nEmail,,Phone,\nUgo,1,x,",
                0,
            ),
            ("Phone\n1\n2", 0),
            ("a,b\n1,2", 0),
            ("Dear all\nthe phone is broken", 0),
        ] {
            assert_eq!(place_of(text), want, "{text}");
        }
        let far = format!("{}Nome,Telefono\nAda,1\nBob,2", "x\n".repeat(MOST));
        assert_eq!(place_of(&far), 0);
    }
}
