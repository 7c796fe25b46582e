//! Every statement, run against a real PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends where it fails"
)]

mod statements {
    mod ask_again;
    mod audit;
    mod connection;
    mod dead_letters;
    mod grown;
    mod late;
    mod logs;
    mod orders;
    mod outbox;
    mod payments;
    mod settle;
    mod shop;
    mod store;
    mod timeline;
}
