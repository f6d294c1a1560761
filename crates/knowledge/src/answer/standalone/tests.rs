use super::{about, alone, asked};
use crate::answer::session::Turn;

#[test]
fn a_question_that_points_back_takes_the_last_one_along() {
    let turns = [Turn { question: "Who owns the on-call schedule?".into(), answer: "Priya Raman.".into() }];
    assert_eq!(alone("When does it change?", &turns), "Who owns the on-call schedule? When does it change?");
    assert_eq!(alone("And why?", &turns), "Who owns the on-call schedule? And why?");
    assert_eq!(alone("Why was NATS chosen over Kafka?", &turns), "Why was NATS chosen over Kafka?");
    assert_eq!(alone("When does it change?", &[]), "When does it change?");
}

#[test]
fn several_questions_are_told_apart() {
    let cut = asked("Who owns the schedule, and when does it change? Why NATS?");
    assert_eq!(cut, ["Who owns the schedule", "when does it change?", "Why NATS?"]);
    assert_eq!(asked("How do salt and pepper differ?"), ["How do salt and pepper differ?"]);
    assert_eq!(asked("and who?"), ["and who?"]);
    assert_eq!(asked("?"), ["?"]);
    assert_eq!(asked(&"Why so? ".repeat(9)).len(), 5);
}

#[test]
fn passages_about_something_else_are_empty() {
    let tower = "The cooling tower in Köln is 120 metres high. The cooling tower was built in 1998.";
    let hall = "The assembly hall is 30 metres long. It was built in 1955.";
    let left = |question: &str| {
        about(question, &[hall.into(), tower.into()]).into_iter().map(|source| source.text).collect::<Vec<_>>()
    };
    assert_eq!(left("How high is the cooling tower in Köln?"), ["", tower]);
    assert_eq!(left("Who paints roses?"), ["", ""]);
}
