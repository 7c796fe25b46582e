//! What is counted about publishing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

use super::link::Link;
use super::outgoing::Outgoing;
use super::publisher::NotConfirmed;
use super::status::Status;
use super::topology::Topology;
use crate::runtime::{Metrics, Sent};

/// Whatever goes to a queue that the settings do not name: none does.
const OTHER: &str = "_OTHER";

/// The numbers of publishing, by the queues there are.
#[derive(Debug)]
pub(super) struct Publishing {
    took: Histogram,
    sent: HashMap<String, Sent>,
    other: Sent,
}

impl Publishing {
    /// Looks them up, and has the connection looked at with each scrape.
    pub(super) fn new(topology: &Topology, link: &Arc<Link>, metrics: &Metrics) -> Publishing {
        let messages = &metrics.messages;
        let up = metrics.broker.connecting("publish").up;
        let blocked = metrics.broker.blocked.clone();
        let link = link.clone();
        metrics.at_scrape(move || {
            let status = link.status.borrow();
            up.set((!matches!(*status, Status::Away(_))).into());
            blocked.set(matches!(*status, Status::Blocked(_)).into());
        });
        let queues = topology.queues.iter().flat_map(|queue| queue.all());
        Publishing {
            took: messages.publishing(),
            sent: queues.map(|queue| (queue.clone(), messages.sent_to(&queue))).collect(),
            other: messages.sent_to(OTHER),
        }
    }

    /// A batch was sent, and all that will come of it has come.
    pub(super) fn ended(
        &self,
        batch: &[Outgoing],
        outcomes: &[Result<(), NotConfirmed>],
        took: Duration,
    ) {
        self.took.observe(took.as_secs_f64());
        self.count(batch, outcomes);
    }

    /// How messages ended. Neighbours that went the same way are counted together.
    pub(super) fn count(&self, batch: &[Outgoing], outcomes: &[Result<(), NotConfirmed>]) {
        let ended: Vec<_> = batch.iter().zip(outcomes).collect();
        let same = |a: &(&Outgoing, &Result<(), NotConfirmed>), b: &(&Outgoing, &Result<_, _>)| {
            a.0.routing_key == b.0.routing_key && a.1 == b.1
        };
        for alike in ended.chunk_by(same) {
            let Some((message, outcome)) = alike.first() else { continue };
            let sent = self.sent.get(message.routing_key.as_str()).unwrap_or(&self.other);
            let counter = match outcome {
                Ok(()) => &sent.confirmed,
                Err(NotConfirmed::NotConnected) => &sent.not_connected,
                Err(NotConfirmed::Returned) => &sent.returned,
                Err(NotConfirmed::Nacked) => &sent.nacked,
                Err(NotConfirmed::Unknown) => &sent.unknown,
            };
            counter.inc_by(u64::try_from(alike.len()).unwrap_or(u64::MAX));
        }
    }
}
