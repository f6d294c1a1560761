//! Where sentences end.
//!
//! Sentences are quoted as answers: no command, name or number may be cut, so that where it is not clear whether one ends,
//! it does not. Claims are only compared with one another, and cut finer: at semicolons, inside of quotes, and where a
//! full stop stands without a space.

use std::ops::Range;

#[cfg(test)]
mod tests;

/// A longer claim is cut at a space: a list without full stops is many claims, and alignment costs the square of one.
const LONGEST_CLAIM: usize = 500;
/// A longer sentence is cut at a space, in bytes: no command is so long.
const LONGEST: usize = 4_000;
/// Where a quote or a bracket does not end within so many bytes of its line, it is none.
const QUOTED: usize = 300;
/// The same of code between backticks.
const CODE: usize = 1_000;

/// How long lines are, in bytes, that are broken to fit a width. Longer ones are paragraphs.
const WIDTH: Range<usize> = 50..130;
/// Lines on either side that are looked at to tell whether one is broken to fit a width.
const NEIGHBOURS: usize = 8;

/// The sentences of `text`, in bytes, without the space around them.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    cut(text, false)
}

/// The claims of `text`, in bytes, without the space around them.
pub(super) fn claims(text: &str) -> Vec<Range<usize>> {
    cut(text, true)
}

fn cut(text: &str, fine: bool) -> Vec<Range<usize>> {
    let shouting = fine && !text.chars().any(char::is_uppercase);
    let mut found = Vec::new();
    let mut start = 0;
    // Nothing ends before this byte.
    let mut whole = 0;
    let mut chars = text.char_indices().peekable();
    let mut before = (' ', ' ');
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        let end = at + c.len_utf8();
        if !fine && at >= whole {
            whole = closed(text, at, c, before.1).unwrap_or(at);
        }
        let stop = || Stop { text, start, at, before, next, shouting, fine };
        let ends = match c {
            _ if end < whole => false,
            // A quote or a bracket that holds the end of a sentence ends it, too.
            _ if end == whole => c != '`' && matches!(before.1, '.' | '!' | '?') && stop().begins(true),
            '\n' => fine || before.1 != '\\' && !wraps(text, at),
            '。' | '！' | '？' | '•' => true,
            ';' => fine && next.is_none_or(char::is_whitespace),
            '!' | '?' if fine => next.is_none_or(char::is_whitespace),
            '!' | '?' => stop().begins(true),
            '.' => stop().full(),
            _ => c.is_whitespace() && end - start > if fine { LONGEST_CLAIM } else { LONGEST },
        };
        if ends {
            push(text, start..end, &mut found);
            start = end;
        }
        before = (before.1, c);
    }
    push(text, start..text.len(), &mut found);
    found
}

fn push(text: &str, range: Range<usize>, into: &mut Vec<Range<usize>>) {
    let part = &text[range.clone()];
    if part.chars().any(char::is_alphanumeric) {
        let start = range.start + (part.len() - part.trim_start().len());
        into.push(start..start + part.trim().len());
    }
}

/// Words that prose has in every line, and code has not.
#[rustfmt::skip]
const PROSE: [&str; 29] = [
    "a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "for", "from", "has", "if", "in", "is", "it", "not",
    "of", "on", "or", "that", "the", "this", "to", "when", "which", "will", "with",
];

/// Whether the line that ends at `at` is broken to fit a width, so that its sentence goes on in the next one: the lines
/// around it are as full as that width lets them be, and none looks like code; or these two are prose, in the middle of
/// a sentence, and nearly as full.
fn wraps(text: &str, at: usize) -> bool {
    let above = text[..at].rsplit('\n').take(NEIGHBOURS);
    // An item is the first line of its block, and nothing before it belongs there.
    let mut block: Vec<&str> = Vec::new();
    for line in above.take_while(|line| !line.trim().is_empty()) {
        block.push(line);
        if is_item(line) {
            break;
        }
    }
    block.reverse();
    let here = block.len();
    let below = text[at + 1..].split('\n').take(NEIGHBOURS);
    block.extend(below.take_while(|line| !line.trim().is_empty() && !is_item(line)));
    let longest = block.iter().map(|line| line.len()).max().unwrap_or_default();
    let first = |line: &str| line.split_whitespace().next().map_or(0, str::len);
    let full = |pair: &[&str]| pair[0].len() + 1 + first(pair[1]) > longest;
    if here == 0 || block.len() == here || !WIDTH.contains(&longest) {
        return false;
    }
    let (line, next) = (block[here - 1], block[here]);
    goes_on(line, next) && (full(&[line, next]) || line.len() * 4 > longest * 3 && !begins_big(next))
        || block.windows(2).all(full) && !block.iter().any(|line| is_code(line))
}

