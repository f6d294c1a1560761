//! Words as they are written, and as they are disguised.

use proptest::prelude::*;

use super::*;

fn custom(words: &[&str], text: &str) -> Vec<String> {
    Words::new(words, false).find(text).into_iter().map(|hit| text[hit.range].to_owned()).collect()
}

fn profane(text: &str) -> Vec<String> {
    Words::new(&[], true).find(text).into_iter().map(|hit| text[hit.range].to_owned()).collect()
}

#[test]
fn a_word_matches_whole_tokens_whatever_their_case() {
    assert_eq!(custom(&["cactus"], "A CACTUS, a cacti, cactuses and a Cactus."), ["CACTUS", "Cactus"]);
    assert_eq!(
        custom(&["foo bar"], "foo bar, Foo  BAR, foo\nbar, foobar, foo barn"),
        ["foo bar", "Foo  BAR", "foo\nbar"]
    );
    assert_eq!(custom(&["c++", "#tag", "s&m"], "C++ and #tag, S&M; c+ + and x#tag"), ["C++", "#tag", "S&M", "#tag"]);
    // The longest one at a place, and the shorter one where the longer one does not end with a token.
    assert_eq!(custom(&["foo", "foo bar"], "foo bar foo barn"), ["foo bar", "foo"]);
}

#[test]
fn phrases_without_spaces_are_found_between_spaces_only() {
    assert_eq!(custom(&["禁止"], "本店 禁止 吸烟"), ["禁止"]);
    assert!(custom(&["禁止"], "本店禁止吸烟").is_empty());
}

#[test]
fn a_custom_word_is_found_through_what_shows_nothing() {
    assert_eq!(custom(&["cactus"], "ca\u{200b}ct\u{ad}us"), ["ca\u{200b}ct\u{ad}us"]);
    assert_eq!(custom(&["cactus"], "саctus ｃａｃｔｕｓ 𝓬𝓪𝓬𝓽𝓾𝓼").len(), 3);
    assert_eq!(custom(&["café"], "cafe\u{301} CAFÉ cafe"), ["cafe\u{301}", "CAFÉ"]);
    // More accents than any language writes.
    assert_eq!(custom(&["cactus"], "c\u{335}\u{336}\u{337}actus"), ["c\u{335}\u{336}\u{337}actus"]);
    assert!(custom(&["pate"], "pâté").is_empty());
    assert!(custom(&["cop"], "сор").is_empty(), "a Russian word is no English one");
}

#[test]
fn a_custom_word_is_found_however_its_marks_and_capitals_are_typed() {
    assert_eq!(custom(&["don't"], "I don’t, I donʼt, I don't").len(), 3);
    assert_eq!(custom(&["e-mail"], "e\u{2011}mail, e\u{2010}mail, e–mail").len(), 3);
    assert_eq!(custom(&["Straße"], "STRASSE, STRAẞE and strasse").len(), 3);
    assert_eq!(custom(&["ΛΟΓΟΣ"], "λογος"), ["λογος"]);
    assert!(is_blank("   ") && is_blank("\u{200b}\u{feff}") && !is_blank("-"));
}

#[test]
fn a_word_of_both_lists_is_the_guardrails_own() {
    let hits = Words::new(&["shit happens"], true).find("shit happens, shit");
    assert_eq!(hits.iter().map(|hit| hit.list).collect::<Vec<_>>(), [List::Custom(0), List::Profanity]);
    assert!(Words::new(&["", "\u{200b}", " "], false).find(" \u{200b} ").is_empty());
}

#[test]
fn profanity_is_found_however_it_is_written() {
    for text in [
        "fuck",
        "FUCK",
        "FuCk",
        "fuuuuck",
        "fffuck",
        "f u c k",
        "f.u.c.k",
        "f-u-c-k",
        "fu-ck",
        "sh1t",
        "5h1t",
        "$hit",
        "sh!t",
        "b!tch",
        "@sshole",
        "a$$hole",
        "fuсk",
        "ѕhit",
        "ｆｕｃｋ",
        "𝖋𝖚𝖈𝖐",
        "fu\u{200b}ck",
        "f\u{301}u\u{302}ck",
        "s\u{336}h\u{336}i\u{336}t\u{336}",
        "sh*t",
        "f**k",
        "bitchhh",
        "biiitch",
        "you are a bitch!",
        "what the fuck?",
        "bullshit",
        "f u c k you",
        "s h i t",
        "fück",
        "piece of shit",
        "wh0re",
        "🖕",
    ] {
        assert!(!profane(text).is_empty(), "{text:?} is not found");
    }
    assert_eq!(profane("Oh shit, not f u c k again"), ["shit", "f u c k"]);
}

