//! Values that are known by the word before them: "PIN 4931", "plate: 6BOW532".

use std::ops::Range;

use super::Pii;
use super::checks;
use super::codes::{Candidate, Groups, begins, ends};
use super::cues::{Announces, Cue};
use super::lexicon::{self, Lexicon};
use super::phone;

/// How far behind its word a value may begin, in bytes.
const REACH: usize = 48;

/// The values that `cues` announce. What is `taken` is skipped: "the password for a@b.example is …".
pub fn find(text: &str, cues: &[Cue], taken: &[Range<usize>], lexicon: &Lexicon<'_>, found: &mut Vec<Candidate>) {
    for (place, cue) in cues.iter().enumerate() {
        if cue.what == Announces::Other {
            continue;
        }
        // A word that announces something else ends the reach: "routing number 021000021, account …".
        let stop = cues[place + 1..]
            .iter()
            .find(|next| next.what != cue.what && !matches!(next.what, Announces::Expiry))
            .map_or(text.len(), |next| next.range.start);
        if let Some(candidate) = after(text, cue, stop, taken, lexicon) {
            found.push(candidate);
        } else if let Some(candidate) = before(text, cue, lexicon) {
            found.push(candidate);
        }
    }
}

/// The first value behind the word.
fn after(text: &str, cue: &Cue, stop: usize, taken: &[Range<usize>], lexicon: &Lexicon<'_>) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let limit = cue.range.end.saturating_add(REACH).min(stop);
    let mut at = cue.range.end;
    let (mut words, mut skipped) = (0, 0);
    let mut next_taken = taken.partition_point(|range| range.end <= at);
    while at < limit + skipped && at < stop {
        if let Some(range) = taken.get(next_taken)
            && range.start <= at
        {
            skipped += range.end.saturating_sub(at);
            at = range.end.max(at);
            next_taken += 1;
            continue;
        }
        let byte = bytes[at];
        // Another sentence or paragraph is about something else.
        let sentence = matches!(byte, b'.' | b'!' | b'?')
            && bytes.get(at + 1).is_some_and(|next| next.is_ascii_whitespace())
            && words > 1;
        let paragraph = byte == b'\n' && bytes.get(at + 1) == Some(&b'\n');
        if sentence || paragraph {
            return None;
        }
        let starts =
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'(' | b'@') || is_secret_mark(cue.what, byte);
        if starts
            && (at == cue.range.end || begins(bytes, at) || matches!(bytes[at - 1], b'_'))
            && text.is_char_boundary(at)
        {
            let gap = &text[cue.range.end..at];
            if let Some(candidate) = value(text, at, cue, gap, lexicon) {
                return Some(candidate);
            }
            words += 1;
            // Past this word.
            while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || !bytes[at].is_ascii()) {
                at += 1;
            }
            at = at.max(cue.range.end + 1);
            if byte.is_ascii_alphanumeric() {
                continue;
            }
        }
        at += 1;
    }
    None
}

/// "4931 is my PIN": digits a few words before.
fn before(text: &str, cue: &Cue, lexicon: &Lexicon<'_>) -> Option<Candidate> {
    const LINKS: [&str; 12] = [
        " is my ",
        " is the ",
        " is her ",
        " is his ",
        " is our ",
        " as my ",
        " as the ",
        " (",
        " is your ",
        " is a valid ",
        ", my ",
        " for my ",
    ];
    let link = LINKS.iter().find(|link| text[..cue.range.start].ends_with(**link))?;
    let end = cue.range.start - link.len();
    let bytes = text.as_bytes();
    let mut start = end;
    while start > 0
        && end - start < 24
        && (bytes[start - 1].is_ascii_alphanumeric() || matches!(bytes[start - 1], b'-' | b'/'))
    {
        start -= 1;
    }
    if start == end || !bytes[start..end].iter().any(u8::is_ascii_digit) || !text.is_char_boundary(start) {
        return None;
    }
    value(text, start, cue, ": ", lexicon).filter(|candidate| candidate.range.end == end)
}

fn is_secret_mark(what: Announces, byte: u8) -> bool {
    matches!(what, Announces::Password | Announces::AwsSecret)
        && (byte.is_ascii_punctuation()
            && !matches!(byte, b'"' | b'\'' | b':' | b'=' | b'[' | b'<' | b'`' | b',' | b'.' | b'-' | b'>')
            || !byte.is_ascii())
}

