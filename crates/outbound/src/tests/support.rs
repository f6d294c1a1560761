//! Servers that say what they are told to, whatever they are asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// One server, ended when dropped.
pub struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    end: Arc<Notify>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Log {
    connections: usize,
    closed: usize,
    requests: Vec<String>,
}

/// How a server behaves.
#[derive(Clone)]
struct Manner {
    answer: &'static str,
    /// How many requests of a connection are answered.
    answers: usize,
    /// Whether it hangs up right after the last answer, or only when asked once more.
    eager: bool,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Answers each request so; closes where it says `Connection: close`.
    pub async fn answering(answer: &'static str) -> Self {
        let answers = if answer.contains("Connection: close") { 1 } else { usize::MAX };
        Self::start(Manner { answer, answers, eager: true, tls: None }).await
    }

    /// The same over TLS.
    pub async fn answering_tls(answer: &'static str, authority: &Authority) -> Self {
        Self::start(Manner { answer, answers: usize::MAX, eager: true, tls: Some(authority.acceptor.clone()) }).await
    }

    /// Answers so many requests of a connection, reads one more, and hangs up.
    pub async fn hanging_up_after(answers: usize, answer: &'static str) -> Self {
        Self::start(Manner { answer, answers, eager: false, tls: None }).await
    }

    /// Closes each connection after one answer, without saying so.
    pub async fn closing_after_each(answer: &'static str) -> Self {
        Self::start(Manner { answer, answers: 1, eager: true, tls: None }).await
    }

    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let end = Arc::new(Notify::new());
        let (seen, ended) = (log.clone(), end.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.lock().unwrap().connections += 1;
                let (manner, seen, ended) = (manner.clone(), seen.clone(), ended.clone());
                tokio::spawn(async move {
                    match &manner.tls {
                        // A client that believes nobody hangs up.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &manner, &seen).await;
                            }
                        }
                        None => serve(stream, &manner, &seen).await,
                    }
                    seen.lock().unwrap().closed += 1;
                    ended.notify_one();
                });
            }
        });
        Self { address, log, end, task }
    }

    /// When every connection so far is closed.
    pub async fn closed(&self) {
        while {
            let log = self.log.lock().unwrap();
            log.closed < log.connections
        } {
            self.end.notified().await;
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn seen(&self) -> Vec<String> {
        self.log.lock().unwrap().requests.clone()
    }

    pub fn connections(&self) -> usize {
        self.log.lock().unwrap().connections
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, manner: &Manner, log: &Mutex<Log>) {
    let mut answered = 0;
    while let Some(request) = request(&mut stream).await {
        log.lock().unwrap().requests.push(request);
        if answered == manner.answers || stream.write_all(manner.answer.as_bytes()).await.is_err() {
            return;
        }
        answered += 1;
        if answered == manner.answers && manner.eager {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// One that signs its own certificate for one host.
pub struct Authority {
    pub pem: String,
    acceptor: TlsAcceptor,
}

impl Authority {
    pub fn new(host: &str) -> Self {
        let own = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let config = config.unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![own.cert.der().clone()], key).unwrap();
        Self { pem: own.cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

/// A proxy that leads to one place, or nowhere.
pub struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn to(target: SocketAddr, answer: &'static str) -> Self {
        Self::start(Some(target), answer).await
    }

    pub async fn refusing(answer: &'static str) -> Self {
        Self::start(None, answer).await
    }

    async fn start(target: Option<SocketAddr>, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move {
                    let Some(request) = request(&mut stream).await else { return };
                    seen.lock().unwrap().push(request);
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    if let Some(target) = target {
                        let mut onward = tokio::net::TcpStream::connect(target).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
                    }
                });
            }
        });
        Self { address, asked, task }
    }

    pub fn url(&self, credentials: &str) -> String {
        format!("http://{credentials}{}", self.address)
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request with its body; none at the end.
pub async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut text = Vec::new();
    loop {
        if let Some(end) = memchr::memmem::find(&text, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let length = length.map_or(0, |length| length.parse::<usize>().unwrap());
            if text.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&text).into_owned());
            }
        }
        if stream.read_buf(&mut text).await.ok()? == 0 {
            return None;
        }
    }
}
