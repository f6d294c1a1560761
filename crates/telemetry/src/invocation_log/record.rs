//! A record, in the form of AWS's ("Model invocation logging", `ModelInvocationLog` 1.0).

use serde_json::{Map, Value, json};

use super::body::{self, Body};
use super::tap::Job;

/// Larger bodies stand in files of their own, as do those that are not JSON.
pub(super) const LARGE: usize = 100 * 1024;

/// A record whose bodies are still apart.
#[derive(Debug)]
pub(super) struct Record {
    members: Map<String, Value>,
    pub input: Side,
    pub output: Side,
}

/// What a call said, or was answered.
#[derive(Debug)]
pub(super) struct Side {
    members: Map<String, Value>,
    name: &'static str,
    /// The body, where it is small JSON.
    inline: Option<Value>,
    /// The body, where it has to stand in a file.
    pub apart: Option<Vec<u8>>,
}

impl Record {
    /// All of a call but where its large bodies are.
    pub fn of(job: &mut Job) -> Self {
        let mut input = body::read(std::mem::take(&mut job.input).to_vec());
        let pieces = std::mem::take(&mut job.output);
        let (mut output, ended) = body::output(job.output_type.as_deref(), &pieces);
        let told = body::counts(&output);
        let [read, written, cache_read, cache_written] = std::array::from_fn(|at| job.counts[at].or(told[at]));
        let mut metadata = job.metadata.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let mut model = job.model_id.clone();
        if let Body::Json(asked) = &input {
            let own = [&asked["requestMetadata"], &asked["metadata"]].into_iter().find(|own| own.is_object());
            metadata = metadata.or(own.cloned());
            model = model.or(asked["model"].as_str().map(str::to_owned));
        }
        if let Some(config) = &job.kept.config {
            body::withhold(config, &mut input, &mut output);
        }
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("timestamp", format!("{:.0}", job.at).into());
        put("accountId", job.account.as_str().into());
        put("identity", json!({ "arn": job.arn }));
        put("region", job.region.as_str().into());
        put("requestId", job.request_id.as_str().into());
        put("operation", job.operation.into());
        put("modelId", model.into());
        if let Some(error) = job.error.take().or(ended) {
            put("errorCode", error.into());
        }
        if let Some(metadata) = metadata.filter(Value::is_object) {
            put("requestMetadata", metadata);
        }
        let kind = |kind: &Option<String>| kind.clone().unwrap_or_else(|| "application/json".into());
        let input_type = kind(&job.input_type);
        let streamed = job.output_type.as_deref().is_some_and(|kind| kind.contains("stream"));
        let output_type = if streamed { "application/json".into() } else { kind(&job.output_type) };
        let input = Side::new("input", input_type, input);
        let mut input = input.count("inputTokenCount", read);
        for (name, count) in [("cacheReadInputTokenCount", cache_read), ("cacheWriteInputTokenCount", cache_written)] {
            input = input.count(name, count.filter(|count| *count > 0));
        }
        let output = Side::new("output", output_type, output).count("outputTokenCount", written);
        Self { members, input, output }
    }

    /// The record's line; `apart` says where a side's large body is, where it could be put somewhere.
    pub fn line(&self, apart: impl Fn(&Side) -> Option<String>) -> Vec<u8> {
        let mut whole = Map::new();
        whole.insert("schemaType".into(), "ModelInvocationLog".into());
        whole.insert("schemaVersion".into(), "1.0".into());
        whole.extend(self.members.clone());
        for side in [&self.input, &self.output] {
            let mut members = side.members.clone();
            if let Some(value) = &side.inline {
                members.insert(format!("{}BodyJson", side.name), value.clone());
            } else if let Some(place) = side.apart.as_ref().and_then(|_| apart(side)) {
                members.insert(format!("{}BodyS3Path", side.name), place.into());
            }
            whole.insert(side.name.into(), members.into());
        }
        let mut line = Value::Object(whole).to_string().into_bytes();
        line.push(b'\n');
        line
    }
}

impl Side {
    fn new(name: &'static str, kind: String, body: Body) -> Self {
        let mut members = Map::new();
        members.insert(format!("{name}ContentType"), kind.into());
        let (inline, apart) = match body {
            Body::None => (None, None),
            Body::Bytes(bytes) => (None, Some(bytes)),
            Body::Json(value) => {
                let text = value.to_string();
                if text.len() > LARGE { (None, Some(text.into_bytes())) } else { (Some(value), None) }
            }
        };
        Self { members, name, inline, apart }
    }

    fn count(mut self, name: &str, count: Option<u64>) -> Self {
        if let Some(count) = count {
            self.members.insert(name.to_owned(), count.into());
        }
        self
    }

    /// The name of its file.
    pub fn file(&self, request_id: &str) -> String {
        format!("{request_id}_{}.json.gz", self.name)
    }
}
