//! Who is asking, when a proxy asks for them.
//!
//! Anybody can write `X-Forwarded-For`. It is believed from the peers that the configuration names, and read from
//! the right: each trusted proxy appends the address it was called from, so the rightmost address that is not a
//! trusted proxy's is the last one that somebody trustworthy has seen. What stands left of it is hearsay.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;
use ipnet::IpNet;
use outcrop_access::ClientInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Peer;

#[cfg(test)]
mod tests;

/// A peer whose word counts, as `trusted_proxies` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Every address of a network.
    Network(IpNet),
    /// Whoever may open the Unix socket.
    Unix,
}

impl FromStr for TrustedProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(|network| Self::Network(network.trunc())).map_err(|_| {
            format!("`{text}` is not a network: expected one such as 10.0.0.0/8, an address, or `unix` for the socket")
        })
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

impl<'de> Deserialize<'de> for TrustedProxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for TrustedProxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where a request came from, as far as it is known for certain.
pub fn client(peer: &Peer, headers: &HeaderMap, trusted: &[TrustedProxy]) -> ClientInfo {
    let ip = peer.address.map(|address| address.ip().to_canonical());
    let trusts = |ip: Option<IpAddr>| {
        trusted.iter().any(|proxy| match (proxy, ip) {
            (TrustedProxy::Network(network), Some(ip)) => network.contains(&ip),
            (TrustedProxy::Unix, None) => true,
            _ => false,
        })
    };
    let mut client = ClientInfo { ip, secure: peer.secure };
    if !trusts(ip) {
        return client;
    }
    for hop in from_the_right(headers, "x-forwarded-for") {
        // What is no address ends what is known: the hop before it is the last.
        let Some(hop) = address(hop) else { break };
        client.ip = Some(hop);
        if !trusts(client.ip) {
            break;
        }
    }
    match from_the_right(headers, "x-forwarded-proto").next() {
        Some(proto) if proto.eq_ignore_ascii_case("https") => client.secure = true,
        Some(_) => client.secure = false,
        None => {}
    }
    client
}

/// The items of a list header, the last first.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim)
}

/// An address, with or without a port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let ip = bare.parse().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip())).ok()?;
    Some(ip.to_canonical())
}
