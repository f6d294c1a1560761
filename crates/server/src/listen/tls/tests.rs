//! Real handshakes, with certificates made here.

use std::path::Path;
use std::time::Duration;

use http::{Request, Response};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::listen::{Address, Body, Limits, LiveLimits, Peer, bind, serve};

const PATIENCE: Duration = Duration::from_secs(20);

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for localhost and its key.
    fn issue(&self, name: &str, until_year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until_year, 1, 1);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// `[tls]` in a folder.
fn files(folder: &Path, (cert, key): &(String, String)) -> TlsFiles {
    let files =
        TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem"), client_ca: None, client_auth: None };
    fs::write(&files.cert, cert).unwrap();
    fs::write(&files.key, key).unwrap();
    files
}

struct Running {
    addr: std::net::SocketAddr,
    tls: Arc<Tls>,
    _stop: tokio_util::sync::DropGuard,
}

/// Answers with what it knows of the peer.
async fn start(files: TlsFiles, limits: Limits) -> Running {
    let listener = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Ok(Address::Tcp(addr)) = listener.address() else { panic!("no address") };
    let tls = Tls::open(files).unwrap();
    let stop = CancellationToken::new();
    let service = |request: Request<Body>| async move {
        let peer = request.extensions().get::<Peer>().unwrap();
        let whom = peer.certificate.as_deref().unwrap_or("nobody");
        Response::new(Body::full(format!("{:?} {} {whom}", request.version(), peer.secure)))
    };
    tokio::spawn(serve(listener, service, LiveLimits::new(limits), Some(tls.clone()), stop.clone()));
    Running { addr, tls, _stop: stop.drop_guard() }
}

fn client(authority: &Authority, own: Option<&(String, String)>, alpn: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
            let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// One HTTP/1.1 request; the answer's body, and the certificate that the server showed.
async fn ask(running: &Running, connector: &TlsConnector) -> std::io::Result<(String, Vec<u8>)> {
    let asked = async {
        let stream = TcpStream::connect(running.addr).await?;
        let mut stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        Ok((answer.rsplit("\r\n").next().unwrap().to_owned(), shown))
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("no answer in time")
}

#[tokio::test]
async fn both_protocols_are_agreed_on_in_the_handshake() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let running = start(files(folder.path(), &authority.issue("server", 2090)), Limits::default()).await;
    for alpn in [&["http/1.1"][..], &[]] {
        let (answer, _) = ask(&running, &client(&authority, None, alpn)).await.unwrap();
        assert_eq!(answer, "HTTP/1.1 true nobody");
    }
    let connector = client(&authority, None, &["h2", "http/1.1"]);
    let stream = TcpStream::connect(running.addr).await.unwrap();
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/").body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "HTTP/2.0 true nobody");
}

#[tokio::test]
async fn the_wrong_authority_is_refused_by_the_client() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(files(folder.path(), &Authority::new().issue("server", 2090)), Limits::default()).await;
    let error = ask(&running, &client(&Authority::new(), None, &[])).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn plain_http_is_told_to_use_https() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(files(folder.path(), &Authority::new().issue("server", 2090)), Limits::default()).await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    stream.write_all(b"POST /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { header_timeout: Duration::from_millis(200), connections: 1, ..Limits::default() };
    let authority = Authority::new();
    let running = start(files(folder.path(), &authority.issue("server", 2090)), limits).await;
    // Nothing, and the beginning of a ClientHello. Each holds the only connection there may be.
    for sent in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(running.addr).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut rest = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it is never cut").ok();
        assert!(rest.is_empty());
    }
    assert!(ask(&running, &client(&authority, None, &[])).await.is_ok());
}

#[tokio::test]
async fn client_certificates_are_verified_and_named() {
    let (folder, authority, clients) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
    let good = clients.issue("ada", 2090);
    let expired = clients.issue("old", 2021);
    let foreign = Authority::new().issue("mallory", 2090);
    let mut wanted = files(folder.path(), &authority.issue("server", 2090));
    let bundle = folder.path().join("clients.pem");
    fs::write(&bundle, &clients.pem).unwrap();
    wanted.client_ca = Some(bundle);
    for (client_auth, without) in
        [(None, false), (Some(ClientAuth::Required), false), (Some(ClientAuth::Optional), true)]
    {
        let running = start(TlsFiles { client_auth, ..wanted.clone() }, Limits::default()).await;
        let (answer, _) = ask(&running, &client(&authority, Some(&good), &[])).await.unwrap();
        assert_eq!(answer, "HTTP/1.1 true CN=ada");
        assert_eq!(ask(&running, &client(&authority, None, &[])).await.is_ok(), without);
        for bad in [&expired, &foreign] {
            assert!(ask(&running, &client(&authority, Some(bad), &[])).await.is_err());
        }
    }
}

#[tokio::test]
async fn new_files_are_taken_and_bad_ones_are_not() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let first = authority.issue("first", 2090);
    let running = start(files(folder.path(), &first), Limits::default()).await;
    let watching = running.tls.clone();
    let watch = tokio::spawn(async move { watching.watch(Duration::from_millis(10)).await });
    let connector = client(&authority, None, &[]);
    let der = |pair: &(String, String)| CertificateDer::from_pem_slice(pair.0.as_bytes()).unwrap().to_vec();
    assert_eq!(ask(&running, &connector).await.unwrap().1, der(&first));

    // Garbage, a key of another certificate, an expired one, nothing at all: the old one stays.
    let other = authority.issue("other", 2090);
    for bad in [
        ("garbage".to_owned(), "garbage".to_owned()),
        (first.0.clone(), other.1.clone()),
        authority.issue("expired", 2021),
        (String::new(), String::new()),
    ] {
        let changed = files(folder.path(), &bad);
        assert!(Tls::load(changed).is_err());
        // The first look sees the change, the second that it is over, a third comes after the judgement.
        tokio::time::timeout(PATIENCE, seen_thrice(&running)).await.unwrap();
        assert_eq!(ask(&running, &connector).await.unwrap().1, der(&first));
    }
    let second = authority.issue("second", 2090);
    files(folder.path(), &second);
    let taken = async { while ask(&running, &connector).await.unwrap().1 != der(&second) {} };
    tokio::time::timeout(PATIENCE, taken).await.expect("the new certificate is never used");
    assert!(!watch.is_finished());
}

