use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::book::Book;
use super::buckets::{Histograms, work_times};
use super::{OutcomeLabels, counters};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    outcome: &'static str,
}

/// What a worker knows of charging.
#[derive(Clone, Debug)]
pub struct GatewayMetrics {
    calls: Family<CallLabels, Counter>,
    durations: Histograms<OperationLabels>,
    charge_counters: Family<OutcomeLabels, Counter>,
    /// Calls that charge.
    pub charge: Calls,
    /// Calls that look a charge up.
    pub look_up: Calls,
    /// Look-ups whose key the gateway does not know.
    pub not_found: Counter,
    /// Orders that went to the gateway.
    pub charges: Charges,
    /// Orders in work.
    pub in_flight: Gauge,
    /// How many there may be.
    pub in_flight_max: Gauge,
}

/// Calls of one kind by how they ended.
#[derive(Clone, Debug)]
pub struct Calls {
    /// The money was taken.
    pub captured: Counter,
    /// It was not, for good.
    pub declined: Counter,
    /// No answer, or none that says it.
    pub unknown: Counter,
    /// How long they took, those without an answer too.
    pub took: Histogram,
}

/// Orders by what came of asking the gateway, however many calls that took.
#[derive(Clone, Debug)]
pub struct Charges {
    /// The money was taken.
    pub captured: Counter,
    /// It was not, for good.
    pub declined: Counter,
    /// No verdict.
    pub unknown: Counter,
}

impl Default for GatewayMetrics {
    fn default() -> Self {
        let calls: Family<CallLabels, Counter> = Family::default();
        let durations: Histograms<OperationLabels> = Family::new_with_constructor(work_times);
        let (charge_counters, charged) = counters();
        let call =
            |operation, outcome| calls.get_or_create_owned(&CallLabels { operation, outcome });
        let of = |operation| Calls {
            captured: call(operation, "captured"),
            declined: call(operation, "declined"),
            unknown: call(operation, "unknown"),
            took: durations.get_or_create_owned(&OperationLabels { operation }),
        };
        GatewayMetrics {
            charge: of("charge"),
            look_up: of("look_up"),
            not_found: call("look_up", "not_found"),
            charges: Charges {
                captured: charged("captured"),
                declined: charged("declined"),
                unknown: charged("unknown"),
            },
            calls,
            durations,
            charge_counters,
            in_flight: Gauge::default(),
            in_flight_max: Gauge::default(),
        }
    }
}

impl GatewayMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        let m = self.clone();
        book.counter("ordermill_gateway_calls_total", "Gateway calls by how they ended", m.calls);
        book.histogram(
            "ordermill_gateway_call_duration_seconds",
            "Time a gateway call took, answered or not",
            m.durations,
        );
        book.counter(
            "ordermill_charges_total",
            "Orders by what came of asking the gateway",
            m.charge_counters,
        );
        book.gauge("ordermill_orders_in_flight", "Orders in work", m.in_flight);
        book.gauge("ordermill_orders_in_flight_max", "Orders that may be in work", m.in_flight_max);
    }
}
