//! `payment-processor payments prune`: removes the details of old payments, in small steps beside the load.

use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use db::payments::{PruneStep, copy_pruned, remove_pruned};
use db::{Db, Error};
use service::parse_age;
use tokio::runtime::Handle;

/// Largest number of payments that one step visits.
const STEP_MAX: i64 = 500;
/// Pause between two looks at open transactions.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for a transaction that began before a step.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Removes the details of old payments. Ids, sums and verdicts stay: a request that comes again gets its
/// reply, and the auditor finds every payment.
#[derive(Debug, Args)]
pub(crate) struct PaymentsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Removes the details of payments that finished longer ago than an age
    ///
    /// Works in small steps, and may be interrupted and repeated. Start it only when every worker is of a
    /// release that has this command.
    Prune {
        /// The age: a number of seconds, minutes, hours or days such as 90d or 12h
        #[arg(long, value_name = "AGE", value_parser = age)]
        older_than: Duration,
    },
}

fn age(text: &str) -> Result<Duration, &'static str> {
    parse_age(text).ok_or("must be a number with a unit such as 90d, 12h, 30m or 45s")
}

/// The reason why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PruneError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error(
        "a transaction on the payments has been open for a minute; end it and repeat the command"
    )]
    OpenTransaction,
}

/// Carries out the command, and prints its result.
pub(crate) async fn run(args: PaymentsArgs, payments: &db::Settings) -> anyhow::Result<()> {
    let Command::Prune { older_than } = args.command;
    let db = Db::new(payments, Handle::current())?;
    let pruned = prune(&db, older_than).await?;
    Ok(writeln!(std::io::stdout(), "{pruned} payments pruned")?)
}

async fn prune(db: &Db, age: Duration) -> Result<i64, PruneError> {
    let (mut pruned, mut after) = (0, None);
    loop {
        let begun = Instant::now();
        let step = copy_pruned(db, after, age, STEP_MAX).await?;
        pruned += remove(db, &step).await?;
        after = step.last;
        if after.is_none() {
            return Ok(pruned);
        }
        // As long a pause as the step took: half of the time is the workers' alone.
        tokio::time::sleep(begun.elapsed()).await;
    }
}

/// Removes the payments of a step as soon as every transaction sees their compact rows.
async fn remove(db: &Db, step: &PruneStep) -> Result<i64, PruneError> {
    let begun = Instant::now();
    loop {
        if let Some(removed) = remove_pruned(db, step).await? {
            return Ok(removed);
        }
        if begun.elapsed() > WAIT_MAX {
            return Err(PruneError::OpenTransaction);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
