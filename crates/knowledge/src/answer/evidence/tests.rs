use super::code::{configures, is_code};
use super::pieces::{Role, pieces, sparse};
use super::question::{Question, Wants, acts};
use super::reading;
use super::{Draft, Found, Source, Verdict, likeness, support};
use outcrop_guard::grounding::support::{coverage, words};

fn texts(text: &str) -> Vec<(&str, bool)> {
    pieces(0, text).into_iter().map(|piece| (&text[piece.range.clone()], piece.role != Role::Says)).collect()
}

fn sources<const N: usize>(texts: [&str; N]) -> [Source<'_>; N] {
    texts.map(Source::from)
}

/// Vectors so that the question and its sentences have these cosines.
fn near(likeness: f32) -> Vec<f32> {
    vec![likeness, (1.0 - likeness * likeness).sqrt()]
}

fn told<'a>(passages: &[Source<'a>], found: &Found) -> &'a str {
    &passages[found.passage].text[found.range.clone()]
}

fn all<'a>(passages: &[Source<'a>], verdict: &Verdict) -> Vec<&'a str> {
    verdict.found.iter().map(|one| told(passages, one)).collect()
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
    assert_eq!(texts("name | day\nBolt | 9th"), [("name | day", true), ("Bolt | 9th", false)]);
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
    let passages = sources([text]);
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
    let answers = |question: &str, passage: &str| {
        let passages = sources([passage]);
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
        ("How can I see how much is left?", Wants::Way),
        ("How to tell how many there are?", Wants::Way),
        ("How much is left?", Wants::Count),
        ("What must I set for TLS?", Wants::Way),
        ("What happens if I set it?", Wants::Open),
        ("What is the maximum number of keys?", Wants::Count),
        ("What is the limit of a key?", Wants::Count),
        ("What is the largest file I can send?", Wants::Count),
        ("What is the largest city of Peru?", Wants::Open),
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
    let passages = sources(["Cats sleep. The capital of Peru is Lima.", "Peru has coasts."]);
    let draft = Draft::new("What is the capital of Peru?", &passages);
    assert_eq!(draft.texts().len(), 4);
    let vectors = [near(1.0), near(0.1), near(0.9), near(0.4)];
    let verdict = draft.weigh(&vectors);
    assert_eq!(told(&passages, &verdict.found[0]), "The capital of Peru is Lima.");
    assert!(verdict.answers());
    let strange =
        Draft::new("Who composed the opera Carmen?", &passages).weigh(&[near(1.0), near(0.0), near(0.1), near(0.1)]);
    assert!(!strange.answers() && strange.confidence < verdict.confidence);
}

#[test]
fn nothing_gives_no_answer_and_no_panic() {
    assert!(!Draft::new("", &[]).weigh(&[]).answers());
    let verdict = Draft::new("?", &sources(["", "# Only a heading", "🙂"])).weigh(&[]);
    assert!(!verdict.answers());
    let long = "word ".repeat(20_000);
    let passages = sources([long.as_str()]);
    assert!(Draft::new("what word", &passages).texts().len() <= 65);
    let lines = "`setting`\n\nWhat it does.\n\n".repeat(500) + "`last`\n\nThe last word is goodbye.";
    let passages = sources([lines.as_str()]);
    let draft = Draft::new("What is the last word?", &passages);
    assert!(draft.texts().len() <= 129);
    assert!(told(&passages, &draft.weigh(&[]).found[0]).starts_with("`last`"));
}

#[test]
fn a_second_sentence_is_told_where_it_is_as_likely() {
    let passages = sources(["The gate opens at eight.", "The gate opens at nine.", "Cats sleep."]);
    let draft = Draft::new("When does the gate open?", &passages);
    let verdict = draft.weigh(&[near(1.0), near(0.9), near(0.9), near(0.1)]);
    let told: Vec<usize> = verdict.chosen(&passages, 1.0).iter().map(|one| one.passage).collect();
    assert_eq!(told, [0, 1]);
    assert_eq!(verdict.chosen(&passages, 0.0).len(), 1);
}

