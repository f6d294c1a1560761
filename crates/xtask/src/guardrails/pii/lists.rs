//! What is known of single words: the tagger's lexicon, and the managed list of profanity.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use outcrop_guard::sensitive::lexicon::{self, FIRST, LAST, ORDINARY, SELDOM};

use super::data;

/// Names of people in Latin letters: of the US census of 1990 (through the Python package `names`, MIT) and of `faker`
/// (MIT), each with F, L or both.
const NAMES: &str = include_str!("names.txt");

/// Every word with its classes: names, closed lists, and how words are mostly written in the training texts.
pub(crate) fn lexicon(data: &Path) -> Result<Vec<(String, u16)>, String> {
    let mut words: HashMap<String, u16> = HashMap::new();
    for line in NAMES.lines() {
        let Some((name, kinds)) = line.split_once(' ') else { continue };
        let first = if kinds.contains('F') { FIRST } else { 0 };
        let last = if kinds.contains('L') { LAST } else { 0 };
        *words.entry(name.to_owned()).or_default() |= first | last;
    }
    for (word, class) in lexicon::closed() {
        *words.entry(word).or_default() |= class;
    }
    for (word, (small, large)) in cases(data)? {
        // As often with a capital as without, inside of sentences: it tells nothing.
        if small >= 2 && small > large * 2 {
            *words.entry(word).or_default() |= if small >= 12 { ORDINARY } else { SELDOM };
        }
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort();
    Ok(words)
}

/// How often each word stands in small letters, and how often with a capital where no sentence begins.
fn cases(data: &Path) -> Result<HashMap<String, (u32, u32)>, String> {
    let mut cases: HashMap<String, (u32, u32)> = HashMap::new();
    for value in data::lines(&data.join("content.jsonl.gz"))? {
        if value["split"] != "train" {
            continue;
        }
        let mut opens = true;
        for word in value["text"].as_str().unwrap_or_default().split_whitespace() {
            let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            let plain = bare.chars().count() >= 2 && bare.chars().all(char::is_alphabetic);
            if plain && bare.chars().all(char::is_lowercase) {
                cases.entry(bare.to_owned()).or_default().0 += 1;
            } else if plain && !opens && bare.chars().skip(1).all(char::is_lowercase) {
                cases.entry(bare.to_lowercase()).or_default().1 += 1;
            }
            opens = word.ends_with(['.', '!', '?', ':', '"']);
        }
    }
    Ok(cases)
}

/// The managed list: what two public lists call profane, without everyday words, the names that some are, and the words
/// that only look like one once folded.
pub(crate) fn profanity(data: &Path, words: &[(String, u16)]) -> Result<String, String> {
    let read = |name: &str| std::fs::read_to_string(data.join(name)).map_err(|e| format!("{name}: {e}"));
    let mut list = BTreeSet::new();
    for line in read("profanity_surge.csv")?.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (Some(word), Some(canonical)) = (fields.first(), fields.get(1)) else { continue };
        let severity: f32 = fields.iter().rev().nth(1).and_then(|field| field.parse().ok()).unwrap_or(0.0);
        if severity >= 1.6 || STRONG.split(' ').any(|strong| strong == *canonical) {
            list.insert(word.to_lowercase());
        }
    }
    let chosen: Vec<String> = CHOSEN.split(',').map(|word| word.trim().to_owned()).collect();
    list.extend(read("ldnoobw_en.txt")?.lines().map(str::to_lowercase).filter(|word| chosen.contains(word)));
    list.extend(INFLECTED.split_whitespace().map(str::to_owned));
    // Parted, doubled and coded spellings are found without a line of their own.
    list = list
        .into_iter()
        .map(|word| word.replace(['-', '\''], " "))
        .filter(|word| !DROPPED.split_whitespace().any(|dropped| dropped == word))
        .collect();
    list.retain(|word| word.len() > 2 && word.split(' ').all(|part| !part.is_empty()));
    let plain: BTreeSet<String> = list
        .iter()
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' '))
        .cloned()
        .collect();
    let body: String = plain.iter().map(|word| format!("{word}\n")).collect();
    let coded: Vec<&str> = list.iter().filter(|word| !plain.contains(*word)).map(String::as_str).collect();
    let found = outcrop_guard::words::found_by(&body, &coded);
    let names: HashMap<&str, u16> = words.iter().map(|(word, classes)| (word.as_str(), *classes)).collect();
    let mut text = String::from(
        "# Made by `cargo xtask train-guardrails --only pii` from the lists of surge-ai (MIT) and LDNOOBW (CC-BY-4.0).\n",
    );
    for word in &plain {
        let name = names.get(word.as_str()).is_some_and(|classes| classes & (FIRST | LAST) != 0);
        text.push_str(&format!("{}{word}\n", if name { "~" } else { "" }));
    }
    for (word, found) in coded.iter().zip(found) {
        if !found && !word.contains(' ') {
            text.push_str(&format!("{word}\n"));
        }
    }
    // Names and frequent words that are like one of the list but for a repeated letter.
    let others: Vec<&str> = words
        .iter()
        .filter(|(word, classes)| classes & (FIRST | LAST | ORDINARY) != 0 && !plain.contains(word))
        .map(|(word, _)| word.as_str())
        .collect();
    let found = outcrop_guard::words::found_by(&body, &others);
    for word in others.iter().zip(found).filter(|(_, found)| *found).map(|(word, _)| word) {
        text.push_str(&format!("-{word}\n"));
    }
    Ok(text)
}

