//! The slice of STS that clients get credentials by: `GetCallerIdentity`, `AssumeRole`, `AssumeRoleWithWebIdentity`
//! and `GetSessionToken`.
//!
//! STS speaks the AWS Query protocol: a form in, XML out, errors as XML too. Every other action of STS answers 501 in
//! that form, naming itself. What may be assumed by whom is decided in `outcrop_access::sts`.

mod form;
#[cfg(test)]
pub(crate) mod tests;
mod xml;

use http::Response;
use outcrop_access::sts::{Issued, StsError};
use outcrop_access::{ClientInfo, Context, Sts};
use outcrop_api::Kind;

use crate::listen::Body;
use form::Form;
pub(super) use xml::element;
use xml::{error, issued, success};

const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The only action whose credential is not a signature but in the form itself.
const UNSIGNED: &str = "AssumeRoleWithWebIdentity";

const BUILT: [&str; 4] = ["AssumeRole", UNSIGNED, "GetCallerIdentity", "GetSessionToken"];
/// The other actions in the service's model.
const NOT_BUILT: [&str; 7] = [
    "AssumeRoleWithSAML",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetWebIdentityToken",
];

/// Of an answer: the action that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Action(pub &'static str);

/// Of a refusal: STS's name for it.
#[derive(Debug, Clone)]
pub struct Refused(pub String);

/// Whether a form brings its own credential, so that it needs no signature.
pub fn proves_itself(form: &str) -> bool {
    Form::read(form).get("Action") == Some(UNSIGNED)
}

/// Answers an unsigned call for which [`proves_itself`] holds.
pub async fn unsigned(sts: &Sts, client: ClientInfo, request_id: &str, form: &str) -> Response<Body> {
    let form = Form::read(form);
    match known(&form) {
        Err((status, code, message)) => error(status, code, &message, request_id),
        Ok(_) => told(UNSIGNED, web_identity(sts, client, &form).await, request_id),
    }
}

/// Answers a call of a proven caller. `form` is the body of a POST or the query of a GET.
pub async fn handle(sts: &Sts, cx: &Context, form: &str) -> Response<Body> {
    let form = Form::read(form);
    let action = match known(&form) {
        Err((status, code, message)) => return error(status, code, &message, &cx.request_id),
        Ok(action) => action,
    };
    let result = match action {
        "AssumeRole" => assume_role(sts, cx, &form).await,
        "GetSessionToken" => session_token(sts, cx, &form).await,
        UNSIGNED => web_identity(sts, cx.client, &form).await,
        _ => Ok(identity(cx)),
    };
    told(action, result, &cx.request_id)
}

/// The action asked for, if it is one of those that are built.
fn known(form: &Form) -> Result<&'static str, (u16, &'static str, String)> {
    let Some(action) = form.get("Action") else {
        return Err((400, "MissingAction", "The request must contain the parameter Action.".into()));
    };
    let version = form.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
    let built = BUILT.into_iter().find(|built| *built == action);
    let known = built.is_some() || NOT_BUILT.contains(&action);
    if !known || version != VERSION {
        let message = format!("Could not find operation {} for version {}", cut(action), cut(version));
        return Err((400, "InvalidAction", message));
    }
    built.ok_or_else(|| (501, "NotImplemented", format!("sts:{action} is not implemented by this server.")))
}

fn told(action: &'static str, result: Result<String, StsError>, request_id: &str) -> Response<Body> {
    let mut response = match result {
        Ok(xml) => success(action, &xml, request_id),
        Err(refused) => {
            let (status, code) = refused.code();
            tracing::info!(request_id, action, code, error = %refused, "refused");
            error(status, code, &refused.message(), request_id)
        }
    };
    response.extensions_mut().insert(Action(action));
    response
}

fn identity(cx: &Context) -> String {
    let caller = &cx.caller;
    [element("Arn", &caller.arn), element("UserId", &caller.user_id), element("Account", &caller.account)].concat()
}

async fn assume_role(sts: &Sts, cx: &Context, form: &Form) -> Result<String, StsError> {
    Ok(session(&sts.assume_role(cx, form.assume_role()?).await?))
}

async fn web_identity(sts: &Sts, client: ClientInfo, form: &Form) -> Result<String, StsError> {
    let made = sts.assume_role_with_web_identity(client, form.web_identity()?).await?;
    let provider = made.key.session.as_ref().and_then(|session| session.provider.as_deref());
    Ok([
        session(&made),
        element("SubjectFromWebIdentityToken", made.subject.as_deref().unwrap_or_default()),
        element("Audience", made.audience.as_deref().unwrap_or_default()),
        element("Provider", provider.unwrap_or_default()),
    ]
    .concat())
}

async fn session_token(sts: &Sts, cx: &Context, form: &Form) -> Result<String, StsError> {
    Ok(issued(&sts.get_session_token(cx, form.session_token()?).await?))
}

/// What both ways to a role's session answer.
fn session(made: &Issued) -> String {
    let user = [element("AssumedRoleId", &made.key.user_id), element("Arn", &made.arn())].concat();
    let identity = made.key.session.as_ref().and_then(|session| session.source_identity.as_deref());
    [
        issued(made),
        format!("<AssumedRoleUser>\n{user}</AssumedRoleUser>\n"),
        element("PackedPolicySize", &made.packed_percent.to_string()),
        identity.map(|identity| element("SourceIdentity", identity)).unwrap_or_default(),
    ]
    .concat()
}

/// Any refusal of the layers before, in STS's form and with STS's own names for it.
pub fn refusal(kind: Kind, message: &str, request_id: &str) -> Response<Body> {
    let code = match kind {
        Kind::UnrecognizedClient => "InvalidClientTokenId",
        Kind::InvalidSignature => "SignatureDoesNotMatch",
        Kind::MissingAuthenticationToken => "MissingAuthenticationToken",
        Kind::ExpiredToken => "ExpiredToken",
        Kind::AccessDenied => "AccessDenied",
        Kind::Throttling => "Throttling",
        Kind::InternalServer => "InternalFailure",
        Kind::ServiceUnavailable => "ServiceUnavailable",
        Kind::NotImplemented => "NotImplemented",
        Kind::Validation => "ValidationError",
        other => other.name(),
    };
    error(kind.default_status(), code, message, request_id)
}

/// Enough of a foreign text to recognise it.
fn cut(text: &str) -> &str {
    text.char_indices().nth(64).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