#[test]
fn what_a_chunk_cut_off_is_not_told_where_another_has_it_whole() {
    let passages = sources([
        "It is big. The gate opens at eight in",
        "The gate opens at eight in the morning.",
        "opens at eight in",
    ]);
    let draft = Draft::new("When does the gate open?", &passages);
    let verdict = draft.weigh(&[near(1.0), near(0.1), near(0.9), near(0.8), near(0.9)]);
    let told = all(&passages, &verdict);
    assert_eq!(told, ["The gate opens at eight in the morning.", "It is big."]);
}

#[test]
fn the_end_of_a_sentence_alone_is_no_answer() {
    let passages = sources([
        "of Windows not the program. The program is slow on Windows: a scanner reads along.",
        "server start begins it.",
    ]);
    let draft = Draft::new("Why is the program slow on Windows?", &passages);
    let told = all(&passages, &draft.weigh(&[]));
    assert_eq!(told, ["The program is slow on Windows: a scanner reads along.", "server start begins it."]);
}

#[test]
fn a_sentence_that_points_back_is_told_with_what_it_points_to() {
    let passages =
        sources(["Use the reload command:\n\ngate reload\n\nThis is graceful. It takes no downtime.\n\nIt is free."]);
    let draft = Draft::new("How do I reload without downtime?", &passages);
    let vectors: Vec<Vec<f32>> =
        draft.texts().iter().map(|text| vec![f32::from(u8::from(text.contains("downtime"))), 0.0]).collect();
    let verdict = draft.weigh(&vectors);
    assert_eq!(
        told(&passages, &verdict.found[0]),
        "Use the reload command:\n\ngate reload\n\nThis is graceful. It takes no downtime."
    );
}

#[test]
fn whose_it_is_is_told_along() {
    for back in ["Their", "Its", "Such", "Both", "Either"] {
        let text = format!("The gate has two keys. {back} colour is red.");
        let passages = sources([text.as_str()]);
        let draft = Draft::new("Which colour is red?", &passages);
        let verdict = draft.weigh(&[near(1.0), near(0.1), near(0.9)]);
        assert_eq!(told(&passages, &verdict.found[0]), text);
    }
}

#[test]
fn where_to_read_on_is_no_answer() {
    for reference in ["See the manual.", "policies.md has the language.", "[keys.md](keys.md) says how keys are made."]
    {
        assert_eq!(texts(&format!("{reference} It is short.")), [(reference, true), ("It is short.", false)]);
    }
    for own in
        ["keys.md has the language; the tool answers without a call.", "The page says so.", "Node.js has a cache."]
    {
        assert_eq!(texts(own), [(own, false)]);
    }
}

#[test]
fn what_opens_a_section_says_what_its_heading_asks() {
    let passages =
        sources(["Summer Hours\n\nFour days a week from May 1 on. A holiday within summer hours counts as a day off."]);
    let draft = Draft::new("When are summer hours?", &passages);
    let verdict = draft.weigh(&[near(1.0), near(0.9), near(0.6), near(0.4)]);
    assert_eq!(told(&passages, &verdict.found[0]), "Four days a week from May 1 on.");
}

#[test]
fn a_command_says_how() {
    let passages = sources(["The index must always be repaired first. See the index.\n\n$ tool repair index"]);
    let draft = Draft::new("How do I repair a damaged index?", &passages);
    let verdict = draft.weigh(&[near(1.0), near(0.6), near(0.9), near(0.6)]);
    let told = all(&passages, &verdict);
    assert_eq!(told, ["$ tool repair index", "The index must always be repaired first."]);
}

