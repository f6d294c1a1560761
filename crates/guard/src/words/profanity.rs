//! The managed list of profanity, found also where it is disguised: by case, repeated letters, digits and marks for
//! letters, look-alikes, invisible characters, accents, and letters that are parted.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::fold::{is_invisible, latin, plain};
use super::{Hit, List};

/// The list: a word or phrase a line. `~` is before those that are also names and do not count with a capital, `-` before
/// words that only look like one of the list once folded.
const LIST: &str = include_str!("../../weights/profanity.txt");
/// The longest token that is looked at, in letters.
const MAX_LETTERS: usize = 40;
/// The most words a phrase has.
const MAX_WORDS: usize = 5;

/// A word's letters without repetitions, and how often each stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Skeleton {
    key: u64,
    runs: Vec<u8>,
    last: u8,
}

impl Skeleton {
    fn push(&mut self, letter: u8) {
        if letter == self.last {
            if let Some(run) = self.runs.last_mut() {
                *run = run.saturating_add(1);
            }
            return;
        }
        self.last = letter;
        self.key = (self.key ^ u64::from(letter)).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        self.runs.push(1);
    }

    fn of(word: &str) -> Self {
        let mut skeleton = Self::default();
        word.bytes().for_each(|letter| skeleton.push(letter));
        skeleton
    }

    /// Whether this is `word` with letters repeated at most.
    fn stretches(&self, word: &[u8]) -> bool {
        self.runs.len() == word.len() && self.runs.iter().zip(word).all(|(here, there)| here >= there)
    }
}

/// How a word of the list is spelled, and whether it is a name with a capital.
#[derive(Debug)]
struct Entry {
    runs: Vec<u8>,
    name: bool,
}

#[derive(Debug, Default)]
struct Lists {
    /// Words and phrases by their skeleton; the words of a phrase are parted by one space.
    entries: HashMap<u64, Vec<Entry>>,
    /// Skeletons that begin a phrase.
    begins: HashSet<u64>,
    harmless: HashSet<String>,
    /// Lines with marks: they count as they are.
    literal: HashSet<String>,
}

fn lists() -> &'static Lists {
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| read(LIST))
}

fn read(list: &str) -> Lists {
    let mut lists = Lists::default();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        if let Some(word) = line.strip_prefix('-') {
            lists.harmless.insert(word.to_owned());
            continue;
        }
        let name = line.starts_with('~');
        let word = line.trim_start_matches('~');
        if !word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' ') {
            lists.literal.insert(word.to_owned());
            continue;
        }
        if let Some((first, _)) = word.split_once(' ') {
            lists.begins.insert(Skeleton::of(first).key);
        }
        let skeleton = Skeleton::of(word);
        lists.entries.entry(skeleton.key).or_default().push(Entry { runs: skeleton.runs, name });
    }
    lists
}

/// A stretch of letters, digits and marks that may be letters.
#[derive(Debug, Clone, Default)]
struct Piece {
    start: usize,
    end: usize,
    /// Small Latin letters; digits and marks as they are.
    letters: Vec<u8>,
    /// Whether digits or marks may stand for letters.
    coded: bool,
    /// Whether it is written "Like" this.
    title: bool,
    /// The mark before it, if nothing else is; a space counts.
    after: u8,
}

/// Adds the profanity in `text`, in order, none inside another.
pub fn find(text: &str, hits: &mut Vec<Hit>) {
    find_in(lists(), text, hits);
}

/// Which of `words` a list would find.
pub fn found_by(list: &str, words: &[&str]) -> Vec<bool> {
    let lists = read(list);
    let found = |word: &&str| {
        let mut hits = Vec::new();
        find_in(&lists, word, &mut hits);
        !hits.is_empty()
    };
    words.iter().map(found).collect()
}

