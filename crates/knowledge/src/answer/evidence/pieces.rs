//! Retrieved text, cut into what can be an answer.

use std::ops::Range;

use outcrop_guard::grounding::sentences;

use super::code::configures;
use super::question::command;

/// A part of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Which passage.
    pub passage: usize,
    /// Its bytes there.
    pub range: Range<usize>,
    pub role: Role,
    /// The head of its table, where it is a row of one.
    pub head: Option<Range<usize>>,
}

/// What a part is to those around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It may be an answer.
    Says,
    /// It only says what comes: a heading, a question.
    Heading,
    /// The first row of a table: it says what the cells below it are.
    Head,
}

/// A heading has at most so many words.
const HEADING: usize = 10;
/// A name of an option or a setting has at most so many words.
const NAME: usize = 6;
/// A sentence that ends in a colon takes at most so many lines with it: a command, a short list.
const LINES: usize = 8;

/// What a question that heads its answer may stand in.
const QUOTES: [char; 6] = ['"', '“', '”', '„', '«', '»'];

/// What stands between the cells of a table's row.
pub(super) const CELLS: &str = " | ";

/// The pieces of `text`, in order. A table's row is one, whatever its cells hold, and its first row only says what comes.
pub(super) fn pieces(passage: usize, text: &str) -> Vec<Piece> {
    let cut = cut(text);
    let mut found = Vec::new();
    let mut head = None;
    for (at, (range, kind)) in cut.iter().enumerate() {
        let own = &text[range.clone()];
        let comes = || asks(text, range) || refers(own) || heading(own, text[range.end..].chars().next());
        let role = match kind {
            Kind::Sentence if comes() => Role::Heading,
            Kind::Head => Role::Head,
            Kind::Sentence | Kind::Row => Role::Says,
        };
        match kind {
            Kind::Sentence => head = None,
            Kind::Head => head = Some(range.clone()),
            Kind::Row => {}
        }
        let mut end = range.end;
        let line = |ahead: usize| cut.get(at + ahead).map_or("", |(line, _)| &text[line.clone()]);
        let follows =
            || announces(own) && (names(line(1)) || configures(line(1))) || leads(line(1)) && configures(line(2));
        if role == Role::Says && (own.ends_with([':', '…']) || own.ends_with("...") || follows()) {
            end = led(text, range, &cut[at + 1..]);
        }
        let head = head.clone().filter(|_| *kind == Kind::Row);
        found.push(Piece { passage, range: range.start..end, role, head });
    }
    found
}

/// Where the block ends that a sentence with a colon leads to: lines of code, a list. An empty line may stand before it,
/// behind what only says of which kind it is, and between the items of a list; elsewhere it ends the block. A question
/// is none of it.
fn led(text: &str, lead: &Range<usize>, next: &[(Range<usize>, Kind)]) -> usize {
    let mut end = lead.end;
    let (mut begins, mut within) = (true, false);
    for (line, _) in next.iter().take(LINES) {
        let own = &text[line.clone()];
        let lines = text[end..line.start].matches('\n').count();
        let most = if begins || is_item(own) { 2 } else { 1 };
        // Within a configuration it is a comment, elsewhere a heading.
        let comment = own.starts_with('#') && within && lines == 1;
        if lines > most || own.starts_with('#') && !comment || own.ends_with('?') {
            break;
        }
        end = line.end;
        begins = directive(own) || leads(own);
        within = configures(own) || comment;
    }
    end
}

/// Whether a line is an item of a list.
fn is_item(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "• "].iter().any(|mark| line.starts_with(mark)) || rest.len() < line.len() && rest.starts_with(". ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sentence,
    /// A table's first row, where others follow.
    Head,
    Row,
}

/// Sentences, and the rows of tables.
fn cut(text: &str) -> Vec<(Range<usize>, Kind)> {
    let begin = text.as_ptr() as usize;
    let place = |part: &str| {
        let start = part.as_ptr() as usize - begin;
        start..start + part.len()
    };
    let mut cut = Vec::new();
    let mut plain = 0..0;
    let tell = |plain: Range<usize>, cut: &mut Vec<(Range<usize>, Kind)>| {
        cut.extend(sentences(&text[plain]).into_iter().map(|sentence| (place(sentence), Kind::Sentence)));
    };
    let mut within = false;
    for line in text.split_inclusive('\n') {
        let (range, row) = (place(line), line.contains(CELLS));
        if row {
            tell(plain.clone(), &mut cut);
            plain = range.end..range.end;
            let rest = || text[range.end..].lines().take_while(|line| line.contains(CELLS));
            // A passage that begins with a row may begin within a table: numbers tell what is below a head.
            let begins = range.start > 0 || !numbered(line) && rest().any(numbered);
            let head = !within && begins && rest().next().is_some();
            cut.push((place(line.trim()), if head { Kind::Head } else { Kind::Row }));
        } else {
            plain.end = range.end;
        }
        within = row;
    }
    tell(plain, &mut cut);
    cut
}

