//! The guardrails of all accounts, and which of them a call has.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_admission::text_units::Quotas;
use outcrop_guard::content::Classifier;
use outcrop_guard::{Encoder, Guard, How, Refused, Unmeasured};
use outcrop_resources::tags::pairs;
use outcrop_resources::{Collection, Mirror, Resources, Scope, Tagger};
use outcrop_telemetry::metrics::Metrics;
use outcrop_telemetry::{Prices, Recorder};
use outcrop_wire::arn::Arn;

use crate::applied::{Applied, Guarding, Origin, Selective, Whose};
use crate::definition::Definition;
use crate::enforced::{self, Enforced};
use crate::error::GuardrailsError;
use crate::judge::{self, Judge};
use crate::kept::{self, Entry, GUARDRAIL, Guardrail, KINDS};
use crate::memory::{Compiled, Memory};
use crate::turns::{Judges, Work};

/// How often a write is tried where others write the same guardrail at the same time.
pub(crate) const TRIES: usize = 16;

/// What is done with a text that could not be judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The call is refused.
    #[default]
    Block,
    /// The policies that could not judge say nothing, and the log says so.
    Allow,
}

/// What the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What is done with a text that could not be judged.
    pub on_failure: OnFailure,
    /// ARNs of guardrails, each with `:` and a version, that hold for the calls of all accounts.
    pub enforce: Vec<String>,
    /// What is done with a text in a language that a policy was not measured in.
    pub unmeasured: Unmeasured,
    /// Which guardrails ask models as well.
    pub judges: Vec<judge::Rule>,
}

/// The guardrails of all accounts. Cheap to clone.
#[derive(Clone)]
pub struct Guardrails(Arc<Inner>, Around);

/// What stands around guardrails: who counts, limits and helps.
#[derive(Clone, Default)]
pub(crate) struct Around {
    pub(crate) metrics: Option<Arc<Metrics>>,
    pub(crate) recorder: Option<(Recorder, Arc<Prices>)>,
    pub(crate) quotas: Quotas,
    pub(crate) judge: Option<Arc<dyn Judge>>,
}

struct Inner {
    resources: Resources,
    collection: Collection<Guardrail>,
    tagger: Tagger,
    memory: Memory,
    encoder: Arc<dyn Encoder>,
    classifier: Arc<Classifier>,
    judges: Judges,
    settings: Settings,
}

impl Guardrails {
    /// Guardrails in `resources`. Their memory is their own and fills with their own writes; see
    /// [`remembering`](Self::remembering).
    pub fn new(
        resources: &Resources,
        encoder: Arc<dyn Encoder>,
        classifier: Arc<Classifier>,
        settings: Settings,
    ) -> Self {
        Self::remembering(resources, Memory::new(resources), encoder, classifier, settings)
    }

    /// The same with a memory that is kept fresh.
    pub fn remembering(
        resources: &Resources,
        memory: Memory,
        encoder: Arc<dyn Encoder>,
        classifier: Arc<Classifier>,
        settings: Settings,
    ) -> Self {
        let judges = Judges::new(settings.on_failure, Arc::clone(&encoder), Arc::clone(&classifier));
        let inner = Inner {
            resources: resources.clone(),
            collection: resources.collection(&GUARDRAIL),
            tagger: resources.tagger(KINDS),
            memory,
            encoder,
            classifier,
            judges,
            settings,
        };
        Self(Arc::new(inner), Around::default())
    }

