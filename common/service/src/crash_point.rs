//! Crash points: steps of the order pipeline at which a test build can be made to die.
//!
//! With `CRASH_AT=relay_confirmed` in its environment a process dies the first time it reaches that
//! point, with `CRASH_AT=relay_confirmed:3` the third time. It dies as from `kill -9`: without
//! unwinding, cleaning up or telling another process. A release build has no such setting and does
//! nothing at these points.
//!
//! Each crate declares the points that it reaches with [`crash_points!`](crate::crash_points!), and
//! each program names the lists that apply to it ([`Program::crash_points`](crate::Program)).

/// A step of the order pipeline. Between two of them there is at least one durable effect, or the
/// chance of another process to see the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint(&'static str);

impl CrashPoint {
    /// The point that `CRASH_AT` calls `name`.
    pub const fn new(name: &'static str) -> CrashPoint {
        CrashPoint(name)
    }

    /// The name, as it is written in `CRASH_AT`.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// Declares crash points, and `ALL` of them in the order of the pipeline.
#[macro_export]
macro_rules! crash_points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        $(
            $(#[doc = $doc])+
            pub const $point: $crate::CrashPoint = $crate::CrashPoint::new($name);
        )+

        /// All of them, in the order of the pipeline.
        pub const ALL: &[$crate::CrashPoint] = &[$($point),+];
    };
}

#[cfg(debug_assertions)]
pub(crate) use armed::arm;
#[cfg(debug_assertions)]
pub use armed::{reach, reach_all, reach_at_once};

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::CrashPoint;
    use crate::env::Env;

    const CRASH_AT: &str = "CRASH_AT";

    /// The pipeline has one thread, which pauses at the point, while the threads of the connections
    /// write what they were given. So a message that was sent before the point has been sent, and an
    /// ack that came too early has reached the broker.
    const WRITE_TIMEOUT: Duration = Duration::from_millis(10);

    /// The point to die at, and how often to reach it until then.
    static ARMED: OnceLock<(CrashPoint, AtomicU32)> = OnceLock::new();

    /// Reads the point at which this process is to die, if there is one. `known` are the points that
    /// it can reach.
    pub(crate) fn arm(env: &mut Env, known: &[&[CrashPoint]]) {
        let Some(text) = env.undeclared(CRASH_AT).map(str::to_owned) else { return };
        match parse(&text, known) {
            Some((point, times)) => drop(ARMED.set((point, AtomicU32::new(times)))),
            None => {
                let names: Vec<&str> = known.concat().iter().map(|point| point.name()).collect();
                let names = names.join(", ");
                env.refuse(format!("{CRASH_AT}={text:?}: must be a point or point:n, of {names}"));
            }
        }
    }

    /// Dies here, if this is the point to die at.
    pub fn reach(point: CrashPoint) {
        die_at(point, WRITE_TIMEOUT);
    }

    /// As [`reach`], but at once: for a point on another thread than the pipeline's, which would go
    /// on during the pause.
    pub fn reach_at_once(point: CrashPoint) {
        die_at(point, Duration::ZERO);
    }

    fn die_at(point: CrashPoint, write_timeout: Duration) {
        let Some((armed, left)) = ARMED.get() else { return };
        if *armed == point && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            thread::sleep(write_timeout);
            eprintln!("died at the crash point {}", point.name());
            std::process::abort();
        }
    }

    /// Reaches a point for each item.
    pub fn reach_all<T>(items: &[T], point: impl Fn(&T) -> CrashPoint) {
        items.iter().for_each(|item| reach(point(item)));
    }

    fn parse(text: &str, known: &[&[CrashPoint]]) -> Option<(CrashPoint, u32)> {
        let (name, times) = text.split_once(':').unwrap_or((text, "1"));
        let point = known.iter().copied().flatten().find(|point| point.name() == name);
        let times = times.parse().ok().filter(|times| *times > 0);
        point.copied().zip(times)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const PLACED: CrashPoint = CrashPoint::new("placed");
        const ACKED: CrashPoint = CrashPoint::new("acked");
        const KNOWN: &[&[CrashPoint]] = &[&[PLACED], &[ACKED]];

        #[test]
        fn a_point_is_given_with_or_without_a_number() {
            assert_eq!(parse("acked", KNOWN), Some((ACKED, 1)));
            assert_eq!(parse("placed:3", KNOWN), Some((PLACED, 3)));
            for wrong in ["", "Acked", "acked:", "acked:0", "acked:-1", "acked:1:1"] {
                assert_eq!(parse(wrong, KNOWN), None, "{wrong:?}");
            }
        }

        #[test]
        fn a_wrong_point_is_refused_with_all_that_are_right() {
            let mut env = Env::of([(CRASH_AT.to_owned(), "nowhere".to_owned())]);
            arm(&mut env, KNOWN);
            assert!(!env.help().contains(CRASH_AT), "it is for tests only");
            let message = env.finish().unwrap_err().to_string();
            assert!(message.contains("CRASH_AT=\"nowhere\": must be"), "{message}");
            assert!(message.contains("placed, acked"), "{message}");
        }
    }
}

#[cfg(not(debug_assertions))]
pub(crate) use none::arm;
#[cfg(not(debug_assertions))]
pub use none::{reach, reach_all, reach_at_once};

/// The release build's part: nothing.
#[cfg(not(debug_assertions))]
mod none {
    use super::CrashPoint;
    use crate::env::Env;

    /// Reads nothing.
    #[inline(always)]
    pub(crate) const fn arm(_: &mut Env, _: &[&[CrashPoint]]) {}

    /// Does nothing.
    #[inline(always)]
    pub const fn reach(_: CrashPoint) {}

    /// Does nothing.
    #[inline(always)]
    pub const fn reach_at_once(_: CrashPoint) {}

    /// Does nothing.
    #[inline(always)]
    pub fn reach_all<T>(_: &[T], _: impl Fn(&T) -> CrashPoint) {}

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_release_build_cannot_be_told_where_to_die() {
            let mut env = Env::of([("CRASH_AT".to_owned(), "nowhere".to_owned())]);
            arm(&mut env, &[]);
            env.finish().unwrap();
        }
    }
}
