//! How fast words and sensitive information are found: beside one pass of the `regex` crate over one alternation of the
//! same patterns, and with text and lists that grow.

use std::path::Path;

use outcrop_guard::sensitive::{Pii, Sensitive};
use outcrop_guard::words::Words;
use regex::Regex;

use super::super::Report;
use super::super::clock::least;
use super::data::{self, Random};

/// What the detectors look for, as expressions: forms and the words that announce them.
const FORMS: &[&str] = &[
    r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
    r"\b(?:https?|ftp)://[^\s<>]+",
    r"\bwww\.[^\s<>]+",
    r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b",
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
    r"\b9[0-9]{2}[ -][5-9][0-9][ -][0-9]{4}\b",
    r"\b[0-9]{3}-[0-9]{3}-[0-9]{3}\b",
    r"\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b",
    r"\b[0-9]{4}[ -]?[0-9]{6}[ -]?[0-9]{5}\b",
    r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b",
    r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b",
    r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b",
    r"\b[A-HJ-NPR-Z0-9]{17}\b",
    r"\b[A-CEGHJ-PR-TW-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
    r"\+[0-9][0-9 ().-]{7,18}[0-9]",
    r"\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}\b",
    r"\b0[0-9]{1,4}[ /-][0-9]{3,8}\b",
    r"\b[0-9]{1,3}[ -]years?[ -]old\b",
    r"(?i)\b(?:age|aged|turned)[: ]+[0-9]{1,3}\b",
    r"(?i)\b(?:pin|pin code|pin number)(?: is|:)? *[0-9]{4,6}\b",
    r"(?i)\b(?:cvv|cvc|cvv2|security code|card verification value)(?: is|:)? *[0-9]{3,4}\b",
    r"(?i)\b(?:exp|expires|expiry|valid thru|good through)[:. ]*[0-9]{1,2}[/-][0-9]{2,4}\b",
    r"(?i)\b(?:password|passwd|pwd|pass|passphrase)(?: is|:|=) *\S+",
    r"(?i)\b(?:username|user name|login|user|handle)(?: is|:|=)? *@?[a-z0-9._-]{3,}\b",
    r"(?i)\b(?:driver'?s? licen[cs]e|driving licence|dl)[a-z .:#]{0,12}[A-Z0-9-]{5,18}\b",
    r"(?i)\b(?:license plate|number plate|plate|registration)[a-z :]{0,10}[A-Z0-9]{2,4}[ -]?[A-Z0-9]{2,4}\b",
    r"(?i)\bpassport[a-z .:#]{0,12}[A-Z]?[0-9]{6,9}\b",
    r"(?i)\b(?:account|acct|bank account)[a-z .:#]{0,12}[0-9]{8,17}\b",
    r"(?i)\b(?:routing|aba)[a-z .:#]{0,12}[0-9]{9}\b",
    r"(?i)\b(?:swift|bic)[a-z .:#]{0,8}[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b",
    r"(?i)\b(?:nhs|health card|ohip|utr|unique taxpayer reference|sin|social insurance|ssn|social security|itin)[a-z .:#]{0,12}[0-9][0-9 -]{8,11}\b",
    r"(?i)\b(?:aws_secret_access_key|secret key|secret)[ =:]+[A-Za-z0-9/+]{40}\b",
    r"(?i)\b(?:mr|mrs|ms|dr|prof|name is|dear|i am)[. ]+[A-Z][a-z]+(?: [A-Z][a-z]+)?\b",
    r"\b[0-9]{1,5} [A-Z][a-z]+ (?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct)\b",
];
const CUSTOM: [(&str, &str); 3] = [
    ("Ticket", r"\bT-[0-9]{3,6}\b"),
    ("Project", r"(?i)\bproject (?:aurora|borealis)\b"),
    ("Host", r"\b[a-z]+-[0-9]{2}\.corp\b"),
];

