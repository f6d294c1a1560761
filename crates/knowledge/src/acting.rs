//! Acting for a role.

use outcrop_access::{Caller, CallerKind, Context};
use outcrop_wire::arn::Arn;

use crate::KnowledgeError;

/// A call by a role of `account`.
pub(crate) fn role(account: &str, region: &str, role: &str) -> Result<Context, KnowledgeError> {
    let refused = || {
        KnowledgeError::Validation(
            "Bedrock Knowledge Base was unable to assume the given role. Provide the proper permissions and retry the \
             request."
                .to_owned(),
        )
    };
    Arn::parse(role).filter(|arn| arn.account == account).ok_or_else(refused)?;
    Ok(Context::new(Caller::root(account, None, CallerKind::Session), region, "bedrock"))
}
