//! The words that names of keys and titles of questions are made of, in English,
//! Italian, Spanish, Portuguese, French and German: folded as [`super::words`] does,
//! in the singular where the plural only adds an `s`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word says about a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    WhatsApp,
    Mobile,
    Phone,
    Email,
    /// Where copies of mails go: a drop-box of the business.
    Copy,
    /// To whom answers to a mail go.
    Reply,
    /// Beside `email` alone, or behind `reply`; else it says nothing.
    To,
    /// A phone's only beside another word: guests and orders have numbers too.
    Number,
    /// What one does with a phone number: `callback number`.
    Call,
    /// The country's part of a phone number, or the area's.
    Prefix,
    /// The country's part of a phone number.
    Dial,
    /// A part of a phone number beside `country`, `area` or `phone`.
    Code,
    Area,
    /// The area's part of a phone number.
    AreaCode,
    /// What follows is inside the value: `phone with country code`.
    With,
    Name,
    /// `name` of Italian, Spanish and Portuguese: the first name or all of it.
    Nome,
    /// `name` of French: the last name or all of it.
    Nom,
    /// Beside `name` alone: `first name`.
    First,
    Last,
    /// A first name in one word.
    FirstName,
    /// The same where `name` beside it is the last name.
    Vorname,
    LastName,
    Full,
    /// Asks for a name: `what are you called?`.
    Called,
    Company,
    City,
    Country,
    Language,
    /// The person a body is about.
    Customer,
    /// The same, or those who come with them.
    Guest,
    /// The same, or anybody: a host's `person`.
    Person,
    /// The same, or what one does with them: `contact owner`, `contact number`.
    Contact,
    /// What holds the fields of the person: `billing`, `responses`.
    Holder,
    /// Who uses the sender's product: most often somebody of the business.
    User,
    /// Somebody of the business.
    Staff,
    /// Somebody or something else: an emergency contact, a pet.
    Elsewhere,
    /// What has a name that is nobody's.
    Thing,
    /// Something about a field, and not the field: `email_verified`.
    About,
    /// That somebody agreed to be written to: `opt_in`.
    OptIn,
    /// The same where it names a channel of ours; else it may be to anything.
    Consent,
    Id,
    /// A text about anything: `WhatsApp message`.
    Message,
    /// A second choice: `alternative phone`.
    Lesser,
    Work,
    Your,
    /// Says nothing.
    Filler,
}

/// The meaning of a word, of a plural too.
pub(super) fn look_up(word: &str) -> Option<Word> {
    let singular = || word.strip_suffix('s').filter(|rest| rest.len() > 2).and_then(|rest| WORDS.get(rest));
    WORDS.get(word).or_else(singular).copied()
}

static WORDS: LazyLock<HashMap<&'static str, Word>> = LazyLock::new(|| {
    let words =
        VOCABULARY.iter().flat_map(|(class, words)| words.split_whitespace().map(|word| (word, *class)));
    words.collect()
});

