#![no_main]

#[path = "../entries/sigv4.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
