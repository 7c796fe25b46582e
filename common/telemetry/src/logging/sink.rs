//! The bounded buffer of log lines that are shipped to the log store. Logging never waits: a line
//! that does not fit is dropped and counted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use prometheus_client::metrics::counter::Counter;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

/// Maximum size of a shipped line. The long texts of a longer line are cut.
const LINE_BYTES_MAX: usize = 32 * 1024;
/// Maximum length of a text in a line that is cut.
const TEXT_CHARS_MAX: usize = 1024;
/// Maximum number of bytes that wait, in any number of lines.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Targets, by their beginning, that log while a line is shipped. Their lines are not shipped: each
/// pack would cause the lines of the next pack, without an end.
const SHIPPING_ITSELF: [&str; 10] = [
    "log_shipping",
    "lapin",
    "amq_protocol",
    "async_",
    "tcp_stream",
    "polling",
    "mio::",
    "tokio::",
    "rustls",
    "tracing",
];

static SINK: OnceLock<Sink> = OnceLock::new();

/// The source of log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The program's name.
    pub service: &'static str,
    /// The name of this run of the process; no other run has the same.
    pub instance: String,
}

impl Origin {
    /// This process. The instance name contains a random number, because a container may restart
    /// with the same host name and process id.
    pub fn of_process(service: &'static str) -> Origin {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let host: String = host.chars().filter(is_plain).take(40).collect();
        let host = if host.is_empty() { "host".to_owned() } else { host };
        let random = rand::random::<u32>();
        Origin { service, instance: format!("{host}-{}-{random:08x}", std::process::id()) }
    }
}

/// The input of the buffer.
#[derive(Debug)]
pub(super) struct Sink {
    lines: mpsc::Sender<String>,
    waiting_bytes: Arc<AtomicUsize>,
    service: &'static str,
    /// The beginning of each shipped line: a brace and the instance field.
    head: String,
    dropped: Counter,
}

/// The output of the buffer.
#[derive(Debug)]
pub struct CollectedLines {
    lines: mpsc::Receiver<String>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// Collects the lines of this process from now on, in a buffer of `buffer` lines, and returns the
/// output of the buffer. Counts lines that do not fit as `dropped`. `None` if the process collects
/// lines already.
pub fn collect_lines(origin: &Origin, buffer: usize, dropped: Counter) -> Option<CollectedLines> {
    let (sink, lines) = Sink::new(origin, buffer, dropped);
    SINK.set(sink).ok().map(|()| lines)
}

fn is_shipped(target: &str) -> bool {
    !SHIPPING_ITSELF.iter().any(|itself| target.starts_with(itself))
}

impl Sink {
    /// The sink, if lines are collected and a line with this metadata is shipped.
    pub(super) fn for_line(metadata: &log::Metadata<'_>) -> Option<&'static Sink> {
        SINK.get().filter(|_| is_shipped(metadata.target()))
    }

    fn new(origin: &Origin, buffer: usize, dropped: Counter) -> (Sink, CollectedLines) {
        let (sender, receiver) = mpsc::channel(buffer);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let head = format!("{{\"instance\":{},", Value::from(&*origin.instance));
        let lines = CollectedLines { lines: receiver, waiting_bytes: waiting_bytes.clone() };
        (Sink { service: origin.service, lines: sender, waiting_bytes, head, dropped }, lines)
    }

    /// The program's name.
    pub(super) fn service(&self) -> &'static str {
        self.service
    }

    /// Adds a line, which is a JSON object with at least one field, or drops and counts the line.
    pub(super) fn put(&self, line: &[u8]) {
        let line = str::from_utf8(line).unwrap_or_default();
        let cut = if line.len() > LINE_BYTES_MAX { cut(line) } else { None };
        let line = cut.as_deref().unwrap_or(line);
        let fields = line.strip_prefix('{').filter(|fields| fields.len() <= LINE_BYTES_MAX);
        if !fields.is_some_and(|fields| self.try_put([&self.head, fields].concat())) {
            self.dropped.inc();
        }
    }