/// Whether a sentence may go on from one line to the next: it has not ended, and both are prose.
fn goes_on(line: &str, next: &str) -> bool {
    let words = line.split(' ').chain(next.split(' '));
    let marked = next.trim_start().starts_with(['#', '|', '$', '>', '-', '=', '~', '<', '.', '+']);
    !line.trim_end().ends_with(['.', '!', '?', ':', ';', '|'])
        && !marked
        && words.filter(|word| PROSE.contains(&word.to_lowercase().as_str())).count() > 1
}

fn begins_big(line: &str) -> bool {
    line.trim_start().starts_with(char::is_uppercase)
}

/// Whether a line is an item of a list.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "+ ", "• "].iter().any(|mark| line.starts_with(mark))
        || rest.len() < line.len() && (rest.starts_with(". ") || rest.starts_with(") "))
}

/// Whether a line is none of prose: code that is indented or aligned, a prompt, an option, a heading, what underlines one.
fn is_code(line: &str) -> bool {
    let option = |word: &str| word.strip_prefix("--").is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    line.starts_with("    ")
        || line.starts_with(['\t', '#', '|', '$', '>'])
        || line.trim().contains("   ")
        || line.split_whitespace().any(option)
        || !line.contains(char::is_alphanumeric)
}

/// Behind which byte the code, the quote or the bracket ends that opens at `at`.
fn closed(text: &str, at: usize, c: char, last: char) -> Option<usize> {
    if c == '`' {
        return if last == '`' { None } else { code(text, at) };
    }
    let opens = !last.is_alphanumeric();
    let closing: &[char] = match c {
        '(' => &[')'],
        '[' => &[']'],
        '{' => &['}'],
        '（' => &['）'],
        '「' => &['」'],
        '『' => &['』'],
        '«' => &['»'],
        '„' => &['“', '”'],
        '“' if opens => &['”'],
        '"' if opens => &['"'],
        // Elsewhere it is an apostrophe.
        '\'' if last.is_whitespace() || matches!(last, '(' | '[' | '=') => &['\''],
        _ => return None,
    };
    let mut open = 0;
    let mut chars = text[at..].char_indices().take_while(|&(ahead, other)| ahead <= QUOTED && other != '\n').peekable();
    while let Some((ahead, other)) = chars.next() {
        let followed = chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if ahead > 0 && closing.contains(&other) && !(matches!(c, '"' | '\'') && followed) {
            open -= 1;
            if open == 0 {
                return Some(at + ahead + other.len_utf8());
            }
        } else if ahead == 0 || other == c && !matches!(c, '"' | '\'') {
            open += 1;
        }
    }
    None
}

/// Behind which byte the code ends whose backticks begin at `at`: as many close it, in the same paragraph (CommonMark),
/// or anywhere where they fence lines.
fn code(text: &str, at: usize) -> Option<usize> {
    let run = |text: &str| text.len() - text.trim_start_matches('`').len();
    let ticks = run(&text[at..]);
    let mut from = at + ticks;
    while let Some(ahead) = text[from..].find('`') {
        let to = from + ahead;
        if to - at > CODE || ticks < 3 && text[from..to].contains("\n\n") {
            return None;
        }
        let closing = run(&text[to..]);
        if closing == ticks {
            return Some(to + closing);
        }
        from = to + closing;
    }
    None
}

/// Signs that stand before a full stop in paths, patterns and options, and not at the end of a sentence.
fn is_sign(c: char) -> bool {
    c.is_whitespace() || "./\\*-_~=|&<>$".contains(c)
}

/// A full stop, a question mark or an exclamation mark, and what stands around it.
struct Stop<'a> {
    text: &'a str,
    /// Where the sentence begins.
    start: usize,
    at: usize,
    before: (char, char),
    next: Option<char>,
    /// There are no capitals to tell a beginning by.
    shouting: bool,
    fine: bool,
}

