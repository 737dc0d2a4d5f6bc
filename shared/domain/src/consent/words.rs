//! What whole messages and taps ask for, in the languages of those who send them.

use serde::{Deserialize, Serialize};

use crate::Invalid;
use crate::text::{fold, words};

/// What a whole inbound message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// No more messages.
    OptOut,
    /// Messages again.
    OptIn,
    /// The account's help text.
    Help,
}

/// Most words of one kind that an account may have.
const MAX_WORDS: usize = 100;
/// Longest of them, in characters.
const MAX_WORD: usize = 60;

/// Words that always opt out, whatever an account's list says: the one that everybody knows,
/// and the titles of Meta's own opt-out button.
const ALWAYS: [&str; 9] = [
    "stop",
    "stop promotions",
    "unsubscribe",
    "interrompi promozioni",
    "detener promociones",
    "parar promoções",
    "arrêter les promotions",
    "werbung stoppen",
    "stop marketing",
];
/// English, Italian, Spanish, Portuguese, French, German, Arabic, Hindi.
const OPT_OUT: [&[&str]; 8] = [
    &["stopall", "stop all", "cancel", "end", "quit", "revoke", "optout", "opt out"],
    &["arresta", "cancella", "cancellami", "disiscrivimi", "annulla", "basta"],
    &["parar", "alto", "detener", "baja", "darme de baja", "cancelar", "salir", "desuscribir"],
    &["pare", "sair", "descadastrar", "cancelar inscrição", "remover"],
    &["arrêt", "arrêter", "désabonner", "se désabonner", "désinscription", "désinscrire", "annuler"],
    &["stopp", "abmelden", "abbestellen", "austragen", "angebote stoppen"],
    &["توقف", "قف", "إيقاف", "إلغاء", "إلغاء الاشتراك", "إيقاف العروض"],
    &["बंद", "बंद करो", "बंद करें", "रोकें", "रुको", "स्टॉप"],
];
const OPT_IN: [&[&str]; 8] = [
    &["start", "yes", "unstop", "resume", "subscribe", "resume promotions"],
    &["inizia", "riprendi", "iscrivimi"],
    &["iniciar", "comenzar", "reanudar", "alta", "suscribir"],
    &["começar", "voltar", "retomar", "inscrever"],
    &["commencer", "reprendre", "s'abonner"],
    &["starten", "anmelden", "abonnieren"],
    &["ابدأ", "اشتراك", "استئناف"],
    &["शुरू", "शुरू करो", "शुरू करें", "स्टार्ट"],
];
const HELP: [&[&str]; 8] = [
    &["help", "info"],
    &["aiuto"],
    &["ayuda"],
    &["ajuda"],
    &["aide"],
    &["hilfe"],
    &["مساعدة"],
    &["मदद", "सहायता"],
];

/// The words that an account heeds. A list of its own takes the place of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Keywords {
    /// Words that opt out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<Vec<String>>,
    /// Words that opt in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_in: Option<Vec<String>>,
    /// Words that are answered with the help text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Vec<String>>,
}

impl Keywords {
    /// Checks a list of words.
    ///
    /// # Errors
    /// Names `field` for more than 100 words, or one that has more than 60 characters or none.
    pub fn check(field: &str, list: &[String]) -> Result<Vec<String>, Invalid> {
        let clean: Vec<String> = list.iter().map(|word| word.trim().to_owned()).collect();
        let fits = |word: &String| word.chars().count() <= MAX_WORD && !normal(word).is_empty();
        if clean.len() > MAX_WORDS || !clean.iter().all(fits) {
            let message =
                format!("{field} must be at most {MAX_WORDS} words of at most {MAX_WORD} characters");
            return Err(Invalid::new(field, message));
        }
        Ok(clean)
    }

    /// The words of each kind that are heeded: opt-out, opt-in, help.
    pub fn effective(&self) -> [Vec<&str>; 3] {
        [(&self.opt_out, OPT_OUT), (&self.opt_in, OPT_IN), (&self.help, HELP)].map(|(own, ours)| match own {
            Some(own) => own.iter().map(String::as_str).collect(),
            None => ours.into_iter().flatten().copied().collect(),
        })
    }

