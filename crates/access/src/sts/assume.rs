//! `AssumeRole`, and what it shares with its sister for web identities.

use super::input::Problems;
use super::{Issued, Sts, StsError};
use crate::ask;
use crate::directory::{Directory, Role, check_tags};
use crate::keys::{NewSession, SessionOf};
use crate::policy::{Decision, Keys as ConditionKeys, Policy, PolicyKind, Principal, Request};
use crate::{Caller, CallerKind, Context, Decided, Permissions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The length of a session whose caller asks for none.
pub(super) const DEFAULT_SECONDS: u32 = 3600;
/// The longest session of a role that was assumed by a role's session.
const CHAINED_SECONDS: u32 = 3600;
/// Room for session policies and tags, in characters.
const ROOM: usize = 20_480;
/// The most managed policies of one session.
const MAX_POLICY_ARNS: usize = 10;

/// The input of `AssumeRole`.
#[derive(Debug, Clone, Default)]
pub struct AssumeRole {
    /// Which role.
    pub role_arn: String,
    /// What to call the session.
    pub session_name: String,
    /// How long it is to last.
    pub duration_seconds: Option<u32>,
    /// What the role's owner wants to hear from a third party.
    pub external_id: Option<String>,
    /// Who is really behind the session.
    pub source_identity: Option<String>,
    /// What it may at most.
    pub narrowing: Narrowing,
    /// Its tags.
    pub tags: SessionTags,
}

/// Session policies: what a session may, besides the role's policies, must be allowed by one of these.
#[derive(Debug, Clone, Default)]
pub struct Narrowing {
    /// A document.
    pub policy: Option<String>,
    /// Managed policies, by ARN.
    pub policy_arns: Vec<String>,
}

/// Session tags.
#[derive(Debug, Clone, Default)]
pub struct SessionTags {
    /// Key and value, as they came.
    pub tags: Vec<(String, String)>,
    /// Which of them go with roles assumed by the session.
    pub transitive: Vec<String>,
}

impl AssumeRole {
    fn check(&self) -> Result<(), StsError> {
        let mut problems = Problems::default();
        check_session(&mut problems, &self.role_arn, &self.session_name, self.duration_seconds);
        self.narrowing.check(&mut problems);
        if let Some(id) = &self.external_id {
            problems.length(id, "externalId", 2..=1224);
            problems.word(id, "externalId", "+=,.@:/-", r"[\w+=,.@:\/-]*");
        }
        if let Some(identity) = &self.source_identity {
            problems.length(identity, "sourceIdentity", 2..=64);
            problems.word(identity, "sourceIdentity", "+=,.@-", r"[\w+=,.@-]*");
        }
        problems.at_most(self.tags.tags.len(), "tags", 50);
        problems.at_most(self.tags.transitive.len(), "transitiveTagKeys", 50);
        problems.finish()
    }
}

impl Narrowing {
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(policy) = &self.policy {
            problems.length(policy, "policy", 1..=ROOM);
        }
        problems.at_most(self.policy_arns.len(), "policyArns", MAX_POLICY_ARNS);
    }

    /// Puts the policies into a session, if they are policies.
    pub(super) fn put(self, session: &mut NewSession, directory: &Directory) -> Result<(), StsError> {
        if let Some(policy) = self.policy {
            Policy::parse(&policy, PolicyKind::Identity)
                .map_err(|error| StsError::MalformedPolicy(error.to_string()))?;
            session.policies.push(policy);
        }
        for arn in self.policy_arns {
            if !directory.policy_in(&arn, &session.account) {
                return Err(StsError::Validation(format!("The policy {arn} does not exist or is not attachable.")));
            }
            session.policy_names.push(arn);
        }
        Ok(())
    }
}

/// The constraints that both calls have.
pub(super) fn check_session(problems: &mut Problems, role_arn: &str, name: &str, seconds: Option<u32>) {
    problems.required(role_arn, "roleArn");
    problems.required(name, "roleSessionName");
    if !role_arn.is_empty() {
        problems.length(role_arn, "roleArn", 20..=2048);
    }
    if !name.is_empty() {
        problems.length(name, "roleSessionName", 2..=64);
        problems.word(name, "roleSessionName", "+=,.@-", r"[\w+=,.@-]*");
    }
    if let Some(seconds) = seconds {
        problems.range(seconds, "durationSeconds", 900..=43_200);
    }
}

