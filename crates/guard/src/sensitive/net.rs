//! E-mail addresses, URLs and IPv6 addresses.

use std::net::Ipv6Addr;

use super::Pii;
use super::codes::Candidate;

/// Longest local part and domain (RFC 5321).
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;
/// Longer addresses are cut here.
const MAX_URL: usize = 2048;

/// The e-mail address around the '@' at `at`.
pub fn email(text: &str, at: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let local = |byte: u8| byte.is_ascii_alphanumeric() || b"._%+-'".contains(&byte) || !byte.is_ascii();
    let mut start = at;
    while start > 0 && at - start < MAX_LOCAL && local(bytes[start - 1]) {
        start -= 1;
    }
    while start < at && (b".'-%+".contains(&bytes[start]) || !text.is_char_boundary(start)) {
        start += 1;
    }
    // Letters of other scripts may be in a local part, not other characters: those end a sentence.
    let cut = text[start..at].char_indices().rev().find(|(_, letter)| !letter.is_ascii() && !letter.is_alphanumeric());
    if let Some((offset, letter)) = cut {
        start += offset + letter.len_utf8();
    }
    let end = domain(text, at + 1)?;
    (start < at && bytes[at - 1] != b'.').then_some(Candidate { range: start..end, kind: Pii::Email, sure: 95 })
}

/// The password in an address such as "postgres://name:password@host" whose scheme begins at `at`.
pub fn credentials(text: &str, at: usize) -> Option<Candidate> {
    const SCHEME: usize = 20;
    const MOST: usize = 200;
    let bytes = text.as_bytes();
    let scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'+' | b'-' | b'.');
    let colon = at + bytes[at..].iter().take(SCHEME).take_while(scheme).count();
    if !bytes[colon..].starts_with(b"://") {
        return None;
    }
    let user = colon + 3;
    let plain = |byte: &&u8| !byte.is_ascii_whitespace() && !matches!(**byte, b'/' | b'"' | b'<' | b'>' | b'`');
    let end = user + bytes[user..].iter().take(MOST).take_while(plain).count();
    let sign = user + bytes[user..end].iter().rposition(|byte| *byte == b'@')?;
    let start = user + bytes[user..sign].iter().position(|byte| *byte == b':')? + 1;
    let named = matches!(bytes.get(start), Some(b'$' | b'{' | b'<' | b'%' | b'*' | b'['));
    (start < sign && !named).then_some(Candidate { range: start..sign, kind: Pii::Password, sure: 97 })
}

/// The end of the domain name at `at`, which has a point and a top level of letters.
fn domain(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut end = at;
    // Letters of European alphabets beyond ASCII, too; those of others may be the sentence around.
    let europeans = |letter: char| letter.is_alphabetic() && letter < '\u{530}';
    while end < bytes.len() && end - at < MAX_DOMAIN {
        if bytes[end].is_ascii_alphanumeric() || matches!(bytes[end], b'-' | b'.') {
            end += 1;
            continue;
        }
        match text[end..].chars().next().filter(|letter| !letter.is_ascii() && europeans(*letter)) {
            Some(letter) => end += letter.len_utf8(),
            None => break,
        }
    }
    while end > at && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let name = &text[at..end];
    let (host, top) = name.rsplit_once('.')?;
    let letters = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()) || top.starts_with("xn--");
    (letters && !host.is_empty() && !name.contains("..")).then_some(end)
}

/// The URL at `at`, where a word begins: with a scheme, with "www.", or a host with a path.
pub fn url(text: &str, at: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let head = &bytes[at..bytes.len().min(at + 9)];
    let schemes: [&[u8]; 8] =
        [b"https://", b"http://", b"ftp://", b"ftps://", b"sftp://", b"ws://", b"wss://", b"www."];
    let scheme =
        schemes.iter().find(|scheme| head.len() >= scheme.len() && head[..scheme.len()].eq_ignore_ascii_case(scheme));
    if let Some(scheme) = scheme {
        let end = url_end(text, at + scheme.len());
        let more = end > at + scheme.len() && (*scheme != b"www." || domain(text, at).is_some());
        return more.then_some(Candidate { range: at..end, kind: Pii::Url, sure: 96 });
    }
    bare(text, at)
}

