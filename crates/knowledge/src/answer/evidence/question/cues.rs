//! Words by which it is told what a question asks for and what an answer gives.

/// Quantities that are no numbers.
#[rustfmt::skip]
pub(super) const QUANTITIES: &[&str] = &[
    "several", "few", "both", "none", "half", "dozen", "dozens", "hundreds", "thousands", "millions", "billions",
    "single", "once", "twice", "thrice", "double", "triple", "pair", "couple", "unlimited", "free", "countless",
    "numerous", "every",
];

/// What says when without a date.
#[rustfmt::skip]
pub(super) const MOMENTS: &[&str] = &[
    "after", "afterwards", "always", "as", "at", "before", "christmas", "dawn", "during", "dusk", "each", "early",
    "earlier", "easter", "era", "ever", "every", "evening", "forever", "hour", "hourly", "hours", "if", "immediately",
    "instantly", "last", "late", "later", "minute", "minutes", "moment", "never", "next", "night", "now", "often",
    "on", "once", "rarely", "second", "seconds", "season", "sometimes", "soon", "sunrise", "sunset", "then", "till",
    "today", "tomorrow", "twice", "until", "upon", "usually", "weekend", "when", "whenever", "while", "yesterday",
];

/// Stems of what is a date by itself.
#[rustfmt::skip]
pub(super) const DATES: &[&str] = &[
    "januari", "februari", "march", "april", "may", "jun", "juli", "august", "septemb", "september", "octob",
    "october", "novemb", "november", "decemb", "december", "monday", "tuesday", "wednesday", "thursday", "friday",
    "saturday", "sunday", "centuri", "spring", "summer", "autumn", "wint", "winter", "midnight", "noon", "morn",
];

/// Stems of what measures time.
#[rustfmt::skip]
pub(super) const TIMES: &[&str] = &[
    "dai", "week", "month", "year", "decad", "dail", "annual", "monthl", "weekl",
];

/// What a reason begins with.
#[rustfmt::skip]
pub(super) const REASONS: &[&str] = &[
    "because", "due to", "so that", "in order to", " since ", "as a result", "reason", "caused", "led to",
    "therefore", "thus", "leading to", " to ", "for ",
];

/// What a way begins with.
#[rustfmt::skip]
pub(super) const WAYS: &[&str] = &[
    " by ", "using", " run ", "run:", "through", "via ", "with ", "use ", "must ", "set ",
];

/// What tells one to do something where a sentence begins with it.
#[rustfmt::skip]
pub(super) const ACTIONS: &[&str] = &[
    "add", "apply", "ask", "book", "build", "call", "change", "choose", "click", "configure", "contact", "copy",
    "create", "define", "delete", "disable", "download", "edit", "email", "enable", "enter", "execute", "export",
    "fill", "give", "hold", "install", "invoke", "launch", "log", "mount", "navigate", "open", "pass", "pick",
    "press", "provide", "put", "remove", "replace", "request", "restart", "run", "select", "send", "set", "sign",
    "specify", "start", "stop", "submit", "switch", "tick", "turn", "type", "upload", "use", "visit", "write",
];

/// What stands between a thing and what it is.
pub(super) const IS: &[&str] = &[" is ", " are ", " means ", " refers to ", " stands for ", " | ", ": ", " – ", " — "];

/// What a question for yes or no begins with.
#[rustfmt::skip]
pub(super) const POLAR: &[&str] = &[
    "is", "are", "was", "were", "do", "does", "did", "can", "could", "may", "might", "must", "shall", "should", "will",
    "would", "has", "have", "had", "am",
];

/// Stems of what tells which kind of quantity is asked for.
#[rustfmt::skip]
pub(super) const ASKING: &[&str] = &["long", "often", "many", "much", "larg", "big", "number", "amount"];