/// The value at `at`, where a word begins, if it has the form of what is announced. `gap` is what parts them.
fn value(text: &str, at: usize, cue: &Cue, gap: &str, lexicon: &Lexicon<'_>) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let digit = bytes[at].is_ascii_digit();
    let made = |range: Range<usize>, kind: Pii, sure: u8| Some(Candidate { range, kind, sure });
    let groups = || Groups::at(bytes, at);
    let number = |lengths: &[&[usize]], check: fn(&[u8]) -> bool| {
        let groups = digit.then(groups)?;
        lengths
            .iter()
            .find_map(|lengths| groups.take(bytes, lengths).filter(|(_, digits)| check(digits)).map(|(range, _)| range))
    };
    let any: fn(&[u8]) -> bool = |_| true;
    match cue.what {
        Announces::Ssn => made(number(&[&[3, 2, 4], &[9], &[3, 3, 3]], checks::ssn)?, Pii::UsSocialSecurityNumber, 94),
        Announces::Itin => {
            made(number(&[&[3, 2, 4], &[9]], checks::itin)?, Pii::UsIndividualTaxIdentificationNumber, 94)
        }
        Announces::Insurance => made(number(&[&[3, 3, 3], &[9]], checks::sin)?, Pii::CaSocialInsuranceNumber, 94),
        Announces::Nhs => made(number(&[&[3, 3, 4], &[10]], checks::nhs)?, Pii::UkNationalHealthServiceNumber, 94),
        Announces::Routing => made(number(&[&[9], &[4, 4, 1]], checks::routing)?, Pii::UsBankRoutingNumber, 94),
        Announces::Tax => {
            let range = number(&[&[10], &[5, 5], &[3, 3, 4], &[2, 5, 3]], any)?;
            made(range, Pii::UkUniqueTaxpayerReferenceNumber, 91)
        }
        Announces::CanadianHealth => {
            let range = number(&[&[10], &[4, 3, 3], &[9], &[3, 3, 4], &[12]], any)?;
            // Ontario's version code of two letters.
            let version = |from: usize| {
                bytes.get(from..from + 2).is_some_and(|code| code.iter().all(u8::is_ascii_uppercase))
                    && ends(bytes, from + 2)
            };
            let end = match bytes.get(range.end) {
                Some(b'-' | b' ') if version(range.end + 1) => range.end + 3,
                _ => range.end,
            };
            made(range.start..end, Pii::CaHealthNumber, 91)
        }
        Announces::BankAccount => {
            let groups = digit.then(groups)?;
            let count = groups.digits.len();
            let lengths: Vec<usize> = groups.groups.iter().map(ExactSizeIterator::len).collect();
            let whole = (8..=17).contains(&count).then(|| groups.take(bytes, &lengths)).flatten();
            let first = || groups.take(bytes, &lengths[..1]).filter(|(_, digits)| (8..=17).contains(&digits.len()));
            let (range, _) = whole.filter(|_| groups.parted != b'.' && groups.parted != b'/').or_else(first)?;
            made(range, Pii::UsBankAccountNumber, 76)
        }
        Announces::Card => {
            let lengths: [&[usize]; 1] = [&[4]];
            let announced = text[cue.range.clone()].to_ascii_lowercase();
            let ending = gap.contains("ending") || gap.contains("last four") || gap.contains("last 4");
            let range = ending.then(|| number(&lengths, any)).flatten();
            match range {
                Some(range) if announced.contains("card") || announced.contains("visa") => {
                    made(range, Pii::CreditDebitCardNumber, 75)
                }
                _ => {
                    let groups = digit.then(groups)?;
                    let lengths: Vec<usize> = groups.groups.iter().map(ExactSizeIterator::len).collect();
                    let (range, digits) =
                        (1..=lengths.len()).rev().find_map(|count| groups.take(bytes, &lengths[..count]))?;
                    let plain = (13..=19).contains(&digits.len()) && checks::luhn(digits);
                    if plain { made(range, Pii::CreditDebitCardNumber, 90) } else { None }
                }
            }
        }
        Announces::Cvv => made(number(&[&[3], &[4]], any)?, Pii::CreditDebitCardCvv, 88),
        Announces::Pin => {
            // "pin 2048 to the top" is a verb.
            let behind = |range: &Range<usize>| text[range.end..].starts_with(" to ");
            let close = gap.len() <= 24;
            let range = number(&[&[4], &[5], &[6]], any).filter(|range| close && !(gap == " " && behind(range)))?;
            made(range, Pii::Pin, 87)
        }
        Announces::Expiry => made(expiry(text, at)?, Pii::CreditDebitCardExpiry, 79),
        Announces::Age => age(text, at, cue, gap),
        Announces::Phone => {
            let candidate = phone::find(text, at, true).filter(|_| digit || matches!(bytes[at], b'+' | b'('))?;
            // A verb announces less than a noun: what follows must look like a number by its length alone.
            Some(candidate)
        }
        Announces::Swift => {
            let code = word(bytes, at, 11)?;
            let form = matches!(code.len(), 8 | 11)
                && bytes[code.start..code.start + 6].iter().all(u8::is_ascii_uppercase)
                && bytes[code.clone()].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                && checks::country(&bytes[code.start + 4..code.start + 6]);
            if form { made(code, Pii::SwiftCode, 93) } else { None }
        }
        Announces::Vin => {
            let code = word(bytes, at, 17)?;
            let form = code.len() == 17
                && bytes[code.clone()].iter().any(u8::is_ascii_digit)
                && !bytes[code.clone()].iter().any(|byte| matches!(byte, b'I' | b'O' | b'Q' | b'i' | b'o' | b'q'));
            if form { made(code, Pii::VehicleIdentificationNumber, 93) } else { None }
        }
        Announces::Passport => {
            let code = word(bytes, at, 9)?;
            let digits = bytes[code.clone()].iter().filter(|byte| byte.is_ascii_digit()).count();
            let upper = !bytes[code.clone()].iter().any(u8::is_ascii_lowercase);
            if code.len() >= 6 && upper && digits >= 5 { made(code, Pii::UsPassportNumber, 90) } else { None }
        }
        Announces::Nino => None,
        Announces::Driver => {
            let code = joined(bytes, at, 20, b"- *")?;
            let digits = bytes[code.clone()].iter().filter(|byte| byte.is_ascii_digit()).count();
            if digits >= 3 && bytes[code.clone()].iter().filter(|byte| byte.is_ascii_alphanumeric()).count() >= 5 {
                made(code, Pii::DriverId, 84)
            } else {
                None
            }
        }
        Announces::Plate => {
            let code = plate(bytes, at)?;
            let weak = matches!(
                text[cue.range.clone()].to_ascii_lowercase().as_str(),
                "registration" | "reg" | "reg." | "plates" | "placa" | "targa" | "registered as" | "car with"
            );
            let letters = bytes[code.clone()].iter().any(u8::is_ascii_uppercase);
            if letters || (!weak && code.len() >= 5) { made(code, Pii::LicensePlate, 83) } else { None }
        }
        Announces::AwsSecret => secret_key(text, at),
        Announces::Username | Announces::User => username(text, at, cue, gap, lexicon),
        Announces::Password => password(text, at, cue, gap, lexicon),
        Announces::Other => None,
    }
}