    /// As [`Keywords::effective`], with the words that always opt out.
    pub fn shown(&self) -> [Vec<&str>; 3] {
        let [opt_out, opt_in, help] = self.effective();
        [ALWAYS.into_iter().chain(opt_out).collect(), opt_in, help]
    }

    /// Reads a keyword from a message or the title of a tapped button that consists of nothing
    /// else, however it is decorated.
    pub fn read(&self, text: &str) -> Option<Keyword> {
        let said = normal(text);
        if said.is_empty() {
            return None;
        }
        let means = |words: &[&str]| words.iter().any(|word| normal(word) == said);
        let [opt_out, opt_in, help] = self.effective();
        if means(&ALWAYS) || means(&opt_out) {
            Some(Keyword::OptOut)
        } else if means(&opt_in) {
            Some(Keyword::OptIn)
        } else if means(&help) {
            Some(Keyword::Help)
        } else {
            None
        }
    }
}

/// Words without what decorates them; letters that stand apart are one word.
fn normal(text: &str) -> String {
    // No keyword is longer, whatever is sent.
    let text: String = text.chars().take(4 * MAX_WORD).collect();
    let folded = fold(&text);
    let words: Vec<&str> = words(&folded).collect();
    let is_spelled = words.len() > 2 && words.iter().all(|word| word.chars().count() == 1);
    words.join(if is_spelled { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyword(text: &str) -> Option<Keyword> {
        Keywords::default().read(text)
    }

    #[test]
    fn whole_messages_only() {
        for text in ["STOP", " stop. ", "Stop!", "opt-out", "OPT OUT", "Cancellami", "ANNULLA", "«stop»"] {
            assert_eq!(keyword(text), Some(Keyword::OptOut), "{text}");
        }
        for text in ["start", "Yes!", "UNSTOP", "inizia"] {
            assert_eq!(keyword(text), Some(Keyword::OptIn), "{text}");
        }
        assert_eq!(keyword("Aiuto?"), Some(Keyword::Help));
        for text in
            ["please stop", "stop it", "", "yes please", "non stop", "🛑", "stop 5", "no stop promotions"]
        {
            assert_eq!(keyword(text), None, "{text}");
        }
    }

    #[test]
    fn decoration_hides_no_word() {
        for text in [
            "*STOP*",
            "_stop_",
            "~Stop~",
            "ＳＴＯＰ",
            "🛑 STOP 🛑",
            "𝗦𝗧𝗢𝗣",
            "s\u{200b}top",
            "S.T.O.P.",
            "S T O P",
            "\"stop\"",
            "stop\u{fe0f}",
        ] {
            assert_eq!(keyword(text), Some(Keyword::OptOut), "{text}");
        }
    }

    #[test]
    fn languages() {
        for text in [
            "Stop promotions",
            "Interrompi promozioni",
            "Detener promociones",
            "PARAR PROMOÇÕES",
            "parar promocoes",
            "Baja",
            "sair",
            "Arrêter",
            "DESABONNER",
            "Abmelden",
            "Stopp",
            "إلغاء الاشتراك",
            "الغاء",
            "बंद करें",
        ] {
            assert_eq!(keyword(text), Some(Keyword::OptOut), "{text}");
        }
        for text in ["Reanudar", "voltar", "Reprendre", "starten", "ابدأ", "शुरू करें"] {
            assert_eq!(keyword(text), Some(Keyword::OptIn), "{text}");
        }
        for text in ["Ayuda", "ajuda", "AIDE", "Hilfe", "मदद"] {
            assert_eq!(keyword(text), Some(Keyword::Help), "{text}");
        }
    }

    #[test]
    fn an_account_has_its_own_words_and_stop() {
        let own = Keywords { opt_out: Some(vec!["niente spam".to_owned()]), ..Keywords::default() };
        assert_eq!(own.read("Niente SPAM!"), Some(Keyword::OptOut));
        assert_eq!(own.read("cancel"), None);
        for always in ["STOP", "Stop promotions"] {
            assert_eq!(own.read(always), Some(Keyword::OptOut), "{always}");
        }
        assert_eq!(own.read("start"), Some(Keyword::OptIn));
        for bad in
            [vec![String::new()], vec!["!".to_owned()], vec!["x".repeat(61)], vec!["x".to_owned(); 101]]
        {
            assert_eq!(Keywords::check("opt_out_words", &bad).unwrap_err().field, "opt_out_words");
        }
    }
}
