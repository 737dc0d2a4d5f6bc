//! What people and systems write in a field for nothing.

/// Folded, without anything but letters and digits.
const NOTHING: [&str; 26] = [
    "null",
    "nil",
    "none",
    "nan",
    "na",
    "nd",
    "nv",
    "undefined",
    "unknown",
    "empty",
    "missing",
    "nessuno",
    "nessuna",
    "nessun",
    "niente",
    "sconosciuto",
    "ninguno",
    "ninguna",
    "nenhum",
    "nenhuma",
    "aucun",
    "aucune",
    "kein",
    "keine",
    "keiner",
    "unbekannt",
];
const ANSWERS: [&str; 16] = [
    "yes", "no", "y", "n", "true", "false", "on", "off", "sì", "si", "sí", "oui", "non", "ja", "nein", "sim",
];
/// Longer texts are something.
const LONGEST: usize = 16;

/// Whether a text that stands where an address, an id or a country should stands for none: a
/// word for nothing, marks alone, zeros.
pub fn is_absent(text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let plain: String = crate::text::fold(text).chars().filter(|c| c.is_alphanumeric()).collect();
    // MySQL writes `\N`.
    plain.bytes().all(|byte| byte == b'0') || NOTHING.contains(&plain.as_str()) || text == "\\N"
}

/// «WhatsApp? Sì» is no number.
pub fn is_yes_or_no(text: &str) -> bool {
    text.len() <= 6 && ANSWERS.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_marks_and_zeros_stand_for_nothing() {
        for text in [
            "",
            "-",
            "--",
            "---",
            ".",
            "?",
            "n/a",
            "N/A",
            "#N/A",
            "n.d.",
            "ND",
            "NULL",
            "null",
            "(null)",
            "\\N",
            "None",
            "0",
            "000000000",
            "0.0",
            "nessuna",
            "Unknown",
            "\u{2014}",
        ] {
            assert!(is_absent(text), "{text}");
        }
        for text in ["12", "+39", "a@x.it", "Italy", "NA-17", "no phone here", "10"] {
            assert!(!is_absent(text), "{text}");
        }
        assert!(is_yes_or_no("Sì") && is_yes_or_no("no") && !is_yes_or_no("12"));
    }
}
