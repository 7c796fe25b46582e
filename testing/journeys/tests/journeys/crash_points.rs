//! A process dies at every crash point, and at every crash point again after its restart: every
//! order still ends, once, and with the right status (P1, P2, P4).

mod points;
mod stage;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::Command;
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use testkit::binaries;

use self::points::{Point, Program, points};
use self::stage::Stage;

/// Crash points of order-management that no event of this test leads to: only a result that the
/// database refuses for good is retried there.
const UNREACHABLE: [&str; 3] = ["retry_begun", "retry_sent", "retry_confirmed"];

/// Concurrent worlds. Most of a death is waiting: for the start, for commits, for the broker.
const WORLDS: usize = 8;

/// Stride over the pairs of crash points, unless all are requested. It has no divisor in common
/// with the number of points, so that every point occurs in equally many pairs.
const SHARE: usize = 7;

/// The programs list their crash points in the error for an unknown one.
#[tokio::test]
async fn every_crash_point_of_the_programs_is_tested() {
    let binaries = binaries::fresh().await.unwrap();
    for (program, binary) in [
        (Program::OrderManagement, &binaries.order_management),
        (Program::Worker, &binaries.payment_processor),
    ] {
        let output = Command::new(binary).env_clear().env("CRASH_AT", "nowhere").output().unwrap();
        assert!(!output.status.success());
        let message = String::from_utf8(output.stderr).unwrap();
        let (_, names) = message.split_once("of ").unwrap();
        let told: BTreeSet<&str> = names.trim().split(", ").collect();
        let points = points().into_iter().filter(|point| point.program == program);
        let tried: BTreeSet<&str> = points.map(|point| point.name).collect();
        let unreachable = if program == Program::Worker { &[][..] } else { &UNREACHABLE };
        let tried: BTreeSet<&str> = tried.into_iter().chain(unreachable.iter().copied()).collect();
        assert_eq!(told, tried);
    }
}

#[tokio::test]
async fn a_process_that_dies_at_any_step_loses_nothing_and_charges_nothing_twice() {
    let points = points();
    in_turns(&points, async |stage, point| stage.one(*point).await).await;
}

#[tokio::test]
async fn a_process_that_dies_at_any_step_and_again_at_any_step_loses_nothing() {
    let points = points();
    let pairs: Vec<(Point, Point)> =
        points.iter().flat_map(|a| points.iter().map(|b| (*a, *b))).collect();
    let share: Vec<_> = share(&pairs);
    let begun = Instant::now();
    in_turns(&share, async |stage, (first, second)| stage.two(*first, *second).await).await;
    eprintln!("{} of {} pairs in {:?}", share.len(), pairs.len(), begun.elapsed());
}

/// `CRASH_PAIRS`: `all`, or the number of a share; default the first share.
#[expect(clippy::disallowed_methods, reason = "a choice between tests, and no setting of ours")]
fn share(pairs: &[(Point, Point)]) -> Vec<(Point, Point)> {
    let chosen = std::env::var("CRASH_PAIRS").unwrap_or_default();
    if chosen == "all" {
        return pairs.to_vec();
    }
    let number = if chosen.is_empty() { 0 } else { chosen.parse::<usize>().unwrap() };
    pairs.iter().copied().skip(number % SHARE).step_by(SHARE).collect()
}

/// Runs every death, each in the next free world.
async fn in_turns<D: Debug>(deaths: &[D], play: impl AsyncFn(&Stage, &D)) {
    let (next, begun) = (RefCell::new(deaths.iter()), Instant::now());
    let worlds = (0..WORLDS).map(async |_| {
        let stage = Stage::open().await;
        let mut last = None;
        loop {
            let Some(death) = next.borrow_mut().next() else { break };
            let started = Instant::now();
            let played = AssertUnwindSafe(play(&stage, death)).catch_unwind().await;
            if let Err(panic) = played {
                eprintln!("it happened with {death:?}, after {last:?} in the same world");
                resume_unwind(panic);
            }
            eprintln!("{:?} {death:?} took {:?}", begun.elapsed(), started.elapsed());
            last = Some(death);
        }
        stage.close().await;
    });
    join_all(worlds).await;
}
