//! Metrics of publishing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use service::Runtime;
use telemetry::metrics::Histogram;

use crate::confirms::NotConfirmed;
use crate::metrics::{ConnectionFamilies, MessageFamilies, SentMetrics};
use crate::outgoing::Outgoing;
use crate::publisher_connection::PublisherConnection;
use crate::status::Status;
use crate::topology::Topology;

/// The destination of messages to a queue that the settings do not name; there are none.
const OTHER: &str = "_OTHER";

/// Metrics of publishing, resolved for every queue of the topology.
#[derive(Debug)]
pub(crate) struct PublishMetrics {
    took: Histogram,
    sent: HashMap<String, SentMetrics>,
    other: SentMetrics,
}

impl PublishMetrics {
    /// Resolves them, and shows the state of the connection at every scrape.
    pub(crate) fn new(
        topology: &Topology,
        connection: &Arc<PublisherConnection>,
        runtime: &Runtime,
    ) -> PublishMetrics {
        let messages: MessageFamilies = runtime.metrics.get();
        let families: ConnectionFamilies = runtime.metrics.get();
        let up = families.connection("publish").up;
        let (connection, blocked) = (connection.clone(), families.blocked);
        runtime.metrics.on_scrape(move || {
            let status = connection.status.borrow();
            up.set((!matches!(*status, Status::Disconnected(_))).into());
            blocked.set(matches!(*status, Status::Blocked(_)).into());
        });
        let queues = topology.work_queues.iter().flat_map(|queue| queue.all());
        PublishMetrics {
            took: messages.publish_duration(),
            sent: queues.map(|queue| (queue.clone(), messages.sent(&queue))).collect(),
            other: messages.sent(OTHER),
        }
    }

    /// Observes a batch that was sent.
    pub(crate) fn published(
        &self,
        batch: &[Outgoing],
        outcomes: &[Result<(), NotConfirmed>],
        took: Duration,
    ) {
        self.took.observe(took.as_secs_f64());
        self.count(batch, outcomes);
    }

    /// Counts outcomes. Neighbours with the same destination and outcome are counted together.
    pub(crate) fn count(&self, batch: &[Outgoing], outcomes: &[Result<(), NotConfirmed>]) {
        let pairs: Vec<_> = batch.iter().zip(outcomes).collect();
        let same = |a: &(&Outgoing, &Result<(), NotConfirmed>), b: &(&Outgoing, &Result<_, _>)| {
            a.0.routing_key == b.0.routing_key && a.1 == b.1
        };
        for alike in pairs.chunk_by(same) {
            let Some((message, outcome)) = alike.first() else { continue };
            let sent = self.sent.get(message.routing_key.as_str()).unwrap_or(&self.other);
            let counter = match outcome {
                Ok(()) => &sent.confirmed,
                Err(NotConfirmed::NotConnected | NotConfirmed::NotSent) => &sent.not_connected,
                Err(NotConfirmed::Returned) => &sent.returned,
                Err(NotConfirmed::Nacked) => &sent.nacked,
                Err(NotConfirmed::Unknown) => &sent.unknown,
            };
            counter.inc_by(u64::try_from(alike.len()).unwrap_or(u64::MAX));
        }
    }
}
