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
const MAX_WORDS: usize = 250;
/// Longest of them, in characters.
const MAX_WORD: usize = 60;

/// Words that always opt out, whatever an account's list says: the one that everybody knows,
/// and the titles of Meta's own opt-out button.
const ALWAYS: [&str; 12] = [
    "stop",
    "stop promotions",
    "unsubscribe",
    "interrompi promozioni",
    "detener promociones",
    "parar promoções",
    "interromper promoções",
    "arrêter les promotions",
    "arrêter les promos",
    "werbung stoppen",
    "promotions stoppen",
    "stop marketing",
];
/// English, Italian, Spanish, Portuguese, French, German, Arabic, Hindi, Dutch, Polish, Russian,
/// Turkish, Indonesian, Chinese, Japanese, Korean: words that as a whole message mean nothing else.
const OPT_OUT: &[&[&str]] = &[
    &[
        "stopall",
        "stop all",
        "cancel",
        "end",
        "quit",
        "revoke",
        "optout",
        "opt out",
        "opt me out",
        "un-subscribe",
        "unsubscribe me",
        "unsub",
        "remove me",
        "cancel subscription",
        "stop messages",
        "stop promos",
    ],
    &[
        "arresta",
        "cancella",
        "cancellami",
        "disiscrivimi",
        "disiscriviti",
        "disiscrizione",
        "annulla",
        "annulla iscrizione",
        "annulla l'iscrizione",
        "cancella iscrizione",
        "cancella l'iscrizione",
        "stop promozioni",
        "interrompi le promozioni",
        "basta",
    ],
    &[
        "parar",
        "alto",
        "detener",
        "baja",
        "dar de baja",
        "darme de baja",
        "darse de baja",
        "cancelar",
        "cancelar suscripción",
        "cancelar la suscripción",
        "anular suscripción",
        "salir",
        "desuscribir",
        "desuscribirme",
        "desuscribirse",
        "parar promociones",
    ],
    &[
        "pare",
        "sair",
        "descadastrar",
        "descadastre-me",
        "cancelar inscrição",
        "cancelar assinatura",
        "cancelar subscrição",
        "parar de receber",
        "desinscrever",
        "remover",
    ],
    &[
        "arrêt",
        "arrêter",
        "désabonner",
        "se désabonner",
        "me désabonner",
        "désabonnez-moi",
        "désabonnement",
        "désinscription",
        "désinscrire",
        "se désinscrire",
        "me désinscrire",
        "désinscrivez-moi",
        "annuler",
        "annuler l'abonnement",
        "arrêter promotions",
        "stop pub",
    ],
    &[
        "stopp",
        "stoppen",
        "abmelden",
        "abmeldung",
        "abbestellen",
        "abbestellung",
        "newsletter abbestellen",
        "werbung abbestellen",
        "austragen",
        "keine werbung",
        "keine werbung mehr",
        "angebote stoppen",
    ],
    &["توقف", "قف", "إيقاف", "إلغاء", "إلغاء الاشتراك", "إيقاف العروض"],
    &["बंद", "बंद करो", "बंद करें", "रोकें", "रुको", "स्टॉप"],
    &[
        "afmelden",
        "afmelding",
        "uitschrijven",
        "meld me af",
        "schrijf me uit",
        "stop promoties",
        "promoties stoppen",
    ],
    &[
        "zatrzymaj",
        "wypisz",
        "wypisz mnie",
        "wypisz się",
        "rezygnuję",
        "rezygnacja",
        "anuluj subskrypcję",
        "zatrzymaj promocje",
    ],
    &["стоп", "отписаться", "отписка", "отпишите меня", "отменить подписку", "остановить рассылку"],
    &[
        "durdur",
        "iptal",
        "ret",
        "abonelikten çık",
        "abonelikten ayrıl",
        "aboneliği iptal et",
        "listeden çık",
        "promosyonları durdur",
    ],
    &["berhenti", "berhenti berlangganan", "hentikan", "hentikan promosi", "stop promosi"],
    &["退订", "退訂", "取消订阅", "取消訂閱", "停止", "停止推广", "停止推廣", "拒收"],
    &["配信停止", "配信を停止", "配信解除", "登録解除", "購読解除", "購読を解除", "解除", "退会", "ストップ"],
    &["수신거부", "수신 거부", "구독취소", "구독 취소"],
];
const OPT_IN: &[&[&str]] = &[
    &["start", "yes", "unstop", "resume", "subscribe", "resume promotions"],
    &["inizia", "riprendi", "iscrivimi"],
    &["iniciar", "comenzar", "reanudar", "alta", "suscribir"],
    &["começar", "voltar", "retomar", "inscrever"],
    &["commencer", "reprendre", "s'abonner"],
    &["starten", "anmelden", "abonnieren"],
    &["ابدأ", "اشتراك", "استئناف"],
    &["शुरू", "शुरू करो", "शुरू करें", "स्टार्ट"],
];
const HELP: &[&[&str]] = &[
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

    /// Checks that none of the account's own words asks for something else before: of a word
    /// in two lists only the first is heeded, opt-out before opt-in before help.
    ///
    /// # Errors
    /// Names `opt_in_words` or `help_words`, whichever has a word that is never heeded.
    pub fn check_apart(&self) -> Result<(), Invalid> {
        let [opt_out, opt_in, _] = self.shown();
        for (field, own, before) in [
            ("opt_in_words", &self.opt_in, vec![("opt_out_words", &opt_out)]),
            ("help_words", &self.help, vec![("opt_out_words", &opt_out), ("opt_in_words", &opt_in)]),
        ] {
            for word in own.iter().flatten() {
                let said = normal(word);
                let other = before.iter().find(|(_, list)| list.iter().any(|word| normal(word) == said));
                if let Some((other, _)) = other {
                    let message = format!("{field} and {other} have one word: {word}");
                    return Err(Invalid::new(field, message));
                }
            }
        }
        Ok(())
    }

    /// The words of each kind that are heeded: opt-out, opt-in, help.
    pub fn effective(&self) -> [Vec<&str>; 3] {
        [(&self.opt_out, OPT_OUT), (&self.opt_in, OPT_IN), (&self.help, HELP)].map(|(own, ours)| match own {
            Some(own) => own.iter().map(String::as_str).collect(),
            None => ours.iter().copied().flatten().copied().collect(),
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
    fn titles_of_taps_and_phrases() {
        for text in [
            "un-subscribe",
            "Un Subscribe!",
            "UNSUB",
            "Interromper promoções",
            "INTERROMPER PROMOCOES",
            "Promotions stoppen",
            "Arrêter les promos",
            "arreter les promos",
            "Dar de baja",
            "Darse de baja",
            "cancelar suscripcion",
            "Désabonnement",
            "Se désinscrire",
            "Désabonnez-moi",
            "Disiscriviti",
            "Annulla iscrizione",
            "Annulla l’iscrizione",
            "Descadastre-me",
            "Abmeldung",
            "Uitschrijven",
            "Promoties stoppen",
            "Wypisz się",
            "WYPISZ SIE",
            "Rezygnuję",
            "СТОП",
            "Отписаться",
            "Abonelikten çık",
            "İPTAL",
            "iptal",
            "DURDUR",
            "Berhenti",
            "Berhenti berlangganan.",
            "退订",
            "取消訂閱",
            "停止。",
            "配信停止",
            "ｽﾄｯﾌﾟ",
            "登録解除",
            "수신거부",
        ] {
            assert_eq!(keyword(text), Some(Keyword::OptOut), "{text}");
        }
        // What is said about other things, too.
        for text in
            ["dur", "nie", "нет", "tidak", "不要", "いいえ", "interromper", "promoções", "uit", "koniec"]
        {
            assert_eq!(keyword(text), None, "{text}");
        }
    }

    #[test]
    fn no_word_asks_for_two_things() {
        let ours = Keywords::default();
        let [opt_out, opt_in, help] =
            ours.shown().map(|list| list.into_iter().map(normal).collect::<Vec<_>>());
        let all: Vec<&String> = opt_out.iter().chain(&opt_in).chain(&help).collect();
        for (at, word) in all.iter().enumerate() {
            assert!(!all[..at].contains(word), "{word} is there twice");
        }
        assert_eq!(ours.check_apart(), Ok(()));
        // A list as it is shown can be given back.
        let [shown, _, _] = ours.shown().map(|list| list.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert!(Keywords::check("opt_out_words", &shown).is_ok());
        let own = |opt_out: &[&str], opt_in: &[&str], help: &[&str]| {
            let list = |words: &[&str]| {
                let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
                Some(words).filter(|words| !words.is_empty())
            };
            Keywords { opt_out: list(opt_out), opt_in: list(opt_in), help: list(help) }
        };
        for (keywords, field) in [
            (own(&["ok"], &["ok"], &[]), "opt_in_words"),
            (own(&["Basta così"], &["*BASTA COSI*"], &[]), "opt_in_words"),
            (own(&[], &["cancel"], &[]), "opt_in_words"),
            (own(&["no"], &["Stop!"], &[]), "opt_in_words"),
            (own(&["ok"], &[], &["OK"]), "help_words"),
            (own(&[], &["ok"], &["ok"]), "help_words"),
        ] {
            assert_eq!(keywords.check_apart().unwrap_err().field, field, "{keywords:?}");
        }
        for keywords in [
            own(&["no"], &["ok"], &["info"]),
            // One of our own words that the account means otherwise.
            own(&["yes"], &[], &[]),
            own(&["no"], &["cancel"], &[]),
        ] {
            assert_eq!(keywords.check_apart(), Ok(()), "{keywords:?}");
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
            [vec![String::new()], vec!["!".to_owned()], vec!["x".repeat(61)], vec!["x".to_owned(); 251]]
        {
            assert_eq!(Keywords::check("opt_out_words", &bad).unwrap_err().field, "opt_out_words");
        }
    }
}
