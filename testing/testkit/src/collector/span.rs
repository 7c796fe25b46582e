//! A span as the collector received it.

use std::collections::BTreeMap;

/// A span, in either protocol. Ids are hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Name of the program.
    pub service: String,
    /// Id of the trace.
    pub trace_id: String,
    /// Id of the span.
    pub span_id: String,
    /// Id of the span that caused this one.
    pub parent_id: Option<String>,
    /// Name of the operation.
    pub name: String,
    /// `SERVER`, `CLIENT`, `PRODUCER`, `CONSUMER` or `INTERNAL`.
    pub kind: &'static str,
    /// Begin and end, in nanoseconds since 1970.
    pub times: (u64, u64),
    /// All attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Trace id and span id of every link; Zipkin has no links.
    pub links: Vec<(String, String)>,
    /// True if the span's status is an error.
    pub failed: bool,
}
