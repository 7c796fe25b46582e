//! Where log lines go beside the terminal: into a bounded buffer, from which they are shipped.
//!
//! Whoever logs never waits: what does not fit is dropped and counted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use prometheus_client::metrics::counter::Counter;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

/// The longest line that is shipped as it is. Of a longer one, long texts are cut.
const LINE_BYTES_MAX: usize = 32 * 1024;
/// What is kept of each text in a line that is too long.
const TEXT_CHARS_MAX: usize = 1024;
/// How many bytes may wait, however few lines they are.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Whatever logs while a line is being shipped, by the beginning of its target. Its lines are not
/// shipped: each pack would cause lines that make up the next one, for ever.
const SHIPPING_ITSELF: [&str; 10] = [
    "amqp::log_shipper",
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

/// Whose lines they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The program.
    pub service: &'static str,
    /// This process of it: no two have the same, also not one after the other.
    pub instance: String,
}

impl Origin {
    /// This process, under a name that is new at every start: in a container the host's name and
    /// the number of the process may come again.
    pub fn of_process(service: &'static str) -> Origin {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let host: String = host.chars().filter(plain).take(40).collect();
        let host = if host.is_empty() { "host".to_owned() } else { host };
        let chance = rand::random::<u32>();
        Origin { service, instance: format!("{host}-{}-{chance:08x}", std::process::id()) }
    }
}

/// The entry of the buffer.
#[derive(Debug)]
pub(super) struct Sink {
    lines: mpsc::Sender<String>,
    waiting_bytes: Arc<AtomicUsize>,
    service: &'static str,
    /// What every shipped line begins with.
    head: String,
    dropped: Counter,
}

/// The exit of the buffer.
#[derive(Debug)]
pub struct CollectedLines {
    lines: mpsc::Receiver<String>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// From now on all lines of this process also go into a buffer of `buffer` lines, whose exit this
/// is. What does not fit counts as `dropped`. `None` if that was done before.
pub fn collect_lines(origin: &Origin, buffer: usize, dropped: Counter) -> Option<CollectedLines> {
    let (sink, lines) = Sink::new(origin, buffer, dropped);
    SINK.set(sink).ok().map(|()| lines)
}

/// The sink, if there is one and it takes lines of this kind.
pub(super) fn of(metadata: &log::Metadata<'_>) -> Option<&'static Sink> {
    SINK.get().filter(|_| is_shipped(metadata.target()))
}

fn is_shipped(target: &str) -> bool {
    !SHIPPING_ITSELF.iter().any(|itself| target.starts_with(itself))
}

impl Sink {
    fn new(origin: &Origin, buffer: usize, dropped: Counter) -> (Sink, CollectedLines) {
        let (sender, receiver) = mpsc::channel(buffer);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let head = format!("{{\"instance\":{},", Value::from(&*origin.instance));
        let lines = CollectedLines { lines: receiver, waiting_bytes: waiting_bytes.clone() };
        (Sink { service: origin.service, lines: sender, waiting_bytes, head, dropped }, lines)
    }

    /// The program whose lines these are.
    pub(super) fn service(&self) -> &'static str {
        self.service
    }

    /// Takes one finished line, which is a JSON object with at least one field.
    pub(super) fn take(&self, line: &[u8]) {
        let line = str::from_utf8(line).unwrap_or_default();
        let cut = if line.len() > LINE_BYTES_MAX { cut(line) } else { None };
        let line = cut.as_deref().unwrap_or(line);
        let fields = line.strip_prefix('{').filter(|fields| fields.len() <= LINE_BYTES_MAX);
        if !fields.is_some_and(|fields| self.offer([&self.head, fields].concat())) {
            self.dropped.inc();
        }
    }

    fn offer(&self, line: String) -> bool {
        let bytes = line.len();
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let taken = before + bytes <= WAITING_BYTES_MAX && self.lines.try_send(line).is_ok();
        if !taken {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        taken
    }
}

impl CollectedLines {
    /// Waits for lines and takes at most `max` of those that are there; none once the buffer is
    /// closed and empty. Nothing is lost if this is dropped.
    pub async fn next(&mut self, max: usize) -> Vec<String> {
        let mut taken = Vec::new();
        self.lines.recv_many(&mut taken, max).await;
        let bytes = taken.iter().map(String::len).sum();
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        taken
    }

    /// Takes nothing more in. What is there stays to be taken out.
    pub fn close(&mut self) {
        self.lines.close();
    }
}

/// The line with its long texts cut. Its ids and times are short and stay.
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
    async fn a_line_says_whose_it_is_and_what_does_not_fit_is_dropped_and_counted() {
        let (sink, mut lines, dropped) = sink(2);
        for number in 0..5 {
            sink.take(format!("{{\"n\":{number}}}").as_bytes());
        }
        assert_eq!(dropped.get(), 3);
        let line = |n| format!("{{\"instance\":\"here-1\",\"n\":{n}}}");
        assert_eq!(lines.next(9).await, [line(0), line(1)]);
        sink.take(b"{\"n\":5}");
        lines.close();
        sink.take(b"{\"n\":6}");
        assert_eq!(lines.next(9).await, [line(5)]);
        assert_eq!(lines.next(9).await, [""; 0]);
        assert_eq!(dropped.get(), 4);
    }

    #[tokio::test]
    async fn long_texts_are_cut_and_ids_stay() {
        let (sink, mut lines, dropped) = sink(9);
        let long = "ä".repeat(LINE_BYTES_MAX);
        sink.take(serde_json::json!({"message": long, "order_id": "o-1"}).to_string().as_bytes());
        let line = lines.next(9).await.remove(0);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["order_id"], "o-1");
        assert!(read["message"].as_str().unwrap().ends_with("ä… (cut)") && line.len() < 4096);

        let many: Vec<u32> = (0..30_000).collect();
        sink.take(serde_json::json!({"numbers": many}).to_string().as_bytes());
        assert_eq!(dropped.get(), 1);
    }

    #[tokio::test]
    async fn bytes_are_bounded_as_well_as_lines() {
        let (sink, mut lines, dropped) = sink(100_000);
        let line = format!("{{\"text\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX - 100));
        (0..1000).for_each(|_| sink.take(line.as_bytes()));
        assert!((480..500).contains(&dropped.get()), "{}", dropped.get());
        while dropped.get() < 1000 && !lines.next(100).await.is_empty() {
            dropped.inc_by(100);
        }
        let before = dropped.get();
        sink.take(line.as_bytes());
        assert_eq!(dropped.get(), before);
    }

    #[test]
    fn what_shipping_itself_causes_is_not_shipped() {
        for target in ["lapin::channel", "amqp::log_shipper", "mio::poll", "tracing::span"] {
            assert!(!is_shipped(target), "{target}");
        }
        for target in ["order", "amqp::link", "db::pool", "order_management::relay"] {
            assert!(is_shipped(target), "{target}");
        }
    }
}
