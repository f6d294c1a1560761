use proptest::prelude::*;

use super::*;
use crate::{Block, Failure, Role};

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn block(role: Role, text: &str, page: Option<u32>) -> Block {
    Block { role, text: text.to_owned(), page }
}

fn document(blocks: &[(Role, &str, Option<u32>)]) -> Document {
    let blocks = blocks.iter().map(|(role, text, page)| block(*role, text, *page)).collect();
    Document { blocks, ..Document::default() }
}

fn fixed(max_tokens: u32, overlap_percentage: u32) -> Chunking {
    Chunking::Fixed { max_tokens, overlap_percentage }
}

fn texts(chunks: &[Chunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.text.as_str()).collect()
}

#[test]
fn whole_sentences_and_whole_sentences_repeated() {
    let text = "One two three. Four five six. Seven eight nine. Ten eleven twelve.";
    let document = document(&[(Role::Paragraph, text, None)]);
    let cut = chunk(&document, fixed(6, 50), &words);
    assert_eq!(
        texts(&cut.chunks),
        ["One two three. Four five six.", "Four five six. Seven eight nine.", "Seven eight nine. Ten eleven twelve."]
    );
    let cut = chunk(&document, fixed(6, 30), &words);
    assert_eq!(
        texts(&cut.chunks),
        ["One two three. Four five six.", "six. Seven eight nine.", "nine. Ten eleven twelve."]
    );
}

#[test]
fn a_long_sentence_is_cut_between_words() {
    let document = document(&[(Role::Paragraph, "a b c d e f g", None)]);
    assert_eq!(texts(&chunk(&document, fixed(3, 1), &words).chunks), ["a b c", "d e f", "g"]);
    let characters = |text: &str| text.chars().count();
    let document = self::document(&[(Role::Paragraph, "gänseblümchen ja", None)]);
    for chunk in chunk(&document, fixed(4, 1), &characters).chunks {
        assert!(chunk.text.chars().count() <= 4);
    }
}

#[test]
fn what_is_one_token_however_long_is_cut_by_its_bytes() {
    let unknown = |text: &str| usize::from(!text.is_empty());
    let strategies = [
        Chunking::default(),
        Chunking::Hierarchical { parent: 1500, child: 300, overlap: 60 },
        Chunking::Semantic { max_tokens: 300, buffer: 0, percentile: 95 },
    ];
    for (piece, times) in [("x", 30_000), ("ก", 6_200), ("👩‍👩‍👧", 3_000)] {
        let text = piece.repeat(times);
        let document = document(&[(Role::Paragraph, &text, None)]);
        for strategy in strategies {
            let cut = chunk(&document, strategy, &unknown);
            assert!(cut.chunks.iter().all(|chunk| chunk.text.len() <= 8 * 300), "{piece} {strategy:?}");
            assert!(cut.chunks.iter().all(|chunk| chunk.text.len() % piece.len() == 0), "{piece} {strategy:?}");
            assert!(cut.parents.iter().all(|parent| parent.text.len() <= 8 * 1500), "{piece} {strategy:?}");
            assert_eq!(cut.chunks.last().unwrap().end, text.chars().count());
        }
    }
    let document = document(&[(Role::Paragraph, &"x".repeat(8 * 300), None)]);
    assert_eq!(chunk(&document, Chunking::default(), &unknown).chunks.len(), 1);
}

#[test]
fn pages_and_top_sections_are_borders_and_headings_go_along() {
    let document = document(&[
        (Role::Heading(1), "Birds", Some(1)),
        (Role::Heading(2), "Ducks", Some(1)),
        (Role::Paragraph, "They swim.", Some(1)),
        (Role::Heading(3), "Food", Some(1)),
        (Role::Row, "bread | bad", Some(1)),
        (Role::Heading(2), "Geese", Some(1)),
        (Role::Paragraph, "They bite.", Some(1)),
        (Role::Paragraph, "They fly.", Some(2)),
    ]);
    let cut = chunk(&document, Chunking::default(), &words).chunks;
    assert_eq!(
        texts(&cut),
        ["Birds\n\nDucks\n\nThey swim.\n\nFood\n\nbread | bad", "Geese\n\nThey bite.", "They fly."]
    );
    assert_eq!(cut[0].headings, ["Birds", "Ducks"]);
    assert_eq!(cut[2].headings, ["Birds", "Geese"]);
    assert_eq!(cut.iter().map(|chunk| chunk.page).collect::<Vec<_>>(), [Some(1), Some(1), Some(2)]);
}

