//! Guessing why a signature does not match. Only ever after it did not.

use outcrop_wire::sigv4::{Request, SigningKey, ToSign};

/// How many paths are tried at most.
const TRIES: usize = 24;

/// What to tell the caller, if the mistake is one that is known.
pub(super) fn guess(to_sign: &ToSign<'_>, key: &SigningKey, signature: &str) -> Option<&'static str> {
    let verifies = |path: &str| {
        let request = Request { path, ..to_sign.request };
        ToSign { request, ..*to_sign }.verify(key, signature)
    };
    let decoded = before_decoding(to_sign.request.path).iter().take(TRIES).any(|path| verifies(path));
    decoded.then_some(
        "A proxy in front of this server decoded %2F or %3A in the path; the signature is over the path as the client \
         sent it. Let the proxy pass the raw path on.",
    )
}

/// The paths that a client may have sent where this one arrived: colons encoded again, and every stretch that
/// starts like an ARN or a model id taken for one segment.
fn before_decoding(path: &str) -> Vec<String> {
    let segments: Vec<&str> = path.split('/').collect();
    let mut paths = Vec::new();
    if path.contains(':') {
        paths.push(path.replace(':', "%3A"));
    }
    for (start, segment) in segments.iter().enumerate() {
        if !segment.starts_with("arn:") && !segment.starts_with("arn%3A") {
            continue;
        }
        for end in (start + 1..segments.len()).rev() {
            let arn = segments[start..=end].join("%2F");
            for arn in [arn.replace(':', "%3A"), arn] {
                let (before, after) = (segments[..start].join("/"), &segments[end + 1..]);
                let tail: String = after.iter().flat_map(|segment| ["/", segment]).collect();
                paths.push(format!("{before}/{arn}{tail}"));
            }
            if paths.len() >= TRIES {
                return paths;
            }
        }
    }
    paths
}
