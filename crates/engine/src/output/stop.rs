//! Stop sequences in text that arrives in pieces.
//!
//! The sequences are sorted; every place in the text where one may have begun keeps the range of sequences that
//! still fit. That costs no memory beyond the sequences, however long they are, and a binary search a byte:
//! 2,500 of them (the API's limit) are as cheap as one.

/// A place where a stop sequence may have begun.
struct Begun {
    /// Bytes of held-back text before it.
    at: usize,
    /// The sequences that fit so far, as a range of the sorted list.
    low: usize,
    high: usize,
}

/// Finds the first stop sequence; holds back what may be the beginning of one.
pub(super) struct StopMatcher {
    sorted: Vec<String>,
    held: String,
    begun: Vec<Begun>,
}

impl StopMatcher {
    pub(super) fn new(sequences: &[String]) -> Self {
        let mut sorted: Vec<String> = sequences.iter().filter(|sequence| !sequence.is_empty()).cloned().collect();
        sorted.sort_unstable();
        sorted.dedup();
        Self { sorted, held: String::new(), begun: Vec::new() }
    }

    /// The text that is surely before any stop sequence, and the sequence if one is complete.
    pub(super) fn push(&mut self, text: &str) -> (String, Option<String>) {
        if self.sorted.is_empty() {
            return (text.to_owned(), None);
        }
        for character in text.chars() {
            let from = self.held.len();
            self.held.push(character);
            self.begun.push(Begun { at: from, low: 0, high: self.sorted.len() });
            if let Some((at, sequence)) = self.advance(from) {
                self.held.truncate(at);
                self.begun.clear();
                return (std::mem::take(&mut self.held), Some(sequence));
            }
        }
        let safe = self.begun.first().map_or(self.held.len(), |oldest| oldest.at);
        let rest = self.held.split_off(safe);
        for begun in &mut self.begun {
            begun.at -= safe;
        }
        (std::mem::replace(&mut self.held, rest), None)
    }

    /// Narrows every begun match by the bytes from `from` on; the oldest one that is complete wins.
    fn advance(&mut self, from: usize) -> Option<(usize, String)> {
        let (sorted, held) = (&self.sorted, self.held.as_bytes());
        let mut complete = None;
        self.begun.retain_mut(|begun| {
            for (index, &byte) in held.iter().enumerate().skip(from) {
                let offset = index - begun.at;
                let range = &sorted[begun.low..begun.high];
                // A sequence that ends before `offset` sorts before every longer one with the same beginning.
                let byte_at = |sequence: &String| sequence.as_bytes().get(offset).copied();
                let high = begun.low + range.partition_point(|sequence| byte_at(sequence) <= Some(byte));
                begun.low += range.partition_point(|sequence| byte_at(sequence) < Some(byte));
                begun.high = high;
            }
            let length = held.len() - begun.at;
            if let Some(sequence) = sorted[begun.low..begun.high].first()
                && sequence.len() == length
                && complete.is_none()
            {
                complete = Some((begun.at, sequence.clone()));
            }
            begun.low < begun.high
        });
        complete
    }

    /// The text held back: the end has come, so it was no stop sequence.
    pub(super) fn finish(&mut self) -> String {
        self.begun.clear();
        std::mem::take(&mut self.held)
    }
}