#[test]
fn no_chunk_ends_in_a_heading() {
    let document = document(&[
        (Role::Paragraph, "Some words here.", None),
        (Role::Heading(2), "Next thing", None),
        (Role::Paragraph, "More words there.", None),
    ]);
    assert_eq!(
        texts(&chunk(&document, fixed(6, 1), &words).chunks),
        ["Some words here.", "Next thing\n\nMore words there."]
    );
}

#[test]
fn children_lie_in_their_parents() {
    let text = "A b c. D e f. G h i. J k l. M n o. P q r.";
    let document = document(&[(Role::Paragraph, text, Some(1)), (Role::Paragraph, "S t u.", Some(2))]);
    let cut = chunk(&document, Chunking::Hierarchical { parent: 12, child: 6, overlap: 3 }, &words);
    assert!(cut.parents.len() >= 3 && cut.chunks.len() > cut.parents.len());
    for child in &cut.chunks {
        let parent = &cut.parents[child.parent.unwrap()];
        assert!(parent.start <= child.start && child.end <= parent.end, "{child:?} in {parent:?}");
        assert!(words(&child.text) <= 6 && words(&parent.text) <= 12);
    }
}

#[test]
fn none_is_the_file() {
    let document = document(&[(Role::Paragraph, "One.", Some(1)), (Role::Paragraph, "Two.", Some(2))]);
    let cut = chunk(&document, Chunking::None, &words).chunks;
    assert_eq!(texts(&cut), ["One.\n\nTwo."]);
    assert_eq!(cut[0].page, None);
    assert!(chunk(&Document::default(), Chunking::None, &words).chunks.is_empty());
}

