//! Log lines through `env_logger`: text on a terminal, one JSON object a line otherwise.

mod json;
mod metrics;
mod panics;
mod plain;
mod sink;
mod standard_error;

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use env_logger::{Builder, Env, Target, WriteStyle};

pub use self::json::ORDER_TARGET;
use self::json::with_json_line;
pub use self::metrics::{LogMetrics, count_lines};
use self::plain::with_plain_text;
use self::sink::Sink;
pub use self::sink::{CollectedLines, Origin, collect_lines};
use self::standard_error::NonBlockingStderr;
use crate::clock;

/// The filter of log lines if `RUST_LOG` is not set. Libraries log only warnings: their lines at
/// `info` do not help an operator.
const DEFAULT_FILTER: &str =
    "info,actix_server=warn,lapin=warn,refinery_core=warn,tokio_postgres=warn,tracing=warn";

/// Time for the last lines to be written when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Reads `auto`, `text` or `json`.
    ///
    /// # Errors
    /// The valid values.
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
/// lines. Panics are logged as well. A second call changes nothing.
pub fn start_logging(format: LogFormat, service: &'static str) {
    let mut builder = Builder::new();
    builder.format_timestamp_micros();
    builder.parse_filters(DEFAULT_FILTER).parse_env(Env::default());
    // lapin logs returned messages with their bodies. The publisher counts and logs them without.
    builder.filter_module("lapin::returned_messages", log::LevelFilter::Off);
    let json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    // If the file or the thread cannot be opened, lines are written directly.
    let stderr = NonBlockingStderr::open().unwrap_or_default();
    if let Some(stderr) = stderr.clone() {
        if wants_colours() {
            builder.write_style(WriteStyle::Always);
        }
        builder.target(Target::Pipe(Box::new(stderr)));
    }
    let logger = RedactingLogger { text: builder.build(), json: json.then_some(service), stderr };
    let level = logger.text.filter();
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
        panics::log_panics();
    }
}

/// The decision of env_logger, which does not recognise a terminal behind [`NonBlockingStderr`].
#[expect(
    clippy::disallowed_methods,
    reason = "the capabilities of a terminal are not a setting of ours"
)]
fn wants_colours() -> bool {
    let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|given| given == value);
    let refused = std::env::var_os("NO_COLOR").is_some_and(|given| !given.is_empty());
    let refused = refused || is("TERM", "dumb") || is("RUST_LOG_STYLE", "never");
    std::io::stderr().is_terminal() && !refused
}

/// The logger of a process. It omits the lines of libraries that would contain secrets, at any
/// level of `RUST_LOG`.
struct RedactingLogger {
    /// The filter, and the format of text.
    text: env_logger::Logger,
    /// The program's name, if lines are JSON.
    json: Option<&'static str>,
    /// `None` if standard error is written directly.
    stderr: Option<NonBlockingStderr>,
}

impl RedactingLogger {
    /// Returns false for lines that may contain a secret. lapin logs at `trace` each frame that it
    /// sends, including the password; tokio-postgres logs at `debug` the parameters of statements,
    /// which are customers and payment methods.
    fn is_allowed(metadata: &log::Metadata<'_>) -> bool {
        let frames =
            metadata.level() == log::Level::Trace && metadata.target().starts_with("lapin");
        !frames && !metadata.target().starts_with("tokio_postgres::query")
    }

    /// Writes a JSON line past env_logger, which would copy each of these long lines twice.
    fn write(&self, line: &[u8]) {
        match &self.stderr {
            Some(stderr) => stderr.put(line),
            // A failure to write to standard error has no other place to be reported.
            None => drop(std::io::stderr().lock().write_all(line)),
        }
    }
}

impl log::Log for RedactingLogger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        Self::is_allowed(metadata) && self.text.enabled(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        if !Self::is_allowed(record.metadata()) || !self.text.matches(record) {
            return;
        }
        let sink = Sink::for_line(record.metadata());
        // The log store receives JSON in any format.
        if let Some(service) = self.json.or(sink.map(Sink::service)) {
            with_json_line(record, clock::now_text(), service, |line| {
                if let Some(sink) = sink {
                    sink.put(line.trim_ascii_end());
                }
                if self.json.is_some() {
                    self.write(line);
                }
            });
        }
        if self.json.is_none() {
            with_plain_text(record, |record| self.text.log(record));
        }
        if let Some(metrics) = metrics::counted() {
            metrics.lines.level(record.level()).inc();
        }
    }

    /// Waits for the lines that are still to be written, for [`FLUSH_TIMEOUT`] at most.
    fn flush(&self) {
        if let Some(stderr) = &self.stderr {
            stderr.flush(FLUSH_TIMEOUT);
        }
    }
}
