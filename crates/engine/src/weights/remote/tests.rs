//! Against a loopback server that speaks the hub's protocol ([`server`]).

mod server;

use super::super::gguf::tests::sample;
use super::super::{ModelKind, Silent, Stage, State};
use super::*;
use outcrop_outbound::Settings;
use server::{Answer, Server};

fn outbound() -> Outbound {
    Outbound::new(Settings::default()).unwrap()
}

const REPOSITORY: &str = "owner/tiny-GGUF";
const FILE: &str = "tiny-Q4_K_M.gguf";

fn hash(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A model file of some size, so that it comes in many pieces.
fn weights() -> Vec<u8> {
    let mut bytes = sample("llama");
    bytes.extend((0..900_000u32).flat_map(u32::to_le_bytes));
    bytes
}

struct Place {
    dir: tempfile::TempDir,
    hub: Server,
    cdn: Server,
}

impl Place {
    /// A hub with one repository whose file lies elsewhere.
    fn new(weights: &[u8]) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap(), hub: Server::start(), cdn: Server::start() };
        place.serves(weights, "\"one\"", "0123abcd");
        place
    }
    fn serves(&self, weights: &[u8], etag: &str, commit: &str) {
        let model = format!("{{\"id\":\"{REPOSITORY}\",\"sha\":\"{commit}\",\"tags\":[\"gguf\",\"license:mit\"]}}");
        self.hub.on(&format!("/api/models/{REPOSITORY}/revision/main"), Answer::json(&model));
        self.tree(commit, &[(FILE, weights)]);
        let cdn = self.cdn.url("/blobs/one?X-Signature=hidden");
        self.hub.on(&format!("/{REPOSITORY}/resolve/{commit}/{FILE}"), Answer::redirect(&cdn));
        self.cdn.on("/blobs/one", Answer::file(weights, etag));
    }
    fn tree(&self, commit: &str, files: &[(&str, &[u8])]) {
        let entry = |(path, bytes): &(&str, &[u8])| {
            let (size, oid) = (bytes.len(), hash(bytes));
            format!(
                "{{\"type\":\"file\",\"path\":\"{path}\",\"size\":{size},\"lfs\":{{\"oid\":\"{oid}\",\"size\":{size}}}}}"
            )
        };
        let entries: Vec<String> = files.iter().map(entry).collect();
        let readme = "{\"type\":\"file\",\"path\":\"README.md\",\"size\":3}";
        let tree = format!("[{readme},{}]", entries.join(","));
        self.hub.on(&format!("/api/models/{REPOSITORY}/tree/{commit}"), Answer::json(&tree));
    }
    fn models(&self) -> ModelDir {
        ModelDir::at(self.dir.path().join("models"))
    }
    fn remote(&self) -> Remote {
        Remote {
            pause: Duration::ZERO,
            ..Remote::from(outbound(), false, |name| (name == "HF_ENDPOINT").then(|| self.hub.url("")))
        }
    }
    fn pull(&self, what: &str) -> Result<Fetched, WeightsError> {
        self.pull_with(what, &self.remote())
    }
    fn pull_with(&self, what: &str, remote: &Remote) -> Result<Fetched, WeightsError> {
        self.models().pull_from(&Source::parse(what, None).unwrap(), None, remote, &mut Silent)
    }
    fn failure(&self) -> RemoteError {
        match self.pull(&format!("hf:{REPOSITORY}")) {
            Err(WeightsError::Remote(error)) => error,
            other => panic!("{other:?}"),
        }
    }
    /// What lies in the folder of models, unfinished downloads with it.
    fn entries(&self) -> Vec<String> {
        let root = self.models().root().to_owned();
        let list = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = list(root.clone()).chain(list(root.join(".partial")));
        let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.retain(|name| name != ".pull.lock" && name != ".partial");
        names.sort();
        names
    }
}

