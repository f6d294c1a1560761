//! Words that say what the value beside them is.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// What a word announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the kinds of PII, and two more")]
pub enum Announces {
    Age,
    AwsSecret,
    BankAccount,
    CanadianHealth,
    Card,
    Cvv,
    Driver,
    Expiry,
    Insurance,
    Itin,
    Nhs,
    Nino,
    Passport,
    Password,
    Phone,
    Pin,
    Plate,
    Routing,
    Ssn,
    Swift,
    Tax,
    User,
    Username,
    Vin,
    /// Other numbers: of orders, invoices, parts.
    Other,
}

/// A word that announces.
#[derive(Debug, Clone)]
pub struct Cue {
    /// Its bytes.
    pub range: Range<usize>,
    /// What it announces.
    pub what: Announces,
}

/// The automaton over all of them.
#[derive(Debug)]
pub struct Cues {
    words: AhoCorasick,
    what: Vec<Announces>,
}

impl Cues {
    /// Compiles the list.
    pub fn new() -> Option<Self> {
        let mut words = Vec::new();
        let mut what = Vec::new();
        for (announces, list) in LIST {
            for word in list.split('|').map(str::trim) {
                words.push(word);
                what.push(*announces);
            }
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(words)
            .ok()?;
        Some(Self { words, what })
    }

    /// The cues in `text`, in order.
    pub fn find(&self, text: &str) -> Vec<Cue> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        for hit in self.words.find_iter(text) {
            let (start, end) = (hit.start(), hit.end());
            let what = self.what[hit.pattern()];
            // Within identifiers words are parted by underscores ("db_password"), and by capitals ("userPassword").
            let begins = start == 0
                || !is_word(bytes[start - 1])
                || (bytes[start].is_ascii_uppercase() && bytes[start - 1].is_ascii_lowercase());
            let ends = end == bytes.len()
                || !is_word(bytes[end])
                || (bytes[end] == b's' && bytes.get(end + 1).is_none_or(|next| !is_word(*next)))
                || (bytes[end].is_ascii_uppercase() && bytes[end - 1].is_ascii_lowercase());
            if begins && ends {
                found.push(Cue { range: start..end, what });
            }
        }
        found
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

const LIST: &[(Announces, &str)] = &[
    (Announces::Age, "age|aged|at the age of|turned|turns|turning|edad|alter|âge|âgé de|âgée de|eta|idade"),
    (
        Announces::AwsSecret,
        "aws_secret_access_key|aws secret access key|secret_access_key|secretaccesskey|secret access key|aws_secret|aws secret|\
         aws secret key|aws_secret_key|secret key|secret_key|secretkey|secret|aws key|aws_session",
    ),
    (
        Announces::BankAccount,
        "bank account|bank account number|bank account no|account number|account no|account no.|account num|account #|acct|acct.|\
         acct no|acct number|a/c|a/c no|account|checking account|savings account|checking|savings|deposit account|bank acct|\
         account_number|bank_account|accountnumber|numéro de compte|número de cuenta|kontonummer|cuenta",
    ),
    (
        Announces::CanadianHealth,
        "ohip|health card|health card number|health card no|health number|health insurance number|phn|personal health number|\
         ramq|msp number|health_card|health id|health_number",
    ),
    (
        Announces::Card,
        "card number|credit card|debit card|credit card number|debit card number|card no|card no.|card|visa|mastercard|amex|\
         american express|card_number|cardnumber|cc number|carte bancaire|tarjeta|kreditkarte|kartennummer",
    ),
    (
        Announces::Cvv,
        "cvv|cvc|cvv2|cvc2|cvv code|cvc code|cvn|csc|security code|card security code|card verification|card verification value|\
         card verification code|verification value|three digits on the back|digits on the back|3 digits on the back|\
         four digits on the front|back of the card|back of my card|code de sécurité|código de seguridad|cryptogramme|prüfnummer",
    ),
    (
        Announces::Driver,
        "driver's license|driver’s license|drivers license|driver license|driving license|driver's licence|driver’s licence|\
         drivers licence|driver licence|driving licence|driver's license number|drivers license number|driver license number|\
         driving licence number|driver's licence number|driving license number|driver’s license number|license number|\
         licence number|driver id|driver_id|driver's id|driver_license|drivers_license|driverlicense|dl number|dl no|dl no.|\
         dl#|dl|dln|learner's permit|permis de conduire|numéro de permis|führerschein|führerscheinnummer|licencia de conducir|\
         carnet de conducir|permiso de conducir|patente di guida",
    ),
    (
        Announces::Expiry,
        "exp|exp.|expires|expiry|expiration|expiration date|expiry date|exp date|exp. date|expiring|valid thru|valid through|\
         valid until|valid till|good thru|good through|valid to|expires on|expires end|card_expiry|expire|expira|\
         date d'expiration|expire le|fecha de caducidad|vencimiento|gültig bis|caduca",
    ),
    (
        Announces::Insurance,
        "social insurance|social insurance number|social insurance no|sin|sin number|sin no|s.i.n.|canadian sin|sin#|\
         social_insurance_number|numéro d'assurance sociale",
    ),
    (
        Announces::Itin,
        "itin|individual taxpayer identification number|individual taxpayer|taxpayer id|tax id|tax identification number|\
         taxpayer identification number|tin|taxpayer number|itin number",
    ),
    (
        Announces::Nhs,
        "nhs|nhs number|nhs no|nhs no.|nhs id|national health service|national health service number|nhs_number|nhs #",
    ),
    (
        Announces::Nino,
        "national insurance|national insurance number|national insurance no|ni number|ni no|ni no.|nino|nin|\
         national_insurance_number",
    ),
    (
        Announces::Passport,
        "passport|passport number|passport no|passport no.|passport #|passport num|us passport|us passport number|passport id|\
         passport_number|passportnumber|passeport|pasaporte|reisepass|passport card|travel document",
    ),
    (
        Announces::Password,
        "password|passwd|pwd|pass|passphrase|passcode|pw|passwort|kennwort|contraseña|mot de passe|mdp|senha|parola|wachtwoord|\
         temporary password|credentials|login password|user_password|db_password|pswd|passord|hasło|lösenord",
    ),
    (
        Announces::Phone,
        "phone|phone number|phone no|phone no.|telephone|telephone number|tel|tel.|mobile|mobile number|mobile no|cell|\
         cell phone|cellphone|cell number|fax|fax number|call|call me|call me on|call me at|text|text me|text me at|dial|\
         whatsapp|sms|ring|reach|reach me|reach me at|contact|contact number|pager|hotline|landline|home phone|work phone|\
         phone_number|phonenumber|ph|ph.|ph#|teléfono|telefono|téléphone|tél|móvil|telefon|telefonnummer|handy|handynummer|\
         rufnummer|portable|celular|telefone|telefoon|number is|extension|voicemail",
    ),
    (
        Announces::Pin,
        "pin|pin code|pin number|pin no|pin is|personal identification number|atm pin|card pin|pin_code|access pin|security pin|\
         código pin|code pin|geheimzahl|atm code",
    ),
    (
        Announces::Plate,
        "license plate|licence plate|license plate number|licence plate number|number plate|plate number|plate no|plate no.|\
         plate|plates|registration|registration number|registration plate|vehicle registration|car registration|reg|reg.|\
         reg number|reg no|tag number|license tag|plate_number|license_plate|licenseplate|immatriculation|\
         plaque d'immatriculation|matrícula|kennzeichen|nummernschild|targa|placa|registered as|car with",
    ),
    (
        Announces::Routing,
        "routing|routing number|routing no|routing no.|routing #|aba|aba number|aba routing|aba routing number|routing code|rtn|\
         routing transit number|transit number|routing_number|routingnumber|bank routing|bank routing number",
    ),
    (
        Announces::Ssn,
        "ssn|social security|social security number|social security no|social security no.|social security #|social|soc sec|\
         ss#|ssn#|ssn is|s.s.n.|social_security_number|us ssn|ssn number|ss number|last four of social",
    ),
    (
        Announces::Swift,
        "swift|swift code|bic|bic code|swift/bic|bic/swift|swift-code|swift_code|bank identifier code|swift bic|code bic|\
         código swift|swift number",
    ),
    (
        Announces::Tax,
        "utr|utr number|unique taxpayer reference|unique taxpayer reference number|unique tax reference|taxpayer reference|\
         tax reference|self assessment|hmrc reference|utr no|utr no.|tax reference number|unique taxpayer",
    ),
    (Announces::User, "user|login|account name|log in as|logged in as|sign in as|nick|profile|userid|usr|uname"),
    (
        Announces::Username,
        "username|user name|user-name|user_name|user id|user_id|handle is|handle:|my handle|user handle|account handle|screen name|screenname|login name|login id|\
         nickname|twitter handle|instagram handle|account id|nom d'utilisateur|identifiant|nombre de usuario|usuario|\
         benutzername|nutzername|gamertag|username is|user handle|loginname|login_name|nome utente",
    ),
    (
        Announces::Vin,
        "vin|vin number|vin no|vin no.|vehicle identification number|vehicle identification|chassis number|chassis no|\
         frame number|vin#|vehicle id|vehicle_identification_number|chassis",
    ),
    (
        Announces::Other,
        "order|order number|order no|invoice|invoice number|ticket|issue|case|reference|ref|tracking number|serial|\
         serial number|part number|part|isbn|issn|doi|sku|version|build|commit|revision|port|error|code|room|chapter|page|\
         table|figure|section|line|row|column|bug|pr|item|product|model|batch|job|process|pid|thread|id",
    ),
];
