//! Spans and families as OTLP's messages.

use std::time::{SystemTime, UNIX_EPOCH};

use super::proto::{
    Any, AnyValue, ArrayValue, Data, Gauge, Histogram, HistogramPoint, KeyValue, Metric, MetricsRequest, NumberPoint,
    Resource, ResourceMetrics, ResourceSpans, Scope, ScopeMetrics, ScopeSpans, Span, Status, Sum, TraceRequest,
};
use crate::meters::{Family, Kind, Point, Value as Measured};
use crate::trace::{Ended, Side, Value};

/// The version of the semantic conventions that names and attributes follow.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";
/// Counters count from the start of the process.
const CUMULATIVE: i32 = 2;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const ERROR: i32 = 2;

pub fn resource(attributes: &[(String, String)]) -> Resource {
    Resource { attributes: attributes.iter().map(|(key, value)| text(key, value.clone())).collect() }
}

pub fn traces(resource: &Resource, spans: impl IntoIterator<Item = Ended>) -> TraceRequest {
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans: spans.into_iter().map(span).collect() }];
    let resource = Some(resource.clone());
    TraceRequest { resource_spans: vec![ResourceSpans { resource, scope_spans, schema_url: SCHEMA.into() }] }
}

pub fn metrics(resource: &Resource, families: Vec<Family>, began: SystemTime, now: SystemTime) -> MetricsRequest {
    let (began, now) = (nanoseconds(began), nanoseconds(now));
    let metrics = families.into_iter().map(|family| metric(family, began, now)).collect();
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics }];
    let resource = Some(resource.clone());
    MetricsRequest { resource_metrics: vec![ResourceMetrics { resource, scope_metrics, schema_url: SCHEMA.into() }] }
}

fn scope() -> Scope {
    Scope { name: "outcrop".into(), version: env!("CARGO_PKG_VERSION").into() }
}

fn span(span: Ended) -> Span {
    let attributes = span.attributes.into_iter().map(|(key, value)| KeyValue { key: key.into(), value: any(value) });
    Span {
        trace_id: span.ids.trace.to_vec(),
        span_id: span.ids.span.to_vec(),
        trace_state: span.ids.state.unwrap_or_default(),
        parent_span_id: span.ids.parent.map(|parent| parent.to_vec()).unwrap_or_default(),
        name: span.name,
        kind: match span.side {
            Side::Server => SERVER,
            Side::Client => CLIENT,
        },
        start_time_unix_nano: nanoseconds(span.began),
        end_time_unix_nano: nanoseconds(span.ended),
        attributes: attributes.collect(),
        status: span.error.then(|| Status { message: String::new(), code: ERROR }),
        // Only what is sampled comes here.
        flags: 1,
    }
}

fn metric(family: Family, began: u64, now: u64) -> Metric {
    let Family { name, help, unit, kind, points } = family;
    let data = match kind {
        Kind::Gauge => Data::Gauge(Gauge { data_points: points.into_iter().map(|p| number(p, 0, now)).collect() }),
        Kind::Counter => Data::Sum(Sum {
            data_points: points.into_iter().map(|p| number(p, began, now)).collect(),
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        Kind::Histogram => Data::Histogram(Histogram {
            data_points: points.into_iter().filter_map(|p| histogram(p, began, now)).collect(),
            aggregation_temporality: CUMULATIVE,
        }),
    };
    Metric { name: name.into(), description: help.into(), unit: unit.ucum().into(), data: Some(data) }
}

fn number(point: Point, began: u64, now: u64) -> NumberPoint {
    let as_double = match point.value {
        Measured::Number(number) => Some(number),
        Measured::Histogram(histogram) => Some(histogram.sum),
    };
    NumberPoint { start_time_unix_nano: began, time_unix_nano: now, as_double, attributes: labels(point.labels) }
}

fn histogram(point: Point, began: u64, now: u64) -> Option<HistogramPoint> {
    let Measured::Histogram(histogram) = point.value else { return None };
    Some(HistogramPoint {
        start_time_unix_nano: began,
        time_unix_nano: now,
        count: histogram.count(),
        sum: Some(histogram.sum),
        bucket_counts: histogram.counts.into_vec(),
        explicit_bounds: histogram.bounds.to_vec(),
        attributes: labels(point.labels),
    })
}

fn labels(labels: Vec<(std::borrow::Cow<'static, str>, String)>) -> Vec<KeyValue> {
    labels.into_iter().map(|(key, value)| text(&key, value)).collect()
}

fn text(key: &str, value: String) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Any::String(value)) }) }
}

fn any(value: Value) -> Option<AnyValue> {
    let value = match value {
        Value::Text(text) => Any::String(text.into_owned()),
        Value::Int(number) => Any::Int(number),
        Value::Float(number) => Any::Double(number),
        Value::Bool(yes) => Any::Bool(yes),
        Value::Texts(texts) => {
            let values = texts.into_iter().map(|text| AnyValue { value: Some(Any::String(text)) }).collect();
            Any::Array(ArrayValue { values })
        }
    };
    Some(AnyValue { value: Some(value) })
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}
