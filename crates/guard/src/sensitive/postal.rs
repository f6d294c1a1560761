//! Addresses by their form alone: a number and a street in the order that a language writes them, a box.

use super::foreign;
use super::lexicon;
use super::tokens::{Shape, Token};

/// Kinds of street behind the name, in English.
const BEHIND: &str = " street avenue ave road rd lane boulevard blvd terrace crescent mews ";
/// Kinds of street between number and name, in French.
const BETWEEN: &str = " rue avenue av boulevard bd place chemin quai impasse allée route cours passage square ";
/// Kinds of street before name and number, in Italian, Spanish and Portuguese.
const BEFORE: &str = " via viale piazza corso vicolo largo calle avenida paseo plaza ronda rua praça travessa alameda ";
/// How a German street's name ends: surely, or where a town follows.
const ENDINGS: [&str; 5] = ["straße", "strasse", "gasse", "allee", "str"];
const TOWN_ENDINGS: [&str; 5] = ["platz", "weg", "ring", "damm", "ufer"];
const PARTICLES: &str = " de du des d la le les l el los las del della dei di do da dos das y et e san santa bis ter ";
/// More words than a street's name has.
const MOST: usize = 6;

/// Labels what has the form of an address in `labels`: 3 where it begins, 4 inside.
pub fn label(text: &str, tokens: &[Token], labels: &mut [u8]) {
    let mut at = 0;
    while at < tokens.len() {
        let seen = Seen { text, tokens };
        let found = if may_begin(&tokens[at]) { seen.street(at).or_else(|| seen.boxed(at)) } else { None };
        let Some((first, last)) = found else {
            at += 1;
            continue;
        };
        let last = seen.town(last + 1).unwrap_or(last);
        // "in der Berliner Straße"
        if first > 0 && tokens[first - 1].shape == Shape::Lower && foreign::is_common(&tokens[first - 1]) {
            labels[first - 1] = 0;
        }
        let joined = first > 0 && matches!(labels[first - 1], 3 | 4);
        for label in &mut labels[first..=last] {
            *label = 4;
        }
        labels[first] = if joined { 4 } else { 3 };
        // What the model found right behind belongs to it.
        let comma = seen.is(last + 1, ",");
        let next = last + 1 + usize::from(comma);
        if matches!(labels.get(next), Some(3 | 4)) {
            for label in &mut labels[last + 1..=next] {
                *label = 4;
            }
        }
        at = last + 1;
    }
}

/// Whether what the model takes for an address may be one: a date is none, and German, where every noun has a capital,
/// wants a street or a town's number.
pub fn is_address(text: &str, tokens: &[Token], first: usize, last: usize) -> bool {
    let part = &tokens[first..=last];
    let written = |token: &Token| text[token.range.clone()].to_lowercase();
    let street = |token: &Token| {
        token.classes & lexicon::STREET != 0
            || ENDINGS.iter().chain(&TOWN_ENDINGS).any(|ending| written(token).ends_with(ending))
    };
    let code = |token: &Token| token.shape == Shape::Digits && token.length == 5;
    let placed = part.iter().any(|token| street(token) || code(token));
    let dated = part.iter().any(|token| token.classes & lexicon::DATE != 0 || foreign::is_common(token));
    placed || !dated && !foreign::is_german(tokens, first, last)
}

/// Whether an address may begin with a word, or a German one has its street there: most words are passed over.
fn may_begin(token: &Token) -> bool {
    let end = token.suffix.to_be_bytes();
    let german = [&b"\xc3\x9fe"[..], b"sse", b"lee", b"str", b"atz", b"weg", b"ing", b"amm", b"fer"];
    matches!(token.shape, Shape::Digits | Shape::Alnum)
        || token.classes & lexicon::STREET != 0
        || german.contains(&&end[1..])
        || ["p", "po", "postfach"].iter().any(|word| lexicon::hash(word) == token.hash)
}

