//! Readiness: the components that must work for a process to do its job.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use serde::Serialize;
use telemetry::metrics::{Family, Gauge};

/// Timeout of one readiness check; a component that exceeds it counts as not ready.
pub(crate) const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

type CheckResult = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Check = Arc<dyn Fn() -> CheckResult + Send + Sync>;

/// The components of a process, each with a check that runs at every request. Clones share them.
#[derive(Clone, Default)]
pub struct Readiness {
    components: Arc<Mutex<Vec<(&'static str, Check)>>>,
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.checks().iter().map(|(name, _)| name)).finish()
    }
}

/// The answer of `/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `UP` if every component is, else `DOWN`.
    pub status: &'static str,
    /// `UP` or the reason, component by component.
    pub components: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// Adds a component. Its check returns the reason while the component is not ready.
    pub fn add<F>(&self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || Box::pin(check()));
        self.components.lock().unwrap_or_else(PoisonError::into_inner).push((name, check));
    }

    /// Runs every check at the same time, which takes one second at most.
    pub async fn health(&self) -> Health {
        let asked = self.checks().into_iter().map(|(name, check)| async move {
            match tokio::time::timeout(CHECK_TIMEOUT, check()).await {
                Ok(Ok(())) => (name, "UP".to_owned()),
                Ok(Err(reason)) => (name, reason),
                Err(_) => (name, "does not answer".to_owned()),
            }
        });
        let components: BTreeMap<_, _> =
            futures_util::future::join_all(asked).await.into_iter().collect();
        let up = components.values().all(|state| state == "UP");
        Health { status: if up { "UP" } else { "DOWN" }, components }
    }

    fn checks(&self) -> Vec<(&'static str, Check)> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ComponentLabels {
    /// A component of `/health/ready`
    component: &'static str,
}

telemetry::metrics! {
    /// The answer of `/health/ready`, in numbers.
    pub(crate) struct HealthMetrics {
        /// 1 if `/health/ready` answers 200, evaluated at the scrape
        ready: Gauge = "ordermill_ready",
        /// 1 if this component is ready
        components: Family<ComponentLabels, Gauge> = "ordermill_component_ready",
    }
}

impl HealthMetrics {
    /// Sets both to the given health.
    pub(crate) fn set(&self, health: &Health) {
        for (component, state) in &health.components {
            let up = state == "UP";
            self.components.get_or_create(&ComponentLabels { component }).set(up.into());
        }
        self.ready.set((health.status == "UP").into());
    }
}
