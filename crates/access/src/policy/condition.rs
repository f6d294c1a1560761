//! One line of a `Condition` block: an operator, a key, and the values that it may have.

use super::operator::{Compare, Kind, Operator, Quantifier};
use super::pattern::{Colons, Pattern};
use super::{Keys, network};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A condition, compiled.
#[derive(Debug)]
pub(super) struct Condition {
    operator: Operator,
    /// In lower case.
    key: Box<str>,
    wanted: Wanted,
}

/// What the key is compared with; one that fits is enough.
#[derive(Debug)]
enum Wanted {
    Texts(Vec<Pattern>),
    Folded(Vec<Pattern>),
    Numbers(Compare, Vec<f64>),
    Dates(Compare, Vec<Timestamp>),
    Bools(Vec<bool>),
    Bytes(Vec<Vec<u8>>),
    Networks(Vec<IpNet>),
    /// `Null`: whether the key is to be missing.
    Missing(Vec<bool>),
}

impl Condition {
    /// Compiles a condition; an error says which value is none of the operator's.
    pub(super) fn new(operator: Operator, key: &str, values: &[&str], variables: bool) -> Result<Self, String> {
        let patterns = |colons| -> Result<Vec<Pattern>, String> {
            values.iter().map(|text| Pattern::new(text, colons, variables)).collect()
        };
        let wanted = match operator.kind {
            Kind::Text => Wanted::Texts(patterns(Colons::Literal)?),
            Kind::TextLike => Wanted::Texts(patterns(Colons::Free)?),
            Kind::Arn => Wanted::Texts(patterns(Colons::Arn)?),
            Kind::TextIgnoringCase => {
                Wanted::Folded(patterns(Colons::Literal)?.into_iter().map(Pattern::folded).collect())
            }
            Kind::Number(how) => Wanted::Numbers(how, each(values, "a number", number)?),
            Kind::Date(how) => Wanted::Dates(how, each(values, "a date in ISO 8601 or epoch seconds", date)?),
            Kind::Bool => Wanted::Bools(each(values, "true or false", boolean)?),
            Kind::Binary => Wanted::Bytes(each(values, "base64", |text| STANDARD.decode(text).ok())?),
            Kind::Ip => {
                Wanted::Networks(each(values, "an address or a network such as 203.0.113.0/24", network::parse)?)
            }
            Kind::Null => Wanted::Missing(each(values, "true or false", boolean)?),
        };
        Ok(Self { operator, key: key.to_lowercase().into(), wanted })
    }

    /// Whether it asks for a key that starts so, by its own or by a variable.
    pub(super) fn mentions(&self, start: &str) -> bool {
        let named = match &self.wanted {
            Wanted::Texts(patterns) | Wanted::Folded(patterns) => patterns.iter().any(|p| p.mentions(start)),
            _ => false,
        };
        named || self.key.starts_with(start)
    }

    /// Whether it holds. A missing key fits nothing: then a negated operator holds and any other does not, `…IfExists`
    /// holds, and of nothing all values fit and none does.
    pub(super) fn holds(&self, keys: &Keys) -> bool {
        let Operator { negated, if_exists, quantifier, .. } = self.operator;
        let values = keys.get(&self.key);
        if let Wanted::Missing(wanted) = &self.wanted {
            return wanted.contains(&values.is_none());
        }
        let Some(values) = values else {
            return match quantifier {
                Quantifier::One => if_exists || negated,
                Quantifier::All => true,
                Quantifier::Any => if_exists,
            };
        };
        let mut fits = values.iter().map(|value| self.wanted.fits(value, keys));
        match quantifier {
            Quantifier::One => fits.any(|fits| fits) != negated,
            Quantifier::All => fits.all(|fits| fits != negated),
            Quantifier::Any => fits.any(|fits| fits != negated),
        }
    }
}

impl Wanted {
    fn fits(&self, value: &str, keys: &Keys) -> bool {
        match self {
            Self::Texts(list) => list.iter().any(|pattern| pattern.matches(value, keys)),
            Self::Folded(list) => {
                let value = value.to_lowercase();
                list.iter().any(|pattern| pattern.matches(&value, keys))
            }
            Self::Numbers(how, list) => number(value)
                .is_some_and(|value| list.iter().any(|n| value.partial_cmp(n).is_some_and(|order| how.holds(order)))),
            Self::Dates(how, list) => {
                date(value).is_some_and(|value| list.iter().any(|wanted| how.holds(value.cmp(wanted))))
            }
            Self::Bools(list) => boolean(value).is_some_and(|value| list.contains(&value)),
            Self::Bytes(list) => STANDARD.decode(value).is_ok_and(|value| list.contains(&value)),
            Self::Networks(list) => list.iter().any(|net| network::contains(net, value)),
            Self::Missing(_) => false,
        }
    }
}

fn each<T>(values: &[&str], what: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    values.iter().map(|text| read(text).ok_or_else(|| format!("\"{text}\" is not {what}."))).collect()
}

/// A decimal number; neither an infinity nor "not a number" is one.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A date and time, a date alone (its first moment in UTC), or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    if let Ok(timestamp) = text.parse() {
        return Some(timestamp);
    }
    let day: Date = text.parse().ok()?;
    day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
