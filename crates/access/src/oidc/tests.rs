use super::*;
use crate::Directory;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const ISSUER: &str = "https://idp.example.com";
const DISCOVERY: &str = "https://idp.example.com/.well-known/openid-configuration";
const KEYS: &str = "https://idp.example.com/keys";
const MADE: &str = "2026-01-02T03:04:05Z";

// A 2048-bit key's public half and a token that its private half, thrown away since, has signed.
const RSA_N: &str = "\
    s4pjMpVbzl3mlCniv6QhQeWSRTTiRo4NdfoUZX0XPR63oLUY1l_ELGYoWFSOb0GHuv3B9QY57PhuAIe8NjXn4DQHGJ5WWroLIiIF7jJYwADvjh\
    9kmfTHCgbx7e4y2lWA0Ho-fk79RjrBEAZRVDOJoNw2X1qnHZj9AtEw60gAL89PYXGtJKJZV4ya7xx9AeuXWrrQI2IklMRV3nSZkJFKn_e2_OYA\
    EYwbgcOHJpTYNPaqY96BlJiD_oTgdjdXwg0OVwZiCL-AXnT_OcdcIBmWy9YE5Ot7Rp8-2A0941uZ41BbTG4AHqWRoU-JBzwQ2Zteq-F60TfLv-\
    KF_ljtOOpJow";
const RSA_TOKEN: &str = "\
    eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInJzYSIsICJ0eXAiOiAiSldUIn0.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZS5jb20iLCAic3\
    ViIjogInN5c3RlbTpzZXJ2aWNlYWNjb3VudDpuczphcHAiLCAiYXVkIjogInN0cy5hbWF6b25hd3MuY29tIiwgImV4cCI6IDE3NjczMjM2NDUs\
    ICJpYXQiOiAxNzY3MzIzMDQ1fQ.WoIsA5nJ6XTqgevIicl5ZaHGymXcHdhYIly8fTkZEFqCiAZDyCehnGrqjWlC_n2Sp8sY58l22HfHFKEVPR6\
    fn5xZLATvgDUZGhUI2MGLZApkvjXS6bzGeAhF8faLexm2o4MN-UFEtB1YYhTeQvnFivu3rRYBaNR1P1eRAeMPI3pM2zcmRVpkJOD8QcTlcb6hS\
    _0_N_1Xgxi4-mctIzAVd8quCvhKFCnmhraU2G4r7ErdVUPf9DrKiBsUU-\
    21Y553Iac6vQ71myoBqUxALsJAm2gPAyY37jOLai777z0YfgZfp5EKa3enN3WrmnooTdLLop8bW-x__Uldk9XMkEeAdA";

/// An issuer without a network, whose documents can be changed.
#[derive(Default)]
pub(crate) struct Web {
    documents: Mutex<HashMap<String, Result<Vec<u8>, FetchError>>>,
    asked: AtomicUsize,
    hangs: AtomicBool,
}

impl Web {
    fn put(&self, url: &str, document: Result<Vec<u8>, FetchError>) {
        self.documents.lock().unwrap().insert(url.to_owned(), document);
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        let discovery = json!({ "issuer": ISSUER, "jwks_uri": KEYS });
        self.put(DISCOVERY, Ok(discovery.to_string().into_bytes()));
        self.put(KEYS, Ok(json!({ "keys": keys }).to_string().into_bytes()));
    }
}

#[async_trait]
impl Fetch for Web {
    async fn get(&self, url: &str, _: Option<&Path>) -> Result<Vec<u8>, FetchError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let unknown = || Err(FetchError::Unusable("404".into()));
        self.documents.lock().unwrap().get(url).cloned().unwrap_or_else(unknown)
    }
}

/// A key pair of the issuer's.
pub(crate) struct Key {
    id: &'static str,
    pair: EcdsaKeyPair,
}

impl Key {
    pub(crate) fn new(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self { id, pair }
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let coded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "kid": self.id, "x": coded(&point[1..33]), "y": coded(&point[33..]) })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": "ES256", "kid": self.id }), claims)
    }

    fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    MADE.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "system:serviceaccount:ns:app", "aud": ["other", "sts.amazonaws.com"],
        "exp": at(600).as_second(), "iat": at(0).as_second(), "nbf": at(0).as_second(),
        "team": "red", "kubernetes.io": { "namespace": "ns" }, "roles": ["reader", "writer"],
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

