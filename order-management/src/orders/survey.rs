//! The survey of late orders: what is still pending a minute after it was placed is noted down, so
//! that it can be found among millions of orders that have ended.

use std::time::Duration;

use common::runtime::Tasks;
use db::{Db, Error, orders};

/// The pause between two surveys.
const EVERY: Duration = Duration::from_secs(10);
/// When an order is late. More than the time from an id's making to the commit, and than the
/// difference between the clocks of two machines: an order that appears behind the survey's back
/// would not be found.
const LATE_AFTER: Duration = Duration::from_secs(60);
/// How many orders one statement looks at.
const STEP_MAX: i64 = 20_000;

/// Surveys until the stop. Several processes take turns.
pub(crate) async fn survey(db: Db, tasks: Tasks) {
    let stopping = tasks.stopping();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stopping.cancelled() => return,
        }
        let steps = async {
            while orders::survey(&db, LATE_AFTER, STEP_MAX).await? == STEP_MAX {}
            while orders::forget_ended(&db, STEP_MAX).await? == STEP_MAX {}
            Ok::<(), Error>(())
        };
        tokio::select! {
            surveyed = steps => if let Err(error) = surveyed {
                log::warn!("late orders cannot be surveyed: {error}");
            },
            () = stopping.cancelled() => return,
        }
    }
}
