//! Ids that this server makes.

use base64::Engine as _;

/// An id as Bedrock makes them: `tooluse_` and 22 URL-safe characters.
pub(crate) fn tool_use_id() -> String {
    let mut bytes = [0u8; 16];
    // Without the system's randomness ids would repeat within a conversation; a counter would do, but no
    // supported system lacks it.
    let _ = getrandom::fill(&mut bytes);
    format!("tooluse_{}", base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