/// How long a session of `role` will last.
pub(super) fn seconds(role: &Role, asked: Option<u32>, chained: bool) -> Result<u32, StsError> {
    let asked = asked.unwrap_or(DEFAULT_SECONDS);
    if chained && asked > CHAINED_SECONDS {
        return Err(StsError::Validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.".into(),
        ));
    }
    if asked > role.max_session_seconds {
        return Err(StsError::Validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
        ));
    }
    Ok(asked)
}

/// How much of their room a session's policies and tags take, in percent.
pub(super) fn packed_percent(session: &NewSession) -> Result<u32, StsError> {
    let policies: usize = session.policies.iter().chain(&session.policy_names).map(String::len).sum();
    let tags: usize = session.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
    let percent = (policies + tags) * 100 / ROOM;
    if percent > 100 {
        return Err(StsError::PackedTooLarge(format!(
            "Packed size of session policies and tags consumes {percent}% of allotted space."
        )));
    }
    Ok(u32::try_from(percent).unwrap_or(100))
}

/// The condition keys that say what session is asked for.
pub(super) fn session_keys(
    keys: &mut ConditionKeys,
    name: &str,
    tags: &BTreeMap<String, String>,
    transitive: &[String],
    source_identity: Option<&str>,
) {
    keys.set("sts:RoleSessionName", name);
    for (key, value) in tags {
        keys.set(&format!("aws:RequestTag/{key}"), value.as_str());
    }
    keys.set_all("aws:TagKeys", tags.keys().cloned());
    keys.set_all("sts:TransitiveTagKeys", transitive.iter().cloned());
    if let Some(identity) = source_identity {
        keys.set("sts:SourceIdentity", identity);
    }
}

impl SessionTags {
    /// The tags as a map: keys are the same in any letter case, and none may come twice.
    fn collect(self) -> Result<(BTreeMap<String, String>, Vec<String>), StsError> {
        let mut tags = BTreeMap::new();
        for (key, value) in self.tags {
            if tags.keys().any(|known: &String| known.eq_ignore_ascii_case(&key)) {
                return Err(StsError::Validation(format!(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive: {key}"
                )));
            }
            tags.insert(key, value);
        }
        check_tags(&tags).map_err(|error| StsError::Validation(error.to_string()))?;
        for key in &self.transitive {
            if !tags.contains_key(key) {
                return Err(StsError::Validation(format!("The transitive tag key {key} is not among the tags.")));
            }
        }
        Ok((tags, self.transitive))
    }
}