    /// Returns false if the buffer has no room for the line.
    fn try_put(&self, line: String) -> bool {
        let bytes = line.len();
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before + bytes <= WAITING_BYTES_MAX && self.lines.try_send(line).is_ok();
        if !fits {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

impl CollectedLines {
    /// Waits for lines and returns at most `max` of them; none once the buffer is closed and empty.
    /// No line is lost if the future is dropped.
    pub async fn next(&mut self, max: usize) -> Vec<String> {
        let mut lines = Vec::new();
        self.lines.recv_many(&mut lines, max).await;
        let bytes = lines.iter().map(String::len).sum();
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        lines
    }

    /// Closes the buffer to further lines. The lines in the buffer stay available.
    pub fn close(&mut self) {
        self.lines.close();
    }
}

/// The line with its long texts cut. Ids and times are short and stay.
fn cut(line: &str) -> Option<String> {
    let mut fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    for (_, value) in fields.iter_mut() {
        if let Value::String(text) = value
            && let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX)
        {
            text.truncate(end);
            text.push_str("… (cut)");
        }
    }
    serde_json::to_string(&fields).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(buffer: usize) -> (Sink, CollectedLines, Counter) {
        let origin = Origin { service: "test", instance: "here-1".to_owned() };
        let dropped = Counter::default();
        let (sink, lines) = Sink::new(&origin, buffer, dropped.clone());
        (sink, lines, dropped)
    }

    #[tokio::test]
    async fn a_line_names_its_process_and_a_line_that_does_not_fit_is_dropped_and_counted() {
        let (sink, mut lines, dropped) = sink(2);
        for number in 0..5 {
            sink.put(format!("{{\"n\":{number}}}").as_bytes());
        }
        assert_eq!(dropped.get(), 3);
        let line = |n| format!("{{\"instance\":\"here-1\",\"n\":{n}}}");
        assert_eq!(lines.next(9).await, [line(0), line(1)]);
        sink.put(b"{\"n\":5}");
        lines.close();
        sink.put(b"{\"n\":6}");
        assert_eq!(lines.next(9).await, [line(5)]);
        assert_eq!(lines.next(9).await, [""; 0]);
        assert_eq!(dropped.get(), 4);
    }

    #[tokio::test]
    async fn long_texts_are_cut_and_ids_stay() {
        let (sink, mut lines, dropped) = sink(9);
        let long = "ä".repeat(LINE_BYTES_MAX);
        sink.put(serde_json::json!({"message": long, "order_id": "o-1"}).to_string().as_bytes());
        let line = lines.next(9).await.remove(0);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["order_id"], "o-1");
        assert!(read["message"].as_str().unwrap().ends_with("ä… (cut)") && line.len() < 4096);

        let many: Vec<u32> = (0..30_000).collect();
        sink.put(serde_json::json!({"numbers": many}).to_string().as_bytes());
        assert_eq!(dropped.get(), 1);
    }

    #[tokio::test]
    async fn bytes_are_bounded_as_well_as_lines() {
        let (sink, mut lines, dropped) = sink(100_000);
        let line = format!("{{\"text\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX - 100));
        (0..1000).for_each(|_| sink.put(line.as_bytes()));
        assert!((480..500).contains(&dropped.get()), "{}", dropped.get());
        while dropped.get() < 1000 && !lines.next(100).await.is_empty() {
            dropped.inc_by(100);
        }
        let before = dropped.get();
        sink.put(line.as_bytes());
        assert_eq!(dropped.get(), before);
    }

    #[test]
    fn lines_that_shipping_causes_are_not_shipped() {
        for target in ["lapin::channel", "log_shipping::shipper", "mio::poll", "tracing::span"] {
            assert!(!is_shipped(target), "{target}");
        }
        for target in ["order", "amqp::publisher", "db::pool", "order_management::relay"] {
            assert!(is_shipped(target), "{target}");
        }
    }
}
