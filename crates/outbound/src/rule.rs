//! One entry of the allow list.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::OutboundError;

#[cfg(test)]
mod tests;

/// Where one may go: `api.example.com`, `*.example.com`, `*`, `10.0.0.0/8`, `192.0.2.7`, each but the range with an
/// optional `:port`, and with `http://` before it where plain HTTP is fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    pub(crate) hosts: Hosts,
    pub(crate) port: Option<u16>,
    /// Unencrypted, too.
    pub(crate) plain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hosts {
    Any,
    One(String),
    Below(String),
    Range(IpNet),
}

impl HostRule {
    /// Whether it names this host. Ranges name addresses only.
    pub(crate) fn names(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
            && match &self.hosts {
                Hosts::Any => true,
                Hosts::One(one) => one == host,
                Hosts::Below(domain) => host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.')),
                Hosts::Range(_) => false,
            }
    }

    /// Whether it is a range that holds the address.
    pub(crate) fn holds(&self, address: IpAddr, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
            && matches!(&self.hosts, Hosts::Range(range) if range.contains(&address))
    }
}

impl FromStr for HostRule {
    type Err = OutboundError;

    fn from_str(text: &str) -> Result<Self, OutboundError> {
        let (plain, rest) = match text.strip_prefix("http://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("https://").unwrap_or(text)),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        parse(&rest).map(|(hosts, port)| Self { hosts, port, plain }).ok_or_else(|| {
            // A URL with a password may stand there by mistake.
            let shown = if text.contains('@') { "<hidden>" } else { text };
            OutboundError::Settings(format!(
                "`{shown}` names no hosts: expected api.example.com, *.example.com, host:8443, 10.0.0.0/8 or *"
            ))
        })
    }
}

fn parse(text: &str) -> Option<(Hosts, Option<u16>)> {
    if let Ok(range) = text.parse::<IpNet>() {
        return Some((Hosts::Range(range), None));
    }
    if let Some(range) = address(text) {
        return Some((range, None));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
        None => (text, None),
    };
    let hosts = match host.strip_prefix('*') {
        Some("") => Hosts::Any,
        Some(domain) => Hosts::Below(name(domain.strip_prefix('.')?)?),
        None => match address(host) {
            Some(range) => range,
            None => Hosts::One(name(host)?),
        },
    };
    Some((hosts, port))
}

fn address(text: &str) -> Option<Hosts> {
    text.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(|address| Hosts::Range(IpNet::from(address)))
}

fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    (text.len() <= 253 && text.split('.').all(label) && address(text).is_none()).then(|| text.to_owned())
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.plain {
            f.write_str("http://")?;
        }
        match &self.hosts {
            Hosts::Any => f.write_str("*")?,
            Hosts::One(host) => f.write_str(host)?,
            Hosts::Below(domain) => write!(f, "*.{domain}")?,
            Hosts::Range(range) if self.port.is_some() && range.addr().is_ipv6() => write!(f, "[{}]", range.addr())?,
            Hosts::Range(range) if self.port.is_some() => write!(f, "{}", range.addr())?,
            Hosts::Range(range) => write!(f, "{range}")?,
        }
        self.port.iter().try_for_each(|port| write!(f, ":{port}"))
    }
}
