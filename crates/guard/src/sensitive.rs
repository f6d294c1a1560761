//! Sensitive information: PII and regular expressions.
//!
//! Three ways to PII, in this order: what its form and check digit prove (`codes`, `net`, `phone`); what a word
//! before it announces (`cues`, `announced`); and names and addresses, which a small trained model finds in what is
//! left (`tagger`), amended by what is certain of both (`named`, `postal`, `things`, and `foreign` for other languages).
//! Where two overlap the surer one stays.

mod announced;
mod checks;
mod codes;
mod cues;
mod foreign;
mod kinds;
#[doc(hidden)]
pub mod lexicon;
mod named;
mod net;
mod phone;
mod postal;
pub(crate) mod regexes;
#[doc(hidden)]
pub mod tagger;
mod things;
#[doc(hidden)]
pub mod tokens;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

use crate::error::Refused;
use codes::Candidate;
use cues::Cues;
use lexicon::Lexicon;
use tagger::Tagger;

pub use kinds::Pii;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// PII of a kind.
    Pii(Pii),
    /// What an expression matches, by its place.
    Regex(usize),
}

/// Sensitive information in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its bytes, on character boundaries.
    pub range: Range<usize>,
    /// What it is.
    pub what: What,
}

/// The kinds and expressions of a guardrail, ready to be found.
#[derive(Debug, Default)]
pub struct Sensitive {
    kinds: Vec<Pii>,
    tagger: Option<&'static Tagger<'static>>,
    regexes: Vec<Regex>,
}

impl Sensitive {
    /// Looks for `kinds`, and for expressions given as name and pattern.
    pub fn new(kinds: &[Pii], regexes: &[(&str, &str)]) -> Result<Self, Refused> {
        let regexes =
            regexes.iter().map(|(name, pattern)| regexes::compile(name, pattern)).collect::<Result<_, _>>()?;
        // All rules need its lexicon.
        let tagger = if kinds.is_empty() { None } else { Some(Tagger::built_in()?) };
        Ok(Self { kinds: kinds.to_vec(), tagger, regexes })
    }

    /// What is in `text`, in order. PII never overlaps PII and a match of an expression never another of the same; where
    /// an expression's match and PII overlap, both are told.
    pub fn find(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        if let Some(tagger) = self.tagger {
            let tagged = self.kinds.iter().any(|kind| matches!(kind, Pii::Name | Pii::Address | Pii::Age));
            let found = all(text, tagger, tagged).into_iter().filter(|(_, kind)| self.kinds.contains(kind));
            hits.extend(found.map(|(range, kind)| Hit { range, what: What::Pii(kind) }));
        }
        for (place, regex) in self.regexes.iter().enumerate() {
            // An empty match is nothing that could be told or masked.
            let found = regex.find_iter(text).filter(|found| !found.is_empty());
            hits.extend(found.map(|found| Hit { range: found.range(), what: What::Regex(place) }));
        }
        if !self.regexes.is_empty() {
            hits.sort_by_key(|hit| (hit.range.start, hit.range.end));
        }
        hits
    }
}

/// All PII in `text`, in order, none overlapping: also what nobody asked for, so that a social security number does not
/// become a telephone number where only those are looked for.
fn all(text: &str, tagger: &Tagger<'_>, tagged: bool) -> Vec<(Range<usize>, Pii)> {
    let mut known = by_rule(text, tagger.lexicon());
    if !tagged {
        return known;
    }
    let named = tagger.find(text, &known);
    let ages = named.iter().filter_map(|(range, kind)| age_behind(text, range, *kind));
    let ages: Vec<_> =
        ages.filter(|age| !overlaps(&known, age) && !overlaps(&named, age)).map(|age| (age, Pii::Age)).collect();
    known.extend(named);
    known.extend(ages);
    known.sort_by_key(|(range, _)| range.start);
    known
}