    /// The same, counted in `metrics`.
    #[must_use]
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self(self.0, Around { metrics: Some(metrics), ..self.1 })
    }

    /// The same; what is judged without a model is told to `recorder`, at these prices.
    #[must_use]
    pub fn recorded(self, recorder: Recorder, prices: Arc<Prices>) -> Self {
        Self(self.0, Around { recorder: Some((recorder, prices)), ..self.1 })
    }

    /// The same, within `quotas` of text units.
    #[must_use]
    pub fn limited(self, quotas: Quotas) -> Self {
        Self(self.0, Around { quotas, ..self.1 })
    }

    /// The same, asking `judge` where the settings say so.
    #[must_use]
    pub fn judged(self, judge: Arc<dyn Judge>) -> Self {
        Self(self.0, Around { judge: Some(judge), ..self.1 })
    }

    /// What stands around them.
    pub(crate) fn around(&self) -> &Around {
        &self.1
    }

    /// The guardrail that a call names, by id or ARN, if the caller may apply it.
    pub async fn find(&self, cx: &Context, identifier: &str, version: &str) -> Result<Arc<Applied>, GuardrailsError> {
        if identifier.is_empty() || version.is_empty() {
            return Err(GuardrailsError::IncorrectFormat);
        }
        let owner = owner(cx, identifier);
        let id = match GUARDRAIL.id(owner, identifier) {
            Some(id) if id == identifier && !is_id(id) => return Err(GuardrailsError::InvalidIdentifier),
            Some(id) => id,
            None => return Err(GuardrailsError::Unknown),
        };
        self.ask(cx, "bedrock:ApplyGuardrail", &GUARDRAIL.arn(owner, id)).await?;
        let compiled = self.compiled(owner, id, version).await?;
        Ok(Arc::new(self.applied(cx, owner, id, version, compiled)))
    }

    /// The guardrails that hold for a call of `model_id`, a model's base id, whatever it names itself: the account's,
    /// then the operator's. [`GuardrailsError::Access`] where the caller may not apply the account's.
    pub async fn enforced(&self, cx: &Context, model_id: &str) -> Result<Vec<Arc<Applied>>, GuardrailsError> {
        let mut all = Vec::new();
        let here = scope(cx);
        let of_account = self.enforcements().get(&enforced::id(here)).filter(|enforced| enforced.is_for(model_id));
        if let Some(enforced) = of_account {
            let (id, version) = (&enforced.guardrail, &enforced.version);
            self.ask(cx, "bedrock:ApplyGuardrail", &GUARDRAIL.arn(here, id)).await?;
            let compiled = self.compiled(here, id, version).await?;
            let applied = self.applied(cx, here, id, version, compiled);
            let selective = Some(enforced.selective());
            all.push(Arc::new(Applied { origin: Origin::Account, selective, ..applied }));
        }
        for enforced in &self.0.settings.enforce {
            let missing = || self.missing(enforced);
            let (arn, version) = enforced.rsplit_once(':').ok_or_else(missing)?;
            let parts = Arn::parse(arn).ok_or_else(missing)?;
            let owner = Scope { account: parts.account, region: parts.region };
            let id = GUARDRAIL.id_in(owner, arn).ok_or_else(missing)?;
            match self.compiled(owner, id, version).await {
                Ok(compiled) => {
                    let applied = self.applied(cx, owner, id, version, compiled);
                    let whole = Selective { system: Guarding::Comprehensive, messages: Guarding::Comprehensive };
                    all.push(Arc::new(Applied { origin: Origin::Operator, selective: Some(whole), ..applied }));
                }
                Err(GuardrailsError::Unknown) if self.0.settings.on_failure == OnFailure::Allow => {
                    tracing::error!(
                        guardrail = enforced,
                        "[guardrails] enforce names no guardrail: calls go without it"
                    );
                }
                Err(GuardrailsError::Unknown) => return Err(missing()),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn missing(&self, arn: &str) -> GuardrailsError {
        let reason = "the server's configuration enforces it ([guardrails] enforce), and there is no such version";
        GuardrailsError::Failed { arn: arn.to_owned(), reason: reason.to_owned() }
    }

    fn applied(&self, cx: &Context, owner: Scope<'_>, id: &str, version: &str, compiled: Arc<Compiled>) -> Applied {
        let arn = GUARDRAIL.arn(owner, id);
        let rules = self.0.settings.judges.iter().filter(|rule| rule.is_for(id, &arn));
        let rules: Vec<judge::Rule> = rules.cloned().collect();
        let whose = Whose {
            account: cx.caller.account.clone(),
            region: cx.region.clone(),
            cx: (!rules.is_empty()).then(|| cx.clone()),
            rules,
            around: self.1.clone(),
        };
        Applied {
            id: id.to_owned(),
            version: version.to_owned(),
            how: How { unmeasured: self.0.settings.unmeasured, ..How::default() },
            whose: Arc::new(whose),
            arn,
            origin: Origin::Request,
            selective: None,
            guard: Arc::clone(&compiled.guard),
            blocked_input: Arc::clone(&compiled.blocked_input),
            blocked_output: Arc::clone(&compiled.blocked_output),
            images: compiled.images,
            foreign: owner.account != cx.caller.account,
            judges: self.0.judges.clone(),
        }
    }

    /// A version, compiled. The digest of its contents is in memory; whoever has judged by the same contents before
    /// has compiled them for everybody.
    async fn compiled(&self, owner: Scope<'_>, id: &str, version: &str) -> Result<Arc<Compiled>, GuardrailsError> {
        let arn = GUARDRAIL.arn(owner, id);
        let digest = || self.index().get(&arn).and_then(|entry| entry.versions.get(version).cloned());
        let mut found = digest();
        if found.is_none() {
            // Made by another process a moment ago, perhaps.
            self.index().catch_up().await?;
            found = digest();
        }
        let found = found.ok_or(GuardrailsError::Unknown)?;
        if let Some(compiled) = self.0.memory.compiled().get(&found) {
            return Ok(compiled);
        }
        let definition = self.contents(owner, id, version).await?.ok_or(GuardrailsError::Unknown)?;
        let digest = crate::control::hash(&definition)?; // The draft may have been edited since.
        let this = self.clone();
        let compile = move |_| {
            let cache = this.0.memory.compiled();
            // Who finds it being compiled waits for that.
            cache.try_get_with(digest, || this.compile(&arn, &definition).map(Arc::new)).map_err(
                |error| match &*error {
                    CompileError::Degraded(compiled) => Ok(Arc::clone(compiled)),
                    CompileError::Failed { arn, reason } => {
                        Err(GuardrailsError::Failed { arn: arn.clone(), reason: reason.clone() })
                    }
                },
            )
        };
        match self.0.judges.run(Work::Short, compile).await? {
            Ok(compiled) | Err(Ok(compiled)) => Ok(compiled),
            Err(Err(error)) => Err(error),
        }
    }

    fn compile(&self, arn: &str, definition: &Definition) -> Result<Compiled, CompileError> {
        let compiled = |guard: Guard| Compiled {
            guard: Arc::new(guard),
            blocked_input: definition.blocked_input.as_str().into(),
            blocked_output: definition.blocked_output.as_str().into(),
            images: definition.looks_at_images(),
        };
        let guard = |policy| Guard::new(policy, Arc::clone(&self.0.encoder), Arc::clone(&self.0.classifier));
        let failed = |error: Refused| CompileError::Failed { arn: arn.to_owned(), reason: error.to_string() };
        match guard(definition.policy()) {
            Ok(guard) => Ok(compiled(guard)),
            Err(error @ Refused::Encoder(_)) if self.0.settings.on_failure == OnFailure::Allow => {
                tracing::error!(guardrail = arn, %error, "only words, PII and expressions are judged");
                let guard = guard(definition.policy().without_encoder()).map_err(failed)?;
                // Not kept: the encoder may work again.
                Err(CompileError::Degraded(Arc::new(compiled(guard))))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The contents of a version, from the store.
    pub(crate) async fn contents(
        &self,
        owner: Scope<'_>,
        id: &str,
        version: &str,
    ) -> Result<Option<Definition>, GuardrailsError> {
        let key = kept::contents_key(owner, id, version);
        let document = self.resources().store().get(key.clone()).await.map_err(outcrop_resources::Error::from)?;
        let Some(document) = document else { return Ok(None) };
        let unreadable = |error: serde_json::Error| outcrop_resources::Error::Unreadable {
            kind: kept::CONTENTS,
            id: key.id.clone(),
            reason: error.to_string(),
        };
        Ok(Some(serde_json::from_slice(&document.body).map_err(unreadable)?))
    }

    /// Whose guardrail an operation names, and its id, if the caller may do this to it.
    pub(crate) async fn may<'a>(
        &self,
        cx: &'a Context,
        action: &str,
        identifier: &'a str,
    ) -> Result<(Scope<'a>, &'a str), GuardrailsError> {
        let owner = owner(cx, identifier);
        let unknown = || outcrop_resources::Error::NotFound { noun: GUARDRAIL.noun, identifier: identifier.to_owned() };
        let id = GUARDRAIL.id(owner, identifier).filter(|id| !id.is_empty()).ok_or_else(unknown)?;
        self.ask(cx, action, &GUARDRAIL.arn(owner, id)).await?;
        Ok((owner, id))
    }

    /// Whether the caller may do `action` to the guardrail `arn`, whose tags are read where a policy asks for them.
    async fn ask(&self, cx: &Context, action: &str, arn: &str) -> Result<(), GuardrailsError> {
        let tags = self.0.tagger.asked(cx, owner(cx, arn), arn).await?;
        Ok(cx.ask(action).on(arn).resource_tags(pairs(&tags)).check()?)
    }

    pub(crate) fn resources(&self) -> &Resources {
        &self.0.resources
    }

    pub(crate) fn collection(&self) -> &Collection<Guardrail> {
        &self.0.collection
    }

    pub(crate) fn index(&self) -> &Mirror<Entry> {
        self.0.memory.index()
    }

    pub(crate) fn enforcements(&self) -> &Mirror<Enforced> {
        self.0.memory.enforcements()
    }

    /// Where texts are judged without a guardrail.
    pub(crate) fn judges(&self) -> &Judges {
        &self.0.judges
    }
}

/// Why contents are not among the compiled ones.
enum CompileError {
    /// They are compiled but for what needs the encoder.
    Degraded(Arc<Compiled>),
    /// They cannot be compiled.
    Failed { arn: String, reason: String },
}

/// Whether something has the form of a guardrail's id.
fn is_id(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Whose the guardrail of `identifier` is for this call: another account's only if it has a policy, which then decides.
fn owner<'a>(cx: &'a Context, identifier: &'a str) -> Scope<'a> {
    match Arn::parse(identifier) {
        Some(arn) if arn.region == cx.region && cx.resource_policies.get(identifier).is_some() => {
            Scope { account: arn.account, region: arn.region }
        }
        _ => scope(cx),
    }
}

/// Whose guardrails a call may see.
pub(crate) fn scope(cx: &Context) -> Scope<'_> {
    Scope { account: &cx.caller.account, region: &cx.region }
}
