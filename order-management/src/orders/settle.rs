//! **settle**: from a payment result to the order's final status, many in one commit.

use batcher::{BatchHandler, BatchLimits, Batcher};
use db::orders::{SettleOrder, SettleOutcome};
use db::{Db, Error, orders, until_stored};
use domain::{About, OrderStatus, RequestId, Verdict};
use messages::PaymentResult;
use service::Runtime;
use service::crash_point::reach;
use telemetry::order_log::{self, TraceId};

use crate::crash_points;
use crate::metrics::OrderMetrics;

const LIMITS: BatchLimits = BatchLimits { waiting_max: 8192, batch_max: 1000, in_flight_max: 2 };

/// The settlement of orders.
#[derive(Clone, Debug)]
pub(crate) struct Settlements {
    batcher: Batcher<SettleBatch>,
    metrics: OrderMetrics,
}

impl Settlements {
    pub(crate) fn open(db: &Db, runtime: &Runtime) -> Settlements {
        let batcher = Batcher::open(SettleBatch(db.clone()), LIMITS, runtime);
        Settlements { batcher, metrics: runtime.metrics.get() }
    }

    /// Settles orders, and retries for as long as the database is away. A repeated or contradicting
    /// verdict changes nothing and is counted (P5). Returns one result per order, in their order; an
    /// error is a refusal of the database for good.
    pub(crate) async fn settle(
        &self,
        results: &[PaymentResult],
    ) -> Vec<Result<SettleOutcome, Error>> {
        let orders: Vec<SettleOrder> = results.iter().map(settle_order).collect();
        let settled = until_stored(&self.batcher, &orders).await;
        let mut moved = 0;
        for (result, settled) in results.iter().zip(&settled) {
            match settled {
                Ok(SettleOutcome::Moved { after }) => {
                    moved += 1;
                    match result.verdict {
                        Verdict::Captured => {
                            self.metrics.durations.confirmed.observe(after.as_secs_f64())
                        }
                        Verdict::Declined(_) => {
                            self.metrics.durations.canceled.observe(after.as_secs_f64())
                        }
                    }
                }
                Ok(other) => self.count(&result.about(), *other),
                Err(_) => {}
            }
        }
        self.metrics.results.moved.inc_by(moved);
        let logged = results.iter().zip(&settled).filter(|(_, settled)| settled.is_ok());
        order_log::info(
            "order settled",
            logged.map(|(r, settled)| (outcome(r, settled), r.about())),
        );
        settled
    }

    fn count(&self, about: &About<'_>, settled: SettleOutcome) {
        let results = &self.metrics.results;
        let counter = match settled {
            SettleOutcome::Moved { .. } => &results.moved,
            SettleOutcome::Repeated => &results.repeated,
            SettleOutcome::Contradicting => {
                let (order_id, trace_id) = (about.order_id, TraceId(about));
                let request_id = about.request_id.map(RequestId::as_str);
                log::error!(order_id:%, request_id, trace_id:%;
                    "a verdict contradicts the final status: ignored");
                &results.contradicting
            }
            SettleOutcome::UnknownOrder => &results.unknown,
        };
        counter.inc();
    }
}

fn settle_order(result: &PaymentResult) -> SettleOrder {
    SettleOrder { id: result.order_id, verdict: result.verdict.clone() }
}

/// The change that a result made, in one word: the order's status if it moved.
pub(crate) fn outcome(
    result: &PaymentResult,
    settled: &Result<SettleOutcome, Error>,
) -> &'static str {
    match settled {
        Ok(SettleOutcome::Moved { .. }) => match result.verdict {
            Verdict::Captured => OrderStatus::Confirmed.as_str(),
            Verdict::Declined(_) => OrderStatus::Canceled.as_str(),
        },
        Ok(SettleOutcome::Repeated) => "repeated",
        Ok(SettleOutcome::Contradicting) => "contradicting",
        Ok(SettleOutcome::UnknownOrder) => "unknown order",
        Err(_) => "refused",
    }
}

/// Commits a batch of verdicts.
#[derive(Debug)]
struct SettleBatch(Db);

impl BatchHandler for SettleBatch {
    const NAME: &'static str = "settle";
    type Item = SettleOrder;
    type Output = SettleOutcome;
    type Error = Error;

    async fn run(&self, batch: &[SettleOrder]) -> Result<Vec<SettleOutcome>, Error> {
        reach(crash_points::SETTLE_BEGUN);
        let settled = orders::settle(&self.0, batch).await?;
        reach(crash_points::SETTLE_COMMITTED);
        Ok(settled)
    }

    fn may_blame_an_item(error: &Error) -> bool {
        matches!(error, Error::Refused(_))
    }
}
