//! One page of `LookupEvents`.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::SliceError;
use crate::audit::chain;
use crate::audit::read::{Backward, Place, time_of};

/// How far back events can be looked up, as the API reference says.
const DAYS: i64 = 90;
/// The largest page, and that of a caller who asks for none.
const MOST: i64 = 50;
/// How long one page may be looked for. What was not reached is behind the page's token: clients go on by themselves.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lines that are read between two looks at the clock.
const STRIDE: u64 = 1024;

const KEYS: [&str; 8] =
    ["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];

/// What was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    from: Timestamp,
    to: Timestamp,
    attribute: Option<(&'static str, String)>,
    insights: bool,
    most: usize,
    /// A token is good for the question that it was given for.
    question: String,
    places: Option<Vec<Place>>,
}

#[derive(Serialize, Deserialize)]
struct Token {
    question: String,
    places: Vec<Place>,
}

impl Asked {
    /// Reads and checks the input.
    pub fn read(input: &Value, now: Timestamp) -> Result<Self, SliceError> {
        let oldest = now.checked_sub((DAYS * 24).hours()).unwrap_or(Timestamp::MIN);
        let from = time(input, "StartTime")?;
        let to = time(input, "EndTime")?;
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(SliceError::client("InvalidTimeRangeException", "StartTime must not be after EndTime."));
        }
        let attribute = attribute(input)?;
        let insights = match input.get("EventCategory") {
            None | Some(Value::Null) => false,
            Some(Value::String(category)) if category == "insight" => true,
            Some(_) => {
                return Err(SliceError::client("InvalidEventCategoryException", "EventCategory can only be insight."));
            }
        };
        let most = match input.get("MaxResults") {
            None | Some(Value::Null) => MOST,
            Some(value) => value.as_i64().filter(|most| (1..=MOST).contains(most)).ok_or_else(|| {
                SliceError::client("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
            })?,
        };
        let question = format!("{from:?} {to:?} {attribute:?}");
        let question = chain::shown(&chain::hex(question.as_bytes()))[..16].to_owned();
        let places = match input.get("NextToken") {
            None | Some(Value::Null) => None,
            Some(token) => {
                let wrong = || {
                    let text = "NextToken must be one that LookupEvents gave for the same attributes and times.";
                    SliceError::client("InvalidNextTokenException", text)
                };
                let text = token.as_str().ok_or_else(wrong)?;
                let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
                let token: Token = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
                if token.question != question {
                    return Err(wrong());
                }
                Some(token.places)
            }
        };
        Ok(Self {
            from: from.unwrap_or(oldest).max(oldest),
            to: to.unwrap_or(Timestamp::MAX),
            attribute,
            insights,
            most: usize::try_from(most).unwrap_or_default(),
            question,
            places,
        })
    }

    /// Looks for events of this account in this Region.
    pub fn run(&self, root: &Path, account: &str, region: &str) -> io::Result<Value> {
        if self.insights {
            // None are made here.
            return Ok(json!({ "Events": [] }));
        }
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let last = if self.to == Timestamp::MAX { jiff::civil::Date::MAX } else { day(self.to) };
        let mut lines = Backward::open(root, day(self.from), last, self.places.as_deref())?;
        let (from, to) = (format!("{:.0}", self.from), format!("{:.0}", self.to));
        let own = Finder::new(account.as_bytes());
        // These two are not in a record as they are asked for.
        let told = |key: &str| !matches!(key, "ReadOnly" | "ResourceType");
        let value = self.attribute.as_ref().filter(|(key, _)| told(key)).map(|(_, value)| value.as_bytes());
        let value = value.filter(|value| plain(value)).map(Finder::new);
        let end = Instant::now() + PATIENCE;
        let mut events = Vec::new();
        let mut read = 0_u64;
        while events.len() < self.most && (!read.is_multiple_of(STRIDE) || read == 0 || Instant::now() < end) {
            let Some(line) = lines.older()? else { break };
            read += 1;
            let at = time_of(&line);
            let within = at >= from.as_str() && (self.to == Timestamp::MAX || at <= to.as_str());
            // Most lines are not asked for, which can be seen without reading them as JSON.
            let likely = || own.find(&line).is_some() && value.as_ref().is_none_or(|value| value.find(&line).is_some());
            if within
                && likely()
                && let Ok(record) = serde_json::from_slice::<Value>(&line)
                && record["recipientAccountId"] == account
                && record["awsRegion"] == region
            {
                let event = event(&record, &line);
                if self.attribute.as_ref().is_none_or(|(key, value)| matches(&event, key, value)) {
                    events.push(event);
                }
            }
        }
        let mut page = json!({ "Events": events });
        if let Some(places) = lines.places() {
            let token = serde_json::to_vec(&Token { question: self.question.clone(), places })?;
            page["NextToken"] = URL_SAFE_NO_PAD.encode(token).into();
        }
        Ok(page)
    }
}

/// Whether a value stands in a line as it is.
fn plain(value: &[u8]) -> bool {
    value.iter().all(|b| *b >= 0x20 && !matches!(b, b'"' | b'\\'))
}

fn time(input: &Value, name: &str) -> Result<Option<Timestamp>, SliceError> {
    let wrong = || SliceError::client("SerializationException", format!("{name} must be a timestamp."));
    match input.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let seconds = value.as_f64().ok_or_else(wrong)?;
            Timestamp::from_millisecond((seconds * 1000.0) as i64).map(Some).map_err(|_| wrong())
        }
    }
}

