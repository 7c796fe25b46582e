use service::{Backoff, Tasks};
use tokio_postgres::NoTls;

use crate::pool::{GRACE, config};
use crate::{Error, Settings};

mod shop {
    refinery::embed_migrations!("migrations/shop");
}

mod payments {
    refinery::embed_migrations!("migrations/payments");
}

mod logs {
    refinery::embed_migrations!("migrations/logs");
}

/// Key of the advisory lock of a migration: "ordermil" in ASCII, which no other program uses.
const LOCK: i64 = 0x6f72_6465_726d_696c;

/// A set of tables, migrated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Customers, products, orders, outbox.
    Shop,
    /// Payments, and the simulated gateway's ledger.
    Payments,
    /// Log lines.
    Logs,
}

/// Repeats [`migrate`] while the database is unavailable, until the tables are up to date or
/// `tasks` stop.
///
/// # Errors
/// If a migration fails.
pub async fn migrate_when_there(
    settings: &Settings,
    which: Migrations,
    tasks: &Tasks,
) -> Result<(), Error> {
    let mut backoff = Backoff::for_server();
    let stopping = tasks.stopping();
    loop {
        let tried = tokio::select! {
            tried = migrate(settings, which) => tried,
            () = stopping.cancelled() => return Ok(()),
        };
        match tried {
            Err(Error::Unavailable(why)) => log::warn!("waiting for the database: {why}"),
            done => return done,
        }
        backoff.wait().await;
    }
}

/// Brings the tables up to date. Any number of processes may call this at the same time: one
/// migrates, the others wait.
///
/// # Errors
/// [`Error::Refused`] if a migration fails; the migration is rolled back, the migrations before it
/// stay.
pub async fn migrate(settings: &Settings, which: Migrations) -> Result<(), Error> {
    let mut config = config(settings);
    // A migration may take as long as it needs.
    config.options("-c statement_timeout=0");
    let connecting =
        tokio::time::timeout(settings.statement_timeout + GRACE, config.connect(NoTls));
    let Ok(connected) = connecting.await else {
        return Err(Error::Unavailable("no answer in time".to_owned()));
    };
    let (mut client, connection) = connected?;
    let work = async move {
        client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
        let (mut runner, table) = match which {
            Migrations::Shop => (shop::migrations::runner(), "migrations_shop"),
            Migrations::Payments => (payments::migrations::runner(), "migrations_payments"),
            Migrations::Logs => (logs::migrations::runner(), "migrations_logs"),
        };
        runner.set_migration_table_name(table);
        // During a rolling restart an older process meets the migrations of a newer one.
        let runner = runner.set_abort_missing(false);
        let report = runner.run_async(&mut client).await;
        let report = report.map_err(|e| match client.is_closed() {
            true => Error::Unavailable(e.to_string()),
            false => Error::Refused(e.to_string()),
        })?;
        for migration in report.applied_migrations() {
            log::info!("migration applied: {migration}");
        }
        Ok(())
    };
    // `work` owns the client: its end closes the connection, which releases the lock.
    let (result, _closed) = tokio::join!(work, connection);
    result
}
