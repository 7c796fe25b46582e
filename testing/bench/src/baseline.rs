//! PostgreSQL and RabbitMQ alone, with the least work that an order needs.

pub(super) mod broker;
pub(super) mod inserts;