/// Words that merely contain one, or look like one: places, names, animals, tools, other languages.
const HARMLESS: &str = "Scunthorpe Penistone Clitheroe Cockermouth Cockburn Lightwater Middlesex Essex Sussex Arsenal Shitake shiitake assess assessment \
    assassin assassinate assault assemble assembly assent assert asset assets assign assist associate assume assure bass brass cassette class classic glass grass \
    hassle mass massage passage pass passion compass embassy ambassador cocktail cockpit cockroach peacock hancock hitchcock woodcock cockatoo cockerel \
    Dickens Dickinson Dickson Moby dictate dictionary predict Benedict analysis analyst analog analyze canal banal arsenic parse parsed coarse sparse rehearse \
    hearse title titan titanic titration constitution institute entity identity quantity appetite competition document documents cucumber accumulate circumference \
    circumstance scum succumb therapist grape drape scrape trapeze rapeseed raccoon cocoon tycoon pussycat pussywillow swank twank swanky wanker-free \
    Fagin fagus flag fagioli Niger Nigeria Nigerian snigger denigrate niggardly spice spices auspicious suspicious despicable conspicuous hospice shuttle shirt shift \
    short sheet shot ship whit mishit matchit bushit pushit button butter butte buttress butterfly rebuttal sextant sextet unisex sexagenarian bassist hello \
    shell hellebore Michelle Uranus anus-like manuscript janus penal pencil peninsula Wang Dong Phuc Phuket Fuchs Fuchsia Fukuoka Fukushima Fuji Kuntz Cox Dick \
    bastion bastille batch botch birch ditch pitch stitch switch witch hitch kitchen bitcoin hoe shoe shoes phoebe homogeneous homonym homeowner lesbian gay queer \
    crap scrap crapaud luck duck truck stuck suck chuck puck buck muck tuck deck dock duke dyke Van cum laude magna retard douche con bite negro azul puta-like \
    mandarin tits-up-free titmouse tit coot booby thrush woodpecker ass-free jackdaw donkey mule turd-free sturdy Saturday custard mustard leotard bastardised \
    faggot-free haggis maggot magnet whorl whore-free hoard horehound wholesome slat slot sluice Slough cunning count country Cunard scant hunt aunt punt";

#[test]
fn words_that_merely_contain_one_are_not_found() {
    let words: Vec<&str> =
        HARMLESS.split_whitespace().filter(|word| !word.ends_with("-free") && !word.ends_with("-like")).collect();
    assert!(words.len() > 240);
    let wrong: Vec<_> = words.iter().filter(|word| !profane(word).is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for text in [
        "A b c d e f g",
        "p a s s",
        "c o c k t a i l",
        "Dick Van Dyke and Moby Dick",
        "the size is 0xA55 or 0xb00b",
        "as s/he hits",
        "push-it",
        "x = a + b|c",
        "wait... what",
        "is hit",
        "this hit",
        "pen is mightier",
        "if (a||b) { a!=b }",
        "e.g. i.e. a.k.a.",
        "sh it",
        "4 5 5",
        "$100 and @home",
    ] {
        assert!(profane(text).is_empty(), "{text:?}: {:?}", profane(text));
    }
}

#[test]
fn text_without_end_is_no_trouble() {
    let words = Words::new(&["a", "a a", "a a a", "cactus"], true);
    let marks = format!("c{}actus", "\u{301}".repeat(1_000_000));
    assert_eq!(words.find(&marks).len(), 1);
    for piece in ["a ", "a", "f u c k ", "fu-", "\u{202e}x", "f*", "@", "1", "\u{301}", "а", ".", "  "] {
        let text = piece.repeat(1_000_000 / piece.len());
        words.find(&text);
    }
}

proptest! {
    #[test]
    fn hits_are_in_order_and_on_boundaries(text in "[a-cfuckshit \u{301}\u{200b}$1!*.@аÉ禁-]{0,60}") {
        let words = Words::new(&["a", "b c", "fuck a", "禁", "é", "$1"], true);
        let mut end = 0;
        for hit in words.find(&text) {
            prop_assert!(hit.range.start >= end && hit.range.start < hit.range.end);
            prop_assert!(text.get(hit.range.clone()).is_some());
            end = hit.range.end;
        }
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        for hit in Words::new(&["x", "\u{fb01}"], true).find(&text) {
            prop_assert!(text.get(hit.range).is_some());
        }
    }

    #[test]
    fn a_custom_word_between_spaces_is_found(word in "[a-zäöß0-9]{1,12}", before in "[a-z ]{0,12}") {
        let text = format!("{before} {} .", word.to_uppercase());
        prop_assert!(!Words::new(&[&word.to_uppercase()], false).find(&text).is_empty());
    }
}