/// "example.com/path", or "example.com" under a top level that is nothing else in code.
fn bare(text: &str, at: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    // A host's first label ends in a point within its 63 characters.
    let mut point = at;
    while point < bytes.len() && point - at < 64 && (bytes[point].is_ascii_alphanumeric() || bytes[point] == b'-') {
        point += 1;
    }
    if bytes.get(point) != Some(&b'.') || !bytes.get(point + 1).is_some_and(u8::is_ascii_alphabetic) || point - at < 2 {
        return None;
    }
    if at > 0 && matches!(bytes[at - 1], b'.' | b'/' | b'@' | b'-' | b'\\' | b':' | b'$') {
        return None;
    }
    let host = domain(text, at)?;
    let top = text[at..host].rsplit('.').next().unwrap_or("").to_ascii_lowercase();
    const PLAIN: [&str; 9] = ["com", "org", "edu", "gov", "mil", "biz", "uk", "eu", "de"];
    const WITH_PATH: [&str; 24] = [
        "net", "info", "io", "co", "us", "ca", "fr", "es", "it", "nl", "ch", "at", "be", "au", "in", "jp", "br", "me",
        "dev", "app", "ai", "se", "ly", "pt",
    ];
    let path = bytes.get(host) == Some(&b'/')
        || (bytes.get(host) == Some(&b':') && bytes.get(host + 1).is_some_and(u8::is_ascii_digit));
    // "ASP.NET"
    if top == "net" && !path && text[..host].ends_with("NET") {
        return None;
    }
    let known = PLAIN.contains(&top.as_str()) || (top == "net" || path) && (WITH_PATH.contains(&top.as_str()));
    if !known || bytes.get(host) == Some(&b'(') || bytes.get(host) == Some(&b'@') || bytes.get(host) == Some(&b'_') {
        return None;
    }
    let end = if path { url_end(text, host) } else { host };
    Some(Candidate { range: at..end, kind: Pii::Url, sure: 84 })
}

/// Where the URL ends whose rest begins at `at`: before white space, brackets that were not opened, closing marks.
fn url_end(text: &str, at: usize) -> usize {
    let mut end = at;
    let mut open = 0_i32;
    for (offset, letter) in text[at..].char_indices() {
        let stops = letter.is_whitespace()
            || letter.is_control()
            || matches!(
                letter,
                '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '{' | '}' | '“' | '”' | '«' | '»' | '。' | '，'
            );
        match letter {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if stops || open < 0 || offset > MAX_URL {
            break;
        }
        end = at + offset + letter.len_utf8();
    }
    let trimmed = text[at..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ')', ']', '*', '’', '…']);
    let cut = at + trimmed.len();
    // A bracket that the address itself opened belongs to it.
    if open <= 0 && text[cut..end].starts_with(')') && trimmed.contains('(') { cut + 1 } else { cut }
}

/// The IPv6 address at `at`, where hexadecimal digits or a colon begin.
pub fn ipv6(text: &str, at: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let mut end = at;
    while end < bytes.len()
        && end - at < 46
        && (bytes[end].is_ascii_hexdigit() || bytes[end] == b':' || bytes[end] == b'.')
    {
        end += 1;
    }
    while end > at && matches!(bytes[end - 1], b'.' | b':') && !text[..end].ends_with("::") {
        end -= 1;
    }
    let written = &text[at..end];
    if bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b':') {
        return None;
    }
    // A net's prefix is no one's address.
    if bytes.get(end) == Some(&b'/') && written.ends_with("::") {
        return None;
    }
    let colons = written.bytes().filter(|byte| *byte == b':').count();
    if colons < 3 || (at > 0 && bytes[at - 1] == b':') {
        return None;
    }
    let address: Ipv6Addr = written.parse().ok()?;
    (!address.is_loopback() && !address.is_unspecified()).then_some(Candidate {
        range: at..end,
        kind: Pii::IpAddress,
        sure: 89,
    })
}
