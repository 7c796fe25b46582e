//! Rows that cannot be read, such as rows that were written by SQL: they are logged and counted, and
//! hold up no other row.

use std::fmt::Display;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use telemetry::metrics::Counter;
use telemetry::{counters_by, metrics};
use tokio_postgres::Row;

use crate::Error;

/// Largest number of rows that one log line lists.
const LISTED_MAX: usize = 20;
/// Shortest time between two log lines about rows that were left out of a page.
const LOG_EVERY: Duration = Duration::from_secs(1);

counters_by! {
    /// Unreadable rows by their table.
    pub(crate) struct UnreadableRows by "table" {
        /// The outbox.
        outbox = "outbox",
        /// Orders.
        orders = "orders",
        /// Products.
        products = "products",
        /// Customers.
        customers = "customers",
        /// Actions on dead letters.
        actions = "dead_letter_actions",
        /// Log lines.
        log_entries = "log_entries",
    }
}

/// One count for all pools of the process.
static COUNT: LazyLock<UnreadableRows> = LazyLock::new(UnreadableRows::default);

metrics! {
    /// Metrics of rows.
    pub(crate) struct RowMetrics {
        /// Rows that could not be read and were left out, by table: rows that were written by SQL. A row
        /// is counted each time it is found
        unreadable: UnreadableRows = "ordermill_unreadable_rows_total" from COUNT.clone(),
    }
}

/// The table of a row that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Outbox,
    Orders,
    Products,
    Customers,
    DeadLetterActions,
    LogEntries,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Table::Outbox => "outbox",
            Table::Orders => "orders",
            Table::Products => "products",
            Table::Customers => "customers",
            Table::DeadLetterActions => "dead_letter_actions",
            Table::LogEntries => "log_entries",
        }
    }

    fn counter(self) -> &'static Counter {
        match self {
            Table::Outbox => &COUNT.outbox,
            Table::Orders => &COUNT.orders,
            Table::Products => &COUNT.products,
            Table::Customers => &COUNT.customers,
            Table::DeadLetterActions => &COUNT.actions,
            Table::LogEntries => &COUNT.log_entries,
        }
    }
}

/// Reads rows one by one. A row that cannot be read is reported and left out.
pub(crate) fn readable<T>(
    table: Table,
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Error>,
) -> Vec<T> {
    let (mut each, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match read(row) {
            Ok(value) => each.push(value),
            Err(error) => unreadable.push((first_column(row), error)),
        }
    }
    count(table, unreadable.len());
    if !unreadable.is_empty() && may_log() {
        log(table, &unreadable);
    }
    each
}

/// Counts and logs rows that cannot be read, with their keys.
pub(crate) fn report<K: Display>(table: Table, unreadable: &[(K, Error)]) {
    count(table, unreadable.len());
    log(table, unreadable);
}

fn count(table: Table, rows: usize) {
    table.counter().inc_by(u64::try_from(rows).unwrap_or(u64::MAX));
}

fn log<K: Display>(table: Table, unreadable: &[(K, Error)]) {
    let listed = unreadable.iter().take(LISTED_MAX).map(|(key, error)| format!("{key} ({error})"));
    let listed = listed.collect::<Vec<_>>().join(", ");
    log::error!(table = table.name(), rows = unreadable.len();
        "rows cannot be read and stay where they are: {listed}");
}

/// Readers of pages repeat themselves: one line a second.
fn may_log() -> bool {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.is_none_or(|last| last.elapsed() > LOG_EVERY);
    if due {
        *last = Some(Instant::now());
    }
    due
}

/// The key of a row: every list selects its key first.
fn first_column(row: &Row) -> String {
    let uuid = row.try_get::<_, uuid::Uuid>(0).map(|key| key.to_string());
    let number = || row.try_get::<_, i64>(0).map(|key| key.to_string());
    uuid.or_else(|_| number()).unwrap_or_else(|_| "a row".to_owned())
}
