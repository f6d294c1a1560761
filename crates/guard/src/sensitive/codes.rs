//! Values that are known by their form and check digit, wherever they stand.

use std::ops::Range;

use super::Pii;
use super::checks;

/// A value that may be PII, and how sure that is: 0 to 100.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its bytes.
    pub range: Range<usize>,
    /// What it would be.
    pub kind: Pii,
    /// How sure that is; of two that overlap, the surer stays.
    pub sure: u8,
}

/// Digit groups and what parts them: "123-45-6789" is 3, 2 and 4 digits parted by '-'.
#[derive(Debug, Default)]
pub struct Groups {
    /// Each group's bytes.
    pub groups: Vec<Range<usize>>,
    /// The one character between all of them; 0 where there is a single group, 1 where they differ.
    pub parted: u8,
    /// All digits.
    pub digits: Vec<u8>,
}

/// More groups than any number has.
const MAX_GROUPS: usize = 8;

impl Groups {
    /// The groups from `at` on, which is where digits begin.
    pub fn at(bytes: &[u8], at: usize) -> Self {
        let mut groups = Self::default();
        let mut next = at;
        while groups.groups.len() < MAX_GROUPS {
            let begin = next;
            while next < bytes.len() && bytes[next].is_ascii_digit() && next - begin < 20 {
                groups.digits.push(bytes[next] - b'0');
                next += 1;
            }
            groups.groups.push(begin..next);
            let Some(parts) = bytes.get(next).filter(|byte| matches!(byte, b' ' | b'-' | b'.' | b'/')) else { break };
            if !bytes.get(next + 1).is_some_and(u8::is_ascii_digit) {
                break;
            }
            groups.parted = match groups.parted {
                0 => *parts,
                same if same == *parts => same,
                _ => break,
            };
            next += 1;
        }
        groups
    }

    /// The bytes and digits of the first `lengths.len()` groups, if they have these lengths and nothing goes on behind.
    pub fn take(&self, bytes: &[u8], lengths: &[usize]) -> Option<(Range<usize>, &[u8])> {
        let fits = self.groups.len() >= lengths.len()
            && self.groups.iter().zip(lengths).all(|(group, length)| group.len() == *length);
        if !fits {
            return None;
        }
        let range = self.groups[0].start..self.groups[lengths.len() - 1].end;
        // Spaces may part this number from the next; other marks do not.
        let more = self.groups.len() > lengths.len() && self.parted != b' ';
        (!more && ends(bytes, range.end)).then(|| (range, &self.digits[..lengths.iter().sum()]))
    }
}

/// Whether a value may begin at `at`.
pub fn begins(bytes: &[u8], at: usize) -> bool {
    at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_' || !bytes[at - 1].is_ascii())
}

/// Whether a value may end before `at`.
pub fn ends(bytes: &[u8], at: usize) -> bool {
    at >= bytes.len() || !(bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || !bytes[at].is_ascii())
}

/// Whether the digits at `at` go on from what is before the mark before them: "1,234", "7-12", "e29b-41d4", "v.2". A
/// comma, a slash or a hyphen behind a word parts the fields of a record.
pub fn glued(bytes: &[u8], at: usize) -> bool {
    /// Longer words are codes.
    const WORD: usize = 24;
    if at < 2 {
        return false;
    }
    let (mark, before) = (bytes[at - 1], bytes[at - 2]);
    let digits = |from: usize| bytes[from..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    match mark {
        b'.' => before.is_ascii_alphanumeric(),
        b'-' | b'/' => {
            let word = bytes[..at - 1].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).take(WORD + 1);
            let (count, coded) = word.fold((0, false), |(n, coded), byte| (n + 1, coded || byte.is_ascii_digit()));
            coded || count > WORD
        }
        // Groups of three digits, and nothing that a number with commas has not.
        b',' if before.is_ascii_digit() && digits(at) == 3 => {
            let first = bytes[..at - 1].iter().rev().take(4).take_while(|byte| byte.is_ascii_digit()).count();
            let more = matches!(bytes.get(at + 3), Some(b' ' | b'-' | b'/'))
                && bytes.get(at + 4).is_some_and(u8::is_ascii_digit);
            first <= 3 && !more
        }
        _ => false,
    }
}

