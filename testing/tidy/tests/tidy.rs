//! The rules of the repository. A violation is reported with its file, its line and the remedy.
//! Each rule has a test with a text that breaks it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]
#![expect(clippy::wildcard_enum_match_arm, reason = "the grammar of Rust has more than we look at")]
#![expect(clippy::disallowed_methods, reason = "two switches for developers are no settings")]
#![expect(clippy::print_stdout, reason = "counts are printed")]

mod tidy {
    mod circles;
    mod counts;
    mod doc_comments;
    mod functions;
    mod imports;
    mod links;
    mod log_fields;
    mod metrics;
    mod papers;
    mod paths;
    mod platforms;
    mod promises;
    mod release;
    mod rust;
    mod settings;
    mod sizes;
    mod sources;
    mod statements;
    mod vocabulary;
    mod waiting;
}
