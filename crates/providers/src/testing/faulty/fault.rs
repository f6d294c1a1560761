//! The ways in which a call breaks.

/// One way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset before a byte of an answer.
    Refuse,
    /// Nothing ever comes, and the connection stays open.
    Hang,
    /// The connection is reset within the body.
    Reset,
    /// 429 without `Retry-After`.
    Throttle,
    /// 429 with `Retry-After`.
    ThrottleRetryAfter,
    /// 500.
    ServerError,
    /// 200 and JSON that is none.
    Malformed,
    /// A chunk that says more bytes than come before the connection is closed in good order.
    HalfChunk,
    /// 200 and a web page.
    WrongType,
    /// 200 and a body that says nothing and never ends.
    Endless,
    /// 200 and one line of [`super::Options::line_bytes`].
    LongLine,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Refuse,
        Self::Hang,
        Self::Reset,
        Self::Throttle,
        Self::ThrottleRetryAfter,
        Self::ServerError,
        Self::Malformed,
        Self::HalfChunk,
        Self::WrongType,
        Self::Endless,
        Self::LongLine,
    ];
}
