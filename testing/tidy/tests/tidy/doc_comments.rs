//! A doc comment opens with a noun phrase or a verb in the third person, as those of the standard
//! library do: "Timeout of one check.", "Returns the page after `cursor`.".

use super::rust::doc_comments;
use super::sources::{Source, all, none};

/// Words that open a question or a riddle.
const WH_WORDS: [&str; 16] = [
    "what",
    "how",
    "whether",
    "whoever",
    "whatever",
    "which",
    "who",
    "where",
    "when",
    "why",
    "whose",
    "whom",
    "whichever",
    "whenever",
    "wherever",
    "whence",
];

/// The doc comments of a file, each with its line and its first word.
pub(crate) fn first_words(source: &Source) -> Vec<(usize, String)> {
    let comments = doc_comments(&source.text).into_iter();
    comments.map(|(line, text)| (line, first_word(&text))).collect()
}

fn first_word(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}

pub(crate) fn is_wh_word(word: &str) -> bool {
    WH_WORDS.contains(&&*word.to_lowercase())
}

/// Doc comments that open with a wh-word.
pub(crate) fn violations(source: &Source) -> Vec<String> {
    let found = first_words(source).into_iter().filter(|(_, word)| is_wh_word(word));
    let report = |(line, word): (usize, String)| {
        let path = &source.path;
        format!("{path}:{line}: opens with `{word}`: name the thing, or say what it does")
    };
    found.map(report).collect()
}

#[test]
fn no_doc_comment_opens_with_a_wh_word() {
    let found: Vec<_> = all("rs").into_iter().flat_map(violations).collect();
    none("a doc comment opens with a noun phrase or a verb", &found);
}

#[test]
fn a_wh_word_is_found() {
    let text = "//! How it works.\n\n/// Timeout of a check:\n/// what it waits for.\nconst A: u8 = 1;\n\
                // What is no doc comment.\n/// `whether` it is.\nm! {\n    /// Whoever waits.\n    a\n}\n\
                /// Whereas this is fine.\nfn a() {}";
    let found = violations(&Source::new("x/src/a.rs", text));
    let lines: Vec<_> = found.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(lines, ["x/src/a.rs:1", "x/src/a.rs:7", "x/src/a.rs:9"]);
}
