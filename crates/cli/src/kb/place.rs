//! The server that a command works on: the one that runs, or one for the time of the command.

use std::sync::Arc;

use outcrop_server::config::Config;
use outcrop_server::listen::Address;
use outcrop_server::wiring::{Server, Start};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::args;
use crate::client::Client;

const USUAL: &str = "http://127.0.0.1:7711";

/// A server, and a client of it.
pub struct Place {
    client: Client,
    own: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Place {
    /// The server that is named, else the usual one, else one of our own.
    pub async fn open(place: &args::KbPlace) -> Result<Self, String> {
        // An empty AWS_ENDPOINT_URL is none.
        if let Some(url) = place.url.as_deref().filter(|url| !url.is_empty()) {
            return Ok(Self { client: Client::new(url)?, own: None });
        }
        // A data folder is named for a server that is not running, or not at the usual address.
        let client = Client::new(USUAL)?;
        if place.data.is_none() && client.reachable().await {
            return Ok(Self { client, own: None });
        }
        Self::start(place).await
    }

    async fn start(place: &args::KbPlace) -> Result<Self, String> {
        let place = place.clone();
        let load = move || {
            let mut config = Config::load(place.config.as_deref(), |name| std::env::var(name).ok())?;
            config.listen = Address::Tcp((std::net::Ipv4Addr::LOCALHOST, 0).into());
            if place.data.is_some() {
                config.data = place.data.clone();
            }
            Ok(config)
        };
        crate::serving::quiet();
        let server = Server::open(Start { dev: true, local_tls: false, load: Arc::new(load) });
        let server = server.await.map_err(|e| e.to_string())?;
        let client = Client::new(&server.url().map_err(|e| e.to_string())?)?;
        let stop = CancellationToken::new();
        let running = tokio::spawn(server.run(stop.clone()));
        Ok(Self { client, own: Some((stop, running)) })
    }

    /// A client of it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the server stays when the command has ended.
    pub fn lasts(&self) -> bool {
        self.own.is_none()
    }

    /// Ends what was begun.
    pub async fn close(self) {
        if let Some((stop, running)) = self.own {
            stop.cancel();
            running.await.ok();
        }
    }
}
