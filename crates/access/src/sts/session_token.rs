//! `GetSessionToken`: a user's own permissions, for a while.

use super::input::Problems;
use super::{Issued, Sts, StsError};
use crate::keys::{NewSession, ROOT, SessionOf};
use crate::{CallerKind, Context};

/// Twelve hours, as in AWS; an hour for the owner of an account.
const DEFAULT_SECONDS: u32 = 43_200;
const ROOT_SECONDS: u32 = 3600;

/// The input of `GetSessionToken`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GetSessionToken {
    /// How long the session is to last.
    pub duration_seconds: Option<u32>,
}

impl Sts {
    /// A session of the caller's own.
    pub async fn get_session_token(&self, cx: &Context, input: GetSessionToken) -> Result<Issued, StsError> {
        let mut problems = Problems::default();
        if let Some(seconds) = input.duration_seconds {
            problems.range(seconds, "durationSeconds", 900..=129_600);
        }
        problems.finish()?;
        if cx.caller.kind != CallerKind::User {
            return Err(StsError::Denied("Cannot call GetSessionToken with session credentials".into()));
        }
        let owner = cx.caller.arn.ends_with(":root");
        let user = if owner { ROOT } else { cx.caller.arn.rsplit('/').next().unwrap_or_default() };
        let asked = input.duration_seconds.unwrap_or(DEFAULT_SECONDS);
        let seconds = if owner { asked.min(ROOT_SECONDS) } else { asked };
        let mut session = NewSession::new(&cx.caller.account, SessionOf::User { user: user.to_owned() });
        session.origin = cx.caller.access_key_id.clone();
        let key = self.issue(session, seconds).await?;
        Ok(Issued { key, packed_percent: 0, subject: None, audience: None })
    }
}
