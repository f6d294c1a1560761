//! Rows made from the training sources: sentences copied, and copied with one thing wrong in them.

use super::rows::{Row, Task};

/// A small generator with a fixed seed: training twice gives the same weights.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }
}

pub(crate) fn make(rows: &[&Row]) -> Vec<Row> {
    let mut dice = Dice(7);
    let mut sources: Vec<&Row> = rows.iter().copied().filter(|row| row.task == Task::Grounding).collect();
    sources.sort_by(|a, b| a.source_text.cmp(&b.source_text));
    sources.dedup_by(|a, b| a.source_text == b.source_text);
    let names: Vec<String> = sources.iter().flat_map(|row| name_words(&row.source_text)).collect();
    let mut made = Vec::new();
    let copies: Vec<(&Row, String)> = sources
        .iter()
        .filter_map(|row| {
            let sentences: Vec<&str> = outcrop_guard::grounding::sentences(&row.source_text);
            let long: Vec<&&str> =
                sentences.iter().filter(|sentence| sentence.split_whitespace().count() >= 6).collect();
            let words: Vec<&str> = long.get(dice.roll(long.len()))?.split_whitespace().collect();
            // A copy without its end says nothing that the source does not.
            let cut = words.len() - dice.roll(words.len() / 3 + 1);
            Some((*row, words[..cut].join(" ")))
        })
        .collect();
    let kept =
        rows.iter().filter(|row| row.task == Task::Grounding && row.label).map(|row| (*row, row.response.clone()));
    let kept: Vec<(&Row, String)> = kept.filter(|(_, response)| response.split_whitespace().count() >= 6).collect();
    for (kind, (row, response)) in
        copies.iter().map(|copy| ("copied", copy)).chain(kept.iter().map(|kept| ("changed", kept)))
    {
        let words: Vec<&str> = response.split_whitespace().collect();
        let wrong = wrong(&words, &names, &mut dice);
        let row = |response: String, label: bool| Row {
            response,
            label,
            source: kind.to_owned(),
            split: "train".to_owned(),
            task: Task::Grounding,
            ..(*row).clone()
        };
        if !wrong.is_empty() {
            made.push(row(response.clone(), true));
            made.extend(wrong.into_iter().map(|wrong| row(wrong, false)));
        }
    }
    made
}

/// Whole sentences as answers. A wrong answer is about the query all the same, and about no other query: so length
/// tells nothing, which it does where all right answers are bare names.
pub(crate) fn sentences(rows: &[&Row]) -> Vec<Row> {
    let long = |row: &&&Row| {
        row.task == Task::Grounding && row.query.ends_with('?') && row.response.split_whitespace().count() >= 6
    };
    let long: Vec<&Row> = rows.iter().filter(long).copied().filter(|row| row.source == "halueval_qa").collect();
    let mut made = Vec::new();
    for (at, row) in long.iter().enumerate() {
        let other = long[(at + long.len() / 2) % long.len()];
        let row = |response: &str, label: bool| Row {
            response: response.to_owned(),
            label,
            task: Task::Relevance,
            source: "sentences".to_owned(),
            ..(*row).clone()
        };
        made.push(row(&long[at].response, true));
        if other.query != long[at].query {
            made.push(row(&other.response, false));
        }
    }
    made
}

/// `words` with one thing wrong: a number, a name, or whether it is so at all.
fn wrong(words: &[&str], names: &[String], dice: &mut Dice) -> Vec<String> {
    let mut made = Vec::new();
    for number in [true, false] {
        let fits = |word: &str| {
            if number {
                word.chars().any(|c| c.is_ascii_digit())
            } else {
                word.chars().next().is_some_and(char::is_uppercase) && word.len() > 3
            }
        };
        let places: Vec<usize> = (1..words.len()).filter(|&at| fits(words[at])).collect();
        if places.is_empty() {
            continue;
        }
        let at = places[dice.roll(places.len())];
        let other = if number { other_number(words[at], dice) } else { names[dice.roll(names.len())].clone() };
        if words.iter().any(|word| word.contains(&other)) {
            continue;
        }
        let mut changed: Vec<&str> = words.to_vec();
        changed[at] = &other;
        made.push(changed.join(" "));
    }
    if let Some(at) = words.iter().position(|word| matches!(*word, "is" | "was" | "are" | "were" | "has" | "can")) {
        let mut changed = words.to_vec();
        changed.insert(at + 1, "not");
        made.push(changed.join(" "));
    }
    made
}

fn name_words(text: &str) -> Vec<String> {
    let words = text.split_whitespace().skip(1);
    words
        .filter(|word| {
            word.len() > 3
                && word.chars().all(char::is_alphabetic)
                && word.chars().next().is_some_and(char::is_uppercase)
        })
        .map(str::to_owned)
        .collect()
}

fn other_number(word: &str, dice: &mut Dice) -> String {
    let mut changed = false;
    let other: String = word
        .chars()
        .map(|c| match c.to_digit(10) {
            Some(digit) if !changed && dice.roll(2) == 0 => {
                changed = true;
                char::from_digit((digit + 1 + dice.roll(8) as u32) % 10, 10).unwrap_or(c)
            }
            _ => c,
        })
        .collect();
    if changed { other } else { format!("1{word}") }
}
