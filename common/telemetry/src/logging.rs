//! Log lines through `env_logger`: text for people, one JSON object a line for machines.

mod json;
pub(crate) mod metrics;
mod panics;
mod plain;
pub(crate) mod sink;
mod standard_error;

use std::io::{IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use env_logger::{Builder, Env, Target, WriteStyle};

pub use self::json::ORDER_TARGET;
use self::json::with_json_line;
use self::metrics::LogMetrics;
use self::plain::with_plain_text;
use self::sink::Sink;
use self::standard_error::NonBlockingStderr;
use crate::clock;

/// What is logged unless `RUST_LOG` says otherwise. What the libraries tell at `info` is of no use
/// to an operator, so they speak up only if they are named.
const DEFAULT_FILTER: &str =
    "info,actix_server=warn,lapin=warn,refinery_core=warn,tokio_postgres=warn,tracing=warn";

/// How long the last lines may take to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// In which form log lines come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// JSON lines.
    Json,
}

impl LogFormat {
    /// Reads `auto`, `text` or `json`.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<LogFormat, String> {
        match text {
            "auto" => Ok(LogFormat::Auto),
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("auto, text or json".to_owned()),
        }
    }
}

/// Starts logging to standard error, filtered by `RUST_LOG`; `service` names the program in JSON
/// lines. A panic is a line, too. A second call changes nothing.
pub fn start_logging(format: LogFormat, service: &'static str) {
    let mut builder = Builder::new();
    builder.parse_filters(DEFAULT_FILTER).parse_env(Env::default());
    // lapin logs returned messages with their bodies: they are counted and logged here instead.
    builder.filter_module("lapin::returned_messages", log::LevelFilter::Off);
    let json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    // Where it cannot be looked at or there is no thread to be had, lines are written all the same.
    let outlet = NonBlockingStderr::open().unwrap_or_default();
    if let Some(outlet) = outlet.clone() {
        if wants_colours() {
            builder.write_style(WriteStyle::Always);
        }
        builder.target(Target::Pipe(Box::new(outlet)));
    }
    let logger = RedactingLogger { text: builder.build(), json: json.then_some(service), outlet };
    let level = logger.text.filter();
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
        panics::tell_as_lines();
    }
}

/// As env_logger decides it, which cannot see through an outlet that there is a terminal behind it.
#[expect(
    clippy::disallowed_methods,
    reason = "what a terminal is capable of is no setting of ours"
)]
fn wants_colours() -> bool {
    let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|given| given == value);
    let refused = std::env::var_os("NO_COLOR").is_some_and(|given| !given.is_empty());
    let refused = refused || is("TERM", "dumb") || is("RUST_LOG_STYLE", "never");
    std::io::stderr().is_terminal() && !refused
}

/// Counts the lines from now on.
pub fn count_lines(metrics: &LogMetrics) {
    // A second process within this one, in a test, keeps the first one's.
    METRICS.get_or_init(|| metrics.clone());
}

static METRICS: OnceLock<LogMetrics> = OnceLock::new();

/// Leaves out what would tell a password, whatever `RUST_LOG` asks for.
struct RedactingLogger {
    /// Which lines there are, and how they look as text.
    text: env_logger::Logger,
    /// Whose lines they are, where they are JSON.
    json: Option<&'static str>,
    outlet: Option<NonBlockingStderr>,
}

impl RedactingLogger {
    /// At `trace` lapin writes down every frame it sends, the one with the password among them; at
    /// `debug` tokio-postgres every statement's parameters, which are customers and payment methods.
    fn may_tell(metadata: &log::Metadata<'_>) -> bool {
        let frames =
            metadata.level() == log::Level::Trace && metadata.target().starts_with("lapin");
        !frames && !metadata.target().starts_with("tokio_postgres::query")
    }

    /// Without env_logger, which would copy each of these long lines twice.
    fn write(&self, line: &[u8]) {
        match &self.outlet {
            Some(outlet) => outlet.put(line),
            // Nobody can be told that nobody listens.
            None => drop(std::io::stderr().lock().write_all(line)),
        }
    }
}

impl log::Log for RedactingLogger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        Self::may_tell(metadata) && self.text.enabled(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        if Self::may_tell(record.metadata()) && self.text.matches(record) {
            let sink = sink::of(record.metadata());
            // The log store gets JSON, whatever the terminal gets.
            if let Some(service) = self.json.or(sink.map(Sink::service)) {
                with_json_line(record, (clock::now_text(), service), |line| {
                    if let Some(sink) = sink {
                        sink.take(line.trim_ascii_end());
                    }
                    if self.json.is_some() {
                        self.write(line);
                    }
                });
            }
            if self.json.is_none() {
                with_plain_text(record, |record| self.text.log(record));
            }
            if let Some(metrics) = METRICS.get() {
                metrics.lines.level(record.level()).inc();
            }
        }
    }

    /// Gives what is under way a moment to leave.
    fn flush(&self) {
        if let Some(outlet) = &self.outlet {
            outlet.flush(FLUSH_TIMEOUT);
        }
    }
}