/// Three rounds of a clock that is slower than the watcher's.
async fn seen_thrice(_running: &Running) {
    let mut clock = interval(Duration::from_millis(20));
    for _ in 0..4 {
        clock.tick().await;
    }
}

#[test]
fn errors_say_which_file_and_what_to_do() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let good = authority.issue("server", 2090);
    let wanted = files(folder.path(), &good);
    let missing = folder.path().join("missing.pem");
    let fresh = |cert: &str, key: &str| {
        let sub = tempfile::tempdir_in(folder.path()).unwrap().keep();
        files(&sub, &(cert.to_owned(), key.to_owned()))
    };
    let other = authority.issue("other", 2090);
    for (bad, said) in [
        (TlsFiles { cert: missing.clone(), ..wanted.clone() }, &["missing.pem", "tls.cert", "No such file"][..]),
        (TlsFiles { key: missing.clone(), ..wanted.clone() }, &["missing.pem", "tls.key", "No such file"]),
        (TlsFiles { client_ca: Some(missing.clone()), ..wanted.clone() }, &["missing.pem", "tls.client_ca"]),
        (fresh("garbage", &good.1), &["cert.pem", "no certificate in PEM form"]),
        (fresh(&good.0, "garbage"), &["key.pem", "no private key in PEM form"]),
        (fresh(&good.1, &good.1), &["cert.pem", "no certificate in PEM form"]),
        (fresh(&good.0, &other.1), &["does not belong to", "key.pem", "cert.pem"]),
        (fresh("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", &good.1), &["cert.pem"]),
        (fresh(&authority.issue("old", 2021).0, &good.1), &["does not belong"]),
        (TlsFiles { client_auth: Some(ClientAuth::Optional), ..wanted.clone() }, &["client_ca"]),
    ] {
        let error = Tls::load(bad).unwrap_err().to_string();
        assert!(said.iter().all(|said| error.contains(said)), "{error}");
    }
    let (cert, key) = authority.issue("old", 2021);
    let old = fresh(&cert, &key);
    let error = Tls::load(old.clone()).unwrap_err().to_string();
    assert!(error.contains("expired at 2021-01-01") && error.contains("renewed"), "{error}");
    assert!(Tls::open(old).is_ok(), "a start with an expired certificate only warns");
    assert!(Tls::load(wanted).is_ok());
}

#[tokio::test]
async fn the_local_authority_is_made_once_and_opens_localhost_alone() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("tls");
    let local = authority::prepare(&folder).unwrap();
    let bundle = fs::read_to_string(&local.bundle).unwrap();
    for (file, mode) in [("authority.key", 0o600), ("localhost.pem", 0o600), ("authority.pem", 0o644)] {
        let found = fs::metadata(folder.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{file}");
    }
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let leaf = fs::read_to_string(&local.files.cert).unwrap();
    assert_eq!(authority::prepare(&folder).unwrap(), local);
    assert_eq!(fs::read_to_string(&local.bundle).unwrap(), bundle);
    assert_eq!(fs::read_to_string(&local.files.cert).unwrap(), leaf);

    // A client that trusts the authority is let through under each of the three names.
    let running = start(local.files.clone(), Limits::default()).await;
    let trusting = Authority { pem: bundle.clone(), ..Authority::new() };
    let connector = client(&trusting, None, &[]);
    for name in ["localhost", "127.0.0.1", "::1"] {
        let stream = TcpStream::connect(running.addr).await.unwrap();
        connector.connect(ServerName::try_from(name).unwrap(), stream).await.unwrap();
    }
    // What its key signs for other names is worth nothing.
    let key = KeyPair::from_pem(&fs::read_to_string(folder.join("authority.key")).unwrap()).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&bundle, key).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["example.com".to_owned()]).unwrap();
    let forged = (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem());
    let elsewhere = tempfile::tempdir().unwrap();
    let running = start(files(elsewhere.path(), &forged), Limits::default()).await;
    let stream = TcpStream::connect(running.addr).await.unwrap();
    assert!(connector.connect(ServerName::try_from("example.com").unwrap(), stream).await.is_err());

    // A lost leaf is made anew by the same authority, a lost authority takes the leaf with it.
    fs::remove_file(&local.files.cert).unwrap();
    authority::prepare(&folder).unwrap();
    assert_eq!(fs::read_to_string(&local.bundle).unwrap(), bundle);
    fs::remove_file(folder.join("authority.key")).unwrap();
    let leaf = fs::read_to_string(&local.files.cert).unwrap();
    authority::prepare(&folder).unwrap();
    assert_ne!(fs::read_to_string(&local.bundle).unwrap(), bundle);
    assert_ne!(fs::read_to_string(&local.files.cert).unwrap(), leaf);
    // Garbage is not overwritten: it may be somebody's.
    fs::write(&local.bundle, "garbage").unwrap();
    assert!(authority::prepare(&folder).unwrap_err().to_string().contains("authority.pem"));
}
