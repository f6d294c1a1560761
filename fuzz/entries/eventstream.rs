//! Any bytes as a stream of frames: never a panic, and what decodes is what the encoder writes.

use outcrop_wire::eventstream::{Decoder, encode};

/// The entry of fuzzer and replay. The first byte says in pieces of which size the rest arrives.
pub fn run(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else { return };
    stream(bytes, usize::from(size) + 1);
    // Random bytes hardly ever have right checksums, so the same bytes again as headers and payload behind them.
    if let Some((&cut, bytes)) = bytes.split_first() {
        let (headers, payload) = bytes.split_at(usize::from(cut).min(bytes.len()));
        stream(&framed(headers, payload), usize::from(size) + 1);
    }
}

fn stream(bytes: &[u8], size: usize) {
    let mut decoder = Decoder::new();
    let mut at = 0;
    for piece in bytes.chunks(size) {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(message)) => {
                    let headers: Vec<_> = message.headers().collect();
                    let length = bytes[at..].first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
                    let mut again = Vec::new();
                    // A received value may be longer than the encoder admits; nothing else may differ.
                    if encode(&mut again, &headers, message.payload).is_ok() {
                        assert_eq!(again, &bytes[at..at + length]);
                    }
                    at += length;
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(), Err(error));
                    assert!(!decoder.is_at_boundary());
                    return;
                }
            }
        }
    }
    assert_eq!(decoder.is_at_boundary(), at == bytes.len());
}

fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = 16 + headers.len() + payload.len();
    let mut frame = [(total as u32).to_be_bytes(), (headers.len() as u32).to_be_bytes()].concat();
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(headers);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}
