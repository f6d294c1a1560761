//! When a signature is good.

use crate::AccessError;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

/// For how long before and after its time a signature in a header is good, in minutes.
const MINUTES: i64 = 15;

/// Reads `YYYYMMDDTHHMMSSZ`.
pub(super) fn parse(text: &str) -> Result<Timestamp, AccessError> {
    let form = text.len() == 16 && text.as_bytes().get(8) == Some(&b'T') && text.ends_with('Z');
    let time = if form { civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok() } else { None };
    time.and_then(|time| time.to_zoned(TimeZone::UTC).ok())
        .map(|time| time.timestamp())
        .ok_or(AccessError::Malformed("the date is not of the form YYYYMMDDTHHMMSSZ"))
}

/// Writes `YYYYMMDDTHHMMSSZ`.
pub(super) fn format(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A `Date` header in the form that is signed.
pub(super) fn from_http_date(text: &str) -> Option<String> {
    jiff::fmt::rfc2822::parse(text).ok().map(|time| format(time.timestamp()))
}

/// Whether a signature made at `signed` is good at `now`: near to it in a header, for `expires` seconds from it
/// in a presigned URL.
pub(super) fn check(signed: Timestamp, expires: Option<u32>, now: Timestamp) -> Result<(), AccessError> {
    let skew = SignedDuration::from_mins(MINUTES);
    let age = now.duration_since(signed);
    let life = expires.map_or(skew, |seconds| SignedDuration::from_secs(i64::from(seconds)));
    if age > life {
        let said = expires.map_or_else(|| format!("{MINUTES} min."), |seconds| format!("{seconds} sec."));
        let (signed, bound, now) = (format(signed), format(before(now, life)), format(now));
        let text = format!("Signature expired: {signed} is now earlier than {bound} ({now} - {said})");
        return Err(AccessError::Scope(text));
    }
    if -age > skew {
        let (signed, bound, now) = (format(signed), format(before(now, -skew)), format(now));
        let text = format!("Signature not yet current: {signed} is still later than {bound} ({now} + {MINUTES} min.)");
        return Err(AccessError::Scope(text));
    }
    Ok(())
}

fn before(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_sub(life).unwrap_or(now)
}
