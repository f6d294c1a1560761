use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::wire::{Field, Message, fields};
use super::*;
use crate::meters::Process;
use outcrop_outbound::Settings as Way;

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
            let mut stream = stream.unwrap();
            // Before the answer: who has it may look at once.
            if told.send(request(&mut stream)).is_err() {
                return;
            }
            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    (url, heard)
}

fn request(stream: &mut TcpStream) -> (String, String, Vec<u8>) {
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
        let resource = within(&body, &[1, 1, 1, 1]);
        assert_eq!(resource, [b"service.name"]);
        match &*path {
            "/base/v1/traces" => spans.extend(within(&body, &[1, 2, 2, 5]).into_iter().map(<[u8]>::to_vec)),
            "/base/v1/metrics" => metrics.extend(within(&body, &[1, 2, 2, 1]).into_iter().map(<[u8]>::to_vec)),
            other => panic!("{other}"),
        }
    }
    assert_eq!(spans, [&b"chat p"[..], b"chat m"]);
    assert!(
        metrics.contains(&b"process.start_time".to_vec()) && metrics.contains(&b"outcrop.otlp.dropped_spans".to_vec())
    );
}

/// The texts at the end of a path of field numbers.
fn within<'a>(message: &'a [u8], path: &[u32]) -> Vec<&'a [u8]> {
    let Some((first, rest)) = path.split_first() else { return vec![message] };
    let found = fields(message).filter_map(|found| match found {
        (field, Field::Bytes(bytes)) if field == *first => Some(bytes),
        _ => None,
    });
    found.flat_map(|bytes| within(bytes, rest)).collect()
}

#[test]
fn what_is_written_is_read() {
    let mut message = Message::default();
    message.int(1, 300).int(2, u64::MAX).fixed32(3, 7).double(4, 0.5).bytes(5, "").bytes(6, "text").raw(7, b"");
    message.packed(16, [1, 2].into_iter());
    let bytes = message.into_bytes();
    assert_eq!(bytes[..3], [0x08, 0xac, 0x02], "the documentation's own example");
    let read: Vec<_> = fields(&bytes).collect();
    let expected = [
        (1, Field::Number(300)),
        (2, Field::Number(u64::MAX)),
        (3, Field::Number(7)),
        (4, Field::Number(0.5_f64.to_bits())),
        (6, Field::Bytes(b"text")),
        (7, Field::Bytes(b"")),
        (16, Field::Bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])),
    ];
    assert_eq!(read, expected);
    // What is cut off anywhere ends there.
    (0..bytes.len()).for_each(|cut| assert!(fields(&bytes[..cut]).count() < expected.len()));
    assert_eq!(fields(&[0xff; 32]).count() + fields(&[0x0b]).count(), 0);
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
