//! Metric math, the plain part of it: `+ - * /`, parentheses, and SUM, AVG, MIN, MAX over lists or one series.

use std::cell::Cell;
use std::collections::BTreeMap;

/// Values by moment.
pub(crate) type Series = BTreeMap<i64, f64>;

/// CloudWatch's own bound, in characters.
const LONGEST: usize = 2_048;
/// Values that the expressions of one question may read together.
pub(crate) const MOST_READ: usize = 5_000_000;
/// Nesting beyond this is refused.
const DEEPEST: usize = 32;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Series(Series),
    List(Vec<Series>),
}

/// Computes an expression; `find` knows the other queries by their ids. It may read as many values as are `left`, which
/// it counts down.
pub(crate) fn compute(
    text: &str,
    find: &dyn Fn(&str) -> Option<Series>,
    all: &dyn Fn() -> Vec<Series>,
    left: &Cell<usize>,
) -> Result<Value, String> {
    if text.chars().count() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    let mut reader = Reader { rest: text, find, all, left, depth: 0 };
    let value = reader.sum()?;
    reader.rest = reader.rest.trim_start();
    if reader.rest.is_empty() { Ok(value) } else { Err(format!("`{}` is not understood", reader.shown())) }
}

/// The ids and functions that an expression names.
pub(crate) fn names(text: &str) -> Vec<&str> {
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.split(part).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

struct Reader<'a> {
    rest: &'a str,
    find: &'a dyn Fn(&str) -> Option<Series>,
    all: &'a dyn Fn() -> Vec<Series>,
    left: &'a Cell<usize>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn shown(&self) -> String {
        self.rest.chars().take(20).collect()
    }

    fn reads(&self, values: usize) -> Result<(), String> {
        let left = self.left.get().checked_sub(values);
        self.left.set(left.ok_or("there is too much to compute; ask for less time, a longer period or fewer terms")?);
        Ok(())
    }

    /// Takes one of these characters, if it is the next.
    fn take(&mut self, wanted: &[char]) -> Option<char> {
        self.rest = self.rest.trim_start();
        let next = self.rest.chars().next().filter(|next| wanted.contains(next))?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn sum(&mut self) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        let mut left = self.product()?;
        while let Some(sign) = self.take(&['+', '-']) {
            let right = self.product()?;
            left = both(left, right, if sign == '+' { |a, b| a + b } else { |a, b| a - b })?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Value, String> {
        let mut left = self.factor()?;
        while let Some(sign) = self.take(&['*', '/']) {
            let right = self.factor()?;
            left = both(left, right, if sign == '*' { |a, b| a * b } else { |a, b| a / b })?;
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Value, String> {
        let mut negative = false;
        while self.take(&['-']).is_some() {
            negative = !negative;
        }
        let value = self.atom()?;
        if negative { both(Value::Number(-1.0), value, |a, b| a * b) } else { Ok(value) }
    }

    fn atom(&mut self) -> Result<Value, String> {
        if self.take(&['(']).is_some() {
            let value = self.sum()?;
            return self.closed(')', value);
        }
        if self.take(&['[']).is_some() {
            let mut list = Vec::new();
            loop {
                match self.sum()? {
                    Value::Series(series) => list.push(series),
                    _ => return Err("a list may hold series only".into()),
                }
                if self.take(&[',']).is_none() {
                    return self.closed(']', Value::List(list));
                }
            }
        }
        self.rest = self.rest.trim_start();
        let number = self.rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(self.rest.len());
        if number > 0 {
            let (digits, rest) = self.rest.split_at(number);
            self.rest = rest;
            return digits.parse().map(Value::Number).map_err(|_| format!("`{digits}` is no number"));
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(format!("`{}` is not understood", self.shown()));
        }
        self.rest = rest;
        if self.take(&['(']).is_none() {
            let series = (self.find)(name).ok_or_else(|| format!("there is no query `{name}`"))?;
            self.reads(series.len())?;
            return Ok(Value::Series(series));
        }
        if name == "METRICS" {
            let all = (self.all)();
            self.reads(all.iter().map(Series::len).sum())?;
            return self.closed(')', Value::List(all));
        }
        let argument = self.sum()?;
        let value = function(name, argument)?;
        self.closed(')', value)
    }

    fn closed(&mut self, with: char, value: Value) -> Result<Value, String> {
        self.take(&[with]).map(|_| value).ok_or_else(|| format!("a `{with}` is missing"))
    }
}

/// Of a list, a series of what each moment has; of a series, one number.
fn function(name: &str, argument: Value) -> Result<Value, String> {
    let fold: fn(&[f64]) -> f64 = match name {
        "SUM" => |values| values.iter().sum(),
        "AVG" => |values| values.iter().sum::<f64>() / values.len() as f64,
        "MIN" => |values| values.iter().copied().fold(f64::INFINITY, f64::min),
        "MAX" => |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        other => return Err(format!("the function {other} is not built; SUM, AVG, MIN, MAX and METRICS are")),
    };
    Ok(match argument {
        Value::Number(number) => Value::Number(number),
        Value::Series(series) if series.is_empty() => Value::Series(series),
        Value::Series(series) => Value::Number(fold(&series.into_values().collect::<Vec<_>>())),
        Value::List(list) => {
            let mut moments: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for (at, value) in list.into_iter().flatten() {
                moments.entry(at).or_default().push(value);
            }
            Value::Series(moments.into_iter().map(|(at, values)| (at, fold(&values))).collect())
        }
    })
}

/// Moment by moment; what only one side has, or what comes to no number, is left out.
fn both(left: Value, right: Value, of: fn(f64, f64) -> f64) -> Result<Value, String> {
    let finite = |series: Series| series.into_iter().filter(|(_, value)| value.is_finite()).collect();
    Ok(match (left, right) {
        (Value::Number(a), Value::Number(b)) => Value::Number(of(a, b)),
        (Value::Number(a), Value::Series(b)) => {
            Value::Series(finite(b.into_iter().map(|(at, b)| (at, of(a, b))).collect()))
        }
        (Value::Series(a), Value::Number(b)) => {
            Value::Series(finite(a.into_iter().map(|(at, a)| (at, of(a, b))).collect()))
        }
        (Value::Series(a), Value::Series(b)) => {
            let pair = |(at, a): (i64, f64)| Some((at, of(a, *b.get(&at)?)));
            Value::Series(finite(a.into_iter().filter_map(pair).collect()))
        }
        _ => return Err("a list stands where a series or a number has to".into()),
    })
}
