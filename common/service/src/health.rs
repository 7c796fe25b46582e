//! Readiness: the components of a process, and those among them that it cannot do its job without.

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

/// The state of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentState {
    /// The component works.
    Up,
    /// The component does not work, with the reason. The process does its job without it.
    Degraded(String),
    /// The component does not work, with the reason, and the process cannot do its job without it.
    Down(String),
}

impl From<Result<(), String>> for ComponentState {
    fn from(check: Result<(), String>) -> ComponentState {
        check.map_or_else(ComponentState::Down, |()| ComponentState::Up)
    }
}

impl ComponentState {
    /// The state of a component that the process does its job without.
    #[must_use]
    pub fn or_degraded(self) -> ComponentState {
        match self {
            ComponentState::Down(reason) => ComponentState::Degraded(reason),
            ComponentState::Up | ComponentState::Degraded(_) => self,
        }
    }
}

type CheckResult = Pin<Box<dyn Future<Output = ComponentState> + Send>>;
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
    /// `DOWN` if a component is, else `UP`.
    pub status: &'static str,
    /// `UP` or the reason, component by component. The reason of a component that the process does
    /// its job without begins with `DEGRADED: `.
    pub components: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// Adds a component. Its check returns the reason while the component does not work.
    pub fn add<F>(&self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output: Into<ComponentState>> + Send + 'static,
    {
        let check: Check = Arc::new(move || {
            let check = check();
            Box::pin(async move { check.await.into() })
        });
        self.components.lock().unwrap_or_else(PoisonError::into_inner).push((name, check));
    }

    /// Runs every check at the same time, which takes one second at most.
    pub async fn health(&self) -> Health {
        let asked = self.checks().into_iter().map(|(name, check)| async move {
            match tokio::time::timeout(CHECK_TIMEOUT, check()).await {
                Ok(state) => (name, state),
                Err(_) => (name, ComponentState::Down("does not answer".to_owned())),
            }
        });
        let states: BTreeMap<_, _> =
            futures_util::future::join_all(asked).await.into_iter().collect();
        let up = !states.values().any(|state| matches!(state, ComponentState::Down(_)));
        let shown = |state| match state {
            ComponentState::Up => "UP".to_owned(),
            ComponentState::Degraded(reason) => format!("DEGRADED: {reason}"),
            ComponentState::Down(reason) => reason,
        };
        let components = states.into_iter().map(|(name, state)| (name, shown(state))).collect();
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
        /// 1 if this component works
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
