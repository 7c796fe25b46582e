use std::collections::HashSet;

use db::audit::{self, Outbox};
use db::{Db, Error};
use domain::OrderId;

/// Largest number of outbox rows that are counted.
const OUTBOX_ROWS_MAX: i64 = 10_000;
/// Largest number of orders that are read from the outbox, to find the reason why a pending order
/// waits.
const OUTBOX_ORDERS_MAX: i64 = 100_000;

/// The orders in the outbox at one time.
#[derive(Debug, Default)]
pub(crate) struct OutboxOrders {
    orders: HashSet<OrderId>,
}

impl OutboxOrders {
    /// Reads the oldest orders of the outbox, and the size and age of the outbox.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(crate) async fn read(shop: &Db) -> Result<(OutboxOrders, Outbox), Error> {
        let depth = audit::outbox(shop, OUTBOX_ROWS_MAX).await?;
        let orders = audit::outbox_orders(shop, OUTBOX_ORDERS_MAX).await?;
        Ok((OutboxOrders { orders }, depth))
    }

    /// Returns `true` if the order is in the outbox, or may be: of an outbox that is longer than
    /// what is read, the rest is unknown.
    pub(crate) fn may_contain(&self, id: OrderId) -> bool {
        let cut_off = i64::try_from(self.orders.len()).is_ok_and(|n| n >= OUTBOX_ORDERS_MAX);
        cut_off || self.orders.contains(&id)
    }
}
