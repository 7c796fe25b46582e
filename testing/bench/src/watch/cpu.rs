//! CPU time by kind of process.

use std::time::Duration;

use super::stat;
use testkit::world::World;

/// The kinds of processes. The load generator is not part of the system's cost.
pub(crate) const KINDS: [&str; 5] =
    ["order-management", "payment-processor", "PostgreSQL", "RabbitMQ", "load generator"];
/// Number of [`KINDS`], from the first, that are the system's cost.
const COUNTED: usize = 4;

/// CPU seconds of each of [`KINDS`], since their start or between two readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cpu([f64; KINDS.len()]);

impl Cpu {
    /// Reads the CPU time so far; `None` where there is no `/proc`.
    pub(crate) fn now(world: &World) -> Option<Cpu> {
        let kind = |prefix: &str| -> Option<Duration> {
            let members = world.processes().filter(|process| process.name().starts_with(prefix));
            members.map(|process| stat::own(process.pid().ok()?)).sum()
        };
        let servers = world.isolation();
        let spent = [
            kind("order-management")?,
            kind("worker")?,
            stat::family(servers.postgres().pid()?)?,
            stat::family(servers.rabbitmq().pid()?)?,
            stat::ours()?,
        ];
        Some(Cpu(spent.map(|spent| spent.as_secs_f64())))
    }

    /// The difference from an earlier reading.
    pub(crate) fn since(self, earlier: Cpu) -> Cpu {
        let mut spent = self.0;
        for (now, before) in spent.iter_mut().zip(earlier.0) {
            *now = (*now - before).max(0.0);
        }
        Cpu(spent)
    }

    /// The CPU time without the load generator.
    pub(crate) fn counted(self) -> f64 {
        self.0.iter().take(COUNTED).sum()
    }

    /// The CPU time of both servers.
    pub(super) fn of_servers(self) -> f64 {
        let [_, _, postgresql, rabbitmq, _] = self.0;
        postgresql + rabbitmq
    }

    /// The share of the machine's CPU time, from 0 to 1.
    pub(crate) fn of_the_machine(self, elapsed: Duration) -> f64 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = f64::from(u32::try_from(cores).unwrap_or(1));
        self.0.iter().sum::<f64>() / (elapsed.as_secs_f64() * cores)
    }

    /// Each kind with its CPU time per 1000 of `orders`.
    pub(crate) fn per_1000(self, orders: f64) -> Vec<(&'static str, f64)> {
        let each = |spent: f64| spent * 1_000.0 / orders;
        KINDS.iter().copied().zip(self.0.map(each)).collect()
    }
}
