//! Finding the credentials in a head.

use super::head::Head;
use super::window;
use crate::AccessError;
use outcrop_wire::sigv4::{ALGORITHM, Authorization, Place, Presigned};
use std::borrow::Cow;

/// What a head offers.
#[derive(Debug)]
pub(super) enum Given<'a> {
    /// `Authorization: Bearer …`.
    Bearer(&'a str),
    /// A signature in header or query.
    Signed(Box<Signed<'a>>),
}

/// A signature and all that it stands on, from wherever it was.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub authorization: Authorization<'a>,
    /// `YYYYMMDDTHHMMSSZ`.
    pub timestamp: Cow<'a, str>,
    /// The life of a presigned URL in seconds.
    pub expires: Option<u32>,
    pub session_token: Option<Cow<'a, str>>,
    pub place: Place,
}

/// The credentials of a head. A header wins over the query, whose parameters are then like any other.
pub(super) fn given<'a>(head: &Head<'a>) -> Result<Given<'a>, AccessError> {
    if !head.headers.contains_key("authorization") {
        let Some(presigned) = Presigned::parse(head.query)? else { return Err(AccessError::Missing) };
        if head.query.split('&').any(|pair| pair == "Action=CallWithBearerToken") {
            return Err(AccessError::Malformed("an API key is sent as a bearer token, not as a presigned request"));
        }
        return Ok(Given::Signed(Box::new(Signed {
            authorization: presigned.authorization,
            timestamp: presigned.date,
            expires: Some(presigned.expires),
            session_token: presigned.security_token,
            place: Place::Query,
        })));
    }
    let header = head
        .header("authorization")
        .ok_or(AccessError::Malformed("there must be one Authorization header, in ASCII"))?
        .trim();
    let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
    if scheme.eq_ignore_ascii_case("Bearer") {
        let token = rest.trim();
        return if token.is_empty() { Err(AccessError::Missing) } else { Ok(Given::Bearer(token)) };
    }
    if scheme != ALGORITHM {
        return Err(match scheme {
            "" => AccessError::Missing,
            _ => AccessError::Malformed("the Authorization header is neither AWS4-HMAC-SHA256 nor Bearer"),
        });
    }
    let authorization = Authorization::parse(header)?;
    let timestamp = match head.header("x-amz-date") {
        Some(date) => Cow::Borrowed(date.trim()),
        // Clients that cannot set it may sign `Date` instead.
        None => head
            .header("date")
            .and_then(window::from_http_date)
            .ok_or(AccessError::Malformed("there is no X-Amz-Date header and no Date header"))?
            .into(),
    };
    Ok(Given::Signed(Box::new(Signed {
        authorization,
        timestamp,
        expires: None,
        session_token: head.header("x-amz-security-token").map(Cow::Borrowed),
        place: Place::Header,
    })))
}
