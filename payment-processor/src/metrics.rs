//! Metrics of payment-processor.

use telemetry::metrics::buckets::work_times;
use telemetry::metrics::{Counter, Family, Gauge, Histogram, Histograms, Instrument, Labels};
use telemetry::{counters_by, metrics};

metrics! {
    /// Metrics of charging.
    pub(crate) struct GatewayMetrics {
        /// Calls of the gateway, by operation (charge, look_up) and outcome: captured, declined,
        /// unknown (no verdict), not_found (look_up only: the gateway does not recognise the key)
        pub(crate) calls: CallMetrics = "ordermill_gateway_calls_total",
        /// Duration of a gateway call, answered or not; the operation is charge or look_up
        pub(crate) durations: CallDurations = "ordermill_gateway_call_duration_seconds",
        /// Orders that were sent to the gateway, with any number of calls; an unknown charge is
        /// repeated and counted again
        pub(crate) charges: ChargeMetrics = "ordermill_charges_total",
        /// Orders in flight
        pub(crate) in_flight: Gauge = "ordermill_orders_in_flight",
        /// Retried requests that were sent back to the retry queues without an attempt, because the
        /// retries in flight take a quarter of the orders in flight
        pub(crate) put_off: Counter = "ordermill_retries_put_off_total",
        /// Maximum number of orders in flight: PREFETCH
        pub(crate) in_flight_max: Gauge = "ordermill_orders_in_flight_max",
    }
}

counters_by! {
    /// Orders by the outcome of their charge, however many calls that took.
    pub(crate) struct ChargeMetrics by "outcome" {
        /// The money was captured.
        captured = "captured",
        /// The charge was declined.
        declined = "declined",
        /// The charge has no verdict.
        unknown = "unknown",
    }
}

/// Gateway calls.
#[derive(Clone, Debug)]
pub(crate) struct CallMetrics {
    family: Family<Labels<2>, Counter>,
    /// Calls that charge.
    pub(crate) charge: CallOutcomes,
    /// Calls that look a charge up.
    pub(crate) look_up: CallOutcomes,
    /// Look-ups of a key that the gateway does not know.
    pub(crate) not_found: Counter,
}

/// Calls of one operation by outcome.
#[derive(Clone, Debug)]
pub(crate) struct CallOutcomes {
    /// The money was captured.
    pub(crate) captured: Counter,
    /// The charge was declined.
    pub(crate) declined: Counter,
    /// No answer, or one without a verdict.
    pub(crate) unknown: Counter,
}

impl Default for CallMetrics {
    fn default() -> Self {
        let family: Family<Labels<2>, Counter> = Family::default();
        let call = |operation, outcome| {
            family.get_or_create_owned(&[("operation", operation), ("outcome", outcome)])
        };
        let outcomes = |operation| CallOutcomes {
            captured: call(operation, "captured"),
            declined: call(operation, "declined"),
            unknown: call(operation, "unknown"),
        };
        CallMetrics {
            charge: outcomes("charge"),
            look_up: outcomes("look_up"),
            not_found: call("look_up", "not_found"),
            family,
        }
    }
}

impl Instrument for CallMetrics {
    type Exposed = Family<Labels<2>, Counter>;

    fn exposed(&self) -> Self::Exposed {
        self.family.clone()
    }
}

/// Time of gateway calls by operation.
#[derive(Clone, Debug)]
pub(crate) struct CallDurations {
    family: Histograms<Labels<1>>,
    pub(crate) charge: Histogram,
    pub(crate) look_up: Histogram,
}

impl Default for CallDurations {
    fn default() -> Self {
        let family: Histograms<Labels<1>> = Histograms::new_with_constructor(work_times);
        let of = |operation| family.get_or_create_owned(&[("operation", operation)]);
        CallDurations { charge: of("charge"), look_up: of("look_up"), family }
    }
}

impl Instrument for CallDurations {
    type Exposed = Histograms<Labels<1>>;

    fn exposed(&self) -> Self::Exposed {
        self.family.clone()
    }
}