struct Seen<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl Seen<'_> {
    fn word(&self, at: usize) -> String {
        self.tokens.get(at).and_then(|token| self.text.get(token.range.clone())).unwrap_or_default().to_lowercase()
    }

    fn is(&self, at: usize, written: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| !token.breaks) && self.word(at) == written
    }

    fn listed(&self, at: usize, list: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.shape != Shape::Mark)
            && list.contains(&format!(" {} ", self.word(at)))
    }

    fn title(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| !token.breaks && matches!(token.shape, Shape::Title | Shape::Mixed | Shape::Initial))
    }

    /// The number of a house: "12", "221B", "12 a".
    fn house(&self, at: usize) -> Option<usize> {
        let token = self.tokens.get(at)?;
        let written = self.word(at);
        let form = matches!(token.shape, Shape::Digits | Shape::Alnum)
            && written.len() <= 5
            && written.starts_with(|first: char| first.is_ascii_digit())
            && written.bytes().filter(u8::is_ascii_alphabetic).count() <= 1;
        // Within "1.5", "$12" and "10:30" stands no house.
        let glued =
            token.glued && !matches!(self.word(at.wrapping_sub(1)).as_str(), "(" | "\"" | "'" | ">" | "," | ";" | "|");
        let on = self.tokens.get(at + 1).is_some_and(|next| {
            next.glued
                && !matches!(self.word(at + 1).as_str(), "," | "." | ";" | ")" | "\"" | "'" | "!" | "?" | "|" | "<")
        });
        (form && !glued && !on).then_some(at)
    }

    fn street(&self, at: usize) -> Option<(usize, usize)> {
        self.german(at).or_else(|| self.named_last(at)).or_else(|| self.numbered(at))
    }

    /// "10 Downing Street", "5 avenue Foch".
    fn numbered(&self, at: usize) -> Option<(usize, usize)> {
        self.house(at)?;
        let year = matches!(self.word(at).parse::<u32>(), Ok(1900..=2099));
        let mut next = at + 1;
        while (next - at) <= 3 && self.title(next) && !year {
            next += 1;
            if next - at >= 2 && self.title(next) && self.listed(next, BEHIND) {
                return Some((at, next));
            }
        }
        next = at + 1 + usize::from(self.is(at + 1, ","));
        next += usize::from(self.listed(next, " bis ter "));
        if !self.listed(next, BETWEEN) {
            return None;
        }
        self.name(next + 1).map(|last| (at, last))
    }

    /// The end of a name of particles and words with a capital.
    fn name(&self, at: usize) -> Option<usize> {
        let mut last = None;
        for next in at..at + MOST {
            if self.title(next) {
                last = Some(next);
            } else if !(self.listed(next, PARTICLES) || ["'", "’", "-"].iter().any(|mark| self.is(next, mark))) {
                break;
            }
        }
        last
    }

    /// "Via Roma 10", "Calle de Alcalá, 45".
    fn named_last(&self, at: usize) -> Option<(usize, usize)> {
        if !self.listed(at, BEFORE) || !matches!(self.tokens[at].shape, Shape::Title) {
            return None;
        }
        let last = self.name(at + 1)?;
        let number = last + 1 + usize::from(self.is(last + 1, ","));
        self.tokens.get(number).filter(|token| !token.breaks)?;
        self.house(number).map(|number| (at, number))
    }

    /// "Hauptstraße 12", "Berliner Str. 5", "Alexanderplatz 1, 10178 Berlin".
    fn german(&self, at: usize) -> Option<(usize, usize)> {
        if !self.title(at) && !self.tokens[at].breaks {
            return None;
        }
        let word = self.word(at);
        let sure = ENDINGS.iter().any(|ending| word.ends_with(ending));
        let town = TOWN_ENDINGS.iter().any(|ending| word.ends_with(ending) && word.len() > ending.len() + 2);
        if !(sure || town) || word == "str" && at == 0 {
            return None;
        }
        let number = at + 1 + usize::from(word.ends_with("str") && self.is(at + 1, "."));
        self.tokens.get(number).filter(|token| !token.breaks)?;
        let last = self.house(number)?;
        // "Straße" has its name before it.
        let bare = ENDINGS.contains(&word.as_str());
        if bare && !(at > 0 && self.title(at - 1)) || town && self.town(last + 1).is_none() {
            return None;
        }
        Some((at - usize::from(bare), last))
    }

    /// The end of ", 10115 Berlin" or ", 75116 Paris, France".
    fn town(&self, at: usize) -> Option<usize> {
        let code = at + usize::from(self.is(at, ","));
        let token = self.tokens.get(code)?;
        let digits = token.shape == Shape::Digits && matches!(token.length, 4 | 5) && !(token.breaks && code == at);
        if !digits || !self.title(code + 1) {
            return None;
        }
        let mut last = code + 1;
        while last - code < 3 && self.title(last + 1) && !self.tokens[last + 1].glued {
            last += 1;
        }
        let land = self.tokens.get(last + 2).is_some_and(|token| token.classes & lexicon::PLACE != 0);
        Some(if self.is(last + 1, ",") && land && self.title(last + 2) { last + 2 } else { last })
    }

    /// "P.O. Box 1234", "Postfach 12 34".
    fn boxed(&self, at: usize) -> Option<(usize, usize)> {
        let word = self.word(at);
        let mut next = at + 1;
        match word.as_str() {
            "p" => {
                next += usize::from(self.is(next, "."));
                if !self.is(next, "o") {
                    return None;
                }
                next += 1;
                next += usize::from(self.is(next, "."));
                if !self.is(next, "box") {
                    return None;
                }
                next += 1;
            }
            "po" if self.is(next, "box") => next += 1,
            "postfach" => {}
            _ => return None,
        }
        let number = self.tokens.get(next).is_some_and(|token| token.shape == Shape::Digits && !token.breaks);
        number.then_some((at, next))
    }
}