#[test]
fn a_file_of_the_hub_becomes_a_model() {
    let bytes = weights();
    let place = Place::new(&bytes);
    let pulled = place.pull(&format!("hf:{REPOSITORY}")).unwrap();
    assert!(pulled.fetched);
    assert_eq!(pulled.why.as_deref(), Some("tiny-Q4_K_M.gguf is the repository's only GGUF file"));
    let status = pulled.status;
    assert_eq!((status.name.as_str(), status.state, status.kind), ("tiny-q4-k-m", State::Verified, ModelKind::Text));
    assert_eq!(status.source, format!("hf:{REPOSITORY}@0123abcd:{FILE}"));
    assert_eq!(status.licence.as_deref(), Some("mit"));
    assert_eq!(std::fs::read(place.models().weights("tiny-q4-k-m").unwrap()).unwrap(), bytes);
    place.models().verify("tiny-q4-k-m").unwrap();
    assert_eq!(place.entries(), ["tiny-q4-k-m"]);

    let asked = place.cdn.asked().len();
    let again = place.pull(&format!("hf:{REPOSITORY}:Q4_K_M")).unwrap();
    assert!(!again.fetched);
    assert_eq!(place.cdn.asked().len(), asked, "what is here is not fetched again");
}

#[test]
fn a_newer_revision_takes_the_place_of_the_older_and_nothing_else_does() {
    let place = Place::new(&weights());
    place.pull(&format!("hf:{REPOSITORY}")).unwrap();
    let mut newer = weights();
    newer.push(7);
    place.serves(&newer, "\"two\"", "ffff");
    let pulled = place.pull(&format!("hf:{REPOSITORY}")).unwrap();
    assert!(pulled.fetched && pulled.status.source.contains("@ffff:"));
    assert_eq!(std::fs::read(place.models().weights("tiny-q4-k-m").unwrap()).unwrap(), newer);
    assert_eq!(place.entries(), ["tiny-q4-k-m"]);

    let file = place.dir.path().join("own.gguf");
    std::fs::write(&file, sample("qwen2")).unwrap();
    place.models().add_gguf(&file, "own", &mut Silent).unwrap();
    let source = Source::parse(&format!("hf:{REPOSITORY}"), None).unwrap();
    let refused = place.models().pull_from(&source, Some("own"), &place.remote(), &mut Silent);
    assert!(matches!(refused, Err(WeightsError::Taken(_))), "{refused:?}");
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let place = Place::new(&weights());
    let secret = "hf_SECRETSECRET";
    let remote = Remote { token: Some(Token::new(secret.into())), ..place.remote() };
    assert!(!format!("{remote:?}").contains(secret));
    place.pull_with(&format!("hf:{REPOSITORY}"), &remote).unwrap();
    let (hub, cdn) = (place.hub.asked(), place.cdn.asked());
    assert!(
        hub.len() == 3 && hub.iter().all(|head| head.contains(&format!("authorization: Bearer {secret}"))),
        "{hub:?}"
    );
    assert!(!cdn.is_empty() && cdn.iter().all(|head| !head.contains("authorization") && !head.contains(secret)));
}

#[test]
fn a_download_that_was_cut_off_goes_on_where_it_was() {
    let bytes = weights();
    let place = Place::new(&bytes);
    // Five attempts, each of which brings a piece, and then the hub is gone.
    place.cdn.on("/blobs/one", Answer::file(&bytes, "\"one\"").cut_after(100_000).times(1).then(Answer::status(503)));
    let error = place.failure();
    assert!(matches!(&error, RemoteError::Failed { why, .. } if why.contains("503")), "{error}");
    let kept = place.entries();
    assert_eq!(kept, [hash(&bytes), format!("{}.etag", hash(&bytes))]);
    let had = std::fs::metadata(place.models().root().join(".partial").join(&kept[0])).unwrap().len();
    assert!((1..=100_000).contains(&had), "{had}");

    let before = place.cdn.asked().len();
    // Now every answer is cut, and still it arrives: who gets on is never at the end of its attempts.
    place.cdn.on("/blobs/one", Answer::file(&bytes, "\"one\"").cut_after(400_000));
    let pulled = place.pull(&format!("hf:{REPOSITORY}")).unwrap();
    assert_eq!(std::fs::read(pulled.status.path.join("model.gguf")).unwrap(), bytes);
    let asked = &place.cdn.asked()[before..];
    assert!(asked.len() >= 9, "{} requests", asked.len());
    assert!(
        asked[0].contains(&format!("range: bytes={had}-")) && asked[0].contains("if-range: \"one\""),
        "{}",
        asked[0]
    );
    assert_eq!(place.entries(), ["tiny-q4-k-m"]);
}

