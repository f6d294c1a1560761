//! Filters as SQL. What a filter says is never a part of the text: it is bound.

use serde_json::json;
use tokio_postgres::types::ToSql;

use crate::{Filter, Value};

/// A statement and what is bound to it.
#[derive(Default)]
pub(super) struct Sql {
    pub text: String,
    pub bound: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Sql {
    /// The place of one more value. Statements say its type beside it.
    pub fn bind(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.bound.push(Box::new(value));
        format!("${}", self.bound.len())
    }

    pub fn text(&mut self, value: &str) -> String {
        let place = self.bind(clean(value));
        format!("{place}::text")
    }

    pub fn bound(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.bound.iter().map(|one| one.as_ref() as &(dyn ToSql + Sync)).collect()
    }
}

/// PostgreSQL's text holds no NUL.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// An attribute as it is kept, and as it is compared.
pub(super) fn value(value: &Value) -> serde_json::Value {
    match value {
        Value::Boolean(boolean) => json!(boolean),
        Value::Number(number) => json!(number),
        Value::String(string) => json!(clean(string)),
        Value::List(list) => json!(list.iter().map(|one| clean(one)).collect::<Vec<_>>()),
    }
}

/// The condition that `filter` is, on attributes in the expression `of` of the type jsonb.
pub(super) fn condition(filter: &Filter, of: &str, sql: &mut Sql) -> String {
    let join = |filters: &[Filter], with: &str, none: &str, sql: &mut Sql| match filters {
        [] => none.to_owned(),
        some => {
            let each: Vec<_> = some.iter().map(|one| condition(one, of, sql)).collect();
            format!("({})", each.join(with))
        }
    };
    match filter {
        Filter::All(filters) => return join(filters, " AND ", "TRUE", sql),
        Filter::Any(filters) => return join(filters, " OR ", "FALSE", sql),
        _ => {}
    }
    let name = filter.key().unwrap_or_default();
    let key = sql.text(name);
    let json = format!("({of} -> {key})");
    let text = format!("({of} ->> {key})");
    let is = |kind: &str| format!("jsonb_typeof{json} = '{kind}'");
    let compared = |than: f64, how: &str, sql: &mut Sql| {
        let than = sql.bind(than);
        // AND promises no order, and a string is no number: CASE does.
        format!("(CASE WHEN {} THEN {text}::float8 {how} {than}::float8 ELSE FALSE END)", is("number"))
    };
    match filter {
        Filter::Equals(_, wanted) => {
            let wanted = value(wanted);
            let whole = sql.text(&json!({ (clean(name)): wanted.clone() }).to_string());
            let wanted = sql.text(&wanted.to_string());
            // The first is what an index can find, the second what is meant: a list contains more than it equals.
            format!("({of} @> {whole}::jsonb AND {json} = {wanted}::jsonb)")
        }
        Filter::NotEquals(_, unwanted) => {
            let unwanted = sql.text(&value(unwanted).to_string());
            format!("({json} IS DISTINCT FROM {unwanted}::jsonb)")
        }
        Filter::GreaterThan(_, than) => compared(*than, ">", sql),
        Filter::GreaterThanOrEquals(_, than) => compared(*than, ">=", sql),
        Filter::LessThan(_, than) => compared(*than, "<", sql),
        Filter::LessThanOrEquals(_, than) => compared(*than, "<=", sql),
        Filter::In(_, members) | Filter::NotIn(_, members) => {
            let members = sql.bind(members.iter().map(|one| clean(one)).collect::<Vec<_>>());
            let how = if matches!(filter, Filter::In(..)) { "= ANY" } else { "<> ALL" };
            format!("({} AND {text} {how}({members}::text[]))", is("string"))
        }
        Filter::StartsWith(_, with) => {
            let with = sql.text(with);
            format!("({} AND starts_with({text}, {with}))", is("string"))
        }
        Filter::ListContains(_, member) => {
            let member = sql.text(member);
            format!("({} AND {json} ? {member})", is("array"))
        }
        Filter::StringContains(_, part) => {
            let part = sql.text(part);
            let (string, list) = (is("string"), is("array"));
            format!(
                "(({string} AND strpos({text}, {part}) > 0) OR EXISTS (SELECT FROM jsonb_array_elements_text(CASE WHEN \
                 {list} THEN {json} ELSE '[]' END) AS member WHERE strpos(member, {part}) > 0))"
            )
        }
        Filter::All(_) | Filter::Any(_) => "FALSE".to_owned(),
    }
}
