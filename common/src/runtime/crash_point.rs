//! Crash points: steps of the road at which a test build can be told to die.
//!
//! With `CRASH_AT=relay_confirmed` in its environment a process dies the first time it gets there,
//! with `CRASH_AT=relay_confirmed:3` the third time. It dies as from `kill -9`: nothing is unwound or
//! cleaned up, nobody is told. A release build has no such setting and does nothing at these points.

macro_rules! crash_points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A step of the road. Between two of them stands at least one durable act, or somebody
        /// else's chance to see the last one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum CrashPoint {
            $($(#[doc = $doc])+ $point,)+
        }

        #[cfg(debug_assertions)]
        impl CrashPoint {
            /// All of them, in the order of the road.
            pub const ALL: &[CrashPoint] = &[$(CrashPoint::$point),+];

            /// As it is written in `CRASH_AT`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(CrashPoint::$point => $name,)+
                }
            }
        }
    };
}

crash_points! {
    /// **place**: orders wait for their commit.
    PlaceBegun = "place_begun",
    /// Committed; nobody has been answered.
    PlaceCommitted = "place_committed",
    /// The client has its `201`.
    PlaceAnswered = "place_answered",
    /// **relay**: committed orders are about to be published, by either path.
    RelayBegun = "relay_begun",
    /// The broker has the request, and its confirm has not been seen.
    RelaySent = "relay_sent",
    /// Confirmed; the outbox row is still there.
    RelayConfirmed = "relay_confirmed",
    /// The outbox row is gone.
    RelayRemoved = "relay_removed",
    /// The sweep has leased rows that somebody left behind.
    SweepClaimed = "sweep_claimed",
    /// A message is in hand, in either program.
    Received = "received",
    /// **charge**: the payment is recorded as started.
    ChargeStarted = "charge_started",
    /// The gateway is about to be asked.
    ChargeAsking = "charge_asking",
    /// A gateway that was asked before knows nothing of the key, and is about to be asked to charge.
    ChargeLookedUp = "charge_looked_up",
    /// The gateway has taken the money, and nobody else knows.
    ChargeCaptured = "charge_captured",
    /// The verdict is here and not recorded.
    ChargeAnswered = "charge_answered",
    /// The verdict is recorded.
    ChargeFinished = "charge_finished",
    /// **reply**: recorded verdicts are about to be published.
    ReplyBegun = "reply_begun",
    /// The broker has the result, and its confirm has not been seen.
    ReplySent = "reply_sent",
    /// Confirmed; the request is not acked.
    ReplyConfirmed = "reply_confirmed",
    /// **settle**: results wait for their commit.
    SettleBegun = "settle_begun",
    /// Committed; the result is not acked.
    SettleCommitted = "settle_committed",
    /// A message is about to be copied to the delay ladder.
    RetryBegun = "retry_begun",
    /// The broker has the copy, and its confirm has not been seen.
    RetrySent = "retry_sent",
    /// The copy is confirmed; the original is not acked.
    RetryConfirmed = "retry_confirmed",
    /// **park**: a message is about to be copied to the dead letters.
    ParkBegun = "park_begun",
    /// The broker has the copy, and its confirm has not been seen.
    ParkSent = "park_sent",
    /// The copy is confirmed; the original is not acked.
    ParkConfirmed = "park_confirmed",
    /// The broker has an ack, in either program.
    Acked = "acked",
    /// A process that stops is about to give back what it has in hand, in either program.
    BackBegun = "back_begun",
    /// It has given it back and is about to close its connection.
    BackGiven = "back_given",
}

#[cfg(debug_assertions)]
pub use armed::{arm, reach, reach_all};

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::CrashPoint;
    use crate::runtime::Env;

    const CRASH_AT: &str = "CRASH_AT";

    /// The road has one thread, which stands still at the point, while those of the connections
    /// write what they have been handed. So what was sent before the point has been sent, and an ack
    /// that came too early is one that the broker has.
    const LAST_BREATH: Duration = Duration::from_millis(10);

    /// Where to die, and how often to get there until then.
    static ARMED: OnceLock<(CrashPoint, AtomicU32)> = OnceLock::new();

    /// Reads where this process is to die, if anywhere.
    pub fn arm(env: &mut Env) {
        let Some(told) = env.undeclared(CRASH_AT).map(str::to_owned) else { return };
        match parse(&told) {
            Some((point, times)) => drop(ARMED.set((point, AtomicU32::new(times)))),
            None => {
                let names: Vec<&str> = CrashPoint::ALL.iter().map(|point| point.name()).collect();
                let names = names.join(", ");
                env.refuse(format!("{CRASH_AT}={told:?}: must be a point or point:n, of {names}"));
            }
        }
    }

    /// Dies here, if told so.
    pub fn reach(point: CrashPoint) {
        let Some((armed, left)) = ARMED.get() else { return };
        if *armed == point && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            // This one alone is reached on a thread of HTTP's: the road would go on.
            if point != CrashPoint::PlaceAnswered {
                thread::sleep(LAST_BREATH);
            }
            eprintln!("died at the crash point {}", point.name());
            std::process::abort();
        }
    }

    /// Reaches a point of each item's own.
    pub fn reach_all<T>(items: &[T], point: impl Fn(&T) -> CrashPoint) {
        items.iter().for_each(|item| reach(point(item)));
    }

    fn parse(told: &str) -> Option<(CrashPoint, u32)> {
        let (name, times) = told.split_once(':').unwrap_or((told, "1"));
        let point = CrashPoint::ALL.iter().find(|point| point.name() == name);
        let times = times.parse().ok().filter(|times| *times > 0);
        point.copied().zip(times)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_told_with_or_without_a_number() {
            assert_eq!(parse("acked"), Some((CrashPoint::Acked, 1)));
            assert_eq!(parse("place_begun:3"), Some((CrashPoint::PlaceBegun, 3)));
            for wrong in ["", "Acked", "acked:", "acked:0", "acked:-1", "acked:1:1"] {
                assert_eq!(parse(wrong), None, "{wrong:?}");
            }
        }

        #[test]
        fn a_wrong_point_is_refused_with_all_that_are_right() {
            let mut env = Env::of([(CRASH_AT.to_owned(), "nowhere".to_owned())]);
            arm(&mut env);
            assert!(!env.help().contains(CRASH_AT), "it is for tests only");
            let message = env.finish().unwrap_err().to_string();
            assert!(message.contains("CRASH_AT=\"nowhere\": must be"), "{message}");
            for point in CrashPoint::ALL {
                assert!(message.contains(point.name()), "{message}");
            }
        }
    }
}

#[cfg(not(debug_assertions))]
pub use none::{arm, reach, reach_all};

/// What is left of it in a release build.
#[cfg(not(debug_assertions))]
mod none {
    use super::CrashPoint;
    use crate::runtime::Env;

    /// Reads nothing.
    #[inline(always)]
    pub const fn arm(_: &mut Env) {}

    /// Does nothing.
    #[inline(always)]
    pub const fn reach(_: CrashPoint) {}

    /// Does nothing.
    #[inline(always)]
    pub fn reach_all<T>(_: &[T], _: impl Fn(&T) -> CrashPoint) {}

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_release_build_cannot_be_told_where_to_die() {
            let mut env = Env::of([("CRASH_AT".to_owned(), "nowhere".to_owned())]);
            arm(&mut env);
            env.finish().unwrap();
        }
    }
}
