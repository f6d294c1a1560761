//! Any bytes through the parser that their first byte names: chunks stand where they say. A panic that `parse` would catch
//! stops the fuzzer all the same: its hook aborts.

use outcrop_extract::{Chunking, chunk, parse};

const NAMES: [&str; 12] =
    ["a.txt", "a.md", "a.html", "a.csv", "a.eml", "a.pdf", "a.docx", "a.pptx", "a.xlsx", "a.vtt", "a.doc", "a.rtf"];

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(first.wrapping_sub(b'0')) % NAMES.len()];
    let Ok(document) = parse(bytes, name, None) else { return };
    let text: Vec<char> = document.text().chars().collect();
    let tokens = |text: &str| text.split_whitespace().count();
    let strategies = [
        Chunking::Fixed { max_tokens: 7, overlap_percentage: 30 },
        Chunking::Hierarchical { parent: 20, child: 5, overlap: 2 },
    ];
    for strategy in strategies {
        let cut = chunk(&document, strategy, &tokens);
        for piece in cut.chunks.iter().chain(&cut.parents) {
            assert!(text[piece.start..piece.end].iter().copied().eq(piece.text.chars()), "in its place");
        }
    }
}
