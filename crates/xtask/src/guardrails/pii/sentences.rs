//! Sentences of our own around the names and addresses of the training texts: lists, letters, chats, records and code,
//! which those texts have few of, and lines without any.

use std::ops::Range;
use std::path::Path;

use outcrop_guard::sensitive::Pii;

use super::data::{Random, Row};

/// Prose, code and log lines of this repository, without names.
const PLAIN: &str = include_str!("plain.txt");

/// Adds sentences to `rows`, and variants of what is there.
pub(crate) fn add(rows: &mut Vec<Row>, data: &Path, random: &mut Random, quick: bool) -> Result<(), String> {
    let texts = |kind: Pii| -> Vec<String> {
        let spans = rows
            .iter()
            .filter(|row| row.source != "wnut17")
            .flat_map(|row| row.spans.iter().map(move |span| (row, span)));
        let mut found: Vec<_> = spans
            .filter(|(_, (_, of))| *of == kind)
            .map(|(row, (range, _))| row.text[range.clone()].to_owned())
            .collect();
        found.sort();
        found.dedup();
        found
    };
    let (mut names, addresses) = (texts(Pii::Name), texts(Pii::Address));
    names.extend(listed(random));
    let mut more = Vec::new();
    for _ in 0..if quick { 4 } else { 40 } {
        for template in TEMPLATES {
            more.push(filled(template, &names, &addresses, random));
        }
    }
    // Other names in the same sentences, and sentences as people type them.
    for row in rows.iter() {
        let named = row.spans.iter().any(|(_, kind)| *kind == Pii::Name);
        if row.source == "wnut17" && named {
            for _ in 0..4 {
                more.push(renamed(row, &names, random));
            }
        }
        if random.once_in(10) {
            more.push(recased(row, str::to_lowercase));
        }
        if random.once_in(25) {
            more.push(recased(row, str::to_uppercase));
        }
    }
    for paragraph in PLAIN.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        more.push(Row { text: paragraph.to_owned(), spans: Vec::new(), source: "plain".to_owned() });
    }
    // Questions to a bank name nobody.
    for value in super::data::lines(&data.join("content.jsonl.gz"))? {
        if value["split"] == "train" && value["source"] == "banking77" {
            let text = value["text"].as_str().unwrap_or_default().to_owned();
            more.push(Row { text, spans: Vec::new(), source: "plain".to_owned() });
        }
    }
    rows.extend(more);
    Ok(())
}

