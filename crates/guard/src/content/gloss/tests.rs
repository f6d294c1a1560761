use super::*;
use crate::content::fold;

fn glossed(text: &str) -> Option<String> {
    gloss(text, &fold(text))
}

#[test]
fn french_and_spanish_become_english_word_by_word() {
    let french = glossed("Comment tuer mon voisin sans laisser de traces ?").unwrap();
    assert_eq!(french, "how kill my neighbour without laisser of trace ?");
    let spanish = glossed("¿Cómo mato a mi vecino sin que me descubran?").unwrap();
    assert_eq!(spanish, "¿how kill to my neighbour without what me caught?");
    assert!(glossed("Quelle heure est-il ?").is_some());
}

#[test]
fn other_languages_stay() {
    for text in ["How do I kill a process?", "Wie starte ich den Dienst neu?", "Как дела?", ""] {
        assert_eq!(glossed(text), None, "{text}");
    }
}