/// Measures.
pub(crate) fn run(data: &Path, report: &mut Report) -> Result<(), String> {
    let text = prose(data, 1_000_000)?;
    let thousand: Vec<&str> =
        text.as_bytes().chunks(1000).take(300).filter_map(|chunk| std::str::from_utf8(chunk).ok()).collect();
    let mut random = Random::new(11);
    let words: Vec<String> = (0..10_000)
        .map(|_| (0..4 + random.below(8)).map(|_| char::from(b'a' + random.below(26) as u8)).collect())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let list: Vec<String> = include_str!("../../../../guard/weights/profanity.txt")
        .lines()
        .filter(|line| !line.starts_with(['-', '#']))
        .map(|line| regex::escape(line.trim_start_matches('~')))
        .collect();
    let mut patterns: Vec<String> =
        FORMS.iter().chain(CUSTOM.iter().map(|(_, pattern)| pattern)).map(|form| format!("(?:{form})")).collect();
    patterns.push(format!(r"(?i:\b(?:{}|{})\b)", words[..10].join("|"), list.join("|")));
    let one = Regex::new(&patterns.join("|")).map_err(|e| e.to_string())?;
    let guard = Words::new(&words[..10], true);
    let sensitive = Sensitive::new(&Pii::ALL, &CUSTOM).map_err(|e| e.to_string())?;
    let peer = least(|| thousand.iter().map(|text| one.find_iter(text).count()).sum());
    let ours = least(|| thousand.iter().map(|text| guard.find(text).len() + sensitive.find(text).len()).sum());
    let untagged: Vec<Pii> =
        Pii::ALL.into_iter().filter(|kind| !matches!(kind, Pii::Name | Pii::Address | Pii::Age)).collect();
    let rules = Sensitive::new(&untagged, &CUSTOM).map_err(|e| e.to_string())?;
    let without = least(|| thousand.iter().map(|text| guard.find(text).len() + rules.find(text).len()).sum());
    let each = |time: f64| time * 1e6 / thousand.len() as f64;
    report.row(
        "words, 31 types and 3 expressions on 1,000 characters: rate against one `regex` alternation of the same patterns",
        &format!("{:.2} ({:.0} µs against {:.0} µs)", peer / ours, each(ours), each(peer)),
        "≥ 0.3",
    )?;
    report.row(
        "the same without NAME, ADDRESS and AGE, which need the tagger",
        &format!("{:.2} ({:.0} µs)", peer / without, each(without)),
        "",
    )?;
    let (ten, many) = (Words::new(&words[..10], false), Words::new(&words, false));
    let few = least(|| (0..20).flat_map(|_| &thousand).map(|text| ten.find(text).len()).sum()) / 20.0;
    let all = least(|| (0..20).flat_map(|_| &thousand).map(|text| many.find(text).len()).sum()) / 20.0;
    report.row(
        "10,000 custom words against 10, time",
        &format!("{:.2} ({:.1} µs against {:.1} µs)", all / few, each(all), each(few)),
        "≤ 1.2",
    )?;
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        let mut end = size.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let times = (200_000 / size).max(1);
        let time =
            least(|| (0..times).map(|_| guard.find(&text[..end]).len() + sensitive.find(&text[..end]).len()).sum())
                / times as f64;
        report.row(
            &format!("time of {size} characters, a thousand"),
            &format!("{:.0} µs", time * 1e9 / size as f64),
            "constant",
        )?;
    }
    Ok(())
}

/// The texts of the dev set, one after another, until there are `most` bytes.
fn prose(data: &Path, most: usize) -> Result<String, String> {
    let mut text = String::new();
    for value in data::lines(&data.join("content.jsonl.gz"))? {
        if value["split"] == "dev" && text.len() < most {
            text.push_str(value["text"].as_str().unwrap_or_default());
            text.push('\n');
        }
    }
    for row in data::rows(data, "dev")?.iter().cycle().take(if text.len() < most { 20_000 } else { 0 }) {
        text.push_str(&row.text);
        text.push('\n');
    }
    Ok(text)
}
