//! Texts with wildcards and variables.

use super::Keys;

/// A text in lower case, for what IAM compares without regard to letter case.
#[derive(Debug)]
pub(super) struct Lowered(String);

impl Lowered {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How wildcards treat the colons of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colons {
    /// `*` is a letter like any other: StringEquals.
    Literal,
    /// They are letters like others: StringLike.
    Free,
    /// `Resource`: wildcards stay within their segment, but a `*` that ends one may go beyond it. The sixth segment
    /// is all the rest.
    Resource,
    /// ArnLike: every one of the six segments is compared by itself; only a `*` at the very end stands for all that
    /// follows.
    Arn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    /// `*`; does it match a colon?
    Star(bool),
    /// `?`; does it match a colon?
    One(bool),
    Variable(Box<Variable>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    key: Box<str>,
    default: Option<Box<str>>,
}

/// A text with wildcards and variables, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    fold: bool,
    variables: bool,
}

impl Pattern {
    /// Compiles `text`. `variables`: whether `${…}` is one, which the version of the document says. An error says
    /// what is wrong with a variable.
    pub(super) fn new(text: &str, colons: Colons, variables: bool) -> Result<Self, String> {
        let mut pattern = Self { parts: Vec::new(), fold: false, variables: false };
        let (mut rest, mut segment, mut literal) = (text, 0, String::new());
        while let Some(letter) = rest.chars().next() {
            if variables && rest.starts_with("${") {
                let (inside, after) =
                    rest[2..].split_once('}').ok_or_else(|| format!("The variable in \"{text}\" has no end."))?;
                rest = after;
                match inside {
                    // Each stands for itself.
                    "*" | "?" | "$" => literal.push_str(inside),
                    _ => {
                        pattern.literal(&mut literal);
                        pattern.variables = true;
                        pattern.parts.push(Part::Variable(Box::new(Variable::parse(inside)?)));
                    }
                }
                continue;
            }
            rest = &rest[letter.len_utf8()..];
            let last = segment >= 5;
            let wildcard = match (letter, colons) {
                (_, Colons::Literal) => None,
                ('*', Colons::Free) => Some(Part::Star(true)),
                ('?', Colons::Free) => Some(Part::One(true)),
                ('*', Colons::Resource) => Some(Part::Star(last || rest.is_empty() || rest.starts_with(':'))),
                ('*', Colons::Arn) => Some(Part::Star(last || rest.is_empty())),
                ('?', Colons::Resource | Colons::Arn) => Some(Part::One(last)),
                _ => None,
            };
            match wildcard {
                Some(part) => {
                    pattern.literal(&mut literal);
                    // `**` is `*`; many in a row would only cost time.
                    if pattern.parts.last() != Some(&part) || matches!(part, Part::One(_)) {
                        pattern.parts.push(part);
                    }
                }
                None => {
                    segment += usize::from(letter == ':');
                    literal.push(letter);
                }
            }
        }
        pattern.literal(&mut literal);
        Ok(pattern)
    }

    fn literal(&mut self, literal: &mut String) {
        if !literal.is_empty() {
            self.parts.push(Part::Text(std::mem::take(literal).into()));
        }
    }

    /// The same without regard to letter case.
    pub(super) fn folded(mut self) -> Self {
        self.fold = true;
        for part in &mut self.parts {
            if let Part::Text(text) = part {
                *text = text.to_lowercase().into();
            }
        }
        self
    }

    /// Whether a variable names a key that starts so.
    pub(super) fn mentions(&self, start: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Variable(variable) if variable.key.starts_with(start)))
    }

    /// The text, where there is neither wildcard nor variable in it.
    pub(super) fn fixed(&self) -> Option<&str> {
        match &self.parts[..] {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text before the first wildcard.
    pub(super) fn start(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// Whether every variable has a value.
    pub(super) fn resolves(&self, keys: &Keys) -> bool {
        let has = |variable: &Variable| variable.default.is_some() || keys.single(&variable.key).is_some();
        self.parts.iter().all(|part| !matches!(part, Part::Variable(variable) if !has(variable)))
    }

    /// Whether `text` fits. A variable without value or default fits nothing. `text` is in lower case already where
    /// the pattern is folded.
    pub(super) fn matches(&self, text: &str, keys: &Keys) -> bool {
        if !self.variables {
            return fits(&self.parts, text);
        }
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            parts.push(match part {
                Part::Variable(variable) => match keys.single(&variable.key).or(variable.default.as_deref()) {
                    Some(value) if self.fold => Part::Text(value.to_lowercase().into()),
                    Some(value) => Part::Text(value.into()),
                    None => return false,
                },
                other => other.clone(),
            });
        }
        fits(&parts, text)
    }
}

impl Variable {
    /// `aws:username`, or with a default `aws:PrincipalTag/team, 'company-wide'`.
    fn parse(text: &str) -> Result<Self, String> {
        let (key, default) = match text.split_once(',') {
            None => (text.trim(), None),
            Some((key, default)) => {
                let inner = default.trim().strip_prefix('\'').and_then(|default| default.strip_suffix('\''));
                let told = || format!("The default of the variable ${{{text}}} must stand in single quotes.");
                (key.trim(), Some(inner.ok_or_else(told)?.into()))
            }
        };
        if !key.contains(':') || key.contains(['$', '{', '*', '?', ' ']) {
            return Err(format!("${{{text}}} is not a policy variable."));
        }
        Ok(Self { key: key.to_lowercase().into(), default })
    }
}

/// Greedy matching that remembers two stars: the last one, and the last one that may cross colons, to which it
/// returns where the other meets a colon.
fn fits(parts: &[Part], text: &str) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut wide: Option<(usize, usize)> = None;
    loop {
        let rest = &text[from..];
        match parts.get(at) {
            Some(Part::Star(crosses)) => {
                at += 1;
                // Nothing behind it: all the rest is its own, if it may be.
                if at == parts.len() && (*crosses || !rest.contains(':')) {
                    return true;
                }
                if *crosses {
                    (wide, star) = (Some((at, from)), None);
                } else {
                    star = Some((at, from));
                }
                continue;
            }
            Some(Part::Text(wanted)) if rest.starts_with(&**wanted) => {
                (at, from) = (at + 1, from + wanted.len());
                continue;
            }
            Some(Part::One(crosses)) if rest.chars().next().is_some_and(|letter| *crosses || letter != ':') => {
                (at, from) = (at + 1, from + rest.chars().next().map_or(0, char::len_utf8));
                continue;
            }
            None if rest.is_empty() => return true,
            _ => {}
        }
        // No way on: the last star takes one letter more.
        let letter = |from: usize| text[from..].chars().next();
        if let Some((after, taken)) = star
            && let Some(letter) = letter(taken).filter(|letter| *letter != ':')
        {
            let taken = taken + letter.len_utf8();
            (star, at, from) = (Some((after, taken)), after, taken);
        } else if let Some((after, taken)) = wide
            && let Some(letter) = letter(taken)
        {
            let mut taken = taken + letter.len_utf8();
            // Straight to where the text behind the star is next.
            if let Some(Part::Text(wanted)) = parts.get(after) {
                let Some(skipped) = text[taken..].find(&**wanted) else { return false };
                taken += skipped;
            }
            (wide, star, at, from) = (Some((after, taken)), None, after, taken);
        } else {
            return false;
        }
    }
}
