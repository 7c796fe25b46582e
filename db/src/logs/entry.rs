use std::str::FromStr;

use domain::OrderId;
use time::OffsetDateTime;
use tokio_postgres::Row;

use crate::Error;
use crate::row::{column, parsed};

/// Severity of a line, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every detail.
    Trace,
    /// Details for the search of a fault.
    Debug,
    /// Normal events.
    Info,
    /// A disturbance that should pass.
    Warn,
    /// A failure that needs attention.
    Error,
}

impl Level {
    /// The spelling in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let all = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
        let found = all.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| "must be trace, debug, info, warn or error".to_owned())
    }
}

/// A log line. Its texts must not contain NUL, and its request and trace ids no line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Time of the line, by the clock of its process.
    pub logged_at: OffsetDateTime,
    /// Name of the process.
    pub instance: String,
    /// Number of the line within its process.
    pub sequence: i64,
    /// Name of the program.
    pub service: String,
    /// Severity.
    pub level: Level,
    /// Part of the program.
    pub target: String,
    /// The message.
    pub message: String,
    /// Orders that the line is about.
    pub order_ids: Vec<OrderId>,
    /// HTTP requests that the line is about.
    pub request_ids: Vec<String>,
    /// Traces that the line is about.
    pub trace_ids: Vec<String>,
    /// All other fields, as a JSON object.
    pub fields: String,
}

/// Reads a line from a row.
pub(super) fn entry_from_row(row: &Row) -> Result<Entry, Error> {
    let orders: Vec<uuid::Uuid> = column(row, "order_ids")?;
    Ok(Entry {
        logged_at: column(row, "logged_at")?,
        instance: column(row, "instance")?,
        sequence: column(row, "sequence")?,
        service: column(row, "service")?,
        level: parsed(row, "level")?,
        target: column(row, "target")?,
        message: column(row, "message")?,
        order_ids: orders.into_iter().map(OrderId).collect(),
        request_ids: column(row, "request_ids")?,
        trace_ids: column(row, "trace_ids")?,
        fields: column(row, "fields")?,
    })
}