struct World {
    web: Arc<Web>,
    key: Key,
    now: Arc<AtomicI64>,
    verifier: Verifier,
    directory: Directory,
}

fn world() -> World {
    let (web, key) = (Arc::new(Web::default()), Key::new("one"));
    web.publish(&[key.jwk()]);
    let now = Arc::new(AtomicI64::new(0));
    let clock = now.clone();
    let verifier = Verifier::new(web.clone(), Arc::new(move || at(clock.load(Ordering::SeqCst))));
    let issuer = Issuer { audiences: vec!["x".into(), "sts.amazonaws.com".into()], ..Issuer::new(ISSUER, "x") };
    World { web, key, now, verifier, directory: Directory::builder().issuer(issuer).build().unwrap() }
}

impl World {
    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.verifier.verify(&self.directory, token).await.map(|(_, claims)| claims)
    }

    /// How often the web was asked while this ran, and the error of it.
    async fn refused(&self, token: &str) -> TokenError {
        let error = self.verify(token).await.unwrap_err();
        let text = format!("{error} {error:?}");
        let secret = token.rsplit('.').next().unwrap();
        assert!(secret.len() < 10 || !text.contains(secret), "{text}");
        error
    }

    fn asked(&self) -> usize {
        self.web.asked.load(Ordering::SeqCst)
    }

    fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

fn says(error: &TokenError, text: &str) {
    assert!(matches!(error, TokenError::Invalid(said) if said.contains(text)), "{error:?} does not say {text}");
}

#[tokio::test]
async fn a_token_of_the_issuer_is_taken() {
    let world = world();
    let claims = world.verify(&world.key.sign(&claims())).await.unwrap();
    assert_eq!(
        (claims.subject.as_str(), claims.audience.as_str()),
        ("system:serviceaccount:ns:app", "sts.amazonaws.com")
    );
    assert_eq!(claims.get("/kubernetes.io/namespace"), Some(&json!("ns")));
    assert_eq!(claims.texts("roles").collect::<Vec<_>>(), ["reader", "writer"]);
}

#[tokio::test]
async fn an_rsa_key_verifies_what_another_library_signed() {
    let world = world();
    world.web.publish(&[json!({ "kty": "RSA", "kid": "rsa", "n": RSA_N, "e": "AQAB" })]);
    assert_eq!(world.verify(RSA_TOKEN).await.unwrap().subject, "system:serviceaccount:ns:app");
    let mut changed = RSA_TOKEN.to_owned();
    let last = if changed.ends_with('A') { "B" } else { "A" };
    changed.replace_range(changed.len() - 8..changed.len() - 7, last);
    says(&world.refused(&changed).await, "signature");
}

