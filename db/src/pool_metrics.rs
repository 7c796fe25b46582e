use prometheus_client::encoding::EncodeLabelSet;
use telemetry::metrics::{Family, Gauge};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    /// `shop`, `reads`, `payments` or `logs`
    db_client_connection_pool_name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    /// `shop`, `reads`, `payments` or `logs`
    db_client_connection_pool_name: &'static str,
    /// `idle` or `used`
    db_client_connection_state: &'static str,
}

telemetry::metrics! {
    /// Metrics of all pools of database connections.
    pub(crate) struct Pools {
        /// Connections to PostgreSQL
        count: Family<StateLabels, Gauge> = "db_client_connection_count",
        /// Maximum number of connections in the pool
        max: Family<PoolLabels, Gauge> = "db_client_connection_max",
        /// Callers that wait for a connection
        pending: Family<PoolLabels, Gauge> = "db_client_connection_pending_requests",
    }
}

/// Metrics of one pool.
#[derive(Clone, Debug)]
pub(crate) struct PoolMetrics {
    /// Connections that are not in use.
    pub(crate) idle: Gauge,
    /// Connections in use.
    pub(crate) used: Gauge,
    /// The largest number of connections.
    pub(crate) max: Gauge,
    /// Callers that wait for a connection.
    pub(crate) pending: Gauge,
}

impl Pools {
    /// The metrics of one pool.
    pub(crate) fn pool(&self, db_client_connection_pool_name: &'static str) -> PoolMetrics {
        let count = |db_client_connection_state| {
            self.count.get_or_create_owned(&StateLabels {
                db_client_connection_pool_name,
                db_client_connection_state,
            })
        };
        let labels = PoolLabels { db_client_connection_pool_name };
        PoolMetrics {
            idle: count("idle"),
            used: count("used"),
            max: self.max.get_or_create_owned(&labels),
            pending: self.pending.get_or_create_owned(&labels),
        }
    }
}
