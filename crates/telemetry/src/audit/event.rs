//! One record, in the form of CloudTrail's: "CloudTrail record contents" of its user guide, event version 1.11. What
//! CloudTrail has no member for stands in `additionalEventData`.

use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;

use jiff::Timestamp;
use outcrop_access::{Caller, CallerKind, Decided};
use outcrop_wire::arn::Arn;
use serde_json::Value;

use super::chain::Hash;

/// No foreign text is longer in a record: one that was not proven must not be able to fill the disk by itself.
const LONGEST: usize = 512;

/// What happened. Never content, never a secret.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// As the answer's `x-amzn-RequestId` says it.
    pub request_id: String,
    /// `bedrock.amazonaws.com`, `sts.amazonaws.com`; what is of this server alone, `outcrop.local`.
    pub source: &'static str,
    /// The endpoint prefix of the service called, or what else was spoken to.
    pub service: &'static str,
    /// The operation.
    pub name: Cow<'static, str>,
    /// The Region that was called.
    pub region: String,
    /// From where.
    pub ip: Option<IpAddr>,
    /// With what.
    pub user_agent: Option<String>,
    /// By whom.
    pub who: Who,
    /// What the path names: ids, never bodies.
    pub parameters: Vec<(&'static str, String)>,
    /// The exception, and its message where that is of the call and not of its content.
    pub error: Option<(Cow<'static, str>, Option<String>)>,
    /// Which policy decided.
    pub decision: Decision,
    /// It changes nothing.
    pub read_only: bool,
    /// Facts of this kind of event alone.
    pub facts: Option<Value>,
}

/// Who did it.
#[derive(Debug, Clone)]
pub enum Who {
    /// A proven caller.
    Proven(Caller),
    /// Somebody who was not proven, by the key that was named.
    Unproven(Option<String>),
    /// A person or program on this machine.
    Operator {
        /// Its user's name.
        name: String,
        /// The account that it changed something for.
        account: Option<String>,
    },
    /// The server itself.
    Server,
}

/// Which policy decided.
#[derive(Debug, Clone, Default)]
pub enum Decision {
    /// None was asked: the call ended before, or needs no permission.
    #[default]
    NotAsked,
    /// The caller is the account's owner, whom none binds.
    Owner,
    /// This one.
    Policies(Box<Decided>),
}

impl Event {
    /// An event of this server alone.
    pub fn of_server(name: &'static str, who: Who, facts: Value) -> Self {
        Self {
            at: Timestamp::now(),
            request_id: String::new(),
            source: "outcrop.local",
            service: "outcrop",
            name: name.into(),
            region: String::new(),
            ip: None,
            user_agent: None,
            who,
            parameters: Vec::new(),
            error: None,
            decision: Decision::NotAsked,
            read_only: false,
            facts: Some(facts),
        }
    }

    /// Appends the record, its last brace left open for the chain. `previous` makes its id: no two records have the
    /// same one before them.
    pub(super) fn write(&self, previous: &Hash, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"eventVersion\":\"1.11\",\"userIdentity\":");
        self.who.write(out);
        // Writing to memory cannot fail, here and below.
        let _ = write!(out, ",\"eventTime\":\"{:.0}\"", self.at);
        member(out, "eventSource", self.source);
        member(out, "eventName", &self.name);
        member(out, "awsRegion", &self.region);
        match self.ip {
            Some(ip) => drop(write!(out, ",\"sourceIPAddress\":\"{}\"", ip.to_canonical())),
            None => member(out, "sourceIPAddress", "local"),
        }
        if let Some(agent) = &self.user_agent {
            member(out, "userAgent", agent);
        }
        if let Some((code, message)) = &self.error {
            member(out, "errorCode", code);
            if let Some(message) = message {
                member(out, "errorMessage", message);
            }
        }
        match self.parameters.as_slice() {
            [] => out.extend_from_slice(b",\"requestParameters\":null"),
            parameters => {
                out.extend_from_slice(b",\"requestParameters\":");
                object(out, parameters.iter().map(|(name, value)| (*name, value.as_str())));
            }
        }
        out.extend_from_slice(b",\"responseElements\":null,\"additionalEventData\":");
        self.additional(out);
        if !self.request_id.is_empty() {
            member(out, "requestID", &self.request_id);
        }
        out.extend_from_slice(b",\"eventID\":\"");
        for (range, end) in [(0..8, "-"), (8..12, "-"), (12..16, "-"), (16..20, "-"), (20..32, "\"")] {
            out.extend_from_slice(&previous[range]);
            out.extend_from_slice(end.as_bytes());
        }
        let _ = write!(out, ",\"readOnly\":{}", self.read_only);
        self.resources(out);
        let kind = if matches!(self.who, Who::Server) { "AwsServiceEvent" } else { "AwsApiCall" };
        member(out, "eventType", kind);
        out.extend_from_slice(b",\"managementEvent\":true");
        let account = match &self.who {
            Who::Proven(caller) => Some(&caller.account),
            Who::Operator { account, .. } => account.as_ref(),
            Who::Unproven(_) | Who::Server => None,
        };
        if let Some(account) = account {
            member(out, "recipientAccountId", account);
        }
        out.extend_from_slice(b",\"eventCategory\":\"Management\"");
    }

    fn additional(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        text(out, "service");
        out.push(b':');
        text(out, self.service);
        if matches!(&self.who, Who::Proven(caller) if caller.kind == CallerKind::ApiKey) {
            out.extend_from_slice(b",\"callWithBearerToken\":true");
        }
        match &self.decision {
            Decision::NotAsked => {}
            Decision::Owner => out.extend_from_slice(b",\"decidedBy\":{\"kind\":\"account owner\"}"),
            Decision::Policies(decided) => {
                out.extend_from_slice(b",\"decidedBy\":");
                let allowed = if decided.allowed { "allow" } else { "deny" };
                let members = [
                    ("effect", Some(allowed)),
                    ("kind", Some(decided.kind)),
                    ("policy", decided.policy.as_deref()),
                    ("statement", decided.statement.as_deref()),
                    ("action", Some(decided.action.as_str())),
                    ("resource", decided.resource.as_deref()),
                ];
                object(out, members.into_iter().filter_map(|(name, value)| Some((name, value?))));
            }
        }
        if let Some(Value::Object(facts)) = &self.facts {
            for (name, value) in facts {
                out.push(b',');
                text(out, name);
                out.push(b':');
                let _ = serde_json::to_writer(&mut *out, value);
            }
        }
        out.push(b'}');
    }

    /// The resource that policies were asked about.
    fn resources(&self, out: &mut Vec<u8>) {
        let Decision::Policies(decided) = &self.decision else { return };
        let Some(arn) = decided.resource.as_deref().filter(|arn| !arn.contains('*')) else { return };
        let Some(parts) = Arn::parse(arn) else { return };
        out.extend_from_slice(b",\"resources\":[");
        let kind = kind_of(&parts);
        let account = (!parts.account.is_empty()).then_some(("accountId", parts.account));
        object(out, account.into_iter().chain([("type", kind.as_str()), ("ARN", arn)]));
        out.push(b']');
    }
}

