//! Queries of `GetMetricData` and of alarms on more than one metric: each is a statistic, or an expression over others.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expression::{self, Series};
use super::input::{Input, combination, invalid, missing};
use super::stat::Stat;
use super::{failed, owner};
use crate::SliceError;
use crate::metrics::{Metric, Metrics, Reading};

const MOST: usize = 500;

/// One query.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub id: String,
    pub label: String,
    pub returned: bool,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Stat { metric: Metric, stat: Stat, period: i64, unit: Option<&'static str> },
    Expression(String),
}

impl Query {
    /// Seconds of a point, of a statistic.
    pub fn period(&self) -> Option<i64> {
        match &self.kind {
            Kind::Stat { period, .. } => Some(*period),
            Kind::Expression(_) => None,
        }
    }
}

/// Reads queries: ids that are unique, each a statistic or an expression.
pub(crate) fn read(list: &[Value]) -> Result<Vec<Query>, SliceError> {
    if list.len() > MOST {
        return Err(invalid(format!("The collection MetricDataQueries must not have a size greater than {MOST}.")));
    }
    let queries = list.iter().map(|one| query(Input::of(one, "MetricDataQueries")?)).collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    if ids.len() != queries.len() {
        return Err(refused("The values for parameter Id must be unique."));
    }
    for query in &queries {
        if let Kind::Expression(text) = &query.kind {
            // Said before anything is read. What the expression comes to does not matter here.
            let none = |id: &str| ids.contains(id).then(Series::new);
            let read = expression::compute(text, &none, &Vec::new, &Cell::new(expression::MOST_READ));
            read.map_err(|why| refused(format!("Error in expression '{}': {why}.", query.id)))?;
        }
    }
    Ok(queries)
}

fn refused(message: impl Into<String>) -> SliceError {
    SliceError::client("ValidationError", message)
}

fn query(input: Input<'_>) -> Result<Query, SliceError> {
    let id = input.required("Id", 255)?;
    let mut letters = id.bytes();
    if !letters.next().is_some_and(|b| b.is_ascii_lowercase())
        || !letters.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Err(refused(format!(
            "The value {id} for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    let (stat, expression) = (input.get("MetricStat"), input.text("Expression")?);
    let (kind, label) = match (stat, expression) {
        (Some(stat), None) => {
            let stat = Input::of(stat, "MetricStat")?;
            let metric = Input::of(stat.get("Metric").ok_or_else(|| missing("MetricStat.Metric"))?, "Metric")?;
            let name = metric.required("MetricName", 255)?;
            let namespace = metric.required("Namespace", 255)?.to_owned();
            let wanted = stat.required("Stat", 64)?;
            let period = stat.integer("Period")?.ok_or_else(|| missing("MetricStat.Period"))?;
            let kind = Kind::Stat {
                metric: Metric::of(namespace, name.to_owned(), metric.dimensions()?),
                stat: Stat::of(wanted)
                    .ok_or_else(|| refused(format!("The value {wanted} for parameter Stat is not supported.")))?,
                period: super::statistics::period(period)?,
                unit: stat.unit()?,
            };
            (kind, name)
        }
        (None, Some(expression)) => (Kind::Expression(expression.to_owned()), id),
        _ => return Err(combination(format!("The query {id} must have either MetricStat or Expression."))),
    };
    let label = input.text("Label")?.unwrap_or(label).to_owned();
    Ok(Query { id: id.to_owned(), label, returned: input.flag("ReturnData")?.unwrap_or(true), kind })
}

/// What the queries come to, by id. Points stand at whole periods.
pub(crate) fn evaluate(
    metrics: &Metrics,
    (account, region): (&str, &str),
    queries: &[Query],
    (from, to): (i64, i64),
    whole_periods: bool,
) -> Result<BTreeMap<String, Series>, SliceError> {
    let mut done: BTreeMap<String, Series> = BTreeMap::new();
    let mut stats = Vec::new();
    for query in queries {
        let Kind::Stat { metric, stat, period, unit } = &query.kind else { continue };
        let from = if whole_periods { from.div_euclid(*period) * period } else { from };
        let owner = owner(account, region, &metric.namespace);
        let percentiles = stat.is_percentile();
        let reading = Reading { owner: &owner, metric, unit: *unit, from, to, period: *period, percentiles };
        // Units are apart in a metric, and nobody says which is meant: the first that there is.
        let points = metrics.read(&reading).map_err(failed)?.into_values().next().unwrap_or_default();
        let series: Series = points.iter().filter_map(|(at, point)| Some((*at, stat.value(point)?))).collect();
        stats.push(series.clone());
        done.insert(query.id.clone(), series);
    }
    let all: BTreeSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    let left = Cell::new(expression::MOST_READ);
    loop {
        let before = done.len();
        for query in queries {
            let Kind::Expression(text) = &query.kind else { continue };
            let ready = |name: &&str| done.contains_key(*name) || !all.contains(name);
            if done.contains_key(&query.id) || !expression::names(text).iter().all(ready) {
                continue;
            }
            let find = |id: &str| done.get(id).cloned();
            let value = expression::compute(text, &find, &|| stats.clone(), &left)
                .map_err(|why| refused(format!("Error in expression '{}': {why}.", query.id)))?;
            let series = match value {
                expression::Value::Series(series) => series,
                // One number stands at every moment that any series has.
                expression::Value::Number(number) if number.is_finite() => {
                    stats.iter().flat_map(|series| series.keys()).map(|at| (*at, number)).collect()
                }
                expression::Value::Number(_) => Series::new(),
                expression::Value::List(_) => {
                    return Err(refused(format!(
                        "Error in expression '{}': it comes to a list; take SUM of it.",
                        query.id
                    )));
                }
            };
            done.insert(query.id.clone(), series);
        }
        if done.len() == all.len() {
            return Ok(done);
        }
        if done.len() == before {
            return Err(refused("Expressions refer to each other in a circle."));
        }
    }
}
