//! The decisions: who may be called, and at which address.
//!
//! The name is judged when an endpoint is made and again before each connection; the addresses that it resolves to
//! before each connection. Behind a proxy it is the proxy who resolves, and only the name is judged.

use std::net::IpAddr;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::address::{Reach, is_localhost, is_private_name};
use crate::rule::Hosts;
use crate::{HostRule, OutboundError, Settings};

#[cfg(test)]
mod tests;

/// A place to call, by scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) secure: bool,
    /// In lower case, without brackets or a last dot.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// None where the URI names no host or another protocol.
    pub(crate) fn of(uri: &http::Uri) -> Option<Self> {
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return None,
        };
        let host = uri.host()?.trim_matches(['[', ']']).to_ascii_lowercase();
        let host = host.strip_suffix('.').map_or(host.clone(), str::to_owned);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        (!host.is_empty()).then_some(Self { secure, host, port })
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    fn is_local(&self) -> bool {
        match self.address() {
            Some(address) => Reach::of(address) == Reach::Loopback,
            None => is_localhost(&self.host),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Gate {
    offline: bool,
    allow: Vec<HostRule>,
    proxies: Arc<Matcher>,
    /// For addresses that callers name: what they may reach beside the public network. None where the operator names
    /// all addresses.
    named_by_callers: Option<Vec<HostRule>>,
}

impl Gate {
    pub(crate) fn new(settings: &Settings) -> Result<Self, OutboundError> {
        let mut proxies = Matcher::builder().no(settings.no_proxy.join(","));
        if let Some(proxy) = &settings.proxy {
            proxies = proxies.https(proxy.expose().to_owned());
        }
        if let Some(proxy) = &settings.http_proxy {
            proxies = proxies.http(proxy.expose().to_owned());
        }
        let (offline, allow) = (settings.offline, settings.allow.clone());
        Ok(Self { offline, allow, proxies: Arc::new(proxies.build()), named_by_callers: None })
    }

    /// The same for addresses that callers name: only the public network, and what `also` names.
    pub(crate) fn for_callers(&self, also: Vec<HostRule>) -> Self {
        Self { named_by_callers: Some(also), ..self.clone() }
    }

    /// Whether a name, or an address that stands for itself, may be called at all.
    pub(crate) fn judge(&self, target: &Target) -> Result<(), OutboundError> {
        if let Some(also) = &self.named_by_callers {
            return self.judge_named(target, also);
        }
        // What does not leave this machine is nobody's way out.
        if target.is_local() {
            return Ok(());
        }
        let host = || target.host.clone();
        if self.offline {
            return Err(OutboundError::Offline { host: host() });
        }
        let address = target.address();
        let ranges = self.allow.iter().any(|rule| matches!(rule.hosts, Hosts::Range(_)));
        // A name may still resolve into an allowed range.
        let later = address.is_none() && ranges;
        if !self.allow.is_empty() && !self.named(target, address) && !later {
            return Err(OutboundError::NotAllowed { host: host() });
        }
        let private = match address {
            Some(address) => Reach::of(address) != Reach::Public,
            None => is_private_name(&target.host) || later || self.meant(target),
        };
        if !target.secure && !private && !self.plain(target, address) {
            return Err(OutboundError::PlainHttp { host: host() });
        }
        Ok(())
    }

    /// Whether `address`, to which the target's name resolves, may be connected to.
    pub(crate) fn admit(&self, target: &Target, address: IpAddr) -> Result<(), OutboundError> {
        let reach = Reach::of(address);
        let host = || target.host.clone();
        if let Some(also) = &self.named_by_callers {
            let in_range = self.allow.iter().any(|rule| rule.holds(address, target.port));
            if !self.allow.is_empty() && !in_range && !self.named(target, None) {
                return Err(OutboundError::NotAllowed { host: host() });
            }
            return admit_named(target, address, also);
        }
        let rebound = |add: String| Err(OutboundError::Rebound { host: host(), address, what: reach.what(), add });
        let in_range = self.allow.iter().any(|rule| rule.holds(address, target.port));
        if !self.allow.is_empty() && !in_range && !self.named(target, None) {
            return Err(OutboundError::NotAllowed { host: host() });
        }
        match reach {
            Reach::Public if target.secure || self.plain(target, Some(address)) => Ok(()),
            Reach::Public => Err(OutboundError::PlainHttp { host: host() }),
            _ if in_range => Ok(()),
            Reach::Private | Reach::Loopback if is_private_name(&target.host) || self.meant(target) => Ok(()),
            Reach::Private | Reach::Loopback => rebound(format!("\"{}\"", target.host)),
            Reach::Metadata | Reach::Nobody => rebound(format!("\"{address}\"")),
        }
    }

    /// What [`Self::judge`] says of an address that a caller names. Plain HTTP is no matter: nothing secret goes along.
    fn judge_named(&self, target: &Target, also: &[HostRule]) -> Result<(), OutboundError> {
        let host = || target.host.clone();
        let address = target.address();
        let local = target.is_local();
        if !local && self.offline {
            return Err(OutboundError::Offline { host: host() });
        }
        let ranges = self.allow.iter().any(|rule| matches!(rule.hosts, Hosts::Range(_)));
        let named = self.allow.is_empty() || self.named(target, address) || (address.is_none() && ranges);
        if !local && !named {
            return Err(OutboundError::NotAllowed { host: host() });
        }
        let meant = also.iter().any(|rule| rule.names(&target.host, target.port));
        match address {
            Some(address) => admit_named(target, address, also),
            None if local && !meant => Err(not_public(target, Reach::Loopback)),
            // A proxy resolves names, and asks nobody here where they lead.
            None if is_private_name(&target.host) && !meant && self.proxied(target) => {
                Err(not_public(target, Reach::Private))
            }
            None => Ok(()),
        }
    }

    fn proxied(&self, target: &Target) -> bool {
        let scheme = if target.secure { "https" } else { "http" };
        let uri = format!("{scheme}://{}:{}/", target.host, target.port).parse();
        uri.is_ok_and(|uri| self.proxy(target, &uri).is_some())
    }

    /// The proxy on the way to `uri`, if one is. Never for this machine and its own link, where a proxy would find
    /// other machines, and other credentials, than are meant.
    pub(crate) fn proxy(&self, target: &Target, uri: &http::Uri) -> Option<Intercept> {
        let own_link = target.address().is_some_and(|address| Reach::of(address) == Reach::Metadata);
        if target.is_local() || own_link { None } else { self.proxies.intercept(uri) }
    }

    /// By a rule of any kind.
    fn named(&self, target: &Target, address: Option<IpAddr>) -> bool {
        let holds = |rule: &HostRule| address.is_some_and(|address| rule.holds(address, target.port));
        self.allow.iter().any(|rule| rule.names(&target.host, target.port) || holds(rule))
    }

    /// By a rule for this one host: it may be private.
    fn meant(&self, target: &Target) -> bool {
        let one = |rule: &&HostRule| matches!(rule.hosts, Hosts::One(_));
        self.allow.iter().filter(one).any(|rule| rule.names(&target.host, target.port))
    }

    /// By a rule that takes plain HTTP.
    fn plain(&self, target: &Target, address: Option<IpAddr>) -> bool {
        let holds = |rule: &HostRule| address.is_some_and(|address| rule.holds(address, target.port));
        self.allow.iter().any(|rule| rule.plain && (rule.names(&target.host, target.port) || holds(rule)))
    }
}

/// Whether a caller's address may be this one.
fn admit_named(target: &Target, address: IpAddr, also: &[HostRule]) -> Result<(), OutboundError> {
    let reach = Reach::of(address);
    let in_range = also.iter().any(|rule| rule.holds(address, target.port));
    let meant = also.iter().any(|rule| rule.names(&target.host, target.port));
    match reach {
        Reach::Public => Ok(()),
        _ if in_range => Ok(()),
        Reach::Private | Reach::Loopback if meant => Ok(()),
        reach => Err(not_public(target, reach)),
    }
}

fn not_public(target: &Target, reach: Reach) -> OutboundError {
    OutboundError::NotPublic { host: target.host.clone(), what: reach.what() }
}
