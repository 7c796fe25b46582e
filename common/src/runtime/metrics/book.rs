use prometheus_client::registry::{Metric, Registry, Unit};

/// Where a name is put down, written as it is exposed, so that a search for it ends here. The
/// library adds `_total` and the unit by itself, so they are taken off before.
#[derive(Debug, Default)]
pub(super) struct Book {
    registry: Registry,
}

impl Book {
    /// A name that ends in `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.put(name.strip_suffix("_total").unwrap_or(name), help, metric);
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.put(name, help, metric);
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.put(name, help, metric);
    }

    pub(super) fn closed(self) -> Registry {
        self.registry
    }

    fn put(&mut self, name: &str, help: &str, metric: impl Metric) {
        if let Some(stem) = name.strip_suffix("_seconds") {
            self.registry.register_with_unit(stem, help, Unit::Seconds, metric);
        } else if let Some(stem) = name.strip_suffix("_bytes") {
            self.registry.register_with_unit(stem, help, Unit::Bytes, metric);
        } else {
            self.registry.register(name, help, metric);
        }
    }
}
