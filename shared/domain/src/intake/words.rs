//! The words in the name of a key or the title of a question, however they are put
//! together: `q4_phoneNumber`, `No Label e-mail`, «Numero di cellulare *».

use super::vocabulary::{Word, look_up};

/// Characters of a name that are looked at.
const MAX_LABEL: usize = 200;
/// The longest word that may be several in one, as German ones are.
const MAX_COMPOUND: usize = 40;
/// The shortest part of such a word: `intel` is not `in` and `tel`.
const MIN_PART: usize = 3;

/// The words of a name that mean something.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    known: Vec<Word>,
    /// How many there are beside the known ones.
    unknown: usize,
    /// The numbers in it, as in `input_3_6`.
    digits: Vec<String>,
}

impl Words {
    /// Splits a name at punctuation, digits and capitals.
    pub(super) fn of(name: &str) -> Self {
        let mut words = Self::default();
        let mut tokens: Vec<Token> = Vec::new();
        for token in split(name) {
            match tokens.last_mut() {
                Some(last) if !last.is_number => match one_word(&last.text, &token.text) {
                    Some(whole) => *last = Token { text: whole.to_owned(), ..token },
                    None => tokens.push(token),
                },
                _ => tokens.push(token),
            }
        }
        for token in tokens {
            words.take(token);
        }
        words
    }

    fn take(&mut self, token: Token) {
        if token.is_number {
            return self.digits.push(token.text);
        }
        if let Some(word) = look_up(&token.text) {
            return self.known.push(word);
        }
        // `q4`, `abc123`, `et_pb`: names that a program made up.
        if token.touches_number || token.text.len() <= 2 {
            return;
        }
        match compound(&token.text) {
            Some(parts) => self.known.extend(parts),
            None => self.unknown += usize::from(!token.is_aside),
        }
    }

    pub(super) fn has(&self, word: Word) -> bool {
        self.known.contains(&word)
    }

    pub(super) fn has_any(&self, words: &[Word]) -> bool {
        words.iter().any(|word| self.has(*word))
    }

    /// Whether there are no other words than these, and those that say nothing.
    pub(super) fn are_only(&self, words: &[Word]) -> bool {
        let says_nothing = |word: &Word| matches!(word, Word::Filler | Word::To | Word::Your);
        self.unknown == 0 && self.known.iter().all(|word| says_nothing(word) || words.contains(word))
    }

    /// Whether these are all the words, in this order.
    pub(super) fn are(&self, words: &[Word]) -> bool {
        self.unknown == 0 && self.known == words
    }

    /// The first of them.
    pub(super) fn first(&self) -> Option<Word> {
        self.known.first().copied()
    }

    /// The last one that is any of these: the `owner` of `contact owner`.
    pub(super) fn last_of(&self, words: &[Word]) -> Option<Word> {
        self.known.iter().rev().find(|word| words.contains(word)).copied()
    }

    /// The numbers of a name that is nothing but an id: `3.6` of `input_3.6`.
    pub(super) fn id(&self) -> Option<String> {
        let is_id = self.unknown == 0
            && self.known.iter().all(|word| matches!(word, Word::Filler | Word::To | Word::Id));
        (is_id && !self.digits.is_empty()).then(|| self.digits.join("."))
    }
}

struct Token {
    text: String,
    is_number: bool,
    /// It stands in parentheses, where a title explains itself.
    is_aside: bool,
    /// A number follows or precedes without anything between.
    touches_number: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Other,
}

fn kind_of(c: char) -> Kind {
    match c {
        c if c.is_numeric() && !matches!(c, '\u{aa}' | '\u{ba}') => Kind::Digit,
        c if c.is_uppercase() => Kind::Upper,
        c if c.is_alphabetic() => Kind::Lower,
        _ => Kind::Other,
    }
}

fn split(name: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let chars: Vec<char> = name.chars().take(MAX_LABEL).filter(|c| !is_mark(*c)).collect();
    let mut before = Kind::Other;
    let (mut in_tag, mut depth) = (false, 0_usize);
    for (at, c) in chars.iter().enumerate() {
        match c {
            '<' => in_tag = chars[at..].contains(&'>'),
            '>' => in_tag = false,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let kind = if in_tag { Kind::Other } else { kind_of(*c) };
        let is_number = kind == Kind::Digit;
        // `phoneNumber`, and the `P` of `HSPhone`.
        let next_is_lower = || chars.get(at + 1).is_some_and(|next| kind_of(*next) == Kind::Lower);
        let starts = match (before, kind) {
            (_, Kind::Other) => false,
            (Kind::Other, _) | (Kind::Lower, Kind::Upper) => true,
            (Kind::Upper, Kind::Upper) => next_is_lower(),
            (before, kind) => (before == Kind::Digit) != (kind == Kind::Digit),
        };
        if starts {
            let follows_number = before == Kind::Digit;
            if let Some(last) = tokens.last_mut().filter(|_| is_number && before != Kind::Other) {
                last.touches_number = true;
            }
            let text = String::new();
            tokens.push(Token { text, is_number, is_aside: depth > 0, touches_number: follows_number });
        }
        if let Some(last) = tokens.last_mut().filter(|_| kind != Kind::Other) {
            fold(*c, &mut last.text);
        }
        before = kind;
    }
    tokens
}

/// Accents that stand for themselves, as in decomposed texts.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{ad}' | '\u{feff}')
}

