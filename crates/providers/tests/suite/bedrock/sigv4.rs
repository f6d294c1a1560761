//! Who asks, proven as AWS does it, by the AWS SDK's own signer.

use std::sync::Once;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::fake::Seen;
use crate::speaks::KEY;

pub const REGION: &str = "eu-west-3";
const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLETOKEN==";

/// Puts the operator's credentials where the SDK's chain looks first.
pub fn in_environment() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (name, value) in
            [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", KEY), ("AWS_SESSION_TOKEN", TOKEN)]
        {
            // SAFETY: everything in this binary that reads the environment does so through the standard library, whose
            // lock this takes; no resolver or other C code reads it, for all addresses are numbers.
            unsafe { std::env::set_var(name, value) };
        }
    });
}

/// Whether the request carries the signature that the SDK gives it, over the headers that it says it signed.
pub fn proven(seen: &Seen) -> bool {
    let text = |name: &str| seen.headers[name].to_str().unwrap();
    let authorization = text("authorization");
    let part = |name: &str| authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name)).unwrap();
    let credential = part("Credential=");
    let date = text("x-amz-date");
    assert_eq!(credential, format!("{ACCESS_KEY}/{}/{REGION}/bedrock/aws4_request", &date[..8]));
    assert_eq!(text("x-amz-security-token"), TOKEN);
    let signed: Vec<&str> = part("SignedHeaders=").split(';').collect();
    assert!(["content-type", "host", "x-amz-date", "x-amz-security-token"].iter().all(|must| signed.contains(must)));

    let identity = Credentials::new(ACCESS_KEY, KEY, Some(TOKEN.to_owned()), None, "test").into();
    let time: jiff::Timestamp = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp();
    let now = jiff::Timestamp::now();
    assert!((now.as_second() - time.as_second()).abs() < 300, "{date} is not now");
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("bedrock")
        .time(SystemTime::from(time))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let url = format!("http://{}{}", text("host"), seen.path);
    // The signer adds these two itself.
    let given = signed.iter().filter(|name| !["x-amz-date", "x-amz-security-token"].contains(name));
    let headers = given.map(|name| (*name, text(name)));
    let request = SignableRequest::new(seen.method.as_str(), url, headers, SignableBody::Bytes(&seen.body)).unwrap();
    sign(request, &params).unwrap().signature() == part("Signature=")
}