/// The word of letters and digits at `at`, at most `most` long.
fn word(bytes: &[u8], at: usize, most: usize) -> Option<Range<usize>> {
    let length = bytes[at..].iter().take(most + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (length > 0 && length <= most && ends(bytes, at + length)).then(|| at..at + length)
}

/// Upper-case words with digits, parted by one mark each: "V051-9187-2250", "MORGA 657054 SM9IJ".
fn joined(bytes: &[u8], at: usize, most: usize, marks: &[u8]) -> Option<Range<usize>> {
    let mut end = at;
    let mut next = at;
    loop {
        let begin = next;
        while next < bytes.len() && (bytes[next].is_ascii_uppercase() || bytes[next].is_ascii_digit()) {
            next += 1;
        }
        let digits = bytes[begin..next].iter().any(u8::is_ascii_digit);
        if next == begin || !ends(bytes, next) || next - at > most || (!digits && begin > at) {
            break;
        }
        end = next;
        // What a space parts goes on only in groups of some length: "D1234567 2" does not.
        match bytes.get(next) {
            Some(b' ') if bytes[next + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count() < 3 => break,
            Some(mark) if marks.contains(mark) => next += 1,
            _ => break,
        }
    }
    (end > at && bytes[at..end].iter().any(u8::is_ascii_digit)).then_some(at..end)
}

/// Two to eight upper-case letters and digits, in up to three groups.
fn plate(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let mut best = None;
    let (mut next, mut count, mut groups) = (at, 0, 0);
    while groups < 4 {
        let begin = next;
        while next < bytes.len() && (bytes[next].is_ascii_uppercase() || bytes[next].is_ascii_digit()) {
            next += 1;
        }
        count += next - begin;
        groups += 1;
        if next == begin || count > 8 || !ends(bytes, next) {
            break;
        }
        let text = &bytes[at..next];
        let goes_on =
            matches!(bytes.get(next), Some(b'-')) && bytes.get(next + 1).is_some_and(u8::is_ascii_alphanumeric);
        if count >= 4 && text.iter().any(u8::is_ascii_digit) && !goes_on {
            best = Some(at..next);
        }
        match bytes.get(next) {
            Some(b' ' | b'-' | b'.') => next += 1,
            _ => break,
        }
    }
    best
}

/// Month and year as cards have them.
pub fn expiry(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if bytes[at].is_ascii_digit() {
        let groups = Groups::at(bytes, at);
        for lengths in [[2, 2], [2, 4], [1, 2], [1, 4]] {
            if let Some((range, digits)) = groups.take(bytes, &lengths)
                && matches!(groups.parted, b'/' | b'-' | b' ' | b'.')
                && (1..=12).contains(&checks::number(&digits[..lengths[0]]))
                && (lengths[1] == 2 && checks::number(&digits[lengths[0]..]) >= 15
                    || (2015..2060).contains(&checks::number(&digits[lengths[0]..])))
            {
                return Some(range);
            }
        }
        // "2031-05"
        let (range, digits) = groups.take(bytes, &[4, 2])?;
        let fits =
            (2015..2060).contains(&checks::number(&digits[..4])) && (1..=12).contains(&checks::number(&digits[4..]));
        return (fits && groups.parted == b'-').then_some(range);
    }
    let name = word(bytes, at, 9)?;
    let written = text.get(name.clone())?.to_ascii_lowercase();
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if !MONTHS.iter().any(|month| written.starts_with(month)) {
        return None;
    }
    let year = name.end
        + bytes[name.end..].iter().take(2).take_while(|byte| matches!(byte, b' ' | b',' | b'.' | b'/' | b'-')).count();
    let digits =
        word(bytes, year, 4).filter(|range| year > name.end && bytes[range.clone()].iter().all(u8::is_ascii_digit))?;
    matches!(digits.len(), 2 | 4).then_some(name.start..digits.end)
}

/// "aged 34", "age: 5", "turned 40".
fn age(text: &str, at: usize, cue: &Cue, gap: &str) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let range = word(bytes, at, 3).filter(|range| bytes[range.clone()].iter().all(u8::is_ascii_digit))?;
    let years = bytes[range.clone()].iter().fold(0_u32, |sum, byte| sum * 10 + u32::from(byte - b'0'));
    let links = gap.trim_matches([' ', ':', '=', '"', '\'', '\t', '(', '|', '*']).to_ascii_lowercase();
    let linked = matches!(
        links.as_str(),
        "" | "is" | "of" | "was" | "about" | "around" | "just" | "over" | "s" | "group" | "de" | "years"
    );
    let goes_on = matches!(bytes.get(range.end), Some(b'%' | b'/' | b'$'))
        || (matches!(bytes.get(range.end), Some(b'.' | b',' | b':'))
            && bytes.get(range.end + 1).is_some_and(u8::is_ascii_digit));
    let compound = cue.range.start > 0 && matches!(bytes[cue.range.start - 1], b'-' | b'_' | b'.' | b'/');
    // "turned 180 degrees", "age 30 days": other units.
    let unit: String = text[range.end..]
        .chars()
        .skip_while(|letter| *letter == ' ')
        .take_while(char::is_ascii_alphabetic)
        .take(8)
        .collect();
    let other = matches!(
        unit.as_str(),
        "days"
            | "day"
            | "months"
            | "weeks"
            | "hours"
            | "hour"
            | "minutes"
            | "min"
            | "seconds"
            | "sec"
            | "ms"
            | "degrees"
            | "percent"
            | "times"
            | "million"
            | "points"
            | "of"
            | "s"
    );
    (years <= 120 && linked && !goes_on && !compound && !other).then_some(Candidate { range, kind: Pii::Age, sure: 81 })
}

/// Forty characters of base64 with capitals, small letters and digits.
pub fn secret_key(text: &str, at: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let key = bytes.get(at..at + 40)?;
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+');
    let over = bytes.get(at + 40).is_some_and(|byte| letter(byte) || *byte == b'=');
    let under = at > 0 && letter(&bytes[at - 1]);
    let mixed = key.iter().any(u8::is_ascii_uppercase)
        && key.iter().any(u8::is_ascii_lowercase)
        && key.iter().any(u8::is_ascii_digit);
    (key.iter().all(letter) && !over && !under && mixed).then_some(Candidate {
        range: at..at + 40,
        kind: Pii::AwsSecretKey,
        sure: 97,
    })
}

/// How a value hangs together with the word before it.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Link {
    /// ":" or "=".
    Assigned,
    /// "is", "was", "to".
    Said,
    /// A space.
    Beside,
    /// Other words.
    Apart,
}

