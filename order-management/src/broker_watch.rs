//! The watch over what others do to the queues: a policy that changes what happens to their messages,
//! and dead letters that leave their queue without an action of an operator.
//!
//! The queues keep their arguments: an existing queue accepts no new ones, and RabbitMQ applies the
//! smaller value of policy and argument. So all that can be done is to say it.

use std::collections::HashMap;
use std::time::Duration;

use amqp::{BrokerSettings, QueueInspector, WorkQueue};
use db::Db;
use db::dead_letters::newest;
use domain::ActionId;
use service::Tasks;
use telemetry::metrics::Metrics;

use crate::metrics::{BrokerWatchMetrics, QueueLabels};

/// Interval between two looks.
const EVERY: Duration = Duration::from_secs(10);
/// Number of looks in a row that find fewer dead letters before that is reported: a session that reads
/// dead letters receives them all for a moment.
const FEWER_LOOKS: u32 = 3;

/// The watch over the queues.
#[derive(Debug)]
pub(crate) struct BrokerWatch {
    db: Db,
    inspector: QueueInspector,
    /// Every queue of requests and results.
    queues: Vec<String>,
    dead: Vec<String>,
    policies: HashMap<String, String>,
    depths: HashMap<String, Depth>,
    newest_action: Option<ActionId>,
    metrics: BrokerWatchMetrics,
}

impl BrokerWatch {
    /// Watches these queues, with those derived from them.
    pub(crate) fn new(
        broker: &BrokerSettings,
        queues: &[WorkQueue],
        db: &Db,
        metrics: &Metrics,
    ) -> BrokerWatch {
        let metrics: BrokerWatchMetrics = metrics.get();
        let dead: Vec<String> = queues.iter().map(WorkQueue::dead).collect();
        for queue in &dead {
            // Exposed as 0 from the start: an alert needs the first increase.
            let labels = QueueLabels { queue: queue.clone() };
            drop(metrics.dead_letters_vanished.get_or_create(&labels));
        }
        BrokerWatch {
            db: db.clone(),
            inspector: QueueInspector::new(broker.clone()),
            queues: queues.iter().flat_map(WorkQueue::all).collect(),
            dead,
            policies: HashMap::new(),
            depths: HashMap::new(),
            newest_action: None,
            metrics,
        }
    }

    /// Watches until the stop.
    pub(crate) async fn run(mut self, tasks: Tasks) {
        let stopping = tasks.stopping();
        loop {
            let look = async {
                self.look_at_policies().await;
                self.look_at_dead_letters().await;
                tokio::time::sleep(EVERY).await;
            };
            tokio::select! {
                () = look => {}
                () = stopping.cancelled() => break,
            }
        }
        self.inspector.close().await;
    }

    async fn look_at_policies(&mut self) {
        for queue in &self.queues {
            let facts = match self.inspector.facts(queue).await {
                Ok(facts) => facts.unwrap_or_default(),
                Err(error) => {
                    log::debug!("policies are not known: {error}");
                    return;
                }
            };
            let overridden = !facts.overrides.is_empty();
            let labels = QueueLabels { queue: queue.clone() };
            self.metrics.policy_overrides.get_or_create(&labels).set(overridden.into());
            let overrides = facts.overrides.join(", ");
            let before = self.policies.insert(queue.clone(), overrides.clone());
            if overridden && before.as_ref() != Some(&overrides) {
                let policy = facts.policy.unwrap_or_default();
                log::warn!(queue, policy, overrides;
                    "a policy of the broker changes what happens to messages of this queue; see \
                     docs/operations.md, OrdermillQueuePolicy");
            } else if !overridden && before.is_some_and(|before| !before.is_empty()) {
                log::info!(queue; "no policy changes what happens to messages of this queue any more");
            }
        }
    }

    async fn look_at_dead_letters(&mut self) {
        let (Ok(depths), Ok(newest)) =
            (self.inspector.depths(&self.dead).await, newest(&self.db).await)
        else {
            return;
        };
        let acted = newest != self.newest_action;
        self.newest_action = newest;
        for (queue, now) in self.dead.iter().zip(depths) {
            let depth = self.depths.entry(queue.clone()).or_default();
            let gone = depth.saw(now, acted);
            let labels = QueueLabels { queue: queue.clone() };
            self.metrics.dead_letters.get_or_create(&labels).set(now.into());
            if gone > 0 {
                log::error!(queue, gone; "dead letters left their queue without an action; see \
                    docs/operations.md, OrdermillDeadLettersVanished");
                self.metrics.dead_letters_vanished.get_or_create(&labels).inc_by(gone.into());
            }
        }
    }
}

/// The number of dead letters of a queue.
#[derive(Debug, Default)]
struct Depth {
    /// The largest number since the last action or report.
    known: u32,
    /// Number of looks in a row that found fewer, and the largest number among them.
    fewer: u32,
    most: u32,
}

impl Depth {
    /// Notes a look. Returns the number of dead letters that vanished, once it is certain.
    fn saw(&mut self, now: u32, acted: bool) -> u32 {
        if acted || now >= self.known {
            *self = Depth { known: now, ..Depth::default() };
            return 0;
        }
        self.fewer += 1;
        self.most = self.most.max(now);
        if self.fewer < FEWER_LOOKS {
            return 0;
        }
        let gone = self.known - self.most;
        *self = Depth { known: now, ..Depth::default() };
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_that_stay_away_without_an_action_are_reported_once() {
        let mut depth = Depth::default();
        assert_eq!(depth.saw(5, false), 0);
        // A session that reads them, and requeues them.
        assert_eq!((depth.saw(0, false), depth.saw(0, false), depth.saw(5, false)), (0, 0, 0));
        assert_eq!((depth.saw(2, false), depth.saw(1, false), depth.saw(1, false)), (0, 0, 3));
        assert_eq!((depth.saw(1, false), depth.saw(1, false)), (0, 0));
        assert_eq!((depth.saw(0, true), depth.saw(0, false)), (0, 0));
    }
}
