//! The overdue scan: orders that are still pending a minute after they were placed are noted in a table
//! of their own, so that they can be found among millions of final orders.

use std::time::Duration;

use db::orders::Forgotten;
use db::{Db, Error, orders};
use domain::OrderId;
use service::Tasks;

/// Interval between two scans.
const EVERY: Duration = Duration::from_secs(10);
/// Age at which an order is overdue. It exceeds the time from the making of an id to its commit, and
/// the difference between the clocks of two machines: an order that appears behind the position of the
/// scan would not be found.
const OVERDUE_AFTER: Duration = Duration::from_secs(60);
/// Largest number of orders that one statement reads.
const STEP_MAX: i64 = 20_000;

/// Scans until the stop. Several processes take turns. `overdue_after` below the usual minute makes
/// an order overdue that soon, for installations that re-request early.
pub(crate) async fn scan_overdue(db: Db, overdue_after: Duration, tasks: Tasks) {
    let stopping = tasks.stopping();
    let mut after = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY.min(overdue_after)) => {}
            () = stopping.cancelled() => return,
        }
        let steps = async {
            while orders::scan_overdue(&db, OVERDUE_AFTER.min(overdue_after), STEP_MAX).await?
                == STEP_MAX
            {}
            forget_ended(&db, &mut after).await
        };
        tokio::select! {
            scanned = steps => if let Err(error) = scanned {
                log::warn!("overdue orders cannot be scanned: {error}");
            },
            () = stopping.cancelled() => return,
        }
    }
}

/// Removes final orders from the table, from the position of the last round on, as long as most of the
/// orders that were read are final: an outage with millions of overdue orders is not read each time.
async fn forget_ended(db: &Db, after: &mut Option<OrderId>) -> Result<(), Error> {
    loop {
        let Forgotten { last, gone } = orders::forget_ended(db, *after, STEP_MAX).await?;
        *after = last;
        if last.is_none() || gone < STEP_MAX / 2 {
            return Ok(());
        }
    }
}
