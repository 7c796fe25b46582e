//! How much waits in the outbox, for whoever watches.

use std::time::Duration;

use common::runtime::{OrderMetrics, Tasks};
use db::{Db, outbox};

/// The pause between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// How many rows are looked at, and how many orders are told.
const COUNT_MAX: i64 = 10_000;

/// Looks until the stop. While the database does not answer, what was seen last stands.
pub(crate) async fn show_backlog(db: Db, numbers: OrderMetrics, tasks: Tasks) {
    let stopping = tasks.stopping();
    loop {
        let look = async {
            match outbox::depth(&db, COUNT_MAX).await {
                Ok(depth) => {
                    numbers.outbox.set(depth.orders.min(COUNT_MAX));
                    numbers.outbox_oldest.set(depth.oldest.as_secs_f64());
                }
                Err(error) => log::debug!("what waits in the outbox cannot be counted: {error}"),
            }
            tokio::time::sleep(EVERY).await;
        };
        tokio::select! {
            () = look => {}
            () = stopping.cancelled() => return,
        }
    }
}
