//! Metrics of order-management.

use prometheus_client::encoding::EncodeLabelSet;
use telemetry::metrics::buckets::order_times;
use telemetry::metrics::{
    Counter, Family, Gauge, Histogram, Histograms, Instrument, Labels, Seconds,
};
use telemetry::{counters_by, metrics};

metrics! {
    /// Metrics of orders on their way through this process.
    pub(crate) struct OrderMetrics {
        /// Time from placed to final, by the database's clock: updatedAt − createdAt. The status is
        /// Confirmed or Canceled
        pub(crate) durations: OrderDurations = "ordermill_order_duration_seconds",
        /// Orders that reached the database. An order that the database did not answer for is in no
        /// outcome
        pub(crate) placements: PlaceMetrics = "ordermill_placements_total",
        /// Payment results, by what they changed
        pub(crate) results: SettleMetrics = "ordermill_results_total",
        /// Orders in the outbox, up to 10,000; read every 5 s, and the last value while the database
        /// does not answer. Every process reports the same number: use the maximum, not the sum
        pub(crate) outbox: Gauge = "ordermill_outbox_orders",
        /// Age of the oldest row of the outbox; 0 if the outbox is empty
        pub(crate) outbox_oldest: Seconds = "ordermill_outbox_oldest_age_seconds",
        /// Age of the oldest open transaction of the shop's database, read every 5 s: of this role's
        /// sessions, and of all sessions if the role has pg_read_all_stats
        pub(crate) oldest_transaction: Seconds = "ordermill_database_oldest_transaction_seconds",
        /// Orders that a sweep found left behind in the outbox; an order that cannot be published is
        /// found, and counted, again
        pub(crate) swept: Counter = "ordermill_outbox_swept_total",
        /// Overdue orders whose payment was requested again
        pub(crate) rerequests: Counter = "ordermill_payment_rerequests_total",
        /// Queue inspections of the reconciler
        pub(crate) inspections: InspectionMetrics = "ordermill_queue_inspections_total",
    }
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct QueueLabels {
    /// Name of the queue
    pub(crate) queue: String,
}

metrics! {
    /// Metrics of what others do to the queues.
    pub(crate) struct BrokerWatchMetrics {
        /// 1 if a policy of the broker changes what happens to the messages of this queue, such as
        /// message-ttl or max-length; read from the management API, and the last value while the API
        /// does not answer
        pub(crate) policy_overrides: Family<QueueLabels, Gauge> = "ordermill_queue_policy_overrides",
        /// Dead letters that no session has received, as seen every 10 s
        pub(crate) dead_letters: Family<QueueLabels, Gauge> = "ordermill_dead_letters",
        /// Dead letters that left their queue without an action of an operator
        pub(crate) dead_letters_vanished: Family<QueueLabels, Counter> = "ordermill_dead_letters_vanished_total",
    }
}

counters_by! {
    /// Orders that clients asked to place.
    pub(crate) struct PlaceMetrics by "outcome" {
        /// The order is committed.
        placed = "placed",
        /// The first order under the same key was the answer.
        repeated = "repeated",
        /// The product or customer is unknown, the key was used for another order, or similar.
        refused = "refused",
    }
}

counters_by! {
    /// Payment results.
    pub(crate) struct SettleMetrics by "outcome" {
        /// The order moved to its final status.
        moved = "moved",
        /// The order already had this status.
        repeated = "repeated",
        /// The order had the other final status, and keeps it.
        contradicting = "contradicting",
        /// There is no such order.
        unknown = "unknown",
    }
}

counters_by! {
    /// Inspections of the queues by what they found.
    pub(crate) struct InspectionMetrics by "outcome" {
        /// Every queue was empty, and no message in flight.
        idle = "idle",
        /// Every queue was empty, and messages were in flight, or it was not known whether any were.
        in_flight = "in_flight",
        /// Messages wait in a queue.
        waiting = "waiting",
        /// RabbitMQ does not answer.
        away = "away",
    }
}

/// Seconds from placed to final, by the database's clock.
#[derive(Clone, Debug)]
pub(crate) struct OrderDurations {
    family: Histograms<Labels<1>>,
    pub(crate) confirmed: Histogram,
    pub(crate) canceled: Histogram,
}

impl Default for OrderDurations {
    fn default() -> Self {
        let family: Histograms<Labels<1>> = Histograms::new_with_constructor(order_times);
        let of = |status| family.get_or_create_owned(&[("status", status)]);
        OrderDurations { confirmed: of("Confirmed"), canceled: of("Canceled"), family }
    }
}

impl Instrument for OrderDurations {
    type Exposed = Histograms<Labels<1>>;

    fn exposed(&self) -> Self::Exposed {
        self.family.clone()
    }
}
