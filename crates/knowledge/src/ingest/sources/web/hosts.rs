//! Hosts: what their `robots.txt` says, and how fast they are asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, RETRY_AFTER, USER_AGENT};
use http::{Request, Response, StatusCode};
use outcrop_outbound::{Body, Endpoint, Outbound, OutboundError};
use robotxt::Robots;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use url::{Position, Url};

use super::body;
use super::rules::{ROBOT, canonical};

/// How long a host may think before it answers.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of a `robots.txt` is read (RFC 9309: at least 500 KiB). The byte beyond tells its parser that it goes on.
const MOST_ROBOTS: usize = robotxt::BYTE_LIMIT + 1;
/// Redirects that are followed for a `robots.txt` (RFC 9309: at least five).
const MOST_MOVES: usize = 5;
/// A site that asks for a longer pause between visits is visited this often.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// How often a host that says it has too much to do is asked again, and how long it is waited for at most.
const TRIES: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The hosts of a crawl.
pub(super) struct Hosts {
    outbound: Outbound,
    agent: String,
    interval: Duration,
    known: Mutex<HashMap<String, Arc<OnceCell<Host>>>>,
    turns: Mutex<HashMap<String, Instant>>,
}

/// One scheme, host and port.
pub(super) struct Host {
    /// Why it is not asked, where it is not.
    endpoint: Result<Endpoint, String>,
    pub(super) robots: Robots,
    interval: Duration,
}

/// What a host answers.
pub(super) enum Answer {
    /// It has it.
    Here(Response<Body>),
    /// It is elsewhere.
    Moved(String),
    /// It has not.
    Refused(StatusCode),
    /// It did not answer, or said that it cannot.
    Failed(String),
}

impl Hosts {
    pub(super) fn new(outbound: Outbound, agent: String, interval: Duration) -> Self {
        Self { outbound, agent, interval, known: Mutex::default(), turns: Mutex::default() }
    }

