//! Addresses and networks of `IpAddress` conditions.

use ipnet::IpNet;
use std::net::IpAddr;

/// `203.0.113.0/24`, or an address alone. What is IPv4 in IPv6's clothes is IPv4.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| address(text).map(IpNet::from))
}

pub(super) fn contains(net: &IpNet, text: &str) -> bool {
    address(text).is_some_and(|address| net.contains(&address))
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}
