//! Which language stands around a word, as far as its capital letters go; and words of other languages that begin with a
//! capital and name nobody.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::lexicon;
use super::tokens::Token;

/// So many words before and behind show the language. Of those behind only few: a stream waits for them.
const BEFORE: usize = 24;
const BEHIND: usize = 5;

/// Little words that German has and English has not, and the other way round.
const GERMAN: &str = "der das und ist nicht ein eine einen einem einer eines wie ich sie wir ihr ihre ihren ihrem ihrer mit \
    auf für von zu dem den des im auch sich werden wird kann können mein meine dein warum wer haben bei nach aus oder aber \
    wenn sind sehr mir mich uns unser unsere dass durch über zum zur vom als nur noch diese dieser dieses bitte ja nein";
const ENGLISH: &str = "the and of to is are what how why when where who with for this that these those you your my i it on \
    at from have has do does did can could would should not be been will if there which an or as by but they we";

/// Whether the words around the tokens `first` to `last` are German: there every noun has a capital.
pub fn is_german(tokens: &[Token], first: usize, last: usize) -> bool {
    static WORDS: OnceLock<HashMap<u64, bool>> = OnceLock::new();
    let words = WORDS.get_or_init(|| {
        let of =
            |list: &'static str, german: bool| list.split(' ').map(move |word| (lexicon::hash(word.trim()), german));
        of(ENGLISH, false).chain(of(GERMAN, true)).collect()
    });
    let (mut german, mut english) = (0, 0);
    for token in &tokens[first.saturating_sub(BEFORE)..tokens.len().min(last + 1 + BEHIND)] {
        match words.get(&token.hash) {
            Some(true) => german += 1,
            Some(false) => english += 1,
            None => {}
        }
    }
    german >= 2 && german > english * 2
}

/// Whether a word is one that names nobody in its language, however it begins.
pub fn is_common(token: &Token) -> bool {
    static WORDS: OnceLock<HashSet<u64>> = OnceLock::new();
    WORDS.get_or_init(|| COMMON.split_whitespace().map(lexicon::hash).collect()).contains(&token.hash)
}

/// Greetings, polite pronouns, days, months, and what letters to customers are about: German, French, Italian, Spanish,
/// Portuguese, Dutch.
const COMMON: &str = "\
    guten guter gute gutes morgen tag abend nacht montag dienstag mittwoch donnerstag samstag sonnabend sonntag \
    januar februar märz  juni juli oktober dezember ihr ihre ihren ihrem ihrer ihnen sie uns unser unsere unseren \
    mein meine meinen meiner dein deine können könnten könnte haben hat hatte möchten möchte würden wollen sollen müssen \
    dürfen vielen dank danke bitte sehr geehrte geehrter geehrtes liebe lieber damen herren grüße grüßen gruß freundliche \
    freundlichen freundlicher  besten herzliche herzlichen viele hallo willkommen anfrage antwort adresse anschrift \
    bestellung lieferung rechnung zahlung betrag konto kunde kunden kundin kundinnen kundennummer kundenservice nachricht \
    unterlagen termin frage fragen hilfe problem angebot vertrag versicherung kündigung rückgabe rücksendung paket \
    sendung artikel ware produkt preis firma unternehmen abteilung mitarbeiter mitarbeiterin team büro straße haus \
    wohnung stadt land welt zeit jahr jahre monat woche stunde minute uhr hund katze  kinder  frau menschen leute \
    vater mutter bruder schwester freund freundin schule arbeit auto bahn zug flug hotel reise urlaub regierung \
    bundesregierung gesetz polizei gericht  geld euro prozent millionen wetter sonne wasser essen \
    wer wie was wo wann warum welche welcher der die das ein eine wir ich er es im am zum zur und oder aber wenn nach bei \
    vor mit auf für über seit alle diese dieser dieses rufen senden schreiben kommen gehen \
    cher chère chers chères client cliente clients monsieur madame messieurs mesdames bonjour bonsoir salut merci \
    cordialement votre vos notre nos lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril juin \
    juillet août septembre octobre novembre décembre président ministre république commande livraison facture paiement \
    adresse compte réponse question service équipe société le la les un une des je vous nous il  ce cette veuillez \
    gentile gentili egregio egregia spettabile   cari clienti cliente buongiorno buonasera salve grazie prego \
    cordiali saluti distinti lunedì martedì mercoledì giovedì venerdì sabato domenica gennaio febbraio marzo aprile maggio \
    giugno luglio settembre ottobre dicembre  suo sua vostro vostra ordine consegna fattura pagamento indirizzo conto \
    estimado estimada estimados señores cliente clientes hola buenos buenas días tardes noches gracias saludos atentamente \
    cordial usted ustedes lunes martes miércoles jueves viernes  enero febrero mayo junio  septiembre octubre \
    noviembre diciembre pedido entrega factura pago dirección cuenta ministerio hacienda gobierno  sus nuestro nuestra \
    prezado prezada caros olá   dia tarde noite obrigado obrigada saudações atenciosamente você senhor senhora \
     terça quarta quinta sexta janeiro fevereiro março  maio junho julho setembro outubro dezembro seu pedido \
     geachte goedemorgen goedemiddag goedenavond hartelijk vriendelijke groet groeten bedankt uw onze maandag dinsdag \
    woensdag donderdag vrijdag zaterdag zondag januari februari maart juni juli augustus bestelling levering klant";
