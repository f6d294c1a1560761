//! Names of the model as Rust writes them.

const KEYWORDS: [&str; 12] =
    ["type", "match", "enum", "ref", "static", "use", "where", "mod", "move", "loop", "final", "override"];

/// `maxTokens` → `max_tokens`, keywords escaped.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        // A word begins at an upper-case letter after a lower-case one or digit, or before a lower-case one.
        let before = i.checked_sub(1).map(|p| chars[p]);
        let after = chars.get(i + 1);
        let begins = c.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if begins {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    if KEYWORDS.contains(&out.as_str()) { format!("r#{out}") } else { out }
}

/// `end_turn`, `ON_DEMAND`, `endTurn` → `EndTurn`, `OnDemand`, `EndTurn`.
pub fn pascal(name: &str) -> String {
    let shouting = !name.chars().any(|c| c.is_ascii_lowercase());
    let mut out = String::new();
    let mut upper = true;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            upper = true;
        } else if upper {
            out.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            out.push(if shouting { c.to_ascii_lowercase() } else { c });
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("V{out}") } else { out }
}

/// `MaxTokens` → `MAX_TOKENS`.
pub fn shout(name: &str) -> String {
    snake(name).trim_start_matches("r#").to_ascii_uppercase()
}

/// The pattern in the `regex` crate's syntax: `\d`, `\w`, `\s` are ASCII as in Java, and characters that only this
/// crate treats as class operators are escaped.
pub fn regex(pattern: &str) -> String {
    let (mut out, mut class, mut chars) = (String::new(), false, pattern.chars().peekable());
    let mut fresh = false;
    while let Some(c) = chars.next() {
        let was_fresh = std::mem::replace(&mut fresh, false);
        match c {
            '\\' => {
                let next = chars.next().unwrap_or('\\');
                let set = match next {
                    'd' => "0-9",
                    'w' => "0-9A-Za-z_",
                    's' => r" \t\n\x0B\f\r",
                    _ => "",
                };
                match (set, class) {
                    ("", _) => out.extend(['\\', next]),
                    (set, true) => out.push_str(set),
                    (set, false) => out.push_str(&format!("[{set}]")),
                }
            }
            '[' if !class => {
                class = true;
                fresh = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            '[' | '&' | '~' if class => out.extend(['\\', c]),
            ']' if class && !was_fresh => {
                class = false;
                out.push(']');
            }
            // A hyphen beside a class escape is literal in Java; say so. Before `\u00FF` it is a range.
            '-' if class && stands_alone(chars.clone()) => out.push_str(r"\-"),
            _ => out.push(c),
        }
    }
    out
}

/// Whether a hyphen in a class, by what comes after it, is itself.
fn stands_alone(mut rest: impl Iterator<Item = char>) -> bool {
    match rest.next() {
        Some(']') => true,
        Some('\\') => !matches!(rest.next(), Some('u' | 'x')),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
