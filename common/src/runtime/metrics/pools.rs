use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::book::Book;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    db_client_connection_pool_name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    db_client_connection_pool_name: &'static str,
    db_client_connection_state: &'static str,
}

/// What is known of the pools of database connections.
#[derive(Clone, Debug, Default)]
pub struct PoolMetrics {
    count: Family<StateLabels, Gauge>,
    max: Family<PoolLabels, Gauge>,
    pending: Family<PoolLabels, Gauge>,
}

/// One pool.
#[derive(Clone, Debug)]
pub struct InPool {
    /// Connections that nobody uses.
    pub idle: Gauge,
    /// Those in use.
    pub used: Gauge,
    /// How many there may be.
    pub max: Gauge,
    /// How many wait for one.
    pub pending: Gauge,
}

impl PoolMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        book.gauge(
            "db_client_connection_count",
            "Database connections by what they do",
            self.count.clone(),
        );
        book.gauge(
            "db_client_connection_max",
            "Database connections there may be",
            self.max.clone(),
        );
        book.gauge(
            "db_client_connection_pending_requests",
            "Callers that wait for a database connection",
            self.pending.clone(),
        );
    }

    /// Those of one pool, looked up once.
    pub fn of(&self, db_client_connection_pool_name: &'static str) -> InPool {
        let count = |db_client_connection_state| {
            self.count.get_or_create_owned(&StateLabels {
                db_client_connection_pool_name,
                db_client_connection_state,
            })
        };
        let labels = PoolLabels { db_client_connection_pool_name };
        InPool {
            idle: count("idle"),
            used: count("used"),
            max: self.max.get_or_create_owned(&labels),
            pending: self.pending.get_or_create_owned(&labels),
        }
    }
}
