//! The kinds of faults.

use std::fmt::{self, Display};
use std::time::Duration;

use anyhow::{Context, Result};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde::Serialize;

/// Number of order-management processes in a campaign.
pub(super) const ORDER_MANAGEMENTS: usize = 2;
/// Number of workers in a campaign.
pub(super) const WORKERS: usize = 3;

/// The part of the system that a fault concerns. Two faults that overlap concern different parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    /// The order-management processes.
    OrderManagement,
    /// The payment workers.
    Workers,
    /// RabbitMQ.
    Broker,
    /// PostgreSQL, which also stores the simulated gateway's ledger.
    Database,
    /// The connections between processes and servers.
    Wires,
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    KillOrderManagement,
    KillBothOrderManagements,
    FreezeOrderManagement,
    RollOrderManagements,
    KillWorker,
    KillAllWorkers,
    FreezeWorker,
    RollWorkers,
    KillBroker,
    RestartBroker,
    FreezeBroker,
    MemoryAlarm,
    KillDatabase,
    RestartDatabase,
    FreezeDatabase,
    SilenceGateway,
    CutWire,
    CutWires,
    BlackHole,
    Delay,
}

use Kind::*;
use Part::{Broker, Database, OrderManagement, Wires, Workers};

/// The properties of a kind.
struct Properties {
    part: Part,
    name: &'static str,
    /// Shortest and longest duration, in milliseconds.
    lasts: [u64; 2],
}

const fn properties(part: Part, name: &'static str, lasts: [u64; 2]) -> Properties {
    Properties { part, name, lasts }
}

impl Kind {
    /// Every kind, in order.
    pub(super) const ALL: [Kind; 20] = [
        KillOrderManagement,
        KillBothOrderManagements,
        FreezeOrderManagement,
        RollOrderManagements,
        KillWorker,
        KillAllWorkers,
        FreezeWorker,
        RollWorkers,
        KillBroker,
        RestartBroker,
        FreezeBroker,
        MemoryAlarm,
        KillDatabase,
        RestartDatabase,
        FreezeDatabase,
        SilenceGateway,
        CutWire,
        CutWires,
        BlackHole,
        Delay,
    ];

    const fn properties(self) -> Properties {
        match self {
            KillOrderManagement => {
                properties(OrderManagement, "kill-order-management", [100, 3_000])
            }
            KillBothOrderManagements => {
                properties(OrderManagement, "kill-both-order-managements", [100, 3_000])
            }
            FreezeOrderManagement => {
                properties(OrderManagement, "freeze-order-management", [500, 15_000])
            }
            RollOrderManagements => properties(OrderManagement, "roll-order-managements", [0, 1]),
            KillWorker => properties(Workers, "kill-worker", [100, 3_000]),
            KillAllWorkers => properties(Workers, "kill-all-workers", [100, 3_000]),
            FreezeWorker => properties(Workers, "freeze-worker", [500, 15_000]),
            RollWorkers => properties(Workers, "roll-workers", [0, 1]),
            KillBroker => properties(Broker, "kill-broker", [100, 5_000]),
            RestartBroker => properties(Broker, "restart-broker", [100, 3_000]),
            FreezeBroker => properties(Broker, "freeze-broker", [500, 12_000]),
            MemoryAlarm => properties(Broker, "memory-alarm", [1_000, 8_000]),
            KillDatabase => properties(Database, "kill-database", [100, 5_000]),
            RestartDatabase => properties(Database, "restart-database", [100, 3_000]),
            FreezeDatabase => properties(Database, "freeze-database", [500, 12_000]),
            SilenceGateway => properties(Database, "silence-gateway", [2_000, 4_500]),
            CutWire => properties(Wires, "cut-wire", [0, 1]),
            CutWires => properties(Wires, "cut-wires", [500, 6_000]),
            BlackHole => properties(Wires, "black-hole", [1_000, 14_000]),
            Delay => properties(Wires, "delay", [2_000, 8_000]),
        }
    }

    /// The part of the system that the fault concerns.
    pub(super) fn part(self) -> Part {
        self.properties().part
    }

    /// The kind's name on the command line and in reports.
    pub(super) fn name(self) -> &'static str {
        self.properties().name
    }

    /// Finds a kind by its name.
    ///
    /// # Errors
    /// If no kind has this name; the error lists all names.
    pub(super) fn named(name: &str) -> Result<Kind> {
        let names = || Kind::ALL.map(Kind::name).join(", ");
        let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        found.with_context(|| format!("no fault is named {name:?}; the names are {}", names()))
    }
}

/// The connections of one kind of process to one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wire {
    OrderManagementToBroker,
    OrderManagementToDatabase,
    WorkersToBroker,
    WorkersToDatabase,
}

impl Wire {
    const ALL: [Wire; 4] = [
        Wire::OrderManagementToBroker,
        Wire::OrderManagementToDatabase,
        Wire::WorkersToBroker,
        Wire::WorkersToDatabase,
    ];
}

/// A fault with its drawn parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Fault {
    /// The kind.
    pub(super) kind: Kind,
    /// The order-management process, for kinds that concern a single one.
    pub(super) order_management: usize,
    /// The worker, for kinds that concern a single one.
    pub(super) worker: usize,
    /// The wire, for kinds that concern a wire.
    pub(super) wire: Wire,
    /// The added latency of [`Kind::Delay`].
    pub(super) delay: Duration,
    /// Duration of the fault.
    pub(super) lasts: Duration,
}

impl Fault {
    /// Draws the parameters of a fault of this kind.
    pub(super) fn draw(kind: Kind, rng: &mut StdRng) -> Fault {
        let [least, most] = kind.properties().lasts;
        let wire = rng.random_range(0..Wire::ALL.len());
        Fault {
            kind,
            order_management: rng.random_range(0..ORDER_MANAGEMENTS),
            worker: rng.random_range(0..WORKERS),
            wire: Wire::ALL.get(wire).copied().unwrap_or(Wire::WorkersToBroker),
            delay: Duration::from_millis(rng.random_range(20..300)),
            lasts: Duration::from_millis(rng.random_range(least..most)),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match self.kind {
            KillOrderManagement | FreezeOrderManagement => write!(f, " {}", self.order_management)?,
            KillWorker | FreezeWorker => write!(f, " {}", self.worker)?,
            CutWire | CutWires | BlackHole => write!(f, " {:?}", self.wire)?,
            Delay => write!(f, " {:?} by {} ms", self.wire, self.delay.as_millis())?,
            KillBothOrderManagements | RollOrderManagements | KillAllWorkers | RollWorkers => {}
            KillBroker | RestartBroker | FreezeBroker | MemoryAlarm => {}
            KillDatabase | RestartDatabase | FreezeDatabase | SilenceGateway => {}
        }
        write!(f, " for {:.1} s", self.lasts.as_secs_f64())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rand::SeedableRng as _;

    use super::*;

    /// A fault of this kind, with the same parameters at every call.
    pub(crate) fn fault(kind: Kind) -> Fault {
        Fault::draw(kind, &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn every_kind_is_found_by_its_own_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()).unwrap(), kind);
        }
        let wrong = Kind::named("rain").unwrap_err().to_string();
        assert!(wrong.contains("kill-broker"), "{wrong}");
    }
}