/// Names put together from the lists: given and family names, some with an initial, some alone.
fn listed(random: &mut Random) -> Vec<String> {
    let all: Vec<(&str, &str)> = include_str!("names.txt").lines().filter_map(|line| line.split_once(' ')).collect();
    let first: Vec<_> =
        all.iter().filter(|(_, kinds)| *kinds == "F" || *kinds == "FL").map(|(name, _)| *name).collect();
    let last: Vec<_> = all.iter().filter(|(_, kinds)| *kinds == "L" || *kinds == "FL").map(|(name, _)| *name).collect();
    let capital = |name: &str| {
        let mut letters = name.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    let mut names = Vec::new();
    for _ in 0..4000 {
        let (given, family) = (capital(random.pick::<&str>(&first)), capital(random.pick::<&str>(&last)));
        names.push(match random.below(11) {
            10 => format!("{family}, {given}"),
            0 | 1 => given,
            2 => family,
            3 => format!("{given} {}. {family}", char::from(b'A' + random.below(26) as u8)),
            4 => format!("{}. {family}", char::from(b'A' + random.below(26) as u8)),
            _ => format!("{given} {family}"),
        });
    }
    names
}

fn filled(template: &str, names: &[String], addresses: &[String], random: &mut Random) -> Row {
    let (mut text, mut spans) = (String::new(), Vec::new());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        let (value, kind) = match rest.as_bytes().get(at + 1) {
            Some(b'N') => (random.pick(names).clone(), Some(Pii::Name)),
            Some(b'A') => (random.pick(addresses).clone(), Some(Pii::Address)),
            Some(b'D') => (format!("{}", random.below(5000)), None),
            _ => (random.pick(WORDS).to_string(), None),
        };
        if let Some(kind) = kind {
            spans.push((text.len()..text.len() + value.len(), kind));
        }
        text.push_str(&value);
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    text.push_str(rest);
    Row { text, spans, source: "own".to_owned() }
}

/// The row with other names.
fn renamed(row: &Row, names: &[String], random: &mut Random) -> Row {
    let (mut text, mut spans, mut from) = (String::new(), Vec::new(), 0);
    for (range, kind) in &row.spans {
        text.push_str(&row.text[from..range.start]);
        let start = text.len();
        let old = &row.text[range.clone()];
        if *kind == Pii::Name && old.starts_with(char::is_uppercase) {
            text.push_str(random.pick::<String>(names));
        } else {
            text.push_str(old);
        }
        spans.push((start..text.len(), *kind));
        from = range.end;
    }
    text.push_str(&row.text[from..]);
    Row { text, spans, source: row.source.clone() }
}

/// The row in another case, where that keeps its places.
fn recased(row: &Row, case: fn(&str) -> String) -> Row {
    let (mut text, mut spans, mut from) = (String::new(), Vec::<(Range<usize>, Pii)>::new(), 0);
    for (range, kind) in &row.spans {
        text.push_str(&case(&row.text[from..range.start]));
        let start = text.len();
        text.push_str(&case(&row.text[range.clone()]));
        spans.push((start..text.len(), *kind));
        from = range.end;
    }
    text.push_str(&case(&row.text[from..]));
    Row { text, spans, source: row.source.clone() }
}

const WORDS: &[&str] = &[
    "Acme Corp",
    "Northwind",
    "the Ministry of Health",
    "Berlin",
    "Oxford University",
    "Docker",
    "Kubernetes",
    "Amazon",
    "Monday",
    "March",
    "JavaScript",
    "General Motors",
    "New York",
    "South America",
    "the Supreme Court",
    "Microsoft Office",
    "Christmas",
    "Chapter Three",
    "Python",
    "Lake Michigan",
    "the Red Cross",
    "Stanford",
    "PostgreSQL",
    "Wikipedia",
    "Google Maps",
    "Linux",
    "Toyota",
    "Harvard",
    "Paris",
];

/// `{N}` is a name, `{A}` an address, `{D}` a number, `{W}` another word with a capital.
const TEMPLATES: &[&str] = &[
    "Mr. {N} will see you now.",
    "Mrs {N} and Mr {N} live next door.",
    "Dr. {N}, head of research at {W}, said the trial was over.",
    "{N}, {N} and {N} wrote the report.",
    "- {N}\n- {N}\n- {N}",
    "1. {N}\n2. {N}\n3. {N}",
    "From: {N}\nTo: {N}\nSubject: Minutes of {W}",
    "Hi {N},\n\nthanks for the update.\n\nBest,\n{N}",
    "Dear Mr. {N},\nyour claim {D} was received.",
    "Sincerely,\n\n{N}\n{W}",
    "{\"name\": \"{N}\", \"id\": {D}}",
    "\"customer\": \"{N}\", \"address\": \"{A}\"",
    "name,city,amount\n{N},{W},{D}\n{N},{W},{D}",
    "| {N} | {D} | {W} |",
    "{N}: are you coming?\n{N}: yes, at six",
    "Patient {N} was seen by Dr {N} on {W}.",
    "Please forward this to {N} in the {W} office.",
    "I spoke with {N} from {W} about the contract.",
    "{N} joined {W} in 2015 and left in 2019.",
    "The novel by {N} was translated by {N}.",
    "Our new CEO, {N}, was born in {W}.",
    "{N} (born 1970) is a painter.",
    "My wife {N} and our son {N} are visiting {W}.",
    "Is {N} still working at {W}?",
    "Tell {N} that {N} called.",
    "my name is {N}",
    "i am {N} and i need help with my order",
    "I'm {N}, calling about my {W} subscription.",
    "this is {N} from {W}",
    "contact person: {N}",
    "Full name: {N}\nAddress: {A}",
    "Name: {N}, Address: {A}",
    "Account holder {N} opened the account in 2011.",
    "Employee: {N} / Manager: {N}",
    "Witness {N} told {W} that nobody was hurt.",
    "{N} scored twice as {W} beat {W}.",
    "President {N} met Chancellor {N} in {W}.",
    "Written by {N} for {W}.",
    "Photo: {N}/{W}",
    "{N} is the best player on the team.",
    "Can you book a flight for {N} to {W}?",
    "Remind {N} about the meeting with {N} on {W}.",
    "@all, {N} is out today",
    "Invoice to: {N}, {A}",
    "I live at {A}.",
    "My address is {A}",
    "Ship to {A} please.",
    "{N} lives at {A} with his family.",
    "We are moving to {A} next month.",
    "The accident happened near {A}.",
    "Address: {A}\nPhone: 555-0199",
    "Return to sender: {A}",
    "Visit our store at {A} or {A}.",
    "Headquarters: {A}",
    "deliver it to {A} before noon",
    "Send it to {N}, {A}.",
    "The house at {A} was sold by {N}.",
    "Prescription for {N}, age {D}, take two daily.",
    "Students: {N}, {N}, {N}, {N}.",
    "{N} v. {N}, {D} U.S. {D}",
    "What did {N} say about {W}?",
    "Who wrote {W}? {N} did.",
    "Thanks to {N} and {N} for reviewing.",
    "Reviewed-by: {N} <reviewer@example.com>",
    "Meeting notes: {N} presented the budget; {N} objected.",
    "hey {N}! did you see {N} at the {W} party?",
    "lol {N} is so funny",
    "i miss {N} so much",
    "Open {W} and choose Settings.",
    "{W} released version {D} of {W} on {W}.",
    "The {W} Report says that {W} grew by {D} percent.",
    "See Section {D} of {W} for Details.",
    "Error {D}: Connection to {W} refused",
    "Click Save As and pick {W}.",
    "The Great Wall of {W} is long.",
    "In {W}, the University of {W} opened a Department of Physics.",
    "New Features: Faster Search, Better Help and Dark Mode",
    "World War II ended in 1945.",
    "public class {W} extends Base { return {D}; }",
    "let Some(value) = map.get(\"{W}\") else { return Err(Error::Missing) };",
    "2024-05-06T10:11:12Z INFO {W} started in {D} ms",
    "May {D} 10:11:12 host kernel: {W} loaded",
    "Thread-{D} WARN Pool exhausted, waiting for {W}",
    "The Lord of the Rings is a book. The Beatles were a band.",
    "Turn left on Main Street and then right.",
    "{W} and {W} signed the Treaty of {W}.",
];