const VOCABULARY: &[(Word, &str)] = &[
    (Word::WhatsApp, "whatsapp whatsap watsapp whats wapp wpp"),
    (
        Word::Mobile,
        "mobile mobil movil mob cell cellphone cellulare cellulari cel celular portable handy gsm sms telefonino
         telefonini telemovel mobiltelefon mobiltel mobilfunk mobilephone",
    ),
    (
        Word::Phone,
        "phone telephone phoneno phonenum tel tele telno telefono telefoni telefon telefone telefonico telefonica
         telefonisch telephonique fone fon festnetz landline rufnummer numeroditelefono msisdn tlf tfno telf telefonnr",
    ),
    (Word::Email, "email mail emailid emailaddress correo courriel mel emailadresse eposta"),
    (Word::Copy, "cc bcc ccn cco cci dropbox"),
    (Word::Reply, "reply"),
    (Word::To, "to"),
    (Word::Number, "number numero numeri nummer num nbr nr nro"),
    (
        Word::Call,
        "call calling callback reach text reminder ring richiamare richiamarti ricontattare ricontattarti
         ricontattato contattare contattarti chiamare chiamarti llamar llamarte llamarle contactar contactarte ligar
         rappeler joindre contacter erreichen erreichbar ruckruf kontaktieren anrufen",
    ),
    (
        Word::Prefix,
        "prefix prefisso prefijo prefixo prefixe indicatif vorwahl",
    ),
    (Word::Dial, "dial dialing dialcode isd ddi callingcode landesvorwahl landervorwahl"),
    (Word::Code, "code codice codigo kode"),
    (Word::Area, "area"),
    (Word::AreaCode, "areacode ddd ortsvorwahl"),
    (Word::With, "with con com mit avec incl including include includi compreso inkl inklusive incluido incluso"),
    (Word::Name, "name"),
    (Word::Nome, "nome nombre"),
    (Word::Nom, "nom"),
    (Word::First, "first given fore fname primer primero primeiro"),
    (Word::Last, "last family lname ultimo"),
    (Word::FirstName, "firstname givenname forename"),
    (Word::Vorname, "vorname vornamen prenom vor rufname"),
    (
        Word::LastName,
        "lastname familyname surname cognome nachname nachnamen familienname apellido apelido sobrenome zuname",
    ),
    (
        Word::Full,
        "fullname full complete completo completa complet entier vollstandiger vollstandig ganzer voller nominativo nomeecognome
         displayname",
    ),
    (Word::Called, "called chiami chiama llamas llama chamas chama appelez appelles heissen heisst heist"),
    (
        Word::Company,
        "company companies business azienda aziendale aziende ditta societa impresa empresa compania companhia
         entreprise societe firma firmen firmenname unternehmen unternehmensname betrieb organization organisation
         organizzazione organizacion organizacao ente employer corporate agency agenzia agencia agence",
    ),
    (Word::City, "city citta ciudad ville stadt cidade town locality wohnort"),
    (Word::Country, "country countries paese nazione pais pays land"),
    (Word::Language, "language locale lang lingua idioma langue sprache"),
    (
        Word::Customer,
        "customer client clientinfo buyer lead attendee invitee participant respondent respondee responder
         patient subscriber student pupil applicant candidate registrant enquirer inquirer visitor
         booker payer payor purchaser shopper requester donor renter traveler traveller passenger prospect signer
          consumer cliente clienti partecipante partecipanti paziente
         pazienti iscritto iscritti acquirente compratore intestatario richiedente candidato abbonato studente
           participante paciente comprador suscriptor interesado
          acheteur abonne kunde kunden teilnehmer kaufer besteller interessent abonnent",
    ),
    (Word::Person, "person people persona persone individual personne member"),
    (Word::Guest, "guest ospite ospiti invitato invitati invitado huesped convidado hospede invite gast gaste"),
    (Word::Contact, "contact contatto contatti contacto contato kontakt recapito recapiti referente ansprechpartner"),
    (Word::Holder, "billing shipping profile properties attributes responses answers details fatturazione"),
    (Word::User, "user utente utenti usuario usuaria utilisateur benutzer account"),
    (
        Word::Staff,
        "organizer organiser organizzatore organizzatori organizador organizadora organisateur organisator
         veranstalter host gastgeber anfitrion anfitriao hote owner proprietario propietario proprietaire inhaber
         besitzer eigentumer titolare assignee assigned assegnatario assegnato asignado assigne zustandig staff agent
         agente agenti makler seller venditore venditori vendedor vendeur verkaufer salesperson salesrep members
         memberships team teammate rep representative reps rappresentante commerciale employee dipendente
         dipendenti empleado employe mitarbeiter funcionario operator operatore operatori atendente corretor
         collaboratore practitioner therapist instructor istruttore trainer coach tutor teacher insegnante
         consultant consulente consulenti advisor adviser asesor conseiller berater betreuer technician stylist
         doctor medico manager supervisor admin administrator webmaster notification responsabile responsible
         creator author assistant asst provider closer setter vendor merchant shop store reseller clinic restaurant hotel
         venue noreply driver courier dealer",
    ),
    (
        Word::Elsewhere,
        "emergency emergenza emergencia urgence notfall notfallkontakt sos referral referrer referred friend amico
         amica amigo amiga freund freundin spouse wife husband marito moglie coniuge conjoint relative pet dog cat
         child kid animal animale cane gatto hund katze perro gato chien hijo hija figlio figlia bambino bambina
         enfant partner kin ice support helpdesk fax telefax iphone voicemail",
    ),
    (
        Word::Thing,
        "ad ads adset form modulo formulario formular formulaire page pagina site website campaign campagna project
         course corso service servizio product prodotto producto produit produkt event evento evenement veranstaltung username filename hostname
         domainname nickname maiden",
    ),
    (Word::OptIn, "optin opted"),
    (Word::Consent, "consent consenso acconsento consentimiento consentimento consentement einwilligung zustimmung"),
    (
        Word::About,
        "verified verify verification valid validated validation optout opt
         accetto acepto aceito accepte agree accept accepted
         privacy gdpr status stato state type kind typ tipo count template subject oggetto asunto betreff domain model
         modello modelo marke brand format url link token hash time date datetime timestamp hour ora ore
         orario horario hora heure uhrzeit zeit when preference pref source medium utm marketing subscribe subscribed
         unsubscribe unsubscribed sent opened clicked bounced bounce has hide show enabled disabled allowed active
         exists missing error extension ext interno durchwahl carrier device app list old previous former vecchio
         changed modified updated created deleted permission blacklisted suppressed quality score reason",
    ),
    (Word::Id, "id uid uuid guid ident"),
    (
        Word::Message,
        "message messaggio messaggi mensaje mensagem nachricht note notes nota comment commento comentario commentaire
         kommentar description descrizione descripcion body html",
    ),
    (
        Word::Lesser,
        "alternative alternate alternativo alternativa secondary secondario secondaria second secondo other altro
         altra otro otra outro outra autre andere backup confirm confirmation conferma confirmar confirma repeat
         ripeti repetir bestatigen wiederholen additional
         pec certificata certificato certified",
    ),
    (Word::Work, "work office ufficio lavoro trabajo trabalho travail buro arbeit oficina bureau"),
    (
        Word::Your,
        "your yours you my mine tuo tua suo sua tu su te ti mio mia seu teu meu minha ton ta votre vous mon ma ihr
         ihre ihren dein deine deinen mein meine du sie sein",
    ),
    (
        Word::Filler,
        "a an and the of for from in on at by is are be can we us our please what which best good enter insert write
         leave give tell share provide here required optional mandatory label no field fields input display
         short primary main preferred current personal private home default contactable answer
         il lo la le gli i e ed o di del della dello dei degli delle dell d l un una uno qual quale come per da al alla
         sul si inserisci scrivi lascia lasciaci lasciami indica essere dove possiamo obbligatorio obbligatoria
         facoltativo indirizzo principale personale privato fisso battesimo proprio anagrafica
         el los las y de en para cual como es sus deja escribe introduce por favor direccion obligatorio
         os as ou do dos das deixe digite informe endereco eletronico obrigatorio electronico
         et des les une quel quelle est pour laissez entrez saisissez adresse electronique obligatoire
         famille vos
         und oder der die den dem ein eine ist wie lautet bitte geben auf unter zur zum pflichtfeld
         elettronica elettronico posta address addresse addresses or so if not me sub new sales question domanda pregunta pergunta frage custom attr wpforms",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_meaning() {
        let mut seen = HashMap::new();
        for (class, words) in VOCABULARY {
            for word in words.split_whitespace() {
                assert!(word.chars().all(|c| c.is_ascii_lowercase()), "{word} is not folded");
                let before = seen.insert(word, *class);
                assert_eq!(before, None, "{word} is {class:?} too");
            }
        }
    }
}
