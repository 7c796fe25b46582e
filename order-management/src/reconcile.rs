//! **reconcile**: the payment of an order whose request or result was lost is requested again.
//!
//! The system loses no message, but a person can: a queue is purged or deleted, or a message removed
//! from it. An overdue order whose request is not in the outbox gets a new outbox row; the worker that
//! receives the request finds the payment and replies again, or charges under the same key. A request
//! too many costs one message, so only a flood has to be avoided: a backlog or an outage of the gateway
//! must not be doubled. Hence three paces.
//!
//! *Idle*: every inspection found every queue empty for the whole time and no message in flight, so an
//! order that is still pending is in no queue. *In flight*: the queues are empty, and a worker may have
//! the order's message; orders are re-requested only after three times as long, since a worker that
//! hangs must not hold repair back until the broker's consumer timeout. *Waiting*: a waiting message may
//! be the order's, so few orders are re-requested, and seldom.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use amqp::{BrokerSettings, InFlight, Inspection, Publisher, QueueInspector, Status};
use db::orders::RetryPolicy;
use db::{Db, orders, timeline};
use domain::OrderId;
use service::Tasks;
use telemetry::metrics::Metrics;

use crate::config::ReconcileSettings;
use crate::metrics::OrderMetrics;

/// Interval between two inspections; shorter if `RECONCILE_AFTER_MS` is less than eight times as long.
const EVERY: Duration = Duration::from_secs(10);
/// Largest number of orders that one inspection re-requests while no message waits.
const IDLE_MAX: i64 = 2000;
/// The same while messages wait: a thousand an hour.
const WAITING_MAX: i64 = 3;
/// Factor of the wait while the queues are empty and messages are in flight: 15 minutes by default,
/// half of RabbitMQ's consumer timeout.
const IN_FLIGHT_FACTOR: u32 = 3;
/// Age at which an order is re-requested while messages wait.
const WAITING_FIRST: Duration = Duration::from_secs(3600);

/// Pages of due orders whose scheduled messages are looked up in one round.
const PAGES_MAX: usize = 20;

/// Re-requests the payments of lost orders.
#[derive(Debug)]
pub(crate) struct Reconciler {
    db: Db,
    /// The payment tables, read only.
    payments: Db,
    publisher: Publisher,
    queue_inspector: QueueInspector,
    settings: ReconcileSettings,
    idle: Idle,
    metrics: OrderMetrics,
}

/// The stores and the broker, as the reconciler uses them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReconcileLinks<'a> {
    pub(crate) db: &'a Db,
    /// The payment tables, read only.
    pub(crate) payments: &'a Db,
    pub(crate) publisher: &'a Publisher,
}

impl Reconciler {
    /// Reads scheduled messages from `payments`.
    pub(crate) fn new(
        broker: &BrokerSettings,
        settings: ReconcileSettings,
        links: ReconcileLinks<'_>,
        metrics: &Metrics,
    ) -> Reconciler {
        Reconciler {
            db: links.db.clone(),
            payments: links.payments.clone(),
            publisher: links.publisher.clone(),
            queue_inspector: QueueInspector::new(broker.clone()),
            settings,
            idle: Idle { since: None },
            metrics: metrics.get(),
        }
    }

    /// Inspects until the stop. Several processes never re-request the same order twice.
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
        let seen = self.look().await;
        self.idle.saw(seen.map(|seen| seen.waiting), Instant::now());
        let inspections = &self.metrics.inspections;
        let outcome = match seen {
            None => &inspections.away,
            Some(Inspection { waiting: 0, in_flight: InFlight::None }) => &inspections.idle,
            Some(Inspection { waiting: 0, in_flight: _ }) => &inspections.in_flight,
            Some(_) => &inspections.waiting,
        };
        outcome.inc();
        let Some(seen) = seen else { return };
        let policy = self.policy(seen.in_flight);
        self.rerequest(&policy).await;
    }

    /// The pace at which orders are re-requested.
    fn policy(&self, in_flight: InFlight) -> RetryPolicy {
        let first = match in_flight {
            InFlight::None => self.settings.after,
            InFlight::Some | InFlight::Unknown => self.settings.after * IN_FLIGHT_FACTOR,
        };
        match self.idle.lasted(Instant::now()) >= first {
            true => RetryPolicy { first, limit: IDLE_MAX },
            false => {
                let first = self.settings.after.max(WAITING_FIRST);
                RetryPolicy { first, limit: WAITING_MAX }
            }
        }
    }

    async fn rerequest(&self, policy: &RetryPolicy) {
        let scheduled = match self.scheduled(policy).await {
            Ok(scheduled) => scheduled,
            Err(error) => {
                log::warn!("overdue orders cannot be read: {error}");
                return;
            }
        };
        match orders::rerequest(&self.db, policy, &scheduled).await {
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

    /// The due orders that have a scheduled message, which is not overdue. Without the payment tables
    /// there are none: a worker then drops the second message.
    async fn scheduled(&self, policy: &RetryPolicy) -> Result<Vec<OrderId>, db::Error> {
        let mut scheduled = Vec::new();
        for _ in 0..PAGES_MAX {
            let due = orders::due(&self.db, policy, &scheduled).await?;
            if due.is_empty() {
                break;
            }
            let found = timeline::scheduled(&self.payments, &due, self.settings.after).await;
            let found = found.unwrap_or_else(|error| {
                log::debug!("scheduled messages are not known: {error}");
                HashSet::new()
            });
            if found.is_empty() {
                break;
            }
            scheduled.extend(found);
        }
        Ok(scheduled)
    }

    /// The messages in the queues; `None` if they are unknown, or if nothing could be published.
    async fn look(&mut self) -> Option<Inspection> {
        if self.publisher.status() != Status::Up {
            return None;
        }
        match self.queue_inspector.inspect(&self.settings.queues).await {
            Ok(seen) => Some(seen),
            Err(error) => {
                log::warn!("the queues cannot be inspected: {error}");
                None
            }
        }
    }
}

/// The time since which every inspection has found every queue empty, with or without messages in flight.
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
    fn an_inspection_that_finds_a_message_or_fails_starts_the_wait_anew() {
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
