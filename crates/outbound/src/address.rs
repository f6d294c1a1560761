//! What an address is, and what a name promises about its addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[cfg(test)]
mod tests;

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anywhere in the world.
    Public,
    /// The own network: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// This machine.
    Loopback,
    /// The own link, where clouds answer with the machine's credentials, and their few addresses elsewhere.
    Metadata,
    /// Nobody: unspecified, multicast, reserved.
    Nobody,
}

impl Reach {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Private => "a private address",
            Self::Loopback => "this machine",
            Self::Metadata => "a link-local or metadata address",
            Self::Nobody => "an address that is nobody's",
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match address.octets() {
        // Azure's wire server, Alibaba's and Oracle's metadata.
        [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => Reach::Metadata,
        _ if address.is_loopback() => Reach::Loopback,
        _ if address.is_link_local() => Reach::Metadata,
        _ if address.is_private() || (a == 100 && (64..128).contains(&b)) => Reach::Private,
        // 0/8, multicast, 240/4 with broadcast, and the ranges for documentation and benchmarks.
        _ if a == 0 || a >= 224 || address.is_documentation() => Reach::Nobody,
        _ if (a, b, c) == (192, 0, 0) || (a == 198 && (b & 0xfe) == 18) => Reach::Nobody,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    // An IPv4 address in another coat is that address: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
    let s = address.segments();
    let v4 = |high: u16, low: u16| of_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match s {
        _ if address.is_loopback() => Reach::Loopback,
        _ if address.is_unspecified() || address.is_multicast() => Reach::Nobody,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // AWS.
        [0xfd00, 0x0ec2, ..] => Reach::Metadata,
        [first, ..] if first & 0xfe00 == 0xfc00 => Reach::Private,
        // Link-local, and the site-local ones that nobody should use any more.
        [first, ..] if first & 0xff80 == 0xfe80 => Reach::Metadata,
        // 2000::/3 is what is given out (RFC 4291), without Teredo and documentation.
        [0x2001, 0 | 0xdb8, ..] => Reach::Nobody,
        [first, ..] if first & 0xe000 == 0x2000 => Reach::Public,
        _ => Reach::Nobody,
    }
}

/// Names that the public DNS does not give out: single labels, as containers and clusters have, and the domains kept
/// for private use (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, and those it will not delegate).
pub(crate) fn is_private_name(name: &str) -> bool {
    const KEPT: [&str; 10] =
        ["internal", "local", "lan", "home.arpa", "home", "corp", "test", "svc", "intranet", "private"];
    !name.contains('.') || KEPT.iter().any(|kept| name.strip_suffix(kept).is_some_and(|rest| rest.ends_with('.')))
}

/// This machine, by its name (RFC 6761).
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}
