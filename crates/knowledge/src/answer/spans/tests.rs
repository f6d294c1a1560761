use super::Spans;

#[test]
fn spans_fall_on_the_characters_of_the_answer() {
    let parts = ["Zürich is 5 °C.", "日本語🙂 text.", "End."];
    let (mut spans, mut answer, mut places) = (Spans::default(), String::new(), Vec::new());
    for part in parts {
        let (told, start, end) = spans.next(part);
        answer.push_str(&told);
        places.push((start, end));
    }
    assert_eq!(answer, parts.join(" "));
    let characters: Vec<char> = answer.chars().collect();
    for (part, (start, end)) in parts.iter().zip(places) {
        assert_eq!(characters[start..end].iter().collect::<String>(), *part);
    }
}
