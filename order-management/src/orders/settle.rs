//! **settle**: from a payment result to the order's final status, many in one commit.

use common::domain::{About, OrderStatus, RequestId, Verdict};
use common::message::PaymentResult;
use common::road::{self, TraceId};
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
    pub(crate) async fn settle(&self, results: &[PaymentResult]) -> Vec<Result<Settled, Error>> {
        let settlings: Vec<Settling> = results.iter().map(settling).collect();
        let settled = until_stored(&self.gather, &settlings).await;
        let mut moved = 0;
        for (result, settled) in results.iter().zip(&settled) {
            match settled {
                Ok(Settled::Moved { after }) => {
                    moved += 1;
                    match result.verdict {
                        Verdict::Captured => self.numbers.confirmed.observe(after.as_secs_f64()),
                        Verdict::Declined(_) => self.numbers.canceled.observe(after.as_secs_f64()),
                    }
                }
                Ok(other) => self.count(&result.about(), *other),
                Err(_) => {}
            }
        }
        self.numbers.results.moved.inc_by(moved);
        let told = results.iter().zip(&settled).filter(|(_, settled)| settled.is_ok());
        road::tell("order settled", told.map(|(r, settled)| (outcome(r, settled), r.about())));
        settled
    }

    fn count(&self, about: &About<'_>, settled: Settled) {
        let results = &self.numbers.results;
        let counter = match settled {
            Settled::Moved { .. } => &results.moved,
            Settled::Repeated => &results.repeated,
            Settled::Contradicting => {
                let (order_id, trace_id) = (about.order_id, TraceId(about));
                let request_id = about.request_id.map(RequestId::as_str);
                log::error!(order_id:%, request_id, trace_id:%;
                    "a verdict contradicts the final status: ignored");
                &results.contradicting
            }
            Settled::UnknownOrder => &results.unknown,
        };
        counter.inc();
    }
}

fn settling(result: &PaymentResult) -> Settling {
    Settling { id: result.order_id, verdict: result.verdict.clone() }
}

/// What a result changed, in one word: the order's status if it moved.
pub(crate) fn outcome(result: &PaymentResult, settled: &Result<Settled, Error>) -> &'static str {
    match settled {
        Ok(Settled::Moved { .. }) => match result.verdict {
            Verdict::Captured => OrderStatus::Confirmed.as_str(),
            Verdict::Declined(_) => OrderStatus::Canceled.as_str(),
        },
        Ok(Settled::Repeated) => "repeated",
        Ok(Settled::Contradicting) => "contradicting",
        Ok(Settled::UnknownOrder) => "unknown order",
        Err(_) => "refused",
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