fn find_in(lists: &Lists, text: &str, hits: &mut Vec<Hit>) {
    let mut finder = Finder { lists, text, pieces: Vec::new(), hits, end: 0 };
    let mut piece = Piece::default();
    let mut gap = 0_u8;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if is_invisible(letter) || unicode_normalization::char::is_combining_mark(letter) {
            continue;
        }
        let begins = piece.letters.is_empty();
        let before = piece.letters.len();
        if letter.is_ascii_alphabetic() {
            piece.letters.push(letter.to_ascii_lowercase() as u8);
            piece.title = if begins { letter.is_ascii_uppercase() } else { piece.title && letter.is_ascii_lowercase() };
        } else if letter.is_ascii_digit()
            || (is_code(letter)
                && (!begins
                    || letter != '*'
                        && letters.peek().is_some_and(|(_, next)| next.is_alphanumeric() || is_code(*next))))
        {
            piece.letters.push(letter as u8);
            piece.coded = true;
        } else if letter.is_ascii() {
            finder.piece(&mut piece, &mut gap);
            gap = match (gap, letter) {
                (0, ' ' | '.' | '-' | '_' | '*' | '~' | '\'' | '/' | '\\' | ',') => letter as u8,
                _ => b'\n',
            };
            if letter.is_ascii_whitespace() && letter != ' ' {
                gap = b'\n';
            }
            continue;
        } else {
            match letter {
                '€' => piece.letters.push(b'e'),
                '£' => piece.letters.push(b'l'),
                letter => plain(letter, |part| {
                    if part.is_ascii_alphanumeric() {
                        piece.letters.push(part as u8);
                    } else if let Some(looks) = latin(part) {
                        piece.letters.push(looks as u8);
                    }
                }),
            }
            if piece.letters.len() == before {
                finder.piece(&mut piece, &mut gap);
                gap = b'\n';
                let written = letter.encode_utf8(&mut [0; 4]).to_owned();
                if lists.literal.contains(&written) {
                    finder.hit(at, at + letter.len_utf8());
                }
                continue;
            }
            piece.title = false;
        }
        if begins {
            piece.start = at;
            piece.after = gap;
        }
        piece.end = at + letter.len_utf8();
    }
    finder.piece(&mut piece, &mut gap);
    finder.singles();
}

/// Marks that stand for letters.
fn is_code(letter: char) -> bool {
    matches!(letter, '@' | '$' | '!' | '+' | '|' | '*')
}

struct Finder<'a, 'h> {
    lists: &'a Lists,
    text: &'a str,
    /// Pieces that may still be part of a phrase or of parted letters.
    pieces: Vec<Piece>,
    hits: &'h mut Vec<Hit>,
    /// Where the last hit ends.
    end: usize,
}

impl Finder<'_, '_> {
    fn hit(&mut self, start: usize, end: usize) {
        if start >= self.end {
            self.hits.push(Hit { range: start..end, list: List::Profanity });
            self.end = end;
        }
    }

    /// The next piece.
    fn piece(&mut self, piece: &mut Piece, gap: &mut u8) {
        if piece.letters.is_empty() {
            return;
        }
        let mut piece = std::mem::take(piece);
        *gap = 0;
        if piece.coded && std::str::from_utf8(&piece.letters).is_ok_and(|word| self.lists.literal.contains(word)) {
            self.hit(piece.start, piece.end);
        }
        // A mark at the end ends a sentence.
        while piece.letters.len() > 1
            && piece.letters.last().is_some_and(|last| matches!(last, b'!' | b'+' | b'|' | b'*'))
        {
            piece.letters.pop();
            piece.end -= 1;
        }
        let single = piece.letters.len() == 1;
        let goes_on = single
            && self.pieces.last().is_none_or(|last| {
                last.letters.len() == 1 && piece.after != b'\n' && (self.pieces.len() == 1 || piece.after == last.after)
            });
        if single && goes_on && self.pieces.len() < 2 * MAX_LETTERS {
            self.pieces.push(piece);
            return;
        }
        if self.pieces.last().is_some_and(|last| last.letters.len() == 1) {
            self.singles();
        }
        if single {
            self.pieces.clear();
            self.pieces.push(piece);
            return;
        }
        if piece.after == b'\n' {
            self.pieces.clear();
        }
        let found = self.known(&piece.letters, piece.title, piece.coded);
        if found {
            self.hit(piece.start, piece.end);
        }
        self.pieces.push(piece);
        self.joined();
        self.phrase();
        let keep = self.pieces.len().saturating_sub(MAX_WORDS - 1);
        self.pieces.drain(..keep);
    }

