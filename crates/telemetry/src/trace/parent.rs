//! W3C Trace Context: the caller's `traceparent` and `tracestate`.

/// The most of a `tracestate` that is carried on; the recommendation asks for at least 512.
const STATE: usize = 512;

/// The caller's span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    pub(super) sampled: bool,
    pub(super) state: Option<String>,
}

impl Parent {
    /// The span that the two headers name. What is malformed is as if it were not there: a trace begins here then.
    pub fn read(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let mut parts = traceparent.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version] = hex(version)?;
        // Later versions may say more behind these four; this one may not.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, span, [flags]) = (hex::<16>(trace)?, hex::<8>(span)?, hex(flags)?);
        if trace == [0; 16] || span == [0; 8] {
            return None;
        }
        let state = tracestate.map(str::trim).filter(|state| !state.is_empty() && state.len() <= STATE);
        let state = state.filter(|state| state.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        Some(Self { trace, span, sampled: flags & 1 == 1, state: state.map(str::to_owned) })
    }
}

/// Lower-case digits only, as the recommendation has it.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

pub(super) fn written(trace: &[u8; 16], span: &[u8; 8], sampled: bool) -> String {
    let (trace, span) = (u128::from_be_bytes(*trace), u64::from_be_bytes(*span));
    format!("00-{trace:032x}-{span:016x}-0{}", u8::from(sampled))
}

pub(super) fn trace_id() -> [u8; 16] {
    fastrand::u128(1..).to_be_bytes()
}

pub(super) fn span_id() -> [u8; 8] {
    fastrand::u64(1..).to_be_bytes()
}
