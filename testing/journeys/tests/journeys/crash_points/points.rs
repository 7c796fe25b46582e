//! The crash points of both programs, each with the events that lead to it.

/// The program that dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    OrderManagement,
    Worker,
}

/// The event that leads to a crash point, besides a paid and a declined order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bait {
    /// No other event.
    Orders,
    /// An order that was committed and not relayed.
    LeftBehind,
    /// A charge without a verdict.
    Unknown,
    /// A message that cannot be read.
    Nonsense,
    /// SIGTERM.
    Stop,
}

/// A crash point of a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) program: Program,
    pub(super) name: &'static str,
    pub(super) bait: Bait,
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let program = match self.program {
            Program::OrderManagement => "order-management",
            Program::Worker => "worker",
        };
        write!(f, "{program} at {}", self.name)
    }
}

const ORDER_MANAGEMENT: &[(&str, Bait)] = &[
    ("place_begun", Bait::Orders),
    ("place_committed", Bait::Orders),
    ("place_answered", Bait::Orders),
    ("relay_begun", Bait::Orders),
    ("relay_sent", Bait::Orders),
    ("relay_confirmed", Bait::Orders),
    ("relay_removed", Bait::Orders),
    ("sweep_claimed", Bait::LeftBehind),
    ("received", Bait::Orders),
    ("settle_begun", Bait::Orders),
    ("settle_committed", Bait::Orders),
    ("dead_letter_begun", Bait::Nonsense),
    ("dead_letter_sent", Bait::Nonsense),
    ("dead_letter_confirmed", Bait::Nonsense),
    ("acked", Bait::Orders),
    ("requeue_begun", Bait::Stop),
    ("requeued", Bait::Stop),
];

const WORKER: &[(&str, Bait)] = &[
    ("received", Bait::Orders),
    ("charge_started", Bait::Orders),
    ("charge_asking", Bait::Orders),
    ("charge_looked_up", Bait::Unknown),
    ("charge_captured", Bait::Orders),
    ("charge_answered", Bait::Orders),
    ("charge_finished", Bait::Orders),
    ("reply_begun", Bait::Orders),
    ("reply_sent", Bait::Orders),
    ("reply_confirmed", Bait::Orders),
    ("retry_begun", Bait::Unknown),
    ("retry_sent", Bait::Unknown),
    ("retry_confirmed", Bait::Unknown),
    ("dead_letter_begun", Bait::Nonsense),
    ("dead_letter_sent", Bait::Nonsense),
    ("dead_letter_confirmed", Bait::Nonsense),
    ("acked", Bait::Orders),
    ("requeue_begun", Bait::Stop),
    ("requeued", Bait::Stop),
];

/// All crash points of both programs.
pub(super) fn points() -> Vec<Point> {
    let of = |program, steps: &'static [(&'static str, Bait)]| {
        steps.iter().map(move |(name, bait)| Point { program, name, bait: *bait })
    };
    of(Program::OrderManagement, ORDER_MANAGEMENT).chain(of(Program::Worker, WORKER)).collect()
}