    /// Whether these letters are a word of the list.
    fn known(&self, letters: &[u8], title: bool, coded: bool) -> bool {
        if letters.len() > MAX_LETTERS {
            return false;
        }
        if !coded {
            return self.listed(letters, title);
        }
        let digits = letters.iter().filter(|letter| letter.is_ascii_digit()).count();
        if digits * 2 > letters.len() || !letters.iter().any(u8::is_ascii_alphabetic) {
            return false;
        }
        // Numbers in base 16 are none either.
        if letters.len() <= 4 && letters.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        [b'i', b'l'].into_iter().any(|one| {
            let decoded: Vec<u8> = letters.iter().map(|letter| decode(*letter, one)).collect();
            self.listed(&decoded, false)
        })
    }

    fn listed(&self, letters: &[u8], title: bool) -> bool {
        let mut skeleton = Skeleton::default();
        letters.iter().for_each(|letter| skeleton.push(*letter));
        let Some(entries) = self.lists.entries.get(&skeleton.key) else { return false };
        let found = entries.iter().any(|entry| skeleton.stretches(&entry.runs) && !(entry.name && title));
        found && !std::str::from_utf8(letters).is_ok_and(|word| self.lists.harmless.contains(word))
    }

    /// "fu-ck", "sh.it": pieces that one mark parts.
    fn joined(&mut self) {
        let mut from = self.pieces.len() - 1;
        while from > 0 && matches!(self.pieces[from].after, b'.' | b'-' | b'_' | b'*' | b'~' | b'\'') {
            from -= 1;
        }
        let pieces = &self.pieces[from..];
        if pieces.len() < 2 || pieces.iter().any(|piece| piece.coded) {
            return;
        }
        let letters: Vec<u8> = pieces.iter().flat_map(|piece| piece.letters.iter().copied()).collect();
        if letters.len() >= 4 && self.known(&letters, false, false) {
            let (start, end) = (pieces[0].start, pieces[pieces.len() - 1].end);
            self.hit(start, end);
        }
    }

    /// Phrases that end with the last piece.
    fn phrase(&mut self) {
        for from in 0..self.pieces.len().saturating_sub(1) {
            let pieces = &self.pieces[from..];
            let mut first = Skeleton::default();
            pieces[0].letters.iter().for_each(|letter| first.push(*letter));
            if !self.lists.begins.contains(&first.key) {
                continue;
            }
            let mut letters = Vec::new();
            for piece in pieces {
                if !letters.is_empty() {
                    letters.push(b' ');
                }
                letters.extend_from_slice(&piece.letters);
            }
            if self.listed(&letters, false) {
                let (start, end) = (pieces[0].start, pieces[pieces.len() - 1].end);
                return self.hit(start, end);
            }
        }
    }

    /// "f u c k": the single letters so far, which as a whole are a word, or a word and a short one behind it.
    fn singles(&mut self) {
        const BEHIND: [&[u8]; 12] =
            [b"you", b"off", b"me", b"this", b"it", b"that", b"u", b"him", b"her", b"them", b"all", b"ya"];
        let pieces = std::mem::take(&mut self.pieces);
        if pieces.len() < 3 || pieces.iter().any(|piece| piece.letters.len() != 1) {
            return;
        }
        if pieces.iter().filter(|piece| piece.letters[0].is_ascii_alphabetic()).count() * 2 < pieces.len() {
            return;
        }
        let letters: Vec<u8> = pieces.iter().map(|piece| decode(piece.letters[0], b'i')).collect();
        let whole = self.known(&letters, false, false).then_some(pieces.len());
        let split = || {
            BEHIND
                .iter()
                .filter_map(|behind| letters.strip_suffix(*behind))
                .find(|word| word.len() >= 3 && self.known(word, false, false))
                .map(<[u8]>::len)
        };
        if let Some(count) = whole.or_else(split) {
            let (start, end) = (pieces[0].start, pieces[count - 1].end);
            debug_assert!(self.text.is_char_boundary(start) && self.text.is_char_boundary(end));
            self.hit(start, end);
        }
    }
}

/// The letter that a digit or mark stands for.
fn decode(letter: u8, one: u8) -> u8 {
    match letter {
        b'0' => b'o',
        b'1' | b'!' | b'|' => one,
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'6' | b'9' => b'g',
        b'7' | b'+' => b't',
        b'8' => b'b',
        letter => letter,
    }
}
