//! A guardrail's own words.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use unicode_normalization::char::is_combining_mark;

use super::fold::{self, is_invisible, latin, mark, plain};
use super::{Hit, List};

/// Stand before and behind each token of folded text, so that a word only matches whole tokens and one search does.
const BEGIN: u8 = 1;
const END: u8 = 2;
/// More accents on one letter than any language writes are there to disguise it.
const MAX_MARKS: usize = 2;

/// Whether a character belongs to the word around it: not the apostrophe that counts as a letter.
fn is_part(letter: char) -> bool {
    fold::is_part(letter) && mark(letter) == letter
}

/// Whether a word is nothing once it is folded, and so would never be found.
pub fn is_blank(word: &str) -> bool {
    Folded::new(word).bytes.trim_ascii().is_empty()
}

/// The words, compiled.
#[derive(Debug)]
pub struct Custom {
    words: AhoCorasick,
    /// Which word a pattern is: those that fold to nothing are none.
    places: Vec<usize>,
}

impl Custom {
    /// None where there are no words.
    pub fn new(words: &[&str]) -> Option<Self> {
        let mut places = Vec::new();
        let mut patterns = Vec::new();
        for (place, word) in words.iter().enumerate() {
            let folded = Folded::new(word).bytes;
            let pattern = folded.trim_ascii().to_vec();
            if !pattern.is_empty() {
                patterns.push(pattern);
                places.push(place);
            }
        }
        let mut builder = AhoCorasick::builder();
        // One kind for ten words and ten thousand, so that the time does not depend on how many there are.
        let builder =
            builder.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA)).prefilter(false);
        let words = builder.build(patterns).ok()?;
        (!places.is_empty()).then_some(Self { words, places })
    }

    /// Adds the words in `text`.
    pub fn find(&self, text: &str, hits: &mut Vec<Hit>) {
        let folded = Folded::new(text);
        for found in self.words.find_iter(&folded.bytes) {
            if let Some(range) = folded.original(found.start(), found.end()) {
                hits.push(Hit { range, list: List::Custom(self.places[found.pattern()]) });
            }
        }
    }
}

/// Folded text, and where its tokens stand in the text.
struct Folded {
    bytes: Vec<u8>,
    /// Folded and original places at which something begins, in order.
    starts: Vec<(usize, usize)>,
    /// The same for ends.
    ends: Vec<(usize, usize)>,
}

impl Folded {
    fn new(text: &str) -> Self {
        let mut folded = Self {
            bytes: Vec::with_capacity(text.len() * 3 / 2),
            starts: Vec::with_capacity(text.len() / 4),
            ends: Vec::with_capacity(text.len() / 4),
        };
        let mut letters = text.char_indices().peekable();
        let mut token = String::new();
        while let Some(&(at, letter)) = letters.peek() {
            if is_part(letter) {
                token.clear();
                let mut end = at;
                let mut marks = 0;
                while let Some((at, letter)) = letters.next_if(|(_, letter)| is_part(*letter) || is_invisible(*letter))
                {
                    if is_invisible(letter) {
                        continue;
                    }
                    end = at + letter.len_utf8();
                    if is_combining_mark(letter) {
                        marks += 1;
                        if marks > MAX_MARKS {
                            // Neither this one nor those before it.
                            while token.chars().next_back().is_some_and(is_combining_mark) {
                                token.pop();
                            }
                            continue;
                        }
                    } else {
                        marks = 0;
                    }
                    plain(letter, |part| token.push(part));
                }
                folded.token(&token, at, end);
                continue;
            }
            letters.next();
            if is_invisible(letter) {
                continue;
            }
            if letter.is_whitespace() {
                if folded.bytes.last() != Some(&b' ') {
                    folded.bytes.push(b' ');
                }
                continue;
            }
            folded.starts.push((folded.bytes.len(), at));
            plain(mark(letter), |part| folded.bytes.extend_from_slice(part.encode_utf8(&mut [0; 4]).as_bytes()));
            folded.ends.push((folded.bytes.len(), at + letter.len_utf8()));
        }
        folded
    }

    fn token(&mut self, token: &str, start: usize, end: usize) {
        self.starts.push((self.bytes.len(), start));
        self.bytes.push(BEGIN);
        // Letters that only look Latin are taken for Latin where others of the word are.
        let mixed = !token.is_ascii() && token.bytes().any(|byte| byte.is_ascii_alphabetic());
        if mixed {
            for letter in token.chars() {
                let letter = latin(letter).unwrap_or(letter);
                self.bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        } else {
            // Greek writes another sigma at a word's end, but not in capitals.
            self.bytes.extend_from_slice(token.replace('ς', "σ").as_bytes());
        }
        self.bytes.push(END);
        self.ends.push((self.bytes.len(), end));
    }

    /// What a stretch of folded text is in the text. None where it begins or ends within something.
    fn original(&self, start: usize, end: usize) -> Option<std::ops::Range<usize>> {
        let start = self.starts.binary_search_by_key(&start, |(folded, _)| *folded).ok()?;
        let end = self.ends.binary_search_by_key(&end, |(folded, _)| *folded).ok()?;
        Some(self.starts[start].1..self.ends[end].1)
    }
}
