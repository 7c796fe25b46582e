//! **reconcile**: an order whose request or result was lost is asked for again.
//!
//! Nothing here loses a message. A person may: a queue is purged or deleted, a message taken out of
//! it. A late order whose request is not in the outbox gets a new outbox row; the worker that gets
//! the request finds the payment and replies again, or charges under the same key. To ask once too
//! often costs a message and nothing else, so all that has to be avoided is a flood: a backlog or a
//! gateway that is down must not be doubled. Hence two paces.
//!
//! *Nothing waits*: for as long as an order is waited for, every look found every queue empty, so
//! what is still pending is nowhere. *Something waits*: it may be the order, so it is asked for
//! seldom, and few are.

use std::time::{Duration, Instant};

use amqp::{BrokerSettings, Publisher, QueueInspector, Status};
use db::orders::RetryPolicy;
use db::{Db, orders};
use service::Tasks;
use telemetry::metrics::Metrics;

use crate::config::ReconcileSettings;
use crate::metrics::OrderMetrics;
use crate::relay::RelayLinks;

/// The pause between two looks; shorter if orders are waited for less than eight times as long.
const EVERY: Duration = Duration::from_secs(10);
/// How many orders are asked for at a look while nothing waits.
const IDLE_MAX: i64 = 2000;
/// How many while something waits: a thousand an hour.
const WAITING_MAX: i64 = 3;
/// How long an order is waited for while something waits.
const WAITING_FIRST: Duration = Duration::from_secs(3600);

/// Asks again for orders that were lost.
#[derive(Debug)]
pub(crate) struct Reconciler {
    db: Db,
    publisher: Publisher,
    queue_inspector: QueueInspector,
    settings: ReconcileSettings,
    idle: Idle,
    metrics: OrderMetrics,
}

impl Reconciler {
    pub(crate) fn new(
        broker: &BrokerSettings,
        settings: ReconcileSettings,
        links: RelayLinks<'_>,
        metrics: &Metrics,
    ) -> Reconciler {
        Reconciler {
            db: links.db.clone(),
            publisher: links.publisher.clone(),
            queue_inspector: QueueInspector::new(broker.clone()),
            settings,
            idle: Idle { since: None },
            metrics: metrics.get(),
        }
    }

    /// Looks until the stop. Several processes never ask for the same order twice.
    pub(crate) async fn run(mut self, tasks: Tasks) {
        let stopping = tasks.stopping();
        let every = EVERY.min(self.settings.after / 8);
        loop {
            let inspect = async {
                tokio::time::sleep(every).await;
                self.inspect().await;
            };
            tokio::select! {
                () = inspect => {}
                () = stopping.cancelled() => break,
            }
        }
        self.queue_inspector.close().await;
    }

    async fn inspect(&mut self) {
        let waiting = self.waiting().await;
        self.idle.saw(waiting, Instant::now());
        let inspections = &self.metrics.inspections;
        let outcome = match waiting {
            None => &inspections.away,
            Some(0) => &inspections.idle,
            Some(_) => &inspections.waiting,
        };
        outcome.inc();
        if waiting.is_none() {
            return;
        }
        let after = self.settings.after;
        let policy = match self.idle.lasted(Instant::now()) >= after {
            true => RetryPolicy { first: after, limit: IDLE_MAX },
            false => RetryPolicy { first: after.max(WAITING_FIRST), limit: WAITING_MAX },
        };
        match orders::rerequest(&self.db, &policy).await {
            Ok(asked) => {
                for order in asked {
                    self.metrics.rerequests.inc();
                    log::warn!(order_id:% = order.id, times = order.times;
                        "order is overdue and in no queue; requesting its payment again");
                }
            }
            Err(error) => log::warn!("overdue orders cannot be re-requested: {error}"),
        }
    }

    /// How many messages wait; `None` while that cannot be known, or nothing could be published.
    async fn waiting(&mut self) -> Option<u64> {
        if self.publisher.status() != Status::Up {
            return None;
        }
        match self.queue_inspector.waiting_in(&self.settings.queues).await {
            Ok(waiting) => Some(waiting),
            Err(error) => {
                log::warn!("the queues cannot be inspected: {error}");
                None
            }
        }
    }
}

/// Since when every look has found every queue empty. What a worker has in hand is not seen in its
/// queue, but comes out of it or ends while that lasts.
#[derive(Debug)]
struct Idle {
    since: Option<Instant>,
}

impl Idle {
    fn saw(&mut self, waiting: Option<u64>, now: Instant) {
        self.since = match waiting {
            Some(0) => self.since.or(Some(now)),
            Some(_) | None => None,
        };
    }

    fn lasted(&self, now: Instant) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_that_finds_something_or_finds_out_nothing_begins_the_wait_anew() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut idle = Idle { since: None };
        assert_eq!(idle.lasted(at(9)), Duration::ZERO);
        idle.saw(Some(0), at(10));
        idle.saw(Some(0), at(20));
        assert_eq!(idle.lasted(at(30)), Duration::from_secs(20));
        for seen in [Some(1), None] {
            idle.saw(seen, at(30));
            assert_eq!(idle.lasted(at(40)), Duration::ZERO);
            idle.saw(Some(0), at(40));
            assert_eq!(idle.lasted(at(41)), Duration::from_secs(1));
        }
    }
}
