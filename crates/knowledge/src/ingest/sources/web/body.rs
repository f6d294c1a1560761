//! An answer's bytes, unpacked where its server packs them unasked.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::Response;
use http::header::CONTENT_ENCODING;
use outcrop_outbound::{Body, OutboundError, beginning, collect};

/// All of an answer, if it is no more than `limit` bytes, packed and unpacked.
pub(super) async fn whole(answer: Response<Body>, limit: usize) -> Result<Bytes, OutboundError> {
    let packed = is_packed(&answer)?;
    let bytes = collect(answer.into_body(), limit).await?;
    if !packed {
        return Ok(bytes);
    }
    match unpack(bytes, limit.saturating_add(1)).await? {
        (_, Some(broken)) => Err(OutboundError::Body(broken.to_string())),
        (plain, None) if plain.len() > limit => Err(OutboundError::TooLarge { limit }),
        (plain, None) => Ok(plain),
    }
}

/// The first `limit` bytes of an answer, or all of it.
pub(super) async fn first(answer: Response<Body>, limit: usize) -> Result<Bytes, OutboundError> {
    let packed = is_packed(&answer)?;
    let bytes = beginning(answer.into_body(), limit).await?;
    if packed { Ok(unpack(bytes, limit).await?.0) } else { Ok(bytes) }
}

/// Whether it is in gzip, the one packing that servers use for whoever asked for none. What is no packing at all, such
/// as `utf-8`, is there by mistake.
fn is_packed(answer: &Response<Body>) -> Result<bool, OutboundError> {
    let told = answer.headers().get(CONTENT_ENCODING).and_then(|told| told.to_str().ok()).unwrap_or_default();
    match &*told.trim().to_ascii_lowercase() {
        "gzip" | "x-gzip" => Ok(true),
        other @ ("br" | "zstd" | "deflate" | "compress" | "x-compress") => {
            Err(OutboundError::Body(format!("it is packed as {other}, unasked")))
        }
        _ => Ok(false),
    }
}

/// The first `limit` bytes of what was packed, and why there are no more, where it is damaged. What only says that it is
/// packed is left as it is.
async fn unpack(bytes: Bytes, limit: usize) -> Result<(Bytes, Option<std::io::Error>), OutboundError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok((bytes, None));
    }
    let work = move || {
        let mut plain = Vec::new();
        let read = MultiGzDecoder::new(&*bytes).take(limit as u64).read_to_end(&mut plain);
        (Bytes::from(plain), read.err())
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| OutboundError::Body(error.to_string()))
}