/// Numbers that begin with the digit at `at` and need no announcement.
pub fn numbers(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let valued = at > 1 && matches!(bytes[at - 1], b'$' | b'#') && bytes[at - 2].is_ascii_alphanumeric();
    if valued || glued(bytes, at) {
        // "10.0.0.1-10.0.0.9", "7,203.0.113.7"
        if at > 1 && matches!(bytes[at - 1], b'-' | b',') && bytes[at - 2].is_ascii_digit() {
            found.extend(ipv4(bytes, at, &Groups::at(bytes, at)));
        }
        return;
    }
    let groups = Groups::at(bytes, at);
    let mut push = |range: Range<usize>, kind: Pii, sure: u8| found.push(Candidate { range, kind, sure });
    if matches!(groups.parted, 0 | b' ' | b'-') {
        for lengths in CARDS {
            if let Some((range, digits)) = groups.take(bytes, lengths)
                && checks::card(digits)
            {
                return push(range, Pii::CreditDebitCardNumber, 92);
            }
        }
        if groups.groups[0].len() >= 13
            && let Some((range, digits)) = groups.take(bytes, &[groups.groups[0].len()])
            && checks::card(digits)
        {
            return push(range, Pii::CreditDebitCardNumber, 85);
        }
    }
    if let Some((range, digits)) = groups.take(bytes, &[3, 2, 4])
        && matches!(groups.parted, b'-' | b' ')
    {
        // Others are given out, too, and known where a word announces them.
        if checks::itin(digits) && matches!(digits[3], 7 | 8) {
            push(range, Pii::UsIndividualTaxIdentificationNumber, 90);
        } else if checks::ssn(digits) && groups.parted == b'-' {
            push(range, Pii::UsSocialSecurityNumber, 90);
        }
    } else if let Some((range, digits)) = groups.take(bytes, &[3, 3, 3])
        && groups.parted == b'-'
        && checks::sin(digits)
    {
        push(range, Pii::CaSocialInsuranceNumber, 80);
    } else {
        found.extend(ipv4(bytes, at, &groups));
    }
    mac(bytes, at, found);
    vin(bytes, at, found);
}

const CARDS: &[&[usize]] =
    &[&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 4, 2], &[4, 4, 4, 1], &[4, 4, 5]];

fn ipv4(bytes: &[u8], at: usize, groups: &Groups) -> Option<Candidate> {
    let [a, b, c, d] = groups.groups.as_slice() else { return None };
    if groups.parted != b'.' || !ends(bytes, d.end) {
        return None;
    }
    let octet =
        |range: &Range<usize>| checks::number(&bytes[range.clone()].iter().map(|b| b - b'0').collect::<Vec<_>>());
    let fits = [a, b, c, d].iter().all(|range| range.len() <= 3 && octet(range) <= 255);
    let padded = [a, b, c, d].iter().any(|range| range.len() > 1 && bytes[range.start] == b'0');
    // Loopback, "any" and netmasks tell of nobody.
    let nobody = octet(a) == 127 || octet(a) == 0 || (octet(a) == 255 && octet(b) == 255);
    // 10.0.0.0/8 is a net of its own.
    let small = octet(a) < 10 && octet(b) < 20 && octet(c) < 20;
    let other = !fits || padded || nobody || is_version(bytes, at, d.end, small);
    (!other).then_some(Candidate { range: a.start..d.end, kind: Pii::IpAddress, sure: 88 })
}