#[test]
fn a_file_that_changed_between_two_attempts_begins_again() {
    for ignores_if_range in [false, true] {
        let bytes = weights();
        let place = Place::new(&bytes);
        let mut stale = bytes.clone();
        stale[200_000..].fill(1);
        place
            .cdn
            .on("/blobs/one", Answer::file(&stale, "\"old\"").cut_after(300_000).times(1).then(Answer::status(404)));
        assert!(matches!(place.failure(), RemoteError::Missing(_)));
        assert_eq!(place.entries().len(), 2);
        let mut answer = Answer::file(&bytes, "\"new\"");
        answer.ignores_if_range = ignores_if_range;
        place.cdn.on("/blobs/one", answer);
        let pulled = place.pull(&format!("hf:{REPOSITORY}")).unwrap();
        assert_eq!(std::fs::read(pulled.status.path.join("model.gguf")).unwrap(), bytes);
    }
}

#[test]
fn a_server_that_knows_no_ranges_serves_too() {
    let bytes = weights();
    let place = Place::new(&bytes);
    let whole = || {
        let mut answer = Answer::file(&bytes, "\"one\"");
        answer.ranges = false;
        answer
    };
    place.cdn.on("/blobs/one", whole().cut_after(300_000).times(1).then(whole()));
    let pulled = place.pull(&format!("hf:{REPOSITORY}")).unwrap();
    assert_eq!(std::fs::read(pulled.status.path.join("model.gguf")).unwrap(), bytes);
}

#[test]
fn other_bytes_are_thrown_away() {
    let bytes = weights();
    let place = Place::new(&bytes);
    let mut wrong = bytes.clone();
    *wrong.last_mut().unwrap() ^= 1;
    place.cdn.on("/blobs/one", Answer::file(&wrong, "\"one\""));
    let error = place.failure();
    assert!(matches!(&error, RemoteError::Hash { expected, .. } if *expected == hash(&bytes)), "{error}");
    assert!(place.entries().is_empty(), "{:?}", place.entries());
    // Shorter or longer ones are not even fetched to the end.
    for length in [bytes.len() - 1, bytes.len() + 1] {
        wrong.resize(length, 0);
        place.cdn.on("/blobs/one", Answer::file(&wrong, "\"one\""));
        let error = place.failure();
        assert!(matches!(&error, RemoteError::Failed { why, .. } if why.contains("the hub says")), "{error}");
    }
    // Without a length nobody announces that it is too long.
    let mut endless = Answer::file(&[wrong, vec![0; 1000]].concat(), "\"one\"");
    endless.announces = false;
    place.cdn.on("/blobs/one", endless);
    let error = place.failure();
    assert!(matches!(&error, RemoteError::Failed { why, .. } if why.contains("more than it announced")), "{error}");
    assert!(place.entries().is_empty());
}

#[test]
fn what_is_no_model_is_refused_though_its_hash_is_right() {
    let place = Place::new(b"%PDF-1.7 of some length");
    let refused = place.pull(&format!("hf:{REPOSITORY}"));
    assert!(matches!(refused, Err(WeightsError::Gguf { .. })), "{refused:?}");
}

#[test]
fn refusals_say_what_helps() {
    let place = Place::new(&weights());
    let model = format!("/api/models/{REPOSITORY}/revision/main");
    for (status, word, requests) in [
        (401, "HF_TOKEN", 1),
        (403, "terms", 1),
        (404, "does not exist", 1),
        (429, "429", 5),
        (500, "500", 5),
        (418, "418", 1),
    ] {
        place.hub.on(&model, Answer::status(status));
        let before = place.hub.asked().len();
        let error = place.failure().to_string();
        assert!(error.contains(word), "{status}: {error}");
        assert_eq!(place.hub.asked().len() - before, requests, "{status}");
    }
    place.hub.on(&model, Answer::json("<html>"));
    assert!(place.failure().to_string().contains("not the hub's"));
    place.hub.on(&model, Answer::json("{}"));
    assert!(place.failure().to_string().contains("HF_ENDPOINT"));
    // What passes is tried again.
    let right = "{\"sha\":\"0123abcd\"}";
    place.hub.on(&model, Answer::status(503).times(2).then(Answer::json(right)));
    place.pull(&format!("hf:{REPOSITORY}")).unwrap();
    // Nobody listens there.
    let remote = Remote { endpoint: "http://127.0.0.1:1".into(), ..place.remote() };
    let Err(WeightsError::Remote(error)) = place.pull_with("hf:a/b", &remote) else { panic!() };
    assert!(matches!(error, RemoteError::Failed { .. }), "{error}");
}