#[test]
fn meaning_cuts_where_neighbours_differ() {
    // 101 sentences, percentile 90: ten cuts.
    let text: String = (0..101).map(|number| format!("Sentence {number} stands here. ")).collect();
    let document = document(&[(Role::Paragraph, &text, None)]);
    let semantic = Semantic::new(&document, 1).unwrap();
    let groups = semantic.groups();
    assert_eq!(groups.len(), 101);
    assert_eq!(groups[0], "Sentence 0 stands here. Sentence 1 stands here.");
    assert_eq!(groups[5].matches("Sentence").count(), 3);
    let vectors: Vec<Vec<f32>> =
        (0..101).map(|at| if at / 10 % 2 == 0 { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).collect();
    let cut = semantic.cut(&vectors, 90, 300, &words);
    assert_eq!(cut.len(), 11);
    assert!(cut[1].text.starts_with("Sentence 10 "));
    assert!(semantic.cut(&vectors, 90, 8, &words).iter().all(|chunk| words(&chunk.text) <= 8));
    let long = self::document(&[(Role::Paragraph, &"x".repeat(SEMANTIC_LIMIT + 1), None)]);
    assert!(matches!(Semantic::new(&long, 0), Err(Failure::Limit(_))));
}

#[test]
fn by_meaning_headings_lead_and_borders_hold() {
    let text = "One is first. Two is next. It is long.";
    let alpha = (Role::Heading(1), "Alpha", None);
    let beta = (Role::Heading(1), "Beta", None);
    let document = document(&[alpha, (Role::Paragraph, text, None), beta, (Role::Paragraph, text, None)]);
    let semantic = Semantic::new(&document, 0).unwrap();
    // Headings are like nothing, and the sections like one another.
    let heading = |group: &String| ["Alpha", "Beta"].contains(&group.as_str());
    let vectors: Vec<Vec<f32>> =
        semantic.groups().iter().map(|g| if heading(g) { vec![0.0, 1.0] } else { vec![1.0, 0.0] }).collect();
    for percentile in [50, 75, 99] {
        let cut = semantic.cut(&vectors, percentile, 300, &words);
        assert!(cut.iter().any(|chunk| chunk.text.starts_with("Beta\n\nOne is first.")), "{cut:?}");
        assert!(cut.iter().any(|chunk| chunk.text.starts_with("Alpha\n\nOne is first.")), "{cut:?}");
    }
    assert_eq!(semantic.cut(&[], 95, 300, &words).len(), 2);
    let pages = self::document(&[(Role::Paragraph, "One.", Some(1)), (Role::Paragraph, "Two.", Some(2))]);
    assert_eq!(Semantic::new(&pages, 0).unwrap().cut(&vec![vec![1.0]; 2], 99, 300, &words).len(), 2);
}

#[test]
fn sentences_end_where_readers_see_an_end() {
    let text = "Dr. Who met J. Doe, e.g. in Fig. 3. It cost 3.5 kg. Really? Yes!\nNext line. 这是第一句。这是第二句。";
    let found: Vec<&str> = units::sentences(text).into_iter().map(|range| &text[range]).collect();
    assert_eq!(
        found,
        [
            "Dr. Who met J. Doe, e.g. in Fig. 3.",
            "It cost 3.5 kg.",
            "Really?",
            "Yes!",
            "Next line.",
            "这是第一句。",
            "这是第二句。"
        ]
    );
    let wrapped = "A sentence that was broken by an editor after eighty\ncharacters goes on. The next one.";
    assert_eq!(units::sentences(wrapped).len(), 2);
}

fn any_block() -> impl Strategy<Value = Block> {
    let role = prop_oneof![
        (1u8..4).prop_map(Role::Heading),
        Just(Role::Paragraph),
        Just(Role::Paragraph),
        Just(Role::Item),
        Just(Role::Row),
        Just(Role::Verbatim),
    ];
    let text = prop_oneof![
        "[a-z]{1,6}([ .][A-Za-z]{1,6}){0,40}",
        "\\PC{1,60}",
        "(ü|é|e\u{301}|ก|家|👩‍👩‍👧|\\.|。| |\n|Wort|[0-9]){1,80}",
    ];
    (role, text, proptest::option::of(1u32..4)).prop_map(|(role, text, page)| Block { role, text, page })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn chunks_cover_the_text_at_the_places_they_name(
        blocks in prop::collection::vec(any_block(), 0..12),
        max in 1u32..40,
        overlap in 1u32..=99,
        characters in any::<bool>(),
    ) {
        let mut document = Document::default();
        for block in blocks {
            document.push(block.role, block.text, block.page);
        }
        let text: Vec<char> = document.text().chars().collect();
        let count = |text: &str| if characters { text.chars().filter(|c| !c.is_whitespace()).count() } else { words(text) };
        let child = max.div_ceil(2);
        let strategies = [
            fixed(max, overlap),
            Chunking::None,
            Chunking::Hierarchical { parent: max, child, overlap: child / 3 },
            Chunking::Semantic { max_tokens: max, buffer: 0, percentile: 90 },
        ];
        for strategy in strategies {
            let cut = chunk(&document, strategy, &count);
            let mut covered = vec![false; text.len()];
            for piece in cut.chunks.iter().chain(&cut.parents) {
                prop_assert_eq!(text[piece.start..piece.end].iter().collect::<String>(), piece.text.clone());
                prop_assert!(!piece.text.trim().is_empty());
            }
            for piece in &cut.chunks {
                covered[piece.start..piece.end].fill(true);
                let limit = match strategy { Chunking::None => usize::MAX, Chunking::Hierarchical { .. } => child as usize, _ => max as usize };
                let graphemes = unicode_segmentation::UnicodeSegmentation::graphemes(piece.text.as_str(), true).count();
                prop_assert!(count(&piece.text) <= limit || graphemes == 1, "{} > {}: {:?}", count(&piece.text), limit, piece.text);
                prop_assert!(piece.text.len() <= limit.saturating_mul(8) || graphemes == 1, "{} bytes: {:?}", piece.text.len(), piece.text);
            }
            for (at, seen) in covered.iter().enumerate() {
                prop_assert!(*seen || text[at].is_whitespace(), "{:?} at {} is in no chunk", text[at], at);
            }
        }
    }
}
