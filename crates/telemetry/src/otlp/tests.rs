use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use outcrop_outbound::Settings as Way;
use prost::Message;

use super::proto::{Data, MetricsRequest, TraceRequest};
use super::*;
use crate::meters::Process;

/// A receiver that answers with these statuses, and with the last of them from then on. It tells what came: path,
/// headers in lower case, body.
fn receiver(statuses: &'static [u16]) -> (String, Receiver<(String, String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = channel();
    std::thread::spawn(move || {
        let mut statuses = statuses.iter().copied();
        let mut last = 200;
        for stream in listener.incoming() {
            let status = statuses.next().unwrap_or(last);
            last = status;
            if told.send(exchange(stream.unwrap(), status)).is_err() {
                return;
            }
        }
    });
    (url, heard)
}

fn exchange(mut stream: TcpStream, status: u16) -> (String, String, Vec<u8>) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let head = loop {
        let read = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap().to_lowercase();
    let length: usize = text.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    while bytes.len() < head + length {
        let read = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..read]);
    }
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    let path = text.split(' ').nth(1).unwrap().to_owned();
    (path, text, bytes[head..].to_vec())
}

fn settings(endpoint: String) -> Settings {
    let headers = [("x-key".parse().unwrap(), "secret".parse().unwrap())].into_iter().collect();
    Settings {
        endpoint,
        headers,
        traces: true,
        metrics: true,
        sampler: Sampler::default(),
        propagate: false,
        resource: vec![("service.name".into(), "outcrop".into())],
        timeout: Duration::from_secs(5),
        interval: Duration::from_secs(60),
        delay: Duration::from_millis(50),
        queue: 8,
    }
}

fn opened(settings: Settings) -> (Otlp, Arc<Meters>) {
    let meters = Arc::new(Meters::default());
    meters.add(Process::default());
    let otlp = Otlp::open(settings, &Outbound::new(Way::default()).unwrap(), &meters).unwrap();
    (otlp, meters)
}

#[tokio::test]
async fn the_end_sends_what_there_is() {
    let (url, heard) = receiver(&[200]);
    let (otlp, _) = opened(settings(format!("{url}/base")));
    let span = otlp.tracer().unwrap().server("chat m", None);
    span.set("gen_ai.usage.input_tokens", 7_u64);
    drop((span.child(|| "chat p".into()), span));
    otlp.finish(Duration::from_secs(10)).await;
    let (mut spans, mut metrics) = (Vec::new(), Vec::new());
    for (path, head, body) in heard.try_iter() {
        assert!(head.contains("x-key: secret") && head.contains("content-type: application/x-protobuf"), "{head}");
        match &*path {
            "/base/v1/traces" => spans.extend(TraceRequest::decode(&*body).unwrap().resource_spans),
            "/base/v1/metrics" => metrics.extend(MetricsRequest::decode(&*body).unwrap().resource_metrics),
            other => panic!("{other}"),
        }
    }
    let resource = spans[0].resource.as_ref().unwrap();
    assert_eq!(resource.attributes[0].key, "service.name");
    let names: Vec<_> = spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).map(|s| &s.name).collect();
    assert_eq!(names, ["chat p", "chat m"]);
    let metrics = &metrics[0].scope_metrics[0].metrics;
    let started = metrics.iter().find(|metric| metric.name == "process.start_time").unwrap();
    assert!(matches!(&started.data, Some(Data::Gauge(gauge)) if gauge.data_points[0].as_double > Some(1e9)));
    let dropped = metrics.iter().find(|metric| metric.name == "outcrop.otlp.dropped_spans").unwrap();
    assert!(matches!(&dropped.data, Some(Data::Sum(sum)) if sum.is_monotonic && sum.aggregation_temporality == 2));
}

#[tokio::test]
async fn what_may_pass_is_sent_again() {
    let (url, heard) = receiver(&[503, 200]);
    let (otlp, _) = opened(Settings { metrics: false, ..settings(url) });
    let tracer = otlp.tracer().unwrap();
    drop(tracer.server("a", None));
    let bodies = tokio::task::spawn_blocking(move || {
        let next = || heard.recv_timeout(Duration::from_secs(30)).unwrap().2;
        (next(), next())
    });
    let (first, second) = bodies.await.unwrap();
    assert!(first == second && !first.is_empty());
    assert_eq!(tracer.dropped(), 0);
    otlp.finish(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn what_is_refused_is_lost_and_counted() {
    let (url, _heard) = receiver(&[400]);
    let (otlp, meters) = opened(Settings { metrics: false, ..settings(url) });
    let tracer = otlp.tracer().unwrap();
    (0..3).for_each(|_| drop(tracer.server("a", None)));
    otlp.finish(Duration::from_secs(10)).await;
    assert_eq!(tracer.dropped(), 3);
    let failed = meters.gather().into_iter().find(|family| family.name == "outcrop.otlp.failed_exports").unwrap();
    assert_eq!(failed.points[0].value, crate::meters::Value::Number(1.0));
}

#[tokio::test]
async fn nobody_there_delays_no_end() {
    let (otlp, _) = opened(settings("http://127.0.0.1:1".into()));
    drop(otlp.tracer().unwrap().server("a", None));
    otlp.finish(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_place_where_nothing_may_be_sent_is_refused_at_once() {
    let outbound = Outbound::new(Way::default()).unwrap();
    let settings = settings("http://collector.example.com".into());
    assert!(Otlp::open(settings, &outbound, &Arc::default()).is_err());
}