fn link(gap: &str) -> Link {
    // Another object's members: "\"user\": {\"firstName\": …".
    if gap.contains(['{', '}']) {
        return Link::Apart;
    }
    let bare = gap.trim_matches([' ', '"', '\'', '`', '\t', '*', '(', '\n', '[', '“', '”']);
    match bare.to_ascii_lowercase().as_str() {
        ":" | "=" | "=>" | ":=" | "is:" | "->" | "is :" | "\":" | "\": \"" | "':" => Link::Assigned,
        "is" | "was" | "to" | "is now" | "will be" | "set to" | "is set to" | "of" | "reads" | "are" | "est" | "es"
        | "ist" | "as" | "changed to" | "is still" => Link::Said,
        "" if !gap.is_empty() => Link::Beside,
        other if other.ends_with([':', '=']) && other.len() <= 16 => Link::Assigned,
        other if other.ends_with(" is") || other.ends_with(" to") || other.ends_with(" as") || other == "called" => {
            Link::Said
        }
        _ => Link::Apart,
    }
}

/// Words that stand where a value would and are none.
fn is_no_value(written: &str) -> bool {
    const NONE: &str = " string str none null nil true false bool boolean int text char varchar required optional field value \
        type input default self this var let const undefined empty example option options secret bytes object any env \
        password passwd username user users name email admin id ids key token hash ";
    NONE.contains(&format!(" {} ", written.to_ascii_lowercase()))
}

