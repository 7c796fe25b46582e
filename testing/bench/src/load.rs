//! Two kinds of clients: as many orders as they get answered, and orders at a fixed rate.

pub(super) mod closed;
mod http;
pub(super) mod open;

use testkit::world::order_body;

/// The order that everybody places.
fn body() -> String {
    order_body("pm_card_visa").to_string()
}
