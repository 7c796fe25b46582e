//! Every statement, run against a real PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends where it fails"
)]

mod statements {
    mod audit;
    mod connection;
    mod dead_letters;
    mod grown;
    mod logs;
    mod orders;
    mod outbox;
    mod outbox_start;
    mod overdue;
    mod payments;
    mod presence;
    mod prune;
    mod rerequest;
    mod settle;
    mod shop;
    mod skewed;
    mod store;
    mod timeline;
}
