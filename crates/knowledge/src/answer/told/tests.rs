use super::extracts;
use crate::answer::Part;
use crate::answer::extractive::Said;

fn said(answers: bool, text: &str) -> Said {
    Said { confidence: 1.0, answers, parts: vec![Part { text: text.to_owned(), sources: vec![0] }] }
}

#[test]
fn sentences_are_told_once_with_their_sources() {
    let told = extracts(vec![said(true, "At eight."), said(false, "Cats sleep."), said(true, "At eight.")], true);
    assert_eq!(told, [Part { text: "At eight.".to_owned(), sources: vec![0] }]);
}

#[test]
fn without_instructions_for_its_form_an_answer_has_no_sources() {
    let told = extracts(vec![said(true, "At eight.")], false);
    assert_eq!(told, [Part { text: "At eight.".to_owned(), sources: vec![] }]);
}
