//! What an answer says about the conversation and not about its subject: "Great question!", "According to the document,
//! …", "Is there anything else?". No source can support that, and none needs to.

use super::text::Token;

/// Words that such phrases are made of, beside those that say nothing anyway.
const SPOKEN: &str = "sure certainly absolutely definitely course great good excellent interesting question questions thank \
thanks welcome happy glad help assist let know need please feel free hope hopefully helps hesitate ask asked asking anything \
else further additional information info detail details answer answers answered sorry apologize apologise apologies afraid \
unfortunately find found see mention mentions mentioned specify specified provide provided given context document documents \
source sources text passage passages article according based above summary summarize state states stated say says said \
indicate indicates indicated contain contains include included refer look looking short brief conclusion overall hello hi hey \
okay ok tell search results result following here heres like would available not no dont doesnt cannot cant couldnt unable \
im ill youd youre have want something anymore reach";
/// Words that only a speaker says.
const GREETS: &str = "sure certainly absolutely definitely great excellent thank thanks welcome happy glad hope hopefully \
sorry apologize apologise apologies afraid unfortunately hello hi hey okay ok please";
/// What a speaker offers.
const OFFERS: &str = "help assist let ask hesitate questions anything";
/// What a speaker has been given.
const GIVEN: &str =
    "context document documents source sources text passage passages article information answer question results";
/// What leads from the source to what it says.
const LEADS: &str = "according based mention mentions mentioned specify specified provided given state states stated say says \
said indicate indicates indicated contains summary short brief conclusion sure certainly course great thanks \
absolutely definitely unfortunately answer";
/// What one fails to do with a source that does not say.
const ABSENT: &str = "find found see mention mentions mentioned specify specified contain contains include included state \
states stated say says information answer know provide provided indicate available";
/// Longer sentences about what is not known say something beside.
const LONGEST: usize = 24;

fn is(list: &str, text: &str, token: &Token, offset: usize) -> bool {
    let word = text.get(token.range.start - offset..token.range.end - offset).unwrap_or_default();
    let word = word.to_lowercase().replace(['\'', '’'], "");
    list.split_whitespace().any(|listed| listed == word)
}

/// The tokens of `text`, which begins at `offset`, that claim something: none where all of it is about the
/// conversation, and else those behind "According to the document," and before "according to the document".
pub(super) fn claimed<'a>(text: &str, offset: usize, tokens: &'a [Token]) -> &'a [Token] {
    let has = |list: &str, tokens: &[Token]| tokens.iter().any(|token| is(list, text, token, offset));
    let idle = |token: &Token| {
        token.value.is_none() && (token.empty || token.personal || is(SPOKEN, text, token, offset)) && !token.name
    };
    let speaks = |token: &Token| is("i me my you your im ill ive", text, token, offset);
    let offers = tokens.iter().any(speaks) && has(OFFERS, tokens);
    if tokens.iter().all(idle) && (has(GREETS, tokens) || has(GIVEN, tokens) || offers) {
        return &[];
    }
    let negated = tokens.iter().any(|token| token.negation);
    let certain = tokens.iter().all(|token| token.value.is_none()) && !has("but however although", tokens);
    let given = has("context document documents source sources text passage passages article information", tokens);
    if negated && certain && tokens.len() <= LONGEST && has(ABSENT, tokens) && given {
        return &[];
    }
    let mut rest = tokens;
    // "Sure, according to the document, …": as long as there is something to take off.
    while let Some(behind) = behind_lead(text, offset, rest, &idle) {
        rest = behind;
    }
    let lead = rest.iter().rposition(|token| is("according based", text, token, offset));
    if let Some(at) = lead.filter(|&at| at >= 2)
        && rest[at..].iter().all(idle)
        && has(GIVEN, &rest[at..])
    {
        // "As" in "as according to" says nothing either way.
        rest = &rest[..at];
    }
    rest
}

/// What is behind a comma, a colon or "that", where all before it leads there.
fn behind_lead<'a>(
    text: &str,
    offset: usize,
    tokens: &'a [Token],
    idle: &dyn Fn(&Token) -> bool,
) -> Option<&'a [Token]> {
    for (at, pair) in tokens.windows(2).enumerate() {
        let [before, behind] = pair else { return None };
        // A sentence begins with a capital whatever its first word is.
        if !idle(before) {
            return None;
        }
        let between =
            text.get(before.range.end - offset..behind.range.start.saturating_sub(offset)).unwrap_or_default();
        let ends = between.contains([',', ':', '!', '–', '—']) || is("that", text, before, offset);
        if ends && tokens[..=at].iter().any(|token| is(LEADS, text, token, offset)) {
            return tokens.get(at + 1..);
        }
    }
    None
}