#[test]
fn a_redirect_ends_somewhere_and_never_leaves_https() {
    let place = Place::new(&weights());
    let resolve = format!("/{REPOSITORY}/resolve/0123abcd/{FILE}");
    place.hub.on(&resolve, Answer::redirect(&resolve));
    assert!(place.failure().to_string().contains("redirects"));
    for to in ["file:///etc/passwd", "ftp://x/y", "//x/y", ""] {
        place.hub.on(&resolve, Answer::redirect(to));
        assert!(matches!(place.failure(), RemoteError::Redirect { .. }), "{to}");
    }
    let uri = |text: &str| text.parse::<http::Uri>().unwrap();
    let (closed, open) = (uri("https://a/x"), uri("http://a/x"));
    assert_eq!(net::follow(&closed, &closed, "http://b/y"), None);
    assert_eq!(net::follow(&closed, &closed, "https://b/y"), Some(uri("https://b/y")));
    assert_eq!(net::follow(&open, &open, "/y?z"), Some(uri("http://a/y?z")));
    // HTTPS once left is not left again.
    assert_eq!(net::follow(&closed, &open, "/y"), None);
}

#[test]
fn a_file_is_chosen_and_the_choice_is_told() {
    let place = Place::new(&weights());
    let (a, b): (&[u8], &[u8]) = (b"a", b"bb");
    let choose = |files: &[(&str, &[u8])], file: Option<&str>| {
        place.tree("0123abcd", files);
        let remote = place.remote();
        let client = Client::new(&remote).unwrap();
        let wanted = HubFile { repository: REPOSITORY.into(), revision: None, file: file.map(str::to_owned) };
        Hub::new(&client, &remote.endpoint).find(&wanted)
    };
    let files =
        [("m-F16.gguf", b), ("m-Q8_0.gguf", a), ("m-IQ4_XS.gguf", a), ("m.Q4_K_M.gguf", b), ("mmproj-Q4_K_M.gguf", a)];
    let found = choose(&files, None).unwrap();
    assert_eq!(found.file, "m.Q4_K_M.gguf");
    assert_eq!(
        found.why.unwrap(),
        "m.Q4_K_M.gguf, of 4 files the one at Q4_K_M: the usual balance of size and quality"
    );
    assert_eq!(
        choose(&files[..3], None).unwrap().why.unwrap(),
        "m-IQ4_XS.gguf, of 3 files the nearest to Q4_K_M: IQ4_XS"
    );
    assert_eq!(choose(&[("x.gguf", b), ("y.gguf", a)], None).unwrap().why.unwrap(), "y.gguf, the smallest of 2 files");
    let parts = [("big-Q4_K_M-00001-of-00002.gguf", a), ("sub/small-Q8_0.gguf", b)];
    assert_eq!(
        choose(&parts, None).unwrap().url,
        place.hub.url(&format!("/{REPOSITORY}/resolve/0123abcd/sub/small-Q8_0.gguf"))
    );
    for wanted in ["q8_0", "m-Q8_0.gguf"] {
        assert_eq!(choose(&files, Some(wanted)).unwrap().file, "m-Q8_0.gguf");
    }
    for wanted in ["Q5_K_M", "Q4_K", "m-Q9.gguf"] {
        let error = choose(&files, Some(wanted)).unwrap_err().to_string();
        assert!(error.contains(wanted) && error.contains("m-F16.gguf"), "{error}");
    }
    assert!(choose(&parts[..1], None).unwrap_err().to_string().contains("00001-of-00002"));
}

