//! From a message to stored lines.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use batcher::{BatchHandler, BatchLimits, Batcher};
use db::logs::{self, Days, Entry};
use db::{Db, Error, until_stored};
use log_shipping::{LogPack, LogReader};
use service::{Backoff, Runtime};

use time::{Date, UtcOffset};

use crate::line;
use crate::metrics::{EntryMetrics, LogStoreMetrics};

/// One commit at a time takes everything that came meanwhile; a second one helps when that is much.
const LIMITS: BatchLimits = BatchLimits { waiting_max: 4096, batch_max: 1024, in_flight_max: 2 };
/// How many lines of one message travel as a group, and are taken out of it at a time: more than a pack
/// of ours has.
const GROUP_MAX: usize = 512;
/// Between two looks at the days.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// Between two complaints about lines that cannot be stored.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Stores what comes.
#[derive(Debug)]
pub(crate) struct LogStore {
    batcher: Batcher<Store>,
    metrics: EntryMetrics,
    complained: Mutex<Option<Instant>>,
}

impl LogStore {
    /// Ready to store; lines older than `retention_days` are refused.
    pub(crate) fn open(db: &Db, retention_days: i32, runtime: &Runtime) -> LogStore {
        let known = Mutex::default();
        let store = Store { db: db.clone(), retention_days, known };
        let batcher = Batcher::open(store, LIMITS, runtime);
        LogStore {
            batcher,
            metrics: runtime.metrics.get::<LogStoreMetrics>().entries,
            complained: Mutex::default(),
        }
    }

    /// Comes back once each of them is stored or refused.
    async fn store(&self, group: &[Entry]) {
        let (mut stored, mut refused) = (0, 0);
        for outcome in until_stored(&self.batcher, group).await {
            match outcome {
                Ok(Stored::Kept) => stored += 1,
                Ok(Stored::OfAnotherTime(day)) => {
                    refused += 1;
                    self.complain(&format!("{day} is not among the days that are kept"));
                }
                Err(error) => {
                    refused += 1;
                    self.complain(&error.to_string());
                }
            }
        }
        self.metrics.stored.inc_by(stored);
        self.metrics.refused.inc_by(refused);
    }

    /// A sender with a wrong clock sends many such lines: one of them is enough to know.
    fn complain(&self, why: &str) {
        let mut last = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > COMPLAIN_EVERY) {
            *last = Some(Instant::now());
            log::warn!("log lines are refused: {why}");
        }
    }
}

impl LogReader for LogStore {
    async fn read(&self, pack: LogPack) {
        let Some(mut lines) = line::entries(&pack) else {
            self.metrics.refused.inc();
            self.complain("a message is longer than any of ours");
            return;
        };
        loop {
            let group: Vec<Entry> = lines.by_ref().take(GROUP_MAX).collect();
            if group.is_empty() {
                return;
            }
            self.store(&group).await;
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is there, now or since it came the first time.
    Kept,
    /// Its day is too old, or still to come.
    OfAnotherTime(Date),
}

/// The station where lines are stored.
#[derive(Debug)]
struct Store {
    db: Db,
    retention_days: i32,
    /// Which days are kept, and those of them that have a table; also days that are too old.
    known: Mutex<Option<(Days, BTreeSet<Date>)>>,
}

impl BatchHandler for Store {
    const NAME: &'static str = "log_store";
    type Item = Entry;
    type Output = Stored;
    type Error = Error;

    async fn run(&self, batch: &[Entry]) -> Result<Vec<Stored>, Error> {
        let days = self.days(batch).await?;
        let kept = |entry: &Entry| {
            let day = day_of(entry);
            if day < days.first || day > days.last {
                Stored::OfAnotherTime(day)
            } else {
                Stored::Kept
            }
        };
        let outcomes: Vec<Stored> = batch.iter().map(kept).collect();
        let inserted = if outcomes.iter().all(|outcome| *outcome == Stored::Kept) {
            logs::insert(&self.db, batch).await
        } else {
            let wanted = batch.iter().zip(&outcomes).filter(|(_, to)| **to == Stored::Kept);
            let wanted: Vec<Entry> = wanted.map(|(entry, _)| entry.clone()).collect();
            logs::insert(&self.db, &wanted).await
        };
        if inserted.is_err() {
            // The table of a day may have been dropped since it was seen.
            *self.known() = None;
        }
        inserted.map(|()| outcomes)
    }

    fn may_blame_an_item(fault: &Error) -> bool {
        matches!(fault, Error::Refused(_))
    }
}

impl Store {
    /// Which days are kept; those of `batch` among them have a table.
    async fn days(&self, batch: &[Entry]) -> Result<Days, Error> {
        let wanted: BTreeSet<Date> = batch.iter().map(day_of).collect();
        let mut judged = BTreeSet::new();
        if let Some((days, known)) = &*self.known() {
            if wanted.is_subset(known) {
                return Ok(*days);
            }
            judged.clone_from(known);
        }
        let asked: Vec<Date> = wanted.iter().copied().collect();
        let days = logs::days(&self.db, self.retention_days, &asked).await?;
        // What is still to come will be kept one day.
        judged.extend(wanted.into_iter().filter(|day| *day <= days.last));
        *self.known() = Some((days, judged));
        Ok(days)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(Days, BTreeSet<Date>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn day_of(entry: &Entry) -> Date {
    entry.logged_at.to_offset(UtcOffset::UTC).date()
}

/// Makes tomorrow's table in time and drops what is too old, for ever.
pub(crate) async fn keep_for_ever(db: Db, retention_days: i32) {
    // Each try that waits for a reader in vain holds up everybody else meanwhile.
    let mut backoff = Backoff::new(Duration::from_secs(1), KEEP_EVERY);
    loop {
        match logs::keep(&db, retention_days, &[]).await {
            Ok(_) => {
                backoff.reset();
                tokio::time::sleep(KEEP_EVERY).await;
            }
            Err(error) => {
                log::warn!("the days cannot be looked after: {error}");
                backoff.wait().await;
            }
        }
    }
}
