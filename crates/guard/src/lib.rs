//! Guardrails' engine: a [`Policy`] and a text in, an [`Assessment`] out.
//!
//! Never: storage, clock, network, a model server; what turns text into vectors is given ([`Encoder`]). A [`Guard`] is
//! immutable and serves many threads; nothing in it waits.
//!
//! Start at [`Guard::assess`] in `assess.rs`: every policy looks at every passage, then the strictest of what they found
//! decides. One detector a module: [`words`], [`sensitive`] (PII and regular expressions), [`content`] (the six
//! filters), [`topics`], [`grounding`]. [`Scan`] is one text with its windows and their encodings, made once for all
//! detectors that need them; [`stream`] is the same over text that is still arriving.

mod assess;
mod assessment;
pub mod content;
mod encoder;
mod error;
pub mod examples;
pub mod explain;
pub mod grounding;
mod how;
mod policy;
mod scan;
pub mod sensitive;
pub mod stream;
pub mod topics;
mod verdict;
pub mod words;

pub use assess::{Guard, Mask, mask};
pub use assessment::{
    Acted, Assessment, Coverage, FilterFinding, GroundingFinding, JudgeFinding, Passage, PiiFinding, RegexFinding,
    Role, TopicFinding, UNIT, Units, UnmeasuredFinding, WordFinding,
};
pub use encoder::{EncodeError, Encoded, Encoder};
pub use error::{Failed, Refused};
pub use how::{Depth, How, Unmeasured};
pub use policy::{Does, Filter, GroundingRule, PiiRule, Policy, RegexRule, Side, Sides, Strength, Topic, Word};
pub use scan::{Scan, Window, windows};
pub use verdict::Verdict;