fn attribute(input: &Value) -> Result<Option<(&'static str, String)>, SliceError> {
    let wrong = |text: String| SliceError::client("InvalidLookupAttributesException", text);
    let one = match input.get("LookupAttributes") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => match list.as_slice() {
            [] => return Ok(None),
            [one] => one,
            _ => return Err(wrong("LookupAttributes takes one attribute at a time.".into())),
        },
        Some(_) => return Err(SliceError::client("SerializationException", "LookupAttributes must be a list.")),
    };
    let key = one["AttributeKey"].as_str().unwrap_or_default();
    let key = KEYS.into_iter().find(|known| *known == key);
    let key = key.ok_or_else(|| wrong(format!("AttributeKey must be one of: {}.", KEYS.join(", "))))?;
    match one["AttributeValue"].as_str() {
        Some(value) if (1..=2000).contains(&value.chars().count()) => Ok(Some((key, value.to_owned()))),
        _ => Err(wrong("AttributeValue must have 1 to 2000 characters.".into())),
    }
}

/// A record as `LookupEvents` shows it. The record itself is in it, whole, as it stands in the trail.
fn event(record: &Value, line: &[u8]) -> Value {
    let mut event = Map::new();
    let mut put = |name: &str, value: &Value| {
        if let Value::String(text) = value {
            event.insert(name.to_owned(), text.as_str().into());
        }
    };
    let who = &record["userIdentity"];
    put("EventId", &record["eventID"]);
    put("EventName", &record["eventName"]);
    put("EventSource", &record["eventSource"]);
    put("AccessKeyId", &who["accessKeyId"]);
    let session = who["arn"].as_str().and_then(|arn| arn.split(":assumed-role/").nth(1)?.rsplit('/').next());
    match (&who["userName"], session) {
        (Value::String(_), _) => put("Username", &who["userName"]),
        (_, Some(session)) => put("Username", &session.into()),
        _ if who["type"] == "Root" => put("Username", &"root".into()),
        _ => {}
    }
    event.insert("ReadOnly".into(), record["readOnly"].as_bool().unwrap_or_default().to_string().into());
    let at = record["eventTime"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    event.insert("EventTime".into(), at.map(Timestamp::as_second).into());
    let mut resources: Vec<Value> = Vec::new();
    for resource in record["resources"].as_array().into_iter().flatten() {
        resources.push(json!({ "ResourceType": resource["type"], "ResourceName": resource["ARN"] }));
    }
    if let Some(model) = record["requestParameters"]["modelId"].as_str() {
        resources.push(json!({ "ResourceType": "AWS::Bedrock::Model", "ResourceName": model }));
    }
    event.insert("Resources".into(), resources.into());
    event.insert("CloudTrailEvent".into(), String::from_utf8_lossy(line).into());
    Value::Object(event)
}

fn matches(event: &Value, key: &str, value: &str) -> bool {
    match key {
        "ResourceType" | "ResourceName" => {
            event["Resources"].as_array().into_iter().flatten().any(|resource| resource[key] == value)
        }
        "ReadOnly" => event[key].as_str().is_some_and(|read_only| read_only.eq_ignore_ascii_case(value)),
        key => event[key] == value,
    }
}
