//! What a question asks for.

mod cues;

use cues::{ACTIONS, ASKING, DATES, IS, MOMENTS, POLAR, QUANTITIES, REASONS, TIMES, WAYS};
use outcrop_guard::grounding::support::{Word, coverage, held};

use super::code::prose;
use super::reading::words;

/// What kind of thing would answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// A number.
    Count,
    /// A date or a time.
    Time,
    /// How long something lasts, or how often it is.
    Span,
    /// A name of somebody.
    Person,
    /// A name of a place.
    Place,
    /// A reason.
    Reason,
    /// A way, a command.
    Way,
    /// Anything.
    Open,
}

/// Words that may stand beside the name of a thing where a sentence says what it is.
const BESIDE: usize = 2;

/// Which share of a question's words an order's purpose has that is the question's.
const SERVED: f32 = 0.6;

/// A question, read once.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub text: String,
    pub words: Vec<Word>,
    pub wants: Wants,
    /// What it asks the meaning or the value of: "what is …".
    pub thing: Vec<Word>,
    /// Whether it asks for yes or no.
    pub polar: bool,
}

impl Question {
    pub fn new(text: &str) -> Self {
        let wants = wants(text);
        // How long, how many: these say what kind of thing is asked for, not what it is about.
        let asks = |word: &Word| matches!(wants, Wants::Count | Wants::Span) && ASKING.contains(&word.stem.as_str());
        let asked = words(text).into_iter().filter(|word| !asks(word)).collect();
        Self { text: text.to_owned(), words: asked, wants, thing: words(thing(text)), polar: polar(text) }
    }

    /// Whether `text` says what the thing is that is asked for: it begins with its name, and "is" follows.
    pub fn defined_by(&self, text: &str) -> bool {
        let Some((name, rest)) = IS.iter().filter_map(|is| text.split_once(is)).min_by_key(|(name, _)| name.len())
        else {
            return false;
        };
        let name = words(name);
        !self.thing.is_empty()
            && !rest.trim().is_empty()
            && name.len() <= self.thing.len() + BESIDE
            && coverage(&self.thing, &name) > 0.99
    }

    /// Whether `text` tells to do something for the very purpose that a way is asked for: "To run the tests, …".
    pub fn served_by(&self, text: &str) -> bool {
        self.wants == Wants::Way && purpose(text).is_some_and(|purpose| coverage(&self.words, &words(purpose)) > SERVED)
    }

    /// Whether a passage may hold the kind of thing that is asked for. Strict only where a kind can be told by its words:
    /// who nobody can measure is no answer to how tall, and a role without a name is one to who.
    pub fn may_stand_in(&self, text: &str, passage: &[Word]) -> bool {
        let says = |list: &[&str]| {
            let lower = text.to_lowercase();
            lower.split(|c: char| !c.is_alphanumeric()).any(|word| list.contains(&word))
        };
        let mut fresh = passage.iter().filter(|word| held(word, &self.words) == 0.0);
        match self.wants {
            Wants::Count => fresh.any(|word| word.number) || says(QUANTITIES),
            Wants::Time | Wants::Span => fresh.any(timed) || says(MOMENTS) || says(QUANTITIES),
            _ => true,
        }
    }

