//! The survey of late orders: what is still pending a minute after it was placed is noted down, so
//! that it can be found among millions of orders that have ended.

use std::time::Duration;

use db::orders::Forgotten;
use db::{Db, Error, orders};
use domain::OrderId;
use service::Tasks;

/// The pause between two surveys.
const EVERY: Duration = Duration::from_secs(10);
/// When an order is late. More than the time from an id's making to the commit, and than the
/// difference between the clocks of two machines: an order that appears behind the survey's back
/// would not be found.
const OVERDUE_AFTER: Duration = Duration::from_secs(60);
/// How many orders one statement looks at.
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

/// Strikes out late orders that have ended, from where the last round left off, for as long as most
/// of those looked at have: an outage with millions of late orders is not walked through each time.
async fn forget_ended(db: &Db, after: &mut Option<OrderId>) -> Result<(), Error> {
    loop {
        let Forgotten { last, gone } = orders::forget_ended(db, *after, STEP_MAX).await?;
        *after = last;
        if last.is_none() || gone < STEP_MAX / 2 {
            return Ok(());
        }
    }
}
