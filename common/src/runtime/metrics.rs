//! The numbers a process keeps about itself. Every name and every label stands in this room, each
//! name as it is exposed, so their number is bounded. docs/telemetry.md says what each means.
//!
//! Where something is counted, its number is looked up once and kept: to find one among its
//! family's takes a lock and a hash. What can be asked for at any time, such as how much waits, is
//! asked for at the scrape and costs nothing in between.

mod audit;
mod book;
mod broker;
mod buckets;
mod gateway;
mod health;
mod http;
mod log_store;
mod messages;
mod orders;
mod pools;
mod process;
mod stations;
mod telemetry;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub use audit::{AuditMetrics, KindLabels};
pub use broker::{BrokerMetrics, Connecting};
pub use gateway::{Calls, Charges, GatewayMetrics};
pub use health::HealthMetrics;
pub use http::{HTTP_METHODS, HttpMetrics};
pub use log_store::LogStoreMetrics;
pub use messages::{Consuming, InHand, MessageMetrics, Sent};
pub use orders::{Looks, OrderMetrics, Placements, Results};
pub use pools::{InPool, PoolMetrics};
pub use stations::{AtStation, StationMetrics};
pub use telemetry::{Lines, Shipped, Spans, TelemetryMetrics};

use self::book::Book;
use self::process::ProcessMetrics;

/// What becomes of something: one of a few words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// A gauge that holds seconds.
type Seconds = Gauge<f64, AtomicU64>;
/// Asks for what is not counted, and shows it.
type Look = Box<dyn Fn() + Send + Sync>;

/// Which program's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Takes orders.
    OrderManagement,
    /// Charges them.
    PaymentProcessor,
    /// Holds the books against each other.
    Auditor,
    /// Stores log lines.
    LogCollector,
}

impl Program {
    /// Every one.
    pub const ALL: [Program; 4] = [
        Program::OrderManagement,
        Program::PaymentProcessor,
        Program::Auditor,
        Program::LogCollector,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Program::OrderManagement => "order-management",
            Program::PaymentProcessor => "payment-processor",
            Program::Auditor => "auditor",
            Program::LogCollector => "log-collector",
        }
    }
}

/// All of them. Clones count into the same ones. A part that its program does not show can be
/// counted into as well.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    looks: Arc<Mutex<Vec<Look>>>,
    process: ProcessMetrics,
    /// Whether it is ready.
    pub health: HealthMetrics,
    /// Its connections to databases.
    pub pools: PoolMetrics,
    /// Its log lines and spans.
    pub telemetry: TelemetryMetrics,
    /// Its requests.
    pub http: HttpMetrics,
    /// Its connections to the broker.
    pub broker: BrokerMetrics,
    /// Its messages.
    pub messages: MessageMetrics,
    /// Its stations.
    pub stations: StationMetrics,
    /// Its orders.
    pub orders: OrderMetrics,
    /// Its calls of the gateway.
    pub gateway: GatewayMetrics,
    /// What it stored for others.
    pub log_store: LogStoreMetrics,
    /// What it found.
    pub audit: AuditMetrics,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Those of a program, all at zero.
    pub fn of(program: Program) -> Metrics {
        let mut metrics = Metrics {
            registry: Arc::default(),
            looks: Arc::default(),
            process: ProcessMetrics::default(),
            health: HealthMetrics::default(),
            pools: PoolMetrics::default(),
            telemetry: TelemetryMetrics::default(),
            http: HttpMetrics::default(),
            broker: BrokerMetrics::default(),
            messages: MessageMetrics::default(),
            stations: StationMetrics::default(),
            orders: OrderMetrics::default(),
            gateway: GatewayMetrics::default(),
            log_store: LogStoreMetrics::default(),
            audit: AuditMetrics::default(),
        };
        let mut book = Book::default();
        metrics.put_in(&mut book, program);
        metrics.registry = Arc::new(book.closed());
        metrics
    }

    fn put_in(&self, book: &mut Book, program: Program) {
        self.process.put_in(book, program);
        self.health.put_in(book);
        self.pools.put_in(book);
        self.telemetry.put_in(book);
        if program != Program::Auditor {
            self.broker.put_in(book);
            self.messages.put_in(book);
            self.stations.put_in(book);
        }
        match program {
            Program::OrderManagement => {
                self.http.put_in(book);
                self.orders.put_in(book);
            }
            Program::PaymentProcessor => self.gateway.put_in(book),
            Program::Auditor => self.audit.put_in(book),
            Program::LogCollector => {
                self.http.put_in(book);
                self.log_store.put_in(book);
            }
        }
    }

    /// Has `look` called at each scrape, to ask for something that is not counted. It must not
    /// block.
    pub fn at_scrape(&self, look: impl Fn() + Send + Sync + 'static) {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(look));
    }

    /// The OpenMetrics text format.
    ///
    /// # Errors
    /// Only if the text cannot be written to memory.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        self.process.look();
        for look in self.looks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            look();
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Counters by outcome, and what gives one of them. Those asked for are shown from the start, so
/// that the first event is an increase.
fn counters() -> (Family<OutcomeLabels, Counter>, impl Fn(&'static str) -> Counter) {
    let family: Family<OutcomeLabels, Counter> = Family::default();
    let counters = family.clone();
    (family, move |outcome| counters.get_or_create_owned(&OutcomeLabels { outcome }))
}

#[cfg(test)]
mod tests;
