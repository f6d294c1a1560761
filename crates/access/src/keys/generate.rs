//! Making keys, in the forms that AWS gives them.

use super::{AccessKey, ApiKey, NewSession, ROOT, Session, SessionOf};
use crate::account::{BASE32, coded_account, is_account};
use crate::{AccessError, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use outcrop_wire::sigv4::sha256_hex;
use sha2::{Digest, Sha256};

/// The longest life of an API key that IAM admits, in days.
const MAX_DAYS: u32 = 36_600;

impl AccessKey {
    /// A new long-term key for `user` of `account` that ends after `days`, or never; its secret comes from the
    /// operating system's randomness.
    pub fn generate(account: &str, user: &str, days: Option<u32>, now: Timestamp) -> Result<Self, AccessError> {
        check_account(account)?;
        check_name(user)?;
        Ok(Self {
            id: format!("AKIA{}", key_id(account)?),
            secret: secret()?,
            account: account.to_owned(),
            user: user.to_owned(),
            user_id: user_id(account, user),
            created_at: now,
            expires_at: end(days, now)?,
            session: None,
        })
    }

    /// A new temporary key, good for `seconds` from `now`.
    pub fn generate_session(new: NewSession, seconds: u32, now: Timestamp) -> Result<Self, AccessError> {
        check_account(&new.account)?;
        let account = new.account.as_str();
        let (user, user_id) = match &new.of {
            SessionOf::Role { role, name } => {
                check_name(role)?;
                check_name(name)?;
                (format!("{role}/{name}"), format!("{}:{name}", role_id(account, role)))
            }
            SessionOf::User { user } => (user.clone(), user_id(account, user)),
        };
        let session = Session {
            token: Secret::new(STANDARD.encode(random::<96>()?)),
            expires_at: after(now, i64::from(seconds))?,
            of: new.of,
            policies: new.policies,
            policy_names: new.policy_names,
            tags: new.tags,
            transitive: new.transitive,
            source_identity: new.source_identity,
            origin: new.origin,
            provider: new.provider,
        };
        Ok(Self {
            id: format!("ASIA{}", key_id(account)?),
            secret: secret()?,
            user,
            user_id,
            created_at: now,
            expires_at: None,
            session: Some(session),
            account: new.account,
        })
    }
}

impl ApiKey {
    /// A new Bedrock API key for `user` of `account`, or for a user that stands for the key alone, that ends after
    /// `days`, or never; and the key itself, which is not kept and cannot be shown again.
    pub fn generate(
        account: &str,
        user: Option<&str>,
        days: Option<u32>,
        now: Timestamp,
    ) -> Result<(Self, Secret), AccessError> {
        check_account(account)?;
        let letters: String =
            random::<4>()?.map(|b| char::from(BASE32[usize::from(b & 31)]).to_ascii_lowercase()).iter().collect();
        let own = format!("BedrockAPIKey-{letters}");
        let inner = format!("{own}-at-{account}:{}", secret()?.reveal());
        let user = user.map_or(own, str::to_owned);
        check_name(&user)?;
        let token = Secret::new(format!("ABSK{}", STANDARD.encode(inner)));
        let key = Self {
            id: format!("ACCA{}", key_id(account)?),
            hash: Self::hash(token.reveal()),
            account: account.to_owned(),
            user_id: user_id(account, &user),
            user,
            created_at: now,
            expires_at: end(days, now)?,
        };
        Ok((key, token))
    }

    /// Under which a key sent as a bearer token is looked up.
    pub fn hash(token: &str) -> String {
        sha256_hex(token.as_bytes())
    }

    /// The account that a key's own text names, where it has the form of a long-term key.
    pub(crate) fn account_in(token: &str) -> Option<String> {
        let inner = STANDARD.decode(token.strip_prefix("ABSK")?).ok()?;
        let (name, _) = std::str::from_utf8(&inner).ok()?.split_once(':')?;
        let (user, account) = name.rsplit_once("-at-")?;
        (user.starts_with("BedrockAPIKey-") && is_account(account)).then(|| account.to_owned())
    }
}

fn check_account(account: &str) -> Result<(), AccessError> {
    if is_account(account) {
        return Ok(());
    }
    Err(AccessError::BadKey(format!("'{account}' is not an account: an account has 12 digits")))
}

fn end(days: Option<u32>, now: Timestamp) -> Result<Option<Timestamp>, AccessError> {
    let Some(days) = days else { return Ok(None) };
    if days == 0 || days > MAX_DAYS {
        return Err(AccessError::BadKey(format!("a key lives for 1 to {MAX_DAYS} days")));
    }
    after(now, i64::from(days) * 86_400).map(Some)
}

/// IAM's rule for names of users, roles and sessions.
pub(crate) fn check_name(name: &str) -> Result<(), AccessError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(AccessError::BadKey("a name has 1 to 64 letters, digits or _+=,.@-".to_owned()))
}

fn key_id(account: &str) -> Result<String, AccessError> {
    let number = account.parse().map_err(|_| AccessError::BadKey("an account has 12 digits".to_owned()))?;
    Ok(coded_account(number, u64::from_be_bytes(random()?)))
}

/// Forty characters, 240 bits.
fn secret() -> Result<Secret, AccessError> {
    Ok(Secret::new(STANDARD.encode(random::<30>()?)))
}

/// The id of a user; the owner's is its account, as AWS has it.
fn user_id(account: &str, user: &str) -> String {
    if user == ROOT { account.to_owned() } else { unique_id("AIDA", account, user) }
}

/// The id of a role.
pub(crate) fn role_id(account: &str, role: &str) -> String {
    unique_id("AROA", account, role)
}

/// The id of a principal: the same for the same name, so that no table of users is needed.
fn unique_id(prefix: &str, account: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{prefix}:{account}:{name}"));
    let letters: String = digest.iter().take(17).map(|b| char::from(BASE32[usize::from(b & 31)])).collect();
    format!("{prefix}{letters}")
}

fn after(now: Timestamp, seconds: i64) -> Result<Timestamp, AccessError> {
    now.checked_add(SignedDuration::from_secs(seconds))
        .map_err(|_| AccessError::BadKey("a key cannot live that long".to_owned()))
}

fn random<const N: usize>() -> Result<[u8; N], AccessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| AccessError::Unavailable(error.to_string()))?;
    Ok(bytes)
}
