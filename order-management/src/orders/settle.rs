//! **settle**: from a payment result to the order's final status, many in one commit.

use common::domain::Verdict;
use common::runtime::crash_point::reach;
use common::runtime::{CrashPoint, Gather, GatherLimits, Metrics, OrderMetrics, Station, Tasks};
use db::orders::{Settled, Settling};
use db::{Db, Error, orders, until_stored};

const LIMITS: GatherLimits = GatherLimits { waiting_max: 8192, batch_max: 1000, in_flight_max: 2 };

/// The way in for verdicts.
#[derive(Clone, Debug)]
pub(crate) struct Settlements {
    gather: Gather<Settle>,
    numbers: OrderMetrics,
}

impl Settlements {
    pub(crate) fn open(db: &Db, tasks: &Tasks, metrics: &Metrics) -> Settlements {
        let gather = Gather::open(Settle(db.clone()), LIMITS, tasks, metrics);
        Settlements { gather, numbers: metrics.orders.clone() }
    }

    /// Settles orders, however long the database is away. A repeated or contradicting verdict
    /// changes nothing and is counted (P5). Answers in their order; an error is what the database
    /// refuses for good.
    pub(crate) async fn settle(&self, settlings: &[Settling]) -> Vec<Result<Settled, Error>> {
        let settled = until_stored(&self.gather, settlings).await;
        let mut moved = 0;
        for (settling, settled) in settlings.iter().zip(&settled) {
            match settled {
                Ok(Settled::Moved { after }) => {
                    moved += 1;
                    match settling.verdict {
                        Verdict::Captured => self.numbers.confirmed.observe(after.as_secs_f64()),
                        Verdict::Declined(_) => self.numbers.canceled.observe(after.as_secs_f64()),
                    }
                }
                Ok(other) => self.count(settling, *other),
                Err(_) => {}
            }
        }
        self.numbers.results.moved.inc_by(moved);
        settled
    }

    fn count(&self, settling: &Settling, settled: Settled) {
        let results = &self.numbers.results;
        let counter = match settled {
            Settled::Moved { .. } => &results.moved,
            Settled::Repeated => &results.repeated,
            Settled::Contradicting => {
                log::error!(order:% = settling.id; "a verdict contradicts the final status: ignored");
                &results.contradicting
            }
            Settled::UnknownOrder => &results.unknown,
        };
        counter.inc();
    }
}

#[derive(Debug)]
struct Settle(Db);

impl Station for Settle {
    const NAME: &'static str = "settle";
    type Item = Settling;
    type Done = Settled;
    type Fault = Error;

    async fn run(&self, batch: &[Settling]) -> Result<Vec<Settled>, Error> {
        reach(CrashPoint::SettleBegun);
        let settled = orders::settle(&self.0, batch).await?;
        reach(CrashPoint::SettleCommitted);
        Ok(settled)
    }

    fn may_blame_an_item(fault: &Error) -> bool {
        matches!(fault, Error::Refused(_))
    }
}