/// `AWS::Bedrock::Guardrail` of `…:guardrail/ID`.
fn kind_of(arn: &Arn<'_>) -> String {
    let kind = arn.resource.split(['/', ':']).next().unwrap_or_default();
    let service = match arn.service {
        "iam" | "sts" => "IAM",
        _ => "Bedrock",
    };
    let mut shown = format!("AWS::{service}::");
    for word in if kind == "foundation-model" { "model" } else { kind }.split('-') {
        let mut letters = word.chars();
        shown.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        shown.push_str(letters.as_str());
    }
    shown
}

impl Who {
    fn write(&self, out: &mut Vec<u8>) {
        let none = None::<&str>;
        match self {
            Self::Proven(caller) => {
                let arn = Arn::parse(&caller.arn);
                let resource = arn.as_ref().map_or("", |arn| arn.resource);
                let (kind, name) = match resource.split_once('/') {
                    Some(("user", path)) => ("IAMUser", path.rsplit('/').next()),
                    Some(("assumed-role", _)) => ("AssumedRole", none),
                    Some(("federated-user", name)) => ("FederatedUser", Some(name)),
                    _ => ("Root", none),
                };
                let members = [
                    ("type", Some(kind)),
                    ("principalId", Some(caller.user_id.as_str())),
                    ("arn", Some(caller.arn.as_str())),
                    ("accountId", Some(caller.account.as_str())),
                    ("accessKeyId", caller.access_key_id.as_deref()),
                    ("userName", name),
                ];
                object(out, members.into_iter().filter_map(|(name, value)| Some((name, value?))));
                if let Some(role) = caller.role_arn() {
                    out.pop();
                    out.extend_from_slice(b",\"sessionContext\":{\"sessionIssuer\":");
                    let name = role.rsplit('/').next().unwrap_or_default();
                    let issuer = [("type", "Role"), ("arn", &role), ("accountId", &caller.account), ("userName", name)];
                    object(out, issuer.into_iter());
                    out.extend_from_slice(b"}}");
                }
            }
            Self::Unproven(key) => {
                let members = [("type", Some("Unknown")), ("accessKeyId", key.as_deref())];
                object(out, members.into_iter().filter_map(|(name, value)| Some((name, value?))));
            }
            Self::Operator { name, .. } => {
                object(out, [("type", "Operator"), ("userName", name.as_str())].into_iter());
            }
            Self::Server => object(out, [("type", "AWSService"), ("invokedBy", "outcrop")].into_iter()),
        }
    }
}

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b',');
    text(out, name);
    out.push(b':');
    text(out, value);
}

fn object<'a>(out: &mut Vec<u8>, members: impl Iterator<Item = (&'a str, &'a str)>) {
    out.push(b'{');
    for (at, (name, value)) in members.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(out, name);
        out.push(b':');
        text(out, value);
    }
    out.push(b'}');
}

/// A JSON string, cut where it is too long. Most have nothing to escape.
fn text(out: &mut Vec<u8>, value: &str) {
    let value = match value.len() > LONGEST {
        true => &value[..value.floor_char_boundary(LONGEST)],
        false => value,
    };
    if value.bytes().any(|b| b < 0x20 || b == b'"' || b == b'\\') {
        let _ = serde_json::to_writer(out, value);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}