fn username(text: &str, at: usize, cue: &Cue, gap: &str, lexicon: &Lexicon<'_>) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let mut end = at + usize::from(bytes[at] == b'@');
    while end < bytes.len()
        && end - at < 40
        && (bytes[end].is_ascii_alphanumeric() || matches!(bytes[end], b'.' | b'_' | b'-'))
    {
        end += 1;
    }
    while end > at && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let written = text.get(at..end)?;
    let name = written.trim_start_matches('@');
    let code = matches!(bytes.get(end), Some(b'(' | b'[' | b'@' | b'/' | b'\\' | b'$' | b'<'))
        || (bytes.get(end) == Some(&b':') && bytes.get(end + 1) == Some(&b':'))
        || matches!(bytes[..at].last(), Some(b'$' | b'{' | b'<' | b'/' | b'&' | b'%'));
    if name.len() < 3
        || !name.bytes().any(|byte| byte.is_ascii_alphabetic())
        || code
        || !ends(bytes, end)
        || is_no_value(name)
    {
        return None;
    }
    let link = link(gap);
    let at_sign = written.starts_with('@');
    let digits = name.bytes().any(|byte| byte.is_ascii_digit());
    let parted = name.bytes().any(|byte| matches!(byte, b'_' | b'.' | b'-'));
    let ordinary = lexicon.classes(name, lexicon::hash(name)) & (lexicon::ORDINARY | lexicon::SELDOM) != 0;
    let strong = cue.what == Announces::Username;
    let believed = match link {
        Link::Apart => false,
        _ if at_sign => true,
        Link::Assigned => (digits || !ordinary) && !is_expression(name),
        Link::Said => digits || (strong && !ordinary) || (strong && parted),
        Link::Beside => {
            (digits && !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())) && name.len() >= 5
                || (name.contains('_') && !is_expression(name))
                || (strong
                    && !ordinary
                    && name.len() >= 5
                    && !name.starts_with(|first: char| first.is_ascii_uppercase()))
        }
    };
    (believed && !(name.contains('.') && is_expression(name))).then_some(Candidate {
        range: at..end,
        kind: Pii::Username,
        sure: 80,
    })
}

