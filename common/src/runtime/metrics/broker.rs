use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::book::Book;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabels {
    role: &'static str,
}

/// What is known of the connections to the broker.
#[derive(Clone, Debug, Default)]
pub struct BrokerMetrics {
    connects: Family<RoleLabels, Counter>,
    up: Family<RoleLabels, Gauge>,
    /// 1 while the broker takes no messages from us.
    pub blocked: Gauge,
}

/// One connection's keeper.
#[derive(Clone, Debug)]
pub struct Connecting {
    /// Connections made, the first one included.
    pub connects: Counter,
    /// 1 while it is there.
    pub up: Gauge,
}

impl BrokerMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        book.counter(
            "ordermill_broker_connects_total",
            "Connections made to the broker, the first one included",
            self.connects.clone(),
        );
        book.gauge(
            "ordermill_broker_connection_up",
            "1 while the connection to the broker is there and set up",
            self.up.clone(),
        );
        book.gauge(
            "ordermill_broker_blocked",
            "1 while the broker takes no messages from this process",
            self.blocked.clone(),
        );
    }

    /// The connection that is kept for `role`: `publish` or `consume`.
    pub fn connecting(&self, role: &'static str) -> Connecting {
        let labels = RoleLabels { role };
        Connecting {
            connects: self.connects.get_or_create_owned(&labels),
            up: self.up.get_or_create_owned(&labels),
        }
    }
}