/// Whether these numbers count releases or sections: by the words around them, and where they are `small` by a name of
/// something directly before.
fn is_version(bytes: &[u8], at: usize, end: usize, small: bool) -> bool {
    /// So far back the words that tell of a release may stand.
    const SIGHT: usize = 48;
    const COUNTED: [&str; 29] = [
        "v",
        "ver",
        "version",
        "versions",
        "release",
        "releases",
        "released",
        "build",
        "rev",
        "revision",
        "patch",
        "firmware",
        "upgrade",
        "update",
        "section",
        "sections",
        "sec",
        "chapter",
        "clause",
        "article",
        "paragraph",
        "appendix",
        "annex",
        "rule",
        "figure",
        "table",
        "item",
        "oid",
        "assembly",
    ];
    const LINKS: [&str; 10] = ["from", "to", "and", "or", "than", "until", "since", "before", "through", "is"];
    const NET: [&str; 44] = [
        "ip",
        "ips",
        "ipv",
        "address",
        "addresses",
        "addr",
        "host",
        "hosts",
        "server",
        "servers",
        "client",
        "clients",
        "dns",
        "gateway",
        "router",
        "peer",
        "node",
        "resolver",
        "ping",
        "from",
        "to",
        "at",
        "is",
        "on",
        "via",
        "by",
        "for",
        "of",
        "and",
        "or",
        "the",
        "in",
        "with",
        "connect",
        "connected",
        "connecting",
        "block",
        "blocked",
        "allow",
        "deny",
        "listen",
        "bind",
        "port",
        "nameserver",
    ];
    // "nginx/1.25.3.1", "openssl-1.1.1.20"; "//10.0.0.5" is none.
    let named = at > 1 && matches!(bytes[at - 1], b'/' | b'-') && bytes[at - 2].is_ascii_alphabetic();
    let compared = [&b"=="[..], b">=", b"<=", b"~=", b"~>", b"^", b"~"]
        .iter()
        .any(|mark| bytes[..at].trim_ascii_end().ends_with(mark));
    if named || compared {
        return true;
    }
    let from = at.saturating_sub(SIGHT);
    let line = bytes[from..at].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let before = String::from_utf8_lossy(line).to_lowercase();
    let words: Vec<&str> =
        before.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let Some(last) = words.last() else { return false };
    // Nothing but spaces and signs like "#" between.
    let tail = before.rfind(last).map_or("", |place| &before[place + last.len()..]);
    let beside = tail.chars().all(|letter| matches!(letter, ' ' | ':' | '=' | '#' | '.' | '"' | '\'' | '('));
    if beside && COUNTED.contains(last) || before.trim_end().ends_with('§') {
        return true;
    }
    let released = |word: &&str| {
        ["upgrad", "updat", "downgrad", "migrat", "bump", "version", "releas"].iter().any(|stem| word.starts_with(stem))
    };
    if LINKS.contains(last) && words.iter().rev().take(if small { 6 } else { 3 }).any(released) {
        return true;
    }
    let behind = String::from_utf8_lossy(&bytes[end..bytes.len().min(end + 24)]).to_lowercase();
    let told = ["released", "or later", "or newer", "or higher", "and later", "and newer", "and above", "release"]
        .iter()
        .any(|words| behind.contains(words));
    small && (told || (tail == " " && !NET.contains(last)))
}

/// Codes that begin with the letter at `at` and need no announcement.
pub fn letters(text: &str, at: usize, found: &mut Vec<Candidate>) {
    let bytes = text.as_bytes();
    let upper = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_uppercase);
    if bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) && bytes.get(at + 2).is_some_and(u8::is_ascii_digit) {
        iban(bytes, at, found);
    }
    if upper(0) {
        if bytes[at] == b'A' && upper(1) {
            aws_key(bytes, at, found);
        }
        if upper(1) {
            let next = bytes.get(at + 2).copied().unwrap_or(0);
            if next.is_ascii_digit() || next == b' ' || next == b'-' {
                nino(bytes, at, found);
            }
        }
        vin(bytes, at, found);
    }
    mac(bytes, at, found);
}

fn aws_key(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    const KINDS: [&[u8]; 10] =
        [b"AKIA", b"ASIA", b"ABIA", b"ACCA", b"AGPA", b"AIDA", b"AIPA", b"ANPA", b"ANVA", b"AROA"];
    let Some(key) = bytes.get(at..at + 20) else { return };
    let known = KINDS.contains(&&key[..4]) || key.starts_with(b"A3T");
    if known && key.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) && ends(bytes, at + 20) {
        found.push(Candidate { range: at..at + 20, kind: Pii::AwsAccessKey, sure: 98 });
    }
}