    /// Asks for a URL when it is its host's turn. None where `robots.txt` forbids it.
    pub(super) async fn ask(&self, url: &Url) -> Option<Answer> {
        let cell = self.of(url);
        let host = cell.get_or_init(|| self.open(url)).await;
        let endpoint = match &host.endpoint {
            Ok(endpoint) => endpoint,
            Err(why) => return Some(Answer::Failed(why.clone())),
        };
        if !host.robots.is_url_allowed(url) {
            return None;
        }
        for tried in 1.. {
            self.turn(url, host.interval).await;
            let answer = self.send(endpoint, url).await;
            let Answer::Here(busy) = &answer else { return Some(answer) };
            match busy.status() {
                status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) if tried < TRIES => {
                    let told = busy.headers().get(RETRY_AFTER).and_then(|told| told.to_str().ok());
                    let wait = Duration::from_secs(told.and_then(|told| told.trim().parse().ok()).unwrap_or(1));
                    if wait > LONGEST_WAIT {
                        return Some(Answer::Failed(format!("its server answers {status}, and to wait for {wait:?}")));
                    }
                    tokio::time::sleep(wait).await;
                }
                status if status.is_success() => return Some(answer),
                status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    return Some(Answer::Failed(format!("its server answers {status}")));
                }
                status => return Some(Answer::Refused(status)),
            }
        }
        None
    }

    /// What the crawler is called in what is said to crawlers: its name without what stands behind it.
    pub(super) fn name(&self) -> &str {
        self.agent.split(' ').next().unwrap_or_default()
    }

    /// The sitemaps that a seed's host names, or the place where most have theirs.
    pub(super) async fn sitemaps(&self, seed: &Url) -> Vec<Url> {
        let cell = self.of(seed);
        let host = cell.get_or_init(|| self.open(seed)).await;
        let named: Vec<_> = host.robots.sitemaps().iter().cloned().filter_map(canonical).collect();
        if named.is_empty() { seed.join("/sitemap.xml").into_iter().collect() } else { named }
    }

    fn of(&self, url: &Url) -> Arc<OnceCell<Host>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(url.origin().ascii_serialization()).or_default())
    }

    async fn open(&self, url: &Url) -> Host {
        let origin = url.origin().ascii_serialization();
        let closed = |why| Host { endpoint: Err(why), robots: Robots::disallow_all(), interval: self.interval };
        let endpoint = match self.outbound.endpoint(&origin) {
            Ok(endpoint) => endpoint,
            Err(error) => return closed(error.to_string()),
        };
        match self.robots(url).await {
            Ok(robots) => {
                let delay = robots.crawl_delay().unwrap_or_default().min(LONGEST_DELAY);
                Host { endpoint: Ok(endpoint), robots, interval: self.interval.max(delay) }
            }
            // Whoever cannot say what may be read is asked for nothing (RFC 9309, 2.3.1.4).
            Err(why) => closed(format!("the site's robots.txt could not be read: {why}")),
        }
    }

    async fn robots(&self, url: &Url) -> Result<Robots, String> {
        let mut at = url.join("/robots.txt").map_err(|error| error.to_string())?;
        for _ in 0..=MOST_MOVES {
            let endpoint = self.outbound.endpoint(&at.origin().ascii_serialization());
            let answer = match self.send(&endpoint.map_err(|error| error.to_string())?, &at).await {
                Answer::Here(answer) => answer,
                Answer::Moved(to) => {
                    let to = at.join(&to).ok().and_then(canonical);
                    at = to.ok_or("it is said to be where nothing can be read")?;
                    continue;
                }
                Answer::Refused(status) => return Err(format!("its server answers {status}")),
                Answer::Failed(why) => return Err(why),
            };
            return match answer.status() {
                status if status.is_success() => self.parsed(answer).await,
                status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                    Ok(Robots::allow_all())
                }
                status => Err(format!("its server answers {status}")),
            };
        }
        // RFC 9309, 2.3.1.2: as if there were none.
        Ok(Robots::allow_all())
    }

    async fn parsed(&self, answer: Response<Body>) -> Result<Robots, String> {
        let text = tokio::time::timeout(PATIENCE, body::first(answer, MOST_ROBOTS)).await;
        let text = text.map_err(|_| "it does not end".to_owned())?.map_err(|error| error.to_string())?;
        // The crawler's own name first, then the one that all of them share, then everybody's.
        let own = self.name();
        let robots = Robots::parse(&text, own);
        Ok(if robots.user_agent().eq_ignore_ascii_case(own) { robots } else { Robots::parse(&text, ROBOT) })
    }

    /// Waits until the host may be asked again. A host is asked at one pace, whatever its scheme and port.
    async fn turn(&self, url: &Url, interval: Duration) {
        let at = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let next = turns.entry(url.host_str().unwrap_or_default().to_owned()).or_insert(now);
            let at = now.max(*next);
            *next = at + interval;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    async fn send(&self, endpoint: &Endpoint, url: &Url) -> Answer {
        let request = Request::get(endpoint.uri(&url[Position::BeforePath..Position::AfterQuery]))
            .header(USER_AGENT, &self.agent)
            .header(ACCEPT, "text/html, application/xhtml+xml, application/pdf, text/*;q=0.9, */*;q=0.5")
            .body(Bytes::new());
        let request = match request {
            Ok(request) => request,
            Err(error) => return Answer::Failed(error.to_string()),
        };
        match tokio::time::timeout(PATIENCE, endpoint.send(request)).await {
            Ok(Ok(answer)) => Answer::Here(answer),
            Ok(Err(OutboundError::Redirect { status, to, .. })) => match status.as_u16() {
                301 | 302 | 303 | 307 | 308 => Answer::Moved(to.expose().to_owned()),
                _ => Answer::Refused(status),
            },
            Ok(Err(error)) => Answer::Failed(error.to_string()),
            Err(_) => Answer::Failed(format!("{} did not answer within {} s", endpoint.host(), PATIENCE.as_secs())),
        }
    }
}