#[test]
fn what_a_section_is_about_may_stand_above_its_passage() {
    let above = ["manual".to_owned(), "Backup".to_owned(), "Restoring".to_owned()];
    let passages = [
        Source { text: "Name the folder and wait.\n\nKeys\n\nThey open it.", above: &above },
        Source::from("Name the folder and go."),
    ];
    let draft = Draft::new("How do I restore a backup?", &passages);
    assert_eq!(draft.texts().last(), Some(&"Restoring"));
    let features = draft.features(&[]);
    assert!(features[0][2] > 0.9 && features[0][3] > 0.9, "{:?}", features[0]);
    // Restoring has ended where other keys begin, the chapter has not.
    let keys = draft.places().position(|(_, range, _)| &passages[0].text[range] == "They open it.").unwrap();
    assert!(features[keys][2] > 0.1 && features[keys][2] < 0.9, "{:?}", features[keys]);
    assert!(features.last().unwrap()[2] < 0.1);
}

#[test]
fn a_sentence_is_close_as_one_of_its_section() {
    let above = ["Restoring".to_owned()];
    let passages = [Source { text: "Name the folder.", above: &above }, Source::from("Name the folder.")];
    let draft = Draft::new("How do I restore?", &passages);
    let features = draft.features(&[near(1.0), near(0.5), near(0.5), near(0.9)]);
    assert!(features[0][0] > 0.6 && features[1][0] < 0.51, "{} {}", features[0][0], features[1][0]);
}

#[test]
fn keys_and_orders_say_how() {
    for text in [
        "Press the red button.",
        "To stop it, press Ctrl-C.",
        "It stops on Ctrl-C.",
        "- Then, run it.",
        "If it hangs, you can restart it.",
    ] {
        assert!(acts(text), "{text}");
    }
    for none in ["The button is red.", "It stops by itself.", "A control-freak is one."] {
        assert!(!acts(none), "{none}");
    }
    let passages = sources(["The server stops when it is asked to stop.\nStop the server with Ctrl-C."]);
    let draft = Draft::new("How do I stop the server?", &passages);
    let verdict = draft.weigh(&[near(1.0), near(0.7), near(0.6)]);
    assert_eq!(told(&passages, &verdict.found[0]), "Stop the server with Ctrl-C.");
}

#[test]
fn what_a_thing_is_its_definition_says() {
    let question = Question::new("What is a token bucket?");
    for text in [
        "A token bucket is a counter.",
        "Token buckets are counters.",
        "token bucket: a counter",
        "Token bucket | a counter",
    ] {
        assert!(question.defined_by(text), "{text}");
    }
    for text in ["Every token bucket in the yard that leaks is mended.", "It is a token bucket.", "A bucket is a pail."]
    {
        assert!(!question.defined_by(text), "{text}");
    }
    assert!(!Question::new("How is it made?").defined_by("It is made."));
}

#[test]
fn what_says_nothing_but_the_question_is_no_answer() {
    let passages =
        sources(["- Backup of the server\nThe backup of the server is a folder.\nThe server has no backup."]);
    let draft = Draft::new("Where is the backup of the server?", &passages);
    assert!(!all(&passages, &draft.weigh(&[])).contains(&"- Backup of the server"));
    let polar = Draft::new("Does the server have a backup?", &passages);
    assert!(all(&passages, &polar.weigh(&[])).contains(&"The server has no backup."));
}

#[test]
fn a_way_may_be_told_by_little_words() {
    let passages = sources(["To run the tests, run make test.\nTo run the tests again, wait.\nThe tests run."]);
    let verdict = Draft::new("How do I run the tests?", &passages).weigh(&[near(1.0), near(0.9), near(0.9), near(0.9)]);
    assert_eq!(all(&passages, &verdict)[0], "To run the tests, run make test.");
    assert!(!all(&passages, &verdict).contains(&"The tests run."));
    let served = |question: &str, text: &str| Question::new(question).served_by(text);
    assert!(served("How do I run the tests?", "- To run all tests, or some of them, run make."));
    assert!(!served("How do I run the tests?", "To clean up, run make."));
    assert!(!served("How do I run the tests?", "To run the tests, it takes an hour."));
    assert!(!served("Who may run the tests?", "To run the tests, run make."));
}

