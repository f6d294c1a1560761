//! What a way out is made from.

use std::path::PathBuf;
use std::time::Duration;

use crate::{HostRule, OutboundError, ProxyUrl};

#[cfg(test)]
mod tests;

/// Where the server may call out to, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Only this machine may be called: `localhost` and loopback addresses.
    pub offline: bool,
    /// Where else one may go. Empty: anywhere.
    pub allow: Vec<HostRule>,
    /// The proxy for `https` endpoints.
    pub proxy: Option<ProxyUrl>,
    /// The proxy for `http` endpoints.
    pub http_proxy: Option<ProxyUrl>,
    /// What is called directly in spite of a proxy: a domain and all below it, an address, a range, or `*`.
    pub no_proxy: Vec<String>,
    /// Authorities to believe besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take until a request can be written to it: name, TCP, proxy and TLS together.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// How many unused connections are kept for a host.
    pub idle_per_host: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            offline: false,
            allow: Vec::new(),
            proxy: None,
            http_proxy: None,
            no_proxy: Vec::new(),
            ca_file: None,
            connect_timeout: Duration::from_secs(10),
            // Below the 60 seconds after which common load balancers close theirs.
            idle_timeout: Duration::from_secs(50),
            idle_per_host: 64,
        }
    }
}

impl Settings {
    /// Fills in the proxies that `environment` names, as curl does: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in
    /// either case, `http_proxy` in lower case only. What is set here already wins, `no_proxy` with it.
    pub fn with_environment(mut self, environment: impl Fn(&str) -> Option<String>) -> Result<Self, OutboundError> {
        if self.proxy.is_some() || self.http_proxy.is_some() {
            return Ok(self);
        }
        let get = |names: &[&str]| {
            let value = |name: &&str| environment(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
            names.iter().find_map(value)
        };
        let proxy = |names: &[&str]| get(names).map(|url| url.parse()).transpose();
        self.proxy = proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?;
        self.http_proxy = proxy(&["http_proxy", "all_proxy", "ALL_PROXY"])?;
        if self.no_proxy.is_empty() {
            let list = get(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
            self.no_proxy = list.split(',').map(|host| host.trim().to_owned()).filter(|h| !h.is_empty()).collect();
        }
        Ok(self)
    }
}
