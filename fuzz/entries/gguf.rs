//! Any bytes as the header of a GGUF file: read or refused, in time and memory that the file's own size bounds.

use outcrop_engine::weights::gguf::{GgufError, read};

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    let length = data.len() as u64;
    let header = read(data, length);
    // In two pieces, as a file comes: the same answer.
    let (a, b) = data.split_at(data.len() / 2);
    let pieces = read(std::io::BufReader::new(std::io::Read::chain(a, b)), length);
    match (&header, &pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces),
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        _ => panic!("it depends on how the file is read"),
    }
    match header {
        Ok(header) => {
            assert!(data.starts_with(b"GGUF") && !header.architecture.is_empty() && header.parts >= 1);
            let texts =
                [Some(&header.architecture), header.name.as_ref(), header.licence.as_ref(), header.role.as_ref()];
            // A byte that is no character becomes one of three bytes.
            let kept: usize = texts.into_iter().flatten().map(String::len).sum();
            assert!(kept <= 3 * data.len(), "{kept} bytes of text out of {}", data.len());
        }
        Err(GgufError::Io(error)) => panic!("memory has no faults: {error}"),
        Err(_) => {}
    }
    // A length that lies about the file is noticed, not believed.
    let _ = read(data, u64::MAX);
    let _ = read(data, length / 2);
}
