//! Word lists: what carries no claim, what turns one around, and numbers in words.

use std::collections::HashMap;
use std::sync::LazyLock;

/// English, French and Spanish words that say nothing alone.
const EMPTY: &str = "a an the this that these those there here and or but nor so yet if then than as of at by for from in \
into on onto to with within about over under between through during up down out off again also just only very too \
is am are was were be been being do does did doing done have has had having can could may might must shall should will \
would it its he him his she her hers they them their theirs we us our ours you your yours i me my mine myself himself \
herself itself themselves who whom whose which what when where why how s t d ll ve re m such own same some any each \
both all more most other because while although though however therefore well oh yes \
le la les un une des du de et ou mais que qui dont où ce cette ces il elle ils elles est sont était dans sur pour par avec \
el los las una unos unas y o pero del al en es son fue era con por para su sus se lo como";

/// Words that turn a sentence around.
const NEGATIONS: &str = "not no never none nobody nothing neither nor without cannot cant isnt wasnt arent werent dont \
doesnt didnt hasnt havent hadnt wont wouldnt couldnt shouldnt aint hardly unable fails failed lacks \
ne pas jamais aucun aucune sans nunca ningún ninguna sin tampoco";

/// Words that say the opposite of each other; a word may stand in several lines.
const OPPOSITES: &str = "increase decrease|increase reduce|rise fall|rose fell|grow shrink|gain lose|gain loss|win lose|won lost|\
victory defeat|before after|first last|north south|east west|northern southern|eastern western|up down|above below|high low|\
higher lower|highest lowest|more fewer|more less|most least|maximum minimum|largest smallest|large small|big small|\
bigger smaller|long short|longer shorter|old young|older younger|oldest youngest|old new|early late|earlier later|early earliest|\
begin end|start end|start stop|started ended|began ended|open close|opened closed|opening closing|allow forbid|allow deny|\
allowed forbidden|allowed prohibited|permit prohibit|accept reject|accepted rejected|approve reject|approved rejected|\
include exclude|included excluded|true false|correct incorrect|right wrong|right left|male female|man woman|men women|\
boy girl|husband wife|father mother|son daughter|brother sister|uncle aunt|king queen|actor actress|buy sell|bought sold|\
import export|public private|legal illegal|possible impossible|able unable|safe dangerous|always never|all none|\
everyone nobody|success failure|succeed fail|succeeded failed|success fail|strong weak|stronger weaker|hot cold|hotter colder|\
fast slow|faster slower|cheap expensive|rich poor|good bad|better worse|best worst|positive negative|enable disable|\
enabled disabled|add remove|added removed|create destroy|created destroyed|join leave|joined left|inside outside|internal external|\
major minor|majority minority|full empty|alive dead|born died|birth death|day night|summer winter|spring autumn|monday friday|\
love hate|friend enemy|ally enemy|attack defend|arrive depart|arrived departed|enter exit|entered left|mandatory optional|\
required optional|free paid|single married|single double|upper lower|domestic foreign|guilty innocent|convicted acquitted|\
support oppose|supported opposed|for against|with without|wet dry|hard soft|heavy light|wide narrow|deep shallow|near far|\
same different|similar different|simple complex|easy difficult|easy hard|common rare|permanent temporary|active inactive|\
healthy sick|asleep awake|lead trail|leading trailing|ascending descending|daily weekly|weekly monthly|monthly yearly|annual monthly|\
over under|over below|over less|over fewer|above under|above less|more under|more below|within beyond|until after|since until";

/// How much of a thing words speak of: some, most, all.
const REACH: [&str; 3] = [
    "some several few many sometimes occasionally partly",
    "most mostly usually mainly generally",
    "all every each always everyone everybody entire whole",
];

const ONES: &str = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
seventeen eighteen nineteen";
const TENS: &str = "twenty thirty forty fifty sixty seventy eighty ninety";
const ORDINALS: &str = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth \
fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth";

/// What a word is, where that matters here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// It says nothing alone.
    Empty,
    /// It turns a sentence around.
    Negation,
    /// A number under twenty, or its ordinal.
    One(f64),
    /// Twenty, thirty …
    Ten(f64),
    /// Hundred, thousand …
    Scale(f64),
}

fn meanings() -> HashMap<&'static str, Meaning> {
    let mut all = HashMap::new();
    all.extend(EMPTY.split_whitespace().map(|word| (word, Meaning::Empty)));
    all.extend(NEGATIONS.split_whitespace().map(|word| (word, Meaning::Negation)));
    all.extend(ONES.split_whitespace().zip(0..).map(|(word, value)| (word, Meaning::One(f64::from(value)))));
    all.extend(ORDINALS.split_whitespace().zip(0..).map(|(word, value)| (word, Meaning::One(f64::from(value)))));
    all.extend(TENS.split_whitespace().zip(2..).map(|(word, value)| (word, Meaning::Ten(f64::from(value * 10)))));
    // "one" and "second" are more often a pronoun and a unit than a number.
    all.insert("one", Meaning::Empty);
    all.remove("second");
    all.insert("dozen", Meaning::Scale(12.0));
    all.insert("hundred", Meaning::Scale(1e2));
    all.insert("thousand", Meaning::Scale(1e3));
    all.insert("million", Meaning::Scale(1e6));
    all.insert("billion", Meaning::Scale(1e9));
    all.insert("trillion", Meaning::Scale(1e12));
    all
}

static MEANINGS: LazyLock<HashMap<&'static str, Meaning>> = LazyLock::new(meanings);

/// What `word` (lower case) is.
pub(super) fn meaning(word: &str) -> Option<Meaning> {
    MEANINGS.get(word).copied()
}

/// The words that say the opposite of `stem`, as stems.
pub(super) fn opposites(stem: &str) -> &'static [String] {
    static PAIRS: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
        let mut pairs: HashMap<String, Vec<String>> = HashMap::new();
        for pair in OPPOSITES.split('|') {
            if let Some((one, other)) = pair.split_once(' ') {
                let (one, other) = (super::text::stem(one), super::text::stem(other));
                pairs.entry(one.clone()).or_default().push(other.clone());
                pairs.entry(other).or_default().push(one);
            }
        }
        pairs
    });
    PAIRS.get(stem).map_or(&[], Vec::as_slice)
}

/// Whether `stem` and `other` are opposites.
pub(super) fn opposed(stem: &str, other: &str) -> bool {
    opposites(stem).iter().any(|opposite| opposite == other)
}

/// How much of a thing `stem` speaks of, where it does: more is a larger number.
pub(super) fn reach(stem: &str) -> Option<usize> {
    static STEMS: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
        let lines = REACH.into_iter().enumerate();
        lines.flat_map(|(at, line)| line.split_whitespace().map(move |word| (super::text::stem(word), at))).collect()
    });
    STEMS.get(stem).copied()
}

/// Whether a speaker speaks of themselves: nobody else's text can support that.
pub(super) fn personal(word: &str) -> bool {
    matches!(word, "i" | "me" | "my" | "mine" | "myself" | "im" | "ive" | "id" | "you" | "your" | "we" | "our" | "us")
}
