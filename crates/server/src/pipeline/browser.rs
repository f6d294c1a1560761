//! Keeps web pages away from `outcrop dev`.
//!
//! `dev` believes any credentials, and a request that carries them in its query needs no header that a browser would ask
//! about first. So a page that somebody on this machine happens to visit could call it: directly, or by a name of its own
//! that it lets point here (DNS rebinding). Programs send no `Origin`, and name this machine as `Host`.

use std::net::IpAddr;

use http::request;

#[cfg(test)]
mod tests;

/// Whom a request seems to come from or go to, where that is not a program that talks to this machine.
pub fn stranger(parts: &request::Parts) -> Option<String> {
    let header = |name: &str| parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(origin) = header("origin").filter(|origin| !host_of_origin(origin).is_some_and(is_here)) {
        return Some(format!("the web page {origin}"));
    }
    if header("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Some("a web page of another site".into());
    }
    let host = header("host").or_else(|| parts.uri.authority().map(|authority| authority.as_str().into()))?;
    let name = without_port(&host);
    (!is_here(name) && !is_aws(name)).then(|| format!("the host name {name}"))
}

fn host_of_origin(origin: &str) -> Option<&str> {
    let (_, rest) = origin.split_once("://")?;
    Some(without_port(rest))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_here(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Names that nobody but AWS can let point anywhere; whoever sends them here has arranged it on this machine.
fn is_aws(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|end| name.ends_with(end))
}
