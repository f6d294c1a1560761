//! Things that are called as people are, and that grow old as people do.

/// Whether the age between `before` and `tail`, which is in small letters, is a thing's: "the company is 25 years old",
/// "a 3-year-old laptop".
pub fn aged(before: &str, tail: &str) -> bool {
    /// So much of what stands before is looked at, in characters.
    const SIGHT: usize = 60;
    let behind = tail.split("old").nth(1).unwrap_or_default();
    // "old" directly before its noun, with at most one word between: "a 10 year old software bug".
    if tail.starts_with("year") && behind.starts_with(' ') {
        let words = behind.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty());
        if words.take(2).any(is_aged) {
            return true;
        }
    }
    let start = before.char_indices().rev().nth(SIGHT).map_or(0, |(at, _)| at);
    let clause = before[start..].rsplit(['.', '!', '?', ';', ',', '\n', '(']).next().unwrap_or_default().to_lowercase();
    let words = clause.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).rev();
    const VERBS: &str = " is was are were be been has have had already now only about over almost nearly just turned \
        around approximately roughly at least more than s ";
    let mut verbs = 0;
    for word in words {
        if VERBS.contains(&format!(" {word} ")) {
            verbs += 1;
            continue;
        }
        return verbs > 0 && (is_aged(word) || matches!(word, "it" | "which"));
    }
    false
}

fn is_aged(word: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    AGED.split_whitespace().any(|thing| thing == word || thing == one)
}

const AGED: &str = "account agreement aircraft airport album algorithm apartment app application archive army article \
    bank bar barn battery bed bicycle bike bill boat boiler bond book bottle brand bread brewery bridge browser bug \
    building bus business cabin cabinet cable café camera camp car carpet cask castle cathedral certificate chair cheese \
    church cinema city clock club coat code codebase coin college community company computer console contract copy \
    corporation cottage country dam data database dataset design desk desktop device dictionary document domain door dress \
    dryer engine equipment estate factory farm feature fence ferry festival file film firm flat forest fortress \
    foundation fridge furnace furniture game garden gate generator glacier grape guitar habit hardware heater home hotel \
    house idea industry infrastructure institution instrument inn item jacket jet joke kernel key keyboard kitchen label \
    laptop law league legacy letter library licence license liquor list loan lock machine magazine manuscript map \
    market marriage mattress message method mill mine model monastery monitor monument mortgage mosque motorcycle movie \
    museum network newspaper oak organisation organization oven painting palace paper park patch patent phone photo \
    photograph piano picture pipe plane planet plant plate play policy poem port post printer problem product program \
    project property protocol pub question radio railway receipt record recipe refrigerator religion report repository \
    republic restaurant road rocket roof rule rum rug satellite school scotch script server service shed ship shoe shop \
    site sofa software song startup state statue steak stone store story street study subway suit switch system table tank \
    tape technology telescope television temple tent theatre theater ticket tool tower town toy tracker tradition train \
    treaty tree tractor trophy truck tunnel tv university universe van vase vehicle version village vine vineyard violin \
    wall war warehouse washer watch website wheel whiskey whisky window wine world yacht";

/// Nouns that make a thing of the name before them: "Nobel Prize", "Taylor series".
pub fn is_class(word: &str) -> bool {
    CLASSES.split_whitespace().any(|class| class == word)
}

/// Whether a word is a program that one speaks to, and hardly anybody's name.
pub fn is_voice(word: &str) -> bool {
    matches!(word, "Siri" | "Cortana" | "Copilot" | "Bixby")
}

const CLASSES: &str = "airport algorithm arena array avenue award awards beach blur boson bridge building boulevard canal castle \
    cathedral championship chart cipher city code coefficient college commission company compiler conference conjecture \
    constant corporation county criterion cup curve database day decomposition diagram disease distribution district dynasty \
    effect engine equation exchange expansion experiment falls festival field filter foundation formula function galaxy \
    gallery game games glacier graph group hall high highway hospital hotel hypothesis index inequality institute integral \
    island islands kernel lake language law laws library machine mall map matrix medal method middleware model monument \
    motor motors mountain mountains museum norm number numbers operator palace paradox peninsula pipeline plugin polynomial \
    prize principle prison problem process protocol province regression reservoir river rule salad sampling scale school \
    sea sequence series server simulation space square stadium stage state states station statistic strait street studio \
    studios summit syndrome system temple tensor terminal test theatre theater theorem theory tower transform tree trial \
    trophy tunnel university valley virus volcano war zoo estimator integration numeral numerals";
