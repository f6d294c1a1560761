//! What a client claims, read without judging it.

use super::canonical::{decode_component, pairs};
use super::{ALGORITHM, TERMINATOR};
use std::borrow::Cow;
use std::fmt;

/// Why credentials are not in the form of Signature Version 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Another algorithm, or none.
    #[error("the algorithm is not AWS4-HMAC-SHA256")]
    Algorithm,
    /// A part is absent.
    #[error("'{0}' is missing")]
    Missing(&'static str),
    /// A part comes twice, so that two readers could disagree.
    #[error("'{0}' is given more than once")]
    Repeated(&'static str),
    /// Not `key/date/region/service/aws4_request`.
    #[error("the credential is not of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request")]
    Credential,
    /// A header's name is empty or not in lower case.
    #[error("the signed headers are not lower-case names joined by ';'")]
    SignedHeaders,
    /// Not 64 hexadecimal digits.
    #[error("the signature is not 64 hexadecimal digits")]
    Signature,
    /// Not a number of seconds between 1 and 604,800, the longest AWS admits.
    #[error("X-Amz-Expires is not a number of seconds between 1 and 604800")]
    Expires,
}

/// The scope that a signing key is derived for; displays as `date/region/service/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Eight digits.
    pub date: &'a str,
    /// The Region that the client meant.
    pub region: &'a str,
    /// The signing name: `bedrock` for all four Bedrock services.
    pub service: &'a str,
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

/// The claim of a signed request: borrowed from a header, decoded from a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization<'a> {
    credential: Cow<'a, str>,
    signed_headers: Cow<'a, str>,
    signature: Cow<'a, str>,
}

impl<'a> Authorization<'a> {
    /// The parts of an `Authorization` header. Clients separate them by a comma with or without a space.
    pub fn parse(header: &'a str) -> Result<Self, ParseError> {
        let rest = header.trim().strip_prefix(ALGORITHM).ok_or(ParseError::Algorithm)?;
        if !rest.starts_with([' ', '\t']) {
            return Err(ParseError::Algorithm);
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let Some((name, value)) = part.trim().split_once('=') else { continue };
            let (slot, name) = match name {
                "Credential" => (&mut credential, "Credential"),
                "SignedHeaders" => (&mut signed_headers, "SignedHeaders"),
                "Signature" => (&mut signature, "Signature"),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(ParseError::Repeated(name));
            }
        }
        Self::new(
            credential.ok_or(ParseError::Missing("Credential"))?.into(),
            signed_headers.ok_or(ParseError::Missing("SignedHeaders"))?.into(),
            signature.ok_or(ParseError::Missing("Signature"))?.into(),
        )
    }

    fn new(
        credential: Cow<'a, str>,
        signed_headers: Cow<'a, str>,
        signature: Cow<'a, str>,
    ) -> Result<Self, ParseError> {
        let (key, scope) = split_credential(&credential).ok_or(ParseError::Credential)?;
        let dated = scope.date.len() == 8 && scope.date.bytes().all(|b| b.is_ascii_digit());
        if key.is_empty() || !dated || scope.region.is_empty() || scope.service.is_empty() {
            return Err(ParseError::Credential);
        }
        if signed_headers.split(';').any(|name| name.is_empty() || name.bytes().any(|b| b.is_ascii_uppercase())) {
            return Err(ParseError::SignedHeaders);
        }
        if signature.len() != 64 || !signature.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ParseError::Signature);
        }
        Ok(Self { credential, signed_headers, signature })
    }

    /// Whose secret is said to have signed.
    pub fn access_key_id(&self) -> &str {
        self.parts().0
    }

    /// What the signing key is said to be derived for.
    pub fn scope(&self) -> Scope<'_> {
        self.parts().1
    }

    /// The names of the signed headers as sent, joined by `;`.
    pub fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    /// 64 hexadecimal digits.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    fn parts(&self) -> (&str, Scope<'_>) {
        // `new` has checked that it splits.
        split_credential(&self.credential).unwrap_or(("", Scope { date: "", region: "", service: "" }))
    }
}

fn split_credential(credential: &str) -> Option<(&str, Scope<'_>)> {
    // From the right: only the key may hold a slash.
    let mut parts = credential.rsplitn(5, '/');
    if parts.next()? != TERMINATOR {
        return None;
    }
    let (service, region, date) = (parts.next()?, parts.next()?, parts.next()?);
    Some((parts.next()?, Scope { date, region, service }))
}

/// The claim of a presigned URL, all of it in the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned<'a> {
    /// Key, scope, headers and signature.
    pub authorization: Authorization<'a>,
    /// `X-Amz-Date` as sent.
    pub date: Cow<'a, str>,
    /// For how many seconds from then the URL is good.
    pub expires: u32,
    /// `X-Amz-Security-Token`, for keys of a session.
    pub security_token: Option<Cow<'a, str>>,
}

impl<'a> Presigned<'a> {
    /// The claim in this raw query, or `None` if it makes none.
    pub fn parse(query: &'a str) -> Result<Option<Self>, ParseError> {
        const NAMES: [&str; 7] = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-SignedHeaders",
            "X-Amz-Signature",
            "X-Amz-Security-Token",
        ];
        let mut values: [Option<Cow<'a, str>>; 7] = Default::default();
        for (name, value) in pairs(query) {
            let Some(at) = NAMES.iter().position(|known| *known == name) else { continue };
            if values[at].replace(decode_component(value)).is_some() {
                return Err(ParseError::Repeated(NAMES[at]));
            }
        }
        let [algorithm, credential, date, expires, signed_headers, signature, security_token] = values;
        if algorithm.is_none() && signature.is_none() {
            return Ok(None);
        }
        if algorithm.as_deref() != Some(ALGORITHM) {
            return Err(ParseError::Algorithm);
        }
        let authorization = Authorization::new(
            credential.ok_or(ParseError::Missing("X-Amz-Credential"))?,
            signed_headers.ok_or(ParseError::Missing("X-Amz-SignedHeaders"))?,
            signature.ok_or(ParseError::Missing("X-Amz-Signature"))?,
        )?;
        let date = date.ok_or(ParseError::Missing("X-Amz-Date"))?;
        let expires = expires.ok_or(ParseError::Missing("X-Amz-Expires"))?;
        let expires = expires.parse().ok().filter(|s| (1..=604_800).contains(s)).ok_or(ParseError::Expires)?;
        Ok(Some(Self { authorization, date, expires, security_token }))
    }
}