#[tokio::test]
async fn only_the_two_signatures_by_the_issuer_s_own_keys_count() {
    let world = world();
    let good = world.key.sign(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let header = |value: Value| world.key.sign_with(&value, &claims());
    let stranger = Key::new("one").sign(&claims());
    let mut other_claims = signed.split_once('.').unwrap().0.to_owned() + ".";
    other_claims += &URL_SAFE_NO_PAD.encode(with("sub", json!("system:admin")).to_string());
    for (token, said) in [
        (header(json!({ "alg": "none", "kid": "one" })), "RS256 or ES256"),
        (format!("{}.", header(json!({ "alg": "none", "kid": "one" })).rsplit_once('.').unwrap().0), "RS256 or ES256"),
        (header(json!({ "alg": "HS256", "kid": "one" })), "RS256 or ES256"),
        (header(json!({ "alg": "None", "kid": "one" })), "RS256 or ES256"),
        (header(json!({ "kid": "one" })), "RS256 or ES256"),
        (header(json!({ "alg": "ES256", "kid": "one", "crit": ["exp"] })), "critical"),
        (stranger, "signature"),
        (format!("{other_claims}.{signature}"), "signature"),
        (format!("{signed}."), "signature"),
        (format!("{signed}.{}", &signature[..80]), "signature"),
        ("x".into(), "not a valid JWT"),
        ("x.y.z".into(), "not a valid JWT"),
        (String::new(), "not a valid JWT"),
        (format!("{good}.x"), "not a valid JWT"),
        (format!("{good}{}", "A".repeat(20_000)), "not a valid JWT"),
    ] {
        says(&world.refused(&token).await, said);
    }
    // An RSA signature is not asked of an EC key, whatever the token says of itself.
    let error = world.refused(&header(json!({ "alg": "RS256", "kid": "one" }))).await;
    assert!(matches!(error, TokenError::NoKey { .. }), "{error:?}");
    world.verify(&good).await.unwrap();
}

#[tokio::test]
async fn claims_must_be_for_us_and_for_now() {
    let world = world();
    for (claims, said) in [
        (with("aud", json!("another")), "Incorrect token audience"),
        (with("aud", json!(["another"])), "Incorrect token audience"),
        (without("aud"), "Missing a required claim: aud"),
        (without("sub"), "Missing a required claim: sub"),
        (with("sub", json!("")), "Missing a required claim: sub"),
        (without("exp"), "Missing a required claim: exp"),
        (with("exp", json!("later")), "Missing a required claim: exp"),
        (without("iss"), "Missing a required claim: iss"),
        (
            with("iss", json!("https://evil.example.com")),
            "No OpenIDConnect provider found in your account for https://evil",
        ),
        (with("iss", json!("https://idp.example.com/")), "No OpenIDConnect provider"),
        (with("nbf", json!(at(61).as_second())), "nbf is in the future"),
        (with("iat", json!(at(61).as_second())), "iat is in the future"),
        (with("iat", json!("now")), "iat is in the future"),
    ] {
        says(&world.refused(&world.key.sign(&claims)).await, said);
    }
    // A minute of skew either way, and no more.
    let token = world.key.sign(&with("nbf", json!(at(60).as_second())));
    world.verify(&token).await.unwrap();
    world.wait(659);
    world.verify(&token).await.unwrap();
    world.wait(1);
    assert!(matches!(world.refused(&token).await, TokenError::Expired(said) if said.starts_with("Token expired: ")));
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_when_they_are_old_or_unknown() {
    let world = world();
    let token = world.key.sign(&claims());
    for _ in 0..3 {
        world.verify(&token).await.unwrap();
    }
    assert_eq!(world.asked(), 2, "discovery and keys");
    // The issuer changes its key: a token with the new one makes the server look, at most every few seconds.
    let next = Key::new("two");
    world.web.publish(&[next.jwk(), world.key.jwk()]);
    assert!(matches!(world.refused(&next.sign(&claims())).await, TokenError::NoKey { .. }));
    assert_eq!(world.asked(), 2);
    world.wait(5);
    world.verify(&next.sign(&claims())).await.unwrap();
    assert_eq!(world.asked(), 4);
    world.wait(5);
    for _ in 0..20 {
        let error = world.refused(&Key::new("invented").sign(&claims())).await;
        assert!(matches!(error, TokenError::NoKey { .. }), "{error:?}");
    }
    assert_eq!(world.asked(), 6);
    // A key that is withdrawn is believed for a quarter of an hour at most.
    world.web.publish(&[next.jwk()]);
    let long = |key: &Key| key.sign(&with("exp", json!(at(90_000).as_second())));
    world.verify(&long(&world.key)).await.unwrap();
    world.wait(900);
    assert!(matches!(world.refused(&long(&world.key)).await, TokenError::NoKey { .. }));
    world.verify(&long(&next)).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_is_down_is_believed_for_a_day() {
    let world = world();
    let token = world.key.sign(&with("exp", json!(at(900_000).as_second())));
    world.verify(&token).await.unwrap();
    world.web.put(DISCOVERY, Err(FetchError::Unreachable("refused".into())));
    world.wait(901);
    world.verify(&token).await.unwrap();
    world.wait(86_400);
    assert!(matches!(world.refused(&token).await, TokenError::Unreachable { .. }));
    world.web.publish(&[world.key.jwk()]);
    world.wait(5);
    world.verify(&token).await.unwrap();
}

#[tokio::test]
async fn documents_that_are_none_are_refused() {
    let key = Key::new("one");
    let good = json!({ "issuer": ISSUER, "jwks_uri": KEYS });
    let keys = json!({ "keys": [key.jwk()] });
    for (discovery, keys) in [
        (json!("x"), keys.clone()),
        (json!({ "issuer": "https://evil.example.com", "jwks_uri": KEYS }), keys.clone()),
        (json!({ "issuer": ISSUER }), keys.clone()),
        (json!({ "issuer": ISSUER, "jwks_uri": "http://10.0.0.1/keys" }), keys.clone()),
        (json!({ "issuer": ISSUER, "jwks_uri": "file:///etc/passwd" }), keys.clone()),
        (good.clone(), json!([])),
        (good.clone(), json!({ "keys": [] })),
        (good.clone(), json!({ "keys": vec![key.jwk(); 101] })),
        (good.clone(), json!({ "keys": [{ "kty": "oct", "kid": "one", "k": "AAAA" }] })),
        (good.clone(), json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "one", "x": "AA", "y": "AA" }] })),
    ] {
        let world = world();
        world.web.put(DISCOVERY, Ok(discovery.to_string().into_bytes()));
        world.web.put(KEYS, Ok(keys.to_string().into_bytes()));
        let error = world.refused(&key.sign(&claims())).await;
        assert!(matches!(error, TokenError::NoKey { .. }), "{error:?} for {discovery} {keys}");
    }
    let world = world();
    world.web.put(KEYS, Ok(b"\xff<html>".to_vec()));
    assert!(matches!(world.refused(&key.sign(&claims())).await, TokenError::NoKey { .. }));
}

