//! What letters look like: case, width, accents, look-alikes of other alphabets, characters that show nothing.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Whether a character shows nothing, so that a word with it looks like the word without.
pub fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character belongs to the word around it.
pub fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || is_combining_mark(letter)
}

/// Calls `with` for the small letters that `letter` is made of: wide, mathematical and circled letters are plain ones,
/// accents stand behind their letter.
pub fn plain(letter: char, mut with: impl FnMut(char)) {
    if letter.is_ascii() {
        return with(letter.to_ascii_lowercase());
    }
    decompose_compatible(letter, |part| match part {
        // The one letter of everyday text whose capitals are two.
        'ß' | 'ẞ' => "ss".chars().for_each(&mut with),
        _ => part.to_lowercase().for_each(&mut with),
    });
}

/// The plain mark for one that is typed for it: apostrophes, quotation marks, hyphens.
pub fn mark(letter: char) -> char {
    match letter {
        '‘' | '’' | '‚' | '‛' | 'ʼ' | 'ʹ' | '′' | '´' | '`' | '＇' => '\'',
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => '"',
        '‐' | '‑' | '‒' | '–' | '−' | '﹣' | '－' | '⁃' => '-',
        other => other,
    }
}

/// The Latin letter that a small letter of another alphabet looks like (from Unicode's table of confusables).
pub fn latin(letter: char) -> Option<char> {
    Some(match letter {
        'а' | 'α' | 'ɑ' | 'ạ' => 'a',
        'в' | 'ь' | 'ƅ' => 'b',
        'с' | 'ϲ' | 'ς' | 'ᴄ' | 'ⅽ' => 'c',
        'ԁ' | 'ɗ' | 'ⅾ' => 'd',
        'е' | 'ε' | 'є' | 'ҽ' | 'ə' => 'e',
        'ƒ' | 'ғ' => 'f',
        'ɡ' | 'ց' => 'g',
        'һ' | 'н' | 'հ' => 'h',
        'і' | 'ι' | 'ı' | 'ӏ' | 'ɩ' => 'i',
        'ј' => 'j',
        'к' | 'κ' | 'ĸ' => 'k',
        'ⅼ' | 'ł' => 'l',
        'м' | 'μ' => 'm',
        'п' | 'η' | 'ո' | 'и' => 'n',
        'о' | 'ο' | 'σ' | 'օ' | 'ø' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' | 'ʀ' => 'r',
        'ѕ' | 'ʂ' | 'ꜱ' => 's',
        'т' | 'τ' | 'ƭ' => 't',
        'υ' | 'ս' | 'ц' | 'ᴜ' => 'u',
        'ѵ' | 'ν' | 'ⅴ' => 'v',
        'ԝ' | 'ω' | 'ш' => 'w',
        'х' | 'χ' | 'ⅹ' => 'x',
        'у' | 'γ' | 'ү' | 'ყ' => 'y',
        'ʐ' | 'ᴢ' => 'z',
        _ => return None,
    })
}