/// Whose forms count however mild they are rated.
const STRONG: &str = "arse ass bastard bitch bollocks cock cunt dick dildo douche fuck goddamn motherfucker nigger faggot pussy shit slut twat wank whore";

/// Everyday words, names of animals, nations and body parts, and spellings of other words.
const DROPPED: &str = "69 abbie aboe abo arse-bandit bender bater bates bbc bwc bj beotch bondage boner bonk booty bugger bum bumhole cack cawk cawks \
    cholo coolie coot cooter cooties coon coons crotch crow crows cox c0x dago darky dikes dix dlck dong dork dyke dykes ejaculation fanny feck fick fickle finger flamer flamers \
    focker fook fooker fugger fugged fux fuc gash gin gook grope groper gyp gypsy hardcore heeb hoar hoe hoes homo homos hooters hustler injun \
    jap jew jigger jiggs jock kkk klan knickers knob knobs knobe knobed knobes knobd knober lesbo loose mafia meat milf mong mongoloid mongrel muff nicker nickers \
    nicka nickas niccer niger nigers nigerian higga higger higgers negro negroes nip nips nonce nymph octopussy orgasm pansy pecker peter phuc prick pricks \
    puss pusses puzzy puzzies pube queer queers ramrod rectum redskin sack sambo scum scut sex shylock sissy skank slag slit slope snatch spank spanking \
    sperm sphincter spick spig spik spix spook spooks spunk suck swine tart tosser tramp transvestite twink wang weenie weiner wop zipperhead \
    asses ass-hole azz bang basterd bastid bastinado bassturd biatch biches bishes ashole assed buttermilk cagone cajones caca cums cuzz \
    dickens dicks-out dipstick dolt dothead erectoplasm fothermuckers fecal gay gayer gayest geebag gowl greaser groid jigga jiggas jigro \
    mfs mfk nig oven palm pancake pee pissed pissing pissoff rape shiester sheister shytty slanty soab stfu sumbitch tad tadger tit trashbitch \
    bummer feg fagot fag fags fags nicca negga tard axe hell damn kyke abeed chink chinky darkie cracker paki puta punani chocha china-virus \
    chinavirus chinese-virus pussy-cat pussie fk fks fcks muffin mudderfuk dog-style doggo-style dogstyle cums hebe tranny jewboy mong \
    dickskin dickhead-ed shat shite assess bitchin bitching bitched pedo ped pedoz cuk cuck dikhead knobhead dick-ish \
    sheet shet sheeeet nuggets forked dumbarrassed fack diks caaak blacky ladyboy ladyboys ladiboy molester negroid cum cumming retard douche doosh badass \
    nigre nigra niger wigger throater creampie dlcks fagging dumasses knobender knobeds shiat mfer mfers poontang gaysian";

/// What is taken from LDNOOBW's list, which also has what is merely sexual.
const CHOSEN: &str = "apeshit, arsehole, ass, asshole, assmunch, bastard, beaner, beaners, bitch, bitches, blowjob, blow job, blumpkin, bollocks, \
    bulldyke, bullshit, bung hole, bunghole, butthole, camslut, camwhore, carpet muncher, carpetmuncher, circlejerk, clusterfuck, cock, cocks, \
    cumshot, cumshots, cunt, dick, dildo, faggot, felch, fuck, fuckin, fucking, fucktards, fudge packer, fudgepacker, gangbang, \
    goatse, god damn, handjob, honkey, jack off, jerk off, jigaboo, jiggaboo, jiggerboo, jizz, kike, motherfucker, nigga, nigger, nig nog, \
    piece of shit, piss pig, poontang, pussy, queef, raghead, rimjob, shemale, shit, shitblimp, shitty, slanteye, slut, spic, splooge, tits, \
    titties, titty, towelhead, twat, wank, wetback, whore, dirty sanchez, rusty trombone, cleveland steamer, 🖕";

/// Forms that neither list has.
const INFLECTED: &str = "fucks fucked fucker fuckers fuckers fuckface fuckhead motherfucking motherfuckers bullshitting shits shitting shitter shite \
    shitted shithead shithole asshole assholes dumbass jackass badass smartass dickhead dickheads dicks cunts cunty bitchy bitching bitched wanker wankers \
    wanking twats whores whoring sluts slutty faggots niggers niggas kikes spics cocksucker cocksuckers goddamn goddammit bastards bollock \
    douchebag douchebags arseholes pussies fag fags tranny paki chink gook f**k f***  f**king f***ing f*ck f*cking f*cked f*cker sh*t s**t sh**  sh*tty b*tch b**ch \
    c*nt c**t a**hole a**holes d*ck d**k motherf***er motherf**ker n*gger n***er n***a wh*re";
