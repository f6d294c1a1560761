//! Any bytes as a backup's manifest: never a panic, what is accepted leads nowhere but into a data folder, and is
//! what the writer writes.

use outcrop_store::Manifest;
use sha2::{Digest, Sha256};

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    check(data);
    // Random bytes never have a right checksum, so the same lines again with one.
    let sum: String = Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect();
    let files = data.iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);
    check(&[data, format!("{{\"files\":{files},\"sha256\":\"{sum}\"}}\n").as_bytes()].concat());
}

fn check(data: &[u8]) {
    match Manifest::parse(data) {
        Ok(manifest) => {
            for file in &manifest.files {
                let name = file.name.as_str();
                assert!(!name.starts_with('/') && !name.contains("..") && !name.contains('\\'), "{name}");
                assert!(name == "outcrop.db" || name.starts_with("blobs/") || name.starts_with("keys/"), "{name}");
            }
            assert_eq!(Manifest::parse(&manifest.write()), Ok(manifest));
        }
        Err(reason) => assert!(!reason.is_empty()),
    }
}
