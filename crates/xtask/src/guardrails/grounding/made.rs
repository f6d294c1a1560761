//! Rows made from those of the data: answers with one thing wrong in them, and whole sentences as answers.

use super::rows::{Row, Task};

/// The source of [`sentences`].
pub(crate) const SENTENCES: &str = "sentences";

/// A small generator with a fixed seed: training twice gives the same weights.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }
}

/// Sentences of the sources, copied, and right answers: each as it is, and with one thing wrong in it.
pub(crate) fn wrong(rows: &[&Row]) -> Vec<Row> {
    let mut dice = Dice(7);
    let mut sources: Vec<&Row> = rows.iter().copied().filter(|row| row.task == Task::Grounding).collect();
    sources.sort_by(|a, b| a.source_text.cmp(&b.source_text));
    sources.dedup_by(|a, b| a.source_text == b.source_text);
    let names: Vec<&str> = sources.iter().flat_map(|row| name_words(&row.source_text)).collect();
    let mut copies = Vec::new();
    for row in sources {
        let mut long = outcrop_guard::grounding::sentences(&row.source_text);
        long.retain(|sentence| sentence.split_whitespace().count() >= LEAST);
        let Some(sentence) = long.get(dice.roll(long.len())) else { continue };
        let words: Vec<&str> = sentence.split_whitespace().collect();
        // A copy without its end says nothing that the source does not.
        let cut = words.len() - dice.roll(words.len() / 3 + 1);
        copies.push(("copied", row, words[..cut].join(" ")));
    }
    let right = rows.iter().filter(|row| row.task == Task::Grounding && row.label);
    let right = right.filter(|row| row.response.split_whitespace().count() >= LEAST);
    let changed = right.map(|row| ("changed", *row, row.response.clone()));
    let mut made = Vec::new();
    for (source, row, response) in copies.into_iter().chain(changed) {
        let words: Vec<&str> = response.split_whitespace().collect();
        let wrong = one_wrong(&words, &names, &mut dice);
        let row = |response: String, label| Row { response, label, source: source.to_owned(), ..row.clone() };
        if !wrong.is_empty() {
            made.push(row(response.clone(), true));
            made.extend(wrong.into_iter().map(|wrong| row(wrong, false)));
        }
    }
    made
}

/// Fewer words are no sentence.
const LEAST: usize = 6;

/// `words` with one thing wrong: a number, a name, or whether it is so at all.
fn one_wrong(words: &[&str], names: &[&str], dice: &mut Dice) -> Vec<String> {
    let mut made = Vec::new();
    let numbers = places(words, |word| word.chars().any(|c| c.is_ascii_digit()));
    if let Some(&at) = numbers.get(dice.roll(numbers.len())) {
        let mut changed = words.to_vec();
        let other = other_number(words[at], dice);
        changed[at] = &other;
        made.push(changed.join(" "));
    }
    let named = places(words, is_name);
    if let (Some(&at), Some(other)) = (named.get(dice.roll(named.len())), names.get(dice.roll(names.len())))
        && !words.iter().any(|word| word.contains(other))
    {
        let mut changed = words.to_vec();
        changed[at] = other;
        made.push(changed.join(" "));
    }
    if let Some(at) = words.iter().position(|word| matches!(*word, "is" | "was" | "are" | "were" | "has" | "can")) {
        let mut changed = words.to_vec();
        changed.insert(at + 1, "not");
        made.push(changed.join(" "));
    }
    made
}

/// Where the words are that are `such`; the first is left alone, as any may begin with a capital there.
fn places(words: &[&str], such: impl Fn(&str) -> bool) -> Vec<usize> {
    (1..words.len()).filter(|&at| such(words[at])).collect()
}

fn is_name(word: &str) -> bool {
    word.len() > 3 && word.chars().next().is_some_and(char::is_uppercase)
}

fn name_words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().skip(1).filter(|word| is_name(word) && word.chars().all(char::is_alphabetic))
}

fn other_number(word: &str, dice: &mut Dice) -> String {
    let mut changed = false;
    let mut other = String::new();
    for c in word.chars() {
        match c.to_digit(10) {
            Some(digit) if !changed && dice.roll(2) == 0 => {
                changed = true;
                other.extend(char::from_digit((digit + 1 + dice.roll(8) as u32) % 10, 10));
            }
            _ => other.push(c),
        }
    }
    if changed { other } else { format!("1{word}") }
}

/// Whole sentences as answers. The wrong answer of one question is about it all the same, and about no other: so
/// length tells nothing, which it does where every right answer is a bare name.
pub(crate) fn sentences(rows: &[&Row]) -> Vec<Row> {
    let mut long = rows.to_vec();
    long.retain(|row| row.task == Task::Grounding && row.source == "halueval_qa");
    long.retain(|row| row.response.split_whitespace().count() >= LEAST);
    let mut made = Vec::new();
    for (at, row) in long.iter().enumerate() {
        let other = long[(at + long.len() / 2) % long.len()];
        let answer = |response: &str, label| Row {
            task: Task::Relevance,
            response: response.to_owned(),
            label,
            source: SENTENCES.to_owned(),
            ..(*row).clone()
        };
        made.push(answer(&row.response, true));
        if other.query != row.query {
            made.push(answer(&other.response, false));
        }
    }
    made
}
