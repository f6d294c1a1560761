//! Any bytes as a sealed record: never a panic, and the key that it names is the one that stands in it.

use outcrop_store::envelope_key;

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    match envelope_key(data) {
        Ok(id) => {
            // Version, key id, nonce, wrapped key with its tag, and at least the tag of an empty text.
            assert!(data.len() >= 1 + 8 + 24 + 48 + 16 && data[0] == 1);
            let written: String = data[1..9].iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(id.to_string(), written);
            assert_eq!(written.parse().map_err(|_| "no id"), Ok(id));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
