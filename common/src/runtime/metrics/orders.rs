use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::book::Book;
use super::buckets::{Histograms, order_times};
use super::{OutcomeLabels, Seconds, counters};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

/// What order-management knows of orders.
#[derive(Clone, Debug)]
pub struct OrderMetrics {
    durations: Histograms<StatusLabels>,
    placement_counters: Family<OutcomeLabels, Counter>,
    result_counters: Family<OutcomeLabels, Counter>,
    look_counters: Family<OutcomeLabels, Counter>,
    /// Seconds from placed to final, by the database's clock.
    pub confirmed: Histogram,
    /// The same of those that were canceled.
    pub canceled: Histogram,
    /// Orders that the database has answered for.
    pub placements: Placements,
    /// Payment results.
    pub results: Results,
    /// Orders in the outbox, as far as they were counted.
    pub outbox: Gauge,
    /// How long the oldest of its rows has been waiting.
    pub outbox_oldest: Seconds,
    /// Orders that a sweep found left behind in the outbox.
    pub swept: Counter,
    /// Requests of late orders that were put into the outbox again.
    pub asked_again: Counter,
    /// Looks at the queues for late orders.
    pub looks: Looks,
}

/// Orders that clients wanted, by what became of them.
#[derive(Clone, Debug)]
pub struct Placements {
    /// It is committed.
    pub placed: Counter,
    /// Its key's first order was the answer.
    pub repeated: Counter,
    /// Its product or customer is unknown, or its key was used for another order.
    pub refused: Counter,
}

/// Payment results by what they changed.
#[derive(Clone, Debug)]
pub struct Results {
    /// The order moved to its final status.
    pub moved: Counter,
    /// It had that status already.
    pub repeated: Counter,
    /// It had the other final status, and keeps it.
    pub contradicting: Counter,
    /// There is no such order.
    pub unknown: Counter,
}

/// Looks by what they found.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Every queue was empty.
    pub idle: Counter,
    /// Something waits.
    pub waiting: Counter,
    /// The broker does not say.
    pub away: Counter,
}

impl Default for OrderMetrics {
    fn default() -> Self {
        let durations: Histograms<StatusLabels> = Family::new_with_constructor(order_times);
        let (placement_counters, placement) = counters();
        let (result_counters, result) = counters();
        let (look_counters, look) = counters();
        let duration = |status| durations.get_or_create_owned(&StatusLabels { status });
        OrderMetrics {
            confirmed: duration("Confirmed"),
            canceled: duration("Canceled"),
            placements: Placements {
                placed: placement("placed"),
                repeated: placement("repeated"),
                refused: placement("refused"),
            },
            results: Results {
                moved: result("moved"),
                repeated: result("repeated"),
                contradicting: result("contradicting"),
                unknown: result("unknown"),
            },
            looks: Looks { idle: look("idle"), waiting: look("waiting"), away: look("away") },
            durations,
            placement_counters,
            result_counters,
            look_counters,
            outbox: Gauge::default(),
            outbox_oldest: Seconds::default(),
            swept: Counter::default(),
            asked_again: Counter::default(),
        }
    }
}

impl OrderMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        let m = self.clone();
        book.histogram(
            "ordermill_order_duration_seconds",
            "Time from placed to final, by the final status",
            m.durations,
        );
        book.counter(
            "ordermill_placements_total",
            "Orders that were to be placed, by what became of them",
            m.placement_counters,
        );
        book.counter(
            "ordermill_results_total",
            "Payment results by what they changed",
            m.result_counters,
        );
        book.gauge("ordermill_outbox_orders", "Orders in the outbox, up to 10000", m.outbox);
        book.gauge(
            "ordermill_outbox_oldest_age_seconds",
            "How long the oldest row of the outbox has been waiting",
            m.outbox_oldest,
        );
        book.counter(
            "ordermill_outbox_swept_total",
            "Orders that a sweep found left behind in the outbox",
            m.swept,
        );
        book.counter(
            "ordermill_payment_rerequests_total",
            "Requests of late orders put into the outbox again",
            m.asked_again,
        );
        book.counter(
            "ordermill_queue_inspections_total",
            "Looks at the queues for late orders",
            m.look_counters,
        );
    }
}