/// "os.environ", "user.name", "self.password": code that yields a value.
fn is_expression(name: &str) -> bool {
    const PARTS: [&str; 16] = [
        "self", "user", "name", "config", "os", "env", "args", "this", "request", "req", "password", "settings",
        "username", "get", "login", "id",
    ];
    name.split(['.', '_', '-']).any(|part| PARTS.contains(&part.to_ascii_lowercase().as_str()))
}

/// "read_secret(…": letters, then a bracket; also what brackets enclose.
fn is_call(written: &str) -> bool {
    let Some((name, rest)) = written.split_once('(') else { return false };
    if name.is_empty() {
        return rest.contains(')');
    }
    name.len() >= 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'))
}

fn password(text: &str, at: usize, cue: &Cue, gap: &str, lexicon: &Lexicon<'_>) -> Option<Candidate> {
    let link = link(gap);
    // These are also verbs, or plural.
    let weak = matches!(text[cue.range.clone()].to_ascii_lowercase().as_str(), "pass" | "pw" | "credentials");
    let said = matches!(gap.trim(), "is" | "was");
    if link == Link::Apart || weak && link != Link::Assigned && !said {
        return None;
    }
    let quote = gap.chars().next_back().filter(|last| matches!(last, '"' | '\'' | '`'));
    let rest = &text[at..];
    let stops = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || Some(letter) == quote
            || (quote.is_none() && matches!(letter, '"' | '<' | '>'))
    };
    let mut end = at
        + rest
            .char_indices()
            .take(65)
            .find(|(offset, letter)| stops(*letter) || *offset > 64)
            .map_or(rest.len().min(65), |(offset, _)| offset);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if quote.is_none() {
        end = at
            + text[at..end].trim_end_matches(['.', ',', ';', ':', ')', ']', '\'', '`', '?', '}', '|', '’', '”']).len();
        // One mark at the end may close the sentence or belong to the password; few sentences exclaim.
    }
    let written = &text[at..end];
    let count = written.chars().count();
    if !(4..=64).contains(&count) || is_no_value(written.trim_end_matches('!')) || text[end..].starts_with('(') {
        return None;
    }
    let code = written.starts_with(['$', '{', '%', '&'])
        && written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"${}_%&".contains(&byte))
        || written.contains("::")
        || written.contains("()")
        || written.contains("->")
        || is_call(written)
        || written.starts_with("//")
        || written.starts_with("http")
        || written.bytes().all(|byte| byte == b'*' || byte == b'.' || byte == b'x' || byte == b'X');
    if code {
        return None;
    }
    let letters = written.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digits = written.bytes().any(|byte| byte.is_ascii_digit());
    let marks = written
        .trim_end_matches('!')
        .bytes()
        .any(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'.' | b'/' | b'_' | b'\'' | b','));
    let mixed = written.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
        && written.bytes().any(|byte| byte.is_ascii_lowercase());
    let identifier = written.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_'));
    let word = written.trim_end_matches('!');
    let ordinary = lexicon.classes(word, lexicon::hash(word)) & (lexicon::ORDINARY | lexicon::SELDOM) != 0;
    let complex = (digits && letters) || (marks && (letters || digits));
    let believed = match link {
        Link::Assigned => {
            complex && !(identifier && is_expression(written))
                || digits && count >= 6
                || quote.is_some() && !ordinary && identifier && !is_expression(written)
        }
        Link::Said => {
            complex
                || (mixed && !identifier)
                || (digits && count >= 6)
                || (!ordinary
                    && identifier
                    && !written.contains('.')
                    && count >= 6
                    && !written.starts_with(|first: char| first.is_uppercase()))
        }
        Link::Beside => complex && count >= 6 && (digits || marks),
        Link::Apart => false,
    };
    believed.then_some(Candidate { range: at..end, kind: Pii::Password, sure: 80 })
}
