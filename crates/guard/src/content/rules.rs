//! Patterns of prompt attacks, in English, French and Spanish. A match is no verdict: it is one more thing that the
//! models weigh.

use regex::RegexSet;

use crate::Refused;

/// How many rules there are.
pub const RULES: usize = PATTERNS.len();

/// Over folded text: lower case, no accents, single spaces.
const PATTERNS: [&str; 18] = [
    // Earlier instructions are to be dropped.
    r"\b(?:ignor(?:e|ez|a|en|es|ing)|disregard|forget|overlook|neglect|skip|drop|oublie[zs]?|olvid(?:a|e|en)|override)\b.{0,40}\b(?:instruction|prompt|direction|command|directive|rule|guideline|polic|message|told|consigne|regle|instruccion|orden|regla|directri)",
    r"\b(?:previous|prior|above|preceding|earlier|initial|original|precedente?s?|anterior(?:es)?|foregoing)\b.{0,20}\b(?:instruction|prompt|direction|command|directive|rule|guideline|context|consigne|instruccion|orden)",
    r"\b(?:ignore|disregard|forget|oublie[zs]?|olvida)\b.{0,25}\b(?:above|previous|everything|all of|precede|anterior|tout|todo)",
    r"\b(?:instead|a la place|en (?:su|vez)|plutot)\b.{0,30}\b(?:say|print|output|write|reply|respond|ecri[st]|di[st]|escrib)",
    // The instructions themselves are asked for.
    r"\b(?:system|initial|hidden|secret|original|developer|pre)[ -]?(?:prompt|message|instruction)s?\b|\binvite systeme\b|\bmensaje de(?:l)? sistema\b",
    r"\b(?:reveal|show|print|repeat|tell|output|display|leak|dump|list|give|share|what (?:is|are|were)|affiche|montre|repete|donne|muestra|repite|ensena|dime|cual)\b.{0,40}\b(?:your|the|tes|tus?|ta|ton)\b.{0,20}\b(?:prompt|instructions?|rules|guidelines|configuration|directives|consignes|instrucciones|reglas|password|passcode|secret|secret key|mot de passe|contrasena|clave)\b",
    r"\b(?:everything|text|words?|lines?|all|tout ce qui|todo lo que)\b.{0,20}\b(?:above|before this|precede|encima|au-dessus)\b",
    r"\b(?:do not|don't|dont|never|must not|ne|no) (?:reveal|tell|share|disclose|divulge|give|partage[zr]?|revele[zr]?|divulgue[zr]?|reveles|compartas)\b",
    // A persona without limits.
    r"\b(?:no|without|free (?:of|from)|any|not bound by|unbound|sans|sin)\b.{0,25}\b(?:restriction|filter|limitation|censor|moral|ethic|guideline|rules|policies|limite|restriccion|censura)",
    r"\b(?:you are|you're|act as|become|pretend|roleplay as|play|simulate|embody|tu es|eres|imagine)\b.{0,60}\b(?:dan|unfiltered|unrestricted|uncensored|amoral|evil|unaligned|jailbroken|unethical|sans restriction|sin restricciones)\b",
    r"\bdo anything now\b|\bdan mode\b|\bdeveloper mode\b|\bjailbreak|\bgod mode\b|\bmode developpeur\b|\bmodo desarrollador\b",
    r"\b(?:never|not|can't|cannot|won't|do not) (?:refuse|decline|reject|say no|apologi[sz]e|warn|break character|break out)\b|\bstay in character\b",
    r"\b(?:openai|anthropic|google|meta)\b.{0,30}\b(?:polic|guideline|rule|content|restriction)",
    r"\bfrom now on\b|\bhereby\b|\ba partir de (?:ahora|maintenant)\b|\bdesormais\b",
    r"\[(?:[a-z]*gpt|[a-z]{2,12})\]:|\(?[🔓🔒]|/jailbroken|/classic",
    // Something in a document speaks to the model.
    r"\b(?:ai|llm|language model|assistant|chatbot)s?\b[,:].{0,40}\b(?:must|should|ignore|disregard|stop|do not|forward|send|recommend|say|write|approve|rank)\b|\bdear (?:ai|assistant|llm)\b",
    r"<\|?(?:im_start|system|endoftext)|\[/?inst\]|### ?(?:instruction|system)|\bsystem override\b|\bnew (?:instruction|task|rule)s?\b ?:?",
    r"\bpwned\b|\bhaha\b|\bhacked\b|\bhijack|\bstop everything\b|\bnever ?mind\b",
];

/// The rules, compiled once.
#[derive(Debug)]
pub struct Rules(RegexSet);

impl Rules {
    /// Compiles them.
    pub fn new() -> Result<Self, Refused> {
        RegexSet::new(PATTERNS).map(Self).map_err(|e| Refused::Weights(e.to_string()))
    }

    /// The places of those that match a folded text.
    pub fn matching(&self, folded: &str) -> Vec<usize> {
        self.0.matches(folded).into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
