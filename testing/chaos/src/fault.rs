//! What can be broken, in words.

use std::fmt::{self, Display};
use std::time::Duration;

use anyhow::{Context, Result};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde::Serialize;

/// How many order-management processes a campaign has.
pub(super) const ORDER_MANAGEMENTS: usize = 2;
/// How many workers.
pub(super) const WORKERS: usize = 3;

/// What a fault takes hold of. Two faults that overlap take hold of different parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    /// The processes that take orders.
    OrderManagement,
    /// The processes that charge them.
    Workers,
    /// RabbitMQ.
    Broker,
    /// PostgreSQL, and with it the simulated gateway's books.
    Database,
    /// What lies between processes and servers.
    Wires,
}

/// Every kind of fault there is.
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

/// What one needs to know of a kind.
struct About {
    part: Part,
    name: &'static str,
    /// Milliseconds that it lasts, at least and at most.
    lasts: [u64; 2],
}

const fn about(part: Part, name: &'static str, lasts: [u64; 2]) -> About {
    About { part, name, lasts }
}

impl Kind {
    /// All of them, in order.
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

    const fn about(self) -> About {
        match self {
            KillOrderManagement => about(OrderManagement, "kill-order-management", [100, 3_000]),
            KillBothOrderManagements => {
                about(OrderManagement, "kill-both-order-managements", [100, 3_000])
            }
            FreezeOrderManagement => {
                about(OrderManagement, "freeze-order-management", [500, 15_000])
            }
            RollOrderManagements => about(OrderManagement, "roll-order-managements", [0, 1]),
            KillWorker => about(Workers, "kill-worker", [100, 3_000]),
            KillAllWorkers => about(Workers, "kill-all-workers", [100, 3_000]),
            FreezeWorker => about(Workers, "freeze-worker", [500, 15_000]),
            RollWorkers => about(Workers, "roll-workers", [0, 1]),
            KillBroker => about(Broker, "kill-broker", [100, 5_000]),
            RestartBroker => about(Broker, "restart-broker", [100, 3_000]),
            FreezeBroker => about(Broker, "freeze-broker", [500, 12_000]),
            MemoryAlarm => about(Broker, "memory-alarm", [1_000, 8_000]),
            KillDatabase => about(Database, "kill-database", [100, 5_000]),
            RestartDatabase => about(Database, "restart-database", [100, 3_000]),
            FreezeDatabase => about(Database, "freeze-database", [500, 12_000]),
            SilenceGateway => about(Database, "silence-gateway", [2_000, 4_500]),
            CutWire => about(Wires, "cut-wire", [0, 1]),
            CutWires => about(Wires, "cut-wires", [500, 6_000]),
            BlackHole => about(Wires, "black-hole", [1_000, 14_000]),
            Delay => about(Wires, "delay", [2_000, 8_000]),
        }
    }

    /// What it takes hold of.
    pub(super) fn part(self) -> Part {
        self.about().part
    }

    /// Its name on the command line and in reports.
    pub(super) fn name(self) -> &'static str {
        self.about().name
    }

    /// The kind of this name.
    ///
    /// # Errors
    /// With all names, if there is none.
    pub(super) fn named(name: &str) -> Result<Kind> {
        let names = || Kind::ALL.map(Kind::name).join(", ");
        let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        found.with_context(|| format!("no fault is named {name:?}; there are {}", names()))
    }
}

/// A wire: which processes, and whether to the broker or to the database.
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

/// A fault as it is to happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Fault {
    /// What kind.
    pub(super) kind: Kind,
    /// Which order-management process, if it takes hold of one.
    pub(super) order_management: usize,
    /// Which worker.
    pub(super) worker: usize,
    /// Which wire.
    pub(super) wire: Wire,
    /// By how much a delay delays.
    pub(super) delay: Duration,
    /// How long it lasts.
    pub(super) lasts: Duration,
}

impl Fault {
    /// One of this kind.
    pub(super) fn drawn(kind: Kind, rng: &mut StdRng) -> Fault {
        let [least, most] = kind.about().lasts;
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

    /// One of this kind, always the same.
    pub(crate) fn fault(kind: Kind) -> Fault {
        Fault::drawn(kind, &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn every_kind_has_a_name_of_its_own_by_which_it_is_found() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()).unwrap(), kind);
        }
        let wrong = Kind::named("rain").unwrap_err().to_string();
        assert!(wrong.contains("kill-broker"), "{wrong}");
    }
}
