//! The Regions in which AWS offers Bedrock, and the ARNs of their partitions.

/// The commercial Regions.
const COMMERCIAL: &[&str] = &[
    "af-south-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];
const GOV: &[&str] = &["us-gov-east-1", "us-gov-west-1"];

/// The commercial Regions, in order.
pub fn commercial() -> impl Iterator<Item = &'static str> {
    COMMERCIAL.iter().copied()
}

/// Whether AWS offers Bedrock in a Region of this name. Callers may use other names here; nothing is listed by
/// Region for those, because there is no truth to report.
pub fn known(region: &str) -> bool {
    COMMERCIAL.contains(&region) || GOV.contains(&region)
}

/// The partition of a Region's ARNs.
pub fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else {
        "aws"
    }
}

/// The ARN of a `bedrock` resource; a foundation model's has an empty account.
pub(crate) fn arn(region: &str, account: &str, resource: &str) -> String {
    format!("arn:{}:bedrock:{region}:{account}:{resource}", partition(region))
}

/// The ARN of a foundation model in a Region.
pub(crate) fn model_arn(region: &str, id: &str) -> String {
    arn(region, "", &format!("foundation-model/{id}"))
}