#[test]
fn a_long_tree_has_pages() {
    let place = Place::new(&weights());
    let page = format!("/api/models/{REPOSITORY}/tree/0123abcd");
    let entry = |name: &str| {
        format!(
            "[{{\"type\":\"file\",\"path\":\"{name}\",\"size\":1,\"lfs\":{{\"oid\":\"{}\",\"size\":1}}}}]",
            "a".repeat(64)
        )
    };
    let mut first = Answer::json(&entry("a-Q8_0.gguf"));
    first.headers.push(format!("link: <{}>; rel=\"next\"", place.hub.url("/page2?cursor=x")));
    place.hub.on(&page, first);
    place.hub.on("/page2", Answer::json(&entry("b-Q4_K_M.gguf")));
    let remote = place.remote();
    let wanted = HubFile { repository: REPOSITORY.into(), revision: None, file: None };
    let client = Client::new(&remote).unwrap();
    assert_eq!(Hub::new(&client, &remote.endpoint).find(&wanted).unwrap().file, "b-Q4_K_M.gguf");
}

#[test]
fn a_revision_is_asked_for_as_one_word() {
    let place = Place::new(&weights());
    let model = format!("/api/models/{REPOSITORY}/revision/refs%2Fpr%2F1");
    place.hub.on(&model, Answer::json("{\"sha\":\"0123abcd\"}"));
    place.pull(&format!("hf:{REPOSITORY}@refs/pr/1")).unwrap();
}

#[test]
fn a_url_comes_with_its_hash() {
    let bytes = weights();
    let place = Place::new(&bytes);
    place.cdn.on("/some/My%20Model.gguf", Answer::file(&bytes, "\"one\""));
    let url = place.cdn.url("/some/My%20Model.gguf?token=hidden");
    let pull = |sha256: &str| {
        let source = Source::parse(&url, Some(sha256)).unwrap();
        place.models().pull_from(&source, Some("mine"), &place.remote(), &mut Silent)
    };
    let error = pull(&hash(b"else")).unwrap_err();
    assert!(matches!(error, WeightsError::Remote(RemoteError::Hash { .. })), "{error}");
    assert!(!error.to_string().contains("hidden"));
    let status = pull(&hash(&bytes).to_uppercase()).unwrap().status;
    assert_eq!((status.name.as_str(), status.source), ("mine", place.cdn.url("/some/My%20Model.gguf")));
    let source = Source::parse(&url, Some(&hash(&bytes))).unwrap();
    let offline = Remote { offline: true, ..place.remote() };
    assert!(!place.models().pull_from(&source, None, &offline, &mut Silent).unwrap().fetched);
}

#[test]
fn offline_asks_nobody() {
    let place = Place::new(&weights());
    let offline = Remote { offline: true, ..place.remote() };
    let what = format!("hf:{REPOSITORY}");
    let Err(WeightsError::Remote(error)) = place.pull_with(&what, &offline) else { panic!() };
    assert!(error.to_string().contains("--offline"), "{error}");
    assert!(place.hub.asked().is_empty());
    place.pull(&what).unwrap();
    let asked = place.hub.asked().len();
    for what in [what.clone(), format!("{what}:{FILE}"), format!("{what}:Q4_K_M")] {
        assert!(!place.pull_with(&what, &offline).unwrap().fetched);
    }
    assert!(place.pull_with(&format!("{what}:Q8_0"), &offline).is_err());
    assert_eq!(place.hub.asked().len(), asked);
}

