//! What the name of a column says of its values, in the languages of our users: of a person's
//! names and addresses, what it would say in a form; here stands what only files have.

use domain::intake::{PersonField, person_field};
use domain::text::fold;

use crate::field::{Field, PhonePart};

/// What a column holds, by its name, and how it ranks among others of its kind: the least is
/// taken first. Nothing when the name says nothing that we know.
pub(crate) fn field_of(label: &str) -> Option<(Field, u8)> {
    if label == tables::CARD_ERROR {
        return Some((Field::Unreadable, 0));
    }
    // As the files of failed rows name what has no name.
    if label.starts_with("metadata.") {
        return Field::parse(label).ok().map(|field| (field, 0));
    }
    let words = words(label);
    let all = words.concat();
    let is = |names: &[&str]| names.contains(&all.as_str());
    if is(IGNORED) {
        return Some((Field::Ignore, 0));
    }
    if is(&["metadata"]) {
        return Some((Field::AllMetadata, 0));
    }
    if is(TAGS) {
        return Some((Field::Tags, 0));
    }
    if is(&["identities"]) {
        return Some((Field::Identities, 0));
    }
    if is(EXTERNAL_ID) {
        return Some((Field::ExternalId, 0));
    }
    if is(OPT_IN) {
        return Some((Field::OptIn, 0));
    }
    // Google's contacts: the kind of the number or address in the column behind.
    if words.len() > 1 && words.last().is_some_and(|last| KINDS.contains(&last.as_str())) {
        return None;
    }
    let known = person_field(label);
    if known.is_none_or(|known| known == PersonField::Country)
        && let Some(rank) = country_rank(&words)
    {
        return Some((Field::Country, rank));
    }
    Some(match known? {
        PersonField::Phone(rank) => (Field::Phone, rank),
        PersonField::Email(rank) => (Field::Email, rank),
        PersonField::FirstName => (Field::FirstName, 0),
        PersonField::LastName => (Field::LastName, 0),
        PersonField::Name => (Field::Name, 0),
        PersonField::Country => (Field::Country, 0),
        PersonField::PhonePart(part) => (Field::PhonePart(PhonePart::from(part)), 0),
    })
}

/// The rank of a column of countries that only has them where its values say so.
pub(crate) const PERHAPS_COUNTRY: u8 = 9;

/// How a country stands to the person's numbers, by the name of its column: their home's before
/// an invoice's, and that before a parcel's. Nothing when the name says something else, too.
fn country_rank(words: &[String]) -> Option<u8> {
    // Mailchimp's; elsewhere it is of copies.
    if words.concat() == "cc" {
        return Some(PERHAPS_COUNTRY);
    }
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let kinds = [HOME, BILLING, ADDRESS, SHIPPING, WORK, OTHER];
    let is_known = |word: &String| {
        let beside = COUNTRY.iter().chain(COUNTRY_FILLERS).chain(kinds.into_iter().flatten());
        beside.into_iter().any(|known| known == word)
    };
    if !has(COUNTRY) || !words.iter().all(is_known) {
        return None;
    }
    let rank = kinds.into_iter().rposition(has).and_then(|at| u8::try_from(at).ok());
    Some(rank.unwrap_or(0))
}

const COUNTRY: &[&str] = &[
    "country",
    "countrycode",
    "countryname",
    "paese",
    "nazione",
    "pais",
    "pays",
    "land",
    "wohnsitzland",
    "wohnland",
    "landercode",
    "landerkurzel",
];
/// Words beside a country that make no other of it.
const COUNTRY_FILLERS: &[&str] = &[
    "region",
    "regione",
    "territory",
    "code",
    "codice",
    "codigo",
    "kode",
    "iso",
    "name",
    "nome",
    "nombre",
    "nom",
    "of",
    "di",
    "de",
    "del",
    "do",
    "der",
    "des",
    "la",
    "il",
    "el",
    "le",
    "person",
    "contact",
    "contatto",
    "customer",
    "cliente",
    "kunde",
    "client",
    "your",
    "tuo",
    "e",
    "o",
    "or",
    "und",
];
const HOME: &[&str] = &[
    "home",
    "residence",
    "residenza",
    "residencia",
    "wohnsitz",
    "domicilio",
    "domicile",
    "casa",
    "privat",
    "primary",
    "personal",
];
const BILLING: &[&str] =
    &["billing", "bill", "invoice", "fatturazione", "fattura", "facturacion", "facturation", "rechnung"];