impl Sts {
    /// A session of a role for a proven caller.
    pub async fn assume_role(&self, cx: &Context, input: AssumeRole) -> Result<Issued, StsError> {
        input.check()?;
        if cx.caller.kind == CallerKind::ApiKey {
            return Err(StsError::Denied("Bedrock API keys open bedrock and bedrock-runtime only.".into()));
        }
        let denied = |action: &str| {
            let (who, role) = (&cx.caller.arn, &input.role_arn);
            StsError::Denied(format!("User: {who} is not authorized to perform: {action} on resource: {role}"))
        };
        let directory = &self.directory;
        // Whether a role exists is told only to those who may assume it.
        let role = directory.role_by_arn(&input.role_arn).ok_or_else(|| denied("sts:AssumeRole"))?;
        let calling = match &cx.caller.access_key_id {
            Some(id) => self.keys.access_key(id).await?,
            None => None,
        };
        if calling.is_none() && cx.caller.kind == CallerKind::Session && cx.permissions.identity.is_some() {
            // It was revoked a moment ago.
            return Err(denied("sts:AssumeRole"));
        }
        let parent = calling.as_ref().and_then(|key| key.session.as_ref());
        let chained = parent.is_some_and(|session| matches!(session.of, SessionOf::Role { .. }));

        let (mut tags, mut transitive) = input.tags.clone().collect()?;
        let demanded = !tags.is_empty();
        let mut source_identity = input.source_identity.clone();
        if let Some(parent) = parent {
            for key in &parent.transitive {
                if tags.keys().any(|known| known.eq_ignore_ascii_case(key)) {
                    return Err(StsError::Validation(format!("The inherited session tag {key} cannot be set again.")));
                }
                tags.extend(parent.tags.get(key).map(|value| (key.clone(), value.clone())));
                transitive.push(key.clone());
            }
            if let Some(inherited) = &parent.source_identity {
                if source_identity.as_ref().is_some_and(|asked| asked != inherited) {
                    return Err(denied("sts:SetSourceIdentity"));
                }
                source_identity = Some(inherited.clone());
            }
        }

        let mut conditions = ask::keys::of(cx, &role.account, &[]);
        session_keys(&mut conditions, &input.session_name, &tags, &transitive, source_identity.as_deref());
        if let Some(id) = &input.external_id {
            conditions.set("sts:ExternalId", id.as_str());
        }
        for tag in &role.permissions.tags {
            conditions.set(&format!("aws:ResourceTag/{}", tag.0), tag.1.as_str());
        }
        let mut actions = vec!["sts:AssumeRole"];
        actions.extend(demanded.then_some("sts:TagSession"));
        actions.extend(input.source_identity.is_some().then_some("sts:SetSourceIdentity"));
        for action in actions {
            if !may(cx, &role, action, &conditions) {
                return Err(denied(action));
            }
        }

        let seconds = seconds(&role, input.duration_seconds, chained)?;
        let of = SessionOf::Role { role: role.name.clone(), name: input.session_name.clone() };
        let mut session = NewSession::new(&role.account, of);
        input.narrowing.put(&mut session, directory)?;
        session.tags = tags;
        session.transitive = transitive;
        session.source_identity = source_identity;
        session.origin = match parent {
            Some(parent) => parent.origin.clone(),
            None => cx.caller.access_key_id.clone(),
        };
        let packed_percent = packed_percent(&session)?;
        let key = self.issue(session, seconds).await?;
        Ok(Issued { key, packed_percent, subject: None, audience: None })
    }
}

/// Whether role and caller agree. The role's trust policy must allow it in any case. It is enough where it names the
/// caller within the account; where it names the account only, or from another account, the caller's own policies
/// must allow it too. A denial on either side is final.
fn may(cx: &Context, role: &Role, action: &str, conditions: &ConditionKeys) -> bool {
    let (arn, own_role) = (role.arn(), cx.caller.role_arn());
    let Caller { account, arn: caller, .. } = &cx.caller;
    let principal = Principal { account, arn: caller, role: own_role.as_deref(), ..Principal::default() };
    let request = Request { action, resource: &arn, principal, keys: conditions };
    let said = role.trust.said(&request);
    let trust = said.decision;
    let own = own_policies(&cx.permissions, &request);
    let same_account = cx.caller.account == role.account;
    let allowed = match (trust, own) {
        (Decision::Deny | Decision::Silent, _) | (_, Decision::Deny) => false,
        (_, Decision::Allow) => true,
        (Decision::Allow, _) => same_account && cx.permissions.session.is_empty(),
        (Decision::AllowAccount, _) => false,
    };
    cx.trail.decided(Decided {
        action: action.to_owned(),
        resource: Some(arn.clone()),
        allowed,
        kind: "trust",
        policy: None,
        statement: said.statement(),
    });
    allowed
}

/// What the caller's own policies say, a session's narrowing included.
fn own_policies(permissions: &Permissions, request: &Request<'_>) -> Decision {
    let said = |policies: &[Arc<Policy>]| policies.iter().map(|policy| policy.evaluate(request)).max();
    let identity = match &permissions.identity {
        None => Decision::Allow,
        Some(policies) => said(policies).unwrap_or(Decision::Silent),
    };
    match said(&permissions.session) {
        None => identity,
        Some(session) if identity.max(session) == Decision::Deny => Decision::Deny,
        Some(session) => identity.min(session),
    }
}
