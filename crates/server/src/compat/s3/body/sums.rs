//! What a caller says the sums of its bytes are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::Checksum;
use sha2::Sha256;

use super::super::error::Refused;
use super::text;

/// The checksums that S3 knows, by their header.
const KNOWN: [&str; 5] = [
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
];

/// Sums that are made as the bytes go by.
#[derive(Default)]
pub(super) struct Sums {
    /// The SHA-256 that was signed.
    sha256: Option<(Sha256, String)>,
    md5: Option<(Md5, Vec<u8>)>,
    checksum: ChecksumHasher,
    /// The header of the checksum, and its value unless the trailer has it.
    expected: Option<(&'static str, Option<String>)>,
}

impl Sums {
    /// Those that the head names.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        let mut sums = Self::default();
        if let Some(given) = text(headers, "content-md5") {
            let digest = STANDARD.decode(given).ok().filter(|digest| digest.len() == 16);
            let digest =
                digest.ok_or_else(|| Refused::new("InvalidDigest", "The Content-MD5 you specified is not valid."))?;
            sums.md5 = Some((Md5::new(), digest));
        }
        for name in KNOWN {
            if let Some(given) = text(headers, name) {
                sums.expect(name, Some(given.to_owned()))?;
            }
        }
        Ok(sums)
    }

    /// The one that the trailer will have.
    pub fn trailer(&mut self, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(given) = text(headers, "x-amz-trailer") else { return Ok(()) };
        for name in given.split(',') {
            let name = name.trim().to_ascii_lowercase();
            let known = KNOWN.into_iter().find(|known| *known == name);
            let known = known.ok_or_else(|| {
                Refused::new("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
            })?;
            self.expect(known, None)?;
        }
        Ok(())
    }

    fn expect(&mut self, name: &'static str, value: Option<String>) -> Result<(), Refused> {
        if self.expected.is_some() {
            let text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(Refused::new("InvalidRequest", text));
        }
        let sum = &mut self.checksum;
        match name {
            "x-amz-checksum-crc32" => sum.crc32 = Some(Default::default()),
            "x-amz-checksum-crc32c" => sum.crc32c = Some(Default::default()),
            "x-amz-checksum-crc64nvme" => sum.crc64nvme = Some(Default::default()),
            "x-amz-checksum-sha1" => sum.sha1 = Some(Default::default()),
            _ => sum.sha256 = Some(Default::default()),
        }
        self.expected = Some((name, value));
        Ok(())
    }

    /// The one that was signed.
    pub fn sha256(&mut self, expected: String) {
        self.sha256 = Some((Sha256::new(), expected));
    }

    pub fn update(&mut self, piece: &[u8]) {
        if let Some((sha256, _)) = &mut self.sha256 {
            sha256.update(piece);
        }
        if let Some((md5, _)) = &mut self.md5 {
            md5.update(piece);
        }
        self.checksum.update(piece);
    }

    /// Whether all sums are as they were said to be.
    pub fn check(&mut self, trailer: &[(String, String)]) -> Result<(), Refused> {
        if let Some((sha256, expected)) = self.sha256.take() {
            let digest: String = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            if digest != expected {
                let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
                return Err(Refused::new("XAmzContentSHA256Mismatch", text));
            }
        }
        if let Some((md5, expected)) = self.md5.take()
            && md5.finalize().as_slice() != expected
        {
            let text = "The Content-MD5 you specified did not match what we received.";
            return Err(Refused::new("BadDigest", text));
        }
        if let Some((name, value)) = self.expected.take() {
            let sent =
                value.or_else(|| trailer.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
            let made = made(&std::mem::take(&mut self.checksum).finalize());
            if sent.is_none() || sent != made {
                let what = name.trim_start_matches("x-amz-checksum-").to_ascii_uppercase();
                let text = format!("The {what} you specified did not match the calculated checksum.");
                return Err(Refused::new("BadDigest", text));
            }
        }
        Ok(())
    }
}

fn made(sum: &Checksum) -> Option<String> {
    let all =
        [&sum.checksum_crc32, &sum.checksum_crc32c, &sum.checksum_crc64nvme, &sum.checksum_sha1, &sum.checksum_sha256];
    all.into_iter().flatten().next().cloned()
}