/// Whether a row of a table says little: more of its cells are empty than not.
pub(super) fn sparse(row: &str) -> bool {
    let own = row.strip_prefix('|').and_then(|own| own.strip_suffix('|')).unwrap_or(row);
    let empty = own.split('|').filter(|cell| cell.trim().is_empty()).count();
    row.contains(CELLS) && !row.contains('\n') && 2 * empty > own.split('|').count()
}

fn numbered(line: &str) -> bool {
    line.contains(|c: char| c.is_ascii_digit())
}

/// Whether a sentence is a question, or belongs to one: what stands before it in its paragraph only leads to it.
fn asks(text: &str, range: &Range<usize>) -> bool {
    let start = text[..range.start].rfind("\n\n").map_or(0, |before| before + 2);
    let end = text[range.end..].find("\n\n").map_or(text.len(), |after| range.end + after);
    let paragraph = text[start..end].trim();
    let own = &text[range.clone()];
    let quoted = own.starts_with(QUOTES) && own.trim_end_matches(QUOTES).ends_with('?');
    own.ends_with('?') || quoted || paragraph.ends_with('?') || paragraph.starts_with("Q: ")
}

/// Whether a sentence only says where to read on: "See ...", "policies.md has the language."
fn refers(own: &str) -> bool {
    const SAYS: &[&str] = &["describes", "explains", "has", "lists", "says", "tells"];
    let mut words = own.split_whitespace();
    let page = words.next().is_some_and(page) && words.next().is_some_and(|next| SAYS.contains(&next));
    // Behind a semicolon it may say something itself.
    page && !own.contains(';') || ["See ", "see ", "See also"].iter().any(|word| own.starts_with(word))
}

/// Whether a word names a page of documentation, by itself or as a link of Markdown.
fn page(word: &str) -> bool {
    let name = word.trim_start_matches(['[', '`']);
    let name = name.split([']', '`']).next().unwrap_or_default();
    name.rsplit_once('.')
        .is_some_and(|(name, ending)| !name.is_empty() && ["adoc", "html", "md", "rst"].contains(&ending))
}

/// Whether a sentence begins with a word for something that was said before, or is the default of it: "Default: 10".
pub(super) fn points_back(own: &str) -> bool {
    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "Both", "Either", "It", "Its", "Otherwise", "Such", "That", "Their", "Then", "These", "They", "This", "Those",
    ];
    own.split(|c: char| !c.is_alphanumeric()).next().is_some_and(|first| WORDS.contains(&first)) || defaults(own)
}

/// Whether a line is nothing but the default of what was described before it.
pub(super) fn defaults(own: &str) -> bool {
    own.split_once(':').is_some_and(|(label, rest)| {
        let label = label.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        ["default", "defaults", "default value"].contains(&label.as_str()) && !rest.trim().is_empty()
    })
}

fn heading(piece: &str, next: Option<char>) -> bool {
    if piece.starts_with('#') || directive(piece) || names(piece) && next == Some('\n') {
        return true;
    }
    if command(piece) {
        return false;
    }
    let ends = piece.ends_with(['.', '!', '?', ':', ';', '`', '"', '”', ')', '。', '！', '？', '|']);
    let plain = !piece.starts_with(['-', '*', '•', '`', '|', '$']) && !piece.contains(['`', '|', ':', '=']);
    !ends && plain && matches!(next, Some('\n' | '\r')) && piece.split_whitespace().count() <= HEADING
}

/// Whether a line is a directive of reStructuredText, which names what follows.
fn directive(line: &str) -> bool {
    line.starts_with(".. ") && line.contains("::") && !line.contains('\n')
}

/// Whether a sentence says that what it speaks of follows, without a colon.
fn announces(own: &str) -> bool {
    own.ends_with('.') && [" following", " below", "like this", "as follows"].iter().any(|word| own.contains(word))
}

/// Whether a line is nothing but the beginning of a sentence that a configuration stands in: "With", the configuration,
/// "this or that happens".
fn leads(line: &str) -> bool {
    matches!(line.trim_end_matches(':'), "With" | "with")
}

/// Whether a line is a directive of Sphinx that names what is described below it.
fn declares(line: &str) -> bool {
    const KINDS: &[&str] =
        &["attribute", "class", "confval", "data", "envvar", "function", "method", "option", "setting"];
    line.strip_prefix(".. ").and_then(|rest| rest.split_once("::")).is_some_and(|(kind, name)| {
        !name.trim().is_empty() && kind.rsplit(':').next().is_some_and(|kind| KINDS.contains(&kind))
    })
}

/// Whether a line is a name of what is described or done below it, as it is typed: an option, a setting, a command.
pub(super) fn names(line: &str) -> bool {
    if declares(line) {
        return true;
    }
    let begins = line.starts_with(|c: char| c.is_ascii_lowercase() || matches!(c, '`' | '[' | '<' | '/'))
        || line.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c == '-' || c.is_alphanumeric()));
    begins
        && !command(line)
        && !line.ends_with(['.', '!', '?', ':', ';', ','])
        && !line.contains(['\n', '|'])
        && line.split_whitespace().count() <= NAME
}