/// A letter in lower case, without its accent.
fn fold(c: char, into: &mut String) {
    for c in c.to_lowercase().filter(|c| !is_mark(*c)) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' | 'ª' => into.push('a'),
            'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => into.push('e'),
            'ì'..='ï' | 'ī' | 'į' => into.push('i'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' | 'º' => into.push('o'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => into.push('u'),
            'ý' | 'ÿ' => into.push('y'),
            'ñ' | 'ń' => into.push('n'),
            'ç' | 'ć' | 'č' => into.push('c'),
            'ß' => into.push_str("ss"),
            c => into.push(c),
        }
    }
}

/// Two words that are one.
fn one_word(first: &str, second: &str) -> Option<&'static str> {
    Some(match (first, second) {
        ("e" | "é", "mail" | "mails") | ("posta", "elettronica") | ("correio", "eletronico") => "email",
        ("adresse" | "courrier", "electronique") => "email",
        ("whats", "app") | ("wa", "number" | "no" | "id") | ("number" | "no", "wa") => "whatsapp",
        ("f", "name") | ("first" | "fore" | "given", "name") => "firstname",
        ("l", "name") | ("last" | "family" | "sur", "name") => "lastname",
        ("ragione", "sociale") | ("razon" | "razao", "social") | ("raison", "sociale") => "company",
        ("drop", "box") => "dropbox",
        ("reports" | "report", "to") => "manager",
        ("opt", "in") => "optin",
        ("opt", "out") => "optout",
        ("user", "name") => "username",
        ("host", "name") => "hostname",
        ("file", "name") => "filename",
        ("nick", "name") => "nickname",
        ("i", "phone") => "iphone",
        ("area", "code") => "areacode",
        ("form", "field" | "fields") => "field",
        ("pet" | "dog" | "cat", "owner") => "client",
        _ => return None,
    })
}

/// The words that a word without spaces is made of, `handynummer`, when all of it is
/// known words.
fn compound(word: &str) -> Option<Vec<Word>> {
    if word.len() > MAX_COMPOUND || !word.is_ascii() {
        return None;
    }
    // The words of which the text before each place is made.
    let mut made: Vec<Option<Vec<Word>>> = vec![None; word.len() + 1];
    made[0] = Some(Vec::new());
    for from in 0..word.len() {
        let Some(before) = made[from].clone() else { continue };
        for to in from + MIN_PART..=word.len() {
            if made[to].is_none()
                && let Some(part) = look_up(&word[from..to])
            {
                made[to] = Some([before.as_slice(), &[part]].concat());
            }
        }
    }
    made.pop().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_however_they_are_written() {
        use Word::{Call, Contact, Email, Filler, Mobile, Number, Phone, WhatsApp, Your};
        for (name, want) in [
            ("q4_phoneNumber", vec![Phone, Number]),
            ("phone1", vec![Phone]),
            ("tel-731", vec![Phone]),
            ("PHONE_NUMBER", vec![Phone, Number]),
            ("HSPhoneNumber", vec![Phone, Number]),
            ("phonenumber", vec![Phone, Number]),
            ("text_reminder_number", vec![Call, Call, Number]),
            ("field:email_x3z4", vec![Filler, Email]),
            ("No Label email", vec![Filler, Filler, Email]),
            ("et_pb_contact_email_0", vec![Filler, Contact, Email]),
            ("E-Mail-Adresse *", vec![Email, Filler]),
            ("eMail", vec![Email]),
            ("WhatsApp", vec![WhatsApp]),
            ("Handynummer", vec![Mobile, Number]),
            ("Te\u{301}le\u{301}phone", vec![Phone]),
            ("NÚMERO DE TELÉFONO:", vec![Number, Filler, Phone]),
            ("il_tuo_numero_di_telefono?", vec![Filler, Your, Number, Filler, Phone]),
            ("contactemail", vec![Contact, Email]),
            ("Telefono <span class=\"required\">*</span> (per la consegna)", vec![Phone, Filler, Filler]),
        ] {
            let words = Words::of(name);
            assert_eq!((words.known, words.unknown), (want, 0), "{name}");
        }
    }

    #[test]
    fn what_is_no_word_of_ours_is_unknown() {
        for (name, want) in
            [("intel", 1), ("hotmail", 1), ("Lieblingsfarbe", 1), ("", 0), ("日本語", 1), ("12", 0)]
        {
            assert_eq!(Words::of(name).unknown, want, "{name}");
        }
    }

    #[test]
    fn ids_are_the_numbers_of_a_name_without_words() {
        for (name, want) in [
            ("input_3_6", Some("3.6")),
            ("3.6", Some("3.6")),
            ("field_12", Some("12")),
            ("q7", Some("7")),
            ("phone1", None),
            ("input", None),
        ] {
            assert_eq!(Words::of(name).id().as_deref(), want, "{name}");
        }
    }
}
