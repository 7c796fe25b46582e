use prometheus_client::encoding::text;
use prometheus_client::registry::{Metric, Registry as Exposed, Unit};

/// The names that a process exposes, each written as it is exposed, so that a search for a name
/// ends at its declaration.
#[derive(Debug, Default)]
pub struct Registry {
    exposed: Exposed,
}

impl Registry {
    /// Exposes `metric` as `name`. The library appends `_total` and the unit by itself, so both are
    /// taken off first.
    pub fn register(&mut self, name: &str, help: &str, metric: impl Metric) {
        let name = name.strip_suffix("_total").unwrap_or(name);
        let help: Vec<&str> = help.split_whitespace().collect();
        let help = help.join(" ");
        // The library ends every help text with a full stop.
        let help = help.strip_suffix('.').unwrap_or(&help);
        if let Some(stem) = name.strip_suffix("_seconds") {
            self.exposed.register_with_unit(stem, help, Unit::Seconds, metric);
        } else if let Some(stem) = name.strip_suffix("_bytes") {
            self.exposed.register_with_unit(stem, help, Unit::Bytes, metric);
        } else {
            self.exposed.register(name, help, metric);
        }
    }

    pub(super) fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.exposed)?;
        Ok(text)
    }
}
