use std::sync::Mutex;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use service::Tasks;
use telemetry::metrics::Metrics;

use super::*;

/// Doubles metrics; a batch with a 13 in it fails; batches wait at the gate.
struct Doubling {
    gate: Arc<Notify>,
    seen: Arc<Mutex<Vec<usize>>>,
}

impl BatchHandler for Doubling {
    const NAME: &'static str = "double";
    type Item = u64;
    type Output = u64;
    type Error = &'static str;

    async fn run(&self, batch: &[u64]) -> Result<Vec<u64>, &'static str> {
        self.gate.notified().await;
        self.gate.notify_one();
        self.seen.lock().unwrap().push(batch.len());
        if batch.contains(&13) {
            return Err("thirteen");
        }
        Ok(batch.iter().map(|n| n * 2).collect())
    }

    fn may_blame_an_item(_: &&'static str) -> bool {
        true
    }
}

struct Bench {
    gate: Arc<Notify>,
    seen: Arc<Mutex<Vec<usize>>>,
    batcher: Batcher<Doubling>,
}

fn open(limits: BatchLimits) -> Bench {
    let (gate, seen) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
    let handler = Doubling { gate: gate.clone(), seen: seen.clone() };
    let runtime = Runtime { tasks: Tasks::on(Handle::current()), metrics: Metrics::new("test") };
    Bench { gate, seen, batcher: Batcher::open(handler, limits, &runtime) }
}

const ONE_AT_A_TIME: BatchLimits =
    BatchLimits { waiting_max: 100, batch_max: 50, in_flight_max: 1 };

#[tokio::test]
async fn what_arrives_while_a_batch_is_under_way_becomes_the_next_one() {
    let bench = open(ONE_AT_A_TIME);
    let calls = join_all((100..160).map(|n| bench.batcher.submit(n)));
    let open_gate = async {
        while bench.batcher.waiting() < 10 {
            tokio::task::yield_now().await;
        }
        bench.gate.notify_one();
    };
    let (results, ()) = tokio::join!(calls, open_gate);
    let doubled: Vec<u64> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(doubled, (100..160).map(|n| n * 2).collect::<Vec<_>>());
    let sizes = bench.seen.lock().unwrap().clone();
    assert_eq!(sizes.iter().sum::<usize>(), 60);
    assert!(sizes.len() <= 3, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 50), "{sizes:?}");
}

#[tokio::test]
async fn one_bad_item_fails_alone_and_everybody_gets_their_own_result() {
    let bench = open(ONE_AT_A_TIME);
    bench.gate.notify_one();
    let results = join_all((0..40).map(|n| bench.batcher.submit(n))).await;
    for (n, result) in (0..40).zip(results) {
        match n {
            13 => assert_eq!(result, Err(SubmitError::Failed("thirteen"))),
            n => assert_eq!(result, Ok(n * 2)),
        }
    }
}

#[tokio::test]
async fn past_the_bound_the_caller_is_refused_at_once_and_nothing_grows() {
    let limits = BatchLimits { waiting_max: 3, batch_max: 1, in_flight_max: 1 };
    let bench = open(limits);
    let calls: Vec<_> = (0..20).map(|n| bench.batcher.try_submit(n)).collect();
    let open_gate = async {
        tokio::task::yield_now().await;
        bench.gate.notify_one();
    };
    let (results, ()) = tokio::join!(join_all(calls), open_gate);
    let refused = results.iter().filter(|r| **r == Err(SubmitError::Full)).count();
    assert!((16..=17).contains(&refused), "{refused} of 20 were refused");
}

#[tokio::test]
async fn an_item_whose_caller_left_is_not_worked_on() {
    let bench = open(ONE_AT_A_TIME);
    assert!(bench.batcher.submit_detached(vec![1]));
    while bench.batcher.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(bench.batcher.submit(13).now_or_never().is_none(), "the first batch is at the gate");
    bench.gate.notify_one();
    assert_eq!(bench.batcher.submit(2).await, Ok(4));
    assert_eq!(*bench.seen.lock().unwrap(), [1, 1]);
}

#[tokio::test]
async fn a_second_batch_starts_beside_the_first_only_when_it_is_full() {
    let limits = BatchLimits { waiting_max: 100, batch_max: 10, in_flight_max: 2 };
    let bench = open(limits);
    assert!(bench.batcher.submit_detached(vec![1]));
    eventually_waiting(&bench, 0).await;

    assert!(bench.batcher.submit_detached((0..9).collect()));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.batcher.waiting(), 9, "less than a full batch waits for the first to end");
    assert!(bench.batcher.submit_detached(vec![9]));
    eventually_waiting(&bench, 0).await;
    assert!(bench.batcher.submit_detached((0..10).collect()));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.batcher.waiting(), 10, "no more than two are under way");
    bench.gate.notify_one();
    bench.batcher.wait_idle().await;
    assert_eq!(bench.seen.lock().unwrap().iter().sum::<usize>(), 21);
}

#[tokio::test]
async fn a_group_travels_whole_and_gets_its_results_in_order() {
    let bench = open(ONE_AT_A_TIME);
    bench.gate.notify_one();
    let (one, other) = tokio::join!(
        bench.batcher.submit_all((0..70).collect()),
        bench.batcher.submit_all(vec![13, 14])
    );
    let doubled: Vec<_> = (0..70_u64).map(|n| if n == 13 { None } else { Some(n * 2) }).collect();
    assert_eq!(one.into_iter().map(Result::ok).collect::<Vec<_>>(), doubled);
    assert_eq!(other, [Err(SubmitError::Failed("thirteen")), Ok(28)]);
}

#[tokio::test]
async fn when_nobody_takes_batches_any_more_whoever_waits_is_told() {
    let (gate, seen) = (Arc::new(Notify::new()), Arc::default());
    let runtime = Runtime { tasks: Tasks::on(Handle::current()), metrics: Metrics::new("test") };
    let handler = Doubling { gate, seen };
    let batcher = Batcher::open(handler, ONE_AT_A_TIME, &runtime);
    assert!(batcher.submit_detached(vec![1]));
    while batcher.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    let end = async {
        while batcher.waiting() < 1 {
            tokio::task::yield_now().await;
        }
        runtime.tasks.abort_after(std::time::Duration::ZERO).await.unwrap();
    };
    let (waiting, ()) = tokio::join!(batcher.submit(2), end);
    assert_eq!(waiting, Err(SubmitError::Closed));
    assert_eq!(batcher.try_submit(3).await, Err(SubmitError::Closed));
}

async fn eventually_waiting(bench: &Bench, count: usize) {
    while bench.batcher.waiting() != count {
        tokio::task::yield_now().await;
    }
}
