//! Stores the lines of messages.

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

/// Bounds of the stage. A commit stores all lines that arrived during the previous one; a second
/// commit at the same time helps when many arrive.
const LIMITS: BatchLimits = BatchLimits { waiting_max: 4096, batch_max: 1024, in_flight_max: 2 };
/// Largest number of lines of one message that are read and submitted together: more than a pack of
/// the project's processes has.
const GROUP_MAX: usize = 512;
/// Pause between two checks of the days' tables.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// Pause between two warnings about refused lines.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// Stores the lines of messages.
#[derive(Debug)]
pub(crate) struct LogStore {
    batcher: Batcher<StoreBatch>,
    metrics: EntryMetrics,
    warned_at: Mutex<Option<Instant>>,
}

impl LogStore {
    /// Opens the stage. Lines of days more than `retention_days` before today are refused.
    pub(crate) fn open(db: &Db, retention_days: i32, runtime: &Runtime) -> LogStore {
        let known = Mutex::default();
        let store = StoreBatch { db: db.clone(), retention_days, known };
        let batcher = Batcher::open(store, LIMITS, runtime);
        LogStore {
            batcher,
            metrics: runtime.metrics.get::<LogStoreMetrics>().entries,
            warned_at: Mutex::default(),
        }
    }

    /// Returns once each line is stored or refused.
    async fn store(&self, group: &[Entry]) {
        let (mut stored, mut refused) = (0, 0);
        for outcome in until_stored(&self.batcher, group).await {
            match outcome {
                Ok(LineOutcome::Stored) => stored += 1,
                Ok(LineOutcome::DayNotKept(day)) => {
                    refused += 1;
                    self.warn(&format!("lines of {day} are not kept"));
                }
                Err(error) => {
                    refused += 1;
                    self.warn(&error.to_string());
                }
            }
        }
        self.metrics.stored.inc_by(stored);
        self.metrics.refused.inc_by(refused);
    }

    /// Logs a warning, at most one per [`WARN_EVERY`]: a sender with a wrong clock sends many such
    /// lines.
    fn warn(&self, why: &str) {
        let mut last = self.warned_at.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > WARN_EVERY) {
            *last = Some(Instant::now());
            log::warn!("log lines are refused: {why}");
        }
    }
}

impl LogReader for LogStore {
    async fn read(&self, pack: LogPack) {
        let Some(mut lines) = line::entries(&pack) else {
            self.metrics.refused.inc();
            self.warn("a message is too long");
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

/// The outcome of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineOutcome {
    /// The line is stored, now or since an earlier delivery.
    Stored,
    /// The day of the line is too old, or in the future.
    DayNotKept(Date),
}

/// Stores a batch of lines.
#[derive(Debug)]
struct StoreBatch {
    db: Db,
    retention_days: i32,
    /// The days that are kept, and the days that need no further check: those that have a table,
    /// and those that are too old.
    known: Mutex<Option<(Days, BTreeSet<Date>)>>,
}

impl BatchHandler for StoreBatch {
    const NAME: &'static str = "log_store";
    type Item = Entry;
    type Output = LineOutcome;
    type Error = Error;

    async fn run(&self, batch: &[Entry]) -> Result<Vec<LineOutcome>, Error> {
        let days = self.days(batch).await?;
        let outcome_of = |entry: &Entry| {
            let day = day_of(entry);
            if day < days.first || day > days.last {
                LineOutcome::DayNotKept(day)
            } else {
                LineOutcome::Stored
            }
        };
        let outcomes: Vec<LineOutcome> = batch.iter().map(outcome_of).collect();
        let inserted = if outcomes.iter().all(|outcome| *outcome == LineOutcome::Stored) {
            logs::insert(&self.db, batch).await
        } else {
            let wanted =
                batch.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == LineOutcome::Stored);
            let wanted: Vec<Entry> = wanted.map(|(entry, _)| entry.clone()).collect();
            logs::insert(&self.db, &wanted).await
        };
        if inserted.is_err() {
            // The table of a day may have been dropped since the check.
            *self.known() = None;
        }
        inserted.map(|()| outcomes)
    }

    fn may_blame_an_item(error: &Error) -> bool {
        matches!(error, Error::Refused(_))
    }
}

impl StoreBatch {
    /// Returns the days that are kept. Those of them that `batch` has lines of have a table.
    async fn days(&self, batch: &[Entry]) -> Result<Days, Error> {
        let wanted: BTreeSet<Date> = batch.iter().map(day_of).collect();
        let mut checked = BTreeSet::new();
        if let Some((days, known)) = &*self.known() {
            if wanted.is_subset(known) {
                return Ok(*days);
            }
            checked.clone_from(known);
        }
        let days_of_batch: Vec<Date> = wanted.iter().copied().collect();
        let days = logs::days(&self.db, self.retention_days, &days_of_batch).await?;
        // A day in the future is left out: it will be kept one day.
        checked.extend(wanted.into_iter().filter(|day| *day <= days.last));
        *self.known() = Some((days, checked));
        Ok(days)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(Days, BTreeSet<Date>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn day_of(entry: &Entry) -> Date {
    entry.logged_at.to_offset(UtcOffset::UTC).date()
}

/// Makes tomorrow's table in time, and drops the tables of old days. Never returns.
pub(crate) async fn maintain_days(db: Db, retention_days: i32) {
    // A try that waits for a reader in vain blocks all other readers and writers meanwhile.
    let mut backoff = Backoff::new(Duration::from_secs(1), KEEP_EVERY);
    loop {
        match logs::keep(&db, retention_days, &[]).await {
            Ok(_) => {
                backoff.reset();
                tokio::time::sleep(KEEP_EVERY).await;
            }
            Err(error) => {
                log::warn!("the tables of the days cannot be made or dropped: {error}");
                backoff.wait().await;
            }
        }
    }
}
