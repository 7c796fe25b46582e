//! Metrics of connections and messages, named as OpenTelemetry's conventions for messaging name
//! them where they have a name.

use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use telemetry::metrics::buckets::{publish_times, work_times};
use telemetry::metrics::{Counter, Family, Gauge, Histogram, Histograms, Labels, Metrics};

/// `messaging.system`, as OpenTelemetry calls it.
const SYSTEM: &str = "rabbitmq";
/// Reasons for which this system dead-letters a message. They are exposed at 0 from the start, so
/// that the first dead letter is an increase.
const REASONS: [&str; 4] = ["unreadable", "unknown_order", "reader_panicked", "signature_invalid"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SentLabels {
    /// `rabbitmq`
    messaging_system: &'static str,
    /// A queue; `_OTHER` for a queue that the settings do not name
    messaging_destination_name: String,
    /// Empty if the message was confirmed; `returned` (no queue for it), `nacked` (refused),
    /// `unknown` (no confirm arrived), `not_connected` (nothing was sent)
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DestinationLabels {
    /// `rabbitmq`
    messaging_system: &'static str,
    /// The queue
    messaging_destination_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeadLetterLabels {
    queue: String,
    /// `unreadable`, `unknown_order`, `reader_panicked` or `signature_invalid`
    reason: &'static str,
}

telemetry::metrics! {
    /// Metrics of the connections to the broker. The label is the connection's role.
    pub(crate) struct ConnectionFamilies {
        /// Connections made to RabbitMQ, the first one included: 1 means that no connection was ever
        /// lost. The role is publish, consume or logs (ships or reads log lines)
        connects: Family<Labels<1>, Counter> = "ordermill_broker_connects_total",
        /// 1 while the connection to RabbitMQ is established and set up
        up: Family<Labels<1>, Gauge> = "ordermill_broker_connection_up",
        /// 1 while RabbitMQ blocks publishers (connection.blocked)
        pub(crate) blocked: Gauge = "ordermill_broker_blocked",
    }
}

/// Metrics of one supervised connection.
#[derive(Clone, Debug)]
pub struct ConnectionMetrics {
    /// Connections made, the first one included.
    pub connects: Counter,
    /// 1 while the connection is open.
    pub up: Gauge,
}

impl ConnectionMetrics {
    /// The metrics of the connection for `role`.
    pub fn new(metrics: &Metrics, role: &'static str) -> ConnectionMetrics {
        metrics.get::<ConnectionFamilies>().connection(role)
    }
}

impl ConnectionFamilies {
    /// The metrics of the connection for `role`.
    pub(crate) fn connection(&self, role: &'static str) -> ConnectionMetrics {
        let labels = [("role", role)];
        ConnectionMetrics {
            connects: self.connects.get_or_create_owned(&labels),
            up: self.up.get_or_create_owned(&labels),
        }
    }
}

telemetry::metrics! {
    /// Metrics of messages. Queues are the few that the settings name; no message brings a name in.
    pub(crate) struct MessageFamilies {
        /// Time from publishing a batch to its last confirm
        operations: Histograms<Labels<2>> = "messaging_client_operation_duration_seconds"
            from Histograms::new_with_constructor(publish_times),
        /// Messages published. A message that ends in an error stays in its source and is published
        /// again
        sent: Family<SentLabels, Counter> = "messaging_client_sent_messages_total",
        /// Messages delivered to this process, redeliveries included
        consumed: Family<DestinationLabels, Counter> = "messaging_client_consumed_messages_total",
        /// Time from a message's arrival to the decision about its ack, including the wait for
        /// capacity, and for the gateway where the handler asks one
        processed: Histograms<DestinationLabels> = "messaging_process_duration_seconds"
            from Histograms::new_with_constructor(work_times),
        /// Messages that have arrived and are not decided yet; at most PREFETCH
        unacked: Family<QueueLabels, Gauge> = "ordermill_messages_unacked",
        /// Messages sent to the retry queues of this queue
        retries: Family<QueueLabels, Counter> = "ordermill_retries_total",
        /// Messages that this process sent to the dead-letter queue of this queue. RabbitMQ counts
        /// the messages that it dead-letters itself (delivery_limit)
        dead_lettered: Family<DeadLetterLabels, Counter> = "ordermill_dead_lettered_total",
    }
}

/// Messages published to one queue, by outcome.
#[derive(Clone, Debug)]
pub(crate) struct SentMetrics {
    /// The broker confirmed the message.
    pub(crate) confirmed: Counter,
    /// The broker found no queue for the message.
    pub(crate) returned: Counter,
    /// The broker refused to store the message.
    pub(crate) nacked: Counter,
    /// No confirm came.
    pub(crate) unknown: Counter,
    /// Nothing was sent.
    pub(crate) not_connected: Counter,
}

/// Metrics of the consumer of one queue.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerMetrics {
    queue: String,
    dead_lettered: Family<DeadLetterLabels, Counter>,
    consumed: Counter,
    processed: Histogram,
    unacked: Gauge,
    /// Messages sent to a retry queue.
    pub(crate) retries: Counter,
}

/// A message between its delivery and its ack.
#[derive(Debug)]
pub(crate) struct UnackedMessage {
    count: Gauge,
    processed: Histogram,
    since: Instant,
}

impl MessageFamilies {
    /// Time from sending a batch to its last confirm.
    pub(crate) fn publish_duration(&self) -> Histogram {
        self.operations.get_or_create_owned(&[
            ("messaging_system", SYSTEM),
            ("messaging_operation_name", "publish"),
        ])
    }

    /// The messages published to `queue`.
    pub(crate) fn sent(&self, queue: &str) -> SentMetrics {
        let outcome = |error_type| {
            self.sent.get_or_create_owned(&SentLabels {
                messaging_system: SYSTEM,
                messaging_destination_name: queue.to_owned(),
                error_type,
            })
        };
        SentMetrics {
            confirmed: outcome(""),
            returned: outcome("returned"),
            nacked: outcome("nacked"),
            unknown: outcome("unknown"),
            not_connected: outcome("not_connected"),
        }
    }

    /// The messages consumed from `queue`.
    pub(crate) fn consumer(&self, queue: &str) -> ConsumerMetrics {
        let destination = DestinationLabels {
            messaging_system: SYSTEM,
            messaging_destination_name: queue.to_owned(),
        };
        let labels = QueueLabels { queue: queue.to_owned() };
        ConsumerMetrics {
            queue: queue.to_owned(),
            dead_lettered: self.dead_lettered.clone(),
            consumed: self.consumed.get_or_create_owned(&destination),
            processed: self.processed.get_or_create_owned(&destination),
            unacked: self.unacked.get_or_create_owned(&labels),
            retries: self.retries.get_or_create_owned(&labels),
        }
    }
}

impl ConsumerMetrics {
    /// Exposes the reasons for dead-lettering at 0.
    pub(crate) fn expect_dead_letters(&self) {
        for reason in REASONS {
            let labels = DeadLetterLabels { queue: self.queue.clone(), reason };
            drop(self.dead_lettered.get_or_create(&labels));
        }
    }

    /// Counts a delivery.
    pub(crate) fn delivered(&self) -> UnackedMessage {
        self.consumed.inc();
        self.unacked.inc();
        let (count, processed) = (self.unacked.clone(), self.processed.clone());
        UnackedMessage { count, processed, since: Instant::now() }
    }

    /// Counts a dead letter.
    pub(crate) fn dead_lettered(&self, reason: &'static str) {
        let labels = DeadLetterLabels { queue: self.queue.clone(), reason };
        self.dead_lettered.get_or_create(&labels).inc();
    }
}

impl UnackedMessage {
    /// Observes the time until the handler returned.
    pub(crate) fn processed(self) {
        self.processed.observe(self.since.elapsed().as_secs_f64());
    }
}

impl Drop for UnackedMessage {
    fn drop(&mut self) {
        self.count.dec();
    }
}
