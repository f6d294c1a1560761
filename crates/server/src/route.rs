//! From method and path to one of the 240 operations.
//!
//! One table for all four services. The raw path is split at `/` first and decoded after, never the other way round:
//! an ARN travels as one segment with `%2F` in it. `//` is never merged: an empty label is a match whose value the
//! operation's own constraints refuse. Where two operations could answer, `collision::tell_apart` holds
//! the rules of all five collisions.
//!
//! Never: signatures, bodies (whether there is one is all that counts), decoding. Start at [`Table::find`].

use std::sync::LazyLock;

use outcrop_api::{Service, Spec, operations};

mod collision;
mod miss;
#[cfg(test)]
mod tests;
mod tree;

pub use miss::Miss;

use collision::Candidate;
use tree::Tree;

/// Deeper paths match nothing but the greedy label. The deepest template has 7 segments.
const DEEPEST: usize = 16;

/// What a request shows of its operation.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path as received, not decoded, without the query.
    pub path: &'a str,
    /// `Host` or `:authority`.
    pub host: Option<&'a str>,
    /// Whether a body comes with it, by Content-Length or by its first frame.
    pub has_body: bool,
}

/// The operation that answers.
#[derive(Debug, Clone, Copy)]
pub struct Match<'p> {
    /// The operation.
    pub spec: &'static Spec,
    /// The service that the path's first segment names, if it does.
    pub pinned: Option<Service>,
    /// The path without leading `/` and pin.
    path: &'p str,
    /// The label of the `/model/{modelId}/verb` operations where it holds a raw `/`.
    greedy: Option<&'p str>,
}

impl<'p> Match<'p> {
    /// The labels by the names of the template, raw: decoding is up to the caller.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, &'p str)> + use<'p> {
        let template = self.spec.uri.split('/').skip(1);
        let by_segment = self.greedy.is_none().then(|| template.clone().zip(self.path.split('/')));
        let by_rest = template.filter_map(label).zip(self.greedy);
        by_rest.chain(by_segment.into_iter().flatten().filter_map(|(name, value)| Some((label(name)?, value))))
    }
}

/// The name in `{name}`.
fn label(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// All operations by path.
#[derive(Debug)]
pub struct Table {
    specs: Vec<&'static Spec>,
    tree: Tree,
}

impl Table {
    /// The table of the four services.
    pub fn of_bedrock() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(operations()));
        &TABLE
    }

    fn new(specs: impl Iterator<Item = &'static Spec>) -> Self {
        let specs: Vec<_> = specs.collect();
        let mut tree = Tree::default();
        for (index, spec) in specs.iter().enumerate() {
            tree.insert(spec.uri, index);
        }
        Self { specs, tree }
    }

    /// The operation for `asked`. The [`Miss`] says what to tell the caller.
    pub fn find<'p>(&self, asked: Asked<'p>) -> Result<Match<'p>, Miss> {
        let Some(path) = asked.path.strip_prefix('/') else { return Err(self.miss(asked, None)) };
        let (pinned, path) = pin(path);
        let Some(mut found) = self.candidates(path, |spec| spec.method == asked.method) else {
            return self.find_greedy(path, pinned, asked);
        };
        if let Some(service) = pinned {
            found.retain(|candidate| candidate.spec.service == service);
        }
        match collision::choose(found, path, &asked) {
            Some(spec) => Ok(Match { spec, pinned, path, greedy: None }),
            None => self.find_greedy(path, pinned, asked),
        }
    }

    /// A modelId may be an ARN with plain slashes, as the user guide writes it. That is unambiguous for these
    /// operations alone: the verb is the last segment and always a literal.
    fn find_greedy<'p>(&self, path: &'p str, pinned: Option<Service>, asked: Asked<'p>) -> Result<Match<'p>, Miss> {
        let whole = path.strip_suffix('/').unwrap_or(path);
        let Some((id, verb)) = whole.strip_prefix("model/").and_then(|rest| rest.rsplit_once('/')) else {
            return Err(self.miss(asked, pinned));
        };
        let answers = |spec: &&Spec| {
            spec.method == asked.method
                && spec.uri.strip_prefix("/model/{modelId}/") == Some(verb)
                && pinned.is_none_or(|service| service == spec.service)
        };
        match self.specs.iter().copied().find(|spec| answers(spec)) {
            Some(spec) if id.contains('/') => Ok(Match { spec, pinned, path, greedy: Some(id) }),
            _ => Err(self.miss(asked, pinned)),
        }
    }

    /// The operations whose template fits `path`. `None` if it is deeper than any could be.
    fn candidates(&self, path: &str, wanted: impl Fn(&Spec) -> bool) -> Option<Found> {
        let mut segments = [""; DEEPEST];
        let mut count = 0;
        for segment in path.split('/') {
            *segments.get_mut(count)? = segment;
            count += 1;
        }
        let mut found = Found::default();
        let mut read = |segments: &[&str], slash: bool, empty_last: bool| {
            self.tree.walk(segments, &mut |index, template_slash| {
                let rank = match (template_slash == slash, empty_last) {
                    (true, false) => Rank::Exact,
                    (true, true) => Rank::EmptyLast,
                    (false, false) => Rank::Tolerant,
                    (false, true) => return,
                };
                if let Some(&spec) = self.specs.get(index).filter(|spec| wanted(spec)) {
                    found.add(Candidate { spec, rank });
                }
            });
        };
        match segments.get(..count)? {
            all @ [start @ .., ""] => {
                read(start, true, false);
                read(all, false, true);
            }
            all => read(all, false, false),
        }
        Some(found)
    }
}

/// How well a template's end fits. `/guardrails/` is not ListGuardrails (`/guardrails`) but GetGuardrail with an empty
/// identifier, as boto3 sends it: only where no template fits to the letter is a slash forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// To the letter.
    Exact,
    /// To the letter, with an empty last label.
    EmptyLast,
    /// But for the slash at the end.
    Tolerant,
}

/// The candidates, on the stack: the common match allocates nothing.
#[derive(Default)]
pub(super) struct Found {
    list: [Option<Candidate>; 8],
    count: usize,
}

impl Found {
    fn add(&mut self, candidate: Candidate) {
        if let Some(place) = self.list.get_mut(self.count) {
            *place = Some(candidate);
            self.count += 1;
        }
    }

    fn retain(&mut self, keep: impl Fn(&Candidate) -> bool) {
        for place in &mut self.list {
            *place = place.take_if(|candidate| keep(candidate));
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.list.iter().flatten()
    }
}

/// The service that the first segment names, and the rest.
fn pin(path: &str) -> (Option<Service>, &str) {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match Service::ALL.into_iter().find(|service| service.prefix() == first) {
        Some(service) => (Some(service), rest),
        None => (None, path),
    }
}
