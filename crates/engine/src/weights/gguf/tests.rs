use proptest::prelude::*;

use super::*;

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn pair(out: &mut Vec<u8>, key: &str, kind: u32, value: &[u8]) {
    text(out, key);
    out.extend(kind.to_le_bytes());
    out.extend(value);
}

fn text_pair(out: &mut Vec<u8>, key: &str, value: &str) {
    let mut bytes = Vec::new();
    text(&mut bytes, value);
    pair(out, key, 8, &bytes);
}

/// A small whole file: nine pairs, two tensors, some data.
pub(crate) fn sample(architecture: &str) -> Vec<u8> {
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend(2u64.to_le_bytes());
    out.extend(9u64.to_le_bytes());
    // The context length may come before the architecture that it belongs to.
    pair(&mut out, &format!("{architecture}.context_length"), 4, &8192u32.to_le_bytes());
    pair(&mut out, "other.context_length", 4, &1u32.to_le_bytes());
    text_pair(&mut out, "general.architecture", architecture);
    text_pair(&mut out, "general.type", "model");
    text_pair(&mut out, "general.name", "Tiny");
    text_pair(&mut out, "general.license", "apache-2.0");
    pair(&mut out, "general.file_type", 4, &15u32.to_le_bytes());
    text_pair(&mut out, "tokenizer.chat_template", "{{ messages }}");
    let mut tokens = 8u32.to_le_bytes().to_vec();
    tokens.extend(3u64.to_le_bytes());
    for token in ["a", "b", "längeres"] {
        text(&mut tokens, token);
    }
    pair(&mut out, "tokenizer.ggml.tokens", 9, &tokens);
    for (name, dimensions, offset) in [("embed", vec![4u64, 3], 0u64), ("norm", vec![5], 64)] {
        text(&mut out, name);
        out.extend((dimensions.len() as u32).to_le_bytes());
        dimensions.iter().for_each(|d| out.extend(d.to_le_bytes()));
        out.extend(0u32.to_le_bytes());
        out.extend(offset.to_le_bytes());
    }
    out.extend([0; 128]);
    out
}

fn header(bytes: &[u8]) -> Result<GgufHeader, GgufError> {
    read(bytes, bytes.len() as u64)
}

#[test]
fn tells_what_the_file_says() {
    let header = header(&sample("llama")).unwrap();
    assert_eq!(header.architecture, "llama");
    assert_eq!(header.context_length, Some(8192));
    assert_eq!(header.parameters, 17);
    assert_eq!(header.quantisation.as_deref(), Some("Q4_K_M"));
    assert_eq!(header.name.as_deref(), Some("Tiny"));
    assert_eq!(header.licence.as_deref(), Some("apache-2.0"));
    assert_eq!(header.role, None);
    assert!(header.chat_template);
    assert_eq!(header.pooling, None);
}

#[test]
fn other_files_are_told_apart() {
    assert!(matches!(header(b""), Err(GgufError::Magic)));
    assert!(matches!(header(b"PK\x03\x04 not a model"), Err(GgufError::Magic)));
    let mut old = sample("llama");
    old[4] = 1;
    assert!(matches!(header(&old), Err(GgufError::Version(1))));
}

#[test]
fn every_truncation_is_noticed() {
    let whole = sample("llama");
    // The data behind the last tensor's offset is all that may go unnoticed.
    let header_end = whole.len() - 128;
    for end in 4..header_end + 64 {
        assert!(header(&whole[..end]).is_err(), "{end} bytes were taken for a whole file");
    }
}

#[test]
fn lengths_beyond_the_file_allocate_nothing() {
    for (position, value) in [(8, u64::MAX), (16, u64::MAX), (24, u64::MAX), (24, 1 << 40)] {
        let mut bytes = sample("llama");
        bytes[position..position + 8].copy_from_slice(&value.to_le_bytes());
        assert!(header(&bytes).is_err());
    }
}

#[test]
fn deep_nesting_ends() {
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend(0u64.to_le_bytes());
    out.extend(1u64.to_le_bytes());
    text(&mut out, "deep");
    for _ in 0..100_000 {
        out.extend(9u32.to_le_bytes());
        if out.len() > 40 {
            out.extend(1u64.to_le_bytes());
        }
    }
    assert!(matches!(header(&out), Err(GgufError::Damaged(_))));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = header(&bytes);
        let mut with_magic = b"GGUF\x03\0\0\0".to_vec();
        with_magic.extend(bytes);
        let _ = header(&with_magic);
    }

    #[test]
    fn no_damage_panics(position in 0usize..500, value: u8, length in 0u64..2000) {
        let mut bytes = sample("llama");
        let position = position % bytes.len();
        bytes[position] = value;
        let _ = header(&bytes);
        // A length that lies about the file.
        let _ = read(bytes.as_slice(), length);
    }
}
