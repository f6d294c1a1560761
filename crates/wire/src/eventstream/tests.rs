use super::*;
use proptest::prelude::*;

/// The vectors that botocore's own tests publish (and aws-c-event-stream shares): bytes, headers, payload.
type Vector = (&'static [u8], &'static [(&'static str, Value<'static>)], &'static [u8]);
const VECTORS: [Vector; 9] = [
    (b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2H\xeb}\x98\xc8\xff", &[], b""),
    (
        b"\x00\x00\x00\x17\x00\x00\x00\x07)\x86\x01X\x04byte\x02\xff\xc2\xf8i\xdc",
        &[("byte", Value::Byte(-1))],
        b"",
    ),
    (
        b"\x00\x00\x00\x19\x00\x00\x00\tq\x0e\x92>\x05short\x03\xff\xff\xb2|\xb6\xcc",
        &[("short", Value::Short(-1))],
        b"",
    ),
    (
        b"\x00\x00\x00\x1d\x00\x00\x00\r\x83\xe3\xf0\xe7\x07integer\x04\xff\xff\xff\xff\x8b\x8e\x12\xeb",
        &[("integer", Value::Int(-1))],
        b"",
    ),
    (
        b"\x00\x00\x00\x1e\x00\x00\x00\x0e]J\xdb\x8d\x04long\x05\xff\xff\xff\xff\xff\xff\xff\xffK\xc22\xda",
        &[("long", Value::Long(-1))],
        b"",
    ),
    (b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'}\xc3e96", &[], b"{'foo':'bar'}"),
    (
        b"\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
        &[("content-type", Value::Text("application/json"))],
        b"{'foo':'bar'}",
    ),
    (
        b"\x00\x00\x00\x62\x00\x00\x00\x52\x03\xb5\xcb\x9c\x010\x00\x011\x01\x012\x02\x02\x013\x03\x00\x03\
        \x014\x04\x00\x00\x00\x04\x015\x05\x00\x00\x00\x00\x00\x00\x00\x05\x016\x06\x00\x05bytes\x017\x07\x00\x04utf8\
        \x018\x08\x00\x00\x00\x00\x00\x00\x00\x08\x019\x090123456789abcdef\x63\x35\x36\x71",
        &[
            ("0", Value::Bool(true)),
            ("1", Value::Bool(false)),
            ("2", Value::Byte(2)),
            ("3", Value::Short(3)),
            ("4", Value::Int(4)),
            ("5", Value::Long(5)),
            ("6", Value::Bytes(b"bytes")),
            ("7", Value::Text("utf8")),
            ("8", Value::Timestamp(8)),
            ("9", Value::Uuid(*b"0123456789abcdef")),
        ],
        b"",
    ),
    (
        b"\x00\x00\x00\x52\x00\x00\x00\x42\xbf\x23\x63\x7e\x0d:message-type\x07\x00\x05error\
        \x0b:error-code\x07\x00\x04code\x0e:error-message\x07\x00\x07message\x6b\x6c\xea\x3d",
        &[
            (":message-type", Value::Text("error")),
            (":error-code", Value::Text("code")),
            (":error-message", Value::Text("message")),
        ],
        b"",
    ),
];

/// How many headers the one frame in `bytes` has, and its payload.
fn only(bytes: &[u8]) -> Result<(usize, Vec<u8>), DecodeError> {
    let mut decoder = Decoder::new();
    decoder.feed(bytes);
    let message = decoder.next()?.expect("a whole frame");
    Ok((message.headers().count(), message.payload.to_vec()))
}

#[test]
fn published_vectors_decode_and_encode() {
    for (bytes, headers, payload) in VECTORS {
        let mut decoder = Decoder::new();
        decoder.feed(bytes);
        let message = decoder.next().unwrap().unwrap();
        assert_eq!(message.headers().collect::<Vec<_>>(), headers);
        assert_eq!(message.payload, payload);
        assert!(decoder.is_at_boundary());

        let mut out = b"before".to_vec();
        encode(&mut out, headers, payload).unwrap();
        assert_eq!(&out[6..], bytes);
    }
}

#[test]
fn published_vectors_in_one_stream_byte_by_byte() {
    let mut decoder = Decoder::new();
    let mut payloads = Vec::new();
    for byte in VECTORS.iter().flat_map(|(bytes, ..)| *bytes) {
        decoder.feed(&[*byte]);
        while let Some(message) = decoder.next().unwrap() {
            payloads.push(message.payload.to_vec());
        }
    }
    assert_eq!(payloads, VECTORS.map(|(_, _, payload)| payload.to_vec()));
}

#[test]
fn published_corruptions_are_refused() {
    let corrupted: [(&[u8], DecodeError); 5] = [
        (b"\x01\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'}\xc3e96", DecodeError::PreludeChecksum),
        (b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'\x8d\xc3e96", DecodeError::MessageChecksum),
        (
            b"\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0ccontent+type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
            DecodeError::MessageChecksum,
        ),
        (
            b"\x00\x00\x00=\xFF\x00\x01\x02\x07\xfd\x83\x96\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
            DecodeError::PreludeChecksum,
        ),
        (
            b"\x00\x00\x00\x24\x00\x00\x00\x14\x4b\xb9\x82\xd0\x04test\x04asdf\x04test\x04asdf\xf3\xf4\x75\x63",
            DecodeError::Header,
        ),
    ];
    for (bytes, error) in corrupted {
        assert_eq!(only(bytes), Err(error));
    }
}

#[test]
fn an_error_is_final() {
    let mut decoder = Decoder::new();
    decoder.feed(b"\x01\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ");
    assert_eq!(decoder.next(), Err(DecodeError::PreludeChecksum));
    decoder.feed(VECTORS[0].0);
    assert_eq!(decoder.next(), Err(DecodeError::PreludeChecksum));
    assert!(!decoder.is_at_boundary());
}

/// A prelude with a right CRC, so that only the lengths are wrong.
fn prelude(total: u32, headers: u32) -> Vec<u8> {
    let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

#[test]
fn lengths_are_judged_before_anything_is_buffered() {
    for (total, headers) in [(0, 0), (15, 0), (16, 1), (u32::MAX, 0), (u32::MAX, u32::MAX), (200_000, 131_073)] {
        assert_eq!(only(&prelude(total, headers)), Err(DecodeError::Length), "{total} {headers}");
    }
    let mut decoder = Decoder::with_max_payload(8);
    decoder.feed(&prelude(16 + 9, 0));
    assert_eq!(decoder.next(), Err(DecodeError::Length));
    let mut decoder = Decoder::with_max_payload(8);
    decoder.feed(&prelude(16 + 8, 0));
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn bedrock_frames_have_the_headers_that_clients_read() {
    let mut out = Vec::new();
    event(&mut out, "contentBlockDelta", "application/json", b"{\"p\":\"ab\"}").unwrap();
    exception(&mut out, "throttlingException", b"{\"message\":\"slow\"}").unwrap();
    let mut decoder = Decoder::new();
    decoder.feed(&out);
    let message = decoder.next().unwrap().unwrap();
    assert_eq!(message.text(":event-type"), Some("contentBlockDelta"));
    assert_eq!(message.text(":content-type"), Some("application/json"));
    assert_eq!(message.text(":message-type"), Some("event"));
    assert_eq!(message.payload, b"{\"p\":\"ab\"}");
    let message = decoder.next().unwrap().unwrap();
    assert_eq!(message.text(":exception-type"), Some("throttlingException"));
    assert_eq!(message.text(":message-type"), Some("exception"));
    assert_eq!(message.get("absent"), None);
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn what_cannot_be_framed_leaves_the_buffer_alone() {
    let long = "x".repeat(256);
    let huge = vec![b'x'; 32_768];
    let mut out = b"kept".to_vec();
    assert_eq!(encode(&mut out, &[("", Value::Bool(true))], b""), Err(EncodeError::Name));
    assert_eq!(encode(&mut out, &[(&long, Value::Bool(true))], b""), Err(EncodeError::Name));
    assert_eq!(encode(&mut out, &[("a", Value::Bytes(&huge))], b""), Err(EncodeError::Value));
    let five = ["a", "b", "c", "d", "e"].map(|name| (name, Value::Bytes(&huge[1..])));
    assert_eq!(encode(&mut out, &five, b""), Err(EncodeError::Headers));
    assert_eq!(encode(&mut out, &[], &vec![0; MAX_PAYLOAD + 1]), Err(EncodeError::Payload));
    assert_eq!(out, b"kept");
}

fn value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        any::<bool>().prop_map(Owned::Bool),
        any::<i8>().prop_map(Owned::Byte),
        any::<i16>().prop_map(Owned::Short),
        any::<i32>().prop_map(Owned::Int),
        any::<i64>().prop_map(Owned::Long),
        any::<Vec<u8>>().prop_map(Owned::Bytes),
        any::<String>().prop_map(Owned::Text),
        any::<i64>().prop_map(Owned::Timestamp),
        any::<[u8; 16]>().prop_map(Owned::Uuid),
    ]
}

#[derive(Debug, Clone)]
enum Owned {
    Bool(bool),
    Byte(i8),
    Short(i16),
    Int(i32),
    Long(i64),
    Bytes(Vec<u8>),
    Text(String),
    Timestamp(i64),
    Uuid([u8; 16]),
}

impl Owned {
    fn view(&self) -> Value<'_> {
        match self {
            Self::Bool(v) => Value::Bool(*v),
            Self::Byte(v) => Value::Byte(*v),
            Self::Short(v) => Value::Short(*v),
            Self::Int(v) => Value::Int(*v),
            Self::Long(v) => Value::Long(*v),
            Self::Bytes(v) => Value::Bytes(v),
            Self::Text(v) => Value::Text(v),
            Self::Timestamp(v) => Value::Timestamp(*v),
            Self::Uuid(v) => Value::Uuid(*v),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        headers in prop::collection::btree_map("[a-zA-Z:é-]{1,20}", value(), 0..8),
        payload in any::<Vec<u8>>(),
        cut in 1usize..40,
    ) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.view())).collect();
        let mut out = Vec::new();
        encode(&mut out, &headers, &payload).unwrap();
        encode(&mut out, &headers, &payload).unwrap();
        let mut decoder = Decoder::new();
        let mut seen = 0;
        for piece in out.chunks(cut) {
            decoder.feed(piece);
            while let Some(message) = decoder.next().unwrap() {
                prop_assert_eq!(message.headers().collect::<Vec<_>>(), headers.clone());
                prop_assert_eq!(message.payload, &payload[..]);
                seen += 1;
            }
        }
        prop_assert_eq!(seen, 2);
        prop_assert!(decoder.is_at_boundary());
    }

    #[test]
    fn any_flipped_bit_is_noticed(payload in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut out = Vec::new();
        event(&mut out, "chunk", "application/json", &payload).unwrap();
        let at = at.index(out.len());
        out[at] ^= 1 << bit;
        prop_assert!(only(&out).is_err());
    }

    #[test]
    fn random_bytes_never_panic(bytes in any::<Vec<u8>>(), headers in any::<Vec<u8>>()) {
        let mut decoder = Decoder::new();
        decoder.feed(&bytes);
        while let Ok(Some(_)) = decoder.next() {}
        // The same again behind right checksums, where random bytes hardly ever come.
        let mut frame = prelude((16 + headers.len() + bytes.len()) as u32, headers.len() as u32);
        frame.extend_from_slice(&headers);
        frame.extend_from_slice(&bytes);
        frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        if let Ok((headers, payload)) = only(&frame) {
            prop_assert_eq!(payload, bytes);
            prop_assert!(headers <= 256);
        }
    }
}