const ADDRESS: &[&str] = &[
    "mailing",
    "default",
    "address",
    "indirizzo",
    "direccion",
    "adresse",
    "endereco",
    "anschrift",
    "postal",
    "mail",
    "location",
];
const SHIPPING: &[&str] =
    &["shipping", "ship", "delivery", "spedizione", "consegna", "envio", "livraison", "lieferung", "liefer"];
const WORK: &[&str] =
    &["work", "business", "company", "office", "azienda", "ufficio", "empresa", "entreprise", "firma"];
const OTHER: &[&str] = &["other", "secondary", "altro", "otro", "autre", "alternative"];

/// Whether a name says that its values are numbers or addresses, and nothing else.
pub(crate) fn is_plain_address(label: &str) -> bool {
    let words = words(label);
    !words.is_empty() && words.iter().all(|word| ADDRESSES.contains(&word.as_str()))
}

const ADDRESSES: &[&str] = &[
    "phone",
    "telephone",
    "mobile",
    "cell",
    "number",
    "tel",
    "telefono",
    "cellulare",
    "numero",
    "di",
    "teléfono",
    "movil",
    "celular",
    "telefone",
    "portable",
    "handy",
    "handynummer",
    "telefon",
    "nummer",
    "whatsapp",
    "email",
    "mail",
    "address",
    "indirizzo",
    "correo",
    "electronico",
    "courriel",
    "adresse",
    "main",
    "primary",
    "home",
    "work",
];

const KINDS: &[&str] = &["label", "etichetta", "etiqueta", "etiquette", "bezeichnung", "libelle"];

const IGNORED: &[&str] = &[
    "id",
    "createdat",
    "updatedat",
    "optinat",
    "optinsource",
    "optedoutat",
    "creatoil",
    "aggiornatoil",
    "reason",
];

const TAGS: &[&str] = &[
    "tags",
    "tag",
    "labels",
    "label",
    "etichette",
    "etichetta",
    "etiquetas",
    "etiqueta",
    "etiquettes",
    "etiquette",
    "schlagworte",
    "schlagworter",
    "schlagwort",
    "stichworte",
    "categories",
    "categorie",
    "categorias",
    "kategorien",
    "segmenti",
    "segments",
];

const EXTERNAL_ID: &[&str] =
    &["externalid", "idesterno", "idexterno", "idexterne", "externeid", "extid", "crmid", "codiceesterno"];

const OPT_IN: &[&str] = &[
    "optin",
    "optedin",
    "consent",
    "consenso",
    "consensomarketing",
    "marketingconsent",
    "consentimiento",
    "consentimento",
    "consentement",
    "einwilligung",
];

