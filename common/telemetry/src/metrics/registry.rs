use prometheus_client::encoding::text;
use prometheus_client::registry::{Metric, Registry as Exposed, Unit};

/// The metrics of one component. [`metrics!`](crate::metrics!) implements this trait.
pub trait MetricSet: Clone + Send + Sync + 'static {
    /// The set with every value at zero.
    fn new() -> Self;

    /// Registers every metric of the set under its exposed name.
    fn register(&self, registry: &mut Registry);
}

/// The metrics that a process exposes. Code contains each name in full, so that a search for a name
/// finds its declaration.
#[derive(Debug, Default)]
pub struct Registry {
    exposed: Exposed,
}

impl Registry {
    /// Exposes `metric` as `name`. The library appends `_total` and the unit, so this removes both
    /// first.
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
