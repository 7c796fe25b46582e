use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::book::Book;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ComponentLabels {
    component: &'static str,
}

/// What `/health/ready` says, in numbers.
#[derive(Clone, Debug, Default)]
pub struct HealthMetrics {
    ready: Gauge,
    components: Family<ComponentLabels, Gauge>,
}

impl HealthMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        book.gauge("ordermill_ready", "1 if every component is ready", self.ready.clone());
        book.gauge(
            "ordermill_component_ready",
            "1 if the component is ready",
            self.components.clone(),
        );
    }

    /// How the parts are now.
    pub fn show(&self, parts: impl IntoIterator<Item = (&'static str, bool)>) {
        let mut all = true;
        for (component, ready) in parts {
            all &= ready;
            self.components.get_or_create(&ComponentLabels { component }).set(ready.into());
        }
        self.ready.set(all.into());
    }
}
