//! The local authority of `outcrop dev --tls`: made once, so that it is trusted once.
//!
//! Its key can sign for this machine's own names only: the certificate says so (name constraints), so whoever trusts
//! it risks nothing but localhost, even if the key is stolen.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};

use super::files::expiry;
use super::{TlsError, TlsFiles};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Ten years: it is trusted by hand, and nobody likes to do that again.
const AUTHORITY_DAYS: i32 = 3650;
const LEAF_DAYS: i32 = 90;
/// Renewed when this little of its time is left.
const RENEW_DAYS: i32 = 30;

/// What clients are told, and what the server uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// For `AWS_CA_BUNDLE`.
    pub bundle: PathBuf,
    /// For the server.
    pub files: TlsFiles,
}

/// Makes in `folder` what is missing there or about to expire.
pub fn prepare(folder: &Path) -> Result<Local, TlsError> {
    let failed = |why: String| TlsError::Authority { folder: folder.to_owned(), why };
    let (bundle, authority_key) = (folder.join("authority.pem"), folder.join("authority.key"));
    // Certificate and key in one file, so that both are exchanged in one step.
    let leaf = folder.join("localhost.pem");
    let io = |error: std::io::Error| failed(error.to_string());
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;

    let whole = bundle.exists() && authority_key.exists();
    if !whole || !lasts(&bundle)? {
        let (certificate, key) = authority().map_err(|e| failed(e.to_string()))?;
        // The key first: with a certificate alone the next start would find a pair that is none.
        fs::remove_file(&leaf).or_else(absent).map_err(io)?;
        write(&authority_key, &key, 0o600).map_err(io)?;
        write(&bundle, &certificate, 0o644).map_err(io)?;
    }
    if !leaf.exists() || !lasts(&leaf)? {
        let read = |path: &Path| fs::read_to_string(path).map_err(|e| failed(format!("{}: {e}", path.display())));
        let made = leaf_of(&read(&bundle)?, &read(&authority_key)?).map_err(|e| failed(e.to_string()))?;
        write(&leaf, &made, 0o600).map_err(io)?;
    }
    Ok(Local { bundle, files: TlsFiles { cert: leaf.clone(), key: leaf, client_ca: None, client_auth: None } })
}

fn lasts(path: &Path) -> Result<bool, TlsError> {
    Ok(expiry(path, "the local authority")? > Timestamp::now() + DAY * RENEW_DAYS)
}

/// The authority's certificate and its key.
fn authority() -> Result<(String, String), rcgen::Error> {
    let mut params = named("Outcrop local authority", AUTHORITY_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(std::net::Ipv6Addr::LOCALHOST.octets(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });
    let key = KeyPair::generate()?;
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// A certificate for this machine's names by the authority, and its key, in one text.
fn leaf_of(authority: &str, authority_key: &str) -> Result<String, rcgen::Error> {
    let issuer = Issuer::from_ca_cert_pem(authority, KeyPair::from_pem(authority_key)?)?;
    let mut params = named("Outcrop on this machine", LEAF_DAYS)?;
    params.subject_alt_names =
        CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()])?.subject_alt_names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // OpenSSL, in the strict mode that Python 3.13 turned on, asks for it.
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok(params.signed_by(&key, &issuer)?.pem() + &key.serialize_pem())
}

fn named(name: &str, days: i32) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |at: Timestamp| {
        let date = at.to_zoned(TimeZone::UTC).date();
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    // Clocks differ.
    params.not_before = day(Timestamp::now() - DAY);
    params.not_after = day(Timestamp::now() + DAY * days);
    Ok(params)
}

/// Writes `path` in one step: whoever reads it sees the old text or the new one.
fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    fs::remove_file(&draft).or_else(absent)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, path)
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