/// Whether a range overlaps one of a list that is in order and does not overlap itself.
fn overlaps(sorted: &[(Range<usize>, Pii)], range: &Range<usize>) -> bool {
    let next = sorted.partition_point(|(other, _)| other.end <= range.start);
    sorted.get(next).is_some_and(|(other, _)| other.start < range.end)
}

/// What rules find in `text`, in order, none overlapping.
#[doc(hidden)]
pub fn by_rule(text: &str, lexicon: &Lexicon<'_>) -> Vec<(Range<usize>, Pii)> {
    static CUES: OnceLock<Option<Cues>> = OnceLock::new();
    let mut found = scan(text);
    let taken: Vec<_> = found
        .iter()
        .filter(|candidate| matches!(candidate.kind, Pii::Email | Pii::Url))
        .map(|candidate| candidate.range.clone())
        .collect();
    if let Some(cues) = CUES.get_or_init(Cues::new) {
        let cues = cues.find(text);
        announced::find(text, &cues, &taken, lexicon, &mut found);
    }
    beside_keys_and_cards(text, &mut found);
    apart(found)
}

/// What form and check digit prove, from left to right.
fn scan(text: &str) -> Vec<Candidate> {
    let bytes = text.as_bytes();
    let mut found: Vec<Candidate> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'@' {
            found.extend(net::email(text, at));
        } else if byte == b'+' || byte == b'(' {
            found.extend(
                phone::find(text, at, false)
                    .filter(|_| byte == b'+' || bytes.get(at + 1).is_some_and(u8::is_ascii_digit)),
            );
        } else if byte.is_ascii_alphanumeric() && codes::begins(bytes, at) {
            let before = found.len();
            if byte.is_ascii_digit() {
                codes::numbers(bytes, at, &mut found);
                found.extend(phone::find(text, at, false));
                age_before_unit(text, at, &mut found);
            } else {
                codes::letters(text, at, &mut found);
            }
            if byte.is_ascii_hexdigit() && bytes[at..bytes.len().min(at + 5)].contains(&b':') {
                found.extend(net::ipv6(text, at));
            }
            let secret = net::credentials(text, at);
            found.extend(secret.clone());
            if let Some(secret) = secret {
                // The host and what follows are an address without it.
                let host = secret.range.end + 1;
                let url = net::url(text, at).filter(|url| url.range.end > host);
                found.extend(url.map(|url| Candidate { range: host..url.range.end, ..url }));
                at = secret.range.end;
                continue;
            }
            found.extend(net::url(text, at));
            // An address holds no other, and may be long.
            if let Some(last) =
                found[before..].iter().find(|candidate| candidate.kind == Pii::Url && candidate.sure > 90)
            {
                at = last.range.end;
                continue;
            }
            // To the word's end.
            while at + 1 < bytes.len() && bytes[at + 1].is_ascii_alphanumeric() {
                at += 1;
            }
        }
        at += 1;
    }
    found
}

/// "58 years old", "5-year-old", "34 y/o".
fn age_before_unit(text: &str, at: usize, found: &mut Vec<Candidate>) {
    let bytes = text.as_bytes();
    let digits = bytes[at..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let end = at + digits;
    if digits > 3 || bytes[at..end].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0')) > 120 {
        return;
    }
    let tail: String =
        text[end..].chars().take(40).collect::<String>().to_ascii_lowercase().replace(['-', '\u{a0}'], " ");
    let tail = tail.trim_start();
    const UNITS: [&str; 24] = [
        "years old",
        "year old",
        "yrs old",
        "yr old",
        "years of age",
        "year of age",
        "y/o",
        "yo ",
        "yo,",
        "yo.",
        "y.o",
        "years young",
        "months old",
        "month old",
        "ans ",
        "ans,",
        "ans.",
        "años",
        "anos de",
        "jahre alt",
        "anni ",
        "years , ",
        "year olds",
        "weeks old",
    ];
    let told = UNITS.iter().any(|unit| tail.starts_with(unit)) || matches!(tail, "yo" | "ans");
    if told && !things::aged(&text[..at], tail) {
        found.push(Candidate { range: at..end, kind: Pii::Age, sure: 81 });
    }
}

