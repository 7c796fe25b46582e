use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::book::Book;
use super::buckets::{Histograms, publish_times, work_times};

/// `messaging.system`, as OpenTelemetry calls it.
const SYSTEM: &str = "rabbitmq";
/// Why a message is parked by us. Shown as 0 from the start, so that the first one is an increase.
const REASONS: [&str; 3] = ["unreadable", "unknown_order", "reader_panicked"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    messaging_system: &'static str,
    messaging_operation_name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SentLabels {
    messaging_system: &'static str,
    messaging_destination_name: String,
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DestinationLabels {
    messaging_system: &'static str,
    messaging_destination_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ParkLabels {
    queue: String,
    reason: &'static str,
}

/// What is known of messages. Queues are the few that the settings
/// name, looked up when a connection's keeper starts; no message brings a name in.
#[derive(Clone, Debug)]
pub struct MessageMetrics {
    operations: Histograms<OperationLabels>,
    sent: Family<SentLabels, Counter>,
    consumed: Family<DestinationLabels, Counter>,
    processed: Histograms<DestinationLabels>,
    in_hand: Family<QueueLabels, Gauge>,
    retries: Family<QueueLabels, Counter>,
    parked: Family<ParkLabels, Counter>,
}

/// Messages that were to go to one queue, by what became of them.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The broker has it.
    pub confirmed: Counter,
    /// It found no queue for it.
    pub returned: Counter,
    /// It refused to store it.
    pub nacked: Counter,
    /// No confirm came.
    pub unknown: Counter,
    /// Nothing was sent.
    pub not_connected: Counter,
}

/// Messages out of one queue.
#[derive(Clone, Debug)]
pub struct Consuming {
    queue: String,
    parked: Family<ParkLabels, Counter>,
    consumed: Counter,
    processed: Histogram,
    in_hand: Gauge,
    /// Sent to the delay ladder.
    pub retries: Counter,
}

/// A message that is not answered yet. Dropped before that, it goes back to its queue.
#[derive(Debug)]
pub struct InHand {
    count: Gauge,
    processed: Histogram,
    since: Instant,
}

impl Default for MessageMetrics {
    fn default() -> Self {
        MessageMetrics {
            operations: Family::new_with_constructor(publish_times),
            sent: Family::default(),
            consumed: Family::default(),
            processed: Family::new_with_constructor(work_times),
            in_hand: Family::default(),
            retries: Family::default(),
            parked: Family::default(),
        }
    }
}

impl MessageMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        book.histogram(
            "messaging_client_operation_duration_seconds",
            "Time from sending a batch to its last confirm",
            self.operations.clone(),
        );
        book.counter(
            "messaging_client_sent_messages_total",
            "Messages published, by where to and how it ended; confirmed ones have no error_type",
            self.sent.clone(),
        );
        book.counter(
            "messaging_client_consumed_messages_total",
            "Messages delivered to this process",
            self.consumed.clone(),
        );
        book.histogram(
            "messaging_process_duration_seconds",
            "Time from a message's arrival until it is decided how it is answered",
            self.processed.clone(),
        );
        book.gauge(
            "ordermill_messages_unacked",
            "Messages that have arrived and are not answered yet",
            self.in_hand.clone(),
        );
        book.counter(
            "ordermill_retries_total",
            "Messages sent to the delay ladder",
            self.retries.clone(),
        );
        book.counter(
            "ordermill_dead_lettered_total",
            "Messages sent to a dead-letter queue",
            self.parked.clone(),
        );
    }

    /// Time from sending a batch to its last confirm.
    pub fn publishing(&self) -> Histogram {
        let labels =
            OperationLabels { messaging_system: SYSTEM, messaging_operation_name: "publish" };
        self.operations.get_or_create_owned(&labels)
    }

    /// What is sent to `queue`.
    pub fn sent_to(&self, queue: &str) -> Sent {
        let ended = |error_type| {
            self.sent.get_or_create_owned(&SentLabels {
                messaging_system: SYSTEM,
                messaging_destination_name: queue.to_owned(),
                error_type,
            })
        };
        Sent {
            confirmed: ended(""),
            returned: ended("returned"),
            nacked: ended("nacked"),
            unknown: ended("unknown"),
            not_connected: ended("not_connected"),
        }
    }

    /// What comes out of `queue`.
    pub fn consuming(&self, queue: &str) -> Consuming {
        let destination = DestinationLabels {
            messaging_system: SYSTEM,
            messaging_destination_name: queue.to_owned(),
        };
        let labels = QueueLabels { queue: queue.to_owned() };
        for reason in REASONS {
            drop(self.parked.get_or_create(&ParkLabels { queue: queue.to_owned(), reason }));
        }
        Consuming {
            queue: queue.to_owned(),
            parked: self.parked.clone(),
            consumed: self.consumed.get_or_create_owned(&destination),
            processed: self.processed.get_or_create_owned(&destination),
            in_hand: self.in_hand.get_or_create_owned(&labels),
            retries: self.retries.get_or_create_owned(&labels),
        }
    }
}

impl Consuming {
    /// One has arrived.
    pub fn arrived(&self) -> InHand {
        self.consumed.inc();
        self.in_hand.inc();
        let (count, processed) = (self.in_hand.clone(), self.processed.clone());
        InHand { count, processed, since: Instant::now() }
    }

    /// One was sent to the dead letters.
    pub fn parked(&self, reason: &'static str) {
        self.parked.get_or_create(&ParkLabels { queue: self.queue.clone(), reason }).inc();
    }
}

impl InHand {
    /// It is decided how it is answered.
    pub fn ended(self) {
        self.processed.observe(self.since.elapsed().as_secs_f64());
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.count.dec();
    }
}
