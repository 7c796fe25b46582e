//! Whole journeys through the real binaries, over a real PostgreSQL and a real RabbitMQ, and what
//! becomes of an order when something on its way is killed, cut or fed nonsense.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod journeys {
    mod api;
    mod auditor;
    mod batches;
    mod books;
    mod broker;
    mod clients;
    mod confirms;
    #[cfg(debug_assertions)]
    mod crash_points;
    mod database;
    mod dead_letters;
    mod dead_letters_killed;
    mod desk;
    mod flood;
    mod full_speed;
    mod gateway;
    mod hostile;
    mod idempotency;
    mod input;
    mod log_store;
    mod messages;
    mod metrics;
    mod monitoring;
    mod poison;
    mod reconcile;
    mod recovery;
    mod road;
    mod rolling;
    mod secrets;
    mod shutdown;
    mod start;
    mod story;
    mod timeline;
    mod traces;
    mod workers;
}
