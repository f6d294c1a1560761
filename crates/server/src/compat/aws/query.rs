//! Reading the form of an AWS Query call into the same values as the other protocols have. A form has nothing but
//! text, so the types of CloudWatch's members, the one slice that speaks it, are known here.

use std::collections::BTreeMap;

use outcrop_api::{Fault, Kind};
use outcrop_wire::text::{parse_timestamp, query_pairs};
use serde_json::{Map, Number, Value};

/// The deepest path of a name, `MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name` and a little.
const MAX_PARTS: usize = 16;

/// The version and XML namespace of a service that speaks Query.
pub(super) fn namespace(signing_name: &str) -> Option<(&'static str, &'static str)> {
    (signing_name == "monitoring").then_some(("2010-08-01", "http://monitoring.amazonaws.com/doc/2010-08-01/"))
}

/// Whether the service's model is `awsQueryCompatible`.
pub(super) fn compatible(target_prefix: &str) -> bool {
    target_prefix == "GraniteServiceVersion20100801"
}

/// A form, taken apart by the dots in its names.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<String, Node>);

#[derive(Debug)]
enum Node {
    Leaf(String),
    Branch(BTreeMap<String, Node>),
}

impl Form {
    pub fn read(body: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| Fault::validation("The form is not UTF-8."))?;
        let mut form = BTreeMap::new();
        for (name, value) in query_pairs(text) {
            let parts: Vec<&str> = name.split('.').collect();
            if parts.len() > MAX_PARTS || !insert(&mut form, &parts, &value) {
                let shown: String = name.chars().take(64).collect();
                return Err(Fault::new(Kind::Serialization, format!("The parameter {shown} fits no structure.")));
            }
        }
        Ok(Self(form))
    }

    /// The operation asked for, in the version of `service` that is spoken.
    pub fn action(&self, service: &str) -> Result<&str, Fault> {
        let text = |name| match self.0.get(name) {
            Some(Node::Leaf(text)) => Some(text.as_str()),
            _ => None,
        };
        let action = text("Action")
            .ok_or_else(|| Fault::new(Kind::UnknownOperation, "The request must contain the parameter Action."))?;
        let version = text("Version").unwrap_or("NO_VERSION_SPECIFIED");
        if namespace(service).is_none_or(|(known, _)| known != version) {
            let cut = |text: &str| text.chars().take(64).collect::<String>();
            let text = format!("Could not find operation {} for version {}", cut(action), cut(version));
            return Err(Fault::new(Kind::UnknownOperation, text));
        }
        Ok(action)
    }

    /// The operation's input.
    pub fn input(mut self, timestamps: &[&str]) -> Value {
        self.0.remove("Action");
        self.0.remove("Version");
        value("", "", Node::Branch(self.0), timestamps)
    }
}

/// Whether there was a place for it. A name that comes twice counts once, the first time.
fn insert(form: &mut BTreeMap<String, Node>, parts: &[&str], value: &str) -> bool {
    match parts {
        [] => false,
        [name] => {
            let node = form.entry((*name).to_owned()).or_insert_with(|| Node::Leaf(value.to_owned()));
            matches!(node, Node::Leaf(_))
        }
        [name, rest @ ..] => {
            let node = form.entry((*name).to_owned()).or_insert_with(|| Node::Branch(BTreeMap::new()));
            if let Node::Branch(inner) = node { insert(inner, rest, value) } else { false }
        }
    }
}

/// A node called `name` inside one called `parent`; what a list holds is called as the list.
fn value(parent: &str, name: &str, node: Node, timestamps: &[&str]) -> Value {
    match node {
        Node::Leaf(text) if text.is_empty() && is_list(name) => Value::Array(Vec::new()),
        Node::Leaf(text) => leaf(parent, name, text, timestamps),
        Node::Branch(mut members) => {
            if members.len() == 1
                && let Some(Node::Branch(items)) = members.remove("member")
            {
                return list(parent, name, items, timestamps);
            }
            let member = |(member, node): (String, Node)| {
                let value = value(name, &member, node, timestamps);
                (member, value)
            };
            Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
        }
    }
}

fn list(parent: &str, name: &str, items: BTreeMap<String, Node>, timestamps: &[&str]) -> Value {
    let mut items: Vec<(u64, Node)> =
        items.into_iter().map(|(number, node)| (number.parse().unwrap_or(u64::MAX), node)).collect();
    items.sort_by_key(|(number, _)| *number);
    Value::Array(items.into_iter().map(|(_, node)| value(parent, name, node, timestamps)).collect())
}

/// What an empty list is written as: `Dimensions=`.
fn is_list(name: &str) -> bool {
    matches!(name, "Dimensions" | "Statistics" | "ExtendedStatistics" | "MetricData" | "MetricDataQueries" | "Metrics")
        || matches!(
            name,
            "AlarmNames" | "AlarmTypes" | "OKActions" | "AlarmActions" | "InsufficientDataActions" | "Tags"
        )
}

fn leaf(parent: &str, name: &str, text: String, timestamps: &[&str]) -> Value {
    let number = match name {
        "Period" | "EvaluationPeriods" | "DatapointsToAlarm" | "MaxRecords" | "MaxDatapoints" | "StorageResolution"
        | "EvaluationInterval" => text.parse::<i64>().ok().map(Number::from),
        "Threshold" | "SampleCount" | "Sum" | "Minimum" | "Maximum" | "Values" | "Counts" => number(&text),
        "Value" if parent == "MetricData" => number(&text),
        _ if timestamps.contains(&name) => {
            parse_timestamp(&text).and_then(|at| Number::from_f64(at.as_millisecond() as f64 / 1000.0))
        }
        "ActionsEnabled" | "ReturnData" | "IncludeLinkedAccounts" | "StrictEntityValidation" => {
            return match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(text),
            };
        }
        _ => None,
    };
    // What is no number stays text, so that the operation says which member is wrong.
    number.map_or(Value::String(text), Value::Number)
}

fn number(text: &str) -> Option<Number> {
    text.parse().ok().and_then(Number::from_f64)
}
