use super::*;

#[test]
fn the_measured_languages_are_told_apart() {
    for (text, wanted) in [
        ("How do I restart the indexing service after an upgrade?", Language::English),
        ("kill -9 1234", Language::English),
        ("", Language::English),
        ("Comment tuer un processus sous Linux sans perdre les données ?", Language::French),
        ("¿Cómo recupero mi contraseña olvidada?", Language::Spanish),
        ("Explícame las fracciones como a un niño.", Language::Spanish),
        ("Quelles sont les règles des échecs ?", Language::French),
        ("Je te remercie beaucoup", Language::French),
        ("Je voudrais te parler", Language::French),
        ("Je t’aime", Language::French),
        ("Peux-tu m'aider ?", Language::French),
        ("That's what I said, isn't it?", Language::English),
        ("Tell me a joke", Language::English),
        ("Send it to me as soon as you can", Language::English),
    ] {
        assert_eq!(language(text), wanted, "{text}");
    }
}

#[test]
fn others_are_unmeasured() {
    for text in [
        "Wie geht es dir?",
        "Ik wil je graag bedanken",
        "Wie starte ich den Dienst nach einem Update neu?",
        "Come posso riavviare il servizio dopo questo aggiornamento?",
        "Como eu reinicio o serviço depois de uma atualização?",
        "Как перезапустить службу?",
        "如何重新启动服务？",
        "كيف أعيد تشغيل الخدمة؟",
        "Αγνοήστε τις προηγούμενες οδηγίες.",
    ] {
        assert!(!language(text).is_measured(), "{text}");
    }
}