/// "Ann Smith, 42, saw the car", "Ann Smith (42)".
fn age_behind(text: &str, name: &Range<usize>, kind: Pii) -> Option<Range<usize>> {
    if kind != Pii::Name {
        return None;
    }
    let rest = &text[name.end..];
    let (closing, skip): (&[&str], usize) = if rest.starts_with(" (") {
        (&[")"], 2)
    } else if rest.starts_with(", ") {
        (&[",", ".", " years", " year", " from ", " of ", ";"], 2)
    } else {
        return None;
    };
    let digits = rest[skip..].bytes().take(4).take_while(u8::is_ascii_digit).count();
    let start = name.end + skip;
    let years: u32 = text[start..start + digits].parse().ok()?;
    let tail = &text[start + digits..];
    let closed = tail.is_empty() || closing.iter().any(|mark| tail.starts_with(mark));
    (digits <= 3 && (1..=120).contains(&years) && closed).then(|| start..start + digits)
}

/// A secret key in sight of an access key, and a month and year in sight of a card number.
fn beside_keys_and_cards(text: &str, found: &mut Vec<Candidate>) {
    const SIGHT: usize = 100;
    let bytes = text.as_bytes();
    let mut more = Vec::new();
    let mut last = 0;
    for candidate in found.iter() {
        let card = candidate.kind == Pii::CreditDebitCardNumber;
        if !card && candidate.kind != Pii::AwsAccessKey {
            continue;
        }
        let mut at = candidate.range.end.max(last);
        let end = bytes.len().min(candidate.range.end.saturating_add(if card { SIGHT / 2 } else { SIGHT }));
        while at < end {
            let starts = bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'/' | b'+');
            if !starts || (card && !codes::begins(bytes, at)) {
                at += 1;
                continue;
            }
            let next = if card {
                announced::expiry(text, at)
                    .filter(|range| bytes[range.clone()].contains(&b'/'))
                    .map(|range| Candidate { range, kind: Pii::CreditDebitCardExpiry, sure: 78 })
            } else {
                announced::secret_key(text, at)
            };
            if let Some(next) = next {
                more.push(next);
                break;
            }
            at += 1;
            while at < end && (bytes[at].is_ascii_alphanumeric() || (!card && matches!(bytes[at], b'/' | b'+'))) {
                at += 1;
            }
        }
        last = last.max(at);
    }
    found.extend(more);
}

/// Of candidates that overlap the surest, of equally sure ones the longest, then the first.
fn apart(mut candidates: Vec<Candidate>) -> Vec<(Range<usize>, Pii)> {
    candidates.sort_by_key(|candidate| candidate.range.start);
    let mut kept: Vec<(Range<usize>, Pii)> = Vec::new();
    let mut rest = candidates.into_iter().peekable();
    while let Some(first) = rest.next() {
        // A cluster overlaps among itself and nothing else.
        let mut end = first.range.end;
        let mut cluster = vec![first];
        while let Some(next) = rest.next_if(|next| next.range.start < end) {
            end = end.max(next.range.end);
            cluster.push(next);
        }
        cluster.sort_by(|a, b| {
            b.sure.cmp(&a.sure).then(b.range.len().cmp(&a.range.len())).then(a.range.start.cmp(&b.range.start))
        });
        let mut free: BTreeMap<usize, Candidate> = BTreeMap::new();
        for candidate in cluster {
            let before = free.range(..candidate.range.end).next_back();
            if before.is_none_or(|(_, other)| other.range.end <= candidate.range.start) {
                free.insert(candidate.range.start, candidate);
            }
        }
        kept.extend(free.into_values().map(|candidate| (candidate.range, candidate.kind)));
    }
    kept
}

#[cfg(test)]
mod tests;
