//! Amazon Resource Names: `arn:partition:service:region:account:resource`, borrowed from the text.

use std::fmt;

#[cfg(test)]
mod tests;

/// The parts of an ARN. `region` and `account` are empty where the resource has none, as in
/// `arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-lite-v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: &'a str,
    /// The service's name in ARNs: `bedrock` for all four Bedrock services.
    pub service: &'a str,
    /// The Region, or empty.
    pub region: &'a str,
    /// The account's 12 digits, `aws`, or empty.
    pub account: &'a str,
    /// All the rest; may hold `:` and `/`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// The parts of `text`, or `None` if it is not an ARN. What a part may hold beyond that is the business of
    /// the operation's own pattern.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        let named = !arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty();
        named.then_some(arn)
    }

    /// The resource's type and id, split at the first `/` or `:`: `("agent-alias", "AGENT12345/ALIAS12345")`.
    /// A resource without either has no type.
    pub fn resource_parts(&self) -> (&'a str, &'a str) {
        match self.resource.split_once(['/', ':']) {
            Some(parts) => parts,
            None => ("", self.resource),
        }
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}
