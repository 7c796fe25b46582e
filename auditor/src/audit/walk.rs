//! The slow walk over everything: all orders and payments, then the gateway's books.

use std::time::{Duration, Instant};

use db::Error;
use domain::OrderId;

use super::show::seconds;
use super::{Audit, FIRST, LAST};
use crate::look::STEP_MAX;

/// How far the walk over everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// Not before then.
    Waits(Instant),
    /// In the orders and payments, after this one.
    Orders(OrderId),
    /// In the gateway's books, after this key.
    Ledger(String),
}

impl Audit {
    /// A step of the walk over everything, if one is due: how long to wait before the next.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn step(&mut self) -> Result<Option<Duration>, Error> {
        let limit = STEP_MAX.min(self.settings.rows_per_second);
        let rows = match self.walk.clone() {
            Walk::Waits(until) if Instant::now() < until => return Ok(None),
            Walk::Waits(_) => {
                self.walk = Walk::Orders(FIRST);
                0
            }
            Walk::Orders(after) => {
                let range = self.sources.range((after, LAST), limit).await?;
                self.judge(&range.observation);
                self.walk = match range.reached {
                    LAST => Walk::Ledger(String::new()),
                    reached => Walk::Orders(reached),
                };
                range.observation.len()
            }
            Walk::Ledger(after) => match self.sources.of_books(&after, limit).await? {
                Some((observation, last)) => {
                    self.judge(&observation);
                    self.walk = Walk::Ledger(last);
                    observation.len()
                }
                None => self.end_walk(),
            },
        };
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let pace = f64::from(rows) / f64::from(self.settings.rows_per_second);
        Ok(Some(Duration::from_secs_f64(pace)))
    }

    fn end_walk(&mut self) -> usize {
        self.walk = Walk::Waits(Instant::now() + self.settings.full_every);
        self.walked_at = Some(self.now);
        self.metrics.full_walk.set(seconds(self.now));
        0
    }
}