fn iban(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let country = [bytes[at].to_ascii_uppercase(), bytes[at + 1].to_ascii_uppercase()];
    let Some(length) = checks::iban_length(&country) else { return };
    let mut code = Vec::with_capacity(length);
    let mut next = at;
    while code.len() < length && next < bytes.len() {
        match bytes[next] {
            byte if byte.is_ascii_alphanumeric() => code.push(byte.to_ascii_uppercase()),
            b' ' | b'-' if !matches!(bytes[next - 1], b' ' | b'-') => {}
            _ => return,
        }
        next += 1;
    }
    if ends(bytes, next) && checks::iban(&code) {
        found.push(Candidate { range: at..next, kind: Pii::InternationalBankAccountNumber, sure: 97 });
    }
}

/// A British national insurance number: two letters that are given out, six digits, A to D.
fn nino(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let (first, second) = (bytes[at], bytes[at + 1]);
    let pair = [first, second];
    let given = !matches!(first, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V')
        && !matches!(second, b'D' | b'F' | b'I' | b'O' | b'Q' | b'U' | b'V')
        && ![*b"BG", *b"GB", *b"NK", *b"KN", *b"TN", *b"NT", *b"ZZ"].contains(&pair);
    let (mut next, mut digits) = (at + 2, 0);
    while digits < 6 {
        match bytes.get(next) {
            Some(byte) if byte.is_ascii_digit() => digits += 1,
            Some(b' ' | b'-') if digits % 2 == 0 && bytes[next - 1].is_ascii_alphanumeric() => {}
            _ => return,
        }
        next += 1;
    }
    if matches!(bytes.get(next), Some(b' ' | b'-')) {
        next += 1;
    }
    if given && matches!(bytes.get(next), Some(b'A'..=b'D')) && ends(bytes, next + 1) {
        found.push(Candidate { range: at..next + 1, kind: Pii::UkNationalInsuranceNumber, sure: 93 });
    }
}

/// Without a word that announces it, a VIN is one by its check digit.
fn vin(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let Some(code) = bytes.get(at..at + 17).filter(|_| ends(bytes, at + 17)) else { return };
    let digits = code.iter().filter(|byte| byte.is_ascii_digit()).count();
    let lower = code.iter().any(u8::is_ascii_lowercase);
    if (4..=14).contains(&digits) && !lower && checks::vin(code) && code[13..].iter().all(u8::is_ascii_digit) {
        found.push(Candidate { range: at..at + 17, kind: Pii::VehicleIdentificationNumber, sure: 86 });
    }
}

/// Six pairs parted by ':' or '-', or three fours parted by '.'.
fn mac(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let hex = |range: Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_hexdigit));
    let Some(parts) = bytes.get(at + 2).filter(|byte| matches!(byte, b':' | b'-')) else {
        let dotted = bytes.get(at + 4) == Some(&b'.') && bytes.get(at + 9) == Some(&b'.');
        if dotted
            && hex(at..at + 4)
            && hex(at + 5..at + 9)
            && hex(at + 10..at + 14)
            && ends(bytes, at + 14)
            && bytes.get(at + 14) != Some(&b'.')
            && bytes[at..at + 14].iter().any(u8::is_ascii_alphabetic)
        {
            found.push(Candidate { range: at..at + 14, kind: Pii::MacAddress, sure: 94 });
        }
        return;
    };
    let pairs = (0..6).all(|pair| {
        hex(at + pair * 3..at + pair * 3 + 2) && (pair == 5 || bytes.get(at + pair * 3 + 2) == Some(parts))
    });
    let end = at + 17;
    let goes_on = bytes.get(end) == Some(parts) && bytes.get(end + 1).is_some_and(u8::is_ascii_hexdigit);
    let goes_before = at > 0 && bytes[at - 1] == *parts && at > 1 && bytes[at - 2].is_ascii_hexdigit();
    // All zeros and all ones are nobody's.
    let somebody = |byte: &&u8| !matches!(**byte, b'0' | b'f' | b'F') && *byte != parts;
    let nobody = !bytes[at..bytes.len().min(end)].iter().any(|byte| somebody(&byte));
    if pairs && !nobody && !goes_on && !goes_before && ends(bytes, end) {
        found.push(Candidate { range: at..end, kind: Pii::MacAddress, sure: 96 });
    }
}