#[test]
fn code_neither_counts_nor_says_yes() {
    for code in [
        "{\"keys\": 120}",
        "\"keys\": 120,",
        "[[access.users]]",
        "[quotas.models.\"anthropic.claude-3\"]",
        "calls = 120   # a minute",
        "model = \"a b\"",
        "- { name: REGION, value: us-east-1 }",
        "- job_name: outcrop",
        "}],",
    ] {
        assert!(configures(code) && is_code(code), "{code}");
    }
    assert!(is_code("outcrop keys rotate AKIA... --retire-after 24h"));
    for prose in [
        "port: 7711",
        "It is so: {x}.",
        "[1]",
        "Pi = 3.14 is round",
        "Note: it is",
        "max_age: 30 s or so",
        "keys new --at X | a key",
        "",
    ] {
        assert!(!is_code(prose), "{prose}");
    }
    let passages = sources(["{\"keys\": 120}\nA user has two keys."]);
    let of = |question: &str| all(&passages, &Draft::new(question, &passages).weigh(&[]));
    assert_eq!(of("How many keys has a user?"), ["A user has two keys."]);
    assert_eq!(of("Does a user have keys?"), ["A user has two keys."]);
    assert!(of("How do I set the keys of a user?").contains(&"{\"keys\": 120}"));
}

#[test]
fn numbers_that_name_something_count_nothing() {
    let fits = |text: &str| Question::new("How many keys can a user have?").fits(text, &words(text));
    for none in ["It is of 111122223333 or us-east-1.", "Keys are in /etc/app/keys2.", "So:\nkeys = 4"] {
        assert_eq!(fits(none), Some(false), "{none}");
    }
    for quantity in ["It may have two.", "At most 5, as 1,000,000 would be many.", "From v1.2 on."] {
        assert_eq!(fits(quantity), Some(true), "{quantity}");
    }
}

#[test]
fn a_question_that_a_sentence_quotes_is_not_what_it_says() {
    for text in [
        "The suite asks \"How do I stop the server?\" each night.",
        "{\"asked\": \"How do I stop the server?\", \"file\": \"a.md\"}",
        "“How do I stop the server?” is asked each night.",
    ] {
        let passages = sources([text]);
        let features = Draft::new("How do I stop the server?", &passages).features(&[near(1.0), near(1.0)]);
        assert!(features[0][0] < 0.7 && features[0][1] < 0.1 && features[0][3] < 0.1, "{text}: {:?}", features[0]);
    }
    // But a heading is what its section answers.
    let text = "\"How do I stop the server?\"\n\nPress the red key.";
    assert_eq!(texts(text), [("\"How do I stop the server?\"", true), ("Press the red key.", false)]);
    let passages = sources([text]);
    let features = Draft::new("How do I stop the server?", &passages).features(&[]);
    assert!(features[1][2] > 0.9 && features[1][3] > 0.9, "{:?}", features[1]);
}

#[test]
fn a_verb_and_its_particle_are_one_word_too() {
    let has = |text: &str, one: &str| {
        let one = reading::words(one).remove(0).stem;
        reading::words(text).iter().any(|word| word.stem == one)
    };
    for (text, one) in [
        ("Back up the folder.", "backup"),
        ("It is logged in.", "login"),
        ("Setting up takes long.", "setup"),
        ("the sign-in", "signin"),
        ("It shuts down.", "shutdown"),
        ("It times out.", "timeout"),
        ("read_timeout | 30 s", "timeout"),
    ] {
        assert!(has(text, one), "{text}");
    }
    for (text, one) in [
        ("Back, up there.", "backup"),
        ("The catalog in it.", "login"),
        ("Set it down.", "setup"),
        ("keys | test_a_gate_needs_a_key", "test"),
    ] {
        assert!(!has(text, one), "{text}");
    }
    let covers = |asked: &str, text: &str| coverage(&reading::words(asked), &reading::words(text));
    assert!(covers("How do I back up the folder?", "The backup of a folder.") > 0.9);
    assert!(covers("How is a backup made?", "To back up, it is made whole.") > 0.9);
    assert!(covers("What does test_a_gate_opens do?", "`test_a_gate_opens` opens it.") > 0.9);
}

