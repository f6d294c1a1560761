//! From a document to its statements, with IAM's words for what is wrong.

use super::condition::Condition;
use super::document::{self, Node};
use super::operator::Operator;
use super::pattern::{Colons, Pattern};
use super::principal::Principals;
use super::statement::{Effect, Statement};
use super::{PolicyError, PolicyKind};
use std::collections::HashSet;

/// The partitions of AWS, and wildcards for them.
const PARTITIONS: &[&str] =
    &["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// The statements of a document.
pub(super) fn statements(text: &str, kind: PolicyKind) -> Result<Vec<Statement>, PolicyError> {
    let root = document::read(text)?;
    let Node::Object(members) = &root else {
        return Err(PolicyError::syntax("", "A policy is a JSON object."));
    };
    let (mut version, mut list) = (None, None);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("Version", Node::Text(text)) => version = Some(text.as_str()),
            ("Id", Node::Text(_)) => {}
            ("Statement", value) => list = Some(value),
            ("Version" | "Id", _) => return Err(PolicyError::syntax(name, "A string is expected.")),
            _ => return Err(PolicyError::syntax(name, "A policy has Version, Id and Statement only.")),
        }
    }
    let variables = match version {
        Some("2012-10-17") => true,
        Some("2008-10-17") | None if kind != PolicyKind::Identity => false,
        Some("2008-10-17") | None => {
            return Err(PolicyError::new("Version", "Policy document must be version 2012-10-17 or greater."));
        }
        Some(_) => return Err(PolicyError::syntax("Version", "The version is 2012-10-17.")),
    };
    let reader = Parser { kind, variables };
    let (mut statements, mut sids) = (Vec::new(), HashSet::new());
    match list {
        Some(Node::List(items)) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                statements.push(reader.statement(item, &format!("Statement[{at}]"), &mut sids)?);
            }
        }
        Some(item @ Node::Object(_)) => statements.push(reader.statement(item, "Statement", &mut sids)?),
        _ => return Err(PolicyError::syntax("Statement", "A policy has a statement or a list of statements.")),
    }
    Ok(statements)
}

struct Parser {
    kind: PolicyKind,
    variables: bool,
}

