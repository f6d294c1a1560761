//! AWS's own managed policies, by name.
//!
//! Source: the AWS managed policy reference, as of the versions named; statements about services that this server does
//! not speak for (EC2, SageMaker, Marketplace) are left out, since nothing here ever asks for their actions.

/// Name and document of each.
const MANAGED: [(&str, &str); 5] = [
    ("AdministratorAccess", include_str!("managed/AdministratorAccess.json")),
    // v10, 2026-02-12.
    ("AmazonBedrockFullAccess", include_str!("managed/AmazonBedrockFullAccess.json")),
    // v7, 2026-03-23. What IAM's console gives the user of a long-term API key.
    ("AmazonBedrockLimitedAccess", include_str!("managed/AmazonBedrockLimitedAccess.json")),
    // v4, 2026-04-09.
    ("AmazonBedrockMantleFullAccess", include_str!("managed/AmazonBedrockMantleFullAccess.json")),
    // v7, 2026-02-12.
    ("AmazonBedrockReadOnly", include_str!("managed/AmazonBedrockReadOnly.json")),
];

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MANAGED.iter().map(|(name, _)| *name)
}

/// The document of a name.
pub(super) fn document(name: &str) -> Option<&'static str> {
    MANAGED.iter().find(|(known, _)| *known == name).map(|(_, document)| *document)
}