#[test]
fn a_row_of_empty_cells_is_no_answer() {
    for row in ["gate |  | ", "| gate |  |  |"] {
        assert!(sparse(row), "{row}");
    }
    for row in ["gate | key", "gate |  ", "| gate | key |", "make it || exit"] {
        assert!(!sparse(row), "{row}");
    }
}

#[test]
fn a_default_is_told_with_what_it_is_the_default_of() {
    let text = "`stopsignal`\n\nThe signal that stops a program.\n\n*Default*: TERM\n\n`wait`\n\nHow long to wait.";
    assert_eq!(texts(text)[0], ("`stopsignal`", true));
    assert_eq!(texts(".. data:: WAIT = 10\n\n   How long it waits.")[0], (".. data:: WAIT = 10", true));
    let declared = sources([".. data:: WAIT = 10\n\n   How long a stop is awaited.\n\n.. note::\n\n   It is long."]);
    let draft = Draft::new("Which setting says how long a stop is awaited?", &declared);
    let verdict = draft.weigh(&[near(1.0), near(0.1), near(0.9)]);
    assert_eq!(told(&declared, &verdict.found[0]), ".. data:: WAIT = 10\n\n   How long a stop is awaited.");
    let passages = sources([text]);
    let whole = "`stopsignal`\n\nThe signal that stops a program.\n\n*Default*: TERM";
    for question in ["Which signal stops a program by default?", "What is the default of stopsignal?"] {
        let draft = Draft::new(question, &passages);
        assert_eq!(told(&passages, &draft.weigh(&[]).found[0]), whole, "{question}");
    }
}

#[test]
fn a_row_is_read_with_the_head_of_its_table() {
    let passages = sources(["Settings\n\nkey | default\nread_timeout | 30 s\nwrite_timeout | 10 s"]);
    let draft = Draft::new("What is the default of read_timeout?", &passages);
    assert_eq!(told(&passages, &draft.weigh(&[]).found[0]), "read_timeout | 30 s");
    let row = draft.places().position(|(_, range, _)| passages[0].text[range].starts_with("read")).unwrap();
    assert!(draft.features(&[])[row][2] > 0.9);
}

#[test]
fn a_question_of_a_list_of_questions_is_no_answer() {
    let text = "Q: My queries go to the wrong server. I gave the servers in order. Why?\n\nA: Give it the -o flag.";
    let found = texts(text);
    assert!(found[..found.len() - 1].iter().all(|one| one.1), "{found:?}");
    assert_eq!(found.last(), Some(&("A: Give it the -o flag.", false)));
}

#[test]
fn what_can_be_done_is_told_with_how_it_is_done() {
    let passages = sources(["Browsing the backup is very easy. First, mount it at a folder. Then it is there."]);
    let draft = Draft::new("How do I browse the backup?", &passages);
    assert_eq!(
        told(&passages, &draft.weigh(&[near(1.0), near(0.9)]).found[0]),
        "Browsing the backup is very easy. First, mount it at a folder."
    );
}

#[test]
fn what_is_announced_is_told_along() {
    let text = "To install it, the following command is enough.\n\nmake install\n\nIt takes a while.";
    assert_eq!(texts(text)[0].0, "To install it, the following command is enough.\n\nmake install");
    let shown = "It can be installed by pip:\n\n.. code-block:: bash\n\n   pip install it\n\nThat is all.";
    assert_eq!(texts(shown)[0].0, shown.strip_suffix("\n\nThat is all.").unwrap());
    assert_eq!(texts("Is it so:\nQ: Why?")[0].0, "Is it so:");
    let whole = "It is told by its calls. With\n\n[loops]\ncalls = 120\n# of seconds\npause = 5";
    assert_eq!(texts(&format!("{whole}\n\na key is refused."))[0], (whole, false));
    let whole = "It is configured as follows.\n\n{\"keys\": 120,\n\"users\": 5}";
    assert_eq!(texts(&format!("{whole}\n\nThat is all."))[0], (whole, false));
    let whole = "Set how many calls are too many:\n\n[loops]\ncalls = 120";
    assert_eq!(texts(&format!("{whole}\n\n# Other things\n\nThat is all."))[0], (whole, false));
}