impl Parser {
    fn statement<'a>(&self, node: &'a Node, path: &str, sids: &mut HashSet<&'a str>) -> Result<Statement, PolicyError> {
        let Node::Object(members) = node else {
            return Err(PolicyError::syntax(path, "A statement is a JSON object."));
        };
        let get = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let at = |name: &str| format!("{path}.{name}");
        let known = |key: &str| {
            let elements = ["Sid", "Effect", "Action", "NotAction", "Condition"];
            let resource = matches!(key, "Resource" | "NotResource");
            elements.contains(&key) || resource || matches!(key, "Principal" | "NotPrincipal")
        };
        if let Some((key, _)) = members.iter().find(|(key, _)| !known(key)) {
            return Err(PolicyError::syntax(at(key), "A statement has no such element."));
        }
        let effect = match get("Effect") {
            Some(Node::Text(text)) if text == "Allow" => Effect::Allow,
            Some(Node::Text(text)) if text == "Deny" => Effect::Deny,
            _ => return Err(PolicyError::syntax(at("Effect"), "The effect is Allow or Deny.")),
        };
        let sid = match get("Sid") {
            Some(sid) => self.sid(sid, &at("Sid"), sids)?,
            None => "",
        };
        let name = if sid.is_empty() { path } else { sid }.into();
        let one = |name: &str, not: &str| match (get(name), get(not)) {
            (Some(_), Some(_)) => Err(PolicyError::syntax(at(not), format!("There is {name} already."))),
            (Some(node), None) => Ok(Some((node, at(name), false))),
            (None, Some(node)) => Ok(Some((node, at(not), true))),
            (None, None) => Ok(None),
        };
        let principals = match (one("Principal", "NotPrincipal")?, self.kind) {
            (None, PolicyKind::Identity) => None,
            (Some((_, path, _)), PolicyKind::Identity) => {
                return Err(PolicyError::new(path, "Policy document should not specify a principal."));
            }
            (None, _) => return Err(PolicyError::new(at("Principal"), "Missing required field Principal")),
            (Some((_, path, true)), _) if effect == Effect::Allow => {
                return Err(PolicyError::new(path, "Allow with NotPrincipal is not allowed."));
            }
            (Some((node, path, not)), _) => Some(Principals::parse(node, &path, not)?),
        };
        let (actions, not_action) = match one("Action", "NotAction")? {
            Some((node, path, not)) => (self.actions(node, &path)?, not),
            None => (Vec::new(), false),
        };
        if actions.is_empty() {
            return Err(PolicyError::new(at("Action"), "Policy statement must contain actions."));
        }
        let (resources, not_resource) = match (one("Resource", "NotResource")?, self.kind) {
            (None, PolicyKind::Trust) => (None, false),
            (Some((_, path, _)), PolicyKind::Trust) => {
                return Err(PolicyError::new(path, "Has prohibited field Resource"));
            }
            (None, _) => (Some(Vec::new()), false),
            (Some((node, path, not)), _) => (Some(self.resources(node, &path)?), not),
        };
        if resources.as_ref().is_some_and(Vec::is_empty) {
            return Err(PolicyError::new(at("Resource"), "Policy statement must contain resources."));
        }
        let conditions = match get("Condition") {
            Some(node) => self.conditions(node, &at("Condition"))?,
            None => Vec::new(),
        };
        Ok(Statement { name, effect, principals, actions, not_action, resources, not_resource, conditions })
    }

    fn sid<'a>(&self, node: &'a Node, path: &str, sids: &mut HashSet<&'a str>) -> Result<&'a str, PolicyError> {
        let Node::Text(sid) = node else { return Err(PolicyError::syntax(path, "A string is expected.")) };
        // Policies of resources take spaces and more in it.
        if self.kind == PolicyKind::Identity && !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let told = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
                        expression [0-9A-Za-z]*";
            return Err(PolicyError::new(path, told));
        }
        if !sid.is_empty() && !sids.insert(sid) {
            return Err(PolicyError::new(path, "Statement IDs (SID) in a single policy must be unique."));
        }
        Ok(sid)
    }

    fn actions(&self, node: &Node, path: &str) -> Result<Vec<Pattern>, PolicyError> {
        let mut actions = Vec::new();
        for text in node.texts(path, false)? {
            let wrong = |told: &str| Err(PolicyError::new(path, told));
            match text.split_once(':') {
                None if text == "*" => {}
                None => return wrong("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
                Some((_, name)) if name.contains(':') => return wrong("Actions/Condition can contain only one colon."),
                Some((vendor, _)) if !vendor.bytes().all(|b| b.is_ascii_alphanumeric() || b"-*?_".contains(&b)) => {
                    return wrong(&format!("Vendor {vendor} is not valid"));
                }
                Some((_, "")) => return wrong(&format!("The action \"{text}\" names nothing.")),
                Some((vendor, _)) if self.kind == PolicyKind::Trust && !vendor.eq_ignore_ascii_case("sts") => {
                    return wrong("AssumeRole policy may only specify STS AssumeRole actions.");
                }
                Some(_) => {}
            }
            let pattern = Pattern::new(text, Colons::Free, false).map_err(|e| PolicyError::syntax(path, e))?;
            actions.push(pattern.folded());
        }
        Ok(actions)
    }

    fn resources(&self, node: &Node, path: &str) -> Result<Vec<Pattern>, PolicyError> {
        let mut resources = Vec::new();
        for text in node.texts(path, false)? {
            if text != "*" {
                arn(text).map_err(|told| PolicyError::new(path, told))?;
            }
            let pattern = Pattern::new(text, Colons::Resource, self.variables);
            resources.push(pattern.map_err(|e| PolicyError::syntax(path, e))?);
        }
        Ok(resources)
    }

    fn conditions(&self, node: &Node, path: &str) -> Result<Vec<Condition>, PolicyError> {
        let Node::Object(operators) = node else {
            return Err(PolicyError::syntax(path, "A condition block is a JSON object."));
        };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let path = format!("{path}.{name}");
            let Some(operator) = Operator::parse(name) else {
                return Err(PolicyError::syntax(path, format!("Invalid Condition type : {name}.")));
            };
            let Node::Object(keys) = keys else {
                return Err(PolicyError::syntax(path, "An operator has an object of condition keys."));
            };
            for (key, values) in keys {
                let path = format!("{path}.{key}");
                if !key.contains(':') {
                    let told = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
                    return Err(PolicyError::new(path, told));
                }
                let values = values.texts(&path, true)?;
                let condition = Condition::new(operator, key, &values, self.variables);
                conditions.push(condition.map_err(|e| PolicyError::syntax(path, e))?);
            }
        }
        Ok(conditions)
    }
}

/// Whether a resource has the form of an ARN, wildcards among it.
fn arn(text: &str) -> Result<(), String> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition, service) = (parts.next(), parts.next(), parts.next());
    let (Some("arn"), Some(partition)) = (arn, partition) else {
        return Err(format!("Resource {text} must be in ARN format or \"*\"."));
    };
    let wild = partition.contains(['*', '?']) || partition.starts_with("${");
    if !wild && !PARTITIONS.contains(&partition) {
        return Err(format!("Partition \"{partition}\" is not valid for resource \"{text}\"."));
    }
    let open = text.split(':').any(|segment| segment.ends_with('*'));
    match service {
        // `arn:aws:bedrock:*` and `arn:*` stand for all that follows; without such a star something is missing.
        None if !open => Err("Resource vendor must be fully qualified and cannot contain regexes.".to_owned()),
        Some(_) if !open && text.splitn(6, ':').count() < 6 => Err("The policy failed legacy parsing".to_owned()),
        _ => Ok(()),
    }
}
