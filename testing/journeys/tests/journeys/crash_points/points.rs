//! Every step at which a process can be told to die, and what gets it there.

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    OrderManagement,
    Worker,
}

/// What it takes to get to a step, besides an order that is paid and one that is declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bait {
    /// Nothing.
    Orders,
    /// An order that somebody committed and did not relay.
    LeftBehind,
    /// A charge without a verdict.
    Unknown,
    /// A message that cannot be read.
    Nonsense,
    /// A stop.
    Stop,
}

/// A step of one of the programs.
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

/// All of them, in both programs.
pub(super) fn points() -> Vec<Point> {
    let of = |program, steps: &'static [(&'static str, Bait)]| {
        steps.iter().map(move |(name, bait)| Point { program, name, bait: *bait })
    };
    of(Program::OrderManagement, ORDER_MANAGEMENT).chain(of(Program::Worker, WORKER)).collect()
}