    /// Whether what `piece` adds to the question is of the kind that is asked for; none where any kind is, or where
    /// nothing can be told.
    pub fn fits(&self, text: &str, piece: &[Word]) -> Option<bool> {
        let new = |word: &&Word| held(word, &self.words) == 0.0;
        let mut fresh = piece.iter().filter(new);
        match self.wants {
            Wants::Count => Some(words(&prose(text)).iter().any(|word| word.number && new(&word))),
            // A duration is a time, too, but seldom the one that is asked for by when.
            Wants::Time if fresh.clone().any(dates) => Some(true),
            Wants::Time if fresh.any(timed) => None,
            Wants::Time => Some(false),
            Wants::Span => Some(fresh.any(timed)),
            Wants::Person | Wants::Place => {
                // A sentence may begin with the name.
                let first = piece.first().filter(|first| held(first, &self.words) == 0.0 && first.weight > 0.9);
                Some(first.is_some() || fresh.any(|word| word.name && !word.number))
            }
            Wants::Reason => {
                let lower = text.to_lowercase();
                Some(REASONS.iter().any(|cue| lower.contains(cue)))
            }
            Wants::Way => {
                let code = text.contains(['`', '$'])
                    || text.contains("()")
                    || text.split_whitespace().any(code)
                    || commands(text);
                let lower = format!(" {}", text.to_lowercase());
                Some(code || WAYS.iter().any(|cue| lower.contains(cue)))
            }
            Wants::Open => None,
        }
    }
}

/// Whether a word is a number, or of dates and times.
fn timed(word: &Word) -> bool {
    word.number || [DATES, TIMES].iter().any(|list| list.contains(&word.stem.as_str()))
}

/// Whether a word says which day, month or year.
fn dates(word: &Word) -> bool {
    let year = matches!(word.stem.trim_start_matches('#').parse::<u16>(), Ok(1000..2100));
    // Some months are verbs as well.
    year || DATES.contains(&word.stem.as_str()) && (word.name || !["may", "march"].contains(&word.stem.as_str()))
}

/// Whether a text says what to do: it begins with a verb that tells one to, also behind the purpose ("To stop it, press
/// …"), or names a key to press.
pub(super) fn acts(text: &str) -> bool {
    orders(bare(text)) || purpose(text).is_some() || text.split_whitespace().any(key)
}

/// A text without what only leads to it: the mark of a list, "First, ".
fn bare(text: &str) -> &str {
    let bare = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let leads = ["First, ", "Then, ", "Next, ", "Now, ", "Then "];
    leads.iter().find_map(|lead| bare.strip_prefix(lead)).unwrap_or(bare)
}

/// Whether a text begins with a verb that tells one to do something.
fn orders(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    ACTIONS.contains(&first.to_lowercase().as_str())
}

/// What an order is for that stands behind it: "To stop it, press …".
fn purpose(text: &str) -> Option<&str> {
    let bare = bare(text);
    if !["To ", "If ", "For "].iter().any(|lead| bare.starts_with(lead)) {
        return None;
    }
    let behind = |at: usize| bare[at..].trim_start_matches(", ").trim_start_matches("you can ");
    bare.match_indices(", ").find(|(at, _)| orders(behind(*at))).map(|(at, _)| &bare[..at])
}

/// Whether a word is a key, or several to be pressed together.
fn key(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.split_once(['-', '+']).is_some_and(|(held, with)| {
        ["ctrl", "control", "cmd", "alt", "shift", "option"].contains(&held.to_lowercase().as_str())
            && (with.len() == 1 || with.starts_with(char::is_uppercase))
    })
}

/// Whether a text is a command, as it is typed: after a prompt, or a program's name with an option and no full stop.
pub(super) fn command(text: &str) -> bool {
    let option = text.split_whitespace().skip(1).any(|word| {
        word.strip_prefix("--")
            .or(word.strip_prefix('-'))
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
    });
    text.starts_with("$ ") || option && !text.ends_with('.') && text.starts_with(|c: char| c.is_lowercase() || c == '/')
}

/// Whether a line of a text is a command.
pub(super) fn commands(text: &str) -> bool {
    text.lines().any(|line| command(line.trim()))
}

