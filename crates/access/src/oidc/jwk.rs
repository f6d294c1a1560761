//! An issuer's public keys: a JWK set (RFC 7517).

use super::jwt::{Algorithm, Token};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

/// More keys than this are none: no issuer has so many.
const MAX_KEYS: usize = 100;

/// A key that verifies.
#[derive(Debug)]
pub(super) struct PublicKey {
    pub id: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point on P-256.
    Ec(Vec<u8>),
}

/// Reads a set. Keys of other kinds or for other uses are left out; a set without any that can be used is refused.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<PublicKey>, String> {
    let set: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("it is not a JWK set: it has no list `keys`")?;
    if keys.len() > MAX_KEYS {
        return Err(format!("it has {} keys, more than {MAX_KEYS}", keys.len()));
    }
    let usable: Vec<PublicKey> = keys.iter().filter_map(key).collect();
    if usable.is_empty() { Err("it has no RSA or P-256 key for signatures".into()) } else { Ok(usable) }
}

fn key(jwk: &Value) -> Option<PublicKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
    if text("use").is_some_and(|of| of != "sig") {
        return None;
    }
    let algorithm = text("alg");
    let material = match text("kty")? {
        "RSA" if algorithm.is_none_or(|alg| alg == "RS256") => Material::Rsa { n: bytes("n")?, e: bytes("e")? },
        "EC" if text("crv") == Some("P-256") && algorithm.is_none_or(|alg| alg == "ES256") => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            Material::Ec([vec![4], x, y].concat())
        }
        _ => return None,
    };
    Some(PublicKey { id: text("kid").map(str::to_owned), material })
}

impl PublicKey {
    /// Whether it makes signatures of this kind. The key decides, so that a token cannot choose a weaker check.
    pub fn is_for(&self, algorithm: Algorithm) -> bool {
        match self.material {
            Material::Rsa { .. } => algorithm == Algorithm::Rs256,
            Material::Ec(_) => algorithm == Algorithm::Es256,
        }
    }

    /// Whether the token's signature is this key's.
    pub fn verifies(&self, token: &Token<'_>) -> bool {
        let (signed, signature) = (token.signed, token.signature.as_slice());
        let verified = match &self.material {
            Material::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
            Material::Ec(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature),
        };
        self.is_for(token.algorithm) && verified.is_ok()
    }
}