#[tokio::test]
async fn a_token_without_a_key_id_means_the_only_key() {
    let world = world();
    let token = world.key.sign_with(&json!({ "alg": "ES256" }), &claims());
    world.verify(&token).await.unwrap();
    world.web.publish(&[world.key.jwk(), Key::new("two").jwk()]);
    world.wait(900);
    assert!(matches!(world.refused(&token).await, TokenError::NoKey { .. } | TokenError::Expired(_)));
}

#[test]
fn an_issuer_that_cannot_be_says_why() {
    for (issuer, said) in [
        ("http://idp.example.com", "https://"),
        ("ftp://idp.example.com", "https://"),
        ("idp", "https://"),
        ("https://a:b@idp.example.com", "user name"),
        ("https://idp.example.com?x=1", "query"),
    ] {
        let error = Directory::builder().issuer(Issuer::new(issuer, "x")).build().unwrap_err().to_string();
        assert!(error.contains(issuer) && error.contains(said), "{error}");
    }
    for good in ["http://127.0.0.1:8080/a", "http://localhost", "http://[::1]:1", "https://idp.example.com/realms/x"] {
        Directory::builder().issuer(Issuer::new(good, "x")).build().unwrap();
    }
    let file = Issuer { keys: KeySource::Document("{}".into()), ..Issuer::new(ISSUER, "x") };
    assert!(Directory::builder().issuer(file).build().unwrap_err().to_string().contains("jwks_file"));
    let nobody = Issuer { audiences: vec![], ..Issuer::new(ISSUER, "x") };
    assert!(Directory::builder().issuer(nobody).build().unwrap_err().to_string().contains("audience"));
}

/// Conditions know claims in any letter case: one of the caller's choice must not pass for the issuer's.
#[tokio::test]
async fn claims_that_differ_in_letter_case_only_are_refused() {
    let world = world();
    for name in ["Sub", "SUB", "AUD"] {
        let error = world.refused(&world.key.sign(&with(name, json!("good")))).await;
        says(&error, "apart from letter case");
    }
}

#[tokio::test]
async fn an_issuer_that_hangs_holds_nobody_up_whose_key_is_known() {
    let world = world();
    let good = world.key.sign(&with("exp", json!(at(900_000).as_second())));
    let strange = world.key.sign_with(&json!({ "alg": "ES256", "kid": "strange" }), &claims());
    world.verify(&good).await.unwrap();
    world.web.hangs.store(true, Ordering::SeqCst);
    for passed in [6, 901] {
        world.wait(passed);
        tokio::select! {
            biased;
            answer = world.verify(&strange) => panic!("it must still be asking: {answer:?}"),
            answer = world.verify(&good) => drop(answer.unwrap()),
        }
    }
}
