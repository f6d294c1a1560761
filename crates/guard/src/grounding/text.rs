//! Tokens.

use std::ops::Range;

use super::lexicon::{self, Meaning};
use super::unit;

/// A word, a number or a sign that counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Its stem, or a number's value in one spelling.
    pub stem: String,
    /// Whether it begins with a capital and is not there because a sentence begins.
    pub name: bool,
    /// Whether it begins with a capital.
    pub capital: bool,
    /// Its value, where it is a number.
    pub value: Option<f64>,
    /// What the number counts.
    pub unit: Option<u16>,
    /// Whether it says nothing alone.
    pub empty: bool,
    /// Whether it turns the sentence around.
    pub negation: bool,
    /// Whether the speaker speaks of themselves.
    pub personal: bool,
}

/// The tokens of `text`, whose bytes begin at `offset` of a larger text.
pub(super) fn tokens(text: &str, offset: usize) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::with_capacity(text.len() / 5);
    let mut chars = text.char_indices().peekable();
    let mut first = true;
    // Where a sign of a currency ended, and the numbers that stand behind one.
    let mut sign: Option<(usize, u16)> = None;
    let mut signed: Vec<(usize, u16)> = Vec::new();
    while let Some((start, c)) = chars.next() {
        if !c.is_alphanumeric() {
            let named = unit::unit(c.encode_utf8(&mut [0; 4]));
            match named {
                Some(unit) if c == '%' => percent(unit, start + offset, &mut found),
                Some(unit) => sign = Some((start + c.len_utf8(), unit)),
                None => {}
            }
            continue;
        }
        let digits = c.is_numeric();
        let mut end = start + c.len_utf8();
        let dotted = dotted_half(&text[start..]);
        if dotted {
            chars.next();
            end = chars.next().map_or(end, |(at, m)| at + m.len_utf8());
        }
        while let Some(&(at, next)) = chars.peek().filter(|_| !dotted) {
            let after = text[at + next.len_utf8()..].chars().next();
            let inside = if digits {
                next.is_numeric() || matches!(next, ',' | '.') && after.is_some_and(char::is_numeric)
            } else {
                !single(c)
                    && !single(next)
                    && (next.is_alphanumeric()
                        || matches!(next, '\'' | '’' | '\u{301}') && after.is_some_and(char::is_alphabetic))
            };
            if !inside {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        let range = start..end;
        let mut token = if digits { number(&text[range], start..end) } else { word(&text[range], start..end, first) };
        first = false;
        token.range = token.range.start + offset..token.range.end + offset;
        if let Some((_, unit)) = sign.take().filter(|(end, _)| digits && start <= end + 1) {
            token.unit = Some(unit);
            signed.push((found.len(), unit));
        }
        let lower = text[start..end].to_lowercase();
        join(token, &if dotted { lower.replace('.', "") } else { lower }, &mut found);
    }
    // "$4" is read as it is said: four dollars.
    for (at, unit) in signed.into_iter().rev() {
        if let Some(range) = found.get(at).map(|number| number.range.clone()) {
            found.insert(at + 1, unit_word(unit, range));
        }
    }
    months(text, offset, &mut found);
    // A sentence begins with a capital anyway; two in a row are a name.
    if let [first, second, ..] = &mut found[..]
        && first.capital
        && second.name
    {
        first.name = true;
    }
    found
}

/// Writing without spaces: every character is a word.
fn single(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2ffff}')
}

/// "p.m." and "a.m." are one word each.
fn dotted_half(text: &str) -> bool {
    let mut chars = text.chars().map(|c| c.to_ascii_lowercase());
    let half = matches!(chars.next(), Some('a' | 'p'));
    half && chars.next() == Some('.') && chars.next() == Some('m') && chars.next().is_none_or(|c| !c.is_alphanumeric())
}

/// The sign behind a number.
fn percent(unit: u16, at: usize, found: &mut Vec<Token>) {
    let number = found.last_mut().filter(|last| last.value.is_some() && last.range.end == at);
    if let Some(number) = number {
        number.unit = Some(unit);
        found.push(unit_word(unit, at..at + 1));
    }
}

/// A unit as a word: all its names are one.
fn unit_word(unit: u16, range: Range<usize>) -> Token {
    Token { stem: stem(unit::name(unit)), ..blank(range) }
}

fn blank(range: Range<usize>) -> Token {
    Token {
        range,
        stem: String::new(),
        name: false,
        capital: false,
        value: None,
        unit: None,
        empty: false,
        negation: false,
        personal: false,
    }
}

/// The month that is also a little word: beside the number of a day or a year.
fn months(text: &str, offset: usize, found: &mut [Token]) {
    let valued: Vec<bool> = found.iter().map(|token| token.value.is_some()).collect();
    for (at, token) in found.iter_mut().enumerate().filter(|(_, token)| token.empty && token.stem == "may") {
        let capital = text[token.range.start - offset..].starts_with('M');
        let behind = valued.get(at + 1).copied().unwrap_or_default();
        let before = at > 0 && valued.get(at - 1).copied().unwrap_or_default();
        if behind && (before || capital) {
            (token.empty, token.name, token.capital) = (false, true, true);
        }
    }
}

