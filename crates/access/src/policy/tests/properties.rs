//! What holds of every policy.

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Line {
    deny: bool,
    not_action: bool,
    action: String,
    not_resource: bool,
    resource: String,
    condition: Option<(&'static str, &'static str)>,
}

impl Line {
    fn print(&self) -> String {
        let effect = if self.deny { "Deny" } else { "Allow" };
        let (action, resource) = (
            if self.not_action { "NotAction" } else { "Action" },
            if self.not_resource { "NotResource" } else { "Resource" },
        );
        let condition = self
            .condition
            .map_or(String::new(), |(operator, value)| format!(r#","Condition":{{"{operator}":{{"a:k":"{value}"}}}}"#));
        format!(r#"{{"Effect":"{effect}","{action}":"{}","{resource}":"{}"{condition}}}"#, self.action, self.resource)
    }
}

fn action() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["*", "a:*", "a:x", "a:y", "a:x*", "b:x", "*:x", "?:y", "A:X"]).prop_map(str::to_owned)
}

fn resource() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "*",
        "arn:aws:a:*",
        "arn:aws:a:r::x",
        "arn:aws:a:*:*:x",
        "arn:aws:a:r::*",
        "arn:aws:a:r::${a:k}",
        "arn:*:a:?::y",
    ])
    .prop_map(str::to_owned)
}

prop_compose! {
    fn line()(
        deny in any::<bool>(), not_action in any::<bool>(), action in action(), not_resource in any::<bool>(),
        resource in resource(),
        condition in prop::option::of((
            prop::sample::select(vec!["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"]),
            prop::sample::select(vec!["x", "y", "*"]),
        )),
    ) -> Line {
        Line { deny, not_action, action, not_resource, resource, condition }
    }
}

fn asked() -> impl Strategy<Value = (&'static str, &'static str, Option<&'static str>)> {
    (
        prop::sample::select(vec!["a:x", "a:y", "b:x", "b:y", "c:z"]),
        prop::sample::select(vec!["*", "arn:aws:a:r::x", "arn:aws:a:r::y", "arn:aws:a:q:1:x"]),
        prop::option::of(prop::sample::select(vec!["x", "y", "z"])),
    )
}

fn parse(lines: &[Line]) -> Policy {
    identity(&lines.iter().map(Line::print).collect::<Vec<_>>().join(","))
}

fn answer(lines: &[Line], (action, resource, key): (&str, &str, Option<&str>)) -> Decision {
    let mut keys = Keys::new();
    if let Some(key) = key {
        keys.set("a:k", key);
    }
    ask(&parse(lines), action, resource, &keys)
}

proptest! {
    /// The index finds what asking every statement by itself finds.
    #[test]
    fn a_policy_is_its_statements_one_by_one(lines in prop::collection::vec(line(), 1..8), asked in asked()) {
        let each = lines.iter().map(|line| answer(std::slice::from_ref(line), asked)).max();
        prop_assert_eq!(answer(&lines, asked), each.unwrap());
    }

    #[test]
    fn a_deny_always_wins(mut lines in prop::collection::vec(line(), 0..6), at in any::<prop::sample::Index>(), asked in asked()) {
        let deny = Line {
            deny: true, not_action: false, action: asked.0.to_owned(), not_resource: false, resource: "*".to_owned(),
            condition: None,
        };
        lines.insert(at.index(lines.len() + 1), deny);
        prop_assert_eq!(answer(&lines, asked), Decision::Deny);
    }

    #[test]
    fn one_more_allow_never_takes_away(mut lines in prop::collection::vec(line(), 1..6), more in line(), asked in asked()) {
        let before = answer(&lines, asked);
        lines.push(Line { deny: false, ..more });
        prop_assert!(answer(&lines, asked) >= before);
    }

    #[test]
    fn not_action_complements(line in line(), asked in asked()) {
        let with = |not_action| Line { not_action, condition: None, resource: "*".to_owned(), not_resource: false, ..line.clone() };
        let (one, other) = (answer(&[with(false)], asked), answer(&[with(true)], asked));
        prop_assert_ne!(one == Decision::Silent, other == Decision::Silent);
    }

    /// A list of one and no list are the same, and so is a document written again.
    #[test]
    fn spelling_does_not_matter(line in line(), asked in asked()) {
        let mut value: serde_json::Value = serde_json::from_str(&document(&line.print())).unwrap();
        let statement = value["Statement"][0].take();
        let mut listed = statement.clone();
        for name in ["Action", "NotAction", "Resource", "NotResource"] {
            if let Some(value) = listed.get_mut(name) {
                *value = serde_json::json!([value.take()]);
            }
        }
        for spelled in [statement, listed] {
            value["Statement"] = spelled;
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let policy = Policy::parse(&text, PolicyKind::Identity).unwrap();
                let keys = asked.2.map_or_else(Keys::new, |key| Keys::new().with("a:k", key));
                prop_assert_eq!(ask(&policy, asked.0, asked.1, &keys), answer(std::slice::from_ref(&line), asked));
            }
        }
    }

    /// Matching agrees with the plain definition of wildcards.
    #[test]
    fn wildcards_by_definition(pattern in "[ab:*?]{0,10}", text in "[ab:]{0,12}") {
        use crate::policy::pattern::{Colons, Pattern};
        for colons in [Colons::Free, Colons::Resource, Colons::Arn] {
            let ours = Pattern::new(&pattern, colons, false).unwrap().matches(&text, &Keys::new());
            let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(ours, defined(&pattern, &text, colons, 0), "{:?} {:?} {:?}", colons, pattern, text);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        for kind in [PolicyKind::Identity, PolicyKind::Resource, PolicyKind::Trust] {
            let _ = Policy::parse(&text, kind);
        }
    }
}

/// Wildcards by the words of the guide, one letter at a time.
fn defined(pattern: &[char], text: &[char], colons: super::super::pattern::Colons, segment: usize) -> bool {
    use crate::policy::pattern::Colons;
    let crosses = |rest: &[char]| match colons {
        Colons::Free => true,
        Colons::Resource => segment >= 5 || rest.is_empty() || rest[0] == ':',
        _ => segment >= 5 || rest.is_empty(),
    };
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => {
            let reach = if crosses(rest) {
                text.len()
            } else {
                text.iter().position(|letter| *letter == ':').unwrap_or(text.len())
            };
            (0..=reach).any(|taken| defined(rest, &text[taken..], colons, segment))
        }
        ['?', rest @ ..] => match text {
            [letter, text @ ..] => {
                let free = colons == Colons::Free || segment >= 5 || *letter != ':';
                free && defined(rest, text, colons, segment)
            }
            [] => false,
        },
        [letter, rest @ ..] => match text {
            [first, text @ ..] if first == letter => defined(rest, text, colons, segment + usize::from(*letter == ':')),
            _ => false,
        },
    }
}