/// The words of a name, in lower case and without accents: `firstName`, `first_name` and
/// `First name` have the same.
fn words(label: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in label.chars().take(100) {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words.iter_mut().for_each(|word| *word = fold(word));
    // `e-mail` is one word, and numbers count columns.
    let joined = words.windows(2).any(|two| two[0] == "e" && two[1] == "mail");
    words.retain(|word| !word.chars().all(|c| c.is_ascii_digit()) && word != "value" && word != "valore");
    if joined && let Some(at) = words.iter().position(|word| word == "mail") {
        words[at] = "email".to_owned();
        words.remove(at - 1);
    }
    words
}

/// A name as a key of metadata: `Data di nascita` is `data_di_nascita`.
pub(crate) fn key_of(label: &str) -> String {
    let mut key = String::new();
    for c in label.trim().chars().flat_map(char::to_lowercase) {
        match c.is_alphanumeric() {
            true => key.push(c),
            false if !key.ends_with('_') && !key.is_empty() => key.push('_'),
            false => {}
        }
    }
    key.trim_end_matches('_').chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_in_six_languages() {
        for (label, want) in [
            ("Phone", Some((Field::Phone, 2))),
            ("Phone 1 - Value", Some((Field::Phone, 2))),
            ("Phone 1 - Type", None),
            ("Phone 1 - Label", None),
            ("E-mail 2 - Label", None),
            ("Asst. Phone", None),
            ("Reports To Email", None),
            ("Telefono cellulare", Some((Field::Phone, 1))),
            ("Telefono (WhatsApp)", Some((Field::Phone, 0))),
            ("Numero di telefono", Some((Field::Phone, 2))),
            ("Téléphone portable", Some((Field::Phone, 1))),
            ("Handynummer", Some((Field::Phone, 1))),
            ("Teléfono móvil", Some((Field::Phone, 1))),
            ("Telemóvel", Some((Field::Phone, 1))),
            ("mobilePhone", Some((Field::Phone, 1))),
            ("q4_phoneNumber", Some((Field::Phone, 2))),
            ("Il tuo numero di telefono", Some((Field::Phone, 2))),
            ("No Label email", Some((Field::Email, 0))),
            ("Country code", Some((Field::Country, 0))),
            ("Paese", Some((Field::Country, 0))),
            ("Phone country code", Some((Field::PhonePart(PhonePart::CountryCode), 0))),
            ("Prefisso", Some((Field::PhonePart(PhonePart::Prefix), 0))),
            ("Area code", Some((Field::PhonePart(PhonePart::AreaCode), 0))),
            ("Fax", None),
            ("E-mail", Some((Field::Email, 0))),
            ("E-mail 1 - Value", Some((Field::Email, 0))),
            ("Indirizzo email", Some((Field::Email, 0))),
            ("Correo electrónico", Some((Field::Email, 0))),
            ("email_verified", None),
            ("First Name", Some((Field::FirstName, 0))),
            ("Vorname", Some((Field::FirstName, 0))),
            ("Prénom", Some((Field::FirstName, 0))),
            ("billing_last_name", Some((Field::LastName, 0))),
            ("Cognome", Some((Field::LastName, 0))),
            ("Nombre completo", Some((Field::Name, 0))),
            ("Nome e cognome", Some((Field::Name, 0))),
            ("Company name", None),
            ("Etichette", Some((Field::Tags, 0))),
            ("external_id", Some((Field::ExternalId, 0))),
            ("Opt-in", Some((Field::OptIn, 0))),
            ("Accepts Marketing", None),
            ("Subscribed", None),
            ("Città", None),
            ("created_at", Some((Field::Ignore, 0))),
        ] {
            assert_eq!(field_of(label), want, "{label}");
        }
    }

    #[test]
    fn columns_of_failed_rows_are_known_again() {
        for field in [
            Field::Name,
            Field::FirstName,
            Field::LastName,
            Field::Phone,
            Field::Email,
            Field::Country,
            Field::PhonePart(PhonePart::CountryCode),
            Field::PhonePart(PhonePart::AreaCode),
            Field::PhonePart(PhonePart::Prefix),
            Field::Tags,
            Field::ExternalId,
            Field::Identities,
            Field::OptIn,
            Field::Metadata("Città di nascita".to_owned()),
            Field::AllMetadata,
        ] {
            assert_eq!(field_of(&field.header()).map(|(field, _)| field), Some(field));
        }
    }

    #[test]
    fn countries_are_ranked() {
        for (label, want) in [
            ("Nazione", Some((Field::Country, 0))),
            ("Home Country", Some((Field::Country, 0))),
            ("Paese di residenza", Some((Field::Country, 0))),
            ("Pays de résidence", Some((Field::Country, 0))),
            ("billing_country", Some((Field::Country, 1))),
            ("Billing Address Country", Some((Field::Country, 2))),
            ("Mailing Country", Some((Field::Country, 2))),
            ("Default Address Country Code", Some((Field::Country, 2))),
            ("Address 1 - Country", Some((Field::Country, 2))),
            ("shipping_country", Some((Field::Country, 3))),
            ("Business Country/Region", Some((Field::Country, 4))),
            ("Country/Region", Some((Field::Country, 0))),
            ("CC", Some((Field::Country, PERHAPS_COUNTRY))),
            ("Country of birth", None),
            ("Countries visited", None),
        ] {
            assert_eq!(field_of(label), want, "{label}");
        }
    }

    #[test]
    fn keys_of_metadata() {
        for (label, want) in
            [("Data di nascita", "data_di_nascita"), (" Città ", "città"), ("A/B - (c)", "a_b_c"), ("--", "")]
        {
            assert_eq!(key_of(label), want);
        }
    }
}