#[test]
fn the_environment_decides() {
    let remote = |set: &'static [(&str, &str)]| {
        Remote::from(outbound(), false, |name| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!((remote(&[]).endpoint.as_str(), remote(&[]).offline), (HUB, false));
    assert_eq!(remote(&[("HF_ENDPOINT", "http://mirror/")]).endpoint, "http://mirror");
    assert!(remote(&[("HF_HUB_OFFLINE", "true")]).offline);
    assert!(!remote(&[("HF_HUB_OFFLINE", "0")]).offline);
    let offline = Outbound::new(Settings { offline: true, ..Settings::default() }).unwrap();
    assert!(Remote::from(offline, false, |_| None).offline);
    // Over plain HTTP to another machine anybody on the way could read it.
    let client = Client::new(&remote(&[("HF_ENDPOINT", "http://mirror"), ("HF_TOKEN", "secret")])).unwrap();
    assert!(client.secret_for(&"http://mirror/x".parse().unwrap()).is_none());
    let client = Client::new(&remote(&[("HF_TOKEN", "secret")])).unwrap();
    let sent = |uri: String| client.secret_for(&uri.parse().unwrap()).is_some();
    assert!(sent(format!("{HUB}/x")) && !sent(format!("{HUB}:444/x")) && !sent("https://elsewhere.example/x".into()));
    assert!(!sent(HUB.replace("https", "http")));
}

#[test]
fn names_are_read_or_refused() {
    let parse = |text: &str| Source::parse(text, None);
    let hub = |repository: &str, revision: Option<&str>, file: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Source::Hub(HubFile { repository: repository.into(), revision: owned(revision), file: owned(file) }))
    };
    assert_eq!(parse("hf:a/b"), hub("a/b", None, None));
    assert_eq!(parse("hf:a/b:c.gguf"), hub("a/b", None, Some("c.gguf")));
    assert_eq!(parse("hf:a/b@v1"), hub("a/b", Some("v1"), None));
    assert_eq!(parse("hf:a/b@refs/pr/1:d/c.gguf"), hub("a/b", Some("refs/pr/1"), Some("d/c.gguf")));
    for wrong in [
        "hf:",
        "hf:a",
        "hf:a/b/c",
        "hf:../b",
        "hf:a/b:",
        "hf:a/b@",
        "hf:a/b:../x",
        "hf:a/b@x/../y",
        "hf:a b/c",
        "hf:a/b?x",
    ] {
        assert!(matches!(parse(wrong), Err(RemoteError::Source(_))), "{wrong}");
    }
    let url = "https://u:secret@h/x.gguf?sig=secret";
    let error = parse(url).unwrap_err();
    assert!(matches!(&error, RemoteError::NoHash(shown) if shown == "https://h/x.gguf"), "{error}");
    assert!(Source::parse(url, Some(&"a".repeat(63))).is_err());
    assert_eq!(Source::parse(url, Some(&"A".repeat(64))).unwrap().to_string(), "https://h/x.gguf");
    for wrong in ["https://h/x.zip", "https://h", "https:///x.gguf"] {
        assert!(Source::parse(wrong, Some(&"a".repeat(64))).is_err(), "{wrong}");
    }
}

#[test]
fn progress_ends_at_the_whole_and_memory_does_not_grow_with_the_file() {
    struct Seen(Vec<(Stage, u64, u64)>);
    impl Progress for Seen {
        fn bytes(&mut self, stage: Stage, done: u64, total: u64) {
            assert!(done <= total);
            self.0.push((stage, done, total));
        }
    }
    let bytes = weights();
    let place = Place::new(&bytes);
    let mut seen = Seen(Vec::new());
    let source = Source::parse(&format!("hf:{REPOSITORY}"), None).unwrap();
    place.models().pull_from(&source, None, &place.remote(), &mut seen).unwrap();
    let total = bytes.len() as u64;
    for stage in [Stage::Download, Stage::Verify] {
        let all: Vec<u64> = seen.0.iter().filter(|step| step.0 == stage).map(|step| step.1).collect();
        assert_eq!(all.last(), Some(&total));
        // Piece by piece: no piece is larger than the two buffers of the connection that may hold it.
        assert!(all.windows(2).all(|pair| pair[1] - pair[0] <= 1 << 20));
    }
}

#[test]
fn every_host_on_the_way_passes_the_gate() {
    let place = Place::new(&weights());
    // The machine's own addresses are always open; only what a redirect leads to is not on the list.
    let resolve = format!("/{REPOSITORY}/resolve/0123abcd/{FILE}");
    let settings = Settings { allow: vec!["hub.example.com".parse().unwrap()], ..Settings::default() };
    let remote = Remote { outbound: Outbound::new(settings).unwrap(), ..place.remote() };
    for to in ["https://cdn.example.com/blob?X-Signature=hidden", "https://10.0.0.1/blob?X-Signature=hidden"] {
        place.hub.on(&resolve, Answer::redirect(to));
        let Err(WeightsError::Remote(error)) = place.pull_with(&format!("hf:{REPOSITORY}"), &remote) else { panic!() };
        assert!(matches!(error, RemoteError::Refused { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("outbound.allow") && !text.contains("hidden"), "{text}");
    }
}

#[test]
fn a_runtime_of_the_callers_is_in_nobodys_way() {
    let place = Place::new(&weights());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { assert!(place.pull(&format!("hf:{REPOSITORY}")).unwrap().fetched) });
}
