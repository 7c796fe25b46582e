//! Journeys: end-to-end tests of the real binaries on a real PostgreSQL and a real RabbitMQ, in
//! which processes are killed, connections cut and queues fed with nonsense.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod journeys {
    mod api;
    mod auditor;
    mod batches;
    mod broker;
    mod broker_access;
    mod browsers;
    mod clients;
    mod conditional;
    mod confirms;
    mod connections;
    #[cfg(debug_assertions)]
    mod crash_points;
    mod database;
    mod dead_letters;
    mod dead_letters_killed;
    mod flood;
    mod full_speed;
    mod gateway;
    mod hostile;
    mod idempotency;
    mod input;
    mod ledger;
    mod log_store;
    mod messages;
    mod metrics;
    mod monitoring;
    mod operator;
    mod pipeline;
    mod poison;
    mod ports;
    mod prefix;
    mod prune;
    mod reconcile;
    mod recovery;
    mod rolling;
    mod rows;
    mod secrets;
    mod shutdown;
    mod start;
    mod story;
    mod strangers;
    mod timeline;
    mod times;
    mod totals;
    mod traces;
    mod workers;
}
