//! The depth of the outbox and the age of the oldest transaction, as metrics.

use std::time::Duration;

use db::{Db, activity, outbox};
use service::Runtime;

use crate::metrics::OrderMetrics;

/// Interval between two counts.
const EVERY: Duration = Duration::from_secs(5);
/// Largest number of rows that are read, and of orders that are counted.
const COUNT_MAX: i64 = 10_000;

/// Counts until the stop. While the database does not answer, the last count stays.
pub(crate) async fn show_backlog(db: Db, runtime: Runtime) {
    let metrics: OrderMetrics = runtime.metrics.get();
    let stopping = runtime.tasks.stopping();
    loop {
        let count = async {
            match outbox::depth(&db, COUNT_MAX).await {
                Ok(depth) => {
                    metrics.outbox.set(depth.orders.min(COUNT_MAX));
                    metrics.outbox_oldest.set(depth.oldest.as_secs_f64());
                }
                Err(error) => log::debug!("the outbox cannot be counted: {error}"),
            }
            match activity::oldest_transaction(&db).await {
                Ok(age) => {
                    metrics.oldest_transaction.set(age.as_secs_f64());
                }
                Err(error) => log::debug!("the transactions cannot be read: {error}"),
            }
            tokio::time::sleep(EVERY).await;
        };
        tokio::select! {
            () = count => {}
            () = stopping.cancelled() => return,
        }
    }
}
