//! Countries by the names that people and shops write.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The two letters of a country (ISO 3166-1) and its names, a line each.
const COUNTRIES: &str = include_str!("countries.tsv");

static BY_NAME: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let lines = COUNTRIES.lines().filter(|line| !line.starts_with('#'));
    let named = lines.filter_map(|line| line.split_once('\t'));
    named.flat_map(|(alpha2, names)| names.split("; ").map(move |name| (plain(name), alpha2))).collect()
});

/// The two letters of a country that is named in words, or by three letters.
pub(super) fn alpha2_of(name: &str) -> Option<&'static str> {
    const LONGEST: usize = 64;
    (name.len() <= LONGEST).then(|| BY_NAME.get(&plain(name)).copied())?
}

/// `Côte d’Ivoire` as `cotedivoire`, `U.S.A.` as `usa`.
fn plain(name: &str) -> String {
    crate::text::fold(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_their_names() {
        for (name, want) in [
            ("Italy", "IT"),
            (" ITALIA ", "IT"),
            ("Italien", "IT"),
            ("ITA", "IT"),
            ("Deutschland", "DE"),
            ("Alemania", "DE"),
            ("Germania", "DE"),
            ("U.S.A.", "US"),
            ("United States of America", "US"),
            ("Stati Uniti", "US"),
            ("UK", "GB"),
            ("Great Britain", "GB"),
            ("Cote d'Ivoire", "CI"),
            ("Côte d’Ivoire", "CI"),
            ("São Tomé e Príncipe", "ST"),
            ("México", "MX"),
            ("Brasil", "BR"),
            ("Österreich", "AT"),
            ("Osterreich", "AT"),
            ("Svizzera", "CH"),
            ("Ελλάδα", "GR"),
            ("Schweiz", "CH"),
        ] {
            assert_eq!(alpha2_of(name), Some(want), "{name}");
        }
        for name in ["", "-", "Europe", "Lombardia", "Wonderland", "I", "XX", "39"] {
            assert_eq!(alpha2_of(name), None, "{name}");
        }
    }

    #[test]
    fn no_name_is_that_of_two() {
        let lines = COUNTRIES.lines().filter(|line| !line.starts_with('#'));
        let names: usize = lines.map(|line| line.split("; ").count()).sum();
        assert_eq!(BY_NAME.len(), names);
    }
}
