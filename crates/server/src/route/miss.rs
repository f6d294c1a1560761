//! What to say when no operation answers.

use outcrop_api::{Service, Spec};

use super::{Asked, Table, label, pin};

/// No operation answers. Nothing of it repeats the request's own text.
#[derive(Debug, Clone)]
pub struct Miss {
    /// The methods that this path has, over all services. Not empty: the method is what is wrong, a 405.
    pub allowed: Vec<&'static str>,
    /// The operation that was probably meant.
    pub nearest: Option<&'static Spec>,
    /// An ARN seems to have lost its `%2F`.
    pub decoded_arn: bool,
    /// The service that the path's first segment names, if it does.
    pub pinned: Option<Service>,
}

impl Miss {
    /// 404, or 405 where the path exists for another method.
    pub fn status(&self) -> u16 {
        if self.allowed.is_empty() { 404 } else { 405 }
    }

    /// What the caller reads.
    pub fn message(&self) -> String {
        let mut message = match self.allowed.as_slice() {
            [] => String::from("No operation has this method and path."),
            methods => format!("This path takes {}.", methods.join(", ")),
        };
        if let Some(near) = self.nearest {
            message.push_str(&format!(" The nearest is {} {} ({}).", near.method, near.uri, near.name));
            if let Some(pinned) = self.pinned.filter(|service| *service != near.service) {
                let (own, asked) = (near.service.prefix(), pinned.prefix());
                message.push_str(&format!(" It belongs to {own}, and the path's first segment asks {asked}."));
            }
        }
        if self.decoded_arn {
            message.push_str(
                " An ARN in a path must be one segment, with %2F for its slashes. \
                 If the client sent it so, a proxy in front decoded %2F.",
            );
        }
        message
    }
}

impl Table {
    pub(super) fn miss(&self, asked: Asked<'_>, pinned: Option<Service>) -> Miss {
        let (_, path) = pin(asked.path.strip_prefix('/').unwrap_or_default());
        let mut allowed: Vec<_> = match self.candidates(path, |spec| pinned.is_none_or(|only| only == spec.service)) {
            Some(found) => found.iter().map(|candidate| candidate.spec.method).collect(),
            None => Vec::new(),
        };
        allowed.sort_unstable();
        allowed.dedup();
        Miss { nearest: self.nearest(asked.method, path), decoded_arn: has_decoded_arn(path), allowed, pinned }
    }

    fn nearest(&self, method: &str, path: &str) -> Option<&'static Spec> {
        let asked: Vec<&str> = path.trim_end_matches('/').split('/').take(10).collect();
        let distance = |spec: &Spec| Some(distance(&asked, spec.uri)? + usize::from(spec.method != method));
        let near = self.specs.iter().filter_map(|spec| Some((distance(spec)?, *spec)));
        near.min_by_key(|(distance, _)| *distance).map(|(_, spec)| spec)
    }
}

/// How far `asked` is from `template`; `None` if nothing suggests that it was meant.
fn distance(asked: &[&str], template: &str) -> Option<usize> {
    let template: Vec<&str> = template.trim_matches('/').split('/').collect();
    let mut sum = 3 * template.len().abs_diff(asked.len());
    let mut alike = false;
    for (asked, template) in asked.iter().zip(&template) {
        if label(template).is_some() {
            // Any value would do. One only because a literal says more.
            sum += 1;
            continue;
        }
        let typos = match asked.len().abs_diff(template.len()) {
            0..=4 => strsim::damerau_levenshtein(&asked.to_ascii_lowercase(), &template.to_ascii_lowercase()),
            _ => usize::MAX,
        };
        if typos <= template.len() / 3 {
            alike = true;
            sum += typos + usize::from(asked != template);
        } else {
            // `invoke-model` for `invoke`.
            let begins = !asked.is_empty() && (asked.starts_with(template) || template.starts_with(asked));
            sum += if begins { 4 } else { 6 };
        }
    }
    alike.then_some(sum)
}

/// Whether a segment begins an ARN that goes on in the next.
fn has_decoded_arn(path: &str) -> bool {
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let colons = segment.matches(':').count() + segment.to_ascii_lowercase().matches("%3a").count();
        let arn = segment.starts_with("arn:") || segment.get(..6).is_some_and(|s| s.eq_ignore_ascii_case("arn%3a"));
        if arn && colons >= 5 && segments.peek().is_some_and(|next| !next.is_empty()) {
            return true;
        }
    }
    false
}