/// Whether a word is none of a language: an option, a path, a file, a setting, a call. Parsers take away the marks that
/// told so.
pub(super) fn code(word: &str) -> bool {
    let word = word.trim_start_matches(['"', '\'', '(', '[']);
    let word = word.trim_end_matches([',', ';', ':', '.', '!', '?', '"', '\'', ')', ']']);
    let letters = |part: &str| part.len() > 1 && part.chars().all(|c| c.is_ascii_alphanumeric());
    let short = word.len() == 2 && word.starts_with('-') && word[1..].starts_with(|c: char| c.is_ascii_alphabetic());
    let option = word.strip_prefix("--").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    let path = word.starts_with("~/") || word.starts_with("./") || word.starts_with('/') && word[1..].contains('/');
    let file = word.rsplit_once('.').is_some_and(|(name, ending)| {
        letters(ending) && ending.len() <= 5 && ending.starts_with(|c: char| c.is_ascii_lowercase()) && letters(name)
    });
    let named = word.contains('_') && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    option || short || path || file || named || word.contains("::")
}

/// Whether a question asks for yes or no.
fn polar(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    POLAR.contains(&first.to_lowercase().as_str())
}

/// What a question asks the meaning or the value of; nothing where it asks for something else.
fn thing(text: &str) -> &str {
    let bare = text.trim().trim_end_matches(['?', ' ']);
    let begins = ["What is ", "What are ", "What's ", "what is ", "what are ", "what's "];
    begins.iter().find_map(|begin| bare.strip_prefix(begin)).unwrap_or_default()
}

fn wants(text: &str) -> Wants {
    let lower = text.to_lowercase();
    let list: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let first = list.first().copied().unwrap_or_default();
    let may = list.iter().any(|word| ["can", "may", "allowed", "possible"].contains(word));
    match list[..] {
        // "How can I see how much is left?"
        ["how", "can" | "do" | "to", ..]
        | ["what", "to", ..]
        | [
            "what",
            "do" | "must" | "should" | "can",
            "i" | "we" | "you" | "one",
            "set" | "configure" | "run" | "type" | "write" | "change",
            ..,
        ] => return Wants::Way,
        ["what", "is", "the", "maximum" | "max" | "minimum" | "limit", ..] => return Wants::Count,
        // The largest city has a name, the largest file that one may send has a size.
        ["what", "is", "the", "largest" | "biggest" | "longest" | "smallest" | "shortest", ..] if may => {
            return Wants::Count;
        }
        _ => {}
    }
    for pair in list.windows(2) {
        match (pair[0], pair[1]) {
            (
                "how",
                "many" | "much" | "old" | "tall" | "far" | "high" | "large" | "big" | "fast" | "wide" | "deep"
                | "heavy" | "thick" | "hot" | "cold",
            ) => return Wants::Count,
            ("how", "long" | "often") => return Wants::Span,
            (
                "what" | "which",
                "percentage" | "percent" | "number" | "amount" | "port" | "ports" | "version" | "fraction",
            ) => {
                return Wants::Count;
            }
            ("what" | "which", "year" | "date" | "day" | "month" | "century" | "decade" | "time" | "years") => {
                return Wants::Time;
            }
            ("what" | "which", "command" | "commands" | "option" | "flag" | "setting" | "key" | "keys") => {
                return Wants::Way;
            }
            ("what" | "which", "city" | "country" | "state" | "town" | "county" | "region" | "continent") => {
                return Wants::Place;
            }
            ("what" | "which", "person" | "actor" | "author" | "king" | "president" | "leader" | "scientist") => {
                return Wants::Person;
            }
            _ => {}
        }
    }
    let has = |word: &str| list.contains(&word);
    match first {
        "when" => Wants::Time,
        "who" | "whom" | "whose" => Wants::Person,
        "where" => Wants::Place,
        "why" => Wants::Reason,
        "how" => Wants::Way,
        "what" if list.windows(2).any(|pair| matches!(pair, ["i" | "we" | "you" | "one", "do"])) => Wants::Way,
        _ if has("when") => Wants::Time,
        _ if has("who") || has("whom") || has("whose") => Wants::Person,
        _ if has("where") => Wants::Place,
        _ if has("why") => Wants::Reason,
        _ => Wants::Open,
    }
}
