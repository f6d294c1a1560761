use super::pieces::pieces;
use super::question::{Question, Wants};
use super::{Draft, likeness, support};
use outcrop_guard::grounding::support::{coverage, words};

fn texts(text: &str) -> Vec<(&str, bool)> {
    pieces(0, text).into_iter().map(|piece| (&text[piece.range.clone()], piece.heading)).collect()
}

#[test]
fn sentences_are_cut_and_headings_known() {
    let text = "# Restarting\n\nIt is easy. Run `a.b` now.\n\nOn-call rotation\nIt changes every Wednesday.";
    assert_eq!(
        texts(text),
        [
            ("# Restarting", true),
            ("It is easy.", false),
            ("Run `a.b` now.", false),
            ("On-call rotation", true),
            ("It changes every Wednesday.", false),
        ]
    );
}

#[test]
fn a_row_of_a_table_stays_whole_and_its_head_is_no_answer() {
    let table = "What is read.\nformat | how\nDoes it end? no | see a.md. And b.md\nlast | row\nIt ends.";
    assert_eq!(
        texts(table),
        [
            ("What is read.", false),
            ("format | how", true),
            ("Does it end? no | see a.md. And b.md", false),
            ("last | row", false),
            ("It ends.", false),
        ]
    );
    assert_eq!(texts("its last | rows\nfollow | here"), [("its last | rows", false), ("follow | here", false)]);
}

#[test]
fn a_sentence_is_told_to_its_end() {
    let found = texts("Press the red button; it takes a while; then wait.\n- one;\n- two.");
    let told: Vec<_> = found.iter().map(|one| one.0).collect();
    assert_eq!(told, ["Press the red button; it takes a while; then wait.", "- one;", "- two."]);
}

#[test]
fn a_question_is_no_answer() {
    let found = texts("Does it sleep? It sleeps at night.");
    assert_eq!(found, [("Does it sleep?", true), ("It sleeps at night.", false)]);
}

#[test]
fn a_sentence_is_about_what_its_heading_says() {
    let text = "Backup\n\nIt is copied whole. A folder takes it in.\n\nKeys\n\nA folder takes them in.";
    let passages = [text];
    let draft = Draft::new("How is the backup made?", &passages);
    let features = draft.features(&[]);
    let of = |said: &str| {
        let at = draft.places().position(|(_, range, _)| &text[range] == said).unwrap();
        features[at][2]
    };
    // The second sentence under its heading, and not the one under another.
    assert!(of("A folder takes it in.") > 0.4 && of("A folder takes them in.") < 0.1);
}

#[test]
fn a_way_may_be_told_by_what_is_no_word() {
    let fits = |text: &str| Question::new("How do I make a backup?").fits(text, &words(text));
    for way in [
        "outcrop backup DIR or FILE.tar, while it runs.",
        "The option --all does it.",
        "Settings stand in /etc/outcrop/settings.",
        "The member max_tokens says so.",
        "Use another folder.",
    ] {
        assert_eq!(fits(way), Some(true), "{way}");
    }
    for none in
        ["It is a copy of 3.5 GB, and/or less.", "Nobody knows -- it is late.", "The U.S. has it.", "It ends.Then"]
    {
        assert_eq!(fits(none), Some(false), "{none}");
    }
}

#[test]
fn a_colon_takes_its_command_along() {
    let found = texts("To restart, run:\n\nsystemctl restart indexer\n\n\n\nSomething else.");
    assert_eq!(found[0].0, "To restart, run:\n\nsystemctl restart indexer");
}

#[test]
fn a_colon_takes_its_block_along_and_no_more() {
    let command =
        "Use the reload command:\n\ncaddy reload\n\nIt uses the API.\n\nIf there are errors, nothing changes.";
    assert_eq!(texts(command)[0].0, "Use the reload command:\n\ncaddy reload");
    let list = "These are kept:\n\n- one;\n- two;\n\n- three;\n- four;\n- five.\n\nNothing else is.";
    assert_eq!(texts(list)[0].0, "These are kept:\n\n- one;\n- two;\n\n- three;\n- four;\n- five.");
    let note = texts(".. note::\n\n  It is repaired in place.\n\nMore of it.");
    assert_eq!(note[..2], [(".. note::", true), ("It is repaired in place.", false)]);
}

