//! Whole journeys through the real binaries, over a real PostgreSQL and a real RabbitMQ, and what
//! becomes of an order when something on its way is killed, cut or fed nonsense.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod journeys {
    mod api;
    mod batches;
    mod books;
    mod broker;
    mod confirms;
    mod database;
    mod dead_letters;
    mod dead_letters_killed;
    mod desk;
    mod full_speed;
    mod gateway;
    mod hostile;
    mod idempotency;
    mod messages;
    mod poison;
    mod road;
    mod shutdown;
    mod start;
    mod workers;
}
