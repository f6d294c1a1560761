//! Which language a text is in, as far as the filters care: the three that they were measured in, or another.

/// A language that figures are published for, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "their own names")]
pub enum Language {
    English,
    French,
    Spanish,
    /// The filters were not measured in it: what they say is a guess.
    Unmeasured,
}

impl Language {
    /// Whether figures are published for it.
    pub fn is_measured(self) -> bool {
        self != Self::Unmeasured
    }

    /// Its ISO 639-1 code; `und` where it is none of the measured ones.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Unmeasured => "und",
        }
    }
}

/// Little words that a language cannot do without and its neighbours do not have.
const LITTLE: [(Language, &str); 11] = [
    (
        Language::English,
        "the and of to is are was were what how why when where who with for this that these those you your my i it on \
         at from have has do does did can could would should not be been will if there which an or as by but they we \
         me he she his her him them their am so",
    ),
    (
        Language::French,
        "le les des du une est et dans pour avec sur pas que qui ce cette ces je tu il elle nous vous ils elles mon ma \
         mes ton ta tes son sa ses au aux ne se te toi moi sont comment pourquoi quel quelle quels quelles où être été \
         fait faire fais plus sans quoi avons avez ont étais était mais ou leur leurs notre votre nos vos \
         très merci beaucoup bonjour vais vas va allez veux veut voudrais peux peut pouvez dois doit suis tout tous \
         c'est",
    ),
    (
        Language::Spanish,
        "el los las una uno unos del y en para con por pero que qué cómo como cuál cuáles dónde cuándo quién es está \
         están son ser mi mis tu tus su sus yo él ella nosotros ustedes me te se lo le les al sin sobre más muy ya hay \
         este esta estos estas ese esa eso puedo puede hacer",
    ),
    (
        Language::Unmeasured,
        "der die das und ist nicht ein eine einen einem wie ich du sie wir ihr mit auf für von zu dem den im auch sich \
         werden wird kann mein dein was warum wer hat habe haben bei nach aus oder aber wenn es dir mir mich dich bin bist \
         geht wo schon noch bitte",
    ),
    (
        Language::Unmeasured,
        "il lo gli della dello degli che di è sono non per con come perché più questo questa nel nella anche mio tuo \
         suo ho hai abbiamo dove quando cosa chi al dal fare essere",
    ),
    (
        Language::Unmeasured,
        "o os uma um do da dos das não em para com por que é são como mais você eu ele ela nós meu minha seu sua isso \
         este esta ao na no nas nos foi tem fazer onde quando porque",
    ),
    (
        Language::Unmeasured,
        "het een van en is dat niet met voor op te ik je zijn hij wij ze mijn jouw wat hoe waarom waar ook maar naar \
         worden kan heeft deze dit bij",
    ),
    (Language::Unmeasured, "nie jest na że się do co jak to w z i czy dla po jego jej są być był mam może gdzie kiedy"),
    (
        Language::Unmeasured,
        "och att det som en på är av för med den inte till har jag du vi om hur vad kan ska men var",
    ),
    (Language::Unmeasured, "ve bir bu için ne nasıl değil mi çok daha ben sen olarak gibi var yok nerede neden ile"),
    (Language::Unmeasured, "yang dan di ini itu dengan untuk tidak dari pada saya anda apa bagaimana akan adalah bisa"),
];
/// What stands before an apostrophe in French only; Italian has its own "l'" and "d'".
const ELIDED: [&str; 7] = ["j", "t", "m", "n", "s", "qu", "jusqu"];
/// So many words are enough to know.
const ENOUGH: usize = 400;

/// The language of `text`. What shows none, such as a name or a line of code, is taken for English.
pub fn language(text: &str) -> Language {
    let (mut latin, mut other) = (0usize, 0usize);
    let mut counts = [0usize; LITTLE.len()];
    for word in text
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .filter(|word| !word.is_empty())
        .take(ENOUGH)
    {
        // A word of a script without spaces is long: its first letters show which it is.
        for c in word.chars().filter(|c| c.is_alphabetic()).take(32) {
            // The Latin blocks end here, but for extensions that no everyday spelling needs.
            if c < '\u{250}' || ('\u{1e00}'..'\u{1f00}').contains(&c) { latin += 1 } else { other += 1 }
        }
        let word = word.to_lowercase().replace('’', "'");
        // French leaves out vowels as no neighbour does: "t'aime" is "te" and a word.
        let elided = word.split_once('\'').is_some_and(|(head, _)| ELIDED.contains(&head));
        for (count, (language, words)) in counts.iter_mut().zip(LITTLE) {
            let elided = elided && language == Language::French;
            *count += usize::from(elided || words.split(' ').any(|little| little == word));
        }
    }
    if other > latin {
        return Language::Unmeasured;
    }
    let mut best = (0, Language::English);
    // The first of equals stays, and those that are measured come first: short texts share words with their neighbours'.
    for (count, (language, _)) in counts.into_iter().zip(LITTLE) {
        if count > best.0 {
            best = (count, language);
        }
    }
    // One little word of a language that is not measured may be a name or a quotation.
    if best == (1, Language::Unmeasured) { Language::English } else { best.1 }
}

#[cfg(test)]
mod tests;