impl Stop<'_> {
    /// Whether this full stop ends a sentence: not after an initial or an abbreviation, not inside a number, and only
    /// where what follows looks like a beginning. Retrieved chunks are often joined without a space.
    fn full(&self) -> bool {
        let (last_but_one, last) = self.before;
        let Some(next) = self.next else { return true };
        if !next.is_whitespace() {
            return self.fine && next.is_uppercase() && last.is_lowercase() && last_but_one.is_lowercase();
        }
        if self.fine && last.is_whitespace() {
            return true;
        }
        if !self.fine && is_sign(last) {
            return self.begins(true);
        }
        let text = &self.text[self.start..self.at];
        let place = text.rfind(|c: char| c.is_whitespace() || c == '(').map_or(0, |space| space + 1);
        let (earlier, word) = text.split_at(text.ceil_char_boundary(place));
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let follows = self.rest().split_whitespace().next().unwrap_or_default();
        let letters = word.chars().count();
        let initial = letters == 1 && last.is_uppercase() || word.contains('.') && word.contains(char::is_alphabetic);
        // "z. B.", "u. a.", "i. d. R."
        let chained = letters == 1
            && last.is_alphabetic()
            && (is_letter(follows) || is_letter(earlier.split_whitespace().next_back().unwrap_or_default()));
        if initial || chained || abbreviates(&word, follows) || is_ordinal(&word, earlier, follows) {
            return false;
        }
        self.begins(false)
    }

    fn rest(&self) -> &str {
        let end = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.text[self.at + end..].trim_start()
    }

    /// Whether a sentence may begin behind: not with a small letter, and, where it must be certain, with nothing but a
    /// capital, a number, or a letter of a script without capitals.
    fn begins(&self, certain: bool) -> bool {
        if self.next.is_some_and(|next| !next.is_whitespace()) {
            return false;
        }
        let quoted = |c: char| matches!(c, '"' | '\'' | '`' | '“' | '„' | '‘' | '«' | '(' | '[' | '「' | '（');
        let rest = if certain { self.rest().trim_start_matches(quoted) } else { self.rest() };
        let looks = |c: char| !c.is_lowercase() && (!certain || c.is_alphanumeric());
        self.next == Some('\n') || rest.chars().next().is_none_or(looks) || self.shouting
    }
}

/// A letter and a full stop.
fn is_letter(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some('.')
}

/// Whether `word`, in small letters, is cut short by its full stop.
fn abbreviates(word: &str, follows: &str) -> bool {
    const ALWAYS: &[&str] = &[
        "mr", "mrs", "ms", "dr", "st", "prof", "jr", "sr", "vs", "inc", "ltd", "co", "corp", "gen", "col", "lt", "sgt",
        "capt", "rev", "hon", "gov", "sen", "rep", "e.g", "i.e", "cf", "fig", "figs", "approx", "ca", "al", "dept",
        "bzw", "ggf", "evtl", "inkl", "exkl", "vgl", "sog", "geb", "zzgl",
    ];
    // "The answer is no. Ask again."
    const BEFORE_NUMBERS: &[&str] = &[
        "no", "nos", "nr", "abs", "art", "bd", "ch", "eq", "kap", "max", "min", "pp", "sec", "str", "tel", "vol",
        "ziff",
    ];
    ALWAYS.contains(&word) || BEFORE_NUMBERS.contains(&word) && follows.contains(|c: char| c.is_ascii_digit())
}

/// Whether the number `word` is a list's mark, or counts in German: "am 3. März", "im 19. Jahrhundert".
fn is_ordinal(word: &str, earlier: &str, follows: &str) -> bool {
    const ARTICLES: &[&str] = &[
        "der", "die", "das", "dem", "den", "des", "am", "im", "vom", "zum", "zur", "beim", "ab", "bis", "seit",
        "jeder", "jede", "jedes", "jeden",
    ];
    const MONTHS: &[&str] = &[
        "januar",
        "jänner",
        "februar",
        "märz",
        "april",
        "mai",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "dezember",
        "jan",
        "feb",
        "mär",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "okt",
        "nov",
        "dez",
    ];
    if !(1..=3).contains(&word.len()) || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let Some(before) = earlier.split_whitespace().next_back() else { return true };
    let month = follows.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    word.len() <= 2 && (ARTICLES.contains(&before.to_lowercase().as_str()) || MONTHS.contains(&month.as_str()))
}
