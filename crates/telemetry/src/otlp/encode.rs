//! Spans and families as OTLP's messages, by the field numbers of `opentelemetry-proto`.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use super::wire::Message;
use crate::meters::{Family, Histogram, Kind, Point, Value as Measured};
use crate::trace::{Ended, Side, Value};

/// The version of the semantic conventions that names and attributes follow.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";
/// `AGGREGATION_TEMPORALITY_CUMULATIVE`: counters count from the start of the process.
const CUMULATIVE: u64 = 2;

/// What a service says of itself.
pub type Resource = [(String, String)];

/// `ExportTraceServiceRequest`.
pub fn traces(resource: &Resource, spans: impl IntoIterator<Item = Ended>) -> Vec<u8> {
    request(resource, |scope| {
        for ended in spans {
            scope.message(2, |out| span(out, &ended));
        }
    })
}

/// `ExportMetricsServiceRequest`.
pub fn metrics(resource: &Resource, families: &[Family], began: SystemTime, now: SystemTime) -> Vec<u8> {
    let times = (nanoseconds(began), nanoseconds(now));
    request(resource, |scope| {
        for family in families {
            scope.message(2, |out| metric(out, family, times));
        }
    })
}

/// Both have the same form: of one resource, one scope.
fn request(resource: &Resource, write: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |of_resource| {
        of_resource.message(1, |out| resource.iter().for_each(|(key, value)| text(out, 1, key, value)));
        of_resource.message(2, |scope| {
            scope.message(1, |out| {
                out.bytes(1, "outcrop").bytes(2, env!("CARGO_PKG_VERSION"));
            });
            write(scope);
        });
        of_resource.bytes(3, SCHEMA);
    });
    request.into_bytes()
}

fn span(out: &mut Message, span: &Ended) {
    let ids = &span.ids;
    out.bytes(1, ids.trace).bytes(2, ids.span).bytes(3, ids.state.as_deref().unwrap_or_default());
    out.bytes(4, ids.parent.as_ref().map_or(&[][..], |parent| parent)).bytes(5, &span.name);
    let kind = match span.side {
        Side::Server => 2,
        Side::Client => 3,
    };
    out.int(6, kind).fixed64(7, nanoseconds(span.began)).fixed64(8, nanoseconds(span.ended));
    for (key, value) in &span.attributes {
        out.message(9, |out| {
            out.bytes(1, key).message(2, |out| any(out, value));
        });
    }
    if span.error {
        out.message(15, |status| {
            status.int(3, 2);
        });
    }
    // Only what is sampled comes here.
    out.fixed32(16, 1);
}

fn metric(out: &mut Message, family: &Family, times: (u64, u64)) {
    out.bytes(1, family.name).bytes(2, family.help).bytes(3, family.unit.ucum());
    let field = match family.kind {
        Kind::Gauge => 5,
        Kind::Counter => 7,
        Kind::Histogram => 9,
    };
    out.message(field, |data| {
        for point in &family.points {
            data.message(1, |out| match &point.value {
                Measured::Number(number) => self::number(out, point, *number, family.kind, times),
                Measured::Histogram(histogram) => self::histogram(out, point, histogram, times),
            });
        }
        if family.kind != Kind::Gauge {
            data.int(2, CUMULATIVE);
        }
        if family.kind == Kind::Counter {
            data.int(3, 1);
        }
    });
}

fn number(out: &mut Message, point: &Point, number: f64, kind: Kind, (began, now): (u64, u64)) {
    if kind == Kind::Counter {
        out.fixed64(2, began);
    }
    out.fixed64(3, now).double(4, number);
    labels(out, 7, &point.labels);
}

fn histogram(out: &mut Message, point: &Point, histogram: &Histogram, (began, now): (u64, u64)) {
    out.fixed64(2, began).fixed64(3, now).fixed64(4, histogram.count()).double(5, histogram.sum);
    out.packed(6, histogram.counts.iter().copied());
    out.packed(7, histogram.bounds.iter().map(|bound| bound.to_bits()));
    labels(out, 9, &point.labels);
}

fn labels(out: &mut Message, field: u32, labels: &[(Cow<'static, str>, String)]) {
    labels.iter().for_each(|(key, value)| text(out, field, key, value));
}

/// `KeyValue` of a text.
fn text(out: &mut Message, field: u32, key: &str, value: &str) {
    out.message(field, |out| {
        out.bytes(1, key).message(2, |out| {
            out.raw(1, value.as_bytes());
        });
    });
}

/// `AnyValue`.
fn any(out: &mut Message, value: &Value) {
    match value {
        Value::Text(text) => out.raw(1, text.as_bytes()),
        Value::Bool(yes) => out.int(2, u64::from(*yes)),
        // Negative ones as protobuf writes them: in two's complement.
        Value::Int(number) => out.int(3, *number as u64),
        Value::Float(number) => out.double(4, *number),
        Value::Texts(texts) => out.message(5, |array| {
            for text in texts {
                array.message(1, |out| {
                    out.raw(1, text.as_bytes());
                });
            }
        }),
    };
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}