#[test]
fn commands_and_dates_are_told_whole() {
    for whole in [
        "To build the image, run `docker build . -t app:1.2 --no-cache` in the repository.",
        "To install the agent, run `cd /opt/agent; make install` as root.",
        "find . -name \"*_tmp_*\" -delete && echo __init__.py",
        "Der Dienst läuft seit dem 3. März 2021.",
    ] {
        assert_eq!(texts(whole), [(whole, false)]);
    }
    let fenced = "To clear it, run:\n\n```sh\ncd /opt. Then\nmake; make clean\n```\n\nIt is done.";
    assert_eq!(texts(fenced)[0].0, fenced.strip_suffix("\n\nIt is done.").unwrap());
}

#[test]
fn a_passage_without_a_number_tells_no_height() {
    let near = |likeness: f32| vec![likeness, (1.0 - likeness * likeness).sqrt()];
    let answers = |question: &str, passage: &str| {
        let passages = [passage];
        Draft::new(question, &passages).weigh(&[near(1.0), near(0.8)]).answers()
    };
    let keeper = "The lighthouse keeper is called Ada.";
    assert!(!answers("How tall is the lighthouse?", keeper));
    assert!(!answers("When was the lighthouse built?", "The lighthouse was built by Ada."));
    assert!(answers("Who is the keeper of the lighthouse?", keeper));
    assert!(answers("How tall is the lighthouse?", "The lighthouse is 40 metres tall."));
    assert!(answers("When is the lighthouse lit?", "The lighthouse is lit at dusk."));
    assert!(answers("How many lighthouses are closed?", "Several lighthouses are closed."));
}

#[test]
fn what_is_asked_for_is_known() {
    for (question, wants) in [
        ("How many people work there?", Wants::Count),
        ("In what year did it begin?", Wants::Time),
        ("When does the rotation change?", Wants::Time),
        ("How often does it change?", Wants::Span),
        ("Which ports must be open?", Wants::Count),
        ("Who owns the schedule?", Wants::Person),
        ("Where is it?", Wants::Place),
        ("Why NATS?", Wants::Reason),
        ("How do I restart it?", Wants::Way),
        ("Which command restarts it?", Wants::Way),
        ("What is NATS?", Wants::Open),
    ] {
        assert_eq!(Question::new(question).wants, wants, "{question}");
    }
    let fits = |question: &str, text: &str| Question::new(question).fits(text, &words(text));
    assert_eq!(fits("How many hosts are there?", "There are seven hosts."), Some(true));
    assert_eq!(fits("How many hosts are there?", "There are hosts."), Some(false));
    assert_eq!(fits("When are summer hours?", "We work less from May 1 through August 31."), Some(true));
    assert_eq!(fits("When are summer hours?", "We may work 40 hours a week."), None);
    assert_eq!(fits("How long is a week of work?", "We work 40 hours."), Some(true));
    assert_eq!(fits("Who owns the schedule?", "Yesterday Priya owned the schedule."), Some(true));
    assert_eq!(fits("What is NATS?", "A queue."), None);
}

#[test]
fn rare_words_count_more_and_endings_do_not() {
    let asked = words("What is the restarting of indexers?");
    assert!(coverage(&asked, &words("It restarts the indexer.")) > 0.9);
    assert!(coverage(&asked, &words("Nothing of the kind.")) < 0.1);
    let (words, pairs) = likeness("on-call rotation", "The on-call rotation changes.");
    assert!(words > 0.99 && pairs > 0.99);
}

#[test]
fn names_and_numbers_must_be_the_passages() {
    let passage = "The rotation changes every Wednesday at 10:00 UTC. Priya Raman owns it.";
    assert!(support("Yes, Priya Raman owns the rotation.", passage).1 > 0.99);
    assert!(support("It changes at 11:00 UTC.", passage).1 < 0.9);
    assert!(support("Yes, Bob Miller owns it.", passage).1 < 0.5);
}

#[test]
fn close_and_covered_sentences_come_first() {
    let passages = ["Cats sleep. The capital of Peru is Lima.", "Peru has coasts."];
    let draft = Draft::new("What is the capital of Peru?", &passages);
    assert_eq!(draft.texts().len(), 4);
    let near = |likeness: f32| vec![likeness, (1.0 - likeness * likeness).sqrt()];
    let vectors = [near(1.0), near(0.1), near(0.9), near(0.4)];
    let verdict = draft.weigh(&vectors);
    assert_eq!(&passages[0][verdict.found[0].range.clone()], "The capital of Peru is Lima.");
    assert!(verdict.answers());
    let strange =
        Draft::new("Who composed the opera Carmen?", &passages).weigh(&[near(1.0), near(0.0), near(0.1), near(0.1)]);
    assert!(!strange.answers() && strange.confidence < verdict.confidence);
}

