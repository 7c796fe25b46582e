//! Log lines through `env_logger`: text for people, one JSON object a line for machines.

pub(super) mod sink;

use std::io::{IsTerminal as _, Write as _};

use env_logger::{Builder, Env};
use log::kv::{Key, Value, VisitSource};

use super::clock;

/// What is logged unless `RUST_LOG` says otherwise. What the libraries tell at `info` is of no use
/// to an operator, so they speak up only if they are named.
const DEFAULT_FILTER: &str = "info,actix_server=warn,lapin=warn,refinery_core=warn,tracing=warn";

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

/// Starts logging to standard error, filtered by `RUST_LOG`. A second call changes nothing.
pub fn start_logging(format: LogFormat) {
    let mut builder = Builder::new();
    builder.parse_filters(DEFAULT_FILTER).parse_env(Env::default());
    // lapin logs returned messages with their bodies: they are counted and logged here instead.
    builder.filter_module("lapin::returned_messages", log::LevelFilter::Off);
    let json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    if json {
        builder
            .format(|out, record| writeln!(out, "{}", json_line(record, out.timestamp_micros())));
    }
    let logger = Discreet(builder.build());
    let level = logger.0.filter();
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
    }
}

/// Leaves out what would tell a password, whatever `RUST_LOG` asks for.
struct Discreet(env_logger::Logger);

impl Discreet {
    /// At `trace` lapin writes down every frame it sends, the one with the password among them.
    fn may_tell(metadata: &log::Metadata<'_>) -> bool {
        metadata.level() < log::Level::Trace || !metadata.target().starts_with("lapin")
    }
}

impl log::Log for Discreet {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        Self::may_tell(metadata) && self.0.enabled(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        if Self::may_tell(record.metadata()) {
            // JSON, whatever the terminal gets.
            if let Some(sink) = sink::of(record.metadata())
                && self.0.matches(record)
            {
                sink.take(&json_line(record, clock::now_text()).to_string());
            }
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn json_line(record: &log::Record<'_>, time: impl std::fmt::Display) -> serde_json::Value {
    let mut fields = Fields(serde_json::Map::new());
    fields.put("time", time.to_string());
    fields.put("level", record.level().as_str());
    fields.put("target", record.target());
    fields.put("message", record.args().to_string());
    // Only a visitor that refuses could stop the visit, and this one takes everything.
    drop(record.key_values().visit(&mut fields));
    serde_json::Value::Object(fields.0)
}

struct Fields(serde_json::Map<String, serde_json::Value>);

impl Fields {
    fn put(&mut self, key: &str, value: impl Into<serde_json::Value>) {
        self.0.insert(key.to_owned(), value.into());
    }
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        let json = serde_json::to_value(&value).unwrap_or_else(|_| value.to_string().into());
        self.put(key.as_str(), json);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_carries_message_and_fields() {
        let fields: [(&str, Value<'_>); 2] = [("order", "o-1".into()), ("size", 3.into())];
        let record = log::Record::builder()
            .args(format_args!("settled"))
            .level(log::Level::Info)
            .target("road")
            .key_values(&fields)
            .build();
        let line = json_line(&record, "now");
        assert_eq!(
            line,
            serde_json::json!({"time": "now", "level": "INFO", "target": "road",
                "message": "settled", "order": "o-1", "size": 3})
        );
    }
}
