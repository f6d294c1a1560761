//! Percent-encoding and timestamps, as the REST bindings write them.

use std::borrow::Cow;

use jiff::Timestamp;

/// Decodes `%XX`; `None` where an escape is broken or the result is not UTF-8.
pub fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        if b == b'%' {
            let high = (*bytes.get(i + 1)? as char).to_digit(16)?;
            let low = (*bytes.get(i + 2)? as char).to_digit(16)?;
            out.push((high * 16 + low) as u8);
            i += 3;
        } else {
            out.push(b);
            i += 1;
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// The name and value pairs of a query or form, decoded; `+` is a blank. Broken escapes stay as they are.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    fn decode(part: &str) -> Cow<'_, str> {
        if part.contains('+') {
            let blanks = part.replace('+', " ");
            return Cow::Owned(percent_decode(&blanks).map_or_else(|| blanks.clone(), Cow::into_owned));
        }
        percent_decode(part).unwrap_or(Cow::Borrowed(part))
    }
    query.split('&').filter(|p| !p.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// A moment as the services write it: `2026-01-02T03:04:05Z`, with milliseconds where it has any.
pub fn format_timestamp(at: Timestamp) -> String {
    let whole = at.strftime("%Y-%m-%dT%H:%M:%S");
    match at.subsec_nanosecond() / 1_000_000 {
        0 => format!("{whole}Z"),
        ms => format!("{whole}.{:03}Z", ms.abs()),
    }
}

/// Reads ISO 8601 with an offset, or seconds since 1970.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    epoch(text.parse().ok()?)
}

/// Seconds since 1970, with a fraction.
pub fn epoch(seconds: f64) -> Option<Timestamp> {
    if !seconds.is_finite() || seconds.abs() > 1e12 {
        return None;
    }
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent() {
        assert_eq!(percent_decode("a%3Ab%2fc").as_deref(), Some("a:b/c"));
        assert_eq!(percent_decode("plain").as_deref(), Some("plain"));
        for bad in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(percent_decode(bad), None, "{bad}");
        }
        let pairs: Vec<_> = query_pairs("a=1+2&&b=%3D&c").map(|(k, v)| format!("{k}:{v}")).collect();
        assert_eq!(pairs, ["a:1 2", "b:=", "c:"]);
    }

    #[test]
    fn timestamps() {
        for (given, shown) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.120+01:00", "2026-01-02T02:04:05.120Z"),
            ("1767323045", "2026-01-02T03:04:05Z"),
        ] {
            assert_eq!(parse_timestamp(given).map(format_timestamp).as_deref(), Some(shown));
        }
        assert_eq!(parse_timestamp("yesterday"), None);
        assert_eq!(epoch(f64::NAN), None);
    }
}
