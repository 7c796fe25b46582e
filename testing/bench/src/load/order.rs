//! The order that every client places.

use testkit::world::order_body;

/// The body of `POST /orders`.
pub(super) fn body() -> String {
    order_body("pm_card_visa").to_string()
}