fn number(text: &str, range: Range<usize>) -> Token {
    let plain: String = thousands(text);
    let value = plain.parse::<f64>().ok().filter(|value| value.is_finite());
    let stem = value.map_or_else(|| plain.clone(), spelled);
    Token { stem, value, ..blank(range) }
}

/// `1,000` and `1.000.000` are groups; `1.5` and `1,5` are fractions.
fn thousands(text: &str) -> String {
    let grouped = |sign: char| {
        let mut groups = text.split(sign);
        let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && group != "0");
        let mut rest = groups.peekable();
        first
            && rest.peek().is_some()
            && rest.all(|group| group.split('.').next().is_some_and(|whole| whole.len() == 3))
    };
    if text.contains(',') {
        return if grouped(',') { text.replace(',', "") } else { text.replace(',', ".") };
    }
    if text.matches('.').count() > 1 && grouped('.') {
        return text.replace('.', "");
    }
    text.to_owned()
}

pub(super) fn spelled(value: f64) -> String {
    format!("#{value}")
}

fn word(text: &str, range: Range<usize>, first: bool) -> Token {
    let lower: String = text.to_lowercase().replace(['\'', '’'], "");
    let possessive = text.to_lowercase();
    let lower = match possessive.strip_suffix("'s").or(possessive.strip_suffix("’s")) {
        Some(owner) => owner.to_owned(),
        None => lower,
    };
    let capital = text.chars().next().is_some_and(char::is_uppercase);
    let meaning = lexicon::meaning(&lower);
    let value = match meaning {
        Some(Meaning::One(value) | Meaning::Ten(value)) => Some(value),
        _ => None,
    };
    // Little words that are a name where they have a capital and no sentence begins.
    let proper = !first && matches!(text, "May" | "Will" | "US" | "WHO");
    let empty = meaning == Some(Meaning::Empty) && !proper;
    Token {
        range,
        stem: value.map_or_else(|| stem(&lower), spelled),
        name: capital && !first && !empty,
        capital: capital && !empty,
        value,
        unit: None,
        empty,
        negation: meaning == Some(Meaning::Negation),
        personal: lexicon::personal(&lower),
    }
}

/// Adds `token`; numbers in several words, scales and units go to the number before them.
fn join(mut token: Token, lower: &str, found: &mut Vec<Token>) {
    if let Some(last) = found.last_mut()
        && let Some(value) = last.value
    {
        let joined = match (lexicon::meaning(lower), token.value) {
            (Some(Meaning::Scale(scale)), _) => Some(value * scale),
            (_, Some(ones))
                if (20.0..100.0).contains(&value)
                    && value % 10.0 == 0.0
                    && (1.0..10.0).contains(&ones)
                    && !last.stem.is_empty()
                    && token.capital == last.capital
                    && lexicon_word(&token, last) =>
            {
                Some(value + ones)
            }
            _ => None,
        };
        if let Some(value) = joined {
            last.value = Some(value);
            last.stem = spelled(value);
            last.range.end = token.range.end;
            return;
        }
        // "3rd" and "1990s" are one word each.
        if last.range.end == token.range.start && matches!(lower, "st" | "nd" | "rd" | "th" | "s" | "") {
            last.range.end = token.range.end;
            return;
        }
        if let Some(unit) = unit::unit(lower).filter(|_| token.range.start <= last.range.end + 1) {
            last.unit.get_or_insert(unit);
            token = unit_word(unit, token.range);
        }
    }
    found.push(token);
}

/// Whether both are number words ("twenty five"), which their lengths tell: digits are as long as their value.
fn lexicon_word(token: &Token, last: &Token) -> bool {
    token.range.len() > 2 && last.range.len() > 2
}

/// A light stemmer: endings that English puts on a word without changing what it is.
pub(super) fn stem(word: &str) -> String {
    let cut = |ending: &str, least: usize| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= least);
    if !word.is_ascii() {
        return word.to_owned();
    }
    let base = cut("ies", 2)
        .or_else(|| cut("ied", 2))
        .map(|rest| format!("{rest}i"))
        .or_else(|| cut("sses", 2).map(|rest| format!("{rest}ss")))
        .or_else(|| cut("ing", 3).map(undouble))
        .or_else(|| cut("ed", 3).map(undouble))
        .or_else(|| cut("es", 3).map(str::to_owned))
        .or_else(|| cut("s", 3).filter(|rest| !rest.ends_with('s') && !rest.ends_with('u')).map(str::to_owned))
        .unwrap_or_else(|| word.to_owned());
    match base.strip_suffix("ly").or(base.strip_suffix('e')) {
        Some(rest) if rest.len() >= 3 => rest.to_owned(),
        _ => match base.strip_suffix('y') {
            Some(rest) if rest.len() >= 3 => format!("{rest}i"),
            _ => base,
        },
    }
}

fn undouble(rest: &str) -> String {
    let mut chars = rest.chars().rev();
    match (chars.next(), chars.next()) {
        (Some(last), Some(before)) if last == before && !matches!(last, 'l' | 's' | 'e' | 'o') => {
            rest[..rest.len() - last.len_utf8()].to_owned()
        }
        _ => rest.to_owned(),
    }
}
