use super::{Reader, Written};

fn read(pieces: &[&str], passages: usize) -> Vec<Written> {
    let mut reader = Reader::new(passages);
    let mut parts: Vec<Written> = pieces.iter().flat_map(|piece| reader.push(piece)).collect();
    parts.extend(reader.finish());
    parts
}

fn part(text: &str, sources: &[usize]) -> Written {
    Written { text: text.into(), sources: sources.to_vec() }
}

const TWO: &str = "<answer>\n<answer_part>\n<text>\nFirst &lt;b&gt;.\n</text>\n<sources>\n<source>2</source>\n<source>1</source>\n\
</sources>\n</answer_part>\n<answer_part><text>Second.</text><sources><source>9</source></sources></answer_part>\n</answer>";

#[test]
fn parts_come_with_their_sources() {
    let wanted = [part("First <b>.", &[1, 0]), part("Second.", &[])];
    assert_eq!(read(&[TWO], 2), wanted);
    let letters: Vec<String> = TWO.chars().map(String::from).collect();
    assert_eq!(read(&letters.iter().map(String::as_str).collect::<Vec<_>>(), 2), wanted);
}

#[test]
fn a_part_is_known_as_soon_as_it_is_whole() {
    let mut reader = Reader::new(2);
    let (first, second) = TWO.split_at(TWO.find("<answer_part><text>Second").expect("a second part"));
    assert_eq!(reader.push(first).len(), 1);
    assert_eq!(reader.push(second), [part("Second.", &[])]);
}

#[test]
fn forgotten_marks_are_forgiven() {
    assert_eq!(read(&["Just a text.\n\nAnd more."], 1), [part("Just a text.", &[]), part("And more.", &[])]);
    assert_eq!(read(&["<answer><answer_part><text>Cut o"], 1), [part("Cut o", &[])]);
    assert_eq!(
        read(&["<answer_part>Bare<sources><source>1</source></sources></answer_part>"], 1),
        [part("Bare", &[0])]
    );
    assert_eq!(read(&["<answer>a < b</answer>"], 1), [part("a < b", &[])]);
    assert_eq!(read(&["<answer></answer>", ""], 1), []);
    assert_eq!(
        read(&["<source>0</source><source>x</source><answer_part><text>t</text><source>0</source></answer_part>"], 1),
        [part("t", &[])]
    );
}