#[test]
fn nothing_gives_no_answer_and_no_panic() {
    assert!(!Draft::new("", &[]).weigh(&[]).answers());
    let verdict = Draft::new("?", &["", "# Only a heading", "🙂"]).weigh(&[]);
    assert!(!verdict.answers());
    let long = "word ".repeat(20_000);
    let passages = [long.as_str()];
    assert!(Draft::new("what word", &passages).texts().len() <= 65);
}

#[test]
fn a_second_sentence_is_told_where_it_is_as_likely() {
    let passages = ["The gate opens at eight.", "The gate opens at nine.", "Cats sleep."];
    let draft = Draft::new("When does the gate open?", &passages);
    let near = |likeness: f32| vec![likeness, (1.0 - likeness * likeness).sqrt()];
    let verdict = draft.weigh(&[near(1.0), near(0.9), near(0.9), near(0.1)]);
    let told: Vec<usize> = verdict.chosen(&passages, 1.0).iter().map(|one| one.passage).collect();
    assert_eq!(told, [0, 1]);
    assert_eq!(verdict.chosen(&passages, 0.0).len(), 1);
}

#[test]
fn what_a_chunk_cut_off_is_not_told_where_another_has_it_whole() {
    let passages =
        ["It is big. The gate opens at eight in", "The gate opens at eight in the morning.", "opens at eight in"];
    let draft = Draft::new("When does the gate open?", &passages);
    let near = |likeness: f32| vec![likeness, (1.0 - likeness * likeness).sqrt()];
    let verdict = draft.weigh(&[near(1.0), near(0.1), near(0.9), near(0.8), near(0.9)]);
    let told: Vec<&str> = verdict.found.iter().map(|one| &passages[one.passage][one.range.clone()]).collect();
    assert_eq!(told, ["The gate opens at eight in the morning.", "It is big."]);
}

#[test]
fn the_end_of_a_sentence_alone_is_no_answer() {
    let passages = ["of Windows not the program. The program is slow on Windows.", "server start begins it."];
    let draft = Draft::new("Why is the program slow on Windows?", &passages);
    let told: Vec<&str> = draft.weigh(&[]).found.iter().map(|one| &passages[one.passage][one.range.clone()]).collect();
    assert_eq!(told, ["The program is slow on Windows.", "server start begins it."]);
}

#[test]
fn a_sentence_that_points_back_is_told_with_what_it_points_to() {
    let passages = ["Use the reload command:\n\ngate reload\n\nThis is graceful. It takes no downtime.\n\nIt is free."];
    let draft = Draft::new("How do I reload without downtime?", &passages);
    let vectors: Vec<Vec<f32>> =
        draft.texts().iter().map(|text| vec![f32::from(u8::from(text.contains("downtime"))), 0.0]).collect();
    let verdict = draft.weigh(&vectors);
    assert_eq!(
        &passages[0][verdict.found[0].range.clone()],
        "Use the reload command:\n\ngate reload\n\nThis is graceful. It takes no downtime."
    );
}

#[test]
fn what_opens_a_section_says_what_its_heading_asks() {
    let passages =
        ["Summer Hours\n\nFour days a week from May 1 on. A holiday within summer hours counts as a day off."];
    let draft = Draft::new("When are summer hours?", &passages);
    let near = |likeness: f32| vec![likeness, (1.0 - likeness * likeness).sqrt()];
    let verdict = draft.weigh(&[near(1.0), near(0.9), near(0.6), near(0.4)]);
    assert_eq!(&passages[0][verdict.found[0].range.clone()], "Four days a week from May 1 on.");
}

#[test]
fn a_command_says_how() {
    let passages = ["The index must always be repaired first. See the index.\n\n$ tool repair index"];
    let draft = Draft::new("How do I repair a damaged index?", &passages);
    let near = |likeness: f32| vec![likeness, (1.0 - likeness * likeness).sqrt()];
    let verdict = draft.weigh(&[near(1.0), near(0.6), near(0.9), near(0.6)]);
    let told: Vec<&str> = verdict.found.iter().map(|one| &passages[0][one.range.clone()]).collect();
    assert_eq!(told, ["$ tool repair index", "The index must always be repaired first."]);
}
