use super::{claims, sentences};

fn told(text: &str) -> Vec<&str> {
    sentences(text).into_iter().map(|range| &text[range]).collect()
}

#[test]
fn a_command_is_never_cut() {
    for whole in [
        "To build the image, run `docker build . -t app:1.2 --no-cache` in the repository.",
        "Run `cd /opt/agent; make install` as root.",
        "Run `rm -rf ./cache; mkdir ./cache` once.",
        "Run `find . -name '*.tmp' -delete`.",
        "Run `find . Name` or ``a ` b. C``.",
        "find . -name \"*_tmp_*\" -delete && echo __init__.py",
        "cd .. && make; ls ./. /tmp",
        "test ! -f x.lock && ls file? -l",
        "git add . && git commit -m \"First. Second; third.\"",
        "echo 'One. Two' > out.txt",
        "docker run \\\n  --rm app",
        "```sh\ncd /opt. Then\nmake\n```",
        "The pattern is a_b_c*d*e and <T> &amp; x.",
        "Use java.util.List for it; not System.Out or Node.JS.",
    ] {
        assert_eq!(told(whole), [whole]);
    }
}

#[test]
fn abbreviations_ordinals_quotes_and_brackets_end_nothing() {
    for whole in [
        "Der Dienst läuft seit dem 3. März 2021.",
        "Im 19. Jahrhundert und am 1. Mai.",
        "Das gilt z. B. Köln, u. a. Bonn und i. d. R. Essen.",
        "See No. 5, approx. Ten of Dr. Who, bzw. Fig. 3.",
        "It (see a. B and c! D) holds.",
        "She said \"Go. Now!\" and left.",
        "Er sagte „Geh. Jetzt!“ und ging.",
        "1. Open the valve.",
    ] {
        assert_eq!(told(whole), [whole]);
    }
}

#[test]
fn a_line_that_fits_a_width_ends_no_sentence() {
    let wrapped = "It does not matter if the backup was interrupted by the user or if it was due\nto unforeseen circumstances \
                   such as a loss of power. Simply run the same\ncommand again.";
    assert_eq!(
        told(wrapped),
        [
            "It does not matter if the backup was interrupted by the user or if it was due\nto unforeseen circumstances such as \
             a loss of power.",
            "Simply run the same\ncommand again."
        ]
    );
    for lines in [
        ["Everything that the server keeps is stored in its data folder", "- Models are stored in the cache"],
        ["Everything that the server keeps is stored in its data folder", "2. Models are stored in the cache"],
        ["Everything that the server keeps is stored in its data folder", "    $ ls data/models"],
        ["$ server start --data /var/lib/server/data --verbose --port 8080", "listening on port 8080"],
        ["A heading that stands alone", "It says something."],
        [
            "server keys create --account 123456789012 --user root",
            "server keys list --account 123456789012 --user root --all",
        ],
    ] {
        assert_eq!(told(&lines.join("\n")), lines.map(str::trim));
    }
    let underlined = "A heading that is as long as the lines of the text under it are\n=====\nIt says something.";
    assert_eq!(told(underlined).len(), 2);
}

#[test]
fn sentences_still_end() {
    assert_eq!(told("It is no. Ask again! Why? So."), ["It is no.", "Ask again!", "Why?", "So."]);
    assert_eq!(told("She said \"Go now.\" Then she left."), ["She said \"Go now.\"", "Then she left."]);
    assert_eq!(
        told("It ran in 2021. Then `foo` ran. `bar` did not."),
        ["It ran in 2021.", "Then `foo` ran.", "`bar` did not."]
    );
    assert_eq!(
        told("An open ( bracket. And 'tis the dogs' bone. Yes."),
        ["An open ( bracket.", "And 'tis the dogs' bone.", "Yes."]
    );
    assert_eq!(told("It is so . Then it is not."), ["It is so .", "Then it is not."]);
    assert_eq!(told("1. One. Two.\n2. Three."), ["1. One.", "Two.", "2. Three."]);
}

#[test]
fn claims_are_cut_finer() {
    let text = "It is old; it is in the 19th century.First for Women";
    let claims: Vec<&str> = claims(text).into_iter().map(|range| &text[range]).collect();
    assert_eq!(claims, ["It is old;", "it is in the 19th century.", "First for Women"]);
}

#[test]
fn openings_without_an_end_cost_little() {
    for odd in ["(", "`", "\"", " '", "„", "a`` ", "[ . X"] {
        let text = odd.repeat(20_000);
        let begun = std::time::Instant::now();
        sentences(&text);
        assert!(begun.elapsed().as_secs() < 5, "{odd}");
    }
}

#[test]
fn a_sentence_goes_on_where_lines_are_filled_by_hand() {
    let wrapped = "If your system does not have an installer, you will need to download\nthe distribution and install it by hand. \
                   Releases may be downloaded\nfrom the site. It is enough to use `--interface` to say which of\nthe interfaces \
                   are served; the others are not.";
    assert_eq!(
        told(wrapped),
        [
            "If your system does not have an installer, you will need to download\nthe distribution and install it by hand.",
            "Releases may be downloaded\nfrom the site.",
            "It is enough to use `--interface` to say which of\nthe interfaces are served; the others are not.",
        ]
    );
    for lines in [
        [
            "restic -r /srv/restic-repo backup --exclude-file=excludes.txt",
            "restic -r /srv/restic-repo forget --keep-last 3",
        ],
        ["It has ended, and it is as long as one that is to be filled up.", "and it is another one that is not of it"],
    ] {
        assert_eq!(told(&lines.join("\n")), lines);
    }
    assert_eq!(told("\nIt is so, and it is as long as one that is to be filled up with it\nand goes on.").len(), 1);
}
