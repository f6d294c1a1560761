//! Traces and metrics for a collector.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use outcrop_telemetry::otlp::Settings;
use outcrop_telemetry::trace::Sampler;
use serde::{Deserialize, Serialize};

use super::{ConfigError, SecretRef, impossible};

/// The one protocol that is spoken.
const PROTOCOL: &str = "http/protobuf";

/// `[otlp]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Otlp {
    pub endpoint: Option<String>,
    pub protocol: String,
    pub headers: BTreeMap<String, SecretRef>,
    pub traces: bool,
    pub metrics: bool,
    pub service_name: String,
    pub resource: BTreeMap<String, String>,
    pub sampler: String,
    pub sample_ratio: f64,
    pub propagate: bool,
    pub timeout_ms: NonZeroU32,
    pub interval_ms: NonZeroU32,
    pub delay_ms: NonZeroU32,
    pub queue: NonZeroUsize,
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            endpoint: None,
            protocol: PROTOCOL.into(),
            headers: BTreeMap::new(),
            traces: true,
            metrics: true,
            service_name: "outcrop".into(),
            resource: BTreeMap::new(),
            sampler: "parentbased_traceidratio".into(),
            sample_ratio: 1.0,
            propagate: false,
            timeout_ms: const { NonZeroU32::new(10_000).unwrap() },
            interval_ms: const { NonZeroU32::new(60_000).unwrap() },
            delay_ms: const { NonZeroU32::new(5_000).unwrap() },
            queue: const { NonZeroUsize::new(8_192).unwrap() },
        }
    }
}

impl Otlp {
    /// What the variables say that every program with OpenTelemetry knows.
    pub(super) fn override_from(
        &mut self,
        get: impl Fn(&'static str) -> Option<(&'static str, String)>,
    ) -> Result<(), ConfigError> {
        if let Some((_, value)) = get("OTEL_EXPORTER_OTLP_ENDPOINT") {
            self.endpoint = Some(value);
        }
        if let Some((name, value)) = get("OTEL_EXPORTER_OTLP_PROTOCOL") {
            if value != PROTOCOL {
                return Err(ConfigError::variable(name, &value, PROTOCOL));
            }
            self.protocol = value;
        }
        if let Some((name, value)) = get("OTEL_EXPORTER_OTLP_HEADERS") {
            for (key, value) in pairs(name, &value)? {
                self.headers.insert(key, SecretRef::of_environment(name, value));
            }
        }
        if let Some((name, value)) = get("OTEL_RESOURCE_ATTRIBUTES") {
            for (key, value) in pairs(name, &value)? {
                match &*key {
                    "service.name" => self.service_name = value,
                    _ => drop(self.resource.insert(key, value)),
                }
            }
        }
        if let Some((_, value)) = get("OTEL_SERVICE_NAME") {
            self.service_name = value;
        }
        if let Some((_, value)) = get("OTEL_TRACES_SAMPLER") {
            self.sampler = value;
        }
        if let Some((name, value)) = get("OTEL_TRACES_SAMPLER_ARG") {
            let ratio = value.parse().map_err(|_| ConfigError::variable(name, &value, "a number from 0 to 1"))?;
            self.sample_ratio = ratio;
        }
        let times: [(&'static str, &mut NonZeroU32); 3] = [
            ("OTEL_EXPORTER_OTLP_TIMEOUT", &mut self.timeout_ms),
            ("OTEL_METRIC_EXPORT_INTERVAL", &mut self.interval_ms),
            ("OTEL_BSP_SCHEDULE_DELAY", &mut self.delay_ms),
        ];
        for (name, time) in times {
            if let Some((name, value)) = get(name) {
                *time = value.parse().map_err(|_| ConfigError::variable(name, &value, "milliseconds above 0"))?;
            }
        }
        for (name, on) in [("OTEL_TRACES_EXPORTER", &mut self.traces), ("OTEL_METRICS_EXPORTER", &mut self.metrics)] {
            if let Some((name, value)) = get(name) {
                *on = match &*value {
                    "otlp" => true,
                    "none" => false,
                    _ => return Err(ConfigError::variable(name, &value, "otlp or none")),
                };
            }
        }
        if get("OTEL_SDK_DISABLED").is_some_and(|(_, value)| value.eq_ignore_ascii_case("true")) {
            self.endpoint = None;
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.protocol != PROTOCOL {
            return Err(impossible("otlp.protocol", &self.protocol, PROTOCOL));
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return Err(impossible("otlp.sample_ratio", &self.sample_ratio.to_string(), "a number from 0 to 1"));
        }
        self.headers()?;
        self.sampler().map(drop)
    }

    /// Where to, and what of; none where nothing is to be sent.
    pub fn settings(&self) -> Result<Option<Settings>, ConfigError> {
        let Some(endpoint) = self.endpoint.clone().filter(|_| self.traces || self.metrics) else { return Ok(None) };
        let milliseconds = |ms: NonZeroU32| Duration::from_millis(ms.get().into());
        let own = [("service.name", &*self.service_name), ("service.version", env!("CARGO_PKG_VERSION"))];
        let own = own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let rest = self.resource.iter().map(|(key, value)| (key.clone(), value.clone()));
        Ok(Some(Settings {
            endpoint,
            headers: self.headers()?,
            traces: self.traces,
            metrics: self.metrics,
            sampler: self.sampler()?,
            propagate: self.propagate,
            resource: own.chain(rest).collect(),
            timeout: milliseconds(self.timeout_ms),
            interval: milliseconds(self.interval_ms),
            delay: milliseconds(self.delay_ms),
            queue: self.queue.get(),
        }))
    }

    fn sampler(&self) -> Result<Sampler, ConfigError> {
        Sampler::named(&self.sampler, Some(&self.sample_ratio.to_string()))
            .map_err(|expected| impossible("otlp.sampler", &self.sampler, &expected))
    }

    fn headers(&self) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let header = HeaderName::try_from(name);
            let header = header.map_err(|_| impossible("otlp.headers", name, "the names of HTTP headers"))?;
            let value = HeaderValue::try_from(value.expose());
            // What it is may be a secret.
            let expected = "a value that a header can carry";
            let key = format!("otlp.headers.{name}");
            let mut value = value.map_err(|_| impossible(&key, "<hidden>", expected))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(headers)
    }
}

/// `key=value,key=value`, each with `%XX` for what cannot stand there as it is.
fn pairs(name: &'static str, text: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let wrong = || ConfigError::variable(name, "<hidden>", "key=value,key=value, with %XX for other characters");
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').ok_or_else(wrong)?;
        let value = decoded(value.trim()).ok_or_else(wrong)?;
        Ok((key.trim().to_owned(), value))
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}
