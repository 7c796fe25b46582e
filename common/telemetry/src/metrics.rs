//! The metrics mechanism. A component declares its metrics with [`metrics!`](crate::metrics!), and
//! gets its handles from [`Metrics::get`] at construction, so counting is one atomic addition. A
//! value that can be read at any time (a queue's length, a pool's size) is set by a hook that runs
//! before each scrape ([`Metrics::on_scrape`]) and costs nothing in between.

pub mod buckets;
mod instrument;
mod process;
mod registry;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use instrument::{Histograms, Instrument, Labels, Seconds};
pub use prometheus_client::metrics::counter::Counter;
pub use prometheus_client::metrics::family::Family;
pub use prometheus_client::metrics::gauge::Gauge;
pub use prometheus_client::metrics::histogram::Histogram;
pub use registry::{MetricSet, Registry};

use self::process::ProcessMetrics;

type Hook = Box<dyn Fn() + Send + Sync>;

/// All metrics of a process. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    sets: Arc<Mutex<Sets>>,
    hooks: Arc<Mutex<Vec<Hook>>>,
    process: ProcessMetrics,
}

#[derive(Default)]
struct Sets {
    registry: Registry,
    known: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// The metrics of the process of `program`, and of the components that call [`Metrics::get`]
    /// from now on.
    pub fn new(program: &'static str) -> Metrics {
        let mut sets = Sets::default();
        let process = ProcessMetrics::new();
        process.register(&mut sets.registry);
        process.name(program);
        Metrics { sets: Arc::new(Mutex::new(sets)), hooks: Arc::default(), process }
    }

    /// The set `M` of this process. The first call exposes the set; later calls return clones,
    /// which count into the same values.
    pub fn get<M: MetricSet>(&self) -> M {
        let Sets { registry, known } = &mut *lock(&self.sets);
        let set = known.entry(TypeId::of::<M>()).or_insert_with(|| {
            let set = M::new();
            set.register(registry);
            Box::new(set)
        });
        // The entry under a type's id has that type, so the downcast succeeds.
        set.downcast_ref::<M>().cloned().unwrap_or_else(M::new)
    }

    /// Adds a hook that runs before each scrape, to set values that are not counted. It must not
    /// block.
    pub fn on_scrape(&self, hook: impl Fn() + Send + Sync + 'static) {
        lock(&self.hooks).push(Box::new(hook));
    }

    /// The OpenMetrics text format.
    ///
    /// # Errors
    /// If the text cannot be written to memory.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        self.process.read();
        lock(&self.hooks).iter().for_each(|hook| hook());
        lock(&self.sets).registry.encode()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Declares the metrics of a component: one line for each metric, with its exposed name. The doc
/// comment is the help text that Prometheus shows.
///
/// A type without `Default` is made by the expression after `from`.
///
/// ```
/// use telemetry::metrics::Counter;
///
/// telemetry::metrics! {
///     /// Metrics of the mill.
///     pub struct MillMetrics {
///         /// Sacks that were ground.
///         pub ground: Counter = "mill_ground_total",
///     }
/// }
/// let metrics = telemetry::metrics::Metrics::new("mill");
/// metrics.get::<MillMetrics>().ground.inc();
/// assert!(metrics.render()?.contains("# HELP mill_ground Sacks that were ground."));
/// # Ok::<(), std::fmt::Error>(())
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[$meta:meta])*
        $vis:vis struct $set:ident {
            $(
                $(#[doc = $help:literal])+
                $field_vis:vis $field:ident: $type:ty = $name:literal $(from $new:expr)?,
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $set {
            $(
                $(#[doc = $help])+
                $field_vis $field: $type,
            )+
        }

        impl $crate::metrics::MetricSet for $set {
            fn new() -> Self {
                #[allow(unused_imports, reason = "the names that a declaration uses")]
                use $crate::metrics::{Counter, Family, Gauge, Histogram, Histograms, Seconds};
                $set { $($field: $crate::metrics!(@new $type $(, $new)?),)+ }
            }

            fn register(&self, registry: &mut $crate::metrics::Registry) {
                use $crate::metrics::Instrument as _;
                $(
                    let help = concat!($($help),+);
                    registry.register($name, help, self.$field.exposed());
                )+
            }
        }
    };
    (@new $type:ty) => { <$type>::default() };
    (@new $type:ty, $new:expr) => { $new };
}

/// Declares counters that share a name and differ in one label. All of them are exposed from the
/// start, so that the first event is an increase.
#[macro_export]
macro_rules! counters_by {
    (
        $(#[$meta:meta])*
        $vis:vis struct $set:ident by $label:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident = $value:literal,
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $set {
            family: $crate::metrics::Family<$crate::metrics::Labels<1>, $crate::metrics::Counter>,
            $(
                $(#[doc = $doc])+
                $vis $field: $crate::metrics::Counter,
            )+
        }

        impl Default for $set {
            fn default() -> Self {
                let family = $crate::metrics::Family::<
                    $crate::metrics::Labels<1>,
                    $crate::metrics::Counter,
                >::default();
                $set {
                    $($field: family.get_or_create_owned(&[($label, $value)]),)+
                    family,
                }
            }
        }

        impl $crate::metrics::Instrument for $set {
            type Exposed = $crate::metrics::Family<
                $crate::metrics::Labels<1>,
                $crate::metrics::Counter,
            >;

            fn exposed(&self) -> Self::Exposed {
                self.family.clone()
            }
        }
    };
}

#[cfg(test)]
mod tests;
