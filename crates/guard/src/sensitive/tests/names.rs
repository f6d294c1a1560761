//! Names and addresses where capitals are everywhere, and where titles and forms tell them.

use super::*;

fn of(text: &str, kind: Pii) -> Vec<String> {
    found(text).into_iter().filter(|found| found.0 == kind).map(|found| found.1).collect()
}

#[test]
fn a_capital_is_no_evidence_in_german() {
    for text in [
        "Vielen Dank für Ihre Bestellung! Ihre Lieferung kommt am Freitag.",
        "Der Hund läuft über die Straße und die Katze schläft im Haus.",
        "Können Sie mir bitte die Rechnung schicken?",
        "Guten Morgen zusammen, der Termin ist am Montag.",
        "Der Vertrag verlängert sich um ein Jahr, wenn er nicht vor dem 1. Januar gekündigt wird.",
        "Cher client, votre commande est arrivée. Merci de votre confiance.",
        "Gentile Cliente, la ringraziamo per il suo ordine.",
        "Estimado cliente, gracias por su pedido.",
    ] {
        assert!(found(text).is_empty(), "{text:?}: {:?}", found(text));
    }
    assert_eq!(of("Mein Name ist Hans Müller, und ich wohne in der Stadt.", Pii::Name), ["Hans Müller"]);
    assert_eq!(
        of("Gestern hat Petra Schneider mit der Firma über den Vertrag gesprochen.", Pii::Name),
        ["Petra Schneider"]
    );
    assert_eq!(of("Sehr geehrte Frau Kowalska, vielen Dank für Ihre Anfrage.", Pii::Name), ["Kowalska"]);
}

#[test]
fn things_and_places_are_nobody() {
    for text in [
        "The Eiffel Tower is 330 metres tall",
        "She won the Nobel Prize.",
        "We met at Victoria Station.",
        "a Monte Carlo simulation",
        "Expand it in a Taylor series.",
        "Ask Siri or Alexa",
        "a Caesar salad, please",
        "to_case(Case::Pascal)",
        "Merry Christmas and Happy New Year",
    ] {
        assert!(of(text, Pii::Name).is_empty(), "{text:?}: {:?}", found(text));
    }
}

#[test]
fn names_are_whole_and_end_with_their_sentence() {
    assert_eq!(of("Dear Mrs. Kowalska,", Pii::Name), ["Kowalska"]);
    assert_eq!(of("Dr. Strange performed the surgery on Peter Parker.", Pii::Name), ["Strange", "Peter Parker"]);
    assert_eq!(of("Nguyễn Văn An sent the file.", Pii::Name), ["Nguyễn Văn An"]);
    assert_eq!(of("Regards,\nJürgen Müller-Lüdenscheidt", Pii::Name), ["Jürgen Müller-Lüdenscheidt"]);
    let ended = of("I gave it to Anna. Jack was late.", Pii::Name);
    assert!(ended.iter().all(|name| !name.contains('.')), "{ended:?}");
}

#[test]
fn addresses_are_found_by_their_form() {
    for (text, address) in [
        ("10 Downing Street", "10 Downing Street"),
        ("J'habite 5 avenue Foch, 75116 Paris.", "5 avenue Foch, 75116 Paris"),
        ("Meine Adresse ist Hauptstraße 12, 10115 Berlin.", "Hauptstraße 12, 10115 Berlin"),
        ("Via Roma 10, 00184 Roma, Italia", "Via Roma 10, 00184 Roma, Italia"),
        ("P.O. Box 1234, Springfield, IL 62701", "P.O. Box 1234, Springfield, IL 62701"),
        ("Ich wohne in der Berliner Straße 5.", "Berliner Straße 5"),
    ] {
        assert_eq!(of(text, Pii::Address), [address], "{text:?}");
    }
    for text in ["In 2008 Wall Street fell", "via port 22", "3 place settings", "Umweg 5 mal"] {
        assert!(of(text, Pii::Address).is_empty(), "{text:?}: {:?}", found(text));
    }
}
